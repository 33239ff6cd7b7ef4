"""What a specification means, so that two can be compared: `python3 difference.py A.yaml B.yaml`.

A pipeline means its containers: for each what it runs with which settings, where every input comes from in the end, under
which conditions, in which loops, after what; and the pipeline's own inputs and outputs. Containers have no names here: one
is known by what it means. So names of components, executors, tasks and injected inputs do not count, nor how groups are
nested, numbered and wrapped, nor whether components are shared or called pipelines copied; a condition `!(a) && b` is the
same as `b` within `!(a)`. Names of what users see of a container, its inputs and outputs, count.

Display names and descriptions are not compared, nor containers that only check what the platform's types cannot say.
"""

import difflib
import functools
import hashlib
import json
import re
import sys
from dataclasses import dataclass
from pathlib import Path

import celpy
import lark
from google.protobuf import json_format

import strict

PLACEHOLDER = re.compile(r"\{\{\$\.inputs\.parameters\['([^']*)'\]\}\}")
UNITS = {"m": 1e-3, "K": 1e3, "M": 1e6, "G": 1e9, "T": 1e12, "Ki": 2**10, "Mi": 2**20, "Gi": 2**30, "Ti": 2**40}
DEFAULT_RETRY = {"backoffDuration": "0s", "backoffFactor": 2.0, "backoffMaxDuration": "3600s"}
CEL = celpy.Environment()


@dataclass(frozen=True)
class Output:
    """What a container gives."""

    container: tuple
    key: str


@dataclass
class Container:
    """A container with all that decides what it does; `path` is where it stands in the file."""

    path: tuple
    task: dict
    component: dict
    inputs: dict
    guards: tuple


def condition(text: str, inputs: dict) -> list:
    """The parts of a condition that must all hold, over where its values come from."""

    def walk(tree):
        if isinstance(tree, lark.Token):
            return token(tree)
        children = [walk(child) for child in tree.children]
        match tree.data, children:
            case "member_index", [["member_dot", "inputs", "parameter_values"], ["text", name]]:
                return ["value", inputs.get(name, ["nowhere", name])]
            case "ident_arg", ["int", [argument]]:
                # All numbers are doubles there, so that kfp's conversion says nothing.
                return argument
            case "exprlist", arguments:
                return arguments
            case "unary", [[sign], operand]:
                return [sign, operand]
            case "conditionaland", [_, _]:
                return ["and", *[part for child in children for part in conjuncts(child)]]
            case ("relation" | "addition" | "multiplication"), [[operator, left], right]:
                return [operator, left, right]
            case name, [only] if "_" not in name or name == "paren_expr":
                return only
            case name, _:
                return [name, *children]

    return conjuncts(walk(CEL.compile(text)))


def conjuncts(tree) -> list:
    return tree[1:] if isinstance(tree, list) and tree[:1] == ["and"] else [tree]


def token(token: lark.Token):
    match token.type:
        case "INT_LIT" | "UINT_LIT" | "FLOAT_LIT":
            return ["number", float(token)]
        case "STRING_LIT" | "MLSTRING_LIT":
            return ["text", str(CEL.program(CEL.compile(str(token))).evaluate({}))]
        case _:
            return str(token)


