//! Evidence: a stage of the life cycle was skipped, done on another artifact, or undone by a later step.
//!
//! Types alone would say "wrong type"; this says which stage is missing, and where the artifact came from.

mod stages;

use std::collections::BTreeMap;

use crate::check::flow::{Flow, Subject, input, operation};
use crate::check::pipelines::facts::MissingEvidence;
use crate::check::provenance::Mismatch;
use crate::diagnostics::{Applicability, Code, Diagnostic, Edit, EditPosition, Place};
use crate::plan::{Node, NodeKind, Operand, Operation, PortType};
use crate::types::Evidence;

/// Every problem with evidence, one for each artifact that lacks it, and every stage that misses its model.
pub(crate) fn analyse(subject: &Subject<'_>, mismatches: &[Mismatch]) -> Vec<Diagnostic> {
    let flow = Flow::new(subject.graph);
    let mut diagnostics = missing(subject, &flow);
    let mut reported: Vec<(&str, Code)> = Vec::new();
    for mismatch in mismatches {
        let key = (mismatch.node.as_str(), mismatch.fault.code());
        if !reported.contains(&key) {
            reported.push(key);
            diagnostics.extend(stages::diagnose(subject, &flow, mismatch));
        }
    }
    diagnostics
}

/// A use of an artifact: the node and its input.
#[derive(Clone, Copy)]
struct Edge<'g> {
    node: &'g str,
    input: &'g str,
}

fn missing(subject: &Subject<'_>, flow: &Flow<'_>) -> Vec<Diagnostic> {
    let mut by_cause: BTreeMap<String, usize> = BTreeMap::new();
    let mut diagnostics: Vec<Diagnostic> = Vec::new();
    for demand in &subject.facts.missing {
        let Some(node) = flow.node(&demand.node) else { continue };
        let Some(given) = input(node, &demand.parameter) else {
            continue;
        };
        let edge = Edge {
            node: &node.id,
            input: &given.name,
        };
        let (edge, cause) = match demand.wanted {
            Evidence::None | Evidence::Validated => origin(flow, edge, &given.value),
            Evidence::Gated | Evidence::Proven | Evidence::Registered => (edge, flow.root(&given.value)),
        };
        let key = format!("{:?} {cause:?}", demand.wanted == Evidence::Validated);
        if let Some(diagnostic) = by_cause.get(&key).and_then(|index| diagnostics.get_mut(*index)) {
            if let Some(place) = subject.argument_place(&demand.node, &demand.parameter) {
                let message = format!("`{}` demands it too", node.callee);
                *diagnostic = diagnostic.clone().also(place, message);
            }
            continue;
        }
        let Some(diagnostic) = demanded(subject, flow, demand, node, edge, cause) else {
            continue;
        };
        by_cause.insert(key, diagnostics.len());
        diagnostics.push(diagnostic);
    }
    diagnostics
}

/// Walks back through operations that keep evidence, to what lacks it and its first use.
fn origin<'g>(flow: &Flow<'g>, edge: Edge<'g>, operand: &'g Operand) -> (Edge<'g>, &'g Operand) {
    let (mut edge, mut operand) = (edge, operand);
    while let Some(node) = flow.producer(operand)
        && keeps_evidence(node)
        && let Some(data) = input(node, "data")
    {
        edge = Edge {
            node: &node.id,
            input: "data",
        };
        operand = &data.value;
    }
    (edge, operand)
}

fn keeps_evidence(node: &Node) -> bool {
    matches!(
        operation(node),
        Some(Operation::Features(_) | Operation::Project(_) | Operation::Split { .. })
    )
}

fn demanded(
    subject: &Subject<'_>,
    flow: &Flow<'_>,
    demand: &MissingEvidence,
    node: &Node,
    edge: Edge<'_>,
    cause: &Operand,
) -> Option<Diagnostic> {
    let place = subject.argument_place(&demand.node, &demand.parameter)?;
    if let Some(stage) = stage_of(flow, demand, cause) {
        return another_artifact(subject, demand, node, edge, stage);
    }
    let diagnostic = match demand.wanted {
        Evidence::None | Evidence::Validated => not_validated(subject, flow, demand, node, edge, cause, place),
        Evidence::Gated | Evidence::Proven | Evidence::Registered => {
            not_shown(subject, flow, demand, node, cause, place)
        }
    };
    let wanted = format!(
        "this parameter demands {} {}",
        article(demand.wanted),
        noun(demand.wanted)
    );
    Some(subject.with_parameter(diagnostic, &demand.node, &demand.parameter, &wanted))
}

fn noun(evidence: Evidence) -> &'static str {
    match evidence {
        Evidence::None | Evidence::Validated => "data",
        Evidence::Gated | Evidence::Proven | Evidence::Registered => "model",
    }
}

