//! Train/test contamination: metrics must come from rows that the model cannot have been trained on.
//!
//! Every dataset is tracked to where it was read and through which parts of which splits it went. What cannot be known is
//! taken for the worst: a user's step may return any of the rows it was given, and two splits of one dataset share rows.

use std::collections::{BTreeMap, BTreeSet};

use crate::check::flow::{Flow, Subject, input, operation};
use crate::check::provenance::rows::{Overlap, overlap};
use crate::check::provenance::{Finding, Who};
use crate::diagnostics::{Applicability, Code, Diagnostic, Edit};
use crate::plan::{Node, NodeKind, NodePath, Operation, PortType};

/// Every contamination, one for each training call.
pub(crate) fn analyse(subject: &Subject<'_>, findings: &[Finding]) -> Vec<Diagnostic> {
    let flow = Flow::new(subject.graph);
    let mut by_training: BTreeMap<NodePath, usize> = BTreeMap::new();
    let mut judged: BTreeSet<(NodePath, String)> = BTreeSet::new();
    let mut diagnostics: Vec<Diagnostic> = Vec::new();
    for finding in findings {
        // Two models that have seen the rows of one challenge are one mistake: the choice of rows.
        if !judged.insert((finding.node.clone(), finding.data.clone())) {
            continue;
        }
        let known = by_training.get(&finding.trained).copied();
        if let Some(diagnostic) = known.and_then(|index| diagnostics.get_mut(index)) {
            if let Some(place) = subject.argument_place(&finding.node, &finding.data) {
                *diagnostic = diagnostic.clone().also(place, "these rows are used again here");
            }
            continue;
        }
        if let Some(diagnostic) = diagnose(subject, &flow, finding) {
            by_training.insert(finding.trained.clone(), diagnostics.len());
            diagnostics.push(diagnostic);
        }
    }
    diagnostics
}

fn diagnose(subject: &Subject<'_>, flow: &Flow<'_>, finding: &Finding) -> Option<Diagnostic> {
    let place = if finding.inside {
        subject.call(&finding.node)?
    } else {
        subject.argument_place(&finding.node, &finding.data)?
    };
    let code = match finding.who {
        Who::Evaluated => Code::EvaluatedOnTraining,
        Who::Candidate | Who::Champion => Code::ChallengedOnTraining,
    };
    let splitter = splitter_of(flow, finding);
    let mut diagnostic = Diagnostic::new(code, place.clone(), message(subject, finding, splitter.is_none()))
        .note("A model is always good on what it has seen; only rows it has not seen say what it is worth.");
    if let Some(trained) = flow.node(&finding.trained) {
        let inputs = trained.inputs.iter();
        let data = inputs.filter(|input| matches!(input.ty, PortType::Dataset { .. }));
        let texts: Vec<String> = data.map(|input| subject.text(&trained.id, &input.name)).collect();
        let on = if texts.is_empty() {
            String::new()
        } else {
            format!(", on {}", texts.join(" and "))
        };
        let what = if finding.chosen { "chosen" } else { "trained" };
        diagnostic = subject.with_call(diagnostic, &trained.id, format!("{what} here{on}"));
    }
    for split in splits(finding) {
        diagnostic = subject.with_call(diagnostic, &split, "the data is divided here");
    }
    if finding.overlap == Overlap::TwoReads {
        for read in flow
            .order
            .iter()
            .filter(|node| matches!(operation(node), Some(Operation::Read { .. })))
        {
            diagnostic = subject.with_call(diagnostic, &read.id, "read here");
        }
    }
    let Some(other) = other_part(subject, flow, finding) else {
        return Some(way_out(subject, splitter, finding, diagnostic));
    };
    let edit = Edit::replace(place, other.clone());
    let title = format!("Use `{other}`");
    let help = format!("Use `{other}`, which the model has not seen.");
    Some(diagnostic.help(help).fix(title, Applicability::Safe, vec![edit]))
}

