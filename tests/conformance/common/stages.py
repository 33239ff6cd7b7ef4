"""The examples, and what every stage of a run says and decides; only how fast a model answers may differ between runs."""

import json
import os
import re
import subprocess
from dataclasses import dataclass
from pathlib import Path


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
ELSEWHERE = re.compile(r"^(?P<mark>[✓✗]) (?P<node>\S+)(?: {2}(?P<told>.*))?$")


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
