"""Order without data, across groups."""

from kfp import dsl

IMAGE = "example.com/tools@sha256:5555555555555555555555555555555555555555555555555555555555555555"


@dsl.container_component
def say(text: str, output: dsl.OutputPath(str)):
    return dsl.ContainerSpec(image=IMAGE, command=["say", text, output])


@dsl.pipeline(name="order")
def pipeline(loud: bool):
    first = say(text="first")
    second = say(text="second").after(first)
    with dsl.ParallelFor(["a", "b"]) as letter:
        each = say(text=letter).after(second)
    say(text="last").after(each)
    say(text="beside")
