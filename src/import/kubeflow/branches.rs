//! Conditions: chains of `if … else if … else …`, with the value that the arm that ran gives.

use std::collections::BTreeMap;

use super::Importer;
use super::cel::{self, Cel, conjuncts};
use super::expression::Expression;
use super::graph::{Done, Place, Scope};
use super::inputs::Bound;
use super::names::natural;
use super::program::{Arm, Branch, Port, Statement};
use crate::targets::pipeline_spec::{Component, Dag, OutputParameter, Task};

/// An arm with what stands behind it.
struct Read {
    /// The task's name.
    name: String,
    arm: Arm,
    gives: Scope,
}

/// Outputs of a branch: the name, and of each arm its task and that task's output.
type Selected = Vec<(String, Vec<(String, String)>)>;

impl Importer<'_> {
    /// A condition that stands alone.
    pub(super) fn lone_branch(
        &mut self,
        name: &str,
        task: &Task,
        component: &Component,
        given: &Scope,
        place: &mut Place<'_>,
    ) -> (Vec<Statement>, Done) {
        let condition = self
            .condition_text(name, task)
            .and_then(|condition| self.condition_of(name, &condition, given));
        let root = std::mem::replace(&mut place.root, false);
        let (body, _) = self.unconditional(name, task, component, given, place);
        place.root = root;
        let Some(condition) = condition else {
            return (Vec::new(), Done::default());
        };
        let arm = Arm {
            condition: Some(condition),
            body,
            value: None,
        };
        let branch = Branch {
            name: None,
            arms: vec![arm],
        };
        (vec![Statement::Branch(branch)], Done::default())
    }

    fn condition_text(&mut self, name: &str, task: &Task) -> Option<Cel> {
        let text = task.trigger_policy.as_ref()?.condition.as_ref()?;
        match cel::read(text) {
            Ok(condition) => Some(condition),
            Err(what) => {
                self.problem(format!(
                    "The condition of `{name}` has {what}, which is not understood: {text}"
                ));
                None
            }
        }
    }

    fn condition_of(&mut self, name: &str, condition: &Cel, given: &Scope) -> Option<Expression> {
        match self.condition(condition, given) {
            Ok((expression, _)) => Some(expression),
            Err(what) => {
                self.problem(format!(
                    "The condition of `{name}` has {what}, which the language refuses."
                ));
                None
            }
        }
    }

    /// A graph that is nothing but the arms of one branch; nothing for any other graph.
    pub(super) fn branches(
        &mut self,
        name: &str,
        dag: &Dag,
        given: &Scope,
        place: &mut Place<'_>,
    ) -> Option<(Vec<Statement>, Done)> {
        let has_condition = |task: &Task| {
            task.trigger_policy
                .as_ref()
                .is_some_and(|policy| policy.condition.is_some())
                && task.dependent_tasks.is_empty()
                && task.parameter_iterator.is_none()
        };
        if dag.tasks.len() < 2 || !dag.tasks.values().all(has_condition) {
            return None;
        }
        let mut tasks: Vec<(&String, &Task)> = dag.tasks.iter().collect();
        tasks.sort_by_key(|(name, _)| natural(name));
        let conditions: Vec<Cel> = tasks
            .iter()
            .map(|(name, task)| self.condition_text(name, task))
            .collect::<Option<_>>()?;
        let chain = chain(&conditions)?;
        let mut arms = Vec::new();
        for ((arm, task), own) in tasks.into_iter().zip(chain) {
            let inner = self.given(arm, task, given, &BTreeMap::new());
            let condition = match own {
                Some(own) => Some(self.condition_of(arm, &own, &inner)?),
                None => None,
            };
            let component = self.spec.components.get(&task.component_ref.name);
            let Some(component) = component else {
                self.problem(format!("The task `{arm}` runs a component that does not exist."));
                continue;
            };
            let root = std::mem::replace(&mut place.root, false);
            let (body, done) = self.unconditional(arm, task, component, &inner, place);
            place.root = root;
            arms.push(Read {
                name: arm.clone(),
                arm: Arm {
                    condition,
                    body,
                    value: None,
                },
                gives: done.gives,
            });
        }
        Some(self.joined(name, dag, arms, place))
    }

    /// Joins the arms, with the values that are taken from them.
    fn joined(&mut self, name: &str, dag: &Dag, mut arms: Vec<Read>, place: &mut Place<'_>) -> (Vec<Statement>, Done) {
        let (parameters, artifacts) = selected(dag);
        let mut done = Done::default();
        let mut binding = None;
        if !parameters.is_empty() || !artifacts.is_empty() {
            if arms.last().is_some_and(|last| last.arm.condition.is_some()) {
                self.problem(format!(
                    "A value is taken from the branch `{name}`, which has no `else`: when no condition holds there is none."
                ));
            }
            let chosen = place.names.unique("chosen");
            let single = parameters.len() + artifacts.len() == 1;
            for (output, sources) in parameters {
                let bound = self.chosen(name, &chosen, single, &sources, &mut arms, |gives| &gives.parameters);
                done.gives.parameters.extend(bound.map(|bound| (output, bound)));
            }
            for (output, sources) in artifacts {
                let bound = self.chosen(name, &chosen, single, &sources, &mut arms, |gives| &gives.artifacts);
                done.gives.artifacts.extend(bound.map(|bound| (output, bound)));
            }
            done.handles = Some(vec![chosen.clone()]);
            binding = Some(chosen);
        }
        let branch = Branch {
            name: binding,
            arms: arms.into_iter().map(|read| read.arm).collect(),
        };
        (vec![Statement::Branch(branch)], done)
    }

    /// One output of a branch: the value of each arm.
    fn chosen(
        &mut self,
        name: &str,
        chosen: &str,
        single: bool,
        sources: &[(String, String)],
        arms: &mut [Read],
        of: fn(&Scope) -> &BTreeMap<String, Bound>,
    ) -> Option<Bound> {
        let mut port: Option<Port> = None;
        let mut member: Option<String> = None;
        for read in arms {
            let source = sources.iter().find(|(task, _)| *task == read.name);
            let Some(bound) = source.and_then(|(_, output)| of(&read.gives).get(output)).cloned() else {
                self.problem(format!(
                    "The arm `{}` of the branch `{name}` gives no value where the others do.",
                    read.name
                ));
                return None;
            };
            match &port {
                Some(port) => self.fits(&format!("the arm `{}` of the branch `{name}`", read.name), &bound, port),
                None => port = Some(bound.port),
            }
            if single {
                read.arm.value = Some(bound.expression);
                continue;
            }
            // Several values come out of one branch together where each arm takes them from one task.
            let (Expression::Path(mut path), None | Some(_)) = (bound.expression, &member) else {
                return self.several(name);
            };
            let last = path.pop();
            if path.is_empty() || member.as_ref().is_some_and(|member| Some(member) != last.as_ref()) {
                return self.several(name);
            }
            member = last;
            let whole = Expression::Path(path);
            if read.arm.value.as_ref().is_some_and(|value| *value != whole) {
                return self.several(name);
            }
            read.arm.value = Some(whole);
        }
        let mut path = vec![chosen.to_owned()];
        path.extend(member);
        Some(Bound {
            expression: Expression::Path(path),
            port: port?,
        })
    }

    fn several<T>(&mut self, name: &str) -> Option<T> {
        self.problem(format!(
            "Several values are taken from the branch `{name}`, from different tasks of its arms; a branch of the language gives one, or the outputs of one call. Put each arm into a pipeline of its own that gives them all."
        ));
        None
    }
}

