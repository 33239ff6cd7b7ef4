"""Texts that break programs which put texts together, in every place where a user can write one.

A program that has all of them in defaults, documentation, enum values, constants, arguments, environment, conditions and
loops is built, read by Python and by Airflow, and run by `dag.test()`: as processes, and as pods, each of which is asked for
by the real operator and begun as a kubelet begins it. What reaches the programs of the user must be the texts, to the byte.
"""

import ast
import json
import os
import re
import subprocess
import tempfile
from pathlib import Path
from unittest import mock

import dags
from programs import environment
from suite import expect, main, mlp
from texts import ENORMOUS, TEXTS, documented, inside, lines

OWN = {
    "jinja": "{{ dag }} {{ run_id }} {% if x %} {%- raw -%} {# gone #} {{ macros.uuid }}",
    "unfinished jinja": "{% {{ {# }",
    "kubernetes": "$(HOME) $$(HOME) $(TEXT) ${HOME} $(",
    "names of characters": "\\N{BULLET} \\u0041 \\U0001f980 \\x41 \\101 \\",
    "directions": "a\u202eb\u2066c\u2069\u200fd\u061c",
    "what is not seen": "a\u200bb\u200cc\u200d\u2060\u00ade\U000e0041",
    "percents": "%s %(a)s %d %% %",
    "three quotes": "\"\"\" ''' \\\"\"\"\" \\",
    "a script": "run.sh",
    "a file of json": "{{ dag }}.json",
    "a page": "READ.md",
    "a variable": "__file__ TASKS f'{ROOT}'",
}
ALL = {**TEXTS, **OWN}
TARGETS = """\
target processes: airflow {{ runner: local, root: "{root}", owner: {owner}, tags: [{tag}] }}
target pods: airflow {{ root: "s3://mlp/pods", owner: {owner}, tags: [{tag}] }}
"""
# One text in every place of a DAG that people read.
READ = """\
enum Kind {{ plain, odd = {text} }}

record Pair {{ first: string, second: list<string> }}

{documentation}
step show(
  text: string,
  kind: Kind
) -> string {{
  run: command ["sh", "-c", "printf '%s' \\"$1\\" > $0", "{{output}}", "{{text}}", {text}, "{{kind}}"]
  env: {{ TEXT: {text} }}
}}

{documentation}
pipeline read(
  {documentation}
  text: string = {text},
  kind: Kind = odd,
  pair: Pair = {{ first: {text}, second: [{text}] }},
  keyed: map<string> = {{ `key`: {text} }},
) -> (one: string, two: string) {{
  return (one: show(text, kind), two: show({text}, odd))
}}

pipeline started(text: string, keyed: map<string>) -> (text: string, keyed: map<string>) {{
  return (text: text, keyed: keyed)
}}

trigger nightly for started {{ cron: "0 2 * * *", parameters: {{ text: {text}, keyed: {{ `key`: {text} }} }} }}
"""
# A text that is longer than what may be said to a program: only the platform's own parts hold it.
IDLE = """\
{documentation}
pipeline read(
  {documentation}
  text: string = {text},
) -> string {{
  return "nothing"
}}
"""
# All texts at once, for a run.
RUN = """\
{enums}

step show({inputs}, all: list<string>) -> File {{
  run: command ["sh", "-c", {script}, "{{output}}", {constants}, {holes}, {mixed}, "{{all}}"]
  env: {{ {variables} }}
}}

step listed(texts: list<string>) -> File {{
  run: command ["sh", "-c", "printf '%s\\\\0' \\"$@\\" > $0", "{{output}}", "{{texts}}"]
}}

step say(text: string) -> string {{
  run: command ["sh", "-c", "printf '%s' \\"$1\\" > $0", "{{output}}", "{{text}}"]
}}

pipeline everything(
  {parameters},
  {kinds},
  given: list<string>,
  keyed: map<string>,
  turns: list<list<string>>,
) -> (shown: File, held: File, kept: File, turned: list<File>, same: string, other: string, among: string, given: list<string>, keyed: map<string>) {{
  let shown = show({passed}, all: given)
  let held  = show({literals}, all: [{literals_listed}])
  let kept  = listed([{passed_kinds}])
  let same  = if {equal} {{ say("yes") }} else {{ say("no") }}
  let other = if {unequal} {{ say("yes") }} else {{ say("no") }}
  let among = if {among} {{ say("yes") }} else {{ say("no") }}
  for turn in turns {{
    let turned = listed(turn)
  }}
  return (shown: shown, held: held, kept: kept, turned: turned, same: same, other: other, among: among, given: given, keyed: keyed)
}}
"""
KUBECONFIG = {
    "apiVersion": "v1",
    "kind": "Config",
    "clusters": [{"name": "none", "cluster": {"server": "http://127.0.0.1:1"}}],
    "users": [{"name": "nobody", "user": {}}],
    "contexts": [{"name": "here", "context": {"cluster": "none", "user": "nobody"}}],
    "current-context": "here",
}


