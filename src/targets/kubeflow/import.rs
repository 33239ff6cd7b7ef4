//! `read` from an address: the platform's importer records the address as an artifact, and its launcher fetches it with the
//! credentials that it has, so that `read` finds a file.

use super::Lowering;
use super::graph::Body;
use super::scope::{Scope, Source, give};
use super::task::shown_name;
use super::values::{self, Wire};
use crate::plan::{Node, Operand, PortType, Reference};
use crate::targets::TargetError;
use crate::targets::pipeline_spec::{
    Component, ComponentRef, Executor, Importer, ParameterInput, RuntimeText, RuntimeValue, Task, TaskInfo,
};
use crate::types::{DataKind, DataType, Value};

/// The input of `read` that names where the data is.
const SOURCE: &str = "source";
/// The importer's input and output, by the names that `kfp` gives them.
const ADDRESS: &str = "uri";
const ARTIFACT: &str = "artifact";

impl<'r> Lowering<'r> {
    /// The node with its source imported by a task before it, where the source is an address or a parameter of the
    /// pipeline. What a task gives is read by `read` itself: Kubeflow's importer knows inputs of the graph alone.
    pub(super) fn imported(
        &mut self,
        body: &mut Body<'r>,
        scope: &mut Scope,
        node: &Node,
    ) -> Result<Node, TargetError> {
        let mut node = node.clone();
        let Some(input) = node.inputs.iter_mut().find(|input| input.name == SOURCE) else {
            return Ok(node);
        };
        let mut check = None;
        let (source, text) = match &input.value {
            Operand::Value(Value::String(text)) if text.contains("://") && !values::looks_like_placeholder(text) => {
                let constant = ParameterInput {
                    runtime_value: Some(RuntimeValue::Constant(text.as_str().into())),
                    ..ParameterInput::default()
                };
                (Source::Parameter(constant), RuntimeText::Constant(text.clone()))
            }
            Operand::Reference(reference @ Reference::Parameter(_)) => {
                let reached = scope.reach(reference, &body.types)?;
                // The platform starts an importer at once, so `read` itself waits for what checks the parameter.
                check = reached.after.into_iter().next();
                (reached.source, RuntimeText::RuntimeParameter(ADDRESS.to_owned()))
            }
            Operand::Value(_) | Operand::Reference(_) | Operand::Expression(_) | Operand::List(_) => return Ok(node),
        };
        let id = format!("{}#import", node.id);
        body.types
            .outputs
            .insert(id.clone(), vec![(ARTIFACT.to_owned(), PortType::File)]);
        input.value = Operand::Reference(Reference::Output {
            node: id.clone(),
            port: ARTIFACT.to_owned(),
        });
        self.importer(body, scope, &id, source, text, check.as_deref());
        Ok(node)
    }

    fn importer(
        &mut self,
        body: &mut Body<'r>,
        scope: &mut Scope,
        id: &str,
        source: Source,
        address: RuntimeText,
        check: Option<&str>,
    ) {
        let (name, label) = self.labels(body, id);
        let artifact = values::artifact(&PortType::File);
        let executor = Importer {
            artifact_uri: Some(address),
            type_schema: artifact.artifact_type.clone(),
            ..Importer::default()
        };
        let mut component = Component {
            executor_label: Some(format!("exec-{label}")),
            ..Component::default()
        };
        let text = Wire::plain(PortType::Value(DataType::plain(DataKind::String)));
        component
            .input_definitions
            .parameters
            .extend(text.input().map(|input| (ADDRESS.to_owned(), input)));
        component
            .output_definitions
            .artifacts
            .insert(ARTIFACT.to_owned(), artifact);
        let mut task = Task {
            component_ref: ComponentRef {
                name: format!("comp-{label}"),
            },
            task_info: Some(TaskInfo { name: shown_name(id) }),
            ..Task::default()
        };
        give(&mut task.inputs, ADDRESS, source);
        self.executors
            .insert(format!("exec-{label}"), Executor::Importer(executor));
        self.components.insert(format!("comp-{label}"), component);
        scope.tasks.insert(name.clone(), task);
        scope.made(id, &name, check);
    }
}
