"""The value of whichever arm ran goes on."""

from typing import NamedTuple

from kfp import dsl

IMAGE = "example.com/tools@sha256:5555555555555555555555555555555555555555555555555555555555555555"


@dsl.container_component
def say(text: str, output: dsl.OutputPath(str)):
    return dsl.ContainerSpec(image=IMAGE, command=["say", text, output])


@dsl.container_component
def measure(text: str, output: dsl.OutputPath(int)):
    return dsl.ContainerSpec(image=IMAGE, command=["measure", text, output])


@dsl.pipeline(name="branch-value")
def pipeline(kind: str) -> NamedTuple("Outputs", [("output", int)]):
    with dsl.If(kind == "short"):
        short = say(text="S")
    with dsl.Else():
        long = say(text="L")
    chosen = dsl.OneOf(short.outputs["output"], long.outputs["output"])
    size = measure(text=chosen)
    outputs = NamedTuple("Outputs", [("output", int)])
    return outputs(size.outputs["output"])
