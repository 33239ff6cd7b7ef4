"""The file of whichever arm ran goes on."""

from typing import NamedTuple

from kfp import dsl

IMAGE = "example.com/tools@sha256:5555555555555555555555555555555555555555555555555555555555555555"


@dsl.container_component
def letter(name: str, paper: dsl.Output[dsl.Artifact]):
    return dsl.ContainerSpec(image=IMAGE, command=["letter"], args=["--name", name, "--to", paper.path])


@dsl.container_component
def read(paper: dsl.Input[dsl.Artifact], output: dsl.OutputPath(str)):
    return dsl.ContainerSpec(image=IMAGE, command=["read", paper.path, output])


@dsl.pipeline(name="branch-artifact")
def pipeline(kind: str) -> NamedTuple("Outputs", [("paper", dsl.Artifact), ("text", str)]):
    with dsl.If(kind == "short"):
        short = letter(name="S")
    with dsl.Else():
        long = letter(name="L")
    chosen = dsl.OneOf(short.outputs["paper"], long.outputs["paper"])
    text = read(paper=chosen)
    outputs = NamedTuple("Outputs", [("paper", dsl.Artifact), ("text", str)])
    return outputs(chosen, text.outputs["output"])
