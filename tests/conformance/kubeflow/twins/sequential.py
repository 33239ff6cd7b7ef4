"""Two containers, one after the other, values passed between them."""

from typing import NamedTuple

from kfp import dsl

IMAGE = "example.com/tools@sha256:5555555555555555555555555555555555555555555555555555555555555555"


@dsl.container_component
def say(text: str, output: dsl.OutputPath(str)):
    return dsl.ContainerSpec(image=IMAGE, command=["say", text, output])


@dsl.container_component
def measure(text: str, output: dsl.OutputPath(int)):
    return dsl.ContainerSpec(image=IMAGE, command=["measure", text, output])


@dsl.pipeline(name="sequential")
def pipeline(text: str = "word") -> NamedTuple("Outputs", [("first", str), ("size", int)]):
    first = say(text=text)
    size = measure(text=first.outputs["output"])
    outputs = NamedTuple("Outputs", [("first", str), ("size", int)])
    return outputs(first.outputs["output"], size.outputs["output"])
