//! What components declare: types, defaults and literals that make sense by themselves.

use super::super::ArtifactDefinition;
use super::super::ParameterType;
use super::constants::{Checked, check, fits, form, short};
use super::context::{ComponentPlace, Context};
use super::finding::{FindingKind, Findings};

/// Every parameter has a type.
pub(super) fn parameter_types(_: &Context<'_>, place: ComponentPlace<'_>, findings: &mut Findings) {
    let (inputs, outputs) = (&place.component.input_definitions, &place.component.output_definitions);
    let inputs = inputs
        .parameters
        .iter()
        .map(|(name, input)| ("inputDefinitions", name, input.parameter_type));
    let outputs = outputs
        .parameters
        .iter()
        .map(|(name, output)| ("outputDefinitions", name, output.parameter_type));
    for (section, name, declared) in inputs.chain(outputs) {
        if declared == ParameterType::Unspecified {
            findings.add(
                FindingKind::ParameterType,
                place.at(&[section, "parameters", name]),
                format!("The parameter `{name}` of {} has no type.", place.noun()),
                "Give it a `parameterType`: STRING, NUMBER_INTEGER, NUMBER_DOUBLE, BOOLEAN, LIST or STRUCT.",
            );
        }
    }
}

/// Every artifact type has a title and a version.
pub(super) fn artifact_types(_: &Context<'_>, place: ComponentPlace<'_>, findings: &mut Findings) {
    let (inputs, outputs) = (&place.component.input_definitions, &place.component.output_definitions);
    let inputs = inputs
        .artifacts
        .iter()
        .map(|(name, input)| ("inputDefinitions", name, input));
    let outputs = outputs
        .artifacts
        .iter()
        .map(|(name, output)| ("outputDefinitions", name, output));
    for (section, name, artifact) in inputs.chain(outputs) {
        if let Some(wrong) = artifact_type_problem(artifact) {
            findings.add(
                FindingKind::ArtifactType,
                place.at(&[section, "artifacts", name, "artifactType"]),
                format!("The type of the artifact `{name}` of {} {wrong}.", place.noun()),
                "Write both, as in `schemaTitle: system.Dataset` and `schemaVersion: 0.0.1`.",
            );
        }
    }
}

/// What is wrong with an artifact's type, to follow its name in a sentence.
fn artifact_type_problem(artifact: &ArtifactDefinition) -> Option<String> {
    let schema = &artifact.artifact_type;
    if schema.instance_schema.is_some() || schema.schema_uri.is_some() {
        // The older ways to say what it is; nobody checks inside.
        return None;
    }
    let (title, version) = (schema.schema_title.as_deref(), schema.schema_version.as_deref());
    match (title, version) {
        (None | Some(""), _) => Some("has no `schemaTitle`".to_owned()),
        (Some(title), _) if !is_title(title) => Some(format!("has the title `{title}`, which is not `namespace.Name`")),
        (Some(title), None | Some("")) => Some(format!("is `{title}`, and has no `schemaVersion`")),
        (Some(_), Some(_)) => None,
    }
}

/// `namespace.Name`
pub(super) fn is_title(title: &str) -> bool {
    let parts: Vec<&str> = title.split('.').collect();
    matches!(parts.as_slice(), [namespace, name] if !namespace.is_empty() && !name.is_empty())
}

/// Defaults have the declared type. `null` is what an optional input is when nothing is given.
pub(super) fn defaults(_: &Context<'_>, place: ComponentPlace<'_>, findings: &mut Findings) {
    for (name, input) in &place.component.input_definitions.parameters {
        let Some(value) = input.default_value.as_ref().filter(|value| !value.is_null()) else {
            continue;
        };
        let checked = Checked {
            value,
            what: "The default",
            input: name,
            kind: FindingKind::DefaultValue,
        };
        let path = || place.at(&["inputDefinitions", "parameters", name, "defaultValue"]);
        check(&checked, input, path, findings);
    }
}

/// Literals have the declared type.
pub(super) fn literals(_: &Context<'_>, place: ComponentPlace<'_>, findings: &mut Findings) {
    for (name, input) in &place.component.input_definitions.parameters {
        let wanted = input.parameter_type;
        for literal in input.literals.iter().filter(|literal| fits(literal, wanted).is_err()) {
            findings.add(
                FindingKind::LiteralValue,
                place.at(&["inputDefinitions", "parameters", name, "literals"]),
                format!(
                    "The literal {} of the input `{name}` is no value of its type {}.",
                    short(literal),
                    wanted.name()
                ),
                form(wanted),
            );
        }
    }
}
