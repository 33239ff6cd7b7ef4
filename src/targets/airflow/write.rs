//! The text of a DAG file. It holds no time and no order of chance, so equal plans give equal bytes.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use super::condition::{Condition, Pulled};
use super::dag::{Dag, Items, Kind, Launched, List, Task};
use super::layout::{Group, Layout, Placed, Unit, Upstream};
use super::runner::Runs;
use super::{helpers, python, settings};
use crate::plan::{Pipeline, Plan};
use crate::targets::{Request, TargetError};

/// How far the tasks of a DAG are indented.
const INDENT: &str = "    ";

/// What is written.
pub(super) struct Writer<'w> {
    pub(super) dag: &'w Dag,
    pub(super) runs: Runs<'w>,
    /// Python's names for tasks and groups.
    names: BTreeMap<Upstream, String>,
    taken: BTreeSet<String>,
    /// Python's names for groups for the eye, by their path and the function they stand in.
    folders: BTreeMap<(String, Vec<String>), String>,
    /// The function and the group for the eye that the last task was written into.
    open: (String, Vec<String>),
    /// Python's names for what all calls of a step share, by step, with the text.
    shared: BTreeMap<String, (String, String)>,
}

/// The file of a pipeline.
pub(super) fn file(
    request: &Request<'_>,
    pipeline: &Pipeline,
    dag: &Dag,
    layout: &Layout,
) -> Result<String, TargetError> {
    let runs = Runs::of(request)?;
    let taken = helpers::names(&runs);
    let mut writer = Writer {
        dag,
        runs,
        names: BTreeMap::new(),
        taken,
        folders: BTreeMap::new(),
        open: Default::default(),
        shared: BTreeMap::new(),
    };
    writer.share(layout)?;
    let body = writer.body(layout);
    let opening = settings::opening(request, pipeline)?;
    let tasks = writer.tasks(layout)?;
    let mut shared: String = writer.shared.values().map(|(_, text)| text.as_str()).collect();
    if !shared.is_empty() {
        shared.push('\n');
    }
    let code = format!("{shared}{opening}{body}");
    let head = helpers::head(&writer.runs, &code);
    Ok(format!(
        "{}{head}\n\n{code}\n\n{tasks}",
        heading(request.plan, pipeline, &writer.runs)
    ))
}

fn heading(plan: &Plan, pipeline: &Pipeline, runs: &Runs<'_>) -> String {
    let origin = pipeline.origins.values().next().map(|origin| origin.file.as_str());
    let from = match origin {
        Some(file) => format!("`{}` of {file}", pipeline.name),
        None => format!("`{}`", pipeline.name),
    };
    // The name of a project or file could hold anything; a comment ends with its line.
    let from: String = format!("{from} in the project `{}`", plan.project.name)
        .chars()
        .map(|character| if character.is_control() { ' ' } else { character })
        .collect();
    format!(
        "# The pipeline {from}, written by mlp {} for Apache Airflow {}; every step is {}.\n\
         # Do not edit it: change the source and build again.\n",
        env!("CARGO_PKG_VERSION"),
        runs.version(),
        runs.title(),
    )
}

