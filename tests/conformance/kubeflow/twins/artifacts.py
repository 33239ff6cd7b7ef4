"""Files between containers, by path and by address."""

from typing import NamedTuple

from kfp import dsl

IMAGE = "example.com/tools@sha256:5555555555555555555555555555555555555555555555555555555555555555"


@dsl.container_component
def letter(name: str, paper: dsl.Output[dsl.Artifact]):
    return dsl.ContainerSpec(image=IMAGE, command=["letter"], args=["--name", name, "--to", paper.path])


@dsl.container_component
def copy(paper: dsl.Input[dsl.Artifact], page: dsl.Output[dsl.HTML], book: dsl.Output[dsl.Markdown]):
    return dsl.ContainerSpec(
        image=IMAGE, command=["copy", paper.path, paper.uri, f"--page={page.path}", "--book", book.path, book.uri]
    )


@dsl.pipeline(name="artifacts")
def pipeline(name: str) -> NamedTuple("Outputs", [("page", dsl.HTML), ("paper", dsl.Artifact)]):
    written = letter(name=name)
    copied = copy(paper=written.outputs["paper"])
    outputs = NamedTuple("Outputs", [("page", dsl.HTML), ("paper", dsl.Artifact)])
    return outputs(copied.outputs["page"], written.outputs["paper"])
