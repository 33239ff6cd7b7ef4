//! `finally`: everything else of the pipeline is one graph, and one task runs when that has ended, however it did.

use super::Lowering;
use super::graph::Body;
use super::outputs::Given;
use super::scope::{Binds, Scope};
use super::task::output;
use super::values::Wire;
use crate::plan::{Graph, Node, NodeKind, Operand, Step};
use crate::targets::pipeline_spec::{Strategy, Task, TriggerPolicy};
use crate::targets::{Feature, TargetError};

impl<'r> Lowering<'r> {
    /// Adds the nodes of a pipeline with a `finally`; gives where its outputs come from.
    pub(super) fn with_finally(
        &mut self,
        body: &mut Body<'r>,
        scope: &mut Scope,
        (last, graph): (&'r Node, &'r Graph),
    ) -> Result<Given, TargetError> {
        let pipeline = body.pipeline;
        if self.calls.len() > 1 {
            return Err(body.types.refused(
                Some(&last.id),
                Feature::CalledFinally,
                "an exit task can stand in the outermost pipeline only",
                "Move `finally` to the pipeline that is started.",
            ));
        }
        let mut inner = Scope::new(Binds::Nothing);
        self.graph(body, &mut inner, &pipeline.graph.nodes)?;
        let given = self.give(body, &mut inner, "outputs", &super::outputs::of_pipeline(pipeline))?;
        let (mut component, needs) = inner.finish();
        for item in &pipeline.outputs {
            output(&mut component, &item.name, &Wire::output(&item.ty));
        }
        given.set(&mut component);
        let (inputs, after) = scope.hand_over(&needs, &body.types)?;
        let task = Task {
            inputs,
            dependent_tasks: after.into_iter().collect(),
            ..Task::default()
        };
        let group = self.place_graph(body, scope, "#steps", component, task);
        scope.ends_with(&group);
        let exit = self.exit(body, scope, last, graph)?;
        if let Some(task) = scope.tasks.get_mut(&exit) {
            task.dependent_tasks = vec![group.clone()];
            task.trigger_policy = Some(TriggerPolicy {
                condition: None,
                strategy: Some(Strategy::AllCompleted),
            });
        }
        Ok(given.through(&group))
    }

    /// Adds the task that runs at the end: the node itself where there is one alone, else a graph.
    fn exit(
        &mut self,
        body: &mut Body<'r>,
        scope: &mut Scope,
        last: &'r Node,
        graph: &'r Graph,
    ) -> Result<String, TargetError> {
        if let [only] = graph.nodes.as_slice()
            && self.is_one_task(only)
        {
            self.node(body, scope, only)?;
            return Ok(scope.task_of(&only.id).unwrap_or_default().to_owned());
        }
        let mut inner = Scope::new(Binds::Nothing);
        self.graph(body, &mut inner, &graph.nodes)?;
        let (component, needs) = inner.finish();
        let (inputs, _) = scope.hand_over(&needs, &body.types)?;
        let task = Task {
            inputs,
            ..Task::default()
        };
        Ok(self.place_graph(body, scope, &last.id, component, task))
    }

    /// Whether a node becomes one task, whatever its operands are.
    fn is_one_task(&self, node: &Node) -> bool {
        let simple = |operand: &Operand| matches!(operand, Operand::Value(_));
        match &node.kind {
            NodeKind::Operation(_) => true,
            NodeKind::Step(call) => {
                let step: Option<&Step> = self.plan.steps.get(&call.step);
                let launched =
                    step.is_some_and(|step| step.image.is_none() && matches!(step.run, crate::plan::Run::Command(_)));
                let checked = step.is_some_and(|step| !step.outputs.is_empty());
                launched || (!checked && node.inputs.iter().all(|input| simple(&input.value)))
            }
            NodeKind::Branch(_) | NodeKind::Loop(_) | NodeKind::Finally(_) | NodeKind::Pipeline(_) => false,
        }
    }
}
