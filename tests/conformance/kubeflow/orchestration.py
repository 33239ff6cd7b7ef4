"""Shows each mistake of stock `kfp.local` that `repairs.py` mends, on pipelines that kfp itself compiled.

When a release of kfp mends one, its case fails here, and the mend and the marks that name it can go.
"""

import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Optional

from kfp import compiler, dsl

import run
from suite import expect, main


@dsl.container_component
def say(text: str, said: dsl.OutputPath(str)):
    return dsl.ContainerSpec(image="any", command=["sh", "-c", 'printf "%s" "$1" > "$2"', "-", text, said])


@dsl.container_component
def maybe(said: dsl.OutputPath(str), text: Optional[str] = None):
    return dsl.ContainerSpec(image="any", command=["sh", "-c", 'printf "%s" "$#" > "$1"', "-", said])


@dsl.container_component
def letter(text: str, paper: dsl.Output[dsl.Artifact]):
    return dsl.ContainerSpec(image="any", command=["sh", "-c", 'printf "%s" "$1" > "$2"', "-", text, paper.path])


@dsl.container_component
def read(paper: dsl.Input[dsl.Artifact], said: dsl.OutputPath(str)):
    return dsl.ContainerSpec(image="any", command=["cp", paper.path, said])


@dsl.container_component
def count(items: list, said: dsl.OutputPath(int)):
    return dsl.ContainerSpec(image="any", command=["sh", "-c", 'printf "%s" "${#1}" > "$2"', "-", items, said])


@dsl.pipeline(name="quotes")
def quotes(text: str):
    first = say(text=text)
    with dsl.If(first.outputs["said"] != "plain", name="differs"):
        say(text="it ran")


@dsl.pipeline(name="captured")
def captured() -> list:
    outer = say(text="outer")
    with dsl.ParallelFor(["a", "b"]) as item:
        inner = say(text=f"{item} {outer.outputs['said']}")
    return dsl.Collected(inner.outputs["said"])


@dsl.pipeline(name="nobody")
def nobody(names: list) -> int:
    with dsl.ParallelFor(names) as name:
        said = say(text=name)
    return count(items=dsl.Collected(said.outputs["said"])).outputs["said"]


@dsl.pipeline(name="inner")
def inner(paper: dsl.Input[dsl.Artifact]) -> str:
    return read(paper=paper).outputs["said"]


@dsl.pipeline(name="artifacts-alone")
def artifacts_alone() -> str:
    return inner(paper=letter(text="Dear").outputs["paper"]).output


@dsl.pipeline(name="branch-artifact")
def branch_artifact(kind: str) -> dsl.Artifact:
    with dsl.If(kind == "short"):
        short = letter(text="S")
    with dsl.Else():
        long = letter(text="L")
    return dsl.OneOf(short.outputs["paper"], long.outputs["paper"])


@dsl.pipeline(name="not-given")
def not_given(text: Optional[str] = None) -> str:
    return maybe(text=text).outputs["said"]


@dsl.pipeline(name="returns")
def returns(text: str) -> str:
    return say(text=text).outputs["said"]


@dataclass
class Case:
    """A pipeline of kfp, its arguments, and what it should give: its output, or how many containers run."""

    pipeline: object
    arguments: dict
    output: object = None
    containers: int | None = None


CASES = {
    "text with a quote in a condition": Case(quotes, {"text": "it's"}, containers=2),
    "a captured output in a loop": Case(captured, {}, ["a outer", "b outer"]),
    "a loop over nothing": Case(nobody, {"names": []}, 2),
    "a graph with artifacts alone": Case(artifacts_alone, {}, "Dear"),
    "an artifact of a branch": Case(branch_artifact, {"kind": "long"}, "L"),
    "carriage returns": Case(returns, {"text": "a\r\nb"}, "a\r\nb"),
    "a parameter that is not given": Case(not_given, {}, "1"),
}


def right(case: Case, outcome: run.Outcome) -> bool:
    if not outcome.succeeded:
        return False
    if case.containers is not None:
        return len(outcome.ran) == case.containers
    output = next(iter(outcome.outputs.values()))
    return (output.content.decode() if isinstance(output, run.Artifact) else output) == case.output


def check(case: Case) -> None:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        path = folder / "pipeline.yaml"
        compiler.Compiler().compile(case.pipeline, str(path))
        stock = run.run(path, case.arguments, folder)
        expect(not right(case, stock), f"kfp.local is right by now: {stock.outputs}")
        repaired = run.run(path, case.arguments, folder, repaired=True)
        expect(right(case, repaired), f"still wrong: {repaired.outputs} {repaired.error}\n{repaired.log()}")


if __name__ == "__main__":
    main(check, CASES)
