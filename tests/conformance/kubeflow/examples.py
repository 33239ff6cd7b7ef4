"""The examples, from data to a model in service, under real `kfp.local`: what every stage says and decides is what
`mlp run` says and decides, to the digit. Only how fast a model answers may differ.
"""

import json
import os
import re
import shutil
import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path

import language
import run
from suite import ROOT, expect, main, mlp


@dataclass
class Case:
    """An example, and runs of it, one after the other: arguments and whether the run succeeds."""

    example: str
    runs: list


CASES = {
    "credit": Case("credit", [({"trees": 50}, True), ({"trees": 50, "min_auc": 0.99}, False)]),
    "flights": Case("flights", [({"rounds": 20}, True)]),
}
# `✓ raw  read  120 ms  1,000 rows`: what a run of ours prints for a node, with its callee and how long it took.
NODE = re.compile(r"^(?P<mark>[✓✗]) (?P<node>\S+) +\S+ +(?:\d+ (?:h|min) )*[\d.]+ m?s(?: +(?P<told>.*))?$")
# `✓ auc >= 0.7   0.78 [0.72, 0.85]`: a decision, there and here.
DECISION = re.compile(r"^ *(?P<mark>[✓✗]) (?P<condition>.*?(?:<=|>=|==|<|>).*?) {2,}(?P<told>.*)$")
CONTAINER = re.compile(r"^(?P<mark>[✓✗]) (?P<node>\S+)(?: {2}(?P<told>.*))?$")


def decisions(text: str) -> list:
    """Every condition that was decided, and by what; of latencies only how it was decided."""
    found = []
    for line in text.splitlines():
        if (match := DECISION.match(line)) and not NODE.match(line):
            told = "" if "latency" in match["condition"] else match["told"]
            found.append((match["mark"], match["condition"].strip(), told))
    return sorted(found)


def told(pattern: re.Pattern, text: str, nodes: set | None = None) -> dict:
    """What each node that succeeded said."""
    found = {}
    for line in text.splitlines():
        match = pattern.match(line)
        if match and match["mark"] == "✓" and (nodes is None or match["node"] in nodes) and match["told"]:
            found[match["node"]] = match["told"].strip()
    return found


def here(project: Path, arguments: dict) -> subprocess.CompletedProcess:
    """A run by the local executor."""
    words = [word for name, value in arguments.items() for word in ("-p", f"{name}={json.dumps(value)}")]
    kept = {name: value for name, value in os.environ.items() if name.startswith(("MLP_CACHE", "PIP_"))}
    return subprocess.run(
        [os.environ["MLP"], "run", *words],
        cwd=project,
        env={"PATH": os.environ["PATH"], "HOME": str(project), "NO_COLOR": "1", **kept},
        capture_output=True,
        text=True,
        check=False,
    )


def check(case: Case) -> None:
    source = ROOT / "examples" / case.example
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for copy in ("here", "there"):
            shutil.copytree(source, folder / copy, ignore=shutil.ignore_patterns(".mlp", "build"))
        built = mlp("build", str(folder / "there"), "--target", "kubeflow", "-o", str(folder / "built"))
        expect(built.returncode == 0, f"it does not build:\n{built.stdout}{built.stderr}")
        path = language.specification(folder / "built", case.example)
        for arguments, succeeds in case.runs:
            run.use(path, arguments)
            ours = here(folder / "here", arguments)
            expect((ours.returncode == 0) == succeeds, f"mlp run: {ours.returncode}\n{ours.stdout}{ours.stderr}")
            theirs = run.run(path, arguments, folder / "there")
            printed = "\n".join(container.output for container in theirs.ran)
            expect(theirs.succeeded == succeeds, f"{theirs.error}\n{printed}")
            decided = decisions(ours.stdout)
            expect(bool(decided) and decided == decisions(printed), f"{decided}\ninstead of\n{decisions(printed)}")
            said = told(NODE, ours.stdout)
            other = told(CONTAINER, printed, set(said))
            wrong = [f"{node}: {said[node]} / {other[node]}" for node in set(said) & set(other) if said[node] != other[node]]
            expect(not wrong, "\n".join(wrong))


if __name__ == "__main__":
    main(check, CASES)
