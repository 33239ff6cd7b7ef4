//! Where the inputs of tasks come from, as expressions of the language.

use std::collections::BTreeMap;

use serde_json::Value as Json;

use super::Importer;
use super::cel::{Cast, Cel};
use super::expression::{Expression, Operator, Part, unwritable_key};
use super::graph::{Done, Scope};
use super::names::is_nameable;
use super::placeholder::{Piece, pieces};
use super::program::Port;
use super::types::{Slot, Written};
use crate::targets::pipeline_spec::{ArtifactSource, ParameterInput, ParameterType, RuntimeValue, Task};

/// A value or artifact of the program.
#[derive(Clone, Debug)]
pub(super) struct Bound {
    pub(super) expression: Expression,
    pub(super) port: Port,
}

/// Why an input has no value.
enum Missing {
    /// It comes from what does not exist.
    Nowhere,
    /// It was said already.
    Reported,
}

impl Scope {
    /// Adds what `outer` has and this has not: in groups of groups the SDK forgets to hand items of loops down.
    fn take_from(&mut self, outer: &Self) {
        let injected = |(name, _): &(&String, &Bound)| name.starts_with("pipelinechannel--");
        for (name, bound) in outer.parameters.iter().filter(injected) {
            self.parameters.entry(name.clone()).or_insert_with(|| bound.clone());
        }
        for (name, bound) in outer.artifacts.iter().filter(injected) {
            self.artifacts.entry(name.clone()).or_insert_with(|| bound.clone());
        }
    }
}

