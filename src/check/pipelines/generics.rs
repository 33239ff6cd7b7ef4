//! Generic parameters of a call: bound by `f<S>(…)`, by the arguments, or by the type that is expected of the result.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::diagnostics::Code;
use crate::syntax::ast::Call;
use crate::types::{
    ArtifactKind, ArtifactType, Evidence, GenericKind, Parameter, ParameterKind, Schema, Signature, Type,
};

use super::arguments::{Given, schema_of};
use super::calls::Site;
use super::elaborator::Elaborator;
use super::fitting::{dataset, model};
use super::scope::Computed;

/// What a generic parameter stands for.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Bound {
    /// `S: schema`
    Schema(Arc<Schema>),
    /// `M: model`
    Model(String),
    /// Follows from an error that was already reported.
    Unknown,
}

/// The generic parameters of one call.
#[derive(Clone, Debug, Default)]
pub(super) struct Generics {
    names: Vec<String>,
    bound: BTreeMap<String, Bound>,
}

impl Generics {
    /// Binds a name that is not bound yet.
    pub(super) fn bind(&mut self, name: &str, bound: Bound) {
        self.bound.entry(name.to_owned()).or_insert(bound);
    }

    /// The schema that a name stands for.
    pub(super) fn schema(&self, name: &str) -> Option<Arc<Schema>> {
        match self.bound.get(name)? {
            Bound::Schema(schema) => Some(Arc::clone(schema)),
            Bound::Model(_) | Bound::Unknown => None,
        }
    }

    /// The model that a name stands for.
    pub(super) fn model(&self, name: &str) -> Option<&str> {
        match self.bound.get(name)? {
            Bound::Model(model) => Some(model),
            Bound::Schema(_) | Bound::Unknown => None,
        }
    }

    /// Whether the name is bound, be it to something unknown.
    pub(super) fn is_bound(&self, name: &str) -> bool {
        self.bound.contains_key(name)
    }

    /// The type that a parameter accepts or a port gives; unknown as far as nothing is bound.
    pub(super) fn accepted(&self, kind: &ParameterKind) -> Type {
        match kind {
            ParameterKind::Type(ty) => ty.clone(),
            ParameterKind::GenericDataset { generic, evidence } => self
                .schema(generic)
                .map_or(Type::Unknown, |schema| dataset(schema, *evidence)),
            ParameterKind::GenericModel { generic, evidence } => {
                self.model(generic).map_or(Type::Unknown, |name| model(name, *evidence))
            }
            ParameterKind::GenericMetrics { generic } => self.model(generic).map_or(Type::Unknown, |name| {
                Type::Artifact(ArtifactType {
                    kind: ArtifactKind::Metrics(name.to_owned()),
                    evidence: Evidence::None,
                })
            }),
            ParameterKind::List(of) => Type::List(Box::new(self.accepted(of))),
            ParameterKind::Checks { .. }
            | ParameterKind::Column { .. }
            | ParameterKind::ModelName { .. }
            | ParameterKind::ServiceName { .. } => Type::Unknown,
        }
    }

    /// Binds the generics in `kind` that are still free from the type of an argument. Says whether the shape is right.
    pub(super) fn learn(&mut self, kind: &ParameterKind, ty: &Type) -> bool {
        match (kind, ty) {
            (_, Type::Unknown) => {
                for generic in generics_of(kind) {
                    self.bind(generic, Bound::Unknown);
                }
                true
            }
            (ParameterKind::GenericDataset { generic, .. }, ty) => match schema_of(ty) {
                Some(schema) => {
                    self.bind(generic, Bound::Schema(schema));
                    true
                }
                None => false,
            },
            (ParameterKind::GenericModel { generic, .. }, Type::Artifact(artifact)) => {
                if let ArtifactKind::Model(name) = &artifact.kind {
                    self.bind(generic, Bound::Model(name.clone()));
                    return true;
                }
                false
            }
            (ParameterKind::GenericMetrics { generic }, Type::Artifact(artifact)) => {
                if let ArtifactKind::Metrics(name) = &artifact.kind {
                    self.bind(generic, Bound::Model(name.clone()));
                    return true;
                }
                false
            }
            (ParameterKind::List(of), Type::List(item)) => self.learn(of, item),
            (ParameterKind::Type(_), _) => true,
            (_, _) => false,
        }
    }

    /// The name of a step with what its generics stand for: `dedupe<Applicant>`.
    pub(super) fn instance_name(&self, name: &str) -> String {
        if self.names.is_empty() {
            return name.to_owned();
        }
        let text = |generic: &String| match self.bound.get(generic) {
            Some(Bound::Schema(schema)) => schema.name.clone(),
            Some(Bound::Model(model)) => model.clone(),
            Some(Bound::Unknown) | None => "_".to_owned(),
        };
        let bound: Vec<String> = self.names.iter().map(text).collect();
        format!("{name}<{}>", bound.join(", "))
    }
}

