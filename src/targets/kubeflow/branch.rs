//! `if/else`: each arm a graph, both inside one graph more. Around a condition stands always a graph of its own, whose
//! inputs have the names that the condition reads: `kfp.local` looks for them there.

use super::Lowering;
use super::cel;
use super::graph::Body;
use super::names;
use super::operand;
use super::outputs::{Given, Wanted};
use super::scope::{Binds, Needs, Scope, define, give};
use super::task::output;
use super::values::Wire;
use crate::plan::{Branch, Expression, Graph, Input, Node, Operand, PortType, Reference};
use crate::targets::TargetError;
use crate::targets::pipeline_spec::{
    ArtifactSelectors, Component, OutputParameter, ParameterSelectors, Task, TriggerPolicy,
};
use crate::types::{DataKind, DataType, Value};

/// A condition that the platform evaluates, and what it reads.
struct Decision {
    text: String,
    reads: Vec<Reference>,
}

impl<'r> Lowering<'r> {
    pub(super) fn branch(
        &mut self,
        body: &mut Body<'r>,
        scope: &mut Scope,
        node: &'r Node,
        branch: &'r Branch,
    ) -> Result<(), TargetError> {
        if let Some(inputs) = as_expressions(node, branch) {
            return self.compute(body, scope, node.id.clone(), inputs);
        }
        let decision = self.decide(body, scope, node, &branch.condition)?;
        let mut inner = Scope::new(Binds::Nothing);
        let negated = Decision {
            text: format!("!({})", decision.text),
            reads: decision.reads.clone(),
        };
        let (then, otherwise): (Vec<&Operand>, Vec<&Operand>) =
            branch.values.iter().map(|(then, otherwise)| (then, otherwise)).unzip();
        let then = self.arm(body, &mut inner, node, ("then", &branch.then), &then, &decision)?;
        let otherwise = self.arm(
            body,
            &mut inner,
            node,
            ("else", &branch.otherwise),
            &otherwise,
            &negated,
        )?;
        let (mut component, needs) = inner.finish();
        for port in &node.outputs {
            output(&mut component, &port.name, &Wire::output(&port.ty));
        }
        select(&mut component, &then, &otherwise);
        self.enclose(body, scope, node, component, &needs)
    }

    /// Adds the task of a finished graph to the graph around it.
    pub(super) fn enclose(
        &mut self,
        body: &mut Body<'r>,
        scope: &mut Scope,
        node: &Node,
        component: Component,
        needs: &Needs,
    ) -> Result<(), TargetError> {
        let (inputs, mut after) = scope.hand_over(needs, &body.types)?;
        for name in &node.after {
            after.extend(scope.wait_for(name));
        }
        let task = Task {
            inputs,
            dependent_tasks: after.into_iter().collect(),
            ..Task::default()
        };
        let name = self.place_graph(body, scope, &node.id, component, task);
        scope.made(&node.id, &name, None);
        Ok(())
    }

    /// The condition in the platform's language, or the value of a task that computes it.
    fn decide(
        &mut self,
        body: &mut Body<'r>,
        scope: &mut Scope,
        node: &Node,
        condition: &Expression,
    ) -> Result<Decision, TargetError> {
        if let Some(text) = cel::condition(condition, &body.types) {
            let mut reads = Vec::new();
            condition.references(&mut |reference| {
                if !reads.contains(reference) {
                    reads.push(reference.clone());
                }
            });
            return Ok(Decision { text, reads });
        }
        let id = format!("{}#condition", node.id);
        let holds = Reference::Output {
            node: id.clone(),
            port: "holds".to_owned(),
        };
        // A condition that is absent does not hold.
        let value = Expression::If {
            condition: Box::new(condition.clone()),
            then: Box::new(Expression::Value(Value::Bool(true))),
            otherwise: Box::new(Expression::Value(Value::Bool(false))),
        };
        let input = Input {
            name: "holds".to_owned(),
            value: Operand::Expression(Box::new(value)),
            ty: PortType::Value(DataType::plain(DataKind::Bool)),
        };
        self.compute(body, scope, id, vec![input])?;
        Ok(Decision {
            text: format!("inputs.parameter_values['{}'] == true", names::input(&holds)),
            reads: vec![holds],
        })
    }

    /// Adds one arm, if there is anything in it.
    fn arm(
        &mut self,
        body: &mut Body<'r>,
        around: &mut Scope,
        node: &'r Node,
        (which, graph): (&str, &'r Graph),
        values: &[&'r Operand],
        decision: &Decision,
    ) -> Result<Given, TargetError> {
        if graph.nodes.is_empty() && values.is_empty() {
            return Ok(Given::default());
        }
        let mut scope = Scope::new(Binds::Nothing);
        self.graph(body, &mut scope, &graph.nodes)?;
        let wanted: Vec<Wanted<'_>> = node
            .outputs
            .iter()
            .zip(values)
            .map(|(port, value)| Wanted {
                name: &port.name,
                ty: &port.ty,
                value,
            })
            .collect();
        let id = format!("{}#{which}", node.id);
        let given = self.give(body, &mut scope, &id, &wanted)?;
        let (mut component, needs) = scope.finish();
        let (mut inputs, after) = around.hand_over(&needs, &body.types)?;
        for reference in &decision.reads {
            let reached = around.reach(reference, &body.types)?;
            let name = names::input(reference);
            define(&mut component.input_definitions, &name, reference, &reached.wire);
            give(&mut inputs, &name, reached.source);
        }
        for port in &node.outputs {
            output(&mut component, &port.name, &Wire::output(&port.ty));
        }
        given.set(&mut component);
        let task = Task {
            inputs,
            dependent_tasks: after.into_iter().collect(),
            trigger_policy: Some(TriggerPolicy {
                condition: Some(decision.text.clone()),
                strategy: None,
            }),
            ..Task::default()
        };
        let name = self.place_graph(body, around, &id, component, task);
        Ok(given.through(&name))
    }
}

/// The outputs of a branch: those of the arm that ran.
fn select(component: &mut Component, then: &Given, otherwise: &Given) {
    let Some(dag) = &mut component.dag else {
        return;
    };
    for first in &then.0 {
        let both = [Some(first), otherwise.0.iter().find(|second| second.name == first.name)];
        let both = both.into_iter().flatten();
        if first.is_value {
            let selectors = ParameterSelectors {
                parameter_selectors: both.map(super::outputs::GivenOutput::parameter).collect(),
            };
            let oneof = OutputParameter::ValueFromOneof(selectors);
            dag.outputs.parameters.insert(first.name.clone(), oneof);
        } else {
            let selectors = ArtifactSelectors {
                artifact_selectors: both.map(super::outputs::GivenOutput::artifact).collect(),
            };
            dag.outputs.artifacts.insert(first.name.clone(), selectors);
        }
    }
}

/// A branch in which nothing runs, as the values that one task computes.
fn as_expressions(node: &Node, branch: &Branch) -> Option<Vec<Input>> {
    if !branch.then.nodes.is_empty() || !branch.otherwise.nodes.is_empty() || node.outputs.is_empty() {
        return None;
    }
    let values = node.outputs.iter().zip(&branch.values);
    let input = |(port, (then, otherwise)): (&crate::plan::Port, &(Operand, Operand))| {
        let value = Expression::If {
            condition: Box::new(branch.condition.clone()),
            then: Box::new(operand::expression(then)?),
            otherwise: Box::new(operand::expression(otherwise)?),
        };
        port.ty.is_value().then(|| Input {
            name: port.name.clone(),
            value: Operand::Expression(Box::new(value)),
            ty: port.ty.clone(),
        })
    };
    values.map(input).collect()
}
