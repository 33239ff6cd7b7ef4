"""Files of every kind that a platform knows, and one of its own."""

from typing import NamedTuple

from kfp import dsl

IMAGE = "example.com/tools@sha256:5555555555555555555555555555555555555555555555555555555555555555"


class Endpoint(dsl.Artifact):
    schema_title = "google.VertexEndpoint"
    schema_version = "0.0.1"


@dsl.container_component
def make(
    page: dsl.Output[dsl.HTML], text: dsl.Output[dsl.Markdown], raw: dsl.Output[dsl.Artifact], at: dsl.Output[Endpoint]
):
    return dsl.ContainerSpec(image=IMAGE, command=["make", page.path, text.path, raw.path, at.path])


@dsl.container_component
def use(page: dsl.Input[dsl.HTML], at: dsl.Input[Endpoint]):
    return dsl.ContainerSpec(image=IMAGE, command=["use", page.path, at.uri])


@dsl.pipeline(name="kinds")
def pipeline() -> NamedTuple("Outputs", [("at", Endpoint), ("text", dsl.Markdown)]):
    made = make()
    use(page=made.outputs["page"], at=made.outputs["at"])
    outputs = NamedTuple("Outputs", [("at", Endpoint), ("text", dsl.Markdown)])
    return outputs(made.outputs["at"], made.outputs["text"])
