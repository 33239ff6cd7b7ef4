"""Texts that break programs which put texts together, in every place where a user can write one.

For each text a program is written that has it in documentation, defaults, enum values, keys, constants, list items,
arguments, environment and conditions; what it gives must be the text, unchanged, as the real parser reads the file and as
the real orchestration runs it.

Values that a run passes in are the platform's: where they look like its own placeholders (`{{$.…}}`), Kubeflow replaces
them in any pipeline, so such texts are only checked where a program holds them. The orchestration is the mended one: stock
kfp.local splices values into the text of conditions.
"""

import tempfile
from pathlib import Path

import language
import run
import strict
from suite import expect, main, mlp
from texts import ENORMOUS, TEXTS, documented, inside, lines

PROGRAM = """\
//! Written by the test.

enum Kind {{ plain, odd = {text} }}

{documentation}
step show(text: string) -> string {{
  run: command ["sh", "-c", "printf '%s' \\"$1\\" > $2", "-", "{{text}}", "{{output}}"]
}}

{documentation}
step imaged(text: string) -> string {{
  run:   command ["sh", "-c", "printf '%s' \\"$1\\" > $2", "-", "{{text}}", "{{output}}"]
  image: "example.com/sh@sha256:{digest}"
}}

step argument() -> string {{
  run: command ["sh", "-c", "printf '%s' \\"$1\\" > $2", "-", {text}, "{{output}}"]
}}

step environment() -> string {{
  run: command ["sh", "-c", "printf '%s' \\"$TEXT\\" > $1", "-", "{{output}}"]
  env: {{ TEXT: {text} }}
}}

{environment_imaged}

{documentation}
pipeline constants(number: int = 1) -> (constant: string, {imaged_output}argument: string, environment: string, {second_output}mixed: string) {{
  return (
    constant: show({text}),
    {imaged}
    argument: argument(),
    environment: environment(),
    {second}
    mixed: show({mixed}),
  )
}}

{documentation}
pipeline values(
  given: string,
  keyed: map<string>,
  /// {line}
  text: string = {text},
  kind: Kind = odd,
) -> (given: string, imaged: string, text: string, keyed: map<string>, kind: Kind, branch: string, items: list<string>) {{
  let branch = if given == {text} && kind == odd && text in ["x", {text}] {{ show("yes") }} else {{ show("no") }}
  for item in [{text}, "x"] {{
    let items = show(item)
  }}
  return (
    given: show(given),
    imaged: imaged(given),
    text: show(text),
    keyed: keyed,
    kind: kind,
    branch: branch,
    items: items,
  )
}}
"""
ENVIRONMENT = """\
step environment_imaged() -> string {{
  run:   command ["sh", "-c", "printf '%s' \\"$TEXT\\" > $1", "-", "{{output}}"]
  image: "example.com/sh@sha256:{digest}"
  env:   {{ TEXT: {text} }}
}}
"""
# A text that no step is given: only the platform's own parts of the file hold it.
IDLE = """\
{documentation}
pipeline values(given: string, keyed: map<string>, text: string = {text}) -> (text: string, given: string, keyed: map<string>) {{
  return (text: text, given: given, keyed: keyed)
}}
"""
DIGEST = "5" * 64


def program(text: str, imaged: bool) -> str:
    """The program of a text, with it in containers with an image of their own if so wished."""
    quoted = f'"{inside(text)}"'
    return (IDLE if text == ENORMOUS else PROGRAM).format(
        text=quoted,
        mixed='"{number}' + inside(text) + '{number}"',
        documentation=documented(text),
        line=text.split("\n")[0],
        digest=DIGEST,
        environment_imaged=ENVIRONMENT.format(text=quoted, digest=DIGEST) if imaged else "",
        imaged=f"imaged: imaged({quoted})," if imaged else "",
        imaged_output="imaged: string, " if imaged else "",
        second="second: environment_imaged()," if imaged else "",
        second_output="second: string, " if imaged else "",
    )


def build(text: str, folder: Path) -> Path:
    """Builds the program of a text. What the platform would take for a placeholder cannot be given to an image as it is,
    and that is said."""
    project = folder / "project"
    project.mkdir()
    (project / "mlp.toml").write_text('name = "hostile"\n')

    def builds(imaged: bool):
        (project / "main.mlp").write_text(program(text, imaged), encoding="utf-8", newline="")
        return mlp("build", str(project), "--target", "kubeflow", "-o", str(folder / "built"))

    if "{{" in text and text != ENORMOUS:
        told = " ".join((refused := builds(imaged=True)).stderr.split())
        expect(refused.returncode != 0 and "a placeholder" in told, f"{refused.returncode}: {told[:1000]}")
    built = builds(imaged="{{" not in text)
    expect(built.returncode == 0, f"it does not build:\n{(built.stdout + built.stderr)[:3000]}")
    return folder / "built"


def parsed_unchanged(text: str, built: Path) -> None:
    """What the real parser reads: the default, the documentation, the environment."""
    values = strict.parse(language.specification(built, "values"))
    inputs = values.pipeline.root.input_definitions.parameters
    expect(inputs["text"].default_value.string_value == text, f"default {inputs['text'].default_value.string_value[:200]!r}")
    expect(text == ENORMOUS or inputs["kind"].default_value.string_value == text, f"enum {inputs['kind'].default_value.string_value[:200]!r}")
    told = values.pipeline.pipeline_info.description or values.pipeline.root.input_definitions.parameters["text"].description
    expect(lines(told) == lines(text), f"description {told[:200]!r}")
    if text == ENORMOUS:
        return
    constants = strict.parse(language.specification(built, "constants"))
    environment = {
        variable.value
        for executor in constants.deployment.executors.values()
        for variable in executor.container.env
        if variable.name == "TEXT"
    }
    expect(environment == ({text} if "{{" not in text else set()), f"environment {environment!r}"[:300])


def same(found: run.Outcome, expected: dict) -> None:
    expect(found.succeeded, f"{found.error}\n{found.log()[-3000:]}")
    wrong = {name: found.outputs[name] for name, value in expected.items() if found.outputs[name] != value}
    expect(not wrong, f"{wrong!r}"[:2000])


def comes_back(text: str) -> None:
    """Builds, parses and runs the program of a text."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        built = build(text, folder)
        parsed_unchanged(text, built)
        given = {"given": text, "keyed": {text: text}}
        run.use(language.specification(built, "values"), given)
        if text == ENORMOUS:
            return
        run.use(language.specification(built, "constants"), {})
        constants = run.run(language.specification(built, "constants"), {}, folder, repaired=True)
        held = dict.fromkeys(set(constants.outputs or {}) - {"mixed"}, text)
        same(constants, {**held, "mixed": f"1{text}1"})
        if "{{$" not in text:
            values = run.run(language.specification(built, "values"), given, folder, repaired=True)
            expected = {**dict.fromkeys(["given", "imaged", "text", "kind"], text), "keyed": {text: text}}
            same(values, {**expected, "branch": "yes", "items": [text, "x"]})


if __name__ == "__main__":
    main(comes_back, {**TEXTS, "a megabyte": ENORMOUS})
