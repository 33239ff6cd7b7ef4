//! What every artifact of a pipeline holds: rows, for data; rows seen in training, for models.

use std::collections::BTreeMap;

use crate::check::flow::{Subject, input};
use crate::check::pipelines::elaborate;
use crate::db::ItemKey;
use crate::plan::{Graph, Loop, Node, NodeKind, NodePath, Operand, Operation, PortType, Reference};

use super::rows::{Overlap, Partition, Rows, overlap};
use super::{Finding, Who};

/// What an artifact holds.
#[derive(Clone, Debug, Default)]
struct Held {
    /// The rows of a dataset or file.
    rows: Rows,
    /// The rows that a model was trained on: who read them, and the node that trained.
    seen: BTreeMap<Partition, (NodePath, NodePath)>,
}

impl Held {
    fn join(&mut self, other: Self) {
        self.rows.extend(other.rows);
        self.seen.extend(other.seen);
    }
}

/// Every use of rows that judges a model which has seen them.
pub(super) fn findings(subject: &Subject<'_>) -> Vec<Finding> {
    let mut walk = Walk {
        subject,
        pipelines: vec![subject.key.clone()],
        call: None,
        prefix: String::new(),
        outputs: BTreeMap::new(),
        parameters: BTreeMap::new(),
        sources: BTreeMap::new(),
        items: BTreeMap::new(),
        findings: Vec::new(),
    };
    walk.graph(subject.graph, subject.pipelines);
    walk.findings
}

struct Walk<'a> {
    subject: &'a Subject<'a>,
    /// The pipelines around the graph at hand, innermost last: one that calls itself is not entered again.
    pipelines: Vec<ItemKey>,
    /// The call, in the pipeline under analysis, inside which the graph at hand runs.
    call: Option<NodePath>,
    /// What stands before node names inside a called pipeline.
    prefix: String,
    outputs: BTreeMap<(NodePath, String), Held>,
    parameters: BTreeMap<String, Held>,
    /// What the values of parameters are, as far as the caller says.
    sources: BTreeMap<String, String>,
    items: BTreeMap<String, Held>,
    findings: Vec<Finding>,
}

