//! `gate`, `challenge`, `champion`, `approve`, `register`, `deploy`.

use crate::check::pipelines::arguments::Given;
use crate::check::pipelines::calls::Site;
use crate::check::pipelines::elaborator::Elaborator;
use crate::diagnostics::Code;
use crate::plan::{Challenge, Operation};
use crate::types::{ArtifactKind, ArtifactType, Evidence, Type, Value};

use super::Built;
use super::conditions::{self, Subjects};
use super::labels::{model_name, roles};

/// One-sided confidence of a challenge's paired test.
const CONFIDENCE: f64 = 0.95;

/// `gate(model, metrics) { … }`
pub(super) fn gate(elaborator: &mut Elaborator<'_>, site: &Site<'_>) -> Option<Built> {
    let model = model_name(elaborator, site);
    let protected = conditions::evaluated_columns(elaborator, site);
    let subjects = Subjects {
        model: model.as_deref(),
        protected: protected.as_deref(),
        challenge: false,
    };
    let read = conditions::conditions(elaborator, site, &subjects)?;
    model?;
    let operation = Operation::Gate {
        conditions: read.conditions,
    };
    let mut built = Built::new(operation, &["model", "metrics"]);
    built.more = read.inputs;
    Some(built)
}

/// `challenge(candidate, champion, on: data) { … }`
pub(super) fn challenge(elaborator: &mut Elaborator<'_>, site: &Site<'_>) -> Option<Built> {
    let roles = roles(elaborator, site, "on", true);
    let subjects = Subjects {
        model: roles.as_ref().map(|roles| roles.model.as_str()),
        protected: roles.as_ref().map(|roles| roles.protected.as_slice()),
        challenge: true,
    };
    let read = conditions::conditions(elaborator, site, &subjects);
    let (roles, read) = (roles?, read?);
    let operation = Operation::Challenge(Challenge {
        model: roles.model,
        label: roles.label,
        positive: roles.positive,
        protected: roles.protected,
        conditions: read.conditions,
        confidence: CONFIDENCE,
    });
    let mut built = Built::new(operation, &["candidate", "champion", "on"]);
    built.more = read.inputs;
    Some(built)
}

/// `champion(Model, fallback: model)`
pub(super) fn champion(site: &Site<'_>) -> Option<Built> {
    let model = site.generics.model("M")?.to_owned();
    Some(Built::new(Operation::Champion { model }, &["fallback"]))
}

/// `approve(model, by: "risk-team")`: the model keeps the evidence that it has.
pub(super) fn approve(elaborator: &mut Elaborator<'_>, site: &Site<'_>) -> Option<Built> {
    let Value::String(by) = elaborator.constant(site, "by")? else {
        return None;
    };
    if by.trim().is_empty() {
        let message = "`approve` does not say who is asked.";
        let problem = elaborator.problem(Code::ConstantRefused, site.place_of("by"), message);
        elaborator.report(problem.help("Name a person or a team: `by: \"risk-team\"`."));
        return None;
    }
    let Value::String(message) = elaborator.constant(site, "message")? else {
        return None;
    };
    let timeout = match elaborator.constant(site, "timeout") {
        Some(Value::Duration(timeout)) if timeout <= 0 => {
            let message = "Nobody can answer within no time.";
            let problem = elaborator.problem(Code::ConstantRefused, site.place_of("timeout"), message);
            elaborator.report(problem.help("Write how long the run waits for an answer: `timeout: 24h`."));
            return None;
        }
        Some(Value::Duration(timeout)) => Some(timeout),
        _ => None,
    };
    let Some(Given::Computed(model)) = site.given("model") else {
        return None;
    };
    let built = Built::new(Operation::Approve { by, message, timeout }, &["model"]);
    Some(built.giving(model.ty()))
}

/// `register(model)`
pub(super) fn register(site: &Site<'_>) -> Option<Built> {
    let model = site.generics.model("M")?.to_owned();
    Some(Built::new(Operation::Register { model }, &["model"]))
}

/// `deploy(model, to: Service)`
pub(super) fn deploy(elaborator: &mut Elaborator<'_>, site: &Site<'_>) -> Option<Built> {
    let Some(Given::Service(service, key)) = site.given("to") else {
        return None;
    };
    elaborator.result.services.insert(service.clone(), key.clone());
    let output = Type::Artifact(ArtifactType {
        kind: ArtifactKind::Deployment(service.clone()),
        evidence: Evidence::None,
    });
    let operation = Operation::Deploy {
        service: service.clone(),
    };
    Some(Built::new(operation, &["model"]).giving(output))
}
