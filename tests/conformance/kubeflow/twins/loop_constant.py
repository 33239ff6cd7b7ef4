"""Loops over lists that stand in the program."""

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


@dsl.pipeline(name="loop-constant")
def pipeline():
    with dsl.ParallelFor(["a", "it's", "c d"]) as word:
        size = measure(text=word)
        sized(text=word, size=size.outputs["output"])