/// What to do where no other part of the same split can be named.
fn way_out(subject: &Subject<'_>, splitter: Option<&Node>, finding: &Finding, diagnostic: Diagnostic) -> Diagnostic {
    if finding.chosen {
        return diagnostic.help("Choose by one part and judge by another: `split(…, validation: 20%, test: 20%)`.");
    }
    let Some(splitter) = splitter else {
        return diagnostic.help("Divide the data once with `split`, train on one part, and judge on another.");
    };
    let step = &splitter.callee;
    subject
        .with_call(diagnostic, &splitter.id, "what a step does with its rows is not known")
        .note(format!(
            "`{step}` may put a row into more than one of its outputs; of `split`, it is known that it never does."
        ))
        .help(format!(
            "Divide the rows with `split` (at random, `by_time` or `by_key`), or read the parts that `{step}` makes from two files."
        ))
}

/// The user's step of several datasets that the judged rows come from, through operations that keep rows.
fn splitter_of<'g>(flow: &Flow<'g>, finding: &Finding) -> Option<&'g Node> {
    let judge = flow.node(&finding.node).filter(|_| !finding.inside)?;
    let mut node = flow.producer(&input(judge, &finding.data)?.value)?;
    while operation(node).is_some() {
        node = flow.producer(&input(node, "data")?.value)?;
    }
    let datasets = node
        .outputs
        .iter()
        .filter(|port| matches!(port.ty, PortType::Dataset { .. }));
    (matches!(node.kind, NodeKind::Step(_)) && datasets.count() > 1).then_some(node)
}

/// What is wrong; `certain` when no step of the user stands between the rows that were read and those that are judged.
fn message(subject: &Subject<'_>, finding: &Finding, certain: bool) -> String {
    if finding.inside {
        return "This pipeline judges a model on rows that the model may have been trained on.".to_owned();
    }
    let data = subject.text(&finding.node, &finding.data);
    let (begin, model) = match finding.who {
        Who::Evaluated => {
            let model = subject.text(&finding.node, &finding.model);
            (format!("{} is evaluated on {data}", capital(&model)), "it".to_owned())
        }
        Who::Candidate => {
            let model = subject.text(&finding.node, &finding.model);
            (format!("The challenge is decided on {data}"), model)
        }
        Who::Champion => (
            format!("The challenge is decided on {data}"),
            "the champion or its fallback".to_owned(),
        ),
    };
    if finding.chosen {
        return format!("{begin}, but {model} was chosen by metrics on rows among them.");
    }
    if !certain {
        return format!("{begin}, which may hold rows that {model} was trained on.");
    }
    match finding.overlap {
        Overlap::Same => format!("{begin}, the very rows that {model} was trained on."),
        Overlap::Contains => format!("{begin}, among them rows that {model} was trained on."),
        Overlap::Within => format!("{begin}, which is part of what {model} was trained on."),
        Overlap::TwoSplits => {
            format!("{begin}, but {model} was trained on a part of another split of the same data, so they share rows.")
        }
        Overlap::TwoReads => format!("{begin}, which is read from the same source as what {model} was trained on."),
    }
}

fn capital(text: &str) -> String {
    let mut characters = text.chars();
    let first = characters.next().map(char::to_uppercase);
    first.into_iter().flatten().chain(characters).collect()
}

fn splits(finding: &Finding) -> Vec<NodePath> {
    let mut splits: Vec<NodePath> = Vec::new();
    for partition in std::iter::once(&finding.judged).chain(&finding.seen) {
        for (split, _) in &partition.path {
            if partition.origin == finding.judged.origin && !splits.contains(split) {
                splits.push(split.clone());
            }
        }
    }
    splits
}

/// Another part of the same split, as the user would write it, that the model has not seen.
fn other_part(subject: &Subject<'_>, flow: &Flow<'_>, finding: &Finding) -> Option<String> {
    let (split, part) = finding.judged.path.last()?;
    let written = &subject.argument(&finding.node, &finding.data)?.text;
    if finding.inside || *written != format!("`{split}.{part}`") {
        return None;
    }
    let Some(Operation::Split { parts, .. }) = flow.node(split).and_then(operation) else {
        return None;
    };
    let unseen = |name: &str| {
        let mut other = finding.judged.clone();
        if let Some(last) = other.path.last_mut() {
            name.clone_into(&mut last.1);
        }
        finding.seen.iter().all(|seen| overlap(seen, &other).is_none())
    };
    let mut names = parts
        .iter()
        .map(|part| part.name.as_str())
        .filter(|name| *name != "train");
    names.find(|name| unseen(name)).map(|name| format!("{split}.{name}"))
}
