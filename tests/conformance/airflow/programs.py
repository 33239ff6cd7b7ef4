"""Every program of `tests/programs` in the real Airflow: read without a complaint, shaped like its plan, and run to the end
by `dag.test()` with the outputs and the states of every step that the local executor's `expected` says.

A program may have a file `airflow.json`:

* `refused`, `failing`: as `corpus.py` says.
* `arguments`: texts of arguments that the language reads and a platform has no type for: text → JSON.
"""

import itertools
import json
import os
import re
import shutil
import tempfile
from pathlib import Path

import corpus
import dags
import plans
from corpus import Expected
from suite import expect, main, mlp
from written import equal, parse

TARGET = '\ntarget airflow: airflow {{ runner: "local", root: "{root}" }}\n'
STATES = {"succeeded": "success", "failed": "failed", "skipped": "skipped"}


def with_target(program: Path, project: Path, root: Path) -> None:
    """A copy of a program that runs on Airflow, each step a process of the worker."""
    shutil.copytree(program, project)
    with open(project / "main.mlp", "a", encoding="utf-8") as file:
        file.write(TARGET.format(root=root))


class Places:
    """Where the steps of a plan are in a DAG: copies of unrolled loops, turns of repeated ones."""

    def __init__(self, pipeline: plans.Pipeline, dag):
        self.pipeline = pipeline
        self.dag = dag
        self.repeated = {
            loop for loop in pipeline.loops if any(re.fullmatch(rf"{task_name(loop)}(\.\d+)*-items", one) for one in dag.task_ids)
        }

    def copies(self, path: str) -> list:
        """The tasks of a step."""
        unrolled = sum(loop not in self.repeated for loop in self.pipeline.steps[path].loops)
        pattern = re.compile(re.escape(task_name(path)) + r"\.\d+" * unrolled)
        return [task for task in self.dag.task_ids if pattern.fullmatch(task)]

    def is_turn(self, node: str) -> bool:
        """Whether a node is a step, in one turn of all loops around it."""
        step = self.pipeline.steps.get(re.sub(r"\[\d+\]", "", node))
        return step is not None and len(re.findall(r"\[\d+\]", node)) == len(step.loops)

    def instance(self, node: str, frames: dict) -> tuple:
        """The task and the map index of a node in a turn: `pairs[2]/sum[0]`."""
        path = re.sub(r"\[\d+\]", "", node)
        numbers = re.findall(r"\[(\d+)\]", node)
        loops = self.pipeline.steps[path].loops
        around = list(zip(loops, numbers, strict=True))
        copy = "".join(f".{number}" for loop, number in around if loop not in self.repeated)
        at = [int(number) for loop, number in around if loop in self.repeated]
        if not at:
            return task_name(path) + copy, -1
        innermost = max(index for index, loop in enumerate(loops) if loop in self.repeated)
        outside = "".join(f".{number}" for loop, number in around[:innermost] if loop not in self.repeated)
        turns = frames.get(f"{task_name(loops[innermost])}{outside}-items") or []
        return task_name(path) + copy, next((index for index, turn in enumerate(turns) if turn["at"] == at), -1)


def task_name(path: str) -> str:
    """A node as tasks are called after it."""
    return path.replace("/", ".")


def ancestors(dag, task: str) -> set:
    return dag.get_task(task).get_flat_relative_ids(upstream=True)


def numbers(task: str) -> list:
    """The numbers of a copy."""
    return re.search(r"((?:\.\d+)*)$", task)[1].split(".")[1:]


def shaped(pipeline: plans.Pipeline, dag) -> None:
    """Every step has its tasks, every dependency is a path, and nothing else is a task."""
    places = Places(pipeline, dag)
    known = set()
    for path, step in pipeline.steps.items():
        tasks = places.copies(path)
        known |= set(tasks)
        for task in tasks:
            mapped = dag.get_task(task).get_closest_mapped_task_group() is not None
            wanted = any(loop in places.repeated for loop in step.loops)
            expect(mapped == wanted, f"{task} is {'' if mapped else 'not '}mapped")
            waits = ancestors(dag, task)
            for need in step.needs:
                shared = [loop for loop in os.path.commonprefix([step.loops, pipeline.steps[need].loops])]
                count = sum(loop not in places.repeated for loop in shared)
                for other in places.copies(need):
                    if numbers(other)[:count] == numbers(task)[:count]:
                        expect(other in waits, f"`{task}` does not wait for `{other}`")
    rest = [task for task in dag.task_ids if task not in known and "-" not in task]
    expect(not rest, f"tasks of no node: {rest}")


def arguments(dag, words: list, known: dict) -> dict:
    """What a run gives to the pipeline, by the types of the platform."""
    given = {}
    for word in words:
        name, _, text = word.partition("=")
        schema = dag.params.get_param(name).schema
        types = [schema["type"]] if isinstance(schema.get("type"), str) else schema.get("type", [])
        if text in known:
            given[name] = known[text]
        elif text == "none" and "null" in types:
            given[name] = None
        elif "string" in types or (not types and "enum" in schema):
            given[name] = text
        else:
            given[name] = json.loads(text)
    return given