impl Writer<'_> {
    /// The tasks and what comes before each.
    fn body(&mut self, layout: &Layout) -> String {
        let mut text = String::new();
        let mut edges = String::new();
        for unit in &layout.units {
            match unit {
                Unit::Task(placed) => {
                    let name = self.name(Upstream::Task(placed.task.id.clone()), &placed.task.id);
                    let code = self.task(placed, &name, false);
                    self.within("", &placed.task.folders, &code, &mut text);
                    self.edges(placed, &name, &mut edges);
                }
                Unit::Group(group) => self.group(group, &mut text),
            }
        }
        let text = self.without_unused("", text);
        let mut body = indented(&text, INDENT);
        if !edges.is_empty() {
            body.push('\n');
            body.push_str(&indented(&edges, INDENT));
        }
        body
    }

    /// A name of Python's for a task or group.
    fn name(&mut self, what: Upstream, wanted: &str) -> String {
        let taken = &self.taken;
        let name = python::name(wanted, &|name| taken.contains(name));
        self.taken.insert(name.clone());
        self.names.insert(what, name.clone());
        name
    }

    /// Code within the groups for the eye; what follows in the same group is not begun anew.
    fn within(&mut self, function: &str, folders: &[String], code: &str, text: &mut String) {
        let inside = INDENT.repeat(folders.len());
        if self.open != (function.to_owned(), folders.to_vec()) {
            self.open = (function.to_owned(), folders.to_vec());
            for end in 1..=folders.len() {
                let path = folders.get(..end).unwrap_or_default();
                let line = self.folder(function, path);
                let _ = writeln!(text, "{}with {line}:", INDENT.repeat(end - 1));
            }
        }
        text.push_str(&indented(code, &inside));
    }

    /// Code in which a group for the eye has a name only where it is begun again.
    fn without_unused(&self, function: &str, code: String) -> String {
        let own = self.folders.iter().filter(|((known, _), _)| known == function);
        let unused = own.filter(|(_, name)| !code.contains(&format!("with {name}:")));
        let names: Vec<&String> = unused.map(|(_, name)| name).collect();
        names.into_iter().fold(code, |code, name| {
            code.replacen(
                &format!(", prefix_group_id=False) as {name}:"),
                ", prefix_group_id=False):",
                1,
            )
        })
    }

    /// What begins a group for the eye: its making, or its name where it was made before.
    fn folder(&mut self, function: &str, path: &[String]) -> String {
        let key = (function.to_owned(), path.to_vec());
        if let Some(known) = self.folders.get(&key) {
            return known.clone();
        }
        let taken = &self.taken;
        let wanted = format!("{}_group", path.last().map_or("", String::as_str));
        let name = python::name(&wanted, &|name| taken.contains(name));
        self.taken.insert(name.clone());
        self.folders.insert(key, name.clone());
        let id = python::text(&name.replace('_', "-"));
        format!("TaskGroup(group_id={id}, prefix_group_id=False) as {name}")
    }

    /// A group that Airflow repeats: a function with one turn's tasks.
    fn group(&mut self, group: &Group, text: &mut String) {
        let name = self.name(Upstream::Group(group.id.clone()), &group.id);
        let taken = &self.taken;
        let function = python::name(&format!("{name}_turn"), &|name| taken.contains(name));
        self.taken.insert(function.clone());
        let mut inside = String::new();
        let mut edges = String::new();
        let followed: BTreeSet<&Upstream> = group.tasks.iter().flat_map(|placed| &placed.upstream).collect();
        for placed in &group.tasks {
            let own = Upstream::Task(placed.task.id.clone());
            let is_named = !placed.upstream.is_empty() || followed.contains(&own);
            let task = self.name(own, &placed.task.id);
            let mut code = self.task(placed, &task, true);
            if !is_named && let Some(call) = code.strip_prefix(&format!("{task} = ")) {
                code = call.to_owned();
            }
            let folders = placed.task.folders.get(group.folders.len()..).unwrap_or_default();
            self.within(&group.id, folders, &code, &mut inside);
            self.edges(placed, &task, &mut edges);
        }
        if !edges.is_empty() {
            inside.push('\n');
            inside.push_str(&edges);
        }
        let inside = self.without_unused(&group.id, inside);
        let items = self.called(&Upstream::Task(format!("{}-items", group.repeat)));
        self.open = Default::default();
        let code = format!(
            "\n@task_group(group_id={}, prefix_group_id=False)\ndef {function}(frame):\n{}\n{name} = \
             {function}.expand(frame={items}.output)\n",
            python::text(&group.id),
            indented(&inside, INDENT),
        );
        self.within("", &group.folders, &code, text);
    }

    fn called(&self, what: &Upstream) -> String {
        self.names.get(what).cloned().unwrap_or_default()
    }

    fn edges(&self, placed: &Placed, name: &str, text: &mut String) {
        let before: Vec<String> = placed.upstream.iter().map(|before| self.called(before)).collect();
        let _ = match before.as_slice() {
            [] => Ok(()),
            [only] => writeln!(text, "{only} >> {name}"),
            several => writeln!(text, "[{}] >> {name}", several.join(", ")),
        };
    }

    // ── One task ──

    fn task(&self, placed: &Placed, name: &str, mapped: bool) -> String {
        let task = &placed.task;
        let mut call = Call::new(python::text(&task.id));
        let class = match &task.kind {
            Kind::Launch(launched) => {
                self.launch(task, launched, &mut call);
                "Step"
            }
            Kind::Guard(guard) => {
                let condition = &guard.condition;
                let text = match (guard.holds, condition.is_compound) {
                    (true, _) => condition.text.clone(),
                    (false, true) => format!("not ({})", condition.text),
                    (false, false) => format!("not {}", condition.text),
                };
                let names: Vec<&str> = condition.values.iter().map(|(name, _)| name.as_str()).collect();
                call.set(
                    "holds",
                    format!("lambda {}: {text}", names.join(", ")).replace("lambda :", "lambda:"),
                );
                call.set("values", values(condition));
                "When"
            }
            Kind::Join => {
                call.set("trigger_rule", "TriggerRule.NONE_FAILED_MIN_ONE_SUCCESS".to_owned());
                self.alive(task, &mut call);
                "Join"
            }
            Kind::End | Kind::Again => {
                call.set("trigger_rule", "TriggerRule.NONE_FAILED".to_owned());
                self.alive(task, &mut call);
                "Join"
            }
            Kind::Items(items) => {
                self.items(task, items, &mut call);
                "Items"
            }
            Kind::Ask(ask) => {
                settings::ask(ask, &mut call);
                "Ask"
            }
            Kind::Outcome(outcome) => {
                if let Some(of) = &outcome.of {
                    call.set("of", python::list(of.iter().map(|task| python::text(task))));
                    self.alive(task, &mut call);
                }
                "Outcome"
            }
        };
        if mapped {
            call.set("frame", "frame".to_owned());
        }
        let teardown = match &task.kind {
            Kind::Outcome(_) => ".as_teardown(on_failure_fail_dagrun=False)",
            Kind::Launch(_) | Kind::Guard(_) | Kind::Join | Kind::Items(_) | Kind::End | Kind::Again | Kind::Ask(_) => {
                ""
            }
        };
        let operation = match &task.kind {
            Kind::Launch(launched) => launched.operation(),
            Kind::Guard(_)
            | Kind::Join
            | Kind::Items(_)
            | Kind::End
            | Kind::Again
            | Kind::Outcome(_)
            | Kind::Ask(_) => None,
        };
        let comment = operation.map_or_else(String::new, |operation| format!("  # {operation}"));
        format!("{name} = {class}({}){teardown}{comment}\n", call.text())
    }

    fn items(&self, task: &Task, items: &Items, call: &mut Call) {
        call.set("loop", python::text(&items.repeat));
        call.set(
            "values",
            match &items.list {
                List::Values(pulled) => reader(pulled),
                List::TurnsOf(repeat) => format!("turns({})", python::text(repeat)),
            },
        );
        if let Some(around) = &items.around {
            call.set("around", python::text(&format!("{around}-items")));
        }
        self.alive(task, call);
    }

    fn launch(&self, task: &Task, launched: &Launched, call: &mut Call) {
        let texts = |names: &BTreeSet<String>| python::list(names.iter().map(|name| python::text(name)));
        if !launched.parameters.is_empty() {
            call.set("parameters", texts(&launched.parameters));
        }
        if !launched.repeats.is_empty() {
            call.set("loops", texts(&launched.repeats));
        }
        if !launched.chosen.is_empty() {
            let chosen = launched.chosen.iter();
            let chosen = chosen.map(|(branch, guard)| (python::text(branch), python::text(guard)));
            call.set("chosen", python::dict(chosen));
        }
        if !launched.outcomes.is_empty() {
            let outcomes = launched.outcomes.iter();
            let outcomes = outcomes.map(|task| (python::text(task), self.depth(task).to_string()));
            call.set("outcomes", python::dict(outcomes));
        }
        if launched.joins {
            call.set("trigger_rule", "TriggerRule.NONE_FAILED_MIN_ONE_SUCCESS".to_owned());
            self.alive(task, call);
        }
        if let Some(most) = task.most {
            call.set("max_active_tis_per_dagrun", most.to_string());
        }
        if !launched.placed.returns.is_empty() {
            call.set("returns", "True".to_owned());
        }
        match &launched.step {
            Some(step) => {
                if let Some((name, _)) = self.shared.get(&step.name) {
                    call.spread(name);
                }
            }
            None => self.runs.operation_settings(launched, call),
        }
    }

    /// Writes down what all calls of a step share.
    fn share(&mut self, layout: &Layout) -> Result<(), TargetError> {
        for placed in layout.placed() {
            let Kind::Launch(launched) = &placed.task.kind else {
                continue;
            };
            let Some(step) = launched
                .step
                .as_ref()
                .filter(|step| !self.shared.contains_key(&step.name))
            else {
                continue;
            };
            let mut call = Call(Vec::new());
            settings::step(&self.runs, step, &mut call)?;
            if !call.0.is_empty() {
                let taken = &self.taken;
                let name = python::name(&step.name.to_uppercase(), &|name| taken.contains(name));
                self.taken.insert(name.clone());
                let text = format!("{name} = dict({})\n", call.text());
                self.shared.insert(step.name.clone(), (name, text));
            }
        }
        Ok(())
    }

    /// The guard without which a task that bears skipped ones must not run.
    fn alive(&self, task: &Task, call: &mut Call) {
        if let Some(guard) = &task.guard {
            call.set("alive", format!("({}, {})", python::text(guard), self.depth(guard)));
        }
    }

    fn depth(&self, task: &str) -> usize {
        self.dag.get(task).map_or(0, |task| task.frames.len())
    }

    // ── What the launcher is told ──

    fn tasks(&self, layout: &Layout) -> Result<String, TargetError> {
        let mut text = String::from("# What the launcher is told of each task, as JSON.\nTASKS = {\n");
        for placed in layout.placed() {
            if let Kind::Launch(launched) = &placed.task.kind {
                let json =
                    serde_json::to_string(&launched.placed).map_err(|error| TargetError::Write(error.to_string()))?;
                settings::not_too_long(self, &placed.task, &json)?;
                let _ = writeln!(text, "    {}: {},", python::text(&placed.task.id), python::text(&json));
            }
        }
        text.push_str("}\n");
        Ok(text)
    }
}

