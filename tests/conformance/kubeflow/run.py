"""Runs a specification with the real orchestration of `kfp.local`: containers as processes of this machine.

The order of tasks, conditions, loops, exit tasks, retries, what a task is given and where its placeholders point: all this
is kfp's own. Replaced is what it cannot do without Docker, each as a Kubernetes pod or the launcher in it would do it:

* a container's command runs as a process, whatever its image;
* the folders of its outputs are there before it starts;
* an output artifact that it wrote at its path counts, even if it writes no `executor_output.json`;
* secrets of the Kubernetes document are in its environment.

`repaired` also mends what is wrong in the orchestration itself (see `repairs.py`); a case that needs it says why.
"""

import contextlib
import logging
import os
import subprocess
import sys
import tempfile
import threading
import warnings
from dataclasses import dataclass, field
from pathlib import Path
from unittest import mock

from kfp import compiler, components, dsl, local
from kfp.local import executor_input_utils, executor_output_utils, logging_utils, status, subprocess_task_handler

import repairs
import strict

SECONDS = 300
BINARY = os.environ.get("MLP", "mlp")


@dataclass
class Ran:
    """A container that ran: where, what, and how it ended."""

    place: str
    command: list
    code: int
    output: str


@dataclass
class Outcome:
    """How a run ended."""

    outputs: dict | None = None
    error: str = ""
    ran: list = field(default_factory=list)

    @property
    def succeeded(self) -> bool:
        return self.outputs is not None

    def log(self) -> str:
        """What failed containers printed."""
        return "\n".join(f"{ran.place}: {ran.code}\n{ran.output[-3000:]}" for ran in self.ran if ran.code != 0)


def environment(project: Path) -> dict:
    """The variables of every container: nothing of whoever runs the tests."""
    folders = [str(Path(BINARY).parent), str(Path(sys.executable).parent), "/usr/local/bin", "/usr/bin", "/bin"]
    return {
        "PATH": ":".join(folders),
        "HOME": str(project),
        "LANG": "C.UTF-8",
        "MLP_REGISTRY": str(project / "registry"),
        "PIP_NO_INDEX": "1",
        "PYTHONDONTWRITEBYTECODE": "1",
    }


class Pods:
    """Stands for the cluster that containers run on: the one run's state that kfp's hooks need."""

    def __init__(self, specification: strict.Specification, project: Path, secrets: dict):
        self.specification = specification
        self.project = project
        self.secrets = secrets
        self.ran = []
        self.current = threading.local()

    def task_root(self, original):
        """Notes which task the thread is about to run; kfp tells its handler only the command."""

        def construct_local_task_root(pipeline_root, pipeline_resource_name, task_resource_name):
            self.current.component = task_resource_name
            below = pipeline_resource_name.partition("/")[2]
            self.current.place = f"{below}/{task_resource_name}" if below else task_resource_name
            return original(pipeline_root, pipeline_resource_name, task_resource_name)

        return construct_local_task_root

    def settings(self) -> dict:
        """Variables that the Kubernetes document takes from secrets."""
        component = self.specification.pipeline.components[f"comp-{self.current.component}"]
        settings = self.specification.kubernetes.get(component.executor_label)
        found = {}
        for secret in settings.secret_as_env if settings else []:
            name = secret.secret_name_parameter.runtime_value.constant.string_value or secret.secret_name
            for key in secret.key_to_env:
                found[key.env_var] = self.secrets[name][key.secret_key]
        return found

    def run(self, command: list, variables: dict) -> status.Status:
        place = self.current.place
        overridden = environment(self.project)
        variables = {**overridden, **variables, **self.settings(), "MLP_REGISTRY": overridden["MLP_REGISTRY"]}
        try:
            done = subprocess.run(
                command,
                env=variables,
                cwd=self.project,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                timeout=SECONDS,
                check=False,
            )
            code, output = done.returncode, done.stdout.decode("utf-8", "replace")
        except (OSError, ValueError, subprocess.TimeoutExpired) as error:
            code, output = 127, str(error)
        self.ran.append(Ran(place, command, code, output))
        return status.Status.SUCCESS if code == 0 else status.Status.FAILURE

    def handler(self):
        """What kfp makes one of for every container."""
        pods = self

        class Process:
            def __init__(self, image, full_command, pipeline_root, runner, env_vars=None):
                self.command = list(full_command)
                self.variables = dict(env_vars or {})

            def run(self):
                return pods.run(self.command, self.variables)

        return Process


