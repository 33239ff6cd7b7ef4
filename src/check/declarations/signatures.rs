//! What steps, feature definitions and pipelines take and give.

use std::sync::Arc;

use super::FeaturesDefinition;
use super::context::Context;
use crate::diagnostics::{Code, nearest};
use crate::syntax::ast::{Expr, ExprKind, Generic, Output, Param, PipelineItem, Setting, StepItem};
use crate::types::{
    ArtifactKind, ArtifactType, Evidence, GenericKind, Parameter, ParameterKind, Port, Signature, Type, Value,
};

impl Context<'_> {
    /// Brings generic parameters into scope.
    pub(crate) fn generics(&mut self, generics: &[Generic]) -> Vec<(String, GenericKind)> {
        for generic in generics {
            let kind = match generic.kind.text.as_str() {
                "schema" => GenericKind::Schema,
                "model" => GenericKind::Model,
                other => {
                    let message = format!("`{other}` is no kind of generic parameter.");
                    let diagnostic = self.problem(Code::WrongKindOfName, generic.kind.id, message);
                    self.report(diagnostic.help("A generic parameter is a `schema` or a `model`."));
                    // The uses of the parameter are no mistakes of their own.
                    match nearest(other, ["model"]) {
                        Some(_) => GenericKind::Model,
                        None => GenericKind::Schema,
                    }
                }
            };
            let name = generic.name.text.to_string();
            if self.generics.iter().any(|(other, _)| *other == name) {
                self.duplicate_parameter(&generic.name, "generic parameter");
            } else {
                self.generics.push((name, kind));
            }
        }
        self.generics.clone()
    }

    fn duplicate_parameter(&mut self, name: &crate::syntax::ast::Ident, what: &str) {
        let message = format!("There are two {what}s called `{}`.", name.text);
        let diagnostic = self.problem(Code::DuplicateParameter, name.id, message);
        self.report(diagnostic.help("Give one another name."));
    }

    /// Parameters with their types and defaults.
    pub(crate) fn parameters(&mut self, params: &[Param]) -> Vec<Parameter> {
        let mut known: Vec<Parameter> = Vec::new();
        for param in params {
            let kind = self.parameter_kind(&param.ty);
            let default = param.default.as_ref().map(|default| self.default(default, &kind));
            // A default that was refused is a default still: no caller has to pass the parameter.
            let default = default.map(|value| value.unwrap_or(Value::None));
            if known.iter().any(|other| other.name == param.name.text.as_str()) {
                self.duplicate_parameter(&param.name, "parameter");
                continue;
            }
            known.push(Parameter {
                name: param.name.text.to_string(),
                kind,
                default,
                docs: param.docs.clone(),
            });
        }
        known
    }

    /// A default must be a constant of its parameter's type. Of what is no value, only `none` and `[]` are constants.
    fn default(&mut self, expr: &Expr, kind: &ParameterKind) -> Option<Value> {
        match kind {
            ParameterKind::Type(Type::Data(ty)) => self.constant_of(expr, ty),
            ParameterKind::Type(Type::Unknown) => None,
            ParameterKind::Column { .. } | ParameterKind::Checks { .. } => self.constant(expr),
            ParameterKind::Type(Type::Unit | Type::Artifact(_) | Type::Tuple(_) | Type::List(_))
            | ParameterKind::GenericDataset { .. }
            | ParameterKind::GenericModel { .. }
            | ParameterKind::GenericMetrics { .. }
            | ParameterKind::ModelName { .. }
            | ParameterKind::ServiceName { .. }
            | ParameterKind::List(_) => {
                let message = format!("`{kind}` is an artifact, which has no constant that could be its default.");
                let diagnostic = self.problem(Code::ConstantRefused, expr.id, message);
                self.report(diagnostic.help("Leave the default out; the artifact is passed at every call."));
                None
            }
        }
    }

    /// The outputs, and whether they are named.
    pub(crate) fn outputs(&mut self, output: &Output) -> (Vec<Port>, bool) {
        match output {
            Output::None => (Vec::new(), false),
            Output::One(ty) => {
                let port = Port {
                    name: "output".to_owned(),
                    kind: self.parameter_kind(ty),
                };
                (vec![port], false)
            }
            Output::Named(params) => {
                let mut ports: Vec<Port> = Vec::new();
                for param in params {
                    let kind = self.parameter_kind(&param.ty);
                    if let Some(default) = &param.default {
                        let diagnostic = self.problem(Code::ConstantRefused, default.id, "An output has no default.");
                        self.report(diagnostic.help("Leave the default out."));
                    }
                    if ports.iter().any(|other| other.name == param.name.text.as_str()) {
                        self.duplicate_parameter(&param.name, "output");
                        continue;
                    }
                    ports.push(Port {
                        name: param.name.text.to_string(),
                        kind,
                    });
                }
                (ports, true)
            }
        }
    }

    /// The signature of a step.
    pub(crate) fn step_signature(&mut self, item: &StepItem) -> Signature {
        let generics = self.generics(&item.generics);
        let parameters = self.parameters(&item.params);
        let (outputs, named_outputs) = self.outputs(&item.output);
        Signature {
            name: item.name.text.to_string(),
            generics,
            parameters,
            outputs,
            named_outputs,
            preserves_evidence: setting_is(&item.settings, "preserves", "evidence"),
            builtin: setting_is(&item.settings, "run", "builtin"),
        }
    }

    /// The signature of a pipeline.
    pub(crate) fn pipeline_signature(&mut self, item: &PipelineItem) -> Signature {
        let parameters = self.parameters(&item.params);
        let (outputs, named_outputs) = self.outputs(&item.output);
        Signature {
            name: item.name.text.to_string(),
            generics: Vec::new(),
            parameters,
            outputs,
            named_outputs,
            preserves_evidence: false,
            builtin: false,
        }
    }
}

/// A feature definition is called with a dataset of its source and gives one of its own schema.
pub(crate) fn features_signature(definition: &FeaturesDefinition) -> Signature {
    let dataset = |schema: &Arc<crate::types::Schema>| {
        ParameterKind::Type(Type::Artifact(ArtifactType {
            kind: ArtifactKind::Dataset(Arc::clone(schema)),
            evidence: Evidence::None,
        }))
    };
    let (generics, kind) = match &definition.from {
        super::Source::Schema(schema) => (Vec::new(), dataset(schema)),
        super::Source::Generic(generic) => (
            vec![(generic.clone(), GenericKind::Schema)],
            ParameterKind::GenericDataset {
                generic: generic.clone(),
                evidence: Evidence::None,
            },
        ),
    };
    Signature {
        name: definition.features.name.clone(),
        generics,
        parameters: vec![Parameter {
            name: "data".to_owned(),
            kind,
            default: None,
            docs: None,
        }],
        outputs: vec![Port {
            name: "output".to_owned(),
            kind: dataset(&definition.schema),
        }],
        named_outputs: false,
        preserves_evidence: true,
        builtin: true,
    }
}

/// Whether a setting is this one word.
pub(crate) fn setting_is(settings: &[Setting], name: &str, word: &str) -> bool {
    let setting = settings.iter().find(|setting| setting.name.text == name);
    setting.is_some_and(|setting| matches!(&setting.value.kind, ExprKind::Name(value) if value.text == word))
}
