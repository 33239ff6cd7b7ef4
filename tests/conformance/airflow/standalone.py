"""One pipeline under a whole Airflow: started by a time, by data and by a person; its values read back over REST.

Another one runs in a pod, and is marked as failed while it runs: the pod is deleted, and what runs in it is told to
end.
A third one asks a person, and a fourth is brought there by `mlp submit`.
"""

import json
import os
import re
import tempfile
from pathlib import Path

from cluster import Cluster, Image, Settings
from deployment import Deployment, until
from pods_support import PROJECTS, built
from submit import submitted
from suite import expect, main

PROJECT = PROJECTS / "scheduled"
# A cron that fires each minute, and time for the run; nobody waits that long unless something is wrong.
MINUTES = 240
DONE = ("success", "failed")


class Pipeline:
    """A DAG of a deployment, over the REST API."""

    def __init__(self, airflow: Deployment, name: str) -> None:
        self.airflow, self.name = airflow, name
        until(f"{name} is read", MINUTES, lambda: self.get("")[0] == 200)
        _, errors = airflow.call("GET", "/importErrors")
        expect(errors["total_entries"] == 0, f"a file cannot be imported: {errors}")

    def get(self, path: str) -> tuple:
        return self.airflow.call("GET", f"/dags/{self.name}{path}")

    def start(self, conf: dict) -> tuple:
        return self.airflow.call("POST", f"/dags/{self.name}/dagRuns", {"logical_date": None, "conf": conf})

    def started(self, conf: dict) -> str:
        code, run = self.start(conf)
        expect(code == 200, f"a run with {conf} is not started: {code} {run}")
        return run["dag_run_id"]

    def unpause(self) -> None:
        code, answer = self.airflow.call("PATCH", f"/dags/{self.name}", {"is_paused": False})
        expect(code == 200, f"it cannot be unpaused: {code} {answer}")

    def ended(self, run: str) -> str:
        """How a run ended."""
        return until(
            f"the run {run} ends", MINUTES, lambda: (state := self.get(f"/dagRuns/{run}")[1]["state"]) in DONE and state
        )

    def first(self, kind: str) -> str:
        """The first run that was started in a certain way."""

        def look() -> str | None:
            runs = self.get("/dagRuns?order_by=run_after")[1]["dag_runs"]
            return next((run["dag_run_id"] for run in runs if run["run_type"] == kind), None)

        return until(f"there is a run of the type {kind}", MINUTES, look)

    def value(self, run: str) -> dict:
        """What the pipeline gave."""
        place = f"/dagRuns/{run}/taskInstances/pipeline-outputs/xcomEntries/return_value"
        code, answer = self.get(place)
        expect(code == 200, f"the values of {run} cannot be read: {code} {answer}")
        return answer["value"]

    def states(self, run: str) -> dict:
        tasks = self.get(f"/dagRuns/{run}/taskInstances")[1]["task_instances"]
        return {task["task_id"]: task["state"] for task in tasks}


def holds(pipeline: Pipeline, run: str, letters: int, text: str) -> None:
    """A run ended well and gave these values."""
    state = pipeline.ended(run)
    expect(state == "success", f"{run} ended as {state}: {pipeline.states(run)}")
    value = pipeline.value(run)
    page = Path(re.sub("^file://", "", value.pop("page")))
    expect(value == {"letters": letters, "many": letters > 20}, f"{run} gave {value}")
    expect(page.read_text() == f"{text}\n", f"the page of {run} holds {page.read_text()!r}")
    expect(set(pipeline.states(run).values()) == {"success", "skipped"}, f"{run}: {pipeline.states(run)}")


def by_people(pipeline: Pipeline) -> None:
    """Typed parameters arrive; what is outside of its refinement is refused before a run is there."""
    for conf in (
        {"times": 0},
        {"times": 10},
        {"times": "3"},
        {"times": 2.5},
        {"word": ""},
        {"word": 4},
        {"word": "x" * 21},
    ):
        code, answer = pipeline.start(conf)
        expect(code == 400, f"{conf} is not refused: {code} {answer}")
    run = pipeline.started({"word": "{{ run_id }} $HOME", "times": 2})
    holds(pipeline, run, 2 * len("{{ run_id }} $HOME"), "many")


def by_data(pipeline: Pipeline) -> None:
    """News of the data that the trigger names."""
    _, known = pipeline.airflow.call("GET", "/assets")
    asset = next((one for one in known["assets"] if one["uri"] == "s3://loans/new"), None)
    expect(asset is not None, f"the data is not among {[one['uri'] for one in known['assets']]}")
    code, answer = pipeline.airflow.call("POST", "/assets/events", {"asset_id": asset["id"], "extra": {}})
    expect(code == 200, f"the news is not taken: {code} {answer}")
    holds(pipeline, pipeline.first("asset_triggered"), 12, "few")


