//! Cache keys: operation, code, environment lock, parameters and input digests — never file names or positions.
//!
//! Two nodes with one key give the same outputs, whatever they are called and wherever they stand. What cannot be
//! promised that has no key: the registry's operations, checks against the clock.

mod code;

use std::collections::BTreeMap;

use mlp::plan::{ArgumentPart, CachePolicy, CheckKind, Node, Operation, Plan, PortType, Run, Step};
use serde::Serialize;

pub(crate) use code::Code;

use crate::store::Datum;

/// Raised when a step or operation comes to mean something else, so that older outputs are not reused.
const VERSION: u32 = 1;

/// Gathers what a key depends on; every field is preceded by its length, so that no two sets of fields run together.
pub(crate) struct KeyBuilder {
    hasher: blake3::Hasher,
}

impl KeyBuilder {
    pub(crate) fn new(kind: &str) -> Self {
        let mut builder = Self {
            hasher: blake3::Hasher::new(),
        };
        builder.text(kind);
        builder.text(&VERSION.to_string());
        builder
    }

    pub(crate) fn text(&mut self, text: &str) {
        self.hasher.update(&(text.len() as u64).to_le_bytes());
        self.hasher.update(text.as_bytes());
    }

    /// A value of the plan, by its JSON.
    pub(crate) fn json(&mut self, value: &impl Serialize) {
        // The plan's own types always have JSON; it was written and read as such before.
        self.text(&serde_json::to_string(value).unwrap_or_default());
    }

    /// The inputs, artifacts by their content.
    pub(crate) fn inputs(&mut self, inputs: &BTreeMap<String, Datum>) {
        self.text(&inputs.len().to_string());
        for (name, datum) in inputs {
            self.text(name);
            self.datum(datum);
        }
    }

    fn datum(&mut self, datum: &Datum) {
        match datum {
            Datum::Value(value) => self.json(value),
            Datum::Artifact(artifact) => {
                self.text("artifact");
                self.text(&artifact.digest);
            }
            Datum::List(items) => {
                self.text(&format!("list {}", items.len()));
                for item in items {
                    self.datum(item);
                }
            }
        }
    }

    /// The types of ports, with the schemas and models they name: outputs are cast to them. Doc comments do not count.
    pub(crate) fn ports<'p>(&mut self, plan: &Plan, ports: impl Iterator<Item = (&'p str, &'p PortType)>) {
        for (name, ty) in ports {
            self.text(name);
            self.json(ty);
            self.port_type(plan, ty);
        }
    }

    fn port_type(&mut self, plan: &Plan, ty: &PortType) {
        match ty {
            PortType::Dataset { schema, .. } => self.schema(plan, schema),
            PortType::List(of) => self.port_type(plan, of),
            PortType::Value(_)
            | PortType::Model { .. }
            | PortType::Metrics { .. }
            | PortType::File
            | PortType::Directory
            | PortType::Html
            | PortType::Markdown
            | PortType::Opaque
            | PortType::Custom { .. }
            | PortType::Deployment { .. } => {}
        }
    }

    fn schema(&mut self, plan: &Plan, name: &str) {
        for column in plan.schemas.get(name).iter().flat_map(|schema| &schema.columns) {
            self.text(&column.name);
            self.json(&column.ty);
            self.json(&column.tags);
        }
    }

    pub(crate) fn finish(&self) -> blake3::Hash {
        self.hasher.finalize()
    }
}

/// The part of a step's key that its declaration gives.
pub(crate) fn step_key(plan: &Plan, step: &Step, code: &Code) -> std::io::Result<KeyBuilder> {
    let mut key = KeyBuilder::new("step");
    match &step.run {
        Run::Python(function) => {
            key.text("python");
            key.text(&function.function);
            key.text(&code.python(&function.file)?);
        }
        Run::Command(arguments) => {
            key.text("command");
            key.json(arguments);
            for part in arguments.iter().flatten() {
                match part {
                    ArgumentPart::Text(text) => key.text(&code.script(text)?),
                    ArgumentPart::Hole(_) | ArgumentPart::Uri(_) => {}
                }
            }
        }
    }
    key.json(&step.env);
    key.json(&step.secrets);
    key.ports(plan, step.outputs.iter().map(|port| (port.name.as_str(), &port.ty)));
    Ok(key)
}

/// The key of a step as its policy says; nothing where its outputs are not to be reused.
pub(crate) fn by_policy(policy: &CachePolicy, mut key: KeyBuilder) -> Option<KeyBuilder> {
    match policy {
        CachePolicy::Never => None,
        CachePolicy::Auto => Some(key),
        CachePolicy::Key(text) => {
            key.text(text);
            Some(key)
        }
    }
}

