//! A command step with an image of its own: a plain container, whose arguments the platform fills in.

use super::Lowering;
use super::compute::is_handed_over;
use super::graph::Body;
use super::operand;
use super::scope::Scope;
use super::task::{self, Draft};
use super::{settings, values};
use crate::plan::{ArgumentPart, Expression, Input, Node, Operand, PortType, Reference, Step, TextPart};
use crate::targets::TargetError;
use crate::targets::pipeline_spec::{Container, ParameterType};
use crate::types::{DataKind, DataType, Value};

const LEAVE_IMAGE_OUT: &str = "the platform fills in an argument as one text. Leave `image` out, and the step runs in the runtime \
                               image, which passes it as the language does";

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
        let node = self.as_texts(body, node, step)?;
        let node = self.prepared(body, scope, &node, is_handed_over)?;
        let mut draft = Draft::default();
        for input in &node.inputs {
            if absent(&input.value) || is_list_constant(&input.value) {
                continue;
            }
            if let Operand::Value(value) = &input.value
                && values::holds_placeholder(value)
            {
                return Err(self.refused(
                    format!("`{{{{` in `{}` of `{}`", input.name, node.id),
                    "the platform would take it for a placeholder. Leave `image` out of the step, and the runtime image \
                     passes the text as it is",
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
                return Err(self.refused(
                    format!("the output `{}` of `{}`, which may be absent,", port.name, node.id),
                    "a container of its own has no way to say that a value is absent. Leave `image` out of the step",
                ));
            }
        }
        task::outputs(&mut draft.component, &node);
        draft.container = Container {
            image: self.image(step.image.as_deref()),
            ..Container::default()
        };
        draft.container.command = self.command_line(&node, &draft, step, arguments)?;
        settings::step(self, step, &mut draft, false)?;
        let name = self.place(body, scope, &node.id, draft);
        scope.made(&node.id, &name, None);
        let check = self.check_outputs(body, scope, &node)?;
        scope.made(&node.id, &name, check.as_deref());
        Ok(())
    }

    /// The node with values that the platform would write in another form turned into their text.
    fn as_texts(&self, body: &Body<'r>, node: &Node, step: &Step) -> Result<Node, TargetError> {
        let mut node = node.clone();
        for input in &mut node.inputs {
            let PortType::Value(asked) = &input.ty else {
                continue;
            };
            if matches!(input.value, Operand::Value(_)) {
                continue;
            }
            let given = match &input.value {
                Operand::Reference(reference) => match body.types.wire(reference)?.ty {
                    PortType::Value(of) => of,
                    _ => continue,
                },
                _ => asked.clone(),
            };
            if matches!(asked.kind, DataKind::List(_)) {
                if step.image.is_some() && is_used(step, &input.name) {
                    return Err(self.refused(
                        format!("the list `{}` in an argument of `{}`, which has an image of its own,", input.name, node.id),
                        LEAVE_IMAGE_OUT,
                    ));
                }
                continue;
            }
            let odd = asked.optional || given.optional || matches!(asked.kind, DataKind::Map(_) | DataKind::Record(_));
            if odd && let Some(value) = operand::expression(&input.value) {
                input.value = Operand::Expression(Box::new(Expression::Text(vec![
                    TextPart::Text(String::new()),
                    TextPart::Hole(value),
                ])));
                input.ty = PortType::Value(DataType::plain(DataKind::String));
            }
        }
        Ok(node)
    }

    fn command_line(
        &self,
        node: &Node,
        draft: &Draft,
        step: &Step,
        arguments: &[Vec<ArgumentPart>],
    ) -> Result<Vec<String>, TargetError> {
        let mut line = Vec::new();
        for argument in arguments {
            if let [ArgumentPart::Hole(name)] = argument.as_slice()
                && let Some(items) = constant_items(node, name)
            {
                line.extend(items.iter().map(text));
                continue;
            }
            let parts: Vec<String> = argument
                .iter()
                .map(|part| self.part(node, draft, part))
                .collect::<Result<_, _>>()?;
            let joined: String = parts.concat();
            let plain = argument.iter().any(|part| matches!(part, ArgumentPart::Text(text) if text.contains('{')));
            if plain && braces(&joined) > braces_of_holes(argument) {
                return Err(self.refused(
                    format!("`{{{{` in an argument of `{}`, which has an image of its own,", step.name),
                    "the platform would take it for a placeholder. Put the command in a script of the image, or leave \
                     `image` out",
                ));
            }
            line.push(joined);
        }
        if let Some(items) = line.iter().find(|argument| argument.starts_with("{\"Concat\": ") || argument.starts_with("{\"IfPresent\": ")) {
            return Err(self.refused(format!("the argument `{items}` of `{}`", step.name), LEAVE_IMAGE_OUT));
        }
        Ok(line)
    }

    fn part(&self, node: &Node, draft: &Draft, part: &ArgumentPart) -> Result<String, TargetError> {
        let (name, field) = match part {
            ArgumentPart::Text(text) => return Ok(text.clone()),
            ArgumentPart::Hole(name) => (name, "path"),
            ArgumentPart::Uri(name) => (name, "uri"),
        };
        if let Some(port) = node.outputs.iter().find(|port| port.name == *name) {
            return Ok(if port.ty.is_value() {
                format!("{{{{$.outputs.parameters['{name}'].output_file}}}}")
            } else {
                format!("{{{{$.outputs.artifacts['{name}'].{field}}}}}")
            });
        }
        let inputs = &draft.component.input_definitions;
        if inputs.artifacts.get(name).is_some_and(|artifact| artifact.is_artifact_list)
            || inputs
                .parameters
                .get(name)
                .is_some_and(|input| input.parameter_type == ParameterType::List)
        {
            return Err(self.refused(
                format!("the list `{name}` in an argument of `{}`, which has an image of its own,", node.id),
                LEAVE_IMAGE_OUT,
            ));
        }
        if inputs.artifacts.contains_key(name) {
            return Ok(format!("{{{{$.inputs.artifacts['{name}'].{field}}}}}"));
        }
        if inputs.parameters.contains_key(name) {
            return Ok(format!("{{{{$.inputs.parameters['{name}']}}}}"));
        }
        // What is absent or a list stands in the plan as a constant.
        Ok(match constant_items(node, name) {
            Some(items) => items.iter().map(text).collect::<Vec<_>>().join(","),
            None => "none".to_owned(),
        })
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

fn is_list_constant(operand: &Operand) -> bool {
    matches!(operand, Operand::Value(Value::List(_)))
}

fn constant_items<'n>(node: &'n Node, name: &str) -> Option<&'n [Value]> {
    let input = node.inputs.iter().find(|input| input.name == name)?;
    match &input.value {
        Operand::Value(Value::List(items)) => Some(items),
        _ => None,
    }
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

fn is_used(step: &Step, name: &str) -> bool {
    let crate::plan::Run::Command(arguments) = &step.run else {
        return false;
    };
    arguments.iter().flatten().any(|part| match part {
        ArgumentPart::Hole(hole) | ArgumentPart::Uri(hole) => hole == name,
        ArgumentPart::Text(_) => false,
    })
}

/// How often `{{` occurs.
fn braces(text: &str) -> usize {
    text.matches("{{").count()
}

fn braces_of_holes(argument: &[ArgumentPart]) -> usize {
    argument
        .iter()
        .filter(|part| !matches!(part, ArgumentPart::Text(_)))
        .count()
}
