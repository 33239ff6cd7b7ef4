"""Runs a Python step in a container of Kubeflow Pipelines or Vertex AI.

It is told what to do by `--task` (the node and the request of the step shim) and where things are by `--executor-input`
(the platform's own message). It finds or makes an environment with the step's packages, has the shim call the function
in a process of its own, checks what the step gave, and tells the platform. It needs the standard library alone.
"""

import argparse
import base64
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import urllib.request
from pathlib import Path

import exchange

GRACE_SECONDS = 10
MOUNTS = {"gs://": "/gcs/", "s3://": "/s3/", "minio://": "/minio/", "file://": ""}


class Failure(Exception):
    """Why the step did not succeed: a sentence, the lines below it, and what to do."""

    def __init__(self, summary, details=(), help_text=None):
        super().__init__(summary)
        self.details = details
        self.help_text = help_text


def main(arguments, folder):
    options = parse(arguments)
    task, executor_input = json.loads(text_argument(options.task)), json.loads(options.executor_input)
    with tempfile.TemporaryDirectory(prefix="mlp-step-") as scratch:
        try:
            run(Step(task, executor_input, Path(scratch), options), Path(folder))
        except Failure as failure:
            tell(task["node"]["id"], failure)
            return 1
    return 0


def parse(arguments):
    parser = argparse.ArgumentParser(prog="mlp", allow_abbrev=False)
    parser.add_argument("--task", required=True)
    parser.add_argument("--executor-input", required=True)
    parser.add_argument("--timeout")
    parser.add_argument("--secret", action="append", default=[])
    return parser.parse_args(arguments)


def text_argument(text):
    """`@FILE` stands for what the file holds."""
    return Path(text[1:]).read_text(encoding="utf-8") if text.startswith("@") else text


def tell(node, failure):
    lines = [f"✗ {node} failed", f"  {failure}", *(f"    {line}" for line in failure.details)]
    if failure.help_text:
        lines.append(f"  help: {failure.help_text}")
    print("\n".join(lines), file=sys.stderr, flush=True)


class Step:
    """What is known of the step that runs."""

    def __init__(self, task, executor_input, scratch, options):
        self.request = task["python"]
        self.name = self.request["step"]
        self.declared = task["plan"]["steps"][self.name]
        self.sources = task.get("sources", {})
        self.given = executor_input.get("inputs", {})
        self.wanted = executor_input.get("outputs", {})
        self.scratch = scratch
        self.timeout = milliseconds(options.timeout) if options.timeout else self.request.get("timeout")
        self.secrets = dict(read_secret(each) for each in options.secret)
        for variable in self.request.get("secrets", []):
            if variable in os.environ:
                self.secrets.setdefault(variable, os.environ[variable])

    def artifact(self, name):
        """An output artifact as the platform wants it, and where it is to lie."""
        artifacts = self.wanted.get("artifacts", {}).get(name, {}).get("artifacts", [])
        if not artifacts:
            raise Failure(f"The platform says nowhere to put the output `{name}`.", help_text="Build the pipeline again.")
        return artifacts[0], Path(local_path(artifacts[0]["uri"]))


def milliseconds(text):
    duration = exchange.read_units(exchange.READ_DURATIONS)(text, {})
    if duration is None:
        raise Failure(f"`--timeout {text}` is no duration.", help_text="Write it like `30min`.")
    return duration


def local_path(uri):
    """Where the platform's launcher has put an address."""
    for scheme, folder in MOUNTS.items():
        if uri.startswith(scheme):
            return folder + uri[len(scheme) :]
    return uri


# --- the walk ---------------------------------------------------------------------------------------------------


