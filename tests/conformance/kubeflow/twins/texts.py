"""Texts put together of values and words."""

from kfp import dsl

IMAGE = "example.com/tools@sha256:5555555555555555555555555555555555555555555555555555555555555555"


@dsl.container_component
def say(text: str, output: dsl.OutputPath(str)):
    return dsl.ContainerSpec(image=IMAGE, command=["say", text, output])


@dsl.pipeline(name="texts")
def pipeline(who: str, times: str):
    first = say(text=f"Dear {who}, {times} times")
    say(text=f"{first.outputs['output']}/{who}")
    with dsl.ParallelFor(["a", "b"]) as letter:
        say(text=f"{letter} and {first.outputs['output']}")
