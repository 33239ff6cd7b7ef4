"""Branches in branches, on what was computed outside and inside."""

from kfp import dsl

IMAGE = "example.com/tools@sha256:5555555555555555555555555555555555555555555555555555555555555555"


@dsl.container_component
def say(text: str, output: dsl.OutputPath(str)):
    return dsl.ContainerSpec(image=IMAGE, command=["say", text, output])


@dsl.container_component
def measure(text: str, output: dsl.OutputPath(int)):
    return dsl.ContainerSpec(image=IMAGE, command=["measure", text, output])


@dsl.container_component
def sized(text: str, size: int, output: dsl.OutputPath(str)):
    return dsl.ContainerSpec(image=IMAGE, command=["sized", text, size, output])


@dsl.pipeline(name="nested-branches")
def pipeline(text: str, limit: int):
    size = measure(text=text)
    with dsl.If(size.outputs["output"] >= 3):
        inner = measure(text=f"again {text}")
        with dsl.If(inner.outputs["output"] != 7):
            say(text=text)
            with dsl.If(limit < 5):
                sized(text=text, size=inner.outputs["output"])