/// The generics that a parameter mentions.
fn generics_of(kind: &ParameterKind) -> Vec<&str> {
    match kind {
        ParameterKind::Type(_) => Vec::new(),
        ParameterKind::GenericDataset { generic, .. }
        | ParameterKind::GenericModel { generic, .. }
        | ParameterKind::GenericMetrics { generic }
        | ParameterKind::Checks { generic }
        | ParameterKind::Column { generic, .. }
        | ParameterKind::ModelName { generic }
        | ParameterKind::ServiceName { generic } => vec![generic],
        ParameterKind::List(of) => generics_of(of),
    }
}

impl Elaborator<'_> {
    /// The generics that a call names itself.
    pub(super) fn explicit_generics(&mut self, call: &Call, signature: &Signature) -> Generics {
        let mut generics = Generics {
            names: signature.generics.iter().map(|(name, _)| name.clone()).collect(),
            bound: BTreeMap::new(),
        };
        let callee = &call.callee.text;
        for (index, written) in call.generics.iter().enumerate() {
            let Some((name, kind)) = signature.generics.get(index) else {
                let message = match signature.generics.len() {
                    0 => format!("`{callee}` has no generic parameters."),
                    1 => format!("`{callee}` has one generic parameter, and this is one more."),
                    count => format!("`{callee}` has {count} generic parameters, and this is one more."),
                };
                let problem = self.problem(Code::UnknownArgument, written.id, message);
                self.report(problem.help("Remove it."));
                continue;
            };
            let bound = match kind {
                GenericKind::Schema => self.schema_argument(written),
                GenericKind::Model => self.model_argument(written),
            };
            generics.bind(name, bound);
        }
        generics
    }

    /// Binds what is still free from the expected type, and reports what nothing binds.
    pub(super) fn infer_generics(&mut self, site: &mut Site<'_>, signature: &Signature, expected: Option<&Type>) {
        if let (Some(expected), [port]) = (expected, signature.outputs.as_slice())
            && !signature.named_outputs
        {
            site.generics.learn(&port.kind, expected);
        }
        for (name, kind) in &signature.generics {
            if site.generics.is_bound(name) {
                continue;
            }
            let silent = site.given.iter().any(|(parameter, given)| {
                matches!(given, Given::Absent | Given::Computed(Computed::Unknown))
                    && generics_of(&parameter.kind).contains(&name.as_str())
            });
            site.generics.bind(name, Bound::Unknown);
            if !silent {
                self.cannot_infer(site, signature, name, *kind);
            }
        }
    }

    fn cannot_infer(&mut self, site: &Site<'_>, signature: &Signature, name: &str, kind: GenericKind) {
        let callee = &signature.name;
        let (what, example) = match kind {
            GenericKind::Schema => ("schema", "Applicant"),
            GenericKind::Model => ("model", "CreditModel"),
        };
        let message = format!("Nothing here says which {what} `{callee}` works on: its parameter `{name}` stays open.");
        let place = site.call.callee.id;
        let problem = self.problem(Code::CannotInfer, place, message);
        self.report(problem.help(format!(
            "Write the {what} behind the name, as in `{callee}<{example}>(…)`."
        )));
    }

    /// The outputs of a call with every generic filled in.
    pub(super) fn instantiate(&self, site: &Site<'_>, signature: &Signature) -> Vec<(String, Type)> {
        let evidence = if signature.preserves_evidence {
            input_evidence(site)
        } else {
            Evidence::None
        };
        let port = |port: &crate::types::Port| {
            let mut ty = site.generics.accepted(&port.kind);
            if let Type::Artifact(artifact) = &mut ty
                && matches!(artifact.kind, ArtifactKind::Dataset(_))
            {
                artifact.evidence = artifact.evidence.max(evidence);
            }
            (port.name.clone(), ty)
        };
        signature.outputs.iter().map(port).collect()
    }
}

/// What has been shown about every dataset that a call is given. Of one that follows from an error, everything is assumed.
pub(super) fn input_evidence(site: &Site<'_>) -> Evidence {
    let evidence = |(parameter, given): &(Parameter, Given)| match given {
        Given::Computed(Computed::One {
            ty: Type::Artifact(artifact),
            ..
        }) => matches!(artifact.kind, ArtifactKind::Dataset(_)).then_some(artifact.evidence),
        Given::Computed(Computed::Unknown) | Given::Absent => {
            takes_data(&parameter.kind).then_some(Evidence::Validated)
        }
        Given::Computed(_) | Given::Checks(_) | Given::Columns(_) | Given::Model(_) | Given::Service(..) => None,
    };
    site.given.iter().filter_map(evidence).min().unwrap_or_default()
}

fn takes_data(kind: &ParameterKind) -> bool {
    match kind {
        ParameterKind::GenericDataset { .. } => true,
        ParameterKind::Type(ty) => schema_of(ty).is_some(),
        ParameterKind::List(of) => takes_data(of),
        ParameterKind::GenericModel { .. }
        | ParameterKind::GenericMetrics { .. }
        | ParameterKind::Checks { .. }
        | ParameterKind::Column { .. }
        | ParameterKind::ModelName { .. }
        | ParameterKind::ServiceName { .. } => false,
    }
}
