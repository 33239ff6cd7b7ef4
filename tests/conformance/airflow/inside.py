"""Airflow inside of this process: a DAG file imported and run to its end by `dag.test()`.

Each process has a home of its own with a database of its own, a copy of one that is made once; so cases do not wait for
each other. Nothing of Airflow is imported before the home is there, for that is when Airflow reads its settings.
"""

import importlib.util
import os
import shutil
import signal
import subprocess
import sys
import tempfile
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path

from suite import expect

HOMES = []


def settings(home: Path) -> dict:
    return {
        "AIRFLOW_HOME": str(home),
        "AIRFLOW__CORE__DAGS_FOLDER": str(home / "dags"),
        "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
        "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN": f"sqlite:///{home}/airflow.db",
        "AIRFLOW__USAGE_DATA_COLLECTION__ENABLED": "False",
    }


def prepare(root: Path) -> None:
    """Makes the database that every process copies."""
    template = root / "template"
    template.mkdir()
    migrated = subprocess.run(
        [sys.executable, "-m", "airflow", "db", "migrate"],
        env={**os.environ, **settings(template)},
        capture_output=True,
        text=True,
        check=False,
    )
    expect(migrated.returncode == 0, f"no database:\n{migrated.stdout}{migrated.stderr}")


def home(root: Path) -> Path:
    """The home of this process, made at its first use."""
    if not HOMES:
        own = Path(tempfile.mkdtemp(prefix="home-", dir=root))
        (own / "dags").mkdir()
        shutil.copy(root / "template" / "airflow.db", own)
        os.environ.update(settings(own))
        HOMES.append(own)
    return HOMES[0]


@dataclass
class Ended:
    """A run that is over."""

    state: str
    tasks: dict = field(default_factory=dict)
    """State and number of the last attempt, by task and place in its mapped group (-1 outside)."""
    returned: dict | None = None
    """What the pipeline gave."""
    log: str = ""

    def states(self) -> dict:
        return {f"{task}[{place}]" if place >= 0 else task: state for (task, place), (state, _) in self.tasks.items()}


@contextmanager
def captured(path: Path):
    """What this process prints goes to a file, whoever prints it."""
    sys.stdout.flush()
    sys.stderr.flush()
    kept = os.dup(1), os.dup(2)
    with path.open("wb") as file:
        os.dup2(file.fileno(), 1)
        os.dup2(file.fileno(), 2)
    try:
        yield
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        for number, copy in enumerate(kept, 1):
            os.dup2(copy, number)
            os.close(copy)


@contextmanager
def unhandled():
    """Airflow's task runner answers SIGTERM by ending its task, and would go on doing so for the whole process."""
    before = signal.getsignal(signal.SIGTERM)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


def loaded(file: Path, root: Path):
    """The module of a DAG file, which is placed where Airflow looks for DAGs."""
    folder = home(root) / "dags"
    for old in folder.glob("*.py"):
        old.unlink()
    placed = folder / file.name
    shutil.copy(file, placed)
    specification = importlib.util.spec_from_file_location(f"dag_{file.stem}", placed)
    module = importlib.util.module_from_spec(specification)
    specification.loader.exec_module(module)
    return module


def run(
    file: Path, root: Path, conf: dict, prepare_task=lambda task: None, prepare_module=lambda module: None
) -> Ended:
    """Runs the DAG of a file with the given parameters. Nothing waits between attempts."""
    log = home(root) / "log"
    with captured(log), unhandled():
        module = loaded(file, root)
        prepare_module(module)
        for task in module.dag.tasks:
            task.retry_delay = timedelta(0)
            prepare_task(task)
        ended = module.dag.test(run_conf=conf)
        facts = observed(ended)
    return Ended(*facts, log.read_text(errors="replace"))


def observed(ended) -> tuple:
    """What there is to compare of a run."""
    from airflow.models.xcom import XComModel
    from airflow.utils.session import create_session

    tasks = {(one.task_id, one.map_index): (str(one.state), one.try_number) for one in ended.get_task_instances()}
    with create_session() as session:
        query = XComModel.get_many(
            run_id=ended.run_id, dag_ids=ended.dag_id, task_ids="pipeline-outputs", key="return_value"
        )
        found = session.scalars(query).first()
        value = XComModel.deserialize_value(found) if found else None
    return str(ended.state), tasks, value
