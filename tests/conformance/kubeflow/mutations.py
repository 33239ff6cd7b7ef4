"""A valid pipeline and the ways to break it (`mutations.json`): who notices, among the real software and us.

Our verifier must refuse every one, which `tests/verify.rs` shows with the same file. Who else does is written down in
`docs/kubeflow-checks.md`, and checked here; `MLP_BLESS=1` writes it anew.
"""

import copy
import difflib
import json
import os
import tempfile
from pathlib import Path

import run
import strict
import vertex
from suite import ROOT, expect, main

FILE = json.loads((Path(__file__).resolve().parent / "mutations.json").read_text(encoding="utf-8"))
TABLE = ROOT / "docs" / "kubeflow-checks.md"
SECRETS = {"store": {"token": "word"}}
VALID = "the pipeline as it is"
# kfp.local sorts tasks by `dependentTasks` alone, from the order in which protobuf gives them, which is another in each process.
BY_CHANCE = {("cycle of dependencies", "run"), ("data edge without dependentTasks", "run")}
CHECKS = ("parse", "load", "use", "run", "PipelineJob")
HEAD = """# What each check finds

One valid pipeline, broken in {count} ways (`tests/conformance/kubeflow/mutations.json`), and who refuses it: the strict parse by
kfp-pipeline-spec 2.17.3; kfp 2.17.0 loading it, calling it in another pipeline and compiling that, and running it on one
machine (`kfp.local`); `PipelineJob` of google-cloud-aiplatform 1.165.1. The verifier of `mlp` refuses them all. Made by the
test `kubeflow` of the command line: `MLP_BLESS=1` writes it anew.

| broken by | parse | load | use | run | PipelineJob |
|---|---|---|---|---|---|
"""


def broken(mutation: dict) -> dict:
    """The file with one thing changed."""
    file = {"spec": copy.deepcopy(FILE["spec"]), "platform": copy.deepcopy(FILE["platform"])}
    if "pointer" not in mutation:
        return file
    *parents, key = [part.replace("~1", "/").replace("~0", "~") for part in mutation["pointer"].split("/")[1:]]
    place = file
    for part in parents:
        place = place[int(part)] if isinstance(place, list) else place[part]
    key = int(key) if isinstance(place, list) else key
    if "value" in mutation:
        place[key] = mutation["value"]
    else:
        del place[key]
    return file


def refused(check) -> bool:
    """Whether a checker raises. Some of kfp's end the process."""
    try:
        with run.quiet():
            check()
    except (Exception, SystemExit):
        return True
    return False


def check(mutation: dict) -> list:
    """Who refuses it: parse, load, use, run, PipelineJob."""
    file = broken(mutation)
    for_vertex = mutation.get("platform") == "vertex"
    documents = [file["spec"]] if for_vertex else [file["spec"], file["platform"]]
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        path = folder / "pipeline.yaml"
        path.write_text("\n---\n".join(json.dumps(document) for document in documents))

        def runs():
            with_run = run.run(path, {}, folder, SECRETS)
            if not with_run.succeeded:
                raise ValueError(with_run.error)

        checks = [
            lambda: strict.parse(path),
            lambda: run.load(path),
            lambda: run.use(path, {}),
            runs,
            lambda: vertex.accepts(file["spec"]),
        ]
        found = [refused(one) for one in checks]
    if mutation["name"] == VALID:
        expect(not any(found), f"the valid pipeline is refused by somebody: {found}")
    return found


def row(name: str, found: list) -> str:
    cells = ["by chance" if (name, check) in BY_CHANCE else "x" if one else "·" for check, one in zip(CHECKS, found)]
    return f"| {name} | {' | '.join(cells)} |\n"


def finish(results: dict) -> str | None:
    """Compares or writes the table."""
    results.pop(VALID)
    certain = lambda check, name: (name, check) not in BY_CHANCE
    sums = [
        sum(found[index] for name, found in results.items() if certain(check, name)) for index, check in enumerate(CHECKS)
    ]
    text = HEAD.format(count=len(results)) + "".join(row(name, found) for name, found in results.items())
    text += f"| **of {len(results)}** | {' | '.join(f'**{one}**' for one in sums)} |\n"
    if os.environ.get("MLP_BLESS"):
        TABLE.write_text(text, encoding="utf-8")
        return None
    known = TABLE.read_text(encoding="utf-8") if TABLE.exists() else ""
    if known != text:
        changes = "".join(difflib.unified_diff(known.splitlines(True), text.splitlines(True), n=0))
        return f"{TABLE.name} is not what comes out; MLP_BLESS=1 writes it anew.\n{changes}"
    return None


if __name__ == "__main__":
    mutations = [{"name": VALID}, *FILE["mutations"]]
    main(check, {mutation["name"]: mutation for mutation in mutations}, finish)
