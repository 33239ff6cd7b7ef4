"""A loop over records, by their fields."""

from kfp import dsl

IMAGE = "example.com/tools@sha256:5555555555555555555555555555555555555555555555555555555555555555"


@dsl.container_component
def note(name: str, code: str, output: dsl.OutputPath(str)):
    return dsl.ContainerSpec(image=IMAGE, command=["note", name, code, output])


@dsl.pipeline(name="loop-records")
def pipeline(places: list, fixed: list = [{"name": "Rome", "code": "39"}]):
    with dsl.ParallelFor(fixed) as place:
        note(name=place.name, code=place.code)
    with dsl.ParallelFor(places) as place:
        note(name=place.name, code=place.code)