class Meaning:
    """One file."""

    def __init__(self, path: Path):
        parsed = strict.parse(path)
        self.pipeline = json_format.MessageToDict(parsed.pipeline)
        self.executors = json_format.MessageToDict(parsed.deployment).get("executors", {})
        self.kubernetes = {label: json_format.MessageToDict(found) for label, found in parsed.kubernetes.items()}
        self.platform = json_format.MessageToDict(parsed.platform)
        self.containers = {}
        root = self.pipeline["root"]
        names = inputs_of(root)
        self.walk(root, {name: ["parameter", name] for name in names}, (), ())

    def component(self, task: dict) -> dict:
        return self.pipeline["components"][task["componentRef"]["name"]]

    # Where things come from.

    def walk(self, graph: dict, scope: dict, path: tuple, guards: tuple) -> None:
        """Notes every container below a graph."""
        tasks = graph["dag"].get("tasks", {})
        for name, task in tasks.items():
            here = (*path, name)
            component = self.component(task)
            inputs = self.inputs(task, component, scope, tasks, path)
            inner = (*guards, *self.guards(task, inputs, path))
            iterator = task.get("parameterIterator") or task.get("artifactIterator")
            if iterator:
                inputs[iterator["itemInput"]] = ["item", inner[-1][1]]
            if "dag" in component:
                self.walk(component, inputs, here, inner)
            elif not self.only_checks(component):
                self.containers[here] = Container(here, task, component, inputs, inner)

    def only_checks(self, component: dict) -> bool:
        """Whether a container of ours does no more than refuse values that the platform's types would let through."""
        executor = self.executors[component["executorLabel"]]
        return executor.get("container", {}).get("command", [""])[0] == "mlp" and "outputDefinitions" not in component

    def inputs(self, task: dict, component: dict, scope: dict, tasks: dict, path: tuple) -> dict:
        """Where every input of a task comes from, defaults included."""
        given = task.get("inputs", {})
        found = {name: self.source(value, scope, tasks, path) for name, value in given.get("parameters", {}).items()}
        for name, value in given.get("artifacts", {}).items():
            found[name] = self.source(value, scope, tasks, path)
        for name, declared in component.get("inputDefinitions", {}).get("parameters", {}).items():
            if name not in found:
                found[name] = ["constant", declared["defaultValue"]] if "defaultValue" in declared else ["absent"]
        return {name: self.inlined(source, found) for name, source in found.items()}

    def source(self, value: dict, scope: dict, tasks: dict, path: tuple):
        selector = value.get("parameterExpressionSelector")
        match value:
            case {"componentInputParameter": name} | {"componentInputArtifact": name}:
                found = scope.get(name, ["nowhere", name])
            case {"taskOutputParameter": {"producerTask": task, "outputParameterKey": key}}:
                found = self.output(tasks, task, "parameters", key, path)
            case {"taskOutputArtifact": {"producerTask": task, "outputArtifactKey": key}}:
                found = self.output(tasks, task, "artifacts", key, path)
            case {"runtimeValue": {"constant": constant}}:
                found = ["constant", constant]
            case {"taskFinalStatus": {"producerTask": task}}:
                found = ["status", (*path, task)]
            case _:
                found = ["nowhere", value]
        return ["field", selector, found] if selector else found

    def output(self, tasks: dict, name: str, kind: str, key: str, path: tuple):
        """What an output of a task is in the end."""
        if name not in tasks:
            return ["nowhere", name]
        component = self.component(tasks[name])
        here = (*path, name)
        if "dag" not in component:
            return Output(here, key)
        below = component["dag"].get("tasks", {})
        selected = component["dag"].get("outputs", {}).get(kind, {}).get(key, {})
        selectors = (
            selected.get("artifactSelectors")
            or selected.get("valueFromOneof", {}).get("parameterSelectors")
            or [selected["valueFromParameter"]]
        )
        keyed = "outputParameterKey" if kind == "parameters" else "outputArtifactKey"
        found = [self.output(below, one["producerSubtask"], kind, one[keyed], here) for one in selectors]
        # A branch of a branch is one choice among all their arms.
        arms = [arm for one in found for arm in (one[1:] if isinstance(one, list) and one[0] == "oneof" else [one])]
        inner = arms[0] if len(arms) == 1 else ["oneof", *arms]
        repeated = "parameterIterator" in tasks[name] or "artifactIterator" in tasks[name]
        return ["gather", inner] if repeated else inner

    def inlined(self, source, inputs: dict):
        """A constant text with other inputs in it."""
        if not (isinstance(source, list) and source[0] == "constant" and isinstance(source[1], str)):
            return source
        parts = PLACEHOLDER.split(source[1])
        if len(parts) == 1:
            return source
        values = [part if index % 2 == 0 else inputs.get(part, ["nowhere", part]) for index, part in enumerate(parts)]
        return ["text", *[value for value in values if value != ""]]

    def guards(self, task: dict, inputs: dict, path: tuple) -> list:
        """What decides whether and how often a task runs."""
        found = []
        policy = task.get("triggerPolicy", {})
        if policy.get("strategy") == "ALL_UPSTREAM_TASKS_COMPLETED":
            found.append(["completed"])
        if "condition" in policy:
            found.append(["when", *condition(policy["condition"], inputs)])
        if iterator := task.get("parameterIterator") or task.get("artifactIterator"):
            items = iterator["items"]
            over = (
                ["constant", json.loads(items["raw"])]
                if "raw" in items
                else inputs[items.get("inputParameter") or items.get("inputArtifact")]
            )
            found.append(["for", over, task.get("iteratorPolicy", {}).get("parallelismLimit", 0)])
        return found

    # What it means.

    def canonical(self, value):
        """The same with containers known by what they mean."""
        if isinstance(value, Output):
            return ["output", self.identity(value.container), value.key]
        if isinstance(value, list) and value[:1] == ["status"]:
            return ["status", sorted(self.identity(path) for path in self.containers if below(value[1], path))]
        if isinstance(value, list) and value[:1] == ["oneof"]:
            return ["oneof", *sorted((self.canonical(arm) for arm in value[1:]), key=json.dumps)]
        if isinstance(value, list | tuple):
            return [self.canonical(item) for item in value]
        if isinstance(value, float) and value.is_integer():
            return int(value)
        if isinstance(value, dict):
            return {key: self.canonical(item) for key, item in value.items()}
        return value

    @functools.cache
    def identity(self, path: tuple) -> str:
        text = json.dumps(self.container(path), sort_keys=True)
        return hashlib.sha256(text.encode()).hexdigest()[:12]

    def container(self, path: tuple) -> dict:
        """A container without what it merely waits for."""
        found = self.containers[path]
        label = found.component["executorLabel"]
        executor = self.executors[label]
        inputs = {name: source for name, source in found.inputs.items() if not injected(name, found, executor)}
        types = definitions(found.component.get("inputDefinitions", {}))
        return {
            **runs(executor),
            "inputs": {name: [types.get(name, "undeclared"), self.canonical(value)] for name, value in inputs.items()},
            "outputs": definitions(found.component.get("outputDefinitions", {})),
            "guards": merged(self.canonical(found.guards)),
            "retry": {**DEFAULT_RETRY, **retry} if (retry := found.task.get("retryPolicy")) else None,
            "cache": found.task.get("cachingOptions", {}),
            "kubernetes": self.settings(label),
        }

    def settings(self, label: str) -> dict:
        """Settings of the Kubernetes document, each in its one lasting spelling."""
        found = json.loads(json.dumps(self.kubernetes.get(label, {})))
        for entries in found.values():
            for entry in entries if isinstance(entries, list) else []:
                if isinstance(entry, dict):
                    entry.pop("volumeName", None)
                    if "secretNameParameter" in entry:
                        entry.pop("secretName", None)
                    if "configMapNameParameter" in entry:
                        entry.pop("configMapName", None)
                    if entry.get("optional") is False:
                        entry.pop("optional")
        return found

    @functools.cache
    def waits(self, path: tuple) -> frozenset:
        """Every container that ends before this one begins."""
        before = set()
        graph = self.pipeline["root"]
        for depth, name in enumerate(path):
            task = graph["dag"]["tasks"][name]
            for other in task.get("dependentTasks", []):
                group = (*path[:depth], other)
                before.update(found for found in self.containers if below(group, found))
            graph = self.component(task)
        return frozenset(before.union(*(self.waits(other) for other in before)))

    def whole(self) -> dict:
        """All that is compared."""
        root = self.pipeline["root"]
        containers = []
        for path in self.containers:
            after = sorted(self.identity(other) for other in self.waits(path))
            containers.append({"identity": self.identity(path), **self.container(path), "after": after})
        outputs = {}
        for kind in ("parameters", "artifacts"):
            for key in root.get("outputDefinitions", {}).get(kind, {}):
                graph = {"self": {"componentRef": {"name": "root"}}}
                self.pipeline["components"]["root"] = root
                outputs[key] = self.canonical(strip(self.output(graph, "self", kind, key, ("",))))
        return {
            "name": self.pipeline["pipelineInfo"]["name"],
            "root": self.pipeline.get("defaultPipelineRoot"),
            "inputs": root_inputs(root),
            "outputs": [definitions(root.get("outputDefinitions", {})), outputs],
            "containers": sorted(containers, key=lambda one: json.dumps(one, sort_keys=True)),
            "pipeline": self.platform.get("platforms", {}).get("kubernetes", {}).get("pipelineConfig"),
        }


