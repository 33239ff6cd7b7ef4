"""What goes wrong with pods, and what then: the run is red, `finally` ran, retries are new pods, what runs is ended."""

import tempfile
from datetime import timedelta
from pathlib import Path

from pods_support import PROJECTS, ROOT, Ran, built, execute

PROJECT = PROJECTS / "trouble"
VAULT = {"vault": {"token": "hush"}}


def run(pipeline: str, change=lambda task: None, conf: dict | None = None, **settings) -> Ran:
    with tempfile.TemporaryDirectory(dir=ROOT) as folder:
        dags = built(PROJECT, "pods", Path(folder))
        return execute(dags / f"{pipeline}.py", PROJECT, conf or {}, change, **settings)


def failing() -> None:
    ran = run("failing")
    states = ran.ended.states()
    ran.expect(ran.ended.state == "failed", "a failed step makes the run red")
    ran.expect(states["first"] == "success" and states["second"] == "failed", "the step fails, the one before did not")
    ran.expect(states["third"] == "upstream_failed" and not ran.of("third"), "what depends on it is not started")
    ran.expect(states["say"] == "success", "`finally` ran")
    ran.expect(ran.only("second").codes() == {"mlp": 0, "base": 1}, "the launcher tells of the failure with code 1")
    ran.expect("it broke after one" in ran.ended.log, "what the step printed is in the task's log")
    ran.expect(ran.manifest("second") is None, "a step that failed leaves no manifest")
    ran.expect('"it failed"' in ran.manifest("say").read_text(), "`finally` knows the outcome")


def unschedulable() -> None:
    ran = run("unschedulable")
    pod = ran.only("output")
    ran.expect(ran.ended.state == "failed", "a pod that no node takes makes the run red")
    ran.expect("took too long to be scheduled" in ran.ended.log, "the log says that there was no place")
    ran.expect("node affinity/selector" in ran.ended.log, "the log says why, as the cluster tells it")
    ran.expect(pod.phase == "Pending" and pod.grace is not None, "the pod is not left behind")


def retried() -> None:
    ran = run("retried")
    pods = ran.of("output")
    returned = ran.ended.returned("pipeline-outputs")
    ran.expect(ran.ended.state == "success" and returned == {"output": "at 2"}, "the second attempt succeeds")
    ran.expect([pod.codes()["base"] for pod in pods] == [1, 0], "each attempt is a pod of its own")
    ran.expect([pod.labels()["try_number"] for pod in pods] == ["1", "2"], "and says which it is")
    ran.expect([one.tries for one in ran.ended.instances if one.task == "output"] == [2], "the third is not made")


def refused() -> None:
    def patient(task) -> None:
        task.retries = 2

    ran = run("refused", patient, {"source": "few.csv"})
    ran.expect(ran.ended.state == "failed", "data that does not pass makes the run red")
    ran.expect(ran.only("checked").codes()["base"] == 65, "there is no second attempt, though two more were allowed")
    ran.expect("rows" in ran.only("checked").log(), "the log says what did not hold")
    ran.expect(not ran.of("output"), "what needs the data is not started")


def killed() -> None:
    def brief(task) -> None:
        if task.task_id == "output":
            task.execution_timeout = timedelta(seconds=6)

    ran = run("killed", brief)
    pods = ran.of("output")
    ran.expect(ran.ended.state == "failed", "a step whose time is up makes the run red")
    ran.expect(len(pods) == 2, "the retry is a new pod, not the one that is being deleted")
    for pod in pods:
        ran.expect("begun" in pod.log() and "told to end" in pod.log(), "the step itself is told to end")
        ran.expect(pod.containers["base"].signals == ["SIGTERM"], "it has ended within its grace period")
        ran.expect(pod.grace == 30, "the grace period is that of the pod")
    ran.expect(ran.manifest("output") is None, "a step that was ended leaves no manifest")


def overdue() -> None:
    ran = run("overdue")
    pod = ran.only("output")
    ran.expect(ran.ended.state == "failed" and pod.codes()["base"] == 1, "the launcher ends the step")
    ran.expect("1s" in pod.log(), "and says that its time was up")
    ran.expect(
        pod.created["spec"]["activeDeadlineSeconds"] > 1, "the pod has a later deadline, should the launcher hang"
    )


def unpulled() -> None:
    ran = run("unpulled")
    ran.expect(ran.ended.state == "failed", "an image that is missing makes the run red")
    ran.expect("ErrImagePull" in ran.ended.log and "missing/image:1" in ran.ended.log, "the log says which image")
    ran.expect(ran.only("output").grace is not None, "the pod is not left behind")


def secretless() -> None:
    ran = run("secretless")
    ran.expect(ran.ended.state == "failed" and 'secret "vault" not found' in ran.ended.log, "a missing secret is named")
    ran = run("secretless", secrets=VAULT)
    ran.expect(ran.ended.state == "success", "with the secret it runs")


CASES = {
    f"trouble: {case.__name__}": case
    for case in (failing, unschedulable, retried, refused, killed, overdue, unpulled, secretless)
}