def run(step, folder):
    project = project_folder(step)
    request = dict(step.request, project=str(project), failure=str(step.scratch / "failure.json"))
    request["inputs"] = [dict(port, **given(step, port)) for port in request["inputs"] if "from" in port]
    request["outputs"] = [dict(port, path=str(output_path(step, port))) for port in request["outputs"]]
    python = interpreter(step)
    path = step.scratch / "request.json"
    path.write_text(json.dumps(request), encoding="utf-8")
    call(step, [python, str(folder / "shim" / "shim.py"), str(path)], project)
    artifacts, values = {}, []
    for port in request["outputs"]:
        checked(step, port)
    for port in request["outputs"]:
        if "text" in port["type"]:
            values.append((port["name"], value_text(step, port)))
        else:
            artifacts[port["name"]] = {"artifacts": [dict(step.artifact(port["name"])[0], metadata=metadata(port))]}
    for name, text in values:
        write_file(Path(step.wanted["parameters"][name]["outputFile"]), text)
    if step.wanted.get("outputFile"):
        write_file(Path(step.wanted["outputFile"]), json.dumps({"artifacts": artifacts}))


def project_folder(step):
    """The sources that came with the task, or those of the image."""
    if not step.sources:
        return Path(os.environ.get("MLP_PROJECT") or os.getcwd())
    project = step.scratch / "project"
    for name, text in step.sources.items():
        if os.path.isabs(name) or ".." in Path(name).parts:
            raise Failure(f"The source `{name}` lies outside of the project.", help_text="Build the pipeline again.")
        write_file(project / name, text)
    return project


def write_file(path, text):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(text.encode("utf-8"))


# --- inputs -----------------------------------------------------------------------------------------------------


def given(step, port):
    """What the shim is told of an input: a value, a path, or items."""
    found = resolve(step, port["from"], port["type"])
    if "text" in port["type"]:
        try:
            value = found["value"] if "value" in found else [item["value"] for item in found["items"]]
            found = {"value": exchange.read(value, port["type"])}
            exchange.check(found["value"], port["type"])
        except exchange.Unfit as unfit:
            raise Failure(
                f"`{step.name}` cannot take `{port['name']}`: {unfit}.",
                help_text="The value comes from a parameter or from another step; mend it there, or widen the type.",
            ) from None
    return found


def resolve(step, origin, kind):
    if "items" in origin:
        return {"items": [resolve(step, item, kind.get("of", kind)) for item in origin["items"]]}
    if "value" in origin:
        return {"value": origin["value"]}
    name, kind = origin["input"], origin["type"]
    artifacts = step.given.get("artifacts", {}).get(name)
    if artifacts is not None:
        paths = [{"path": local_path(artifact["uri"])} for artifact in artifacts.get("artifacts", [])]
        return {"items": paths} if kind["kind"] == "list" else paths[0] if paths else {"value": None}
    value = step.given.get("parameterValues", {}).get(name)
    return {"value": exchange.unbox(value, kind)}


# --- outputs ----------------------------------------------------------------------------------------------------


def output_path(step, port):
    """Where the shim writes an output. What an earlier attempt left there is removed."""
    if "text" in port["type"]:
        return step.scratch / f"{port['name']}.txt"
    path = step.artifact(port["name"])[1]
    path.parent.mkdir(parents=True, exist_ok=True)
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    elif path.exists() or path.is_symlink():
        path.unlink()
    return path


EXPECTED = {
    "dataset": "a Parquet file",
    "model": "the model, a file or a folder,",
    "metrics": "a JSON file of metrics",
    "file": "a file",
    "directory": "a folder",
    "html": "an HTML file",
    "markdown": "a Markdown file",
    "artifact": "a file or a folder",
    "deployment": "a JSON file",
}


def checked(step, port):
    """The same demands as on this machine: an output is there, and a file or folder as declared."""
    kind, path, name = port["type"], Path(port["path"]), port["name"]
    expected = f"a text file with a value of type `{kind['text']}`" if "text" in kind else EXPECTED[kind["kind"]]
    if not path.exists():
        raise Failure(
            f"`{step.name}` ended well but did not write its output `{name}`.",
            help_text=f"Let it write {expected} to the path it is given: `{path}`.",
        )
    wrong = not path.is_dir() if kind["kind"] == "directory" else path.is_dir()
    if wrong and kind["kind"] not in ("model", "artifact"):
        found = "a folder" if path.is_dir() else "a file"
        raise Failure(
            f"`{step.name}` wrote {found} as its output `{name}`, which is declared as {expected}.",
            help_text=f"Let it write {expected} to `{path}`, or change the declaration.",
        )