def with_folders(original):
    """The launcher makes the folders of outputs before the container starts."""

    def construct_executor_input(*, task_root, **rest):
        os.makedirs(task_root, exist_ok=True)
        return original(task_root=task_root, **rest)

    return construct_executor_input


def with_written_artifacts(original):
    """The launcher takes an artifact from its path; the container need not tell of it."""

    def get_outputs_for_task(executor_input, component_spec):
        outputs = original(executor_input=executor_input, component_spec=component_spec)
        for name, artifacts in executor_input.outputs.artifacts.items():
            if name not in outputs:
                is_list = component_spec.output_definitions.artifacts[name].is_artifact_list
                outputs[name] = executor_output_utils.artifact_list_to_dsl_artifact(artifacts, is_artifact_list=is_list)
        return outputs

    return get_outputs_for_task


@contextlib.contextmanager
def quiet():
    """kfp tells everything to the log and to standard output."""
    logging.disable(logging.CRITICAL)
    with warnings.catch_warnings(), open(os.devnull, "w") as nowhere, contextlib.redirect_stdout(nowhere):
        warnings.simplefilter("ignore")
        yield
    logging.disable(logging.NOTSET)


@contextlib.contextmanager
def hooks(pods: Pods, repaired: bool):
    """kfp.local with the containers of `pods`."""
    with contextlib.ExitStack() as stack:

        def replace(module, name, new):
            stack.enter_context(mock.patch.object(module, name, new))

        replace(subprocess_task_handler, "SubprocessTaskHandler", pods.handler())
        replace(
            executor_input_utils,
            "construct_local_task_root",
            pods.task_root(executor_input_utils.construct_local_task_root),
        )
        replace(
            executor_input_utils,
            "construct_executor_input",
            with_folders(executor_input_utils.construct_executor_input),
        )
        replace(
            executor_output_utils,
            "get_outputs_for_task",
            with_written_artifacts(executor_output_utils.get_outputs_for_task),
        )
        replace(logging_utils, "indented_print", lambda num_spaces=4: contextlib.nullcontext())
        if repaired:
            repairs.install(replace)
        yield


def load(path: Path):
    """The pipeline as a component of kfp."""
    return components.load_component_from_file(str(path))


def use(path: Path, arguments: dict) -> None:
    """Calls the pipeline in another one and compiles that; strictly parses what comes out."""
    inner = load(path)
    required = {name for name, spec in (inner.component_spec.inputs or {}).items() if not spec.optional}
    given = {name: value for name, value in arguments.items() if name in required or value is not None}

    def outer():
        inner(**given)

    with tempfile.TemporaryDirectory() as folder:
        target = Path(folder) / "outer.yaml"
        compiler.Compiler().compile(dsl.pipeline(name="conformance-outer")(outer), str(target))
        strict.parse(target)


def run(path: Path, arguments: dict, project: Path, secrets: dict | None = None, repaired: bool = False) -> Outcome:
    """Runs the pipeline at `path` with its containers in the folder `project`."""
    pods = Pods(strict.parse(path), project, secrets or {})
    outcome = Outcome(ran=pods.ran)
    root = project / "root"
    with quiet(), hooks(pods, repaired):
        local.init(local.SubprocessRunner(use_venv=False), pipeline_root=str(root), raise_on_error=True)
        pipeline = load(path)
        try:
            outcome.outputs = plain(pipeline(**arguments).outputs)
        except Exception as error:  # kfp raises what it likes
            outcome.error = f"{type(error).__name__}: {error}"
        finally:
            local.config.LocalExecutionConfig.instance = None
    return outcome


def plain(value):
    """Outputs as data; an artifact as what stands at its path."""
    if isinstance(value, dsl.Artifact):
        path = Path(value.uri)
        text = path.read_bytes() if path.is_file() else None
        return Artifact(value.schema_title, value.metadata, path, text)
    if isinstance(value, list):
        return [plain(item) for item in value]
    if isinstance(value, dict):
        return {key: plain(item) for key, item in value.items()}
    return value


@dataclass
class Artifact:
    """An output that is a file or folder."""

    title: str
    metadata: dict
    path: Path
    content: bytes | None
