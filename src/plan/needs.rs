//! What a node waits for within its graph.

use super::{Graph, Node, NodeKind, Operand, Reference};

impl Node {
    /// Calls `visit` with the name of every node that this one needs: those whose outputs it takes, those of `after`, and
    /// those that the graphs inside it need. Names of nodes inside it are among them.
    pub fn needs<'n>(&'n self, visit: &mut dyn FnMut(&'n str)) {
        for name in &self.after {
            visit(name);
        }
        for input in &self.inputs {
            operand(&input.value, visit);
        }
        match &self.kind {
            NodeKind::Step(_) | NodeKind::Operation(_) | NodeKind::Pipeline(_) => {}
            NodeKind::Branch(branch) => {
                branch.condition.references(&mut |read| reference(read, visit));
                for (then, otherwise) in &branch.values {
                    operand(then, visit);
                    operand(otherwise, visit);
                }
                graph(&branch.then, visit);
                graph(&branch.otherwise, visit);
            }
            NodeKind::Loop(each) => {
                operand(&each.items, visit);
                for gathered in &each.gather {
                    operand(gathered, visit);
                }
                graph(&each.body, visit);
            }
            NodeKind::Finally(last) => graph(last, visit),
        }
    }
}

fn graph<'n>(graph: &'n Graph, visit: &mut dyn FnMut(&'n str)) {
    for node in &graph.nodes {
        node.needs(visit);
    }
}

fn operand<'n>(operand: &'n Operand, visit: &mut dyn FnMut(&'n str)) {
    operand.references(&mut |read| reference(read, visit));
}

fn reference<'n>(reference: &'n Reference, visit: &mut dyn FnMut(&'n str)) {
    match reference {
        Reference::Output { node, .. } => visit(node),
        Reference::Parameter(_)
        | Reference::Item(_)
        | Reference::Outcome
        | Reference::RunId
        | Reference::ScheduledTime
        | Reference::Attempt => {}
    }
}
