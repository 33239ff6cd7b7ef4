"""A loop over a parameter, two rounds at once at the most."""

from kfp import dsl

IMAGE = "example.com/tools@sha256:5555555555555555555555555555555555555555555555555555555555555555"


@dsl.container_component
def say(text: str, output: dsl.OutputPath(str)):
    return dsl.ContainerSpec(image=IMAGE, command=["say", text, output])


@dsl.pipeline(name="loop-parameter")
def pipeline(words: list, tail: str = "!"):
    with dsl.ParallelFor(words, parallelism=2) as word:
        say(text=f"{word}{tail}")
