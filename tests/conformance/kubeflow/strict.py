"""Parses a specification as strictly as the real protobufs allow.

The outer parse never looks inside `Struct` fields, so what stands in them is parsed a second time into its own message:
the deployment, and each executor's Kubernetes settings.
"""

from dataclasses import dataclass
from pathlib import Path

import yaml
from google.protobuf import json_format
from kfp.kubernetes import kubernetes_executor_config_pb2
from kfp.pipeline_spec import pipeline_spec_pb2

Loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


@dataclass
class Specification:
    """A parsed file: the pipeline, what its executors run, and their Kubernetes settings by executor label."""

    pipeline: pipeline_spec_pb2.PipelineSpec
    deployment: pipeline_spec_pb2.PipelineDeploymentConfig
    platform: pipeline_spec_pb2.PlatformSpec
    kubernetes: dict

    def component_of(self, task):
        return self.pipeline.components[task.component_ref.name]


def documents(path: Path) -> list:
    """The documents of a file as plain data, as YAML 1.1 reads them."""
    return [document for document in yaml.load_all(path.read_text(encoding="utf-8"), Loader) if document is not None]


def parse(path: Path) -> Specification:
    """Raises on a field that the protobufs have not, a wrong type, a third document, settings of nobody."""
    first, *others = documents(path)
    pipeline = json_format.ParseDict(first, pipeline_spec_pb2.PipelineSpec())
    deployment = json_format.ParseDict(
        json_format.MessageToDict(pipeline.deployment_spec), pipeline_spec_pb2.PipelineDeploymentConfig()
    )
    if len(others) > 1:
        raise ValueError(f"{len(others) + 1} documents")
    platform = pipeline_spec_pb2.PlatformSpec()
    kubernetes = {}
    if others:
        json_format.ParseDict(others[0], platform)
        if set(platform.platforms) != {"kubernetes"}:
            raise ValueError(f"platforms {sorted(platform.platforms)}")
        for label, settings in platform.platforms["kubernetes"].deployment_spec.executors.items():
            if label not in deployment.executors:
                raise ValueError(f"settings of an executor {label!r} that is not there")
            kubernetes[label] = json_format.ParseDict(
                json_format.MessageToDict(settings), kubernetes_executor_config_pb2.KubernetesExecutorConfig()
            )
    return Specification(pipeline, deployment, platform, kubernetes)
