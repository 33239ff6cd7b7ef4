//! The ports of a step in the plan's vocabulary. Ports that mention a generic are filled in at the call.

use super::context::Context;
use super::settings::plain_text;
use crate::names;
use crate::plan::{Port, PortType, Step};
use crate::syntax::ast::ItemKind;
use crate::types::{ArtifactKind, ParameterKind, Signature, Type};

/// The step with the ports of its signature; without those that only a call can know.
pub(crate) fn with_ports(cx: &Context<'_>, mut step: Step, signature: &Signature) -> Step {
    let port = |name: &String, kind: &ParameterKind| {
        Some(Port {
            name: name.clone(),
            ty: port_type(cx, kind)?,
        })
    };
    let inputs = signature.parameters.iter();
    step.inputs = inputs.filter_map(|own| port(&own.name, &own.kind)).collect();
    let outputs = signature.outputs.iter();
    step.outputs = outputs.filter_map(|own| port(&own.name, &own.kind)).collect();
    step
}

fn port_type(cx: &Context<'_>, kind: &ParameterKind) -> Option<PortType> {
    match kind {
        ParameterKind::Type(ty) => of_type(cx, ty),
        ParameterKind::List(item) => port_type(cx, item).map(|item| PortType::List(Box::new(item))),
        ParameterKind::GenericDataset { .. }
        | ParameterKind::GenericModel { .. }
        | ParameterKind::GenericMetrics { .. }
        | ParameterKind::Checks { .. }
        | ParameterKind::Column { .. }
        | ParameterKind::ModelName { .. }
        | ParameterKind::ServiceName { .. } => None,
    }
}

fn of_type(cx: &Context<'_>, ty: &Type) -> Option<PortType> {
    match ty {
        Type::Unknown | Type::Unit | Type::Tuple(_) => None,
        Type::Data(ty) => Some(PortType::Value(ty.clone())),
        Type::List(item) => of_type(cx, item).map(|item| PortType::List(Box::new(item))),
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
            ArtifactKind::Custom(name) => Some(custom(cx, name)),
            ArtifactKind::Deployment(service) => Some(PortType::Deployment {
                service: service.clone(),
            }),
        },
    }
}

/// A platform's own kind, with what its declaration says.
fn custom(cx: &Context<'_>, name: &str) -> PortType {
    let item = cx.resolve(name).and_then(|key| names::item(cx.db, &key));
    let setting = |setting: &str| match item.as_deref().map(|item| &item.kind) {
        Some(ItemKind::Artifact(artifact)) => {
            let found = artifact.settings.iter().find(|own| own.name.text == setting);
            found.and_then(|own| plain_text(&own.value))
        }
        _ => None,
    };
    PortType::Custom {
        name: name.to_owned(),
        schema_title: setting("schema_title").unwrap_or_default(),
        version: setting("version").unwrap_or_else(|| "0.0.1".to_owned()),
    }
}
