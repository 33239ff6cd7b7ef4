"""Loops in loops, with items of both."""

from kfp import dsl

IMAGE = "example.com/tools@sha256:5555555555555555555555555555555555555555555555555555555555555555"


@dsl.container_component
def say(text: str, output: dsl.OutputPath(str)):
    return dsl.ContainerSpec(image=IMAGE, command=["say", text, output])


@dsl.pipeline(name="loop-nested")
def pipeline(rows: list, columns: list):
    with dsl.ParallelFor(rows) as row:
        head = say(text=row)
        with dsl.ParallelFor(columns, parallelism=3) as column:
            say(text=f"{head.outputs['output']}: {row} {column}")
