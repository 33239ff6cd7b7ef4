//! A pipeline that another calls: its graph becomes a component, once for each call, since `kfp.local` keeps the files of
//! a component in one place.

use super::Lowering;
use super::compute::is_handed_over;
use super::graph::Body;
use super::operand::{self, Taken};
use super::scope::{Scope, give};
use super::values::Wire;
use crate::plan::{Call, Expression, Graph, Node, NodeKind, Operand, Parameter, Pipeline, PortType, Reference};
use crate::targets::pipeline_spec::{CachingOptions, Task};
use crate::targets::{Feature, TargetError};
use crate::types::Value;

impl<'r> Lowering<'r> {
    pub(super) fn call(
        &mut self,
        body: &mut Body<'r>,
        scope: &mut Scope,
        node: &'r Node,
        call: &Call,
    ) -> Result<(), TargetError> {
        let plan = self.plan;
        let missing = || TargetError::Write(format!("the plan has no pipeline `{}`", call.pipeline));
        let called = plan.pipelines.get(&call.pipeline).ok_or_else(missing)?;
        if self.calls.contains(&called.name.as_str()) {
            return Err(body.types.refused(
                Some(&node.id),
                Feature::Call,
                format!("`{}` calls itself, and every call is a copy", called.name),
                "Write it as a loop.",
            ));
        }
        // `kfp.local` fills no values into the texts that a graph is given.
        let prepared = self.prepared(body, scope, node, |input, types| {
            let is_text = matches!(&input.value, Operand::Expression(text) if matches!(**text, Expression::Text(_)));
            Ok(!is_text && is_handed_over(input, types)?)
        })?;
        let mut inner = Body::new(
            called,
            format!("{}{}.", body.prefix, node.id),
            self.request.target.title(),
        );
        let mut task = Task {
            caching_options: Some(CachingOptions {
                cache_key: None,
                enable_cache: true,
            }),
            ..Task::default()
        };
        let mut after = std::collections::BTreeSet::new();
        for parameter in &called.parameters {
            let input = prepared.inputs.iter().find(|input| input.name == parameter.name);
            let value = input.map(|input| &input.value).filter(|value| !is_none(value));
            let ty = PortType::Value(parameter.ty.clone());
            let taken = match value {
                Some(value) => operand::take(value, &ty, scope, &body.types)?,
                None => None,
            };
            let wire = parameter_wire(parameter, taken.as_ref());
            inner.types.parameters.insert(parameter.name.clone(), wire);
            if let Some(taken) = taken {
                after.extend(taken.after);
                give(&mut task.inputs, &parameter.name, taken.source);
            }
        }
        for input in prepared.inputs.iter().filter(|input| !input.ty.is_value()) {
            if let Some(taken) = operand::take(&input.value, &input.ty, scope, &body.types)? {
                inner.types.parameters.insert(input.name.clone(), taken.wire);
                after.extend(taken.after);
                give(&mut task.inputs, &input.name, taken.source);
            }
        }
        for name in &node.after {
            after.extend(scope.wait_for(name));
        }
        task.dependent_tasks = after.into_iter().collect();
        self.calls.push(&called.name);
        let component = self.pipeline(&mut inner)?;
        self.calls.pop();
        let name = self.place_graph(body, scope, &node.id, component, task);
        scope.made(&node.id, &name, None);
        Ok(())
    }
}

/// Whether a pipeline takes artifacts: then others call it, and it is not started by itself. The plan lists parameters
/// that are values.
pub(in crate::targets) fn takes_artifacts(pipeline: &Pipeline) -> bool {
    let mut found = false;
    let mut visit = |reference: &Reference| {
        found |= matches!(reference, Reference::Parameter(name)
            if pipeline.parameters.iter().all(|parameter| parameter.name != *name));
    };
    visit_graph(&pipeline.graph, &mut visit);
    for output in &pipeline.outputs {
        operand::references(&output.value, &mut visit);
    }
    found
}

fn visit_graph(graph: &Graph, visit: &mut dyn FnMut(&Reference)) {
    for node in &graph.nodes {
        for input in &node.inputs {
            operand::references(&input.value, visit);
        }
        match &node.kind {
            NodeKind::Step(_) | NodeKind::Operation(_) | NodeKind::Pipeline(_) => {}
            NodeKind::Branch(branch) => {
                visit_graph(&branch.then, visit);
                visit_graph(&branch.otherwise, visit);
                for (then, otherwise) in &branch.values {
                    operand::references(then, visit);
                    operand::references(otherwise, visit);
                }
            }
            NodeKind::Loop(each) => {
                operand::references(&each.items, visit);
                visit_graph(&each.body, visit);
            }
            NodeKind::Finally(last) => visit_graph(last, visit),
        }
    }
}

fn is_none(operand: &Operand) -> bool {
    matches!(operand, Operand::Value(Value::None))
}

/// How a copy of a pipeline takes a parameter: in the form in which this call gives it.
fn parameter_wire(parameter: &Parameter, taken: Option<&Taken>) -> Wire {
    Wire {
        ty: PortType::Value(parameter.ty.clone()),
        boxed: parameter.ty.optional && taken.is_some_and(|taken| taken.wire.boxed),
    }
}
