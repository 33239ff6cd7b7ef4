#!/usr/bin/env python3
"""What a DAG file costs: writing it, as a whole process, and importing it in the real Airflow beside one written by hand.

    cargo build --release && python3 benches/airflow.py --python ENV/bin/python

`ENV` has Airflow and its provider for Kubernetes (the conformance tests build one below `target/conformance`). The graph is
a chain of fan-outs: one step, three that take what it gives, one that takes what they give, and so on.

Writing is timed as `mlp build` of that graph for each runner: median, fastest and slowest run. Importing is timed as
`DagBag(file)` in an interpreter that has Airflow imported, a new one for each repetition, in turns: our file and one with
the same tasks, edges and settings, one operator call a task and one line an edge. From source, Python compiles the file each
time; from bytecode it finds it compiled. It fails unless both DAGs have the same tasks, edges and settings. The import part
is left out without `--python`.
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
IMPORT = ROOT / "benches" / "airflow_import.py"
IMAGE = "example.com/tools@sha256:" + "5" * 64
RUNTIME = "registry.example.com/mlp:0.1.0"
RUNNERS = ("local", "kubernetes")
FAN = 3
BLOCK = FAN + 2


@dataclass
class Step:
    """A step of the graph: its name, what it calls, and the names of those whose outputs it takes."""

    name: str
    calls: str
    takes: list[str]


def graph(count: int) -> list[Step]:
    """So many steps; what does not fill a fan-out at the end is a chain."""
    steps = []
    for number in range(count):
        place, begin = number % BLOCK, number - number % BLOCK
        last = [f"d{number - 1}"] if number else []
        calls, takes = "work", last
        if begin + BLOCK <= count and place > 0:
            takes = [f"d{begin}"]
            if place == BLOCK - 1:
                calls, takes = "join", [f"d{begin + 1 + turn}" for turn in range(FAN)]
        steps.append(Step(f"d{number}", calls, takes))
    # Nobody takes what the last one gives, so in the language it has no name of its own.
    steps[-1].name = steps[-1].calls
    return steps


# ── The graph in the language ──


def declared(name: str, inputs: list[str]) -> list[str]:
    """The declaration of a step."""
    command = ", ".join([f'"{name}"', *[f'"{{{one}}}"' for one in inputs], '"{output}"'])
    return [
        f"step {name}({', '.join(f'{one}: string' for one in inputs)}) -> string {{",
        f"  run:       command [{command}]",
        f'  image:     "{IMAGE}"',
        "  resources: { cpu: 2, memory: 4GiB }",
        "  retries:   2",
        "  timeout:   1h",
        "}",
        "",
    ]


def generate(folder: Path, steps: list[Step]) -> None:
    """A project with a target for each runner."""
    folder.mkdir()
    (folder / "mlp.toml").write_text('name = "bench"\nversion = "0.1.0"\nedition = "2026"\n')
    lines = [
        "target local_bench: airflow {",
        "  runner: local",
        '  root:   "/var/bench"',
        "}",
        "",
        "target kubernetes_bench: airflow {",
        '  root:          "s3://bench/runs"',
        '  namespace:     "bench"',
        f'  runtime_image: "{RUNTIME}"',
        "}",
        "",
        *declared("work", ["text"]),
        *declared("join", [f"part{turn}" for turn in range(FAN)]),
        "pipeline chain(text: string) {",
    ]
    for step in steps:
        name = "_" if step is steps[-1] else step.name
        lines.append(f"  let {name} = {step.calls}({', '.join(step.takes or ['text'])})")
    (folder / "main.mlp").write_text("\n".join([*lines, "}"]) + "\n")


# ── The graph by hand ──

LOCAL = '''
import subprocess
from datetime import timedelta

from airflow.sdk import DAG, BaseOperator, Param


class Run(BaseOperator):
    """A program on the worker."""

    template_fields = ("command",)

    def __init__(self, *, command, **kwargs):
        super().__init__(**kwargs)
        self.command = command

    def execute(self, context):
        subprocess.run(self.command, check=True)


STEP = dict(
    do_xcom_push=False,
    retries=2,
    retry_delay=timedelta(seconds=1),
    retry_exponential_backoff=2.0,
    max_retry_delay=timedelta(seconds=60),
    execution_timeout=timedelta(seconds=3660),
)
'''

KUBERNETES = f'''
from datetime import timedelta

from kubernetes.client import models as k8s

from airflow.providers.cncf.kubernetes.operators.pod import KubernetesPodOperator
from airflow.sdk import DAG, Param

USER = 65532
SECCOMP = k8s.V1SeccompProfile(type="RuntimeDefault")
PROGRAM = k8s.V1VolumeMount(name="mlp", mount_path="/mlp")
POD = dict(
    kubernetes_conn_id="kubernetes_default",
    namespace="bench",
    automount_service_account_token=False,
    image="{IMAGE}",
    image_pull_policy="IfNotPresent",
    labels={{}},
    env_vars={{"HOME": "/tmp"}},
    security_context=k8s.V1PodSecurityContext(
        fs_group=USER, run_as_group=USER, run_as_non_root=True, run_as_user=USER, seccomp_profile=SECCOMP
    ),
    container_security_context=k8s.V1SecurityContext(
        allow_privilege_escalation=False,
        capabilities=k8s.V1Capabilities(drop=["ALL"]),
        run_as_non_root=True,
        run_as_user=USER,
        seccomp_profile=SECCOMP,
    ),
    init_containers=[
        k8s.V1Container(
            name="mlp",
            image="{RUNTIME}",
            command=["cp", "/usr/local/bin/mlp", "/mlp/mlp"],
            volume_mounts=[PROGRAM],
            security_context=k8s.V1SecurityContext(
                allow_privilege_escalation=False,
                capabilities=k8s.V1Capabilities(drop=["ALL"]),
                read_only_root_filesystem=True,
                run_as_non_root=True,
                run_as_user=USER,
                seccomp_profile=SECCOMP,
            ),
            resources=k8s.V1ResourceRequirements(
                requests={{"cpu": "10m", "memory": "32Mi"}}, limits={{"memory": "128Mi"}}
            ),
        )
    ],
    volumes=[
        k8s.V1Volume(name="mlp", empty_dir=k8s.V1EmptyDirVolumeSource()),
        k8s.V1Volume(name="tmp", empty_dir=k8s.V1EmptyDirVolumeSource()),
    ],
    volume_mounts=[PROGRAM, k8s.V1VolumeMount(name="tmp", mount_path="/tmp")],
    container_resources=k8s.V1ResourceRequirements(
        requests={{"cpu": "2", "memory": "4Gi"}}, limits={{"cpu": "2", "memory": "4Gi"}}
    ),
    active_deadline_seconds=3660,
    startup_timeout_seconds=600,
    startup_check_interval_seconds=2,
    termination_grace_period=30,
    on_finish_action="delete_pod",
    log_events_on_failure=True,
    log_pod_spec_on_failure=False,
    do_xcom_push=False,
    retries=2,
    retry_delay=timedelta(seconds=1),
    retry_exponential_backoff=2.0,
    max_retry_delay=timedelta(seconds=60),
    execution_timeout=timedelta(seconds=4260),
)
'''

DAG = """
with DAG(
    dag_id="chain",
    schedule=None,
    catchup=False,
    max_active_runs=1,
    tags=["bench"],
    params={"text": Param(type="string")},
) as dag:
"""


def by_hand(runner: str, steps: list[Step]) -> str:
    """The text of a DAG file as a person would write it."""

    def kept(name: str) -> str:
        return f'"s3://bench/runs/{{{{ run_id }}}}/{name}"'

    lines = []
    for step in steps:
        takes = [kept(name) for name in step.takes] or ['"{{ params.text }}"']
        words = ", ".join([*takes, kept(step.name)])
        call = {
            "local": f'Run(task_id="{step.name}", command=["{step.calls}", {words}], **STEP)',
            "kubernetes": f'KubernetesPodOperator(task_id="{step.name}", cmds=["{step.calls}"], '
            f"arguments=[{words}], **POD)",
        }
        lines.append(f"    {step.name} = {call[runner]}")
    lines.append("")
    for step in steps:
        if len(step.takes) == 1:
            lines.append(f"    {step.takes[0]} >> {step.name}")
        elif step.takes:
            lines.append(f"    [{', '.join(step.takes)}] >> {step.name}")
    head = {"local": LOCAL, "kubernetes": KUBERNETES}[runner]
    return head.lstrip() + DAG + "\n".join(lines) + "\n"


# ── Measuring ──


def output(command: list[str]) -> str:
    """What a command prints that must succeed."""
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        sys.exit(f"{' '.join(command)} failed:\n{done.stdout[-4000:]}{done.stderr[-4000:]}")
    return done.stdout


def build(mlp: str, project: Path, runner: str) -> Path:
    """Our DAG file."""
    built = project.parent / f"{project.name}-{runner}"
    output([mlp, "build", str(project), "--target", f"{runner}_bench", "-o", str(built)])
    return built / "chain.py"


def time_builds(mlp: str, folder: Path, counts: list[int], runs: int) -> None:
    """The whole process of `mlp build`; the first run warms the caches of the disk and is not counted."""
    for count in counts:
        project = folder / f"build-{count}"
        generate(project, graph(count))
        for runner in RUNNERS:
            found = []
            for _ in range(runs + 1):
                begin = time.perf_counter()
                file = build(mlp, project, runner)
                found.append((time.perf_counter() - begin) * 1e3)
            counted = found[1:]
            tasks = sum("task_id=" in line for line in file.read_text().splitlines())
            if tasks != count:
                sys.exit(f"{count} steps became {tasks} tasks")
            print(
                f"{count:6} steps  {runner:10}  median {statistics.median(counted):9.1f} ms   "
                f"min {min(counted):9.1f}   max {max(counted):9.1f}   {file.stat().st_size / 1e3:9,.1f} kB",
                flush=True,
            )


@dataclass
class Pair:
    """Our file and the one by hand, with small ones of both kinds to warm an interpreter with."""

    python: str
    steps: list[Step]
    files: dict[str, Path]
    warm: list[Path]

    def imported(self, who: str, *flags: str) -> dict:
        words = [self.python, "-P", str(IMPORT), *flags, "--warm", *map(str, self.warm), "--", str(self.files[who])]
        return json.loads(output(words))

    def same(self) -> dict[str, dict]:
        """What both are, after seeing that they are the graph, and alike."""
        facts = {who: self.imported(who, "--facts") for who in self.files}
        edges = sorted([before, step.name] for step in self.steps for before in step.takes)
        for who, found in facts.items():
            if found["tasks"] != len(self.steps) or found["all_edges"] != edges:
                told = f"{found['tasks']} tasks and {found['edges']} edges"
                sys.exit(f"{who}: {told} instead of {len(self.steps)} and {len(edges)}, or not the same ones")
        ours, theirs = (found["settings"] for found in facts.values())
        for step in self.steps:
            one, other = ours[step.name], theirs[step.name]
            differs = [f"{name}: {one.get(name)} | {other.get(name)}" for name in one if one[name] != other.get(name)]
            if differs or one.keys() != other.keys():
                sys.exit(f"`{step.name}` is not the same in both:\n" + "\n".join(differs))
        return facts

    def timed(self, runs: int, *flags: str) -> dict[str, list[float]]:
        """Milliseconds of each import, in turns."""
        found = {who: [] for who in self.files}
        for _ in range(runs):
            for who, times in found.items():
                one = self.imported(who, *flags)
                if one["tasks"] != len(self.steps):
                    sys.exit(f"{who}: {one['tasks']} tasks")
                times.append(one["seconds"] * 1e3)
        return found


def pair(arguments: argparse.Namespace, folder: Path, runner: str, count: int) -> Pair:
    """Both files in folders of their own, and the small ones, which are the same graph with one fan-out."""
    files = []
    for size in (BLOCK, count):
        project = folder / f"import-{runner}-{count}-{size}"
        generate(project, graph(size))
        hand = project / "by_hand.py"
        hand.write_text(by_hand(runner, graph(size)))
        files.append({"mlp": build(arguments.mlp, project, runner), "by hand": hand})
    return Pair(arguments.python, graph(count), files[1], list(files[0].values()))


def time_imports(arguments: argparse.Namespace, folder: Path) -> None:
    """`DagBag(file)` of ours and of the one by hand."""
    for runner in RUNNERS:
        for count in arguments.import_steps:
            both = pair(arguments, folder, runner, count)
            facts = both.same()
            print(f"{count:6} steps  {runner}, {facts['mlp']['edges']:,} edges")
            # Without bytecode first: what one repetition writes, the next would find.
            for title, flags in (("from source", ()), ("from bytecode", ("--bytecode",))):
                ours, theirs = both.timed(arguments.import_runs, *flags).values()
                row(f"import {title}", ours, theirs, "ms")
            row("serialised", *([found["serialised"] / 1e3] for found in facts.values()), "kB")
            row("file", *([path.stat().st_size / 1e3] for path in both.files.values()), "kB")


def row(title: str, ours: list[float], theirs: list[float], unit: str) -> None:
    """One line: both medians side by side, the range where there is one, and the ratio of ours to the other."""

    def shown(values: list[float]) -> str:
        around = f" ({min(values):,.1f} to {max(values):,.1f})" if len(values) > 1 else ""
        return f"{statistics.median(values):9,.1f} {unit}{around}"

    ratio = statistics.median(ours) / statistics.median(theirs)
    print(f"  {title:22} mlp {shown(ours):40} by hand {shown(theirs):40} ratio {ratio:.2f}", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--mlp", default=str(ROOT / "target" / "release" / "mlp"))
    parser.add_argument("--python", help="an interpreter that has Airflow")
    parser.add_argument("--steps", type=int, nargs="*", default=[3, 10, 100, 1_000, 10_000])
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--import-steps", type=int, nargs="*", default=[10, 100, 1_000])
    parser.add_argument("--import-runs", type=int, default=5)
    arguments = parser.parse_args()
    arguments.mlp = os.path.abspath(arguments.mlp)
    with tempfile.TemporaryDirectory() as name:
        time_builds(arguments.mlp, Path(name), arguments.steps, arguments.runs)
        if arguments.python:
            time_imports(arguments, Path(name))


if __name__ == "__main__":
    main()
