"""Pipelines whose steps are pods: the real KubernetesPodOperator, to the end, on the cluster of `cluster/`.

Programs of `tests/programs` give what the local executor gives. Beyond that: what a cluster is asked for
(`pods_shape.py`), and what happens when something goes wrong there (`pods_trouble.py`).
"""

import json
import tempfile
from pathlib import Path

import corpus
import dags
import pods_refusals
import pods_shape
import pods_trouble
import written
from pods_support import ROOT, built, execute, told, with_target
from suite import main

# One of each kind; all of them run as processes in `programs.py`, and a pod takes longer.
PROGRAMS = (
    "arithmetic",
    "branch-artifact",
    "branch-value",
    "captures",
    "environment",
    "finally-fails",
    "finally-outcome",
    "gather-artifacts",
    "interpolation",
    "loop-branch",
    "loop-nested",
    "loop-run-time",
    "python-steps",
    "retries",
    "sub-pipeline",
)


def argument(text: str):
    """A value of a command line as JSON has it."""
    try:
        return json.loads(text)
    except ValueError:
        return text


def same(expected: str, actual) -> bool:
    """Whether a value is what `expected` says."""
    if isinstance(actual, str):
        return expected == actual
    if "<" in expected:
        return expected == json.dumps(actual, ensure_ascii=False).replace('"<', "<").replace('>"', ">")
    return written.equal(written.parse(expected), actual)


def once(expected: corpus.Expected, project: Path, files: Path) -> None:
    """One run of a program: how it ends, what it gives, and that every task that ran was a pod."""
    name, *words = expected.command.split()
    given = dict(word.split("=", 1) for word in words)
    ran = execute(files / f"{name}.py", project, {key: argument(text) for key, text in given.items()})
    wanted = "success" if expected.outcome == "succeeded" else "failed"
    ran.expect(ran.ended.state == wanted, f"$ {expected.command}\nit should have {expected.outcome}")
    ran.expect(not ran.refused, f"$ {expected.command}\nthe cluster refused something")
    if wanted == "failed":
        return
    actual = {key: told(value, ran.folder) for key, value in (ran.ended.returned("pipeline-outputs") or {}).items()}
    ran.expect(set(actual) == set(expected.outputs), f"$ {expected.command}\noutputs {sorted(actual)}")
    for key, value in expected.outputs.items():
        ran.expect(same(value, actual[key]), f"$ {expected.command}\n{key} = {actual[key]!r} instead of {value}")


def program(name: str) -> None:
    with tempfile.TemporaryDirectory(dir=ROOT) as folder:
        project = with_target(corpus.PROGRAMS[name], Path(folder))
        files = built(project, "pods", Path(folder) / "dags")
        for expected in corpus.runs(corpus.PROGRAMS[name]):
            if expected.outcome in ("succeeded", "failed"):
                once(expected, project, files)


def check(case) -> None:
    case()


def cases() -> dict:
    programs = {name: (lambda name=name: program(name)) for name in PROGRAMS}
    return {**pods_refusals.CASES, **pods_trouble.CASES, **pods_shape.CASES, **programs}


if __name__ == "__main__":
    main(check, cases(), prepare=dags.enter)
