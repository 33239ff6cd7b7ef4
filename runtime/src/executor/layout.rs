//! Who waits for whom within one graph.

use std::collections::{BTreeMap, BTreeSet};

use mlp::plan::{Graph, Node, NodeKind, Pipeline, Plan};

/// The order within a graph, by the positions of its nodes.
#[derive(Debug, Default)]
pub(super) struct Layout<'p> {
    /// Positions by name.
    pub(super) positions: BTreeMap<&'p str, usize>,
    /// How many nodes each one waits for.
    pub(super) waits: Vec<usize>,
    /// The nodes that wait for each.
    pub(super) dependents: Vec<Vec<usize>>,
    /// The `finally` nodes, which wait for all others.
    pub(super) last: Vec<usize>,
}

impl<'p> Layout<'p> {
    /// The order within a graph. A node that holds graphs waits for everything that they take from outside.
    pub(super) fn new(graph: &'p Graph) -> Self {
        let positions: BTreeMap<&str, usize> = graph
            .nodes
            .iter()
            .enumerate()
            .map(|(position, node)| (node.id.as_str(), position))
            .collect();
        let mut layout = Self {
            waits: vec![0; graph.nodes.len()],
            dependents: vec![Vec::<usize>::new(); graph.nodes.len()],
            positions,
            last: Vec::new(),
        };
        for (position, node) in graph.nodes.iter().enumerate() {
            if matches!(node.kind, NodeKind::Finally(_)) {
                layout.last.push(position);
                continue;
            }
            let mut before = BTreeSet::<usize>::new();
            node.needs(&mut |name| before.extend(layout.positions.get(name)));
            before.remove(&position);
            for &other in &before {
                if let Some(dependents) = layout.dependents.get_mut(other) {
                    dependents.push(position);
                }
            }
            if let Some(waits) = layout.waits.get_mut(position) {
                *waits = before.len();
            }
        }
        layout
    }
}

/// Calls `visit` for every node of a graph, those inside others included.
pub(super) fn every_node<'p>(graph: &'p Graph, visit: &mut dyn FnMut(&'p Node)) {
    for node in &graph.nodes {
        visit(node);
        match &node.kind {
            NodeKind::Step(_) | NodeKind::Operation(_) | NodeKind::Pipeline(_) => {}
            NodeKind::Branch(branch) => {
                every_node(&branch.then, visit);
                every_node(&branch.otherwise, visit);
            }
            NodeKind::Loop(each) => every_node(&each.body, visit),
            NodeKind::Finally(graph) => every_node(graph, visit),
        }
    }
}

/// Calls `visit` for every node of a pipeline and of those that it calls, each pipeline once.
pub(super) fn every_node_called<'p>(plan: &'p Plan, pipeline: &'p Pipeline, visit: &mut dyn FnMut(&'p Node)) {
    let mut seen = vec![pipeline.name.as_str()];
    let mut waiting = vec![pipeline];
    while let Some(pipeline) = waiting.pop() {
        every_node(&pipeline.graph, &mut |node| {
            if let NodeKind::Pipeline(call) = &node.kind
                && !seen.contains(&call.pipeline.as_str())
            {
                seen.push(&call.pipeline);
                waiting.extend(plan.pipelines.get(&call.pipeline));
            }
            visit(node);
        });
    }
}
