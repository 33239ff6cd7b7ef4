"""Files and values from outside, two groups down, and out again."""

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
def read(paper: dsl.Input[dsl.Artifact], output: dsl.OutputPath(str)):
    return dsl.ContainerSpec(image=IMAGE, command=["read", paper.path, output])


@dsl.container_component
def pair(left: str, right: str, output: dsl.OutputPath(str)):
    return dsl.ContainerSpec(image=IMAGE, command=["pair", left, right, output])


@dsl.container_component
def sized(text: str, size: int, output: dsl.OutputPath(str)):
    return dsl.ContainerSpec(image=IMAGE, command=["sized", text, size, output])


@dsl.pipeline(name="deep-capture")
def pipeline(names: list, text: str) -> NamedTuple("Outputs", [("said", list)]):
    paper = letter(name=text)
    size = measure(text=text)
    with dsl.ParallelFor(names) as name:
        word = read(paper=paper.outputs["paper"])
        with dsl.ParallelFor(["x", "y"]) as mark:
            with dsl.If(size.outputs["output"] > 2):
                said = pair(left=name, right=mark)
                pair(left=said.outputs["output"], right=word.outputs["output"])
                read(paper=paper.outputs["paper"])
        last = sized(text=name, size=size.outputs["output"])
    outputs = NamedTuple("Outputs", [("said", list)])
    return outputs(dsl.Collected(last.outputs["output"]))
