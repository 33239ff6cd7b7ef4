"""The examples, from data to a model in service, under real `kfp.local`: what every stage says and decides is what
`mlp run` says and decides, to the digit. Only how fast a model answers may differ.
"""

import shutil
import tempfile
from pathlib import Path

import language
import run
from stages import CASES, ELSEWHERE, NODE, Case, decisions, here, told
from suite import ROOT, expect, main, mlp


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
            other = told(ELSEWHERE, printed, set(said))
            wrong = [f"{node}: {said[node]} / {other[node]}" for node in set(said) & set(other) if said[node] != other[node]]
            expect(not wrong, "\n".join(wrong))


if __name__ == "__main__":
    main(check, CASES)