def value_text(step, port):
    kind = port["type"]
    try:
        value = exchange.read(json.loads(Path(port["path"]).read_text(encoding="utf-8")), kind)
        exchange.check(value, kind)
    except exchange.Unfit as unfit:
        raise Failure(
            f"`{step.name}` gave an output `{port['name']}` that does not fit: {unfit}.",
            help_text=f"It is declared as `{kind['text']}`; let the step give that, or change the declaration.",
        ) from None
    return exchange.text_of(value, kind)


def metadata(port):
    """What the platform shows beside an artifact: the numbers of metrics."""
    if port["type"]["kind"] != "metrics":
        return {}
    try:
        metrics = json.loads(Path(port["path"]).read_text(encoding="utf-8"))
    except ValueError as error:
        raise Failure(
            f"The output `{port['name']}` is no JSON: {error}.", help_text="Metrics are one JSON object."
        ) from None
    numbers = metrics.items() if isinstance(metrics, dict) else ()
    return {key: value for key, value in numbers if isinstance(value, (int, float)) and not isinstance(value, bool)}


# --- the environment --------------------------------------------------------------------------------------------


def interpreter(step):
    """This Python where it has every package as declared, else one of a new environment."""
    packages, locked = list(step.request.get("packages", [])), step.request.get("requirements", [])
    parquet = step.request.get("parquet")
    if all(is_satisfied(package) for package in packages) and (not parquet or is_satisfied("pyarrow")):
        return sys.executable
    packages += [parquet] if parquet else []
    folder = step.scratch / "environment"
    print(f"installing {', '.join(packages)}", file=sys.stderr, flush=True)
    requirements = step.scratch / "requirements.txt"
    requirements.write_text("\n".join(locked or packages) + "\n", encoding="utf-8")
    install(step, [sys.executable, "-m", "venv", str(folder)], packages)
    python = str(folder / "bin" / "python")
    options = ["--require-hashes"] if locked else []
    pip = [python, "-m", "pip", "install", "--quiet", "--no-input", "--no-color", "--disable-pip-version-check"]
    install(step, [*pip, *options, "-r", str(requirements)], packages)
    return python


def install(step, command, packages):
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False)
    if done.returncode != 0:
        lines = done.stdout.splitlines()
        raise Failure(
            f"The Python environment with {', '.join(packages)} cannot be built: the installation failed.",
            [line for line in lines if line.startswith("ERROR")] or lines[-30:],
            "See that every name and version in `packages` exists and that they go together, or give the step an image "
            "that has them.",
        )


def is_satisfied(requirement):
    """Whether the package is here at the very version; ranges are left to pip."""
    from importlib import metadata as installed

    found = re.fullmatch(r"\s*([A-Za-z0-9._-]+)\s*(?:\[[^\]]*\])?\s*(?:==\s*([^\s,;*]+))?\s*", requirement)
    if not found:
        return False
    try:
        version = installed.version(found[1])
    except installed.PackageNotFoundError:
        return False
    return found[2] is None or found[2] == version


# --- the process ------------------------------------------------------------------------------------------------


