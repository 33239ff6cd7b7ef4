"""Conditions on values of every type."""

from kfp import dsl

IMAGE = "example.com/tools@sha256:5555555555555555555555555555555555555555555555555555555555555555"


@dsl.container_component
def say(text: str, output: dsl.OutputPath(str)):
    return dsl.ContainerSpec(image=IMAGE, command=["say", text, output])


@dsl.container_component
def decide(text: str, flag: dsl.OutputPath(bool), share: dsl.OutputPath(float)):
    return dsl.ContainerSpec(image=IMAGE, command=["decide", text, flag, share])


@dsl.pipeline(name="conditions")
def pipeline(text: str, strict: bool, rate: float):
    decided = decide(text=text)
    with dsl.If(decided.outputs["flag"] == True):
        say(text="flag")
    with dsl.If(decided.outputs["share"] > 0.5):
        say(text="share")
    with dsl.If(strict == True):
        say(text="strict")
    with dsl.If(rate <= 1.5):
        say(text="rate")
    with dsl.If(text != "plain"):
        say(text="text")