impl Importer<'_> {
    /// Everything that a task is given, by the component's names for it.
    pub(super) fn given(&mut self, name: &str, task: &Task, scope: &Scope, done: &BTreeMap<String, Done>) -> Scope {
        let mut given = Scope::default();
        // Constants may have holes that are other inputs of the same task, so they come last.
        let (constants, others): (Vec<_>, Vec<_>) = task
            .inputs
            .parameters
            .iter()
            .partition(|(_, input)| input.runtime_value.is_some());
        // The SDK hands groups more than there is; only what a call takes must come from somewhere.
        let is_group = self.is_group(task);
        for (input, source) in others {
            match self.parameter(name, input, source, scope, done) {
                Ok(bound) => drop(given.parameters.insert(input.clone(), bound)),
                Err(Missing::Reported) => {}
                Err(Missing::Nowhere) if is_group => {}
                Err(Missing::Nowhere) => self.nowhere(name, input),
            }
        }
        for (input, source) in constants {
            let constant = match &source.runtime_value {
                Some(RuntimeValue::Constant(value)) => self.constant(name, value, &given, scope),
                Some(RuntimeValue::RuntimeParameter(_)) | None => {
                    self.problem(format!(
                        "The input `{input}` of the task `{name}` is written as schema 2.0.0 had it. Compile the pipeline with a current SDK."
                    ));
                    None
                }
            };
            if let Some(bound) = constant {
                given.parameters.insert(input.clone(), bound);
            }
        }
        for (input, source) in &task.inputs.artifacts {
            let (found, refused) = match source {
                ArtifactSource::ComponentInputArtifact(outer) => (scope.artifacts.get(outer).cloned(), false),
                ArtifactSource::TaskOutputArtifact(output) => match done.get(&output.producer_task) {
                    Some(task) => (
                        task.gives.artifacts.get(&output.output_artifact_key).cloned(),
                        task.refused,
                    ),
                    None => (None, false),
                },
            };
            match found {
                Some(bound) => drop(given.artifacts.insert(input.clone(), bound)),
                None if is_group || refused => {}
                None => self.nowhere(name, input),
            }
        }
        if is_group {
            given.take_from(scope);
        }
        given
    }

    /// Whether a task is a part of its pipeline that is written out, and no call.
    pub(super) fn is_group(&self, task: &Task) -> bool {
        let component = self.spec.components.get(&task.component_ref.name);
        task.caching_options.is_none() && component.is_some_and(|component| component.dag.is_some())
    }

    fn nowhere(&mut self, task: &str, input: &str) {
        self.problem(format!(
            "The input `{input}` of the task `{task}` comes from an output or input that does not exist there, or that is not visible outside the branch it stands in."
        ));
    }

    fn parameter(
        &mut self,
        task: &str,
        input: &str,
        source: &ParameterInput,
        scope: &Scope,
        done: &BTreeMap<String, Done>,
    ) -> Result<Bound, Missing> {
        let found = if let Some(outer) = &source.component_input_parameter {
            scope.parameters.get(outer).cloned()
        } else if let Some(output) = &source.task_output_parameter {
            match done.get(&output.producer_task) {
                Some(task) if task.refused => return Err(Missing::Reported),
                Some(task) => task.gives.parameters.get(&output.output_parameter_key).cloned(),
                None => None,
            }
        } else if source.task_final_status.is_some() {
            self.problem(format!(
                "The task `{task}` takes the final status of its exit handler as a struct, `{input}`. In the language `outcome` is `succeeded`, `failed` or `cancelled`: let the task take a text, and pass `outcome` in `finally` after the import."
            ));
            return Err(Missing::Reported);
        } else {
            None
        };
        let bound = found.ok_or(Missing::Nowhere)?;
        match &source.parameter_expression_selector {
            Some(selector) => self.selected(task, input, bound, selector).ok_or(Missing::Reported),
            None => Ok(bound),
        }
    }

    /// `parseJson(string_value)["field"]`
    fn selected(&mut self, task: &str, input: &str, bound: Bound, selector: &str) -> Option<Bound> {
        let mut rest = selector.trim().strip_prefix("parseJson(string_value)");
        let mut selected = Some(bound);
        while let Some(path) = rest.filter(|path| !path.is_empty()) {
            let read = path.strip_prefix('[').and_then(|path| path.split_once(']'));
            let field = read.and_then(|(key, _)| {
                ['"', '\'']
                    .into_iter()
                    .find_map(|quote| key.trim().strip_prefix(quote)?.strip_suffix(quote))
            });
            selected = match (field, selected) {
                (Some(field), Some(bound)) if is_nameable(field) => self.member(&bound, field),
                _ => None,
            };
            rest = read.map(|(_, rest)| rest);
            if selected.is_none() {
                break;
            }
        }
        if selected.is_none() || rest.is_none() {
            self.problem(format!(
                "The input `{input}` of the task `{task}` takes `{selector}` of a value, which the language cannot say: a field of a struct is `item.field`."
            ));
            return None;
        }
        selected
    }

    fn member(&mut self, of: &Bound, field: &str) -> Option<Bound> {
        let Port::Value(slot) = of.port else { return None };
        Some(Bound {
            expression: of.expression.member(field)?,
            port: Port::Value(self.types.field(slot, field)?),
        })
    }

    /// A constant; its texts may have holes, which are inputs of the task or of the graph around it.
    pub(super) fn constant(&mut self, task: &str, value: &Json, given: &Scope, scope: &Scope) -> Option<Bound> {
        let Some(slot) = self.types.constant(value) else {
            self.problem(format!(
                "The task `{task}` is given a constant list or struct that mixes types; a list of the language holds one type."
            ));
            return None;
        };
        if let Some(key) = unwritable_key(value) {
            self.problem(format!(
                "The task `{task}` is given a struct with the key {key:?}, which can be no name."
            ));
            return None;
        }
        let expression = self.with_holes(task, value, slot, given, scope)?;
        Some(Bound {
            expression,
            port: Port::Value(slot),
        })
    }

    fn with_holes(&mut self, task: &str, value: &Json, slot: Slot, given: &Scope, scope: &Scope) -> Option<Expression> {
        let plain = Some(Expression::Constant(value.clone(), slot));
        match value {
            Json::String(text) if text.contains("{{$") => self.text(task, text, given, scope),
            Json::Array(items) if value.to_string().contains("{{$") => {
                let item = self.types.item(slot)?;
                let items: Option<Vec<Expression>> = items
                    .iter()
                    .map(|each| self.with_holes(task, each, item, given, scope))
                    .collect();
                items.map(Expression::List)
            }
            Json::Object(_) if value.to_string().contains("{{$.inputs") => {
                self.problem(format!(
                    "The task `{task}` is given a struct that holds values of the run, which the language cannot write. Pass the single values."
                ));
                None
            }
            Json::Null | Json::Bool(_) | Json::Number(_) | Json::String(_) | Json::Array(_) | Json::Object(_) => plain,
        }
    }

    fn text(&mut self, task: &str, text: &str, given: &Scope, scope: &Scope) -> Option<Expression> {
        if text == "{{$.pipeline_job_uuid}}" {
            self.uses_run_id = true;
            return Some(Expression::Call("run_id"));
        }
        let mut parts = Vec::new();
        for piece in pieces(text) {
            match piece {
                Piece::Text(text) => parts.push(Part::Text(text)),
                Piece::InputParameter(name) => {
                    let Some(bound) = given.parameters.get(&name).or_else(|| scope.parameters.get(&name)) else {
                        self.nowhere(task, &name);
                        return None;
                    };
                    parts.push(Part::Hole(bound.expression.clone()));
                }
                Piece::InputPath(_)
                | Piece::InputUri(_)
                | Piece::OutputPath(_)
                | Piece::OutputUri(_)
                | Piece::OutputFile(_)
                | Piece::ExecutorInput
                | Piece::Other(_) => {
                    self.problem(format!(
                        "The task `{task}` is given the text {text:?}, whose placeholder the language cannot say. Of a run it knows the id, the scheduled time and the attempt (`std::run`)."
                    ));
                    return None;
                }
            }
        }
        Some(Expression::Text(parts))
    }

    // ── Conditions ──

    /// A condition as an expression of the language, with its type.
    pub(super) fn condition(&mut self, cel: &Cel, given: &Scope) -> Result<(Expression, Slot), String> {
        match cel {
            Cel::Input(name) => match given.parameters.get(name) {
                Some(Bound {
                    expression,
                    port: Port::Value(slot),
                }) => Ok((expression.clone(), *slot)),
                Some(_) | None => Err(format!("`{name}`, which is not given to it")),
            },
            Cel::Constant(value) => {
                let slot = self.types.constant(value).ok_or("a list of several types")?;
                Ok((Expression::Constant(value.clone(), slot), slot))
            }
            Cel::Cast(cast, of) => self.cast(*cast, of, given),
            Cel::Not(of) => {
                let (operand, slot) = self.condition(of, given)?;
                self.is(slot, ParameterType::Boolean)?;
                Ok((Expression::Not(Box::new(operand)), slot))
            }
            Cel::Negate(of) => {
                let (operand, slot) = self.condition(of, given)?;
                Ok((Expression::Negate(Box::new(operand)), slot))
            }
            Cel::Binary(operator, left, right) => self.operands(*operator, left, right, given),
            Cel::In(value, items) => {
                let (value, slot) = self.condition(value, given)?;
                let mut read = Vec::new();
                for item in items {
                    let (item, own) = self.condition(item, given)?;
                    self.same(slot, own)?;
                    read.push(item);
                }
                let bool = self.types.declared(ParameterType::Boolean);
                Ok((Expression::In(Box::new(value), read), bool))
            }
        }
    }

    fn cast(&mut self, cast: Cast, of: &Cel, given: &Scope) -> Result<(Expression, Slot), String> {
        let (operand, slot) = self.condition(of, given)?;
        let guess = self.types.is_guess(slot);
        let fits = match (cast, self.types.written(slot)) {
            (Cast::Int | Cast::Double, Written::Int | Written::Float) | (Cast::String, Written::String) => true,
            (Cast::Int, _) if guess => self.is(slot, ParameterType::Integer).is_ok(),
            (Cast::Double, _) if guess => self.is(slot, ParameterType::Double).is_ok(),
            (Cast::Int | Cast::Double | Cast::String, _) => false,
        };
        if !fits {
            return Err("a conversion between a text and a number".to_owned());
        }
        Ok((operand, slot))
    }

    fn operands(
        &mut self,
        operator: Operator,
        left: &Cel,
        right: &Cel,
        given: &Scope,
    ) -> Result<(Expression, Slot), String> {
        let (left, first) = self.condition(left, given)?;
        let (right, second) = self.condition(right, given)?;
        let bool = self.types.declared(ParameterType::Boolean);
        let slot = match operator {
            Operator::Or | Operator::And => {
                self.same(first, bool)?;
                self.same(second, bool)?;
                bool
            }
            Operator::Equal
            | Operator::NotEqual
            | Operator::Less
            | Operator::LessEqual
            | Operator::Greater
            | Operator::GreaterEqual => {
                self.same(first, second)?;
                bool
            }
            Operator::Add | Operator::Subtract | Operator::Multiply | Operator::Remainder => {
                self.same(first, second)?;
                first
            }
            Operator::Divide => {
                self.is(first, ParameterType::Double)?;
                self.is(second, ParameterType::Double)?;
                first
            }
        };
        if operator == Operator::Equal && matches!(right, Expression::Constant(Json::Bool(true), _)) {
            return Ok((left, slot));
        }
        Ok((Expression::Binary(operator, Box::new(left), Box::new(right)), slot))
    }

    fn is(&mut self, slot: Slot, ty: ParameterType) -> Result<(), String> {
        let wanted = self.types.declared(ty);
        self.same(slot, wanted)
    }

    fn same(&mut self, one: Slot, other: Slot) -> Result<(), String> {
        let numbers = |ty: &Written| matches!(ty, Written::Int | Written::Float);
        if self.types.unify(one, other).is_some()
            || numbers(&self.types.written(one)) && numbers(&self.types.written(other))
        {
            return Ok(());
        }
        Err("a comparison of values of different types".to_owned())
    }
}