def strip(value):
    """Outputs of the root are found one level down; their containers are named from the root."""
    if isinstance(value, Output):
        return Output(value.container[2:], value.key)
    return [strip(item) for item in value] if isinstance(value, list) else value


def below(group: tuple, path: tuple) -> bool:
    return path[: len(group)] == group


def inputs_of(component: dict) -> list:
    defined = component.get("inputDefinitions", {})
    return [*defined.get("parameters", {}), *defined.get("artifacts", {})]


def injected(name: str, container: Container, executor: dict) -> bool:
    """Whether an input is there only for the text of another one."""
    if name not in inputs_of(container.component):
        return True
    held = json.dumps(container.task.get("inputs", {}))
    placeholder = f"{{{{$.inputs.parameters['{name}']}}}}"
    return placeholder in held and placeholder not in json.dumps(executor) and '"{{$}}"' not in json.dumps(executor)


def definitions(defined: dict) -> dict:
    """The types of inputs or outputs."""
    found = {name: one["parameterType"] for name, one in defined.get("parameters", {}).items()}
    for name, one in defined.get("artifacts", {}).items():
        schema = one.get("artifactType", {})
        found[name] = [schema.get("schemaTitle"), schema.get("schemaVersion"), one.get("isArtifactList", False)]
    return found


