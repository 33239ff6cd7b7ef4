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

import yaml
from kfp import compiler

import language
import strict
from difference import difference
from run import quiet
from suite import Broken, expect, main, mlp

# How a value becomes another one that the schema allows.
MEANINGS = {
    "image": lambda image: f"{image}0",
    "condition": lambda condition: f"!({condition})",
    "constant": lambda value: not value if isinstance(value, bool) else value + (1 if isinstance(value, float) else "x"),
    "maxRetryCount": lambda count: count + 1,
    "parallelismLimit": lambda count: count + 1,
    "enableCache": lambda enabled: not enabled,
    "raw": lambda _: "[]",
}
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


def changed(document, path=()):
    """The document with one thing changed, for each thing that has a meaning: where it stands, and the changed document."""
    if isinstance(document, dict):
        for key, value in document.items():
            place = (*path, key)
            if key in MEANINGS and not isinstance(value, (dict, list)):
                yield place, {**document, key: MEANINGS[key](value)}
            elif key in ("command", "args") and isinstance(value, list):
                yield place, {**document, key: [*value, "one more"]}
            else:
                yield from ((where, {**document, key: inner}) for where, inner in changed(value, place))
    elif isinstance(document, list):
        for index, value in enumerate(document):
            for where, inner in changed(value, (*path, index)):
                yield where, [*document[:index], inner, *document[index + 1 :]]


def is_graph(specification: dict, task: tuple) -> bool:
    """Whether a task, by its place, runs a graph."""
    at = specification
    for key in task:
        at = at[key]
    return "dag" in specification["components"][at["componentRef"]["name"]]


def noticed(path: Path, target: Path) -> None:
    """The comparison notices each change of what kfp compiled; else that both sides are equal would say nothing."""
    theirs, other = target / "kfp.yaml", target / "changed.yaml"
    documents = list(yaml.safe_load_all(theirs.read_text(encoding="utf-8")))
    changes = 0
    for place, document in changed(documents[0]):
        if place[-2:] == ("cachingOptions", "enableCache") and is_graph(documents[0], place[:-2]):
            continue  # The platforms reuse outputs of containers alone.
        other.write_text(yaml.safe_dump_all([document, *documents[1:]]), encoding="utf-8")
        expect(difference(theirs, other), f"the comparison misses a change of {'.'.join(map(str, place))}")
        changes += 1
    expect(changes > 1, "nothing was changed")


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
        noticed(path, target)
        marked(marks.get("not_imported"), "not_imported", lambda: imported(path, target))


if __name__ == "__main__":
    main(check, {path.stem: path for path in sorted(FOLDER.glob("*.py"))})
