"""A loop over what a container gives."""

from kfp import dsl

IMAGE = "example.com/tools@sha256:5555555555555555555555555555555555555555555555555555555555555555"


@dsl.container_component
def say(text: str, output: dsl.OutputPath(str)):
    return dsl.ContainerSpec(image=IMAGE, command=["say", text, output])


@dsl.container_component
def names(count: int, output: dsl.OutputPath(list)):
    return dsl.ContainerSpec(image=IMAGE, command=["names", count, output])


@dsl.pipeline(name="loop-output")
def pipeline(count: int):
    listed = names(count=count)
    with dsl.ParallelFor(listed.outputs["output"]) as name:
        say(text=name)
