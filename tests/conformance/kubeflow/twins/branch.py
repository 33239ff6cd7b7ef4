"""A branch on a parameter."""

from kfp import dsl

IMAGE = "example.com/tools@sha256:5555555555555555555555555555555555555555555555555555555555555555"


@dsl.container_component
def say(text: str, output: dsl.OutputPath(str)):
    return dsl.ContainerSpec(image=IMAGE, command=["say", text, output])


@dsl.pipeline(name="branch")
def pipeline(kind: str):
    with dsl.If(kind == "short"):
        say(text="S")
    with dsl.Else():
        say(text="L")