fn article(evidence: Evidence) -> String {
    match evidence {
        Evidence::None | Evidence::Validated => evidence.word().to_owned(),
        Evidence::Gated | Evidence::Proven | Evidence::Registered => format!("a {}", evidence.word()),
    }
}

/// The stage that gave the wanted evidence to this very artifact, although not to what is passed.
fn stage_of<'g>(flow: &Flow<'g>, demand: &MissingEvidence, cause: &Operand) -> Option<&'g Node> {
    let before = flow.position(&demand.node);
    let gives = |node: &Node| {
        let (wanted, name) = match operation(node)? {
            Operation::Validate { .. } => (Evidence::Validated, "data"),
            Operation::Gate { .. } => (Evidence::Gated, "model"),
            Operation::Challenge(_) => (Evidence::Proven, "candidate"),
            Operation::Register { .. } => (Evidence::Registered, "model"),
            Operation::Read { .. }
            | Operation::Features(_)
            | Operation::Project(_)
            | Operation::Split { .. }
            | Operation::Mask { .. }
            | Operation::Predict { .. }
            | Operation::Evaluate { .. }
            | Operation::Champion { .. }
            | Operation::Prior { .. }
            | Operation::Approve { .. }
            | Operation::Deploy { .. } => return None,
        };
        let given = &input(node, name)?.value;
        let same = if wanted == Evidence::Validated {
            given == cause
        } else {
            flow.root(given) == cause
        };
        (wanted == demand.wanted && same).then_some(())
    };
    let mut earlier = flow.order.iter().take(before);
    earlier.find(|node| gives(node).is_some()).copied()
}

fn another_artifact(
    subject: &Subject<'_>,
    demand: &MissingEvidence,
    node: &Node,
    edge: Edge<'_>,
    stage: &Node,
) -> Option<Diagnostic> {
    let place = subject.argument_place(edge.node, edge.input)?;
    let text = subject.text(edge.node, edge.input);
    let word = demand.wanted.word();
    let demands = format!(
        "`{}` demands {} {}",
        node.callee,
        article(demand.wanted),
        noun(demand.wanted)
    );
    let bound = subject.is_bound(&stage.id);
    let message = if bound {
        format!("{demands}: `{}` is {word}, but {text} is what is passed on.", stage.id)
    } else {
        format!("{demands}: {text} is {word} elsewhere, but passed on without that.")
    };
    let mut diagnostic = Diagnostic::new(Code::StageOnAnotherArtifact, place.clone(), message);
    diagnostic = subject.with_call(diagnostic, &stage.id, format!("this is what is {word}"));
    if edge.node != node.id {
        diagnostic = subject.with_call(diagnostic, &node.id, format!("`{}` demands it here", node.callee));
    }
    if !bound {
        return Some(diagnostic.help(format!(
            "Bind the {word} {} with `let`, and pass that.",
            noun(demand.wanted)
        )));
    }
    let title = format!("Pass `{}` instead", stage.id);
    let edit = Edit::replace(place, stage.id.clone());
    Some(
        diagnostic
            .help(format!("Pass `{}`.", stage.id))
            .fix(title, Applicability::Safe, vec![edit]),
    )
}

fn not_validated(
    subject: &Subject<'_>,
    flow: &Flow<'_>,
    demand: &MissingEvidence,
    node: &Node,
    edge: Edge<'_>,
    cause: &Operand,
    place: Place,
) -> Diagnostic {
    let text = subject.text(&demand.node, &demand.parameter);
    let callee = &node.callee;
    let source = flow.producer(cause);
    let undone = source.and_then(|source| validated_input(flow, source).map(|input| (source, input)));
    let mut diagnostic = if let Some((step, validated)) = undone {
        let before = subject.text(&step.id, validated);
        let message = format!(
            "`{callee}` demands validated data, and `{}` has changed {before} since it was validated.",
            step.callee
        );
        let diagnostic = Diagnostic::new(Code::EvidenceUndone, place, message);
        subject
            .with_call(diagnostic, &step.id, "this may change what was shown about the data")
            .note("What a step does to its rows is not known, so its result is dirty until it is validated again.")
    } else {
        let message = format!("`{callee}` demands validated data, and {text} was never validated.");
        let diagnostic = Diagnostic::new(Code::NotValidated, place, message);
        let diagnostic = match source {
            Some(source) => subject.with_call(
                diagnostic,
                &source.id,
                "the data comes in here, and nothing validates it",
            ),
            None => diagnostic,
        };
        diagnostic.note("Rows that break their schema make a model silently worse; validation stops the run instead.")
    };
    diagnostic = diagnostic.label("not validated");
    let Some(argument) = subject.argument(edge.node, edge.input) else {
        return diagnostic.help("Pass the data through `validate` first.");
    };
    let (place, text) = (subject.place(argument.place), argument.text.trim_matches('`'));
    let help = format!("Validate it first: `validate({text})`, with the name of a `checks` block if there is one.");
    let help = if argument.text.starts_with('`') {
        help
    } else {
        "Validate it first, with `validate(…)`.".to_owned()
    };
    let wrap = |position, text: &str| Edit {
        place: place.clone(),
        position,
        text: text.to_owned(),
    };
    let edits = vec![wrap(EditPosition::Before, "validate("), wrap(EditPosition::After, ")")];
    diagnostic
        .help(help)
        .fix("Wrap it in `validate(…)`", Applicability::Safe, edits)
}

