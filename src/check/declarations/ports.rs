//! The ports of a step in the plan's vocabulary. Ports that mention a generic are filled in at the call.

use crate::plan::{Port, PortType, Step};
use crate::types::{ArtifactKind, ParameterKind, Signature, Type};

/// The step with the ports of its signature; without those that only a call can know.
pub(crate) fn with_ports(mut step: Step, signature: &Signature) -> Step {
    let port = |name: &String, kind: &ParameterKind| {
        Some(Port {
            name: name.clone(),
            ty: port_type(kind)?,
        })
    };
    let inputs = signature.parameters.iter();
    step.inputs = inputs.filter_map(|own| port(&own.name, &own.kind)).collect();
    let outputs = signature.outputs.iter();
    step.outputs = outputs.filter_map(|own| port(&own.name, &own.kind)).collect();
    step
}

fn port_type(kind: &ParameterKind) -> Option<PortType> {
    match kind {
        ParameterKind::Type(ty) => of_type(ty),
        ParameterKind::List(item) => port_type(item).map(|item| PortType::List(Box::new(item))),
        ParameterKind::GenericDataset { .. }
        | ParameterKind::GenericModel { .. }
        | ParameterKind::GenericMetrics { .. }
        | ParameterKind::Checks { .. }
        | ParameterKind::Column { .. }
        | ParameterKind::ModelName { .. }
        | ParameterKind::ServiceName { .. } => None,
    }
}

fn of_type(ty: &Type) -> Option<PortType> {
    match ty {
        Type::Unknown | Type::Unit | Type::Tuple(_) => None,
        Type::Data(ty) => Some(PortType::Value(ty.clone())),
        Type::List(item) => of_type(item).map(|item| PortType::List(Box::new(item))),
        Type::Artifact(artifact) => match &artifact.kind {
            ArtifactKind::Dataset(schema) => Some(PortType::Dataset {
                schema: schema.name.clone(),
                evidence: artifact.evidence,
            }),
            ArtifactKind::Model(model) => Some(PortType::Model {
                model: model.clone(),
                evidence: artifact.evidence,
            }),
            ArtifactKind::Metrics(model) => Some(PortType::Metrics { model: model.clone() }),
            ArtifactKind::File => Some(PortType::File),
            ArtifactKind::Directory => Some(PortType::Directory),
            ArtifactKind::Html => Some(PortType::Html),
            ArtifactKind::Markdown => Some(PortType::Markdown),
            ArtifactKind::Opaque => Some(PortType::Opaque),
            ArtifactKind::Custom(name) => Some(PortType::Custom {
                name: name.clone(),
                schema_title: String::new(),
                version: String::new(),
            }),
            ArtifactKind::Deployment(service) => Some(PortType::Deployment {
                service: service.clone(),
            }),
        },
    }
}
