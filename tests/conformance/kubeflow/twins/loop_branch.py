"""A branch in a loop, on the item and on what was computed before."""

from kfp import dsl

IMAGE = "example.com/tools@sha256:5555555555555555555555555555555555555555555555555555555555555555"


@dsl.container_component
def say(text: str, output: dsl.OutputPath(str)):
    return dsl.ContainerSpec(image=IMAGE, command=["say", text, output])


@dsl.container_component
def measure(text: str, output: dsl.OutputPath(int)):
    return dsl.ContainerSpec(image=IMAGE, command=["measure", text, output])


@dsl.container_component
def pair(left: str, right: str, output: dsl.OutputPath(str)):
    return dsl.ContainerSpec(image=IMAGE, command=["pair", left, right, output])


@dsl.container_component
def sized(text: str, size: int, output: dsl.OutputPath(str)):
    return dsl.ContainerSpec(image=IMAGE, command=["sized", text, size, output])


@dsl.pipeline(name="loop-branch")
def pipeline(words: list, limit: int):
    outer = say(text="outer")
    with dsl.ParallelFor(words) as word:
        size = measure(text=word)
        with dsl.If(size.outputs["output"] > 3):
            pair(left=word, right=outer.outputs["output"])
        with dsl.If(word == "stop"):
            sized(text="stop", size=limit)
