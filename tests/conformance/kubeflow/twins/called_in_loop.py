"""A pipeline that is called in a loop in a branch, with files."""

from typing import NamedTuple

from kfp import dsl

IMAGE = "example.com/tools@sha256:5555555555555555555555555555555555555555555555555555555555555555"


@dsl.container_component
def letter(name: str, paper: dsl.Output[dsl.Artifact]):
    return dsl.ContainerSpec(image=IMAGE, command=["letter"], args=["--name", name, "--to", paper.path])


@dsl.container_component
def read(paper: dsl.Input[dsl.Artifact], output: dsl.OutputPath(str)):
    return dsl.ContainerSpec(image=IMAGE, command=["read", paper.path, output])


@dsl.pipeline(name="inner")
def inner(paper: dsl.Input[dsl.Artifact], name: str) -> NamedTuple("Outputs", [("paper", dsl.Artifact)]):
    text = read(paper=paper)
    written = letter(name=f"{name}: {text.outputs['output']}")
    outputs = NamedTuple("Outputs", [("paper", dsl.Artifact)])
    return outputs(written.outputs["paper"])


@dsl.pipeline(name="called-in-loop")
def pipeline(names: list, kind: str):
    first = letter(name="first")
    with dsl.If(kind == "all"):
        with dsl.ParallelFor(names) as name:
            inner(paper=first.outputs["paper"], name=name)
