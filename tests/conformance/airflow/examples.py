"""The examples, from data to a model in service, in the real Airflow: what every stage says and decides is what `mlp run`
says and decides, to the digit. Only how fast a model answers may differ.
"""

import shutil
import tempfile
from pathlib import Path

import dags
from programs import environment, with_target
from stages import CASES, ELSEWHERE, NODE, Case, decisions, here, told
from suite import ROOT, expect, main, mlp


def check(case: Case) -> None:
    source = ROOT / "examples" / case.example
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        shutil.copytree(source, folder / "here", ignore=shutil.ignore_patterns(".mlp", "build"))
        with_target(folder / "here", folder / "there", folder / "root")
        built = mlp("build", str(folder / "there"), "--target", "airflow", "-o", str(folder / "built"))
        expect(built.returncode == 0, f"it does not build:\n{built.stdout}{built.stderr}")
        with dags.placed(folder / "built"):
            for arguments, succeeds in case.runs:
                ours = here(folder / "here", arguments)
                expect((ours.returncode == 0) == succeeds, f"mlp run: {ours.returncode}\n{ours.stdout}{ours.stderr}")
                theirs = dags.test(case.example, arguments, environment(folder / "there"))
                expect(theirs.succeeded == succeeds, theirs.told())
                log = "\n".join(line.removeprefix("info ") for line in theirs.log.splitlines())
                decided = decisions(ours.stdout)
                expect(bool(decided) and decided == decisions(log), f"{decided}\ninstead of\n{decisions(log)}\n{log[-3000:]}")
                said = told(NODE, ours.stdout)
                other = told(ELSEWHERE, log, set(said))
                wrong = [f"{node}: {said[node]} / {other[node]}" for node in set(said) & set(other) if said[node] != other[node]]
                expect(not wrong, "\n".join(wrong))


if __name__ == "__main__":
    main(check, CASES, prepare=dags.enter)
