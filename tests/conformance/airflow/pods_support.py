"""A pipeline in pods: built, imported, run by the real operator on a cluster of this machine."""

import atexit
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

import dags
from cluster import Cluster, Image, Settings
from suite import expect, mlp

ROOT = Path(tempfile.mkdtemp(prefix="pods-"))
atexit.register(shutil.rmtree, ROOT, ignore_errors=True)
ENVIRONMENTS = os.environ.get("MLP_CACHE_DIR", str(ROOT / "environments"))
PROJECTS = Path(__file__).resolve().parent / "projects"
# What a target has to say; the bucket is a folder that every pod sees, as a file server would have it.
TARGET = '\ntarget pods: airflow {{ root: "s3://mlp/pods"{settings} }}\n'
# Pods start at once, or never.
STARTUP = 2
ARTIFACT = re.compile(r"<(.*)>", re.DOTALL)


@dataclass
class Ran:
    """A run with all that the cluster saw of it."""

    ended: dags.Run
    pods: list
    refused: list
    folder: Path
    """What the bucket holds."""
    claims: Path
    """What the claims of the cluster hold."""

    def of(self, task: str) -> list:
        """The pods of a task, in the order in which they were asked for."""
        return [pod for pod in self.pods if pod.labels().get("task_id") == task]

    def only(self, task: str):
        """The one pod of a task."""
        pods = self.of(task)
        expect(len(pods) == 1, f"{len(pods)} pods of `{task}`, not one\n{self.ended.log[-6000:]}")
        return pods[0]

    def manifest(self, task: str) -> Path | None:
        """The manifest that a task wrote."""
        found = list(self.folder.glob(f"*/*/{task}/outputs.json"))
        return found[0] if found else None

    def expect(self, holds: bool, message: str) -> None:
        """Fails with all that there is to read."""
        if holds:
            return
        logs = "".join(f"--- {pod.name} {pod.phase} {pod.codes()}\n{pod.log()}" for pod in self.pods)
        refused = "".join(f"refused: {one['message']}\n" for one in self.refused)
        expect(
            False, f"{message}\n{self.ended.state}: {self.ended.states()}\n{refused}{logs}\n{self.ended.log[-6000:]}"
        )


def binary() -> Path:
    """The program as an image would have it: without what debuggers need, for every pod copies it."""
    small = ROOT / "mlp"
    if not small.exists():
        half = ROOT / f"mlp.{os.getpid()}"
        stripped = shutil.which("strip") and subprocess.run(["strip", "-o", half, os.environ["MLP"]], check=False)
        if not stripped or stripped.returncode != 0:
            shutil.copy(os.environ["MLP"], half)
        half.rename(small)
    return small


def built(project: Path, target: str, folder: Path) -> Path:
    """Builds a project for one of its targets; where the DAG files are."""
    made = mlp("build", str(project), "--target", target, "-o", str(folder))
    expect(made.returncode == 0, f"it does not build:\n{made.stdout}{made.stderr}")
    return folder


def with_target(program: Path, folder: Path, settings: str = "") -> Path:
    """A copy of a program that has a target with pods."""
    project = folder / "project"
    shutil.copytree(program, project)
    with (project / "main.mlp").open("a", encoding="utf-8") as source:
        source.write(TARGET.format(settings=settings))
    return project


def image(project: Path) -> Image:
    """What `mlp build --images` puts into an image: the project, and where it is."""
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    return Image(project, {"MLP_CACHE_DIR": ENVIRONMENTS, "PATH": path})


def images(project: Path) -> dict:
    # The sidecar's image runs as root unless it is told otherwise.
    return {"alpine:*": Image(user=0), "*": image(project)}


def rooted(file: Path, bucket: Path) -> Path:
    """A folder with the DAG file, for which the bucket is a folder of this machine."""
    text, root = file.read_text(encoding="utf-8"), 'ROOT = "s3://mlp/pods"'
    expect(text.count(root) == 1, "the file does not say where artifacts go")
    folder = bucket.with_suffix(".dags")
    folder.mkdir()
    (folder / file.name).write_text(text.replace(root, f"ROOT = {str(bucket)!r}"), encoding="utf-8")
    return folder


def execute(file: Path, project: Path, conf: dict, change=lambda task: None, **settings) -> Ran:
    """Runs the DAG of a file to its end on a cluster with these settings."""
    bucket = Path(tempfile.mkdtemp(prefix="bucket-", dir=ROOT))
    shared = (str(bucket), ENVIRONMENTS, str(Path(sys.executable).parent))
    facts = {"images": images(project), "files": {"/usr/local/bin/mlp": str(binary())}, "shared": shared, **settings}

    def prepare(task) -> None:
        if hasattr(task, "startup_timeout_seconds"):
            task.startup_check_interval_seconds = 0.1
            task.startup_timeout_seconds = task.schedule_timeout_seconds = STARTUP
        change(task)

    with Cluster(Settings(**facts)) as cluster:
        extra = {"kube_config_path": str(cluster.kubeconfig)}
        os.environ["AIRFLOW_CONN_KUBERNETES_DEFAULT"] = json.dumps({"conn_type": "kubernetes", "extra": extra})
        with dags.placed(rooted(file, bucket)):
            # The cluster and what runs in it wait, too: a sleep must last as long as it says.
            ended = dags.test(file.stem, conf, {}, prepare, time.sleep)
        claims = bucket.with_suffix(".claims")
        if (cluster.root / "claims").exists():
            shutil.copytree(cluster.root / "claims", claims)
        return Ran(ended, cluster.pods, cluster.refused, bucket, claims)


def shown(value) -> str:
    """An artifact by its text, as `expected` has it."""
    try:
        return f"<{Path(value).read_text(encoding='utf-8').rstrip().replace(chr(10), '|')}>"
    except (OSError, UnicodeDecodeError):
        return "<…>"


def told(value, bucket: Path):
    """A value with the artifacts in it shown."""
    if isinstance(value, list):
        return [told(item, bucket) for item in value]
    if isinstance(value, str) and value.startswith(str(bucket)):
        return shown(value)
    return value