impl Walk<'_> {
    fn graph(&mut self, graph: &Graph, pipelines: &BTreeMap<String, ItemKey>) {
        for node in &graph.nodes {
            match &node.kind {
                NodeKind::Operation(operation) => self.operation(node, operation),
                NodeKind::Step(step) => self.step(node, &step.step),
                NodeKind::Branch(branch) => {
                    self.graph(&branch.then, pipelines);
                    self.graph(&branch.otherwise, pipelines);
                    for (port, (then, otherwise)) in node.outputs.iter().zip(&branch.values) {
                        let mut held = self.held(then);
                        held.join(self.held(otherwise));
                        self.give(node, &port.name, held);
                    }
                }
                NodeKind::Loop(repeat) => self.repeat(node, repeat, pipelines),
                NodeKind::Finally(graph) => self.graph(graph, pipelines),
                NodeKind::Pipeline(call) => {
                    if let Some(key) = pipelines.get(&call.pipeline) {
                        self.pipeline(node, key);
                    }
                }
            }
        }
    }

    fn name(&self, node: &str) -> NodePath {
        format!("{}{node}", self.prefix)
    }

    fn give(&mut self, node: &Node, port: &str, held: Held) {
        self.outputs.insert((self.name(&node.id), port.to_owned()), held);
    }

    fn held(&self, operand: &Operand) -> Held {
        match operand {
            Operand::Reference(Reference::Output { node, port }) => {
                let key = (self.name(node), port.clone());
                self.outputs.get(&key).cloned().unwrap_or_default()
            }
            Operand::Reference(Reference::Parameter(name)) => self.parameters.get(name).cloned().unwrap_or_else(|| {
                let origin = format!("parameter {}{name}", self.prefix);
                whole(origin, name.clone())
            }),
            Operand::Reference(Reference::Item(name)) => self.items.get(name).cloned().unwrap_or_default(),
            Operand::Reference(
                Reference::Outcome | Reference::RunId | Reference::ScheduledTime | Reference::Attempt,
            )
            | Operand::Value(_)
            | Operand::Expression(_) => Held::default(),
            Operand::List(items) => {
                let mut held = Held::default();
                for item in items {
                    held.join(self.held(item));
                }
                held
            }
        }
    }

    fn given(&self, node: &Node, name: &str) -> Held {
        input(node, name)
            .map(|input| self.held(&input.value))
            .unwrap_or_default()
    }

    /// What a source is, so that two reads of one source are known as such.
    fn source(&self, operand: &Operand) -> String {
        match operand {
            Operand::Reference(Reference::Parameter(name)) => match self.sources.get(name) {
                Some(source) => source.clone(),
                None => format!("parameter {}{name}", self.prefix),
            },
            Operand::Value(value) => format!("value {value:?}"),
            Operand::Reference(_) | Operand::Expression(_) | Operand::List(_) => format!("{}{operand:?}", self.prefix),
        }
    }

    fn operation(&mut self, node: &Node, operation: &Operation) {
        match operation {
            Operation::Read { .. } => {
                if let Some(source) = input(node, "source") {
                    let origin = format!("read {}", self.source(&source.value));
                    self.give(node, "output", whole(origin, self.name(&node.id)));
                }
            }
            Operation::Validate { .. }
            | Operation::Features(_)
            | Operation::Project(_)
            | Operation::Mask { .. }
            | Operation::Predict { .. } => {
                let rows = self.given(node, "data").rows;
                self.give(
                    node,
                    "output",
                    Held {
                        rows,
                        ..Held::default()
                    },
                );
            }
            Operation::Split { parts, .. } => {
                let rows = self.given(node, "data").rows;
                for part in parts {
                    let rows = taken(&rows, &self.name(&node.id), &part.name);
                    self.give(
                        node,
                        &part.name,
                        Held {
                            rows,
                            ..Held::default()
                        },
                    );
                }
            }
            Operation::Evaluate { .. } => self.judge(node, "model", "data", Who::Evaluated),
            Operation::Challenge(_) => {
                self.judge(node, "candidate", "on", Who::Candidate);
                self.judge(node, "champion", "on", Who::Champion);
                let held = self.given(node, "candidate");
                self.give(node, "output", held);
            }
            Operation::Gate { .. } | Operation::Register { .. } => {
                let held = self.given(node, "model");
                self.give(node, "output", held);
            }
            Operation::Champion { .. } => {
                let held = self.given(node, "fallback");
                self.give(node, "output", held);
            }
            Operation::Prior { .. } => {
                let rows = self.given(node, "data").rows;
                let seen = self.trained(node, rows);
                self.give(
                    node,
                    "output",
                    Held {
                        seen,
                        ..Held::default()
                    },
                );
            }
            Operation::Deploy { .. } => {}
        }
    }

    fn trained(&self, node: &Node, rows: Rows) -> BTreeMap<Partition, (NodePath, NodePath)> {
        let trained = self.call.clone().unwrap_or_else(|| self.name(&node.id));
        rows.into_iter()
            .map(|(partition, read)| (partition, (read, trained.clone())))
            .collect()
    }

    /// A user's step may return any row that it was given, and a model that has seen them all.
    fn step(&mut self, node: &Node, step: &str) {
        let mut given = Held::default();
        for input in &node.inputs {
            given.join(self.held(&input.value));
        }
        let made_of = || {
            let inputs: Vec<String> = node.inputs.iter().map(|input| self.source(&input.value)).collect();
            format!("step {step}({})", inputs.join(", "))
        };
        let mut seen = self.trained(node, given.rows.clone());
        seen.extend(given.seen);
        let mut results = Vec::new();
        for port in &node.outputs {
            let held = match carries(&port.ty) {
                Carries::Rows if given.rows.is_empty() => {
                    let origin = format!("{} {}", made_of(), port.name);
                    whole(origin, self.name(&node.id))
                }
                Carries::Rows => Held {
                    rows: given.rows.clone(),
                    ..Held::default()
                },
                Carries::Model => Held {
                    seen: seen.clone(),
                    ..Held::default()
                },
                Carries::Neither => continue,
            };
            results.push((port.name.clone(), held));
        }
        for (port, held) in results {
            self.give(node, &port, held);
        }
    }

    fn repeat(&mut self, node: &Node, repeat: &Loop, pipelines: &BTreeMap<String, ItemKey>) {
        let held = self.held(&repeat.items);
        let outer = self.items.insert(repeat.item.clone(), held);
        self.graph(&repeat.body, pipelines);
        let inside: Vec<NodePath> = repeat.body.nodes.iter().map(|node| self.name(&node.id)).collect();
        for (port, operand) in node.outputs.iter().zip(&repeat.gather) {
            let held = across_rounds(self.held(operand), &inside);
            self.give(node, &port.name, held);
        }
        match outer {
            Some(outer) => self.items.insert(repeat.item.clone(), outer),
            None => self.items.remove(&repeat.item),
        };
    }

    /// Another pipeline of the project, with what it is given here.
    fn pipeline(&mut self, node: &Node, key: &ItemKey) {
        if self.pipelines.contains(key) {
            return;
        }
        let callee = elaborate(self.subject.db, key);
        let mut parameters = BTreeMap::new();
        let mut sources = BTreeMap::new();
        for input in &node.inputs {
            parameters.insert(input.name.clone(), self.held(&input.value));
            sources.insert(input.name.clone(), self.source(&input.value));
        }
        let call = self.call.clone().unwrap_or_else(|| node.id.clone());
        let mut inner = Walk {
            subject: self.subject,
            pipelines: self.pipelines.iter().chain([key]).cloned().collect(),
            call: Some(call.clone()),
            prefix: format!("{}{}/", self.prefix, node.id),
            outputs: BTreeMap::new(),
            parameters,
            sources,
            items: BTreeMap::new(),
            findings: Vec::new(),
        };
        inner.graph(&callee.graph, &callee.pipelines);
        let outputs: Vec<(String, Held)> = callee
            .outputs
            .iter()
            .map(|output| (output.name.clone(), inner.held(&output.value)))
            .collect();
        // What is wrong inside whatever it is given is reported there.
        let own = |finding: &Finding| !finding.judged.origin.starts_with(&format!("read {}", inner.prefix));
        let found: Vec<Finding> = inner.findings.iter().filter(|finding| own(finding)).cloned().collect();
        if !callee_is_wrong(self.subject, key) {
            self.findings.extend(found.into_iter().map(|finding| Finding {
                node: call.clone(),
                inside: true,
                ..finding
            }));
        }
        for (name, held) in outputs {
            self.give(node, &name, held);
        }
    }

    fn judge(&mut self, node: &Node, model: &str, data: &str, who: Who) {
        let seen = self.given(node, model).seen;
        let judged = self.given(node, data).rows;
        let mut found: Option<(Overlap, NodePath, Partition)> = None;
        for (partition, (read, trained)) in &seen {
            for (own, own_read) in &judged {
                let Some(how) = overlap(partition, own) else { continue };
                let how = if read == own_read { how } else { Overlap::TwoReads };
                if found.as_ref().is_none_or(|(best, ..)| how < *best) {
                    found = Some((how, trained.clone(), own.clone()));
                }
            }
        }
        if let Some((overlap, trained, judged)) = found {
            self.findings.push(Finding {
                node: self.name(&node.id),
                data: data.to_owned(),
                who,
                trained,
                overlap,
                judged,
                seen: seen.into_keys().collect(),
                inside: false,
            });
        }
    }
}

