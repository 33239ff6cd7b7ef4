//! Stages that decide about one model by what is known of another: a gate on another model's metrics, a challenge of
//! something else than the champion.

use crate::check::flow::{Flow, Subject, input};
use crate::check::provenance::{Fault, Mismatch};
use crate::diagnostics::{Applicability, Diagnostic, Edit};
use crate::plan::{Node, NodeKind, Operand, PortType};

const HELP_CHAMPION: &str = "Compare it with the model in service: `champion(Model, fallback: prior(parts.train))`.";

const HELP_FILE: &str = "Validate the data before the step that writes the file.";

/// What is wrong with a stage, and what to write instead.
pub(super) fn diagnose(subject: &Subject<'_>, flow: &Flow<'_>, mismatch: &Mismatch) -> Option<Diagnostic> {
    if mismatch.inside {
        return inside(subject, mismatch);
    }
    let node = flow.node(&mismatch.node)?;
    match mismatch.fault {
        Fault::OtherMetrics => metrics_of_another(subject, flow, node),
        Fault::TrainerMetrics => metrics_of_the_trainer(subject, flow, node),
        Fault::RawFile => raw_file(subject, node),
        Fault::Itself => itself(subject, node),
        Fault::ItselfAtFirst => itself_at_first(subject, flow, node),
        Fault::NotIncumbent => not_incumbent(subject, node),
    }
}

/// The stage stands in another pipeline, and is wrong only for what that is given here.
fn inside(subject: &Subject<'_>, mismatch: &Mismatch) -> Option<Diagnostic> {
    let (message, help) = match mismatch.fault {
        Fault::OtherMetrics | Fault::TrainerMetrics => (
            "Inside this pipeline, a `gate` decides about one model on metrics that are not known to be about it.",
            "Pass the model together with what `evaluate` gives for this very model.",
        ),
        Fault::RawFile => (
            "Inside this pipeline, a model is trained on a file made of data that was never validated.",
            HELP_FILE,
        ),
        Fault::Itself | Fault::ItselfAtFirst => (
            "Inside this pipeline, a `challenge` compares a model with itself, which every model survives.",
            HELP_CHAMPION,
        ),
        Fault::NotIncumbent => (
            "Inside this pipeline, a `challenge` is held against a model that is not the one in service.",
            "Pass what `champion(…)` gives.",
        ),
    };
    let diagnostic = Diagnostic::new(mismatch.fault.code(), subject.call(&mismatch.node)?, message);
    Some(diagnostic.help(help))
}

fn metrics_of_another(subject: &Subject<'_>, flow: &Flow<'_>, gate: &Node) -> Option<Diagnostic> {
    let model = flow.root(&input(gate, "model")?.value);
    let source = flow.producer(&input(gate, "metrics")?.value);
    let measured = source.map(measured_models).unwrap_or_default();
    let place = subject.argument_place(&gate.id, "metrics")?;
    let candidate = subject.text(&gate.id, "model");
    let about = match (source, measured.as_slice()) {
        (Some(source), [(name, _)]) => Some((source, subject.text(&source.id, name))),
        (_, _) => None,
    };
    let mut diagnostic = if let Some((source, about)) = about {
        let message = format!("`gate` decides about {candidate}, but is given the metrics of {about}.");
        let diagnostic = Diagnostic::new(Fault::OtherMetrics.code(), place.clone(), message);
        subject.with_call(
            diagnostic.label(format!("metrics of {about}")),
            &source.id,
            format!("measured here, for {about}"),
        )
    } else if subject.facts.broken || subject.schemas.values().any(|schema| schema.incomplete) {
        // What the metrics come from has an error of its own.
        return None;
    } else {
        let metrics = subject.text(&gate.id, "metrics");
        let message = format!("`gate` decides about {candidate}, but nothing says that {metrics} is about it.");
        Diagnostic::new(Fault::OtherMetrics.code(), place.clone(), message)
    };
    diagnostic = diagnostic.note("A gate on the wrong metrics lets through a model that nobody has measured.");
    if let Some(candidate_place) = subject.argument_place(&gate.id, "model") {
        diagnostic = diagnostic.also(candidate_place, "the model at hand");
    }
    let right = flow.order.iter().take(flow.position(&gate.id)).find(|node| {
        let own = measured_models(node);
        own.iter().any(|(_, operand)| flow.root(operand) == model) && subject.is_bound(&node.id)
    });
    if let Some(right) = right {
        let title = format!("Pass `{}` instead", right.id);
        let edit = Edit::replace(place, right.id.clone());
        return Some(
            diagnostic
                .help(format!("Pass `{}`, the metrics of {candidate}.", right.id))
                .fix(title, Applicability::Safe, vec![edit]),
        );
    }
    Some(diagnostic.help(format!("Pass what `evaluate` gives for {candidate}.")))
}

