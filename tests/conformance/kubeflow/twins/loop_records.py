"""A loop over records, by their fields."""

from kfp import dsl

IMAGE = "example.com/tools@sha256:5555555555555555555555555555555555555555555555555555555555555555"


@dsl.container_component
def note(city: str, code: str, output: dsl.OutputPath(str)):
    return dsl.ContainerSpec(image=IMAGE, command=["note", city, code, output])


@dsl.pipeline(name="loop-records")
def pipeline(places: list, fixed: list = [{"city": "Rome", "code": "39"}]):
    with dsl.ParallelFor(fixed) as place:
        note(city=place.city, code=place.code)
    with dsl.ParallelFor(places) as place:
        note(city=place.city, code=place.code)
