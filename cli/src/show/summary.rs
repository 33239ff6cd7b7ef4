//! The end of a run: verdicts, what failed and where, and where to look next.

use mlp::plan::{Pipeline, Plan};
use mlp_runtime::events::{Failure, NodeState, Outcome};
use mlp_runtime::executor::RunOutcome;
use mlp_runtime::metadata::NodeRecord;

use super::verdict;
use crate::output::{Style, Terminal};
use crate::words;

/// The tables of all stages that passed; one that did not is told as a failure.
pub fn verdicts(terminal: Terminal, nodes: &[NodeRecord]) -> String {
    let mut text = String::new();
    for node in nodes.iter().filter(|node| node.state == NodeState::Succeeded) {
        let table = verdict::table(terminal, &node.record, "  ");
        if !table.is_empty() {
            let heading = terminal.paint(Style::Strong, &words::plain(&node.node));
            text.push_str(&format!(
                "\n{heading} {}\n{table}",
                terminal.paint(Style::Quiet, &format!("({})", node.callee))
            ));
        }
    }
    text
}

/// Each failure with its place in the source, its details and a way out.
pub fn failures(terminal: Terminal, outcome: &RunOutcome, plan: &Plan, pipeline: &Pipeline) -> String {
    let mut text = String::new();
    for (node, failure) in &outcome.failures {
        let state = outcome
            .nodes
            .iter()
            .find(|each| each.node == *node)
            .map_or(NodeState::Failed, |each| each.state);
        let (sign, style) = words::sign(state);
        let what = match state {
            NodeState::Refused => "did not pass",
            NodeState::Queued
            | NodeState::Running
            | NodeState::Succeeded
            | NodeState::Failed
            | NodeState::Skipped
            | NodeState::Cancelled => "failed",
        };
        let heading = terminal.paint(style, &format!("{sign} {} {what}", words::plain(node)));
        let place = place(plan, pipeline, node).map(|place| terminal.paint(Style::Quiet, &format!("  {place}")));
        text.push_str(&format!("\n{heading}{}\n", place.unwrap_or_default()));
        text.push_str(&self::failure(terminal, failure));
    }
    text
}

/// A failure below its heading.
pub fn failure(terminal: Terminal, failure: &Failure) -> String {
    let mut text = format!("  {}\n", words::plain(&failure.summary));
    for line in &failure.details {
        for line in line.lines() {
            text.push_str(format!("    {}", words::plain(line)).trim_end());
            text.push('\n');
        }
    }
    if let Some(help) = &failure.help {
        text.push_str(&format!(
            "  {} {}\n",
            terminal.paint(Style::Good, "help:"),
            words::plain(help)
        ));
    }
    text
}

/// `main.mlp:58`: where the node stands in the source. Indices of loops and paths through called pipelines are not part of
/// a node's name in the plan.
pub fn place(plan: &Plan, pipeline: &Pipeline, node: &str) -> Option<String> {
    let name = without_indices(node);
    let origin = pipeline.origins.get(&name).or_else(|| {
        let inner = name.rsplit('/').next()?;
        plan.pipelines.values().find_map(|pipeline| pipeline.origins.get(inner))
    })?;
    Some(format!("{}:{}", origin.file, origin.line))
}

fn without_indices(node: &str) -> String {
    let mut name = String::new();
    let mut depth = 0_usize;
    for character in node.chars() {
        match character {
            '[' => depth += 1,
            ']' => depth = depth.saturating_sub(1),
            _ if depth == 0 => name.push(character),
            _ => {}
        }
    }
    name
}

/// The last lines: how it ended, and where to look next.
pub fn footer(terminal: Terminal, outcome: &RunOutcome, project: &str) -> String {
    let counts = outcome.counts;
    let mut parts = Vec::new();
    if counts.succeeded > 0 {
        parts.push(words::count(counts.succeeded, "step") + " succeeded");
    }
    let mut part = |number: usize, text: &str| {
        if number > 0 {
            parts.push(format!("{number} {text}"));
        }
    };
    part(counts.cached, "from the cache");
    part(counts.failed, "failed");
    part(counts.refused, "did not pass");
    part(counts.skipped, "skipped");
    part(counts.cancelled, "cancelled");
    if parts.is_empty() {
        parts.push("there was nothing to do".to_owned());
    }
    let state = terminal.paint(words::outcome_style(outcome.outcome), outcome.outcome.name());
    let released = outcome
        .nodes
        .iter()
        .filter(|node| node.state == NodeState::Succeeded && (node.callee == "register" || node.callee == "deploy"))
        .map(|node| format!("  {}: {}\n", node.callee, words::plain(&node.summary)));
    let released: String = released.collect();
    let released = if released.is_empty() {
        released
    } else {
        format!("\n{released}")
    };
    let next = match outcome.outcome {
        Outcome::Failed => outcome
            .failures
            .first()
            .map(|(node, _)| format!("what it printed: mlp{project} logs {} {node}\n", outcome.run)),
        Outcome::Running | Outcome::Succeeded | Outcome::Refused | Outcome::Cancelled | Outcome::Interrupted => None,
    };
    format!(
        "{released}\nrun {} {state} in {}: {}\n{}details: mlp{project} show {}\n",
        terminal.paint(Style::Strong, &outcome.run),
        words::duration(outcome.milliseconds),
        parts.join(", "),
        next.unwrap_or_default(),
        outcome.run,
    )
}

#[cfg(test)]
mod tests {
    use super::without_indices;

    #[test]
    fn a_loop_index_is_no_part_of_a_name() {
        assert_eq!(without_indices("each[2].try"), "each.try");
        assert_eq!(without_indices("a[1]/b[2][3]"), "a/b");
        assert_eq!(without_indices("]odd["), "odd");
    }
}