/// The arguments of a call.
pub(super) struct Call(Vec<String>);

impl Call {
    fn new(task_id: String) -> Self {
        Self(vec![format!("task_id={task_id}")])
    }

    /// Adds an argument; the value is Python.
    pub(super) fn set(&mut self, name: &str, value: String) {
        self.0.push(format!("{name}={value}"));
    }

    /// Adds the arguments of a dictionary.
    pub(super) fn spread(&mut self, dictionary: &str) {
        self.0.push(format!("**{dictionary}"));
    }

    /// On one line where it fits, else one argument a line.
    fn text(&self) -> String {
        /// Beyond this a line is hard to read.
        const WIDTH: usize = 96;
        let line = self.0.join(", ");
        if line.chars().count() <= WIDTH {
            return line;
        }
        let mut text = String::from("\n");
        for argument in &self.0 {
            let _ = writeln!(text, "{INDENT}{argument},");
        }
        text
    }
}

fn values(condition: &Condition) -> String {
    let values = condition.values.iter();
    python::dict(values.map(|(name, pulled)| (python::text(name), reader(pulled))))
}

/// What reads a value when the task runs.
fn reader(pulled: &Pulled) -> String {
    match pulled {
        Pulled::Parameter(name) => format!("parameter({})", python::text(name)),
        Pulled::Item(repeat) => format!("item({})", python::text(repeat)),
        Pulled::Result {
            task,
            port,
            depth,
            kind,
        } => format!(
            "result({}, {}, {kind}{})",
            python::text(task),
            python::text(port),
            at(*depth)
        ),
        Pulled::Outcome { task, depth } => format!("outcome({}{})", python::text(task), at(*depth)),
    }
}

fn at(depth: u32) -> String {
    if depth == 0 {
        String::new()
    } else {
        format!(", depth={depth}")
    }
}

/// Code, further to the right. No literal has a line break inside.
fn indented(code: &str, indent: &str) -> String {
    let mut text = String::new();
    for line in code.lines() {
        if !line.is_empty() {
            text.push_str(indent);
            text.push_str(line);
        }
        text.push('\n');
    }
    text
}