def call(step, command, project):
    """Runs the shim in a process group of its own, and ends it when time is up or the platform asks."""
    variables = dict(os.environ)
    variables.update(step.declared.get("env", {}))
    variables.update(step.secrets)
    for name, value in {"DONTWRITEBYTECODE": "1", "UNBUFFERED": "1", "HASHSEED": "0", "UTF8": "1"}.items():
        variables.setdefault(f"PYTHON{name}", value)
    variables["PATH"] = os.path.dirname(command[0]) + ":" + variables.get("PATH", "")
    hidden = sorted((secret for secret in step.secrets.values() if len(secret) >= 4), key=len, reverse=True)
    stream = subprocess.PIPE if hidden else None
    process = subprocess.Popen(
        command, cwd=project, env=variables, stdin=subprocess.DEVNULL, stdout=stream, stderr=stream, start_new_session=True
    )
    copying = [
        threading.Thread(target=copy_masked, args=(source, target, hidden), daemon=True)
        for source, target in ((process.stdout, sys.stdout), (process.stderr, sys.stderr))
        if source
    ]
    for thread in copying:
        thread.start()
    ended_by = []

    def on_signal(number, _frame):
        ended_by.append(number)
        threading.Thread(target=end, args=(process,), daemon=True).start()

    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, on_signal)
    try:
        status = process.wait(step.timeout / 1000 if step.timeout else None)
    except subprocess.TimeoutExpired:
        end(process)
        limit = exchange.in_units(step.timeout, exchange.DURATIONS)
        raise Failure(
            f"`{step.name}` was ended because it ran longer than its timeout of {limit}.",
            help_text="Give it more time with `timeout`, or make it faster.",
        ) from None
    finally:
        kill(process, signal.SIGKILL)
        for thread in copying:
            thread.join(1)
    if ended_by:
        raise Failure(f"`{step.name}` was cancelled.")
    if status != 0:
        raise ended_badly(step, status, hidden)


def ended_badly(step, status, hidden):
    path = step.scratch / "failure.json"
    if path.exists():
        told = json.loads(masked(path.read_text(encoding="utf-8"), hidden))
        # The shim has printed the traceback; it is not printed twice.
        return Failure(f"`{step.name}` {told['summary']}", help_text=told["help"])
    text = f"exit code {status}" if status > 0 else f"signal {-status}"
    if status == -9:
        text += " (KILL: by somebody, or by the system when memory ran out)"
    return Failure(f"`{step.name}` ended with {text}.")


def end(process):
    """Asks the group to end, and kills it when it does not."""
    kill(process, signal.SIGTERM)
    try:
        process.wait(GRACE_SECONDS)
    except subprocess.TimeoutExpired:
        kill(process, signal.SIGKILL)
        process.wait()


def kill(process, number):
    try:
        os.killpg(process.pid, number)
    except ProcessLookupError:
        pass


def copy_masked(source, target, hidden):
    for line in source:
        target.write(masked(line.decode("utf-8", "replace"), hidden))
        target.flush()


def masked(text, hidden):
    for secret in hidden:
        text = text.replace(secret, "***")
    return text


# --- secrets ----------------------------------------------------------------------------------------------------


def read_secret(option):
    variable, _, reference = option.partition("=")
    try:
        if reference.startswith("env:"):
            return variable, os.environ[reference[4:]]
        if reference.startswith("file:"):
            return variable, Path(reference[5:]).read_text(encoding="utf-8").rstrip("\r\n")
        if reference.startswith("projects/"):
            return variable, managed_secret(reference)
    except (OSError, KeyError, ValueError) as error:
        reason = f"the variable {error} is not set" if isinstance(error, KeyError) else str(error)
        raise Failure(
            f"The secret `{variable}` cannot be had from `{reference}`: {reason}.",
            help_text="See that it exists and that the service account of the run may read it.",
        ) from None
    raise Failure(
        f"`--secret {option}` names no place that is known.",
        help_text="Write `VAR=env:NAME`, `VAR=file:/path` or `VAR=projects/…/secrets/…/versions/…`.",
    )


def managed_secret(name):
    """The content of a version in Secret Manager, with the token of the machine's own service account."""
    host = os.environ.get("GCE_METADATA_HOST", "metadata.google.internal")
    token = fetch(
        f"http://{host}/computeMetadata/v1/instance/service-accounts/default/token", {"Metadata-Flavor": "Google"}
    )["access_token"]
    address = os.environ.get(
        "CLOUDSDK_API_ENDPOINT_OVERRIDES_SECRETMANAGER", "https://secretmanager.googleapis.com"
    ).rstrip("/")
    answer = fetch(f"{address}/v1/{name}:access", {"Authorization": f"Bearer {token}"})
    return base64.b64decode(answer["payload"]["data"]).decode("utf-8")


def fetch(address, headers):
    with urllib.request.urlopen(urllib.request.Request(address, headers=headers), timeout=30) as answer:
        return json.load(answer)