/// The input of a step or operation that was validated, although its output is not.
fn validated_input<'g>(flow: &Flow<'g>, node: &'g Node) -> Option<&'g str> {
    let changes = match &node.kind {
        NodeKind::Step(_) | NodeKind::Pipeline(_) => true,
        NodeKind::Operation(operation) => {
            matches!(operation.as_ref(), Operation::Mask { .. } | Operation::Predict { .. })
        }
        NodeKind::Branch(_) | NodeKind::Loop(_) | NodeKind::Finally(_) => false,
    };
    if !changes {
        return None;
    }
    let validated = node.inputs.iter().find(|input| {
        matches!(input.ty, PortType::Dataset { .. }) && flow.evidence(&input.value) == Some(Evidence::Validated)
    });
    validated.map(|input| input.name.as_str())
}

fn not_shown(
    subject: &Subject<'_>,
    flow: &Flow<'_>,
    demand: &MissingEvidence,
    node: &Node,
    cause: &Operand,
    place: Place,
) -> Diagnostic {
    let text = subject.text(&demand.node, &demand.parameter);
    let (code, lacks, why, help) = lack(demand, &text);
    let message = format!(
        "`{}` demands a {} model, and {lacks}.",
        node.callee,
        demand.wanted.word()
    );
    let mut diagnostic = Diagnostic::new(code, place.clone(), message).note(why).help(help);
    if let Some(source) = flow.producer(cause) {
        diagnostic = subject.with_call(diagnostic, &source.id, "the model comes from here");
    }
    if demand.wanted == Evidence::Registered && demand.found == Evidence::Proven {
        let wrap = |position, text: &str| Edit {
            place: place.clone(),
            position,
            text: text.to_owned(),
        };
        let edits = vec![wrap(EditPosition::Before, "register("), wrap(EditPosition::After, ")")];
        diagnostic = diagnostic.fix("Wrap it in `register(…)`", Applicability::Safe, edits);
    }
    diagnostic
}

/// Code, what is lacking, why it matters, what to write.
fn lack(demand: &MissingEvidence, text: &str) -> (Code, String, &'static str, String) {
    let plain = text.trim_matches('`');
    let name = if text.starts_with('`') { plain } else { "model" };
    match (demand.wanted, demand.found) {
        (Evidence::None | Evidence::Validated | Evidence::Gated, _) => (
            Code::NotGated,
            format!("{text} has passed no gate"),
            "A gate is where somebody said how good is good enough; without it, any model would go on.",
            format!("Decide first, on its metrics: `gate({name}, scores) {{ auc >= 0.7 }}`."),
        ),
        (Evidence::Proven, Evidence::Gated | Evidence::Proven | Evidence::Registered) => (
            Code::NotProven,
            format!("{text} was never compared with the champion"),
            "A model that is good in itself may still be worse than the one in service.",
            format!("Compare them: `challenge({name}, champion(…), on: …) {{ candidate.auc >= champion.auc }}`."),
        ),
        (Evidence::Proven, Evidence::None | Evidence::Validated) => (
            Code::NotProven,
            format!("{text} was neither gated nor compared with the champion"),
            "A model that is good in itself may still be worse than the one in service.",
            "Let it pass `gate(…)` and then `challenge(…)`.".to_owned(),
        ),
        (Evidence::Registered, Evidence::Proven | Evidence::Registered) => (
            Code::NotRegistered,
            format!("{text} was never registered"),
            "Only a registered version can be found, explained and rolled back to.",
            format!("Register it: `register({name})`."),
        ),
        (Evidence::Registered, Evidence::Gated) => (
            Code::NotRegistered,
            format!("{text} was neither compared with the champion nor registered"),
            "A deployment that was not proven against the champion may be a step back that nobody sees.",
            "Let it pass `challenge(…)` and then `register(…)`.".to_owned(),
        ),
        (Evidence::Registered, Evidence::None | Evidence::Validated) => (
            Code::NotRegistered,
            format!("{text} was neither gated, nor compared with the champion, nor registered"),
            "A deployment that nobody decided about and nothing was proven of is a guess in production.",
            "Let it pass `gate(…)`, `challenge(…)` and `register(…)`.".to_owned(),
        ),
    }
}
