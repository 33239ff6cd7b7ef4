"""What a plan says of a pipeline, flat: every step with the loops and arms around it and the steps that it waits for.

Read from what `mlp build --target plan` writes, with nothing of how the Airflow target lowers it.
"""

import json
from dataclasses import dataclass, field
from pathlib import Path


@dataclass
class Step:
    """A node that does something: a step or an operation."""

    path: str
    loops: list
    needs: set = field(default_factory=set)
    finally_: bool = False


@dataclass
class Scope:
    """Where the walk is: names, and what they lead to."""

    prefix: str = ""
    nodes: dict = field(default_factory=dict)
    parameters: dict = field(default_factory=dict)
    items: dict = field(default_factory=dict)
    loops: list = field(default_factory=list)
    control: set = field(default_factory=set)
    finally_: bool = False

    def inside(self, **changed) -> "Scope":
        return Scope(**{**self.__dict__, **changed})


def references(operand) -> list:
    """The references in an operand, as the plan writes them."""
    if isinstance(operand, dict):
        found = [operand["reference"]] if "reference" in operand else []
        return found + [one for key, value in operand.items() if key != "reference" for one in references(value)]
    if isinstance(operand, list):
        return [one for value in operand for one in references(value)]
    return []


class Pipeline:
    """A pipeline of a plan with everything that it calls."""

    def __init__(self, plan: dict, name: str):
        self.plan = plan
        self.steps = {}
        self.loops = {}
        scope = Scope()
        self.walk(plan["pipelines"][name]["graph"], scope)
        outputs = plan["pipelines"][name].get("outputs", [])
        self.returned = {output["name"]: self.steps_of(output["value"], scope) for output in outputs}

    def walk(self, graph: dict, scope: Scope) -> None:
        for node in graph["nodes"]:
            kind, details = next(iter(node["kind"].items()))
            path = scope.prefix + node["id"]
            waits = set(scope.control)
            for value in node.get("inputs", []):
                waits |= self.steps_of(value.get("value"), scope)
            for other in node.get("after", []):
                waits |= self.below(scope.prefix + other)
            getattr(self, f"walk_{kind}", self.walk_step)(node, path, details, scope.inside(control=waits))

    def walk_step(self, node: dict, path: str, details: dict, scope: Scope) -> None:
        self.steps[path] = Step(path, list(scope.loops), scope.control, scope.finally_)
        scope.nodes[path] = {port["name"]: {path} for port in node.get("outputs", [])}

    def walk_branch(self, node: dict, path: str, branch: dict, scope: Scope) -> None:
        decided = scope.control | self.steps_of(branch["condition"], scope)
        for arm in ("then", "otherwise"):
            self.walk(branch[arm], scope.inside(control=decided))
        values = branch.get("values", [])
        ports = [port["name"] for port in node.get("outputs", [])]
        scope.nodes[path] = {
            port: set().union(*(self.steps_of(value, scope) for value in pair))
            for port, pair in zip(ports, values, strict=True)
        }

    def walk_loop(self, node: dict, path: str, loop: dict, scope: Scope) -> None:
        items = self.steps_of(loop["items"], scope)
        self.loops[path] = list(scope.loops)
        body = scope.inside(
            control=scope.control | items,
            loops=[*scope.loops, path],
            items={**scope.items, loop["item"]: items},
        )
        self.walk(loop["body"], body)
        ports = [port["name"] for port in node.get("outputs", [])]
        gathered = [self.steps_of(value, body) for value in loop.get("gather", [])]
        scope.nodes[path] = dict(zip(ports, gathered, strict=True))

    def walk_finally(self, node: dict, path: str, graph: dict, scope: Scope) -> None:
        before = {step for step in self.steps if step.startswith(scope.prefix)}
        self.walk(graph, scope.inside(control=scope.control | before, finally_=True))

    def walk_pipeline(self, node: dict, path: str, call: dict, scope: Scope) -> None:
        callee = self.plan["pipelines"][call["pipeline"]]
        given = {value["name"]: self.steps_of(value["value"], scope) for value in node.get("inputs", [])}
        # What an argument waits for, only those wait for that use it; what the call stands after, all of its steps do.
        control = set(scope.control).difference(*given.values())
        inner = scope.inside(prefix=f"{path}/", parameters=given, items={}, control=control)
        self.walk(callee["graph"], inner)
        scope.nodes[path] = {
            output["name"]: self.steps_of(output["value"], inner) for output in callee.get("outputs", [])
        }

    def below(self, path: str) -> set:
        """The steps that a node stands for."""
        inside = {step for step in self.steps if step == path or step.startswith(f"{path}/")}
        return inside.union(*(self.steps_in_loop(step, path) for step in self.steps))

    def steps_in_loop(self, step: str, path: str) -> set:
        return {step} if path in self.steps[step].loops else set()

    def steps_of(self, operand, scope: Scope) -> set:
        """The steps whose outputs an operand is made of."""
        found = set()
        for reference in references(operand):
            kind, name = next(iter(reference.items())) if isinstance(reference, dict) else (reference, None)
            if kind == "output":
                found |= scope.nodes[scope.prefix + name["node"]].get(name["port"], set())
            elif kind == "item":
                found |= scope.items.get(name, set())
            elif kind == "parameter":
                found |= scope.parameters.get(name, set())
        return found


def read(path: Path) -> dict:
    """The plan in a file."""
    return json.loads(path.read_text(encoding="utf-8"))
