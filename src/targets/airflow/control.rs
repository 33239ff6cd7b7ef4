//! Branches, loops, called pipelines and `finally`.
//!
//! What decides is a guard: a task that skips itself, and with it what follows. Airflow's own branch operators skip nothing
//! inside a mapped group. A task that follows several guards or loops waits with a rule that bears skipped tasks.

use std::collections::BTreeSet;

use super::condition::{self, Condition};
use super::dag::{Guard, Items, Kind, List, Need, Outcome, Task, TaskId};
use super::lower::{Lowering, port_of};
use super::scope::{Bound, Scope};
use crate::plan::{Branch, Call, Graph, Loop, Node, NodeKind, Operand, PortType, Reference, Source};
use crate::targets::{Feature, TargetError, operand_types};
use crate::types::{DataKind, DataType, Value};

/// Up to so many copies a loop over a list that is known is unrolled.
const UNROLLED: usize = 32;

impl<'r> Lowering<'r> {
    /// A task of our own within a scope.
    fn own(&self, scope: &Scope, id: TaskId, kind: Kind, needs: BTreeSet<Need>) -> Task {
        Task {
            id,
            kind,
            frames: scope.frames.clone(),
            needs: scope.entry.iter().cloned().chain(needs).collect(),
            guard: scope.guard.clone(),
            folders: scope.folders.clone(),
            most: None,
        }
    }

    // ── if / else ──

    pub(super) fn branch(&mut self, scope: &mut Scope, node: &'r Node, branch: &'r Branch) -> Result<(), TargetError> {
        let id = scope.task_id(&node.id);
        let (condition, needs) = self.condition(scope, node, branch)?;
        self.returned_by(&condition.values);
        let needs: BTreeSet<Need> = needs.into_iter().chain(outside(scope, node)).collect();
        let outer = scope.guard.clone();
        let mut ends = BTreeSet::new();
        for (holds, suffix, arm) in [(true, "then", &branch.then), (false, "else", &branch.otherwise)] {
            let guard = Guard {
                condition: condition.clone(),
                holds,
            };
            scope.guard.clone_from(&outer);
            let task = self.own(scope, format!("{id}-{suffix}"), Kind::Guard(guard), needs.clone());
            let guard = self.dag.add(task);
            ends.insert(Need::Task(guard.clone()));
            scope.guard = Some(guard);
            self.graph(scope, arm)?;
            ends.extend(sinks(scope, arm));
        }
        scope.guard = outer;
        self.join(scope, node, branch, &id, ends)
    }

    /// The condition as Python, or as a task that computes it.
    fn condition(
        &mut self,
        scope: &Scope,
        node: &Node,
        branch: &Branch,
    ) -> Result<(Condition, BTreeSet<Need>), TargetError> {
        let operand = Operand::Expression(Box::new(branch.condition.clone()));
        let needs = scope.operand(&operand)?.needs;
        if let Some(condition) = condition::condition(&branch.condition, scope) {
            return Ok((condition, needs));
        }
        let ty = PortType::Value(DataType::plain(DataKind::Bool));
        let id = format!("{}-if", node.id);
        let task = self.compute(scope, &id, vec![("holds".to_owned(), operand, ty)])?;
        let condition = condition::computed(&task, scope.depth());
        Ok((condition, BTreeSet::from([Need::Task(task)])))
    }

    /// The task after both arms: it gives the values of the one that ran, or nothing.
    fn join(
        &mut self,
        scope: &mut Scope,
        node: &Node,
        branch: &Branch,
        id: &str,
        ends: BTreeSet<Need>,
    ) -> Result<(), TargetError> {
        let join = format!("{id}-join");
        if node.outputs.is_empty() {
            let task = self.own(scope, join.clone(), Kind::Join, ends);
            self.dag.add(task);
            scope.made(&node.id, Vec::new(), BTreeSet::from([Need::Task(join)]));
            return Ok(());
        }
        let mut chosen = Vec::new();
        for (port, (then, otherwise)) in node.outputs.iter().zip(&branch.values) {
            let (then, otherwise) = (scope.operand(then)?, scope.operand(otherwise)?);
            let bound = Bound {
                source: Source::Chosen {
                    branch: id.to_owned(),
                    then: Box::new(then.source),
                    otherwise: Box::new(otherwise.source),
                },
                ty: port.ty.clone(),
                needs: then.needs.into_iter().chain(otherwise.needs).collect(),
            };
            chosen.push((port.name.clone(), bound));
        }
        scope.made(&node.id, chosen, BTreeSet::new());
        let values = node.outputs.iter().map(|port| {
            let reference = Reference::Output {
                node: node.id.clone(),
                port: port.name.clone(),
            };
            (port.name.clone(), Operand::Reference(reference), port.ty.clone())
        });
        let task = self.compute(scope, &format!("{}-join", node.id), values.collect())?;
        if let Some(task) = self.dag.get_mut(&task) {
            task.needs.extend(ends);
            if let Kind::Launch(launched) = &mut task.kind {
                launched.joins = true;
            }
        }
        let outputs = node.outputs.iter();
        let outputs = outputs.map(|port| (port.name.clone(), port_of(&task, port, scope.depth())));
        scope.made(&node.id, outputs.collect(), BTreeSet::from([Need::Task(task.clone())]));
        Ok(())
    }