/// The input of an operation that names a source outside of the run. It is known by its content, not by its path.
pub(crate) fn source_input(operation: &Operation) -> Option<&'static str> {
    match operation {
        Operation::Read { .. } => Some("source"),
        Operation::Validate { .. }
        | Operation::Features(_)
        | Operation::Project(_)
        | Operation::Split { .. }
        | Operation::Mask { .. }
        | Operation::Predict { .. }
        | Operation::Evaluate { .. }
        | Operation::Gate { .. }
        | Operation::Challenge(_)
        | Operation::Champion { .. }
        | Operation::Prior { .. }
        | Operation::Approve { .. }
        | Operation::Register { .. }
        | Operation::Deploy { .. } => None,
    }
}

/// The packages of the model that predicts for an operation: what is installed of them is part of the key.
pub(crate) fn predicts_with<'p>(plan: &'p Plan, operation: &Operation) -> Option<&'p [String]> {
    let model = match operation {
        Operation::Predict { model } | Operation::Evaluate { model, .. } => model,
        Operation::Challenge(challenge) => &challenge.model,
        Operation::Read { .. }
        | Operation::Validate { .. }
        | Operation::Features(_)
        | Operation::Project(_)
        | Operation::Split { .. }
        | Operation::Mask { .. }
        | Operation::Gate { .. }
        | Operation::Champion { .. }
        | Operation::Prior { .. }
        | Operation::Approve { .. }
        | Operation::Register { .. }
        | Operation::Deploy { .. } => return None,
    };
    plan.models.get(model).map(|model| model.packages.as_slice())
}

/// The part of an operation's key that the plan gives; nothing for what must not be reused.
pub(crate) fn operation_key(
    plan: &Plan,
    node: &Node,
    operation: &Operation,
    code: &Code,
) -> std::io::Result<Option<KeyBuilder>> {
    if !is_pure(operation) {
        return Ok(None);
    }
    let mut key = KeyBuilder::new("operation");
    key.json(operation);
    key.ports(plan, node.outputs.iter().map(|port| (port.name.as_str(), &port.ty)));
    match operation {
        Operation::Read { schema } | Operation::Validate { schema, .. } => key.schema(plan, schema),
        Operation::Predict { model }
        | Operation::Evaluate { model, .. }
        | Operation::Champion { model }
        | Operation::Prior { model, .. }
        | Operation::Register { model } => predicts(&mut key, plan, model, code)?,
        Operation::Challenge(challenge) => predicts(&mut key, plan, &challenge.model, code)?,
        Operation::Features(_)
        | Operation::Project(_)
        | Operation::Split { .. }
        | Operation::Mask { .. }
        | Operation::Gate { .. }
        | Operation::Approve { .. }
        | Operation::Deploy { .. } => {}
    }
    Ok(Some(key))
}

fn predicts(key: &mut KeyBuilder, plan: &Plan, name: &str, code: &Code) -> std::io::Result<()> {
    let Some(model) = plan.models.get(name) else {
        return Ok(());
    };
    key.json(&(model.task, &model.output, &model.packages));
    key.schema(plan, &model.input);
    key.text(&model.run.function);
    key.text(&code.python(&model.run.file)?);
    Ok(())
}

/// Whether an operation depends on nothing but its inputs.
fn is_pure(operation: &Operation) -> bool {
    match operation {
        Operation::Validate { checks, .. } => checks.iter().flat_map(|checks| &checks.checks).all(|check| match check
            .measure
        {
            CheckKind::Freshness(_) => false,
            // The baseline is part of the key.
            CheckKind::Drift { .. }
            | CheckKind::Rows
            | CheckKind::Unique(_)
            | CheckKind::NullRate(_)
            | CheckKind::Distinct(_)
            | CheckKind::Mean(_)
            | CheckKind::StandardDeviation(_)
            | CheckKind::Minimum(_)
            | CheckKind::Maximum(_)
            | CheckKind::Sum(_)
            | CheckKind::Quantile(..)
            | CheckKind::Share(_) => true,
        }),
        // A hash mask depends on the project's key, which may be replaced.
        Operation::Mask { .. } | Operation::Champion { .. } | Operation::Register { .. } | Operation::Deploy { .. } => {
            false
        }
        // Both leave evidence in the registry, which must be there also when the registry was emptied.
        Operation::Gate { .. } | Operation::Challenge(_) => false,
        // A yes is for one run.
        Operation::Approve { .. } => false,
        Operation::Read { .. }
        | Operation::Features(_)
        | Operation::Project(_)
        | Operation::Split { .. }
        | Operation::Predict { .. }
        | Operation::Evaluate { .. }
        | Operation::Prior { .. } => true,
    }
}
