"""A loop over what another loop gathered."""

from kfp import dsl

IMAGE = "example.com/tools@sha256:5555555555555555555555555555555555555555555555555555555555555555"


@dsl.container_component
def say(text: str, output: dsl.OutputPath(str)):
    return dsl.ContainerSpec(image=IMAGE, command=["say", text, output])


@dsl.container_component
def total(words: list, output: dsl.OutputPath(list)):
    return dsl.ContainerSpec(image=IMAGE, command=["total", output])


@dsl.pipeline(name="gather-loop")
def pipeline(words: list):
    with dsl.ParallelFor(words) as word:
        said = say(text=word)
    listed = dsl.Collected(said.outputs["output"])
    count = total(words=listed)
    with dsl.ParallelFor(count.outputs["output"]) as number:
        say(text=f"{number}")