    // ── for ──

    pub(super) fn repeat(&mut self, scope: &mut Scope, node: &'r Node, each: &'r Loop) -> Result<(), TargetError> {
        let items = scope.operand(&each.items)?;
        let most = each.max.and_then(|max| usize::try_from(max).ok());
        match known(&items.source) {
            Some(sources) if sources.len() <= UNROLLED && most.is_none_or(|most| most >= sources.len()) => {
                self.unroll(scope, node, each, &items, sources)
            }
            Some(_) | None => self.mapped(scope, node, each, &items),
        }
    }

    /// A copy of the body for each item.
    fn unroll(
        &mut self,
        scope: &mut Scope,
        node: &'r Node,
        each: &'r Loop,
        items: &Bound,
        sources: Vec<Source>,
    ) -> Result<(), TargetError> {
        let item = operand_types::item(&items.ty).unwrap_or(PortType::Opaque);
        let mut gathered: Vec<(Vec<Source>, BTreeSet<Need>)> = vec![Default::default(); node.outputs.len()];
        let outside = outside(scope, node);
        let mut ends = outside.clone();
        for (position, source) in sources.into_iter().enumerate() {
            let mut inner = scope.clone();
            inner.copies.push(position);
            inner.folders.push(scope.task_id(&node.id));
            inner.entry.extend(outside.iter().cloned());
            let bound = Bound {
                source,
                ty: item.clone(),
                needs: items.needs.clone(),
            };
            inner.bind_item(&each.item, bound);
            self.graph(&mut inner, &each.body)?;
            ends.extend(sinks(&inner, &each.body));
            for (port, operand) in gathered.iter_mut().zip(&each.gather) {
                let bound = inner.operand(operand)?;
                port.0.push(bound.source);
                port.1.extend(bound.needs);
            }
        }
        let outputs = node.outputs.iter().zip(gathered).map(|(port, (sources, needs))| {
            let bound = Bound {
                source: Source::List(sources),
                ty: port.ty.clone(),
                needs: needs.into_iter().chain(ends.iter().cloned()).collect(),
            };
            (port.name.clone(), bound)
        });
        scope.made(&node.id, outputs.collect(), ends.clone());
        Ok(())
    }

    /// A group that Airflow repeats for each item.
    fn mapped(&mut self, scope: &mut Scope, node: &'r Node, each: &'r Loop, items: &Bound) -> Result<(), TargetError> {
        let id = scope.task_id(&node.id);
        let list = self.list(scope, node, each, items)?;
        let needs = items.needs.iter().cloned().chain(outside(scope, node));
        let listing = Kind::Items(Items {
            repeat: id.clone(),
            list: list.0,
            around: scope.frames.last().cloned(),
        });
        let mut task = self.own(scope, format!("{id}-items"), listing, needs.chain(list.1).collect());
        task.frames = Vec::new();
        if let Some(around) = scope.frames.last() {
            task.needs.insert(Need::Task(format!("{around}-items")));
        }
        self.dag.add(task);
        let mut inner = scope.clone();
        inner.frames.push(id.clone());
        inner.guard = None;
        inner.entry = BTreeSet::new();
        inner.most = each.max.or(scope.most);
        let ty = operand_types::item(&items.ty).unwrap_or(PortType::Opaque);
        let source = if ty.is_value() {
            Source::Item(id.clone())
        } else {
            Source::Element {
                of: Box::new(items.source.clone()),
                depth: scope.depth(),
            }
        };
        let needs = BTreeSet::new();
        inner.bind_item(&each.item, Bound { source, ty, needs });
        self.graph(&mut inner, &each.body)?;
        let outputs = self.gathered(scope, &mut inner, node, each, &id)?;
        let end = if scope.frames.is_empty() {
            let needs = BTreeSet::from([Need::Loop(id.clone())]);
            let task = self.own(scope, format!("{id}-end"), Kind::End, needs);
            BTreeSet::from([Need::Task(self.dag.add(task))])
        } else {
            BTreeSet::from([Need::Loop(id)])
        };
        let outputs = outputs.into_iter().map(|(name, bound)| {
            let needs = end.clone();
            (name, Bound { needs, ..bound })
        });
        scope.made(&node.id, outputs.collect(), end.clone());
        Ok(())
    }

