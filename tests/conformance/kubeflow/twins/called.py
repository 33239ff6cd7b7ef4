"""A pipeline that is called by another, twice, with a default."""

from typing import NamedTuple

from kfp import dsl

IMAGE = "example.com/tools@sha256:5555555555555555555555555555555555555555555555555555555555555555"


@dsl.container_component
def say(text: str, output: dsl.OutputPath(str)):
    return dsl.ContainerSpec(image=IMAGE, command=["say", text, output])


@dsl.container_component
def measure(text: str, output: dsl.OutputPath(int)):
    return dsl.ContainerSpec(image=IMAGE, command=["measure", text, output])


@dsl.pipeline(name="inner")
def inner(text: str, tail: str = "!") -> NamedTuple("Outputs", [("said", str), ("size", int)]):
    said = say(text=f"{text}{tail}")
    size = measure(text=said.outputs["output"])
    outputs = NamedTuple("Outputs", [("said", str), ("size", int)])
    return outputs(said.outputs["output"], size.outputs["output"])


@dsl.pipeline(name="called")
def pipeline(text: str) -> NamedTuple("Outputs", [("output", int)]):
    first = inner(text=text)
    second = inner(text=first.outputs["said"], tail="?")
    outputs = NamedTuple("Outputs", [("output", int)])
    return outputs(second.outputs["size"])
