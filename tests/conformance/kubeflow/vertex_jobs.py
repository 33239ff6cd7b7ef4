"""The request bodies that `mlp build` writes for Vertex AI are those that the real google-cloud-aiplatform would send.

The SDK is given our pipeline, and from our body what a user would give it as arguments; what it would send must then be our
body again. Both bodies are parsed by the real protobufs, which refuse what they do not know.
"""

import json
import tempfile
from pathlib import Path

from google.cloud import aiplatform
from google.cloud.aiplatform.utils import gcs_utils
from google.cloud.aiplatform_v1.types import PipelineJob, Schedule
from google.protobuf import json_format

import vertex
from run import quiet
from suite import expect, main, mlp

FOLDER = Path(__file__).resolve().parent / "vertex_jobs"
POLICIES = {"PIPELINE_FAILURE_POLICY_FAIL_FAST": "fast", "PIPELINE_FAILURE_POLICY_FAIL_SLOW": "slow"}


class Recorder:
    """Stands for the service: keeps what it is sent."""

    def __init__(self):
        self.sent = None

    def create_pipeline_job(self, parent, pipeline_job, pipeline_job_id, timeout=None):
        self.sent = plain(pipeline_job)
        pipeline_job.name = f"{parent}/pipelineJobs/{pipeline_job_id}"
        return pipeline_job

    def create_schedule(self, parent, schedule, timeout=None):
        self.sent = plain(schedule)
        schedule.name = f"{parent}/schedules/1"
        return schedule


def plain(message) -> dict:
    return json.loads(json_format.MessageToJson(message._pb))


def parsed(body: dict, message) -> dict:
    """A body as the real protobuf reads it; raises on a field that it has not."""
    return plain(message.__class__.wrap(json_format.ParseDict(body, message._pb)))


def sdk_job(path: Path, ours: dict) -> aiplatform.PipelineJob:
    """The SDK's job of our pipeline, with our settings as its arguments."""
    runtime = ours["runtimeConfig"]
    return vertex.job(
        path,
        display_name=ours["displayName"],
        pipeline_root=runtime["gcsOutputDirectory"],
        parameter_values=runtime.get("parameterValues"),
        labels=ours.get("labels"),
        encryption_spec_key_name=ours.get("encryptionSpec", {}).get("kmsKeyName"),
        failure_policy=POLICIES.get(runtime.get("failurePolicy")),
    )


def submitted(path: Path, ours: dict) -> dict:
    """What the SDK would send to start a run."""
    made = sdk_job(path, ours)
    recorder = Recorder()
    made.api_client = recorder
    made.submit(service_account=ours.get("serviceAccount"), network=ours.get("network"))
    return recorder.sent


def scheduled(path: Path, ours: dict) -> dict:
    """What the SDK would send to make a schedule."""
    inner = ours["createPipelineJobRequest"]["pipelineJob"]
    schedule = aiplatform.PipelineJobSchedule(
        pipeline_job=sdk_job(path, inner), display_name=ours["displayName"]
    )
    recorder = Recorder()
    schedule.api_client = recorder
    schedule.create(
        cron=ours["cron"],
        max_concurrent_run_count=int(ours["maxConcurrentRunCount"]),
        service_account=inner.get("serviceAccount"),
        network=inner.get("network"),
    )
    return recorder.sent


def same(ours: dict, theirs: dict) -> None:
    """Fails where two bodies differ, with the fields."""
    found = differences("", ours, theirs)
    expect(not found, "\n".join(found))


def differences(place: str, ours, theirs) -> list:
    """The fields that differ, with what stands in them."""
    if isinstance(ours, dict) and isinstance(theirs, dict):
        names = sorted({*ours, *theirs})
        return [found for name in names for found in differences(f"{place}/{name}", ours.get(name), theirs.get(name))]
    return [] if ours == theirs else [f"{place}: {ours!r} instead of {theirs!r}"[:1000]]


def check(program: Path) -> None:
    gcs_utils.create_gcs_bucket_for_pipeline_artifacts_if_it_does_not_exist = lambda **_: None
    with tempfile.TemporaryDirectory() as name:
        target = Path(name)
        built = mlp("build", str(program), "--target", "prod", "-o", str(target))
        expect(built.returncode == 0, f"it does not build:\n{built.stdout}{built.stderr}")
        path = target / "count.yaml"
        ours = json.loads((target / "count.job.json").read_text(encoding="utf-8"))
        with quiet():
            sent = submitted(path, ours)
        same(parsed(ours, PipelineJob()), sent)
        schedules = sorted(target.glob("*.schedule.json"))
        expect(bool(schedules), "no schedule is written")
        for file in schedules:
            ours = json.loads(file.read_text(encoding="utf-8"))
            with quiet():
                sent = scheduled(path, ours)
            # The SDK leaves runs of a schedule without a name for people; ours have one.
            ours["createPipelineJobRequest"]["pipelineJob"].pop("displayName")
            same(parsed(ours, Schedule()), sent)


if __name__ == "__main__":
    main(check, {path.stem: path for path in sorted(FOLDER.glob("*.mlp"))})
