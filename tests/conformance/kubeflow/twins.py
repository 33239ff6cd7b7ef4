"""Pipelines written in the KFP SDK (`twins/NAME.py`) and in the language (`twins/NAME.mlp`) mean the same.

The first is compiled by the real kfp, here; the second is built by `mlp`. What kfp compiled is also imported, and built
again from what that gives. A twin may have a file `NAME.json` with marks: `failing` says why its two sides differ,
`not_imported` why the import does not give the same; when they do, the mark has to go.
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


def imported(path: Path, target: Path) -> None:
    """What kfp compiled, read by `mlp import` and built again, means what it meant."""
    theirs, project = target / "kfp.yaml", target / "imported"
    read = mlp("import", "kubeflow", str(theirs), "-o", str(project))
    expect(read.returncode == 0, f"it is not imported:\n{read.stdout}{read.stderr}")
    source = "\n".join(file.read_text(encoding="utf-8") for file in sorted(project.glob("*.mlp")))
    built = mlp("build", str(project), "--target", "kubeflow", "-o", str(target / "again"))
    expect(built.returncode == 0, f"what was imported does not build:\n{built.stdout}{built.stderr}\n{source}")
    found = difference(theirs, language.specification(target / "again", path.stem))
    expect(not found, f"what was imported means something else:\n{found}\n{source}")


def marked(reason: str | None, name: str, compared) -> None:
    """Runs a comparison that must hold, or one that is marked as broken and must not."""
    try:
        compared()
    except Broken:
        if reason is None:
            raise
    else:
        expect(reason is None, f"it holds: take the mark `{name}` out")


def check(path: Path) -> None:
    file = path.with_suffix(".json")
    marks = json.loads(file.read_text()) if file.exists() else {}
    with tempfile.TemporaryDirectory() as folder:
        target = Path(folder)
        marked(marks.get("failing"), "failing", lambda: compare(path, target))
        marked(marks.get("not_imported"), "not_imported", lambda: imported(path, target))


if __name__ == "__main__":
    main(check, {path.stem: path for path in sorted(FOLDER.glob("*.py"))})