/// Conditions of a chain without the negations of those before: none for `else`. Nothing when they are no chain.
fn chain(conditions: &[Cel]) -> Option<Vec<Option<Cel>>> {
    let mut own: Vec<Option<Cel>> = Vec::new();
    for condition in conditions {
        let parts = conjuncts(condition);
        let before = parts.get(..own.len())?;
        let negated = before.iter().zip(&own).all(|(part, earlier)| match (part, earlier) {
            (Cel::Not(inner), Some(earlier)) => **inner == *earlier,
            (_, _) => false,
        });
        if !negated {
            return None;
        }
        let rest = parts.get(own.len()..)?;
        own.push(
            rest.iter()
                .map(|part| (*part).clone())
                .reduce(|left, right| Cel::Binary(super::expression::Operator::And, Box::new(left), Box::new(right))),
        );
    }
    Some(own)
}

/// What a graph takes from its tasks: parameters and artifacts.
fn selected(dag: &Dag) -> (Selected, Selected) {
    let parameters = dag.outputs.parameters.iter().map(|(output, source)| {
        let selectors = match source {
            OutputParameter::ValueFromOneof(several) => several.parameter_selectors.as_slice(),
            OutputParameter::ValueFromParameter(one) => std::slice::from_ref(one),
        };
        let sources = selectors.iter();
        let sources = sources.map(|own| (own.producer_subtask.clone(), own.output_parameter_key.clone()));
        (output.clone(), sources.collect())
    });
    let artifacts = dag.outputs.artifacts.iter().map(|(output, selectors)| {
        let sources = selectors.artifact_selectors.iter();
        let sources = sources.map(|own| (own.producer_subtask.clone(), own.output_artifact_key.clone()));
        (output.clone(), sources.collect())
    });
    (parameters.collect(), artifacts.collect())
}