    /// What a mapped loop runs over, as Airflow reads it.
    fn list(
        &mut self,
        scope: &Scope,
        node: &Node,
        each: &Loop,
        items: &Bound,
    ) -> Result<(List, BTreeSet<Need>), TargetError> {
        if !items.ty.is_value() {
            if let Source::Gathered { repeat, .. } = &items.source {
                return Ok((List::TurnsOf(repeat.clone()), BTreeSet::new()));
            }
            return Err(self.refused(
                &node.id,
                Feature::ArtifactLoop,
                "how many artifacts there are is known only inside the step that gives them",
                "Loop over the values that the artifacts were made from, or pass the whole list to one step.",
            ));
        }
        if let Some(pulled) = condition::pulled(&items.source, &items.ty, scope) {
            self.returned_by(&[(String::new(), pulled.clone())]);
            return Ok((List::Values(pulled), BTreeSet::new()));
        }
        let id = format!("{}-list", node.id);
        let ty = items.ty.clone();
        let task = self.compute(scope, &id, vec![("items".to_owned(), each.items.clone(), ty)])?;
        self.returned(&task, "items");
        let pulled = condition::Pulled::Result {
            task: task.clone(),
            port: "items".to_owned(),
            depth: scope.depth(),
            kind: "list",
        };
        Ok((List::Values(pulled), BTreeSet::from([Need::Task(task)])))
    }

    /// What a mapped loop gives: outputs of tasks of its body. What is no task's output is computed by one.
    fn gathered(
        &mut self,
        scope: &Scope,
        inner: &mut Scope,
        node: &Node,
        each: &Loop,
        id: &str,
    ) -> Result<Vec<(String, Bound)>, TargetError> {
        let mut outputs = Vec::new();
        for (position, (port, operand)) in node.outputs.iter().zip(&each.gather).enumerate() {
            let mut bound = inner.operand(operand)?;
            if !is_kept(&bound.source) {
                let element = operand_types::item(&port.ty).unwrap_or_else(|| port.ty.clone());
                let name = format!("{}-gives-{position}", node.id);
                let task = self.compute(inner, &name, vec![("output".to_owned(), operand.clone(), element)])?;
                bound.source = Source::Port {
                    task,
                    port: "output".to_owned(),
                    depth: inner.depth(),
                };
            }
            let gathered = Bound {
                source: Source::Gathered {
                    repeat: id.to_owned(),
                    depth: scope.depth(),
                    of: Box::new(bound.source),
                },
                ty: port.ty.clone(),
                needs: BTreeSet::new(),
            };
            outputs.push((port.name.clone(), gathered));
        }
        Ok(outputs)
    }

    // ── Pipelines ──

    pub(super) fn call(&mut self, scope: &mut Scope, node: &'r Node, call: &'r Call) -> Result<(), TargetError> {
        let missing = || TargetError::Write(format!("the plan has no pipeline `{}`", call.pipeline));
        let called = self.request.plan.pipelines.get(&call.pipeline).ok_or_else(missing)?;
        if self.called.contains(&call.pipeline.as_str()) {
            return Err(TargetError::Write(format!("`{}` calls itself", call.pipeline)));
        }
        let mut inner = scope.called(&node.id);
        inner.folders.push(scope.task_id(&node.id));
        inner.entry.extend(outside(scope, node));
        let checked = self.checked(scope, node)?;
        for input in &node.inputs {
            let mut bound = match &checked {
                Some(task) if input.ty.is_value() => Bound {
                    source: Source::Port {
                        task: task.clone(),
                        port: input.name.clone(),
                        depth: scope.depth(),
                    },
                    ty: input.ty.clone(),
                    needs: BTreeSet::from([Need::Task(task.clone())]),
                },
                Some(_) | None => scope.operand(&input.value)?,
            };
            bound.ty = input.ty.clone();
            inner.entry.extend(bound.needs.iter().cloned());
            inner.bind_parameter(&input.name, bound);
        }
        self.called.push(&called.name);
        self.body(&mut inner, &called.graph, Some(&scope.task_id(&node.id)))?;
        self.called.pop();
        let mut end = sinks(&inner, &called.graph);
        if end.is_empty() {
            end.clone_from(&inner.entry);
        }
        let mut outputs = Vec::new();
        for output in &called.outputs {
            let mut bound = inner.operand(&output.value)?;
            bound.needs.extend(end.iter().cloned());
            outputs.push((output.name.clone(), bound));
        }
        scope.made(&node.id, outputs, end);
        Ok(())
    }

