//! The part of a plan that one task reads: small, so that a file grows with its tasks and a task changes only with what
//! it reads.

use std::collections::BTreeMap;

use crate::plan::{Node, NodeKind, Operation, Plan, PortType, Resources, Retries, Step};

/// The part that a node reads.
pub(super) fn of(plan: &Plan, node: &Node) -> Plan {
    let mut slice = Slice {
        whole: plan,
        part: Plan {
            version: plan.version,
            project: plan.project.clone(),
            pipelines: BTreeMap::new(),
            steps: BTreeMap::new(),
            models: BTreeMap::new(),
            services: BTreeMap::new(),
            schemas: BTreeMap::new(),
            targets: BTreeMap::new(),
            triggers: BTreeMap::new(),
        },
    };
    let ports = node.inputs.iter().map(|input| &input.ty);
    for ty in ports.chain(node.outputs.iter().map(|port| &port.ty)) {
        slice.port(ty);
    }
    match &node.kind {
        NodeKind::Step(call) => slice.step(&call.step),
        NodeKind::Operation(operation) => slice.operation(operation),
        NodeKind::Branch(_) | NodeKind::Loop(_) | NodeKind::Finally(_) | NodeKind::Pipeline(_) => {}
    }
    slice.part
}

struct Slice<'p> {
    whole: &'p Plan,
    part: Plan,
}

impl Slice<'_> {
    fn port(&mut self, ty: &PortType) {
        match ty {
            PortType::Dataset { schema, .. } => self.schema(schema),
            PortType::Model { model, .. } | PortType::Metrics { model } => self.model(model),
            PortType::Deployment { service } => self.service(service),
            PortType::List(of) => self.port(of),
            PortType::Value(_)
            | PortType::File
            | PortType::Directory
            | PortType::Html
            | PortType::Markdown
            | PortType::Opaque
            | PortType::Custom { .. } => {}
        }
    }

    fn operation(&mut self, operation: &Operation) {
        match operation {
            Operation::Read { schema } | Operation::Validate { schema, .. } => self.schema(schema),
            Operation::Features(features) => self.schema(&features.schema),
            Operation::Project(projection) => self.schema(&projection.schema),
            Operation::Predict { model }
            | Operation::Evaluate { model, .. }
            | Operation::Champion { model }
            | Operation::Prior { model, .. }
            | Operation::Register { model } => self.model(model),
            Operation::Challenge(challenge) => self.model(&challenge.model),
            Operation::Deploy { service } => self.service(service),
            Operation::Split { .. } | Operation::Mask { .. } | Operation::Gate { .. } | Operation::Approve { .. } => {}
        }
    }

    fn schema(&mut self, name: &str) {
        if let Some(schema) = self.whole.schemas.get(name) {
            self.part.schemas.insert(name.to_owned(), schema.clone());
        }
    }

    fn model(&mut self, name: &str) {
        if let Some(model) = self.whole.models.get(name) {
            self.part.models.insert(name.to_owned(), model.clone());
            self.schema(&model.input);
        }
    }

    fn service(&mut self, name: &str) {
        if let Some(service) = self.whole.services.get(name) {
            self.part.services.insert(name.to_owned(), service.clone());
            self.model(&service.model);
        }
    }

    /// A step without what the platform is told elsewhere.
    fn step(&mut self, name: &str) {
        let Some(step) = self.whole.steps.get(name) else {
            return;
        };
        for port in step.inputs.iter().chain(&step.outputs) {
            self.port(&port.ty);
        }
        let step = Step {
            docs: None,
            image: None,
            resources: Resources::default(),
            retries: Retries::default(),
            kubernetes: None,
            ..step.clone()
        };
        self.part.steps.insert(name.to_owned(), step);
    }
}
