"""Loops in loops, with items of both."""

from kfp import dsl

IMAGE = "example.com/tools@sha256:5555555555555555555555555555555555555555555555555555555555555555"


@dsl.container_component
def say(text: str, output: dsl.OutputPath(str)):
    return dsl.ContainerSpec(image=IMAGE, command=["say", text, output])


@dsl.container_component
def pair(left: str, right: str, output: dsl.OutputPath(str)):
    return dsl.ContainerSpec(image=IMAGE, command=["pair", left, right, output])


@dsl.pipeline(name="loop-nested")
def pipeline(rows: list, columns: list):
    with dsl.ParallelFor(rows) as row:
        head = say(text=row)
        with dsl.ParallelFor(columns, parallelism=3) as column:
            pair(left=head.outputs["output"], right=column)
            pair(left=row, right=column)