def quoted(text: str) -> str:
    return f'"{inside(text)}"'


def word(text: str) -> str:
    """As much of a text as Airflow has room for among its owners and tags."""
    return re.sub(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]", " ", text)[:90].strip(" \ufeff") or "-"


def built(source: str, words: str, target: str, folder: Path) -> Path:
    """The DAG files of a program."""
    project = folder / "project"
    project.mkdir(exist_ok=True)
    (project / "mlp.toml").write_text('name = "hostile"\n')
    targets = TARGETS.format(root=folder / "root", owner=quoted(words), tag=quoted(words))
    (project / "main.mlp").write_text(f"{targets}\n{source}", encoding="utf-8", newline="")
    done = mlp("build", str(project), "--target", target, "-o", str(folder / target))
    expect(done.returncode == 0, f"it does not build:\n{(done.stdout + done.stderr)[:3000]}")
    return folder / target


def equal(what: str, found, wanted) -> None:
    """Fails with what differs; of two lists only that."""
    if isinstance(found, list) and isinstance(wanted, list) and len(found) == len(wanted):
        differing = [pair for pair in zip(found, wanted, strict=True) if pair[0] != pair[1]]
        found, wanted = [pair[0] for pair in differing], [pair[1] for pair in differing]
    expect(found == wanted, f"{what}: {ascii(found)[:600]}\ninstead of {ascii(wanted)[:600]}")


def told(file: Path) -> dict:
    """What the launcher is told of each task, as Python reads the file."""
    for statement in ast.parse(file.read_bytes()).body:
        if isinstance(statement, ast.Assign) and statement.targets[0].id == "TASKS":
            return {task: json.loads(text) for task, text in ast.literal_eval(statement.value).items()}
    raise AssertionError(f"{file.name} has no TASKS")


# ── What is read ──


def read(text: str) -> None:
    """One text in every place where people or Airflow read one."""
    with tempfile.TemporaryDirectory() as name:
        for target in ("processes", "pods"):
            source = (IDLE if text == ENORMOUS else READ).format(text=quoted(text), documentation=documented(text))
            files = built(source, word(text), target, Path(name))
            with dags.placed(files):
                shown(text, dags.load("read"))
                shown(text, kept("read"))
                if text != ENORMOUS:
                    launched(text, told(files / "read.py"))
                    for dag in (dags.load("started"), kept("started")):
                        equal("parameters of a trigger", dag.params.dump(), {"text": text, "keyed": {"key": text}})


def kept(name: str):
    """The DAG as Airflow's scheduler and pages have it."""
    from airflow.serialization.serialized_objects import DagSerialization

    return DagSerialization.from_dict(json.loads(dags.serialized(name)))


def shown(text: str, dag) -> None:
    """What people see of a DAG."""
    values = {"text": text}
    if text != ENORMOUS:
        values |= {"kind": text, "pair": {"first": text, "second": [text]}, "keyed": {"key": text}}
        equal("an enum", dag.params.get_param("kind").schema["enum"], ["plain", text])
        equal("documentation of a step", lines(dag.get_task("one").doc_md or ""), lines(text))
    equal("parameters", dag.params.dump(), values)
    equal("documentation of a parameter", lines(dag.params.get_param("text").description or ""), lines(text))
    said, _, rest = f"\n\n{dag.doc_md}".partition("\n\nEvery task keeps its outputs below `ROOT/read/RUN/TASK`")
    equal("documentation", lines(said[2:]), lines(text))
    expect("\nVersion " in rest, f"the documentation ends in {rest!r}")
    equal("tags", set(dag.tags), {"mlp", word(text)})
    equal("owner", {task.owner for task in dag.tasks}, {word(text)})


def launched(text: str, tasks: dict) -> None:
    """What the launcher is told."""
    task = tasks["two"]["task"]
    inputs = [one["value"]["value"] for one in task["node"]["inputs"]]
    equal("constants of a call", inputs, [{"string": text}, {"enum": text}])
    step = task["plan"]["steps"]["show"]
    equal("an argument", step["run"]["command"][5], [{"text": text}])
    equal("the environment", step["env"], {"TEXT": text})
    equal("an enum", step["inputs"][1]["ty"]["value"]["kind"]["enum"]["variants"][1]["text"], text)


# ── What is run ──


