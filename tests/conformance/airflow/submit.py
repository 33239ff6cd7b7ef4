"""`mlp submit` to a whole Airflow: the file placed, awaited until it has been read, and runs started of it and of nothing else."""

import os
import re
import subprocess
from pathlib import Path

from deployment import Deployment
from suite import expect

PROGRAM = """
step talk(word: string, times: int) -> string {
  run: command ["sh", "-c", "echo thinking; test $2 -lt 9 && echo GREETING $0 > $1", "{word}", "{output}", "{times}"]
}

pipeline talker(word: string, times: int in 1..=9 = 2) -> string {
  return talk(word, times)
}

target there: airflow { host: "HOST", dags: "DAGS", runner: "local", root: "ROOT" }
"""


class Project:
    """A project whose target is a deployment."""

    def __init__(self, airflow: Deployment, folder: Path) -> None:
        self.airflow, self.folder = airflow, folder
        folder.mkdir()
        (folder / "mlp.toml").write_text('name = "talker"\nversion = "0.1.0"\n')
        self.greet("hello")

    def greet(self, greeting: str) -> None:
        """Another text of the step."""
        settings = {
            "HOST": f"http://127.0.0.1:{self.airflow.port}",
            "DAGS": str(self.airflow.dags),
            "ROOT": str(self.folder / "root"),
            "GREETING": greeting,
        }
        (self.folder / "main.mlp").write_text(re.sub("[A-Z]{4,}", lambda found: settings[found[0]], PROGRAM))

    def submit(self, *arguments: str, token: str | None = None) -> subprocess.CompletedProcess:
        environment = {"PATH": os.environ["PATH"], "NO_COLOR": "1", "MLP_AIRFLOW_TOKEN": token or self.airflow.token}
        return subprocess.run(
            [os.environ["MLP"], "submit", "--target", "there", *arguments],
            cwd=self.folder,
            env=environment,
            capture_output=True,
            text=True,
            timeout=240,
            check=False,
        )

    def ended(self, code: int, *arguments: str, **others: str) -> str:
        """What `mlp submit` says that must end so."""
        ended = self.submit(*arguments, **others)
        expect(ended.returncode == code, f"{arguments} ended with {ended.returncode}:\n{ended.stdout}{ended.stderr}")
        said = ended.stdout + ended.stderr
        expect(self.airflow.token not in said, "the token is shown")
        # Without the breaks of lines.
        return re.sub(r"\s+(│ )?", " ", said)

    def runs(self) -> list:
        return self.airflow.call("GET", "/dags/talker/dagRuns?order_by=run_after")[1].get("dag_runs", [])

    def value(self, run: str) -> str:
        place = f"/dags/talker/dagRuns/{run}/taskInstances/pipeline-outputs/xcomEntries/return_value"
        return self.airflow.call("GET", place)[1]["value"]["output"]


def submitted(airflow: Deployment, folder: Path) -> None:
    project = Project(airflow, folder)
    refused(project)
    said = project.ended(0, "-p", "word={{ run_id }} $HOME", "-p", "times=3", "--name", "by hand", "--wait")
    for words in ("wrote ", "waiting until", "unpaused talker", "started manual__", "succeeded output", "The run succeeded."):
        expect(words in said, f"`{words}` is not said:\n{said}")
    first = project.runs()[-1]
    expect(first["conf"] == {"word": "{{ run_id }} $HOME", "times": 3}, f"the parameters are {first['conf']}")
    expect(first["note"] == "by hand", f"the note is {first['note']}")
    value = project.value(first["dag_run_id"])
    expect(value == "hello {{ run_id }} $HOME", f"the run gave {value!r}")
    # What failed is named, with what it said last.
    said = project.ended(3, "-p", "word=x", "-p", "times=9", "--wait")
    expect("unchanged " in said and "thinking" in said and "ended with exit code 1" in said, said)
    again(project, first["dag_run_id"])


def refused(project: Project) -> None:
    """Nothing is placed and nothing started of what is wrong."""
    for arguments in ([], ["-p", "word=x", "-p", "times=10"], ["-p", "word=x", "-p", "time=1"]):
        project.ended(2, *arguments)
    said = project.ended(5, "-p", "word=x", token="nobody")
    expect("MLP_AIRFLOW_TOKEN" in said, said)
    expect(not (project.airflow.dags / "talker.py").exists(), "a file was placed")


def again(project: Project, first: str) -> None:
    """A changed file right after the last one, while Airflow still serves what it had; and a DAG that somebody has paused."""
    project.greet("good morning")
    said = project.ended(0, "-p", "word=y", "--wait")
    last = project.runs()[-1]["dag_run_id"]
    expect("waiting until" in said and last.split("-")[-1] != first.split("-")[-1], f"{last} is of the old version:\n{said}")
    expect(project.value(last) == "good morning y", f"the old file ran: {project.value(last)!r}")
    project.airflow.call("PATCH", "/dags/talker", {"is_paused": True})
    before = len(project.runs())
    said = project.ended(2, "-p", "word=z")
    expect("--unpause" in said and len(project.runs()) == before, said)
    project.ended(0, "-p", "word=z", "--unpause", "--wait")