/// The models that the metrics of a node are about.
fn measured_models(node: &Node) -> Vec<(&str, &Operand)> {
    let gives_metrics = node
        .outputs
        .iter()
        .any(|port| matches!(port.ty, PortType::Metrics { .. }));
    let measures = matches!(node.kind, NodeKind::Step(_) | NodeKind::Operation(_)) && gives_metrics;
    let models = node
        .inputs
        .iter()
        .filter(|input| measures && matches!(input.ty, PortType::Model { .. }));
    models.map(|input| (input.name.as_str(), &input.value)).collect()
}

fn metrics_of_the_trainer(subject: &Subject<'_>, flow: &Flow<'_>, gate: &Node) -> Option<Diagnostic> {
    let place = subject.argument_place(&gate.id, "metrics")?;
    let (candidate, metrics) = (subject.text(&gate.id, "model"), subject.text(&gate.id, "metrics"));
    let message =
        format!("`gate` decides about {candidate} on {metrics}, which the step that trained it has measured itself.");
    let mut diagnostic = Diagnostic::new(Fault::TrainerMetrics.code(), place, message)
        .note("A training step may measure on the rows that it trains on, and a model is always good on those.");
    if let Some(trainer) = flow.producer(&input(gate, "metrics")?.value) {
        diagnostic = subject.with_call(diagnostic, &trainer.id, "trained and measured here");
    }
    Some(diagnostic.help(format!(
        "Measure it on rows that it has not seen: `evaluate({}, parts.test)`.",
        candidate.trim_matches('`')
    )))
}

fn raw_file(subject: &Subject<'_>, step: &Node) -> Option<Diagnostic> {
    let message = format!(
        "`{}` trains a model on a file that was made of data that was never validated.",
        step.callee
    );
    let diagnostic = Diagnostic::new(Fault::RawFile.code(), subject.call(&step.id)?, message)
        .note("Rows that break their schema make a model silently worse; validation stops the run instead.");
    Some(diagnostic.help(HELP_FILE))
}

fn itself(subject: &Subject<'_>, challenge: &Node) -> Option<Diagnostic> {
    let text = subject.text(&challenge.id, "candidate");
    let place = subject.argument_place(&challenge.id, "champion")?;
    let message = format!("`challenge` compares {text} with itself, which every model survives.");
    let diagnostic = Diagnostic::new(Fault::Itself.code(), place, message);
    Some(with_candidate(subject, challenge, diagnostic).help(HELP_CHAMPION))
}

fn itself_at_first(subject: &Subject<'_>, flow: &Flow<'_>, challenge: &Node) -> Option<Diagnostic> {
    let text = subject.text(&challenge.id, "candidate");
    let champion = flow.producer(&input(challenge, "champion")?.value);
    let fallback = champion.filter(|node| input(node, "fallback").is_some());
    let place = match fallback {
        Some(champion) => subject.argument_place(&champion.id, "fallback")?,
        None => subject.argument_place(&challenge.id, "champion")?,
    };
    let message =
        format!("On the first release, `challenge` would compare {text} with itself: it is the fallback too.");
    let diagnostic = Diagnostic::new(Fault::ItselfAtFirst.code(), place, message);
    Some(with_candidate(subject, challenge, diagnostic).help(HELP_CHAMPION))
}

fn not_incumbent(subject: &Subject<'_>, challenge: &Node) -> Option<Diagnostic> {
    let place = subject.argument_place(&challenge.id, "champion")?;
    let (candidate, rival) = (
        subject.text(&challenge.id, "candidate"),
        subject.text(&challenge.id, "champion"),
    );
    let message = format!("`challenge` holds {candidate} against {rival}, which is not the model in service.");
    let diagnostic = Diagnostic::new(Fault::NotIncumbent.code(), place, message)
        .note("Whoever beats a rival of its own choice may still be worse than what runs today.");
    let plain = rival.trim_matches('`');
    let fallback = if rival.starts_with('`') {
        plain
    } else {
        "prior(parts.train)"
    };
    let help = format!(
        "Ask for the champion, with a fallback for the first release: `champion(Model, fallback: {fallback})`."
    );
    Some(diagnostic.help(help))
}

fn with_candidate(subject: &Subject<'_>, challenge: &Node, diagnostic: Diagnostic) -> Diagnostic {
    match subject.argument_place(&challenge.id, "candidate") {
        Some(place) => diagnostic.also(place, "the candidate"),
        None => diagnostic,
    }
}
