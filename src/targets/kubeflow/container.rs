//! A command step with an image of its own: a plain container, whose arguments the platform fills in.

use super::Lowering;
use super::compute::is_handed_over;
use super::graph::Body;
use super::operand;
use super::scope::Scope;
use super::task::{self, Draft};
use super::values::Wire;
use super::{settings, values};
use crate::plan::{ArgumentPart, Input, Node, Operand, PortType, Reference, Step};
use crate::targets::pipeline_spec::Container;
use crate::targets::{Feature, TargetError};
use crate::types::Value;

impl<'r> Lowering<'r> {
    /// The task of a command step with an image of its own, and a task that checks what it gives.
    pub(super) fn plain_container(
        &mut self,
        body: &mut Body<'r>,
        scope: &mut Scope,
        node: &Node,
        step: &'r Step,
        arguments: &[Vec<ArgumentPart>],
    ) -> Result<(), TargetError> {
        let node = self.prepared(body, scope, node, is_handed_over)?;
        let mut draft = Draft::default();
        for input in &node.inputs {
            if absent(&input.value) {
                // Declared all the same: programs that look at their interface find it there, and nothing in it.
                if let Some(declared) = Wire::plain(input.ty.clone()).input() {
                    let parameters = &mut draft.component.input_definitions.parameters;
                    parameters.insert(input.name.clone(), declared);
                }
                continue;
            }
            // In a hole it stands in the command itself.
            if is_list_constant(&input.value) && has_hole(arguments, &input.name) {
                continue;
            }
            if let Operand::Value(value) = &input.value
                && values::holds_placeholder(value)
            {
                return Err(body.types.refused(
                    Some(&node.id),
                    Feature::ContainerHole,
                    format!("the platform would take `{{{{` in `{}` for a placeholder", input.name),
                    "Leave `image` out of the step, and the runtime image passes the text as it is.",
                ));
            }
            if let Some(taken) = operand::take(&input.value, &input.ty, scope, &body.types)? {
                draft.take(&input.name, &taken);
            }
        }
        for name in &node.after {
            draft.after.extend(scope.wait_for(name));
        }
        for port in &node.outputs {
            if matches!(&port.ty, PortType::Value(of) if of.optional) {
                return Err(body.types.refused(
                    Some(&node.id),
                    Feature::ContainerHole,
                    format!(
                        "a container has no way to say that its output `{}` is absent",
                        port.name
                    ),
                    "Leave `image` out of the step.",
                ));
            }
        }
        task::outputs(&mut draft.component, &node);
        draft.container = Container {
            image: self.image(step.image.as_deref()),
            ..Container::default()
        };
        draft.container.command = command_line(&node, &draft, arguments);
        settings::step(self, step, &mut draft, false)?;
        let name = self.place(body, scope, &node.id, draft);
        scope.made(&node.id, &name, None);
        let check = self.check_outputs(body, scope, &node)?;
        scope.made(&node.id, &name, check.as_deref());
        Ok(())
    }

    /// Adds a task that checks the values that a container of its own gives, where their types say more than the platform
    /// checks.
    fn check_outputs(
        &mut self,
        body: &mut Body<'r>,
        scope: &mut Scope,
        node: &Node,
    ) -> Result<Option<String>, TargetError> {
        let checked = node
            .outputs
            .iter()
            .filter(|port| matches!(&port.ty, PortType::Value(of) if values::says_more(of)));
        let inputs: Vec<Input> = checked
            .map(|port| Input {
                name: port.name.clone(),
                value: Operand::Reference(Reference::Output {
                    node: node.id.clone(),
                    port: port.name.clone(),
                }),
                ty: port.ty.clone(),
            })
            .collect();
        if inputs.is_empty() {
            return Ok(None);
        }
        self.check(body, scope, format!("{}#check", node.id), inputs).map(Some)
    }
}

fn absent(operand: &Operand) -> bool {
    matches!(operand, Operand::Value(Value::None))
}

fn has_hole(arguments: &[Vec<ArgumentPart>], input: &str) -> bool {
    arguments.iter().flatten().any(|part| match part {
        ArgumentPart::Text(_) => false,
        ArgumentPart::Hole(name) | ArgumentPart::Uri(name) => name == input,
    })
}

fn is_list_constant(operand: &Operand) -> bool {
    matches!(operand, Operand::Value(Value::List(_)))
}

fn constant_items<'n>(node: &'n Node, name: &str) -> Option<&'n [Value]> {
    let input = node.inputs.iter().find(|input| input.name == name)?;
    let Operand::Value(Value::List(items)) = &input.value else {
        return None;
    };
    Some(items)
}

/// A value as it stands in an argument.
fn text(value: &Value) -> String {
    match value {
        Value::String(text) | Value::Date(text) | Value::Datetime(text) | Value::Enum(text) => text.clone(),
        Value::None
        | Value::Bool(_)
        | Value::Int(_)
        | Value::Float(_)
        | Value::Duration(_)
        | Value::Size(_)
        | Value::Money { .. }
        | Value::List(_)
        | Value::Map(_) => value.to_string(),
    }
}

/// The argument vector with the platform's placeholders.
fn command_line(node: &Node, draft: &Draft, arguments: &[Vec<ArgumentPart>]) -> Vec<String> {
    let mut line = Vec::new();
    for argument in arguments {
        match argument.as_slice() {
            [ArgumentPart::Hole(name)] if constant_items(node, name).is_some() => {
                line.extend(constant_items(node, name).unwrap_or_default().iter().map(text));
            }
            parts => line.push(parts.iter().map(|part| placeholder(node, draft, part)).collect()),
        }
    }
    line
}

fn placeholder(node: &Node, draft: &Draft, part: &ArgumentPart) -> String {
    let (name, field) = match part {
        ArgumentPart::Text(text) => return text.clone(),
        ArgumentPart::Hole(name) => (name, "path"),
        ArgumentPart::Uri(name) => (name, "uri"),
    };
    if let Some(port) = node.outputs.iter().find(|port| port.name == *name) {
        return if port.ty.is_value() {
            format!("{{{{$.outputs.parameters['{name}'].output_file}}}}")
        } else {
            format!("{{{{$.outputs.artifacts['{name}'].{field}}}}}")
        };
    }
    let inputs = &draft.component.input_definitions;
    if inputs.artifacts.contains_key(name) {
        format!("{{{{$.inputs.artifacts['{name}'].{field}}}}}")
    } else if inputs.parameters.contains_key(name) {
        format!("{{{{$.inputs.parameters['{name}']}}}}")
    } else {
        // What is absent or a list stands in the plan as a constant.
        constant_items(node, name).map_or_else(
            || "none".to_owned(),
            |items| items.iter().map(text).collect::<Vec<_>>().join(","),
        )
    }
}