def root_inputs(root: dict) -> dict:
    found = {}
    for name, one in root.get("inputDefinitions", {}).get("parameters", {}).items():
        found[name] = [one["parameterType"], one.get("isOptional", False), one.get("defaultValue")]
    for name, one in root.get("inputDefinitions", {}).get("artifacts", {}).items():
        found[name] = [one.get("artifactType", {}).get("schemaTitle"), one.get("isOptional", False)]
    return found


def merged(guards: list) -> list:
    """Conditions that stand in one another are one, whose parts have no order."""
    found = []
    for guard in guards:
        if guard[0] == "when" and found and found[-1][0] == "when":
            found[-1] = ["when", *found[-1][1:], *guard[1:]]
        else:
            found.append(guard)
    return [["when", *sorted(guard[1:], key=json.dumps)] if guard[0] == "when" else guard for guard in found]


def quantity(text) -> float | str:
    """`500m`, `16Gi` as a number; a placeholder as it is."""
    match = re.fullmatch(r"([0-9.]+)([a-zA-Z]*)", str(text))
    return float(match[1]) * UNITS.get(match[2], 1) if match else text


def runs(executor: dict) -> dict:
    """What an executor does."""
    container = executor.get("container")
    if container is None:
        return {"importer": executor.get("importer")}
    resources = container.get("resources", {})
    accelerator = resources.get("accelerator", {})
    limits = {
        "cpu": resources.get("resourceCpuLimit", resources.get("cpuLimit")),
        "memory": resources.get("resourceMemoryLimit"),
        "cpu asked": resources.get("resourceCpuRequest", resources.get("cpuRequest")),
        "memory asked": resources.get("resourceMemoryRequest"),
        "accelerators": accelerator.get("resourceCount", accelerator.get("count")),
    }
    return {
        "image": container.get("image"),
        "argv": [*container.get("command", []), *container.get("args", [])],
        "environment": {one["name"]: one.get("value", "") for one in container.get("env", [])},
        "resources": {name: quantity(value) for name, value in limits.items() if value is not None},
        "accelerator": accelerator.get("resourceType", accelerator.get("type")),
    }


def difference(left: Path, right: Path) -> str:
    """What differs in meaning, line by line; empty when nothing does."""
    texts = [json.dumps(Meaning(path).whole(), indent=1, sort_keys=True).splitlines() for path in (left, right)]
    return "\n".join(difflib.unified_diff(*texts, left.name, right.name, n=4, lineterm=""))


if __name__ == "__main__":
    found = difference(Path(sys.argv[1]), Path(sys.argv[2]))
    print(found or "equal")
    sys.exit(1 if found else 0)
