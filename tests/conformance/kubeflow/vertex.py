"""What the real google-cloud-aiplatform would send to Vertex AI, made without a network."""

import json
import tempfile
import warnings
from pathlib import Path

from google.auth.credentials import AnonymousCredentials
from google.cloud import aiplatform
from google.protobuf import json_format

PROJECT = "test-project"
REGION = "europe-west4"
ROOT = "gs://bucket/root"


def job(path: Path, **settings) -> aiplatform.PipelineJob:
    """The job that the SDK makes of a file; raises where it refuses it."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        aiplatform.init(
            project=PROJECT, location=REGION, staging_bucket="gs://bucket", credentials=AnonymousCredentials()
        )
        settings = {"display_name": "test", "pipeline_root": ROOT, **settings}
        return aiplatform.PipelineJob(template_path=str(path), **settings)


def body(made: aiplatform.PipelineJob) -> dict:
    """The resource as it would be sent."""
    return json.loads(json_format.MessageToJson(made.gca_resource._pb))


def accepts(specification: dict) -> None:
    """Raises where the SDK refuses a specification."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "pipeline.json"
        path.write_text(json.dumps(specification))
        job(path)