def program() -> str:
    """All texts, each in every place that a run uses."""
    numbered = list(enumerate(map(quoted, ALL.values())))

    def each(pattern: str, between: str = ", ") -> str:
        return between.join(pattern.format(number=number, text=text) for number, text in numbered)

    names = each('"$TEXT_{number}"', " ")
    return RUN.format(
        enums=each("enum Kind_{number} {{ plain, odd = {text} }}", "\n"),
        inputs=each("text_{number}: string"),
        script=quoted(f"printf '%s\\0' \"$@\" {names} > \"$0\""),
        constants=each("{text}"),
        holes=each('"{{text_{number}}}"'),
        mixed=", ".join(f'"<{{text_{number}}}{text[1:-1]}>"' for number, text in numbered),
        variables=each("TEXT_{number}: {text}"),
        parameters=each("text_{number}: string = {text}", ",\n  "),
        kinds=each("kind_{number}: Kind_{number} = odd", ",\n  "),
        passed=each("text_{number}: text_{number}"),
        literals=each("text_{number}: {text}"),
        literals_listed=each("{text}"),
        passed_kinds=each('"{{kind_{number}}}"'),
        equal=each("text_{number} == {text} && kind_{number} == odd", " && "),
        unequal=each("text_{number} != {text} || kind_{number} == plain", " || "),
        among=each('text_{number} in ["x", {text}]', " && "),
    )


def in_processes(folder: Path) -> dags.Run:
    """Every step is a process of the worker."""
    return begin("processes", folder)


def in_pods(folder: Path) -> dags.Run:
    """Every step is a pod, whose container is begun here."""
    from airflow.providers.cncf.kubernetes.operators.pod import KubernetesPodOperator

    def execute(operator, context):
        equal("template fields", (operator.template_fields, operator.template_ext), (("frame",), ()))
        container = next(one for one in operator.build_pod_request_obj(context).spec.containers if one.name == "base")
        variables = {variable.name: variable.value for variable in container.env if variable.value is not None}
        arguments = [expanded(one, {**variables, "TEXT": "expanded"}) for one in container.args]
        equal("arguments of a pod", arguments, operator.arguments)
        returned = folder / f"{operator.task_id}.json"
        here = {"s3://mlp/pods": str(folder / "root"), "/airflow/xcom/return.json": str(returned)}
        for there, place in here.items():
            arguments = [argument.replace(there, place) for argument in arguments]
        subprocess.run([os.environ["MLP"], *arguments], cwd=folder / "project", check=True)
        return json.loads(returned.read_text(encoding="utf-8")) if operator.do_xcom_push else None

    configuration = folder / "kubeconfig"
    configuration.write_text(json.dumps(KUBECONFIG))
    connection = json.dumps({"conn_type": "kubernetes", "extra": {"kube_config_path": str(configuration)}})
    with mock.patch.object(KubernetesPodOperator, "execute", execute):
        return begin("pods", folder, AIRFLOW_CONN_KUBERNETES_DEFAULT=connection)


def expanded(argument: str, variables: dict) -> str:
    """An argument as a kubelet gives it to a container."""

    def value(found: re.Match) -> str:
        return "$" if found[0] == "$$" else variables.get(found[1], found[0])

    return re.sub(r"\$\$|\$\(([^)]*)\)", value, argument)


def begin(target: str, folder: Path, **variables: str) -> dags.Run:
    """Runs all texts to the end."""
    texts = list(ALL.values())
    given = {"given": texts, "keyed": {text: text for text in texts}, "turns": [texts, texts[:1]]}
    with dags.placed(built(program(), "words", target, folder)):
        return dags.test("everything", given, {**environment(folder / "project"), **variables})


def gave(how) -> None:
    """What every step was given, and what came of it."""
    texts = list(ALL.values())
    with tempfile.TemporaryDirectory() as name:
        run = how(Path(name))
        expect(run.succeeded, run.told())
        outputs = run.returned("pipeline-outputs")
        for output in ("shown", "held"):
            mixed = [f"<{text}{text}>" for text in texts]
            equal(output, content(outputs[output]), [*texts, *texts, *mixed, *texts, *texts])
        equal("enums", content(outputs["kept"]), texts)
        equal("turns", list(map(content, outputs["turned"])), [texts, texts[:1]])
        equal("conditions", [outputs[one] for one in ("same", "other", "among")], ["yes", "no", "yes"])
        equal("outputs", [outputs["given"], outputs["keyed"]], [texts, {text: text for text in texts}])


def content(address: str) -> list:
    """The texts in a file that a step wrote: its arguments, a list as so many of them, then its environment."""
    *texts, last = Path(address.removeprefix("file://")).read_bytes().decode("utf-8").split("\0")
    equal("the end of a file", last, "")
    return texts


def check(case) -> None:
    case()


def cases() -> dict:
    """The runs, which take longest, and each text by its name."""
    runs = {how.__name__: (lambda how=how: gave(how)) for how in (in_processes, in_pods)}
    every = {**ALL, "a megabyte": ENORMOUS}
    return {**runs, **{name: (lambda text=text: read(text)) for name, text in every.items()}}


if __name__ == "__main__":
    main(check, cases(), prepare=dags.enter)
