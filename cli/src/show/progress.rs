//! A run while it goes on: bars on a terminal, plain lines otherwise, JSON lines on request.

use std::collections::BTreeMap;
use std::io::IsTerminal;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use indicatif::{MultiProgress, ProgressBar, ProgressStyle};
use mlp_runtime::events::{Event, EventSink, NodeState};
use mlp_runtime::metadata::NodeRecord;

use super::node::{self, Widths};
use crate::output::{Style, Terminal};
use crate::words;

/// Shows events as they come.
pub struct Progress {
    terminal: Terminal,
    widths: Widths,
    form: Form,
}

enum Form {
    Json,
    Plain,
    Bars(Mutex<Bars>),
}

/// One spinner for each running step, above one bar for the whole run.
struct Bars {
    all: MultiProgress,
    whole: ProgressBar,
    running: BTreeMap<String, ProgressBar>,
}

impl Progress {
    /// The form that the streams ask for, or JSON lines.
    pub fn new(terminal: Terminal, widths: Widths, json: bool) -> Self {
        let form = if json {
            Form::Json
        } else if std::io::stdout().is_terminal() && std::io::stderr().is_terminal() && terminal.stderr_colour() {
            Form::Bars(Mutex::new(Bars::new()))
        } else {
            Form::Plain
        };
        Self { terminal, widths, form }
    }

    /// A line for people: above the bars, where there are some. A closed pipe is found by the last word of the run.
    fn say(&self, line: &str) {
        let line = format!("{line}\n");
        match &self.form {
            Form::Json => {}
            Form::Plain => drop(self.terminal.out(&line)),
            Form::Bars(bars) => {
                let bars = bars.lock().unwrap_or_else(PoisonError::into_inner);
                bars.all.suspend(|| drop(self.terminal.out(&line)));
            }
        }
    }

    fn with_bars(&self, change: impl FnOnce(&mut Bars)) {
        if let Form::Bars(bars) = &self.form {
            change(&mut bars.lock().unwrap_or_else(PoisonError::into_inner));
        }
    }

    fn is_plain(&self) -> bool {
        matches!(self.form, Form::Plain)
    }

    fn quiet(&self, line: &str) {
        self.say(&self.terminal.paint(Style::Quiet, &words::plain(line)));
    }

    fn finished(&self, record: &NodeRecord) {
        self.with_bars(|bars| bars.finish(&record.node));
        self.say(&node::line(self.terminal, self.widths, record));
    }
}

impl EventSink for Progress {
    fn emit(&self, event: &Event) {
        if matches!(self.form, Form::Json) {
            if let Ok(line) = serde_json::to_string(event) {
                drop(self.terminal.out(&(line + "\n")));
            }
            return;
        }
        match event {
            Event::RunStarted {
                run,
                pipeline,
                parameters,
                nodes,
                ..
            } => {
                self.with_bars(|bars| bars.whole.set_length(*nodes as u64));
                let run = self.terminal.paint(Style::Strong, run);
                self.say(&format!("run {run} of pipeline {pipeline}"));
                for (name, value) in parameters {
                    self.quiet(&format!("  {name} = {value}"));
                }
                self.say("");
            }
            Event::NodeQueued { .. } => {}
            Event::NodeStarted { node, callee, .. } => self.with_bars(|bars| bars.start(node, callee)),
            Event::NodeProgress { node, message } => {
                self.with_bars(|bars| bars.tell(node, message));
                if self.is_plain() {
                    self.quiet(&format!("  {node}: {message}"));
                }
            }
            Event::NodeRetried {
                node,
                attempt,
                wait,
                reason,
            } => {
                self.with_bars(|bars| bars.stop(node));
                let wait = words::duration(*wait);
                self.quiet(&format!(
                    "↻ {node}: attempt {attempt} failed, the next in {wait}: {reason}"
                ));
            }
            Event::NodeFinished {
                node,
                callee,
                state,
                cached,
                milliseconds,
                summary,
                failure,
            } => {
                self.finished(&NodeRecord {
                    node: node.clone(),
                    callee: callee.clone(),
                    state: *state,
                    cached: *cached,
                    attempts: 1,
                    started: None,
                    milliseconds: (*state != NodeState::Skipped).then_some(*milliseconds),
                    summary: summary.clone(),
                    failure: failure.clone(),
                    record: serde_json::Value::Null,
                    outputs: BTreeMap::new(),
                });
            }
            Event::Draining => {
                self.say("cancelling: what runs may finish; press Ctrl-C again to end it at once");
            }
            Event::RunFinished { .. } => self.with_bars(Bars::clear),
        }
    }
}

impl Bars {
    fn new() -> Self {
        let all = MultiProgress::new();
        let whole = all.add(ProgressBar::new(0));
        whole.set_style(style("{bar:24.green/dim} {pos}/{len}  {elapsed}"));
        Self {
            all,
            whole,
            running: BTreeMap::new(),
        }
    }

    fn start(&mut self, node: &str, callee: &str) {
        let bar = self.all.insert_before(&self.whole, ProgressBar::new_spinner());
        bar.set_style(style("{spinner} {prefix}  {elapsed}  {wide_msg:.dim}"));
        bar.set_prefix(words::plain(node));
        bar.set_message(words::plain(callee));
        bar.enable_steady_tick(Duration::from_millis(120));
        if let Some(before) = self.running.insert(node.to_owned(), bar) {
            before.finish_and_clear();
        }
    }

    fn tell(&mut self, node: &str, message: &str) {
        if let Some(bar) = self.running.get(node) {
            bar.set_message(words::plain(message));
        }
    }

    fn stop(&mut self, node: &str) {
        if let Some(bar) = self.running.remove(node) {
            bar.finish_and_clear();
        }
    }

    fn finish(&mut self, node: &str) {
        self.stop(node);
        self.whole.inc(1);
    }

    fn clear(&mut self) {
        for bar in std::mem::take(&mut self.running).into_values() {
            bar.finish_and_clear();
        }
        self.whole.finish_and_clear();
    }
}

fn style(template: &str) -> ProgressStyle {
    ProgressStyle::with_template(template).unwrap_or_else(|_| ProgressStyle::default_bar())
}