    /// A task that checks the values that a pipeline is called with, where its types say more than those of what is given.
    fn checked(&mut self, scope: &Scope, node: &Node) -> Result<Option<TaskId>, TargetError> {
        let mut stricter = false;
        for input in &node.inputs {
            if let (PortType::Value(wanted), Operand::Reference(_) | Operand::Expression(_)) = (&input.ty, &input.value)
            {
                let given = scope.operand(&input.value)?.ty;
                stricter |= !wanted.refinements.is_empty() && given != input.ty;
            }
        }
        if !stricter {
            return Ok(None);
        }
        let values = node.inputs.iter().filter(|input| input.ty.is_value());
        let values = values.map(|input| (input.name.clone(), input.value.clone(), input.ty.clone()));
        self.compute(scope, &format!("{}-inputs", node.id), values.collect())
            .map(Some)
    }

    /// The graph of a pipeline, with its `finally`.
    pub(super) fn body(&mut self, scope: &mut Scope, graph: &'r Graph, call: Option<&str>) -> Result<(), TargetError> {
        let first = self.dag.tasks.len();
        self.graph(scope, graph)?;
        let Some((node, last)) = graph.nodes.iter().find_map(|node| match &node.kind {
            NodeKind::Finally(last) => Some((node, last)),
            NodeKind::Step(_)
            | NodeKind::Operation(_)
            | NodeKind::Branch(_)
            | NodeKind::Loop(_)
            | NodeKind::Pipeline(_) => None,
        }) else {
            return Ok(());
        };
        let own = self.dag.tasks.iter().skip(first);
        let tasks: BTreeSet<TaskId> = own.filter(|task| !task.is_idle()).map(|task| task.id.clone()).collect();
        if call.is_some()
            && self
                .dag
                .tasks
                .iter()
                .skip(first)
                .any(|task| task.frames != scope.frames)
        {
            return Err(self.refused(
                &node.id,
                Feature::CalledFinally,
                "Airflow cannot tell how the turns of a loop in a called pipeline ended",
                "Move `finally` to the pipeline that is started.",
            ));
        }
        let id = match call {
            Some(call) => format!("{call}-outcome"),
            None => "pipeline-outcome".to_owned(),
        };
        let outcome = Outcome {
            of: call.map(|_| tasks.clone()),
        };
        let mut needs = sinks(scope, graph);
        needs.extend(tasks.into_iter().map(Need::Task));
        let task = self.own(scope, id.clone(), Kind::Outcome(outcome), needs);
        self.dag.add(task);
        let guard = scope.guard.replace(id.clone());
        scope.bind_outcome(&id);
        self.graph(scope, last)?;
        scope.guard = guard;
        let mut end = sinks(scope, last);
        end.insert(Need::Task(id));
        scope.made(&node.id, Vec::new(), end);
        Ok(())
    }
}

/// The members of a list that the compiler knows.
fn known(source: &Source) -> Option<Vec<Source>> {
    match source {
        Source::List(sources) => Some(sources.clone()),
        Source::Value(Value::List(values)) => Some(values.iter().cloned().map(Source::Value).collect()),
        Source::Value(_)
        | Source::Parameter(_)
        | Source::Item(_)
        | Source::Port { .. }
        | Source::Gathered { .. }
        | Source::Element { .. }
        | Source::Chosen { .. }
        | Source::Computed { .. }
        | Source::Outcome(_)
        | Source::RunId
        | Source::ScheduledTime
        | Source::Attempt => None,
    }
}

/// Whether a source is an output that a task keeps.
fn is_kept(source: &Source) -> bool {
    match source {
        Source::Port { .. } => true,
        Source::Gathered { of, .. } => is_kept(of),
        Source::Value(_)
        | Source::Parameter(_)
        | Source::Item(_)
        | Source::Element { .. }
        | Source::Chosen { .. }
        | Source::List(_)
        | Source::Computed { .. }
        | Source::Outcome(_)
        | Source::RunId
        | Source::ScheduledTime
        | Source::Attempt => false,
    }
}

/// What a node that holds graphs waits for: everything that they take from outside, as on every other target.
fn outside(scope: &Scope, node: &Node) -> BTreeSet<Need> {
    let mut needs = BTreeSet::new();
    node.needs(&mut |name| needs.extend(scope.end(name)));
    needs
}

/// What must have ended for a graph to have ended.
fn sinks(scope: &Scope, graph: &Graph) -> BTreeSet<Need> {
    graph.nodes.iter().flat_map(|node| scope.end(&node.id)).collect()
}
