//! From the tasks of a graph to statements: calls, loops, groups that are written out, what runs at the end.
//!
//! Inputs that a specification hands down through every group are names that are simply in sight in the language.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value as Json;

use super::expression::Expression;
use super::inputs::Bound;
use super::names::{Names, natural, singular, word};
use super::program::{Call, Output, Parameter, Pipeline, Port, Statement};
use super::{DEEPEST, Importer, MOST_TASKS};
use crate::targets::pipeline_spec::{
    ArtifactSource, Component, Dag, Executor, OutputParameter, ParameterItems, ParameterType, Strategy, Task,
};

/// What a graph is given, or a task gives.
#[derive(Clone, Debug, Default)]
pub(super) struct Scope {
    pub(super) parameters: BTreeMap<String, Bound>,
    pub(super) artifacts: BTreeMap<String, Bound>,
}

/// A task that has been read.
#[derive(Clone, Debug, Default)]
pub(super) struct Done {
    /// Its outputs.
    pub(super) gives: Scope,
    /// The names that wait for it in `after`; none where nothing can wait.
    pub(super) handles: Option<Vec<String>>,
    /// Whether it was refused; what takes its outputs is not to blame.
    pub(super) refused: bool,
}

/// Where the statement at hand stands.
pub(super) struct Place<'p> {
    /// The names of the pipeline.
    pub(super) names: &'p mut Names,
    /// What every first task of the graph waits for.
    pub(super) after: Vec<String>,
    /// Whether it is the graph of the pipeline itself.
    pub(super) root: bool,
}

/// A graph that has been read.
#[derive(Default)]
pub(super) struct Read {
    pub(super) statements: Vec<Statement>,
    pub(super) tasks: BTreeMap<String, Done>,
    pub(super) finally: Vec<Statement>,
}

