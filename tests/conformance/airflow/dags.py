"""DAG files in the real Airflow: imported, serialised, and run to the end by `dag.test()`.

Airflow reads its settings when it is imported, so every worker first makes a home of its own (`enter`), and whatever needs
Airflow imports it after that. The database is migrated once for an environment and copied from there.
"""

import contextlib
import datetime
import fcntl
import json
import os
import re
import select
import shutil
import signal
import subprocess
import sys
import tempfile
import warnings
from dataclasses import dataclass, field
from pathlib import Path
from unittest import mock

from suite import expect

HOMES = []
# A run of a test takes a few.
SECONDS = 120


def settings(home: Path) -> dict:
    """The variables that tell Airflow where it is at home."""
    return {
        "AIRFLOW_HOME": str(home),
        "AIRFLOW__CORE__DAGS_FOLDER": str(home / "dags"),
        "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
        "AIRFLOW__CORE__UNIT_TEST_MODE": "False",
        "AIRFLOW__CORE__DAGBAG_IMPORT_TIMEOUT": "120",
        "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN": f"sqlite:///{home}/airflow.db",
        "AIRFLOW__LOGGING__LOGGING_LEVEL": "INFO",
        "AIRFLOW__LOGGING__BASE_LOG_FOLDER": str(home / "logs"),
    }