def same(expected: str, actual) -> bool:
    """Whether a value of the DAG is what the language writes as `expected`; an artifact is its address."""
    if isinstance(actual, str):
        return expected in (actual, shown(actual))
    if expected.startswith("[<"):
        return isinstance(actual, list) and expected == f"[{', '.join(map(shown, actual))}]"
    return equal(parse(expected), actual)


def shown(address) -> str:
    """A file by its text, as `expected` shows it."""
    try:
        text = Path(str(address).removeprefix("file://")).read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError):
        return "<…>"
    return f"<{text.rstrip().replace(chr(10), '|')}>"


def compare_nodes(expected: Expected, places: Places, run: dags.Run) -> list:
    """The state of every node in every turn, and its attempts."""
    found = {(one.task, one.index): one for one in run.instances}
    frames = {one.task: one.returned.get("return_value") for one in run.instances if one.task.endswith("-items")}
    problems = []
    for node, state in expected.nodes.items():
        word, tries = corpus.ended(state)
        if not places.is_turn(node):
            # Something larger that did not run, as a whole: none of its steps may be among those that ran.
            expect(word == "skipped", f"{node} {state}, but it is no step")
            continue
        one = found.get(places.instance(node, frames))
        # What comes after a failure is skipped here, and has another name there.
        wanted = {"skipped", "upstream_failed", "None"} if word == "skipped" else {STATES[word]}
        if one is None:
            problems.append(f"{node} {state}: no such instance {places.instance(node, frames)}")
        elif one.state not in wanted or (word != "skipped" and one.tries != tries):
            problems.append(f"{node} {state}: {one.state} at attempt {one.tries}")
    ran = sum(corpus.ended(state)[0] != "skipped" for state in expected.nodes.values())
    tasks = set(itertools.chain.from_iterable(map(places.copies, places.pipeline.steps)))
    there = [one for one in run.instances if one.task in tasks and one.state in ("success", "failed")]
    if ran != len(there):
        problems.append(f"{ran} nodes ran here, there {sorted((one.task, one.index) for one in there)}")
    return problems


def compare(expected: Expected, places: Places, run: dags.Run) -> list:
    """What differs between a run here and there."""
    if expected.outcome not in ("succeeded", "failed"):
        return [] if not run.succeeded else [f"it succeeds, but the local executor says: {expected.outcome}"]
    if run.state != ("success" if expected.outcome == "succeeded" else "failed"):
        return [f"it should have {expected.outcome}"]
    problems = compare_nodes(expected, places, run)
    if run.succeeded:
        outputs = run.returned("pipeline-outputs") or {}
        if set(outputs) != set(expected.outputs):
            problems.append(f"outputs {sorted(outputs)} instead of {sorted(expected.outputs)}")
        for name in sorted(set(outputs) & set(expected.outputs)):
            if not same(expected.outputs[name], outputs[name]):
                problems.append(f"{name} = {outputs[name]!r} instead of {expected.outputs[name]}")
    return problems


def environment(project: Path) -> dict:
    """What steps find: the binary and the project."""
    return {
        "MLP": os.environ["MLP"],
        "MLP_PROJECT": str(project),
        "HOME": str(project),
        "PYTHONDONTWRITEBYTECODE": "1",
    }


def once(expected: Expected, plan: dict, folder: Path, notes: dict) -> None:
    """One run of a program, where nothing was run before, compared."""
    name, *words = expected.command.split()
    dag = dags.load(name)
    shutil.rmtree(folder / "root", ignore_errors=True)
    shutil.rmtree(folder / "run", ignore_errors=True)
    shutil.copytree(folder / "project", folder / "run")
    run = dags.test(name, arguments(dag, words, notes.get("arguments", {})), environment(folder / "run"))
    problems = compare(expected, Places(plans.Pipeline(plan, name), dag), run)
    expect(not problems, "\n".join([f"$ {expected.command}", *problems, run.told()]))


def holds(program: Path, notes: dict) -> None:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        with_target(program, folder / "project", folder / "root")
        corpus.build(folder / "project", "airflow", folder / "built", notes)
        if "refused" in notes:
            return
        planned = mlp("build", str(folder / "project"), "--target", "plan", "-o", str(folder / "plan.json"))
        expect(planned.returncode == 0, planned.stderr)
        plan = plans.read(folder / "plan.json")
        with dags.placed(folder / "built"):
            files = sorted(path.stem for path in dags.folder().iterdir())
            for file in files:
                dags.serialized(file)
                shaped(plans.Pipeline(plan, file), dags.load(file))
            for expected in corpus.runs(program):
                once(expected, plan, folder, notes)
        dags.lint(folder / "built")


def check(program: Path) -> None:
    corpus.check(program, "airflow", holds)


if __name__ == "__main__":
    main(check, corpus.PROGRAMS, prepare=dags.enter)
