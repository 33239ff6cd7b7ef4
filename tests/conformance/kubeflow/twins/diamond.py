"""One gives to many, many give to one."""

from typing import NamedTuple

from kfp import dsl

IMAGE = "example.com/tools@sha256:5555555555555555555555555555555555555555555555555555555555555555"


@dsl.container_component
def say(text: str, output: dsl.OutputPath(str)):
    return dsl.ContainerSpec(image=IMAGE, command=["say", text, output])


@dsl.container_component
def measure(text: str, output: dsl.OutputPath(int)):
    return dsl.ContainerSpec(image=IMAGE, command=["measure", text, output])


@dsl.container_component
def letter(name: str, paper: dsl.Output[dsl.Artifact]):
    return dsl.ContainerSpec(image=IMAGE, command=["letter"], args=["--name", name, "--to", paper.path])


@dsl.container_component
def join(first: str, second: str, third: int, paper: dsl.Input[dsl.Artifact], output: dsl.OutputPath(str)):
    return dsl.ContainerSpec(image=IMAGE, command=["join", first, second, third, paper.path, output])


@dsl.pipeline(name="diamond")
def pipeline(text: str) -> NamedTuple("Outputs", [("output", str)]):
    top = say(text=text)
    left = say(text=f"left {top.outputs['output']}")
    right = say(text=f"right {top.outputs['output']}")
    size = measure(text=top.outputs["output"])
    paper = letter(name=top.outputs["output"])
    joined = join(
        first=left.outputs["output"],
        second=right.outputs["output"],
        third=size.outputs["output"],
        paper=paper.outputs["paper"],
    )
    outputs = NamedTuple("Outputs", [("output", str)])
    return outputs(joined.outputs["output"])