impl Importer<'_> {
    /// A pipeline with all that stands in it.
    pub(super) fn pipeline(
        &mut self,
        component: &Component,
        name: &str,
        docs: Option<String>,
        root: bool,
    ) -> Option<Pipeline> {
        let Some(dag) = &component.dag else {
            self.problem(format!(
                "The pipeline `{name}` has no graph (`dag`), so it has no tasks."
            ));
            return None;
        };
        let parameters = self.parameters(name, component);
        let declared = self.outputs(name, component);
        let mut names = Names::default();
        let mut scope = Scope::default();
        for parameter in &parameters {
            names.take(&parameter.name);
            let bound = Bound {
                expression: Expression::name(&parameter.name),
                port: parameter.port.clone(),
            };
            match parameter.port {
                Port::Value(_) => scope.parameters.insert(parameter.name.clone(), bound),
                Port::Artifact(..) => scope.artifacts.insert(parameter.name.clone(), bound),
            };
        }
        let mut place = Place {
            names: &mut names,
            after: Vec::new(),
            root,
        };
        let mut read = self.graph(dag, &scope, &mut place)?;
        if !read.finally.is_empty() {
            read.statements
                .push(Statement::Finally(std::mem::take(&mut read.finally)));
        }
        let given = self.surfaced(name, dag, &read.tasks);
        let outputs = declared
            .into_iter()
            .filter_map(|output| self.returned(name, output, &given))
            .collect();
        Some(Pipeline {
            name: name.to_owned(),
            docs,
            parameters,
            outputs,
            body: read.statements,
        })
    }

    fn returned(&mut self, pipeline: &str, output: Output, given: &Scope) -> Option<(Output, Expression)> {
        let bound = match output.port {
            Port::Value(_) => given.parameters.get(&output.name),
            Port::Artifact(..) => given.artifacts.get(&output.name),
        };
        let Some(bound) = bound.cloned() else {
            self.problem(format!(
                "The output `{}` of the pipeline `{pipeline}` comes from nowhere.",
                output.name
            ));
            return None;
        };
        self.fits(
            &format!("the output `{}` of the pipeline `{pipeline}`", output.name),
            &bound,
            &output.port,
        );
        Some((output, bound.expression))
    }

    /// Demands that a value fits where it goes.
    pub(super) fn fits(&mut self, what: &str, bound: &Bound, wanted: &Port) {
        let fits = match (&bound.port, wanted) {
            (Port::Value(found), Port::Value(wanted)) => self.types.unify(*found, *wanted).is_some(),
            (Port::Artifact(found, many), Port::Artifact(wanted, wants_many)) => {
                many == wants_many && (found == wanted || wanted == "Artifact")
            }
            (Port::Value(_), Port::Artifact(..)) | (Port::Artifact(..), Port::Value(_)) => false,
        };
        if !fits {
            self.problem(format!(
                "{}{} is given something of another type, which the language refuses.",
                what.chars()
                    .next()
                    .map(|first| first.to_ascii_uppercase())
                    .unwrap_or_default(),
                what.get(1..).unwrap_or_default()
            ));
        }
    }

    /// The tasks of a graph as statements, each after what it needs.
    pub(super) fn graph(&mut self, dag: &Dag, scope: &Scope, place: &mut Place<'_>) -> Option<Read> {
        if self.depth >= DEEPEST || self.tasks > MOST_TASKS {
            self.problem("Graphs stand in one another too deep, or too many times, to be written out.");
            return None;
        }
        self.depth += 1;
        let mut read = Read::default();
        for name in self.ordered(dag) {
            if let Some(task) = dag.tasks.get(&name) {
                self.tasks += 1;
                self.task(&name, task, dag, scope, place, &mut read);
            }
        }
        self.depth -= 1;
        Some(read)
    }

    fn task(&mut self, name: &str, task: &Task, dag: &Dag, scope: &Scope, place: &mut Place<'_>, read: &mut Read) {
        let Some(component) = self.spec.components.get(&task.component_ref.name) else {
            self.problem(format!(
                "The task `{name}` runs the component `{}`, which does not exist.",
                task.component_ref.name
            ));
            return;
        };
        let before = std::mem::take(&mut place.after);
        let waits = self.waits(name, task, &read.tasks, &before);
        place.after = waits;
        let strategy = task.trigger_policy.as_ref().and_then(|policy| policy.strategy);
        if strategy == Some(Strategy::AllCompleted) {
            self.last(name, task, component, dag, scope, place, read);
        } else {
            let given = self.given(name, task, scope, &read.tasks);
            let (statements, done) = self.kind_of_task(name, task, component, given, place);
            read.statements.extend(statements);
            read.tasks.insert(name.to_owned(), done);
        }
        place.after = before;
    }

    fn kind_of_task(
        &mut self,
        name: &str,
        task: &Task,
        component: &Component,
        given: Scope,
        place: &mut Place<'_>,
    ) -> (Vec<Statement>, Done) {
        if task.parameter_iterator.is_some() || task.artifact_iterator.is_some() {
            return self.repeat(name, task, component, given, place);
        }
        if task
            .trigger_policy
            .as_ref()
            .is_some_and(|policy| policy.condition.is_some())
        {
            return self.lone_branch(name, task, component, &given, place);
        }
        self.unconditional(name, task, component, &given, place)
    }

    /// What a task runs, without its condition or loop.
    pub(super) fn unconditional(
        &mut self,
        name: &str,
        task: &Task,
        component: &Component,
        given: &Scope,
        place: &mut Place<'_>,
    ) -> (Vec<Statement>, Done) {
        let Some(dag) = &component.dag else {
            return self.call(name, task, component, given, place);
        };
        if !self.is_group(task) {
            return self.call(name, task, component, given, place);
        }
        if let Some(branches) = self.branches(name, dag, given, place) {
            return branches;
        }
        let root = place.root;
        place.root = false;
        let read = self.graph(dag, given, place);
        place.root = root;
        let Some(read) = read else {
            return (Vec::new(), Done::default());
        };
        let gives = self.surfaced(name, dag, &read.tasks);
        let handles = read
            .tasks
            .values()
            .map(|done| done.handles.clone())
            .collect::<Option<Vec<_>>>();
        let done = Done {
            gives,
            handles: handles.map(|handles| handles.concat()),
            ..Done::default()
        };
        (read.statements, done)
    }

    /// Names that a task waits for and takes nothing from; the first tasks of a group also wait for what the group does.
    fn waits(&mut self, name: &str, task: &Task, done: &BTreeMap<String, Done>, inherited: &[String]) -> Vec<String> {
        let mut producers = BTreeSet::new();
        for input in task.inputs.parameters.values() {
            producers.extend(input.task_output_parameter.as_ref().map(|output| &output.producer_task));
            producers.extend(input.task_final_status.as_ref().map(|status| &status.producer_task));
        }
        for input in task.inputs.artifacts.values() {
            if let ArtifactSource::TaskOutputArtifact(output) = input {
                producers.insert(&output.producer_task);
            }
        }
        let completed = task.trigger_policy.as_ref().and_then(|policy| policy.strategy) == Some(Strategy::AllCompleted);
        let mut waits = Vec::new();
        for before in task
            .dependent_tasks
            .iter()
            .filter(|before| !producers.contains(before) && !completed)
        {
            let handles = done.get(before).and_then(|done| done.handles.clone());
            match handles {
                Some(handles) => waits.extend(handles),
                None if done.contains_key(before) => self.problem(format!(
                    "The task `{name}` waits for `{before}`, a branch that gives no value; in the language only the result of a call or a loop can be waited for. Let it take an output of the branch."
                )),
                None => {}
            }
        }
        if producers.is_empty() && task.dependent_tasks.is_empty() {
            waits.extend(inherited.iter().cloned());
        }
        waits.sort();
        waits.dedup();
        waits
    }

    /// The tasks of a graph, each after those that it depends on; those that are free in the order of their numbers.
    fn ordered(&mut self, dag: &Dag) -> Vec<String> {
        let mut needs: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
        for (name, task) in &dag.tasks {
            let mut own: BTreeSet<&str> = task.dependent_tasks.iter().map(String::as_str).collect();
            for input in task.inputs.parameters.values() {
                own.extend(
                    input
                        .task_output_parameter
                        .as_ref()
                        .map(|output| output.producer_task.as_str()),
                );
                own.extend(
                    input
                        .task_final_status
                        .as_ref()
                        .map(|status| status.producer_task.as_str()),
                );
            }
            for input in task.inputs.artifacts.values() {
                if let ArtifactSource::TaskOutputArtifact(output) = input {
                    own.insert(&output.producer_task);
                }
            }
            let unknown: Vec<&str> = own
                .iter()
                .copied()
                .filter(|need| !dag.tasks.contains_key(*need))
                .collect();
            for unknown in unknown {
                own.remove(unknown);
                self.problem(format!(
                    "The task `{name}` depends on the task `{unknown}`, which does not exist there."
                ));
            }
            needs.insert(name, own);
        }
        let mut followers: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
        for (name, own) in &needs {
            for need in own {
                followers.entry(need).or_default().push(name);
            }
        }
        let mut open: BTreeMap<&str, usize> = needs.iter().map(|(name, own)| (*name, own.len())).collect();
        let ready = open.iter().filter(|(_, count)| **count == 0);
        let mut ready: BTreeSet<(u64, &str)> = ready.map(|(name, _)| (natural(name).1, *name)).collect();
        let mut ordered = Vec::new();
        while let Some((_, name)) = ready.pop_first() {
            ordered.push(name.to_owned());
            for follower in followers.get(name).into_iter().flatten() {
                if let Some(count) = open.get_mut(follower) {
                    *count -= 1;
                    if *count == 0 {
                        ready.insert((natural(follower).1, follower));
                    }
                }
            }
        }
        if ordered.len() < dag.tasks.len() {
            let stuck = dag.tasks.keys().find(|name| !ordered.contains(name));
            self.problem(format!(
                "The tasks depend on one another in a circle, in which the task `{}` stands.",
                stuck.map_or("", String::as_str)
            ));
        }
        ordered
    }

    /// The outputs of a graph.
    pub(super) fn surfaced(&mut self, name: &str, dag: &Dag, tasks: &BTreeMap<String, Done>) -> Scope {
        let mut gives = Scope::default();
        for (output, source) in &dag.outputs.parameters {
            let OutputParameter::ValueFromParameter(selector) = source else {
                self.problem(format!(
                    "The output `{output}` of `{name}` is the one of several tasks that ran, and these are no arms of one branch."
                ));
                continue;
            };
            let found = tasks
                .get(&selector.producer_subtask)
                .and_then(|done| done.gives.parameters.get(&selector.output_parameter_key));
            match found {
                Some(bound) => drop(gives.parameters.insert(output.clone(), bound.clone())),
                None => self.not_given(name, output),
            }
        }
        for (output, selectors) in &dag.outputs.artifacts {
            let [selector] = selectors.artifact_selectors.as_slice() else {
                self.problem(format!(
                    "The output `{output}` of `{name}` is the one of several tasks that ran, and these are no arms of one branch."
                ));
                continue;
            };
            let found = tasks
                .get(&selector.producer_subtask)
                .and_then(|done| done.gives.artifacts.get(&selector.output_artifact_key));
            match found {
                Some(bound) => drop(gives.artifacts.insert(output.clone(), bound.clone())),
                None => self.not_given(name, output),
            }
        }
        gives
    }

    fn not_given(&mut self, name: &str, output: &str) {
        self.problem(format!(
            "The output `{output}` of `{name}` comes from a task that does not exist, does not give it, or may not have run."
        ));
    }

    // ── Calls ──

    fn call(
        &mut self,
        name: &str,
        task: &Task,
        component: &Component,
        given: &Scope,
        place: &mut Place<'_>,
    ) -> (Vec<Statement>, Done) {
        let Some((callee, parameters, outputs)) = self.callee(name, task, component) else {
            let refused = Done {
                refused: true,
                ..Done::default()
            };
            return (Vec::new(), refused);
        };
        for input in given.parameters.keys().chain(given.artifacts.keys()) {
            let declared = parameters.iter().any(|parameter| parameter.name == *input);
            if !declared && !input.starts_with("pipelinechannel--") {
                self.problem(format!(
                    "The task `{name}` is given `{input}`, which its component does not declare: image and resources that are values of the run cannot be said in the language."
                ));
            }
        }
        let mut arguments = Vec::new();
        for parameter in &parameters {
            let bound = match parameter.port {
                Port::Value(_) => given.parameters.get(&parameter.name),
                Port::Artifact(..) => given.artifacts.get(&parameter.name),
            };
            match bound {
                Some(bound) => {
                    self.fits(
                        &format!("the input `{}` of the task `{name}`", parameter.name),
                        bound,
                        &parameter.port,
                    );
                    arguments.push((parameter.name.clone(), bound.expression.clone()));
                }
                None if parameter.default.is_some() || parameter.optional => {}
                // Where it comes from was found to be wrong.
                None if task.inputs.parameters.contains_key(&parameter.name)
                    || task.inputs.artifacts.contains_key(&parameter.name) => {}
                None => self.problem(format!(
                    "The task `{name}` is not given its input `{}`, which has no default.",
                    parameter.name
                )),
            }
        }
        let binding = self.binding(name, place);
        let mut gives = Scope::default();
        for output in &outputs {
            let expression = Expression::Path(vec![binding.clone(), output.name.clone()]);
            let bound = Bound {
                expression,
                port: output.port.clone(),
            };
            match output.port {
                Port::Value(_) => gives.parameters.insert(output.name.clone(), bound),
                Port::Artifact(..) => gives.artifacts.insert(output.name.clone(), bound),
            };
        }
        let call = Call {
            name: binding.clone(),
            callee,
            arguments,
            after: place.after.clone(),
            gives: !outputs.is_empty(),
        };
        let done = Done {
            gives,
            handles: Some(vec![binding]),
            ..Done::default()
        };
        (vec![Statement::Call(call)], done)
    }

    /// The name that a task's result is bound to: the task's own, since nodes of the graph are named by it.
    fn binding(&mut self, task: &str, place: &mut Place<'_>) -> String {
        let wanted = word(task);
        if place.names.take(&wanted) {
            return wanted;
        }
        // A leading `_` is not part of the node's name.
        let marked = format!("_{wanted}");
        if place.names.take(&marked) {
            return marked;
        }
        let unique = place.names.unique(&wanted);
        self.note(format!(
            "The task `{task}` is called `{unique}` in the project: its name is taken."
        ));
        unique
    }

    /// What a task calls: the name, what it takes, what it gives.
    fn callee(
        &mut self,
        name: &str,
        task: &Task,
        component: &Component,
    ) -> Option<(String, Vec<Parameter>, Vec<Output>)> {
        if component.dag.is_some() {
            let index = self.called_pipeline(name, task)?;
            let pipeline = self.pipelines.get(index)?;
            let outputs = pipeline.outputs.iter().map(|(output, _)| output.clone()).collect();
            return Some((pipeline.name.clone(), pipeline.parameters.clone(), outputs));
        }
        match self.executor(component) {
            Some(Executor::Container(container)) => {
                let index = self.step(name, task, component, container)?;
                let step = self.steps.get(index)?;
                Some((step.name.clone(), step.parameters.clone(), step.outputs.clone()))
            }
            Some(Executor::Importer(importer)) => {
                self.problem(format!(
                    "The task `{name}` imports an artifact of the kind `{}` that is there already (`dsl.importer`), which the language cannot say of a kind without a schema. Let the tasks that need it take its address as a text.",
                    importer.type_schema.schema_title.as_deref().unwrap_or("system.Artifact")
                ));
                None
            }
            Some(Executor::CustomJob(_) | Executor::Resolver(_)) => {
                self.problem(format!(
                    "The task `{name}` runs a custom job or a resolver, which only older versions of Vertex AI knew. Give it a container."
                ));
                None
            }
            None => {
                self.problem(format!("The task `{name}` has an executor that does not exist."));
                None
            }
        }
    }

    fn called_pipeline(&mut self, name: &str, task: &Task) -> Option<usize> {
        let key = &task.component_ref.name;
        let Some(identity) = self.identity(key) else {
            self.problem(format!(
                "The task `{name}` runs a graph that contains itself, or one that is too deep."
            ));
            return None;
        };
        if task.retry_policy.is_some() {
            self.note(format!(
                "The task `{name}` retries a whole pipeline, which the language cannot say; set `retries` on its steps."
            ));
        }
        if let Some(known) = self.known_pipelines.get(&identity) {
            return Some(*known);
        }
        let wanted = word(natural(key.strip_prefix("comp-").unwrap_or(key)).0);
        let word = self.items.unique(&wanted);
        let component = self.spec.components.get(key)?;
        let pipeline = self.pipeline(component, &word, None, false)?;
        self.pipelines.push(pipeline);
        let index = self.pipelines.len() - 1;
        self.known_pipelines.insert(identity, index);
        Some(index)
    }

    // ── Loops ──

    fn repeat(
        &mut self,
        name: &str,
        task: &Task,
        component: &Component,
        mut given: Scope,
        place: &mut Place<'_>,
    ) -> (Vec<Statement>, Done) {
        let nothing = (Vec::new(), Done::default());
        let Some((input, items)) = self.items_of(name, task, component, &given) else {
            return nothing;
        };
        let item_port = match items.port {
            Port::Artifact(ref kind, _) => Port::Artifact(kind.clone(), false),
            Port::Value(slot) => match self.types.item(slot) {
                Some(item) => Port::Value(item),
                None => {
                    self.problem(format!("The loop `{name}` runs over something that is no list."));
                    return nothing;
                }
            },
        };
        let last = if let Expression::Path(path) = &items.expression {
            path.last()
        } else {
            None
        };
        let wanted = last.map_or_else(|| "item".to_owned(), |last| singular(&word(last)));
        let item = place.names.unique(&wanted);
        let bound = Bound {
            expression: Expression::name(&item),
            port: item_port,
        };
        match bound.port {
            Port::Value(_) => given.parameters.insert(input, bound),
            Port::Artifact(..) => given.artifacts.insert(input, bound),
        };
        let mut inner = task.clone();
        inner.parameter_iterator = None;
        inner.artifact_iterator = None;
        let root = std::mem::replace(&mut place.root, false);
        let (body, done) = self.kind_of_task(name, &inner, component, given, place);
        place.root = root;
        let max = task
            .iterator_policy
            .as_ref()
            .map(|policy| policy.parallelism_limit)
            .filter(|limit| *limit > 0);
        let statement = Statement::Loop {
            item,
            items: items.expression,
            max,
            body,
        };
        let gives = Scope {
            parameters: self.gathered(done.gives.parameters),
            artifacts: self.gathered(done.gives.artifacts),
        };
        let done = Done {
            gives,
            handles: done.handles,
            ..Done::default()
        };
        (vec![statement], done)
    }

    fn gathered(&mut self, outputs: BTreeMap<String, Bound>) -> BTreeMap<String, Bound> {
        let gather = |(name, bound): (String, Bound)| {
            let port = match bound.port {
                Port::Value(slot) => Port::Value(self.types.list(slot)),
                Port::Artifact(kind, _) => Port::Artifact(kind, true),
            };
            let expression = bound.expression;
            (name, Bound { expression, port })
        };
        outputs.into_iter().map(gather).collect()
    }

    /// The name of the input that takes the item, and the list.
    fn items_of(&mut self, name: &str, task: &Task, component: &Component, given: &Scope) -> Option<(String, Bound)> {
        if let Some(iterator) = &task.artifact_iterator {
            let items = given.artifacts.get(&iterator.items.input_artifact).cloned();
            if items.is_none() {
                self.problem(format!("The loop `{name}` runs over artifacts that it is not given."));
            }
            return Some((iterator.item_input.clone(), items?));
        }
        let iterator = task.parameter_iterator.as_ref()?;
        let items = match &iterator.items {
            ParameterItems::InputParameter(input) => {
                let items = given.parameters.get(input).cloned();
                if items.is_none() {
                    self.problem(format!("The loop `{name}` runs over `{input}`, which it is not given."));
                }
                items?
            }
            ParameterItems::Raw(text) => {
                let Ok(Json::Array(items)) = serde_json::from_str::<Json>(text) else {
                    self.problem(format!("The items of the loop `{name}` are no list in JSON."));
                    return None;
                };
                self.constant(name, &Json::Array(items), given, &Scope::default())?
            }
        };
        let declared = component.input_definitions.parameters.get(&iterator.item_input);
        let declared = declared.map_or(ParameterType::Unspecified, |input| input.parameter_type);
        // The SDK writes `STRING` for every item of whose type it knows nothing.
        if let Port::Value(list) = items.port
            && !matches!(declared, ParameterType::Unspecified | ParameterType::String)
        {
            let declared = self.types.declared(declared);
            let fits = self.types.item(list).and_then(|item| self.types.unify(item, declared));
            if fits.is_none() {
                self.problem(format!(
                    "The items of the loop `{name}` are not of the type that it declares."
                ));
            }
        }
        Some((iterator.item_input.clone(), items))
    }

    // ── At the end ──

    /// A task that runs whatever came before.
    #[allow(clippy::too_many_arguments, reason = "all of what a task stands in")]
    fn last(
        &mut self,
        name: &str,
        task: &Task,
        component: &Component,
        dag: &Dag,
        scope: &Scope,
        place: &mut Place<'_>,
        read: &mut Read,
    ) {
        let is_group = |before: &String| dag.tasks.get(before).is_some_and(|task| self.is_group(task));
        let reads = task
            .inputs
            .parameters
            .values()
            .any(|input| input.task_output_parameter.is_some())
            || !task.inputs.artifacts.is_empty();
        if reads || !place.root || !task.dependent_tasks.iter().all(is_group) {
            self.problem(format!(
                "The task `{name}` runs although a task before it has failed (`ignore_upstream_failure`, or an exit task that reads outputs); in the language only `finally` does, at the end of the pipeline, with the pipeline's own parameters."
            ));
            return;
        }
        if !read.finally.is_empty() {
            self.problem(format!(
                "The pipeline has several exit handlers, and `{name}` belongs to the second; the language has one `finally`. Put what must always run into one pipeline."
            ));
            return;
        }
        let outside = dag
            .tasks
            .keys()
            .any(|own| own != name && !task.dependent_tasks.contains(own));
        if outside {
            self.note(format!(
                "The task `{name}` waits for its exit handler alone in Kubeflow; as `finally` it waits for every task of the pipeline."
            ));
        }
        let given = self.given(name, task, scope, &read.tasks);
        let (statements, _) = self.unconditional(name, task, component, &given, place);
        read.finally.extend(statements);
    }
}