/// Whether a pipeline has this problem by itself, whoever calls it.
fn callee_is_wrong(subject: &Subject<'_>, key: &ItemKey) -> bool {
    use crate::diagnostics::Code;
    elaborate(subject.db, key)
        .diagnostics
        .iter()
        .any(|own| matches!(own.code, Code::EvaluatedOnTraining | Code::ChallengedOnTraining))
}

fn whole(origin: String, read: NodePath) -> Held {
    let partition = Partition {
        origin,
        path: Vec::new(),
    };
    Held {
        rows: Rows::from([(partition, read)]),
        ..Held::default()
    }
}

fn taken(rows: &Rows, split: &str, part: &str) -> Rows {
    let narrow = |(partition, read): (&Partition, &NodePath)| {
        let mut partition = partition.clone();
        partition.path.push((split.to_owned(), part.to_owned()));
        (partition, read.clone())
    };
    rows.iter().map(narrow).collect()
}

/// Two rounds of a loop may divide the same data in different ways, so parts of different rounds are not disjoint.
fn across_rounds(held: Held, inside: &[NodePath]) -> Held {
    let cut = |mut partition: Partition| {
        if let Some(at) = partition.path.iter().position(|(split, _)| inside.contains(split)) {
            partition.path.truncate(at);
        }
        partition
    };
    Held {
        rows: held
            .rows
            .into_iter()
            .map(|(partition, read)| (cut(partition), read))
            .collect(),
        seen: held
            .seen
            .into_iter()
            .map(|(partition, by)| (cut(partition), by))
            .collect(),
    }
}

enum Carries {
    Rows,
    Model,
    Neither,
}

fn carries(ty: &PortType) -> Carries {
    match ty {
        PortType::Dataset { .. }
        | PortType::File
        | PortType::Directory
        | PortType::Opaque
        | PortType::Custom { .. } => Carries::Rows,
        PortType::Model { .. } => Carries::Model,
        PortType::List(of) => carries(of),
        PortType::Value(_)
        | PortType::Metrics { .. }
        | PortType::Html
        | PortType::Markdown
        | PortType::Deployment { .. } => Carries::Neither,
    }
}
