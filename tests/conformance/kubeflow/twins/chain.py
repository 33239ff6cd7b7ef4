"""A chain of conditions."""

from typing import NamedTuple

from kfp import dsl

IMAGE = "example.com/tools@sha256:5555555555555555555555555555555555555555555555555555555555555555"


@dsl.container_component
def say(text: str, output: dsl.OutputPath(str)):
    return dsl.ContainerSpec(image=IMAGE, command=["say", text, output])


@dsl.container_component
def measure(text: str, output: dsl.OutputPath(int)):
    return dsl.ContainerSpec(image=IMAGE, command=["measure", text, output])


@dsl.pipeline(name="chain")
def pipeline(text: str) -> NamedTuple("Outputs", [("output", str)]):
    size = measure(text=text)
    with dsl.If(size.outputs["output"] > 100):
        large = say(text="large")
    with dsl.Elif(size.outputs["output"] > 10):
        middle = say(text="middle")
    with dsl.Elif(text == "none"):
        none = say(text="none")
    with dsl.Else():
        small = say(text="small")
    outputs = NamedTuple("Outputs", [("output", str)])
    return outputs(
        dsl.OneOf(
            large.outputs["output"], middle.outputs["output"], none.outputs["output"], small.outputs["output"]
        )
    )
