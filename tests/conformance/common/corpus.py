"""The programs of `tests/programs`: what the local executor makes of them, and what a platform is known to do otherwise.

A program may have a file `PLATFORM.json`. Whatever the platform:

* `refused`: the platform cannot express it; what `mlp build` must say.
* `failing`: our output is wrong, and why. The case must be seen to fail: when it holds, the mark has to go.
"""

import json
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from suite import ROOT, Broken, expect, mlp

FOLDER = ROOT / "tests" / "programs"
PROGRAMS = {program.name: program for program in sorted(FOLDER.iterdir())}


@dataclass
class Expected:
    """A run of a program, as its `expected` tells it."""

    command: str
    outcome: str = ""
    nodes: dict = field(default_factory=dict)
    outputs: dict = field(default_factory=dict)


def ended(state: str) -> tuple:
    """How a node ended, and at which attempt."""
    tries = re.search(r"at attempt (\d+)", state)
    return state.split(" ")[0].rstrip(",:"), int(tries[1]) if tries else 1


def runs(program: Path) -> list:
    """The runs in the `expected` of a program."""
    found = []
    for line in (program / "expected").read_text(encoding="utf-8").splitlines():
        if line.startswith("$ "):
            found.append(Expected(line[2:]))
        elif not found[-1].outcome:
            found[-1].outcome = line
        elif line.startswith("  "):
            node, _, state = line.strip().partition(" ")
            found[-1].nodes[node] = state
        elif " = " in line:
            name, _, value = line.partition(" = ")
            found[-1].outputs[name] = value
        else:
            expect(line == "", f"a line of `expected` that is none: {line}")
    return found


def build(program: Path, platform: str, target: Path, notes: dict) -> None:
    """Builds the program for a platform; where it is refused, checks what is said."""
    built = mlp("build", str(program), "--target", platform, "-o", str(target))
    refused = notes.get("refused")
    if refused is None:
        expect(built.returncode == 0, f"it does not build:\n{built.stdout}{built.stderr}")
    else:
        expect(built.returncode != 0, "it builds, though it is marked as refused")
        told = " ".join((built.stdout + built.stderr).split())
        expect(refused in told, f"it is refused with\n{told}\ninstead of\n{refused}")


def check(program: Path, platform: str, holds: Callable[[Path, dict], None]) -> None:
    """Checks a program: `holds` is given the program and its notes."""
    marks = program / f"{platform}.json"
    notes = json.loads(marks.read_text()) if marks.exists() else {}
    try:
        holds(program, notes)
    except Broken:
        if "failing" in notes:
            return
        raise
    expect("failing" not in notes, f"it holds: take the mark `failing` out of {marks.name}")
