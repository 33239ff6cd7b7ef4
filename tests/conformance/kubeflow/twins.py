"""Pipelines written in the KFP SDK (`twins/NAME.py`) and in the language (`twins/NAME.mlp`) mean the same.

The first is compiled by the real kfp, here; the second is built by `mlp`. A twin may have a file `NAME.json` with the mark
`failing`: why its two sides differ; when they do not, the mark has to go.
"""

import contextlib
import importlib.util
import json
import os
import tempfile
from pathlib import Path

from kfp import compiler

import language
import strict
from difference import difference
from run import quiet
from suite import Broken, expect, main, mlp

FOLDER = Path(__file__).resolve().parent / "twins"


def pipeline_of(path: Path):
    """The pipeline that a Python file describes. Loading it runs it, so kfp sees the components at once."""
    spec = importlib.util.spec_from_file_location(f"twin_{path.stem}", path)
    module = importlib.util.module_from_spec(spec)
    with open(os.devnull, "w") as nowhere, contextlib.redirect_stdout(nowhere):
        spec.loader.exec_module(module)
    return module.pipeline


def compare(path: Path, target: Path) -> None:
    theirs = target / "kfp.yaml"
    with quiet():
        compiler.Compiler().compile(pipeline_of(path), str(theirs))
    strict.parse(theirs)
    built = mlp("build", str(path.with_suffix(".mlp")), "--target", "kubeflow", "-o", str(target / "ours"))
    expect(built.returncode == 0, f"it does not build:\n{built.stdout}{built.stderr}")
    found = difference(theirs, language.specification(target / "ours", path.stem))
    expect(not found, found)


def check(path: Path) -> None:
    marks = path.with_suffix(".json")
    failing = marks.exists() and "failing" in json.loads(marks.read_text())
    try:
        with tempfile.TemporaryDirectory() as folder:
            compare(path, Path(folder))
    except Broken:
        if failing:
            return
        raise
    expect(not failing, f"it holds: take the mark `failing` out of {marks.name}")


if __name__ == "__main__":
    main(check, {path.stem: path for path in sorted(FOLDER.glob("*.py"))})