def migrated() -> Path:
    """A database that no run has used yet, beside the packages; migrated at first use."""
    ready = Path(sys.prefix) / "airflow.db"
    with open(Path(sys.prefix) / "airflow.lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not ready.exists():
            with tempfile.TemporaryDirectory() as name:
                done = subprocess.run(
                    [sys.executable, "-m", "airflow", "db", "migrate"],
                    env={**os.environ, **settings(Path(name))},
                    capture_output=True,
                    text=True,
                    check=False,
                )
                if done.returncode != 0:
                    raise RuntimeError(f"the database is not migrated:\n{done.stdout}{done.stderr}")
                shutil.copy(Path(name) / "airflow.db", ready.with_suffix(".half"))
            ready.with_suffix(".half").rename(ready)
    return ready


def enter() -> None:
    """Gives this process an Airflow of its own, removed with the process."""
    home = tempfile.TemporaryDirectory(prefix="airflow-")
    HOMES.append(home)
    (Path(home.name) / "dags").mkdir()
    shutil.copy(migrated(), Path(home.name) / "airflow.db")
    os.environ.update(settings(Path(home.name)))


def folder() -> Path:
    """The folder that this process' Airflow reads DAG files from."""
    return Path(os.environ["AIRFLOW__CORE__DAGS_FOLDER"])


@contextlib.contextmanager
def placed(built: Path):
    """The files of a build where Airflow reads them, and nothing else."""
    shutil.rmtree(folder())
    shutil.copytree(built, folder())
    try:
        yield
    finally:
        shutil.rmtree(folder())
        folder().mkdir()


def load(name: str):
    """The DAG of a file that Airflow reads; there must be nothing to complain about."""
    from airflow.dag_processing.dagbag import DagBag

    path = folder() / f"{name}.py"
    with warnings.catch_warnings(record=True) as warned, logged():
        warnings.simplefilter("always")
        # Airflow's own files, closed whenever the collector comes by.
        warnings.simplefilter("ignore", ResourceWarning)
        compile(path.read_text(encoding="utf-8"), str(path), "exec")
        bag = DagBag(str(path), bundle_path=folder(), bundle_name="dags-folder", known_pools={"default_pool"})
    expect(not bag.import_errors, "\n".join(bag.import_errors.values()))
    expect(not bag.dag_warnings, "\n".join(str(warning.message) for warning in bag.dag_warnings))
    expect(not warned, "\n".join(f"{one.filename}:{one.lineno}: {one.message}" for one in warned))
    expect(list(bag.dags) == [name], f"DAGs {sorted(bag.dags)} instead of {name}")
    return bag.dags[name]


def serialized(name: str) -> str:
    """The DAG as Airflow keeps it; the same whenever it is read, and after a way there and back."""
    from airflow.serialization.serialized_objects import DagSerialization

    first, second = (DagSerialization.to_dict(load(name)) for _ in range(2))
    texts = [json.dumps(one, sort_keys=True) for one in (first, second)]
    expect(texts[0] == texts[1], f"it serialises differently when it is read again:\n{texts[0]}\n{texts[1]}")
    DagSerialization.from_dict(first)
    return texts[0]


def lint(built: Path) -> None:
    """What ruff says of the files, with its rules for Airflow."""
    done = subprocess.run(
        [sys.executable, "-m", "ruff", "check", "--isolated", "--no-cache", "--preview", "--select", "AIR,F,E9", built],
        capture_output=True,
        text=True,
        check=False,
    )
    expect(done.returncode == 0, f"{done.stdout}{done.stderr}")


@dataclass
class Instance:
    """How an instance of a task ended."""

    task: str
    index: int
    state: str
    tries: int
    returned: dict


@dataclass
class Run:
    """How a run ended: its state, its instances, and what was logged."""

    state: str
    identity: str = ""
    instances: list = field(default_factory=list)
    log: str = ""

    @property
    def succeeded(self) -> bool:
        return self.state == "success"

    def returned(self, task: str):
        """What a task outside of every loop returned."""
        return next((one.returned.get("return_value") for one in self.instances if one.task == task), None)

    def states(self) -> dict:
        """The state of each instance, those of a mapped group with their place in it."""
        return {f"{one.task}[{one.index}]" if one.index >= 0 else one.task: one.state for one in self.instances}

    def told(self) -> str:
        """For people: the instances, and the end of the log."""
        lines = [f"  {one.task}[{one.index}] {one.state} at {one.tries}" for one in self.instances]
        return "\n".join([self.state, *lines, self.log[-6000:]])


def said(log: str) -> str:
    """What the tasks say, without what Airflow says of itself."""
    lines = re.sub(r"\x1b\[[0-9;]*m", "", log).splitlines()
    noise = ("airflow.api_fastapi", "[DAG TEST]", "::group::", "::endgroup::", "loc=task_runner.py", "dagrun.py")
    return "\n".join(
        re.sub(r"^\S+Z \[(\w+) *\] (.*?) *\[airflow\.task\.operators\..*", r"\1 \2", line)
        for line in lines
        if not any(part in line for part in noise)
    )


@contextlib.contextmanager
def logged():
    """What Airflow and the tasks say, in a file instead of on the terminal."""
    kept = [os.dup(1), os.dup(2)]
    with tempfile.TemporaryFile() as file:
        sys.stdout.flush()
        sys.stderr.flush()
        os.dup2(file.fileno(), 1)
        os.dup2(file.fileno(), 2)
        try:
            yield file
        finally:
            sys.stdout.flush()
            sys.stderr.flush()
            for number, copy in zip((1, 2), kept, strict=True):
                os.dup2(copy, number)
                os.close(copy)


def impatient(dag) -> None:
    """`dag.test()` waits between attempts for as long as the DAG says; here it does not."""
    for task in dag.tasks:
        arguments = getattr(task, "partial_kwargs", None)
        if arguments is None:
            task.retry_delay = datetime.timedelta(0)
        else:
            arguments["retry_delay"] = datetime.timedelta(0)


@contextlib.contextmanager
def variables(**changed: str):
    """The environment that tasks start in."""
    before = dict(os.environ)
    os.environ.update(changed)
    try:
        yield
    finally:
        os.environ.clear()
        os.environ.update(before)


def doze(seconds: float) -> None:
    """`dag.test()` sleeps when nothing is ready at the moment, though nobody else will make it so."""
    select.select([], [], [], min(seconds, 0.01))


@contextlib.contextmanager
def within(seconds: int):
    """Interrupts what hangs."""

    def interrupt(number, frame):
        raise TimeoutError(f"it has not ended after {seconds} s")

    before = signal.signal(signal.SIGALRM, interrupt)
    signal.alarm(seconds)
    try:
        yield
    finally:
        signal.alarm(0)
        signal.signal(signal.SIGALRM, before)


def test(name: str, arguments: dict, environment: dict, change=lambda task: None, sleep=doze) -> Run:
    """Runs a DAG to the end, every task in this process, its steps in processes of their own; `change` is done to each
    task before."""
    dag = load(name)
    impatient(dag)
    for task in dag.tasks:
        change(task)
    with variables(**environment), logged() as file, mock.patch("time.sleep", sleep), within(SECONDS):
        problem = ""
        try:
            outcome = dag.test(run_conf=arguments)
        except Exception as error:  # what hangs, and what Airflow refuses before it runs
            outcome, problem = None, f"{type(error).__name__}: {error}"
        file.seek(0)
        log = said(file.read().decode("utf-8", "replace"))
    if outcome is None:
        return Run("refused", log=f"{log[-3000:]}\n{problem}")
    return Run(str(outcome.state.value), outcome.run_id, instances(outcome), log)


def instances(run) -> list:
    """The instances of a run with what they returned."""
    from airflow.models.xcom import XComModel
    from airflow.utils.session import create_session

    with create_session() as session:
        returned = {}
        for kept in session.query(XComModel).filter(XComModel.dag_id == run.dag_id, XComModel.run_id == run.run_id):
            returned.setdefault((kept.task_id, kept.map_index), {})[kept.key] = kept.value
        found = [
            Instance(one.task_id, one.map_index, str(one.state), one.try_number, {})
            for one in run.get_task_instances(session=session)
        ]
    for one in found:
        one.returned = returned.get((one.task, one.index), {})
    return sorted(found, key=lambda one: (one.task, one.index))
