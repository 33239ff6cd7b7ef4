//! Leakage in time, as far as a pipeline shows it: rows with a time are divided at random, so that a model is trained on the
//! future of what it is judged on. Leakage through columns is checked where features and models are declared.

use crate::check::flow::{Flow, Subject, input, operation};
use crate::diagnostics::{Code, Diagnostic};
use crate::plan::{Node, Operation, PortType, SplitMethod};

/// Every random split of rows that have a time.
pub(crate) fn analyse(subject: &Subject<'_>) -> Vec<Diagnostic> {
    let flow = Flow::new(subject.graph);
    flow.order
        .iter()
        .filter_map(|node| random_split(subject, node))
        .collect()
}

fn random_split(subject: &Subject<'_>, node: &Node) -> Option<Diagnostic> {
    let Operation::Split { method, .. } = operation(node)? else {
        return None;
    };
    let at_random = match method {
        SplitMethod::Random { .. } | SplitMethod::Stratified { .. } => true,
        SplitMethod::Time { .. } | SplitMethod::Key { .. } => false,
    };
    let PortType::Dataset { schema, .. } = &input(node, "data")?.ty else {
        return None;
    };
    let schema = subject.schemas.get(schema)?;
    let time = schema.tagged("event_time").next()?;
    if !at_random {
        return None;
    }
    let text = subject.text(&node.id, "data");
    let column = &time.name;
    let message = format!("{text} has a time, `{column}`, but is divided at random.");
    let diagnostic = Diagnostic::new(Code::RandomSplitOfTimedData, subject.call(&node.id)?, message);
    let diagnostic = diagnostic
        .note("The model is trained on rows that are later than some it is judged on, so it looks better than it will be.")
        .help(format!("Divide by time instead: `by_time: {column}`, without `stratify` and `seed`."));
    Some(diagnostic)
}