def asked(airflow: Deployment) -> None:
    """A person is asked: after a yes the rest runs, after a no the run fails and nothing follows."""
    pipeline = Pipeline(airflow, "asked")
    pipeline.unpause()
    for answer, state in (("Approve", "success"), ("Reject", "failed")):
        run = pipeline.started({})
        place = f"/dagRuns/{run}/taskInstances/model-ask/-1/hitlDetails"
        until("a person is asked", MINUTES, lambda place=place: pipeline.get(place)[0] == 200)
        _, question = pipeline.get(place)
        expect(question["subject"] == "May {{ run_id }} go on?", f"the question is {question}")
        expect("risk-team" in question["body"], f"the question is {question}")
        expect(pipeline.states(run)["model"] is None, "the model went on before anybody said yes")
        code, told = airflow.call("PATCH", f"/dags/asked{place}", {"chosen_options": [answer]})
        expect(code == 200, f"the answer is not taken: {code} {told}")
        ended = pipeline.ended(run)
        expect(ended == state, f"after {answer} it ended as {ended}: {pipeline.states(run)}")
        after = "success" if answer == "Approve" else "upstream_failed"
        expect(pipeline.states(run)["page"] == after, f"after {answer}: {pipeline.states(run)}")


def marked_failed(airflow: Deployment, cluster: Cluster) -> None:
    """Somebody ends a task whose pod runs."""
    pipeline = Pipeline(airflow, "waiting")
    pipeline.unpause()
    run = pipeline.started({})
    pod = until("the pod runs", MINUTES, lambda: next((one for one in cluster.pods if "begun" in one.log()), None))
    task = pod.labels()["task_id"]
    place = f"/dags/waiting/dagRuns/{run}/taskInstances/{task}"
    code, answer = airflow.call("PATCH", place, {"new_state": "failed"})
    expect(code == 200, f"the task is not marked: {code} {answer}")
    until("the pod has ended", MINUTES, pod.ended.is_set)
    expect(pod.grace == 30, f"the pod was not deleted with its grace period, but with {pod.grace}")
    expect(pod.containers["base"].signals == ["SIGTERM"], f"its signals were {pod.containers['base'].signals}")
    expect(pod.labels().get("already_checked") == "True", "a retry would take a pod that is being deleted")
    expect("told to end" in pod.log(), f"the step was not told to end:\n{pod.log()}")
    expect(pipeline.ended(run) == "failed", "the run is green, though its task was marked as failed")
    expect(len(cluster.pods) == 1, "another pod was started")


def check(_) -> None:
    with tempfile.TemporaryDirectory(prefix="standalone-") as folder:
        bucket = Path(folder) / "bucket"
        bucket.mkdir()
        settings = Settings(
            images={"alpine:*": Image(user=0), "*": Image(PROJECT)},
            files={"/usr/local/bin/mlp": os.environ["MLP"]},
            shared=(str(bucket),),
        )
        with Cluster(settings) as cluster:
            extra = {"kube_config_path": str(cluster.kubeconfig)}
            connection = json.dumps({"conn_type": "kubernetes", "extra": extra})
            with Deployment({"MLP_PROJECT": str(PROJECT), "AIRFLOW_CONN_KUBERNETES_DEFAULT": connection}) as airflow:
                place(airflow, Path(folder), bucket)
                pipeline = Pipeline(airflow, "score")
                pipeline.unpause()
                by_people(pipeline)
                by_data(pipeline)
                holds(pipeline, pipeline.first("scheduled"), 12, "few")
                asked(airflow)
                marked_failed(airflow, cluster)
                submitted(airflow, Path(folder) / "submitted")


def place(airflow: Deployment, folder: Path, bucket: Path) -> None:
    """The two files, as somebody would put them where Airflow looks."""
    processes = built(PROJECT, "processes", folder / "processes")
    pods = built(PROJECT, "pods", folder / "pods")
    waiting = (pods / "waiting.py").read_text(encoding="utf-8")
    root = 'ROOT = "s3://mlp/pods"'
    expect(waiting.count(root) == 1, "the file does not say where artifacts go")
    (airflow.dags / "waiting.py").write_text(waiting.replace(root, f"ROOT = {str(bucket)!r}"), encoding="utf-8")
    for name in ("score.py", "asked.py"):
        (airflow.dags / name).write_text((processes / name).read_text(encoding="utf-8"), encoding="utf-8")


if __name__ == "__main__":
    main(check, {"scheduled": None})
