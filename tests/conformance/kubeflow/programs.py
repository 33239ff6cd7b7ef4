"""Every program of `tests/programs` under real `kfp.local`: outputs, and what ran, equal the local executor's `expected`.

A program may have a file `kubeflow.json`:

* `refused`, `failing`: as `corpus.py` says.
* `repaired`: stock kfp.local runs it wrong, and why; it runs with the mended orchestration (`repairs.py`).
* `arguments`: texts of arguments that the language reads and a platform has no type for: text → JSON.
* `secrets`: secrets of the cluster: name → key → text.
"""

import json
import re
import shutil
import tempfile
from pathlib import Path

import corpus
import language
import run
import strict
from corpus import Expected
from suite import expect, main


def arguments(specification: strict.Specification, words: list, known: dict) -> dict:
    """What a run gives to the pipeline, by the types of the platform."""
    declared = specification.pipeline.root.input_definitions.parameters
    given = {}
    for word in words:
        name, _, text = word.partition("=")
        given[name] = language.argument(text, declared[name].parameter_type, known)
    return {name: value for name, value in given.items() if value is not None}


def place(node: str) -> tuple:
    """Where a node runs: its task's name, and the rounds of the loops around it."""
    rounds = tuple(int(number) for number in re.findall(r"\[(\d+)\]", node))
    return re.sub(r"[^a-z0-9]+", "-", re.sub(r"\[\d+\]", "", node).lower()).strip("-"), rounds


def attempts(ran: list) -> dict:
    """How the containers at each place ended, in order; also by the node that they were told, where names met."""
    found = {}
    for one in ran:
        *loops, name = one.place.split("/")
        rounds = tuple(int(loop.rpartition("-iteration-")[2]) for loop in loops)
        found.setdefault((name, rounds), []).append(one.code == 0)
        if "--task" in one.command:
            task = json.loads(one.command[one.command.index("--task") + 1])
            found.setdefault(("node", task["node"]["id"], rounds), []).append(one.code == 0)
    return found


def compare_nodes(expected: Expected, ran: list) -> list:
    """What ran, and how often, against the states of the nodes."""
    found = attempts(ran)
    problems = []
    for node, state in expected.nodes.items():
        word, tries = corpus.ended(state)
        name, rounds = place(node)
        here = found.get((name, rounds), [])
        if not here and word != "skipped":
            here = found.get(("node", re.sub(r"\[\d+\]", "", node), rounds), [])
        wanted = {"skipped": [], "succeeded": [False] * (tries - 1) + [True], "failed": [False] * tries}[word]
        # kfp.local stops a graph at its first failure; Kubeflow goes on with what does not depend on it.
        stopped = expected.outcome == "failed" and word == "succeeded" and not here
        if here != wanted and not stopped:
            problems.append(f"{node} {state}: attempts {here}")
    return problems


def compare(expected: Expected, outcome: run.Outcome) -> list:
    """What differs between a run here and there."""
    if expected.outcome not in ("succeeded", "failed"):
        return [] if not outcome.succeeded else [f"it succeeds, but the local executor says: {expected.outcome}"]
    if outcome.succeeded != (expected.outcome == "succeeded"):
        return [f"it should have {expected.outcome}: {outcome.error}"]
    problems = compare_nodes(expected, outcome.ran)
    if outcome.succeeded:
        if set(outcome.outputs) != set(expected.outputs):
            problems.append(f"outputs {sorted(outcome.outputs)} instead of {sorted(expected.outputs)}")
        for name in sorted(set(outcome.outputs) & set(expected.outputs)):
            if not language.same(expected.outputs[name], outcome.outputs[name]):
                problems.append(f"{name} = {outcome.outputs[name]!r} instead of {expected.outputs[name]}")
    return problems


def once(expected: Expected, program: Path, target: Path, notes: dict) -> None:
    """One run of a program: parsed, used in another pipeline, run, compared."""
    name, *words = expected.command.split()
    path = language.specification(target, name)
    parsed = strict.parse(path)
    given = arguments(parsed, words, notes.get("arguments", {}))
    run.use(path, given)
    with tempfile.TemporaryDirectory() as folder:
        project = Path(folder) / "project"
        shutil.copytree(program, project)
        outcome = run.run(path, given, project, notes.get("secrets"), repaired="repaired" in notes)
        problems = compare(expected, outcome)
        expect(not problems, "\n".join([f"$ {expected.command}", *problems, outcome.log()]))


def holds(program: Path, notes: dict) -> None:
    with tempfile.TemporaryDirectory() as folder:
        target = Path(folder)
        corpus.build(program, "kubeflow", target, notes)
        if "refused" not in notes:
            for expected in corpus.runs(program):
                once(expected, program, target, notes)


def check(program: Path) -> None:
    corpus.check(program, "kubeflow", holds)


if __name__ == "__main__":
    main(check, corpus.PROGRAMS)
