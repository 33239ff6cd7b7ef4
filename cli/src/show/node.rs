//! A step of a run: one line in a list, or everything about it.

use mlp_runtime::events::NodeState;
use mlp_runtime::metadata::NodeRecord;
use mlp_runtime::store::Datum;

use super::verdict;
use crate::output::{Style, Terminal};
use crate::words;

/// Columns of a list of steps.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Widths {
    name: usize,
    callee: usize,
}

/// The widest columns that a list lets its names have.
const WIDEST: usize = 32;

/// Columns wide enough for these names and callees.
pub fn widths<'a>(nodes: impl IntoIterator<Item = (&'a str, &'a str)>) -> Widths {
    let mut widths = Widths { name: 4, callee: 4 };
    for (name, callee) in nodes {
        widths.name = widths.name.max(name.chars().count()).min(WIDEST);
        widths.callee = widths.callee.max(callee.chars().count()).min(WIDEST);
    }
    widths
}

/// One line of a list, without a line break.
pub fn line(terminal: Terminal, widths: Widths, node: &NodeRecord) -> String {
    let (sign, style) = words::sign(node.state);
    let took = match (node.state, node.milliseconds) {
        (NodeState::Succeeded, _) if node.cached => "cached".to_owned(),
        (NodeState::Skipped, _) | (_, None) => String::new(),
        (_, Some(milliseconds)) => words::duration(milliseconds),
    };
    let said = match (&node.failure, node.state) {
        (Some(failure), _) => failure.summary.clone(),
        (None, NodeState::Skipped) if node.summary.is_empty() => "skipped".to_owned(),
        (None, _) => node.summary.clone(),
    };
    let Widths { name, callee } = widths;
    let head = format!("{:name$}", words::plain(&node.node));
    let called = format!("{:callee$}", words::plain(&node.callee));
    let quiet = node.state == NodeState::Skipped;
    let painted = |text: &str, style: Style| terminal.paint(if quiet { Style::Quiet } else { style }, text);
    let said = if node.failure.is_some() || quiet {
        painted(&words::plain(&said), style)
    } else {
        words::plain(&said)
    };
    format!(
        "{} {}  {}  {}  {said}",
        terminal.paint(style, sign),
        if quiet { painted(&head, style) } else { head },
        terminal.paint(Style::Quiet, &called),
        terminal.paint(Style::Quiet, &format!("{took:>9}")),
    )
    .trim_end()
    .to_owned()
}

/// Everything about a step.
pub fn details(terminal: Terminal, node: &NodeRecord, place: Option<&str>, path: impl Fn(&Datum) -> String) -> String {
    let mut text = String::new();
    let (sign, style) = words::sign(node.state);
    let heading = terminal.paint(Style::Strong, &words::plain(&node.node));
    text.push_str(&format!("{} {heading}  {}\n", terminal.paint(style, sign), node.callee));
    let mut fact = |name: &str, value: String| {
        if !value.is_empty() {
            text.push_str(&format!(
                "  {}  {value}\n",
                terminal.paint(Style::Quiet, &format!("{name:9}"))
            ));
        }
    };
    fact(
        "state",
        format!("{}{}", node.state.name(), if node.cached { " (cached)" } else { "" }),
    );
    fact("found", words::plain(&node.summary));
    fact("place", place.unwrap_or_default().to_owned());
    fact("started", node.started.as_deref().map(words::time).unwrap_or_default());
    fact("took", node.milliseconds.map(words::duration).unwrap_or_default());
    if node.attempts > 1 {
        fact("attempts", node.attempts.to_string());
    }
    for (port, datum) in &node.outputs {
        fact("gives", format!("{port}: {}", path(datum)));
    }
    if let Some(failure) = &node.failure {
        text.push('\n');
        text.push_str(&super::summary::failure(terminal, failure));
    }
    let conditions = verdict::table(terminal, &node.record, "  ");
    if !conditions.is_empty() && node.failure.is_none() {
        text.push_str(&format!("\n{conditions}"));
    } else if !node.record.is_null() && node.failure.is_none() {
        let record = format!("{:#}", node.record);
        text.push_str(&format!("\n  {}\n", terminal.paint(Style::Quiet, "record")));
        text.extend(record.lines().map(|line| format!("    {line}\n")));
    }
    text
}
