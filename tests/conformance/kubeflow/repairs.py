"""Mends the orchestration of `kfp.local` 2.17 where it does not do what Kubeflow and Vertex do.

Each mend stands alone; only cases that say why run with them. All together:

* a condition is evaluated by a CEL engine over what the task is given; kfp.local splices values into Python text, resolving
  names in the enclosing scope: text with a quote makes any condition false;
* inputs of a loop that are outputs of tasks stay what they are; kfp.local puts the item in their place;
* a loop over an empty list gives empty lists; kfp.local gives nothing, and who collects it fails;
* a sub-graph gets its artifacts even when it has no parameters;
* an artifact of a branch is that of the arm that ran; kfp.local refuses to choose;
* a text that a container writes keeps its carriage returns; kfp.local makes them line feeds;
* a parameter that is not given is left out of what a container is told; kfp.local fails to write `None`.
"""

import itertools
import json
from pathlib import Path

import celpy
from celpy import celtypes
from kfp import dsl
from kfp.compiler.pipeline_spec_builder import to_protobuf_value
from kfp.local import executor_input_utils, executor_output_utils
from kfp.local.orchestrator import enhanced_dag_orchestrator as orchestrator
from kfp.local.orchestrator import task_spec_utils
from kfp.local.orchestrator.orchestrator_utils import OrchestratorUtils
from kfp.pipeline_spec import pipeline_spec_pb2

CEL = celpy.Environment()
NUMBERS = itertools.count()


def cel_value(value):
    """As the Kubeflow driver sees it: every number is a double."""
    if isinstance(value, bool):
        return celtypes.BoolType(value)
    if isinstance(value, int | float):
        return celtypes.DoubleType(value)
    return celpy.json_to_cel(value)


def holds(condition: str, arguments: dict) -> bool:
    """Whether a condition holds over what a task is given."""
    values = {celtypes.StringType(name): cel_value(value) for name, value in arguments.items() if is_value(value)}
    inputs = celtypes.MapType({celtypes.StringType("parameter_values"): celtypes.MapType(values)})
    return bool(CEL.program(CEL.compile(condition)).evaluate({"inputs": inputs}))


def is_value(value) -> bool:
    if isinstance(value, list):
        return all(is_value(item) for item in value)
    return value is not None and not isinstance(value, dsl.Artifact)


def conditions():
    """The graph runner and the evaluator: conditions become numbers under which condition and inputs are found."""
    known = {}
    original = orchestrator.run_enhanced_dag

    def run_enhanced_dag(*, dag_component_spec, **rest):
        numbered = pipeline_spec_pb2.ComponentSpec()
        numbered.CopyFrom(dag_component_spec)
        for task in numbered.dag.tasks.values():
            if task.trigger_policy.condition:
                number = f"condition {next(NUMBERS)}"
                known[number] = (task.trigger_policy.condition, task.inputs)
                task.trigger_policy.condition = number
        return original(dag_component_spec=numbered, **rest)

    def evaluate_condition(condition, io_store):
        text, inputs = known[condition]
        return holds(text, OrchestratorUtils.make_task_arguments(inputs, io_store))

    return run_enhanced_dag, staticmethod(evaluate_condition)


def loop():
    """The runner of loops, with every value fixed before the rounds begin."""
    original = orchestrator._run_parallel_for_task

    def run_parallel_for_task(task_name, task_spec, io_store, components, **rest):
        if task_spec.WhichOneof("iterator") == "parameter_iterator":
            fixed = pipeline_spec_pb2.PipelineTaskSpec()
            fixed.CopyFrom(task_spec)
            arguments = OrchestratorUtils.make_task_arguments(task_spec.inputs, io_store)
            for name, value in arguments.items():
                if name in fixed.inputs.parameters and is_value(value):
                    fixed.inputs.parameters[name].Clear()
                    fixed.inputs.parameters[name].runtime_value.constant.CopyFrom(to_protobuf_value(value))
            items = fixed.parameter_iterator.items
            if items.HasField("input_parameter"):
                items.raw = json.dumps(arguments[items.input_parameter])
            if json.loads(items.raw) == []:
                outputs = components[task_spec.component_ref.name].output_definitions
                for name in [*outputs.parameters, *outputs.artifacts]:
                    io_store.put_task_output(task_name, name, [])
            task_spec = fixed
        return original(task_name=task_name, task_spec=task_spec, io_store=io_store, components=components, **rest)

    return run_parallel_for_task


def nested_arguments():
    """What a sub-graph is given, artifacts too when there are no parameters."""
    original = task_spec_utils.build_nested_dag_arguments

    def build_nested_dag_arguments(task_name, task_spec, component_spec, io_store):
        arguments = original(
            task_name=task_name, task_spec=task_spec, component_spec=component_spec, io_store=io_store
        )
        if not task_spec.inputs.parameters:
            arguments.update(OrchestratorUtils.make_task_arguments(task_spec.inputs, io_store))
        return arguments

    return build_nested_dag_arguments


def branch_artifacts():
    """The outputs of a graph that are artifacts, chosen among the arms of a branch."""

    def get_dag_output_artifacts(_cls, dag_outputs_spec, io_store):
        outputs = {}
        for name, selectors in dag_outputs_spec.artifacts.items():
            found = []
            for selector in selectors.artifact_selectors:
                try:
                    found.append(io_store.get_task_output(selector.producer_subtask, selector.output_artifact_key))
                except ValueError:
                    continue
            if len(found) != 1:
                raise ValueError(f"{len(found)} artifacts for the output {name!r}")
            outputs[name] = found[0]
        return outputs

    return classmethod(get_dag_output_artifacts)


def executor_input(original):
    """What a container is told, without what is absent."""

    def construct_executor_input(*, arguments, **rest):
        given = {name: value for name, value in arguments.items() if value is not None}
        return original(arguments=given, **rest)

    return construct_executor_input


def written_value(original):
    """What a container wrote; a text is taken as its bytes are."""

    def special_dsl_outputpath_read(parameter_name, output_file, dtype):
        if dtype == pipeline_spec_pb2.ParameterType.STRING:
            return Path(output_file).read_bytes().decode()
        return original(parameter_name=parameter_name, output_file=output_file, dtype=dtype)

    return special_dsl_outputpath_read


def python_value(original):
    """A default that is not there is no value."""

    def pb2_value_to_python(value):
        return None if value.WhichOneof("kind") is None else original(value)

    return pb2_value_to_python


def install(replace) -> None:
    """Puts everything in place with `replace(module, name, new)`."""
    run_enhanced_dag, evaluate_condition = conditions()
    replace(orchestrator, "run_enhanced_dag", run_enhanced_dag)
    replace(orchestrator.ConditionEvaluator, "evaluate_condition", evaluate_condition)
    replace(orchestrator, "_run_parallel_for_task", loop())
    replace(task_spec_utils, "build_nested_dag_arguments", nested_arguments())
    replace(OrchestratorUtils, "get_dag_output_artifacts", branch_artifacts())
    replace(
        executor_input_utils,
        "construct_executor_input",
        executor_input(executor_input_utils.construct_executor_input),
    )
    replace(
        executor_output_utils,
        "special_dsl_outputpath_read",
        written_value(executor_output_utils.special_dsl_outputpath_read),
    )
    replace(
        executor_output_utils,
        "pb2_value_to_python",
        python_value(executor_output_utils.pb2_value_to_python),
    )
