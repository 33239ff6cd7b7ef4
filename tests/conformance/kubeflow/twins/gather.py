"""What loops gave, as lists."""

from typing import NamedTuple

from kfp import dsl

IMAGE = "example.com/tools@sha256:5555555555555555555555555555555555555555555555555555555555555555"


@dsl.container_component
def measure(text: str, output: dsl.OutputPath(int)):
    return dsl.ContainerSpec(image=IMAGE, command=["measure", text, output])


@dsl.container_component
def letter(name: str, paper: dsl.Output[dsl.Artifact]):
    return dsl.ContainerSpec(image=IMAGE, command=["letter"], args=["--name", name, "--to", paper.path])


@dsl.pipeline(name="gather")
def pipeline(words: list) -> NamedTuple("Outputs", [("sizes", list), ("papers", list[dsl.Artifact])]):
    with dsl.ParallelFor(words) as word:
        size = measure(text=word)
        paper = letter(name=word)
    outputs = NamedTuple("Outputs", [("sizes", list), ("papers", list[dsl.Artifact])])
    return outputs(dsl.Collected(size.outputs["output"]), dsl.Collected(paper.outputs["paper"]))
