//! Outputs of loops that nothing reads are left out: only what is used outside is gathered.

use std::collections::BTreeSet;

use crate::plan::{Expression, Graph, Loop, NodeKind, Operand, Output, Reference};

/// Removes the unused outputs of every loop.
pub(super) fn gathered(graph: &mut Graph, outputs: &[Output]) {
    let mut read = Read::default();
    for output in outputs {
        read.operand(&output.value);
    }
    read.graph(graph);
    prune(graph, &read.ports);
}

#[derive(Default)]
struct Read {
    ports: BTreeSet<(String, String)>,
}

impl Read {
    fn graph(&mut self, graph: &Graph) {
        for node in &graph.nodes {
            for input in &node.inputs {
                self.operand(&input.value);
            }
            match &node.kind {
                NodeKind::Branch(branch) => {
                    self.expression(&branch.condition);
                    self.graph(&branch.then);
                    self.graph(&branch.otherwise);
                    for (then, otherwise) in &branch.values {
                        self.operand(then);
                        self.operand(otherwise);
                    }
                }
                NodeKind::Loop(repeat) => {
                    self.operand(&repeat.items);
                    repeat.gather.iter().for_each(|operand| self.operand(operand));
                    self.graph(&repeat.body);
                }
                NodeKind::Finally(graph) => self.graph(graph),
                NodeKind::Step(_) | NodeKind::Operation(_) | NodeKind::Pipeline(_) => {}
            }
        }
    }

    fn operand(&mut self, operand: &Operand) {
        match operand {
            Operand::Value(_) => {}
            Operand::Reference(reference) => self.reference(reference),
            Operand::Expression(expression) => self.expression(expression),
            Operand::List(items) => items.iter().for_each(|item| self.operand(item)),
        }
    }

    fn reference(&mut self, reference: &Reference) {
        if let Reference::Output { node, port } = reference {
            self.ports.insert((node.clone(), port.clone()));
        }
    }

    fn expression(&mut self, expression: &Expression) {
        expression.references(&mut |reference| self.reference(reference));
    }
}

fn prune(graph: &mut Graph, read: &BTreeSet<(String, String)>) {
    for node in &mut graph.nodes {
        let id = node.id.clone();
        match &mut node.kind {
            NodeKind::Branch(branch) => {
                prune(&mut branch.then, read);
                prune(&mut branch.otherwise, read);
            }
            NodeKind::Loop(repeat) => {
                prune(&mut repeat.body, read);
                let keep: Vec<bool> = node
                    .outputs
                    .iter()
                    .map(|port| read.contains(&(id.clone(), port.name.clone())))
                    .collect();
                retain(&mut node.outputs, &keep);
                let Loop { gather, .. } = repeat;
                retain(gather, &keep);
            }
            NodeKind::Finally(graph) => prune(graph, read),
            NodeKind::Step(_) | NodeKind::Operation(_) | NodeKind::Pipeline(_) => {}
        }
    }
}

fn retain<T>(items: &mut Vec<T>, keep: &[bool]) {
    let mut flags = keep.iter();
    items.retain(|_| flags.next().copied().unwrap_or(true));
}
