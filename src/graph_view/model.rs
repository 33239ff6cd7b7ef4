//! What every drawing shows: shapes in their regions, and the edges between them. No format and no geometry.

use std::collections::{BTreeMap, BTreeSet};

use super::words;
use crate::plan::{ArgumentPart, Branch, Expression, Graph, Loop, Node, NodeKind, Operand, Operation, Pipeline, Plan};
use crate::plan::{PortType, Reference, Run, TextPart};
use crate::types::Evidence;

/// A pipeline, ready to be drawn.
#[derive(Clone, Debug, PartialEq)]
pub struct Drawing {
    /// The pipeline's name.
    pub name: String,
    /// Its doc comment.
    pub docs: Option<String>,
    /// Its parameters: name, type, default.
    pub parameters: Vec<(String, String, Option<String>)>,
    /// The nodes of the pipeline itself.
    pub shapes: Vec<Shape>,
    /// What flows, between nodes at any depth.
    pub edges: Vec<Edge>,
}

/// One node.
#[derive(Clone, Debug, PartialEq)]
pub struct Shape {
    /// Its path in the plan.
    pub id: String,
    /// The step or operation.
    pub callee: String,
    /// Its colour.
    pub kind: Kind,
    /// The richest evidence that it gives.
    pub evidence: Evidence,
    /// What it gives, in a few words: `validated Dataset<Applicant>`.
    pub gives: String,
    /// One line each: its arguments, settings, conditions.
    pub details: Vec<String>,
    /// The arms of a branch, the body of a loop, the nodes of `finally`.
    pub regions: Vec<Region>,
}

/// Nodes inside a node.
#[derive(Clone, Debug, PartialEq)]
pub struct Region {
    /// `then`, `else`, `for x in xs`, `finally`
    pub label: String,
    /// The nodes.
    pub shapes: Vec<Shape>,
}

/// What flows from one node to another.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Edge {
    /// A node's path.
    pub from: String,
    /// A node's path.
    pub to: String,
    /// The port, unless it is the only one.
    pub label: Option<String>,
    /// Order only (`after`), nothing flows.
    pub control: bool,
}

/// The kinds that drawings tell apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    /// Brings in or shapes data.
    Data,
    /// Gives a model.
    Model,
    /// Shows something: validate, evaluate, gate, challenge.
    Evidence,
    /// Registers or deploys.
    Release,
    /// Any other step of the user.
    Step,
    /// Branch, loop, `finally`, another pipeline.
    Control,
}

impl Kind {
    /// All of them.
    pub const ALL: [Self; 6] = [
        Self::Data,
        Self::Model,
        Self::Evidence,
        Self::Release,
        Self::Step,
        Self::Control,
    ];

    /// Its name in classes and legends.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Data => "data",
            Self::Model => "model",
            Self::Evidence => "evidence",
            Self::Release => "release",
            Self::Step => "step",
            Self::Control => "control",
        }
    }
}

impl Drawing {
    /// The drawing of a pipeline of `plan`.
    #[must_use]
    pub fn new(plan: &Plan, pipeline: &Pipeline) -> Self {
        let mut edges = BTreeSet::new();
        let shapes = shapes(plan, &pipeline.graph, &mut edges);
        let parameter = |parameter: &crate::plan::Parameter| {
            let default = parameter.default.as_ref().map(ToString::to_string);
            (parameter.name.clone(), parameter.ty.to_string(), default)
        };
        Self {
            name: pipeline.name.clone(),
            docs: pipeline.docs.clone(),
            parameters: pipeline.parameters.iter().map(parameter).collect(),
            shapes,
            edges: edges.into_iter().collect(),
        }
    }

    /// Edges between the shapes of one level, as pairs of indices: an edge of a node inside a region counts for the shape
    /// that holds it. Sorted; an edge within one shape is left out.
    #[must_use]
    pub fn edges_at(&self, level: &[Shape]) -> Vec<(usize, usize)> {
        let mut holder = BTreeMap::new();
        for (index, shape) in level.iter().enumerate() {
            shape.visit(&mut |inner| {
                holder.insert(inner.id.as_str(), index);
            });
        }
        let pair = |edge: &Edge| Some((*holder.get(edge.from.as_str())?, *holder.get(edge.to.as_str())?));
        let pairs: BTreeSet<_> = self
            .edges
            .iter()
            .filter_map(pair)
            .filter(|(from, to)| from != to)
            .collect();
        pairs.into_iter().collect()
    }

    /// Calls `see` for every shape, outer ones first.
    pub fn visit<'a>(&'a self, see: &mut impl FnMut(&'a Shape)) {
        for shape in &self.shapes {
            shape.visit(see);
        }
    }
}

impl Shape {
    /// Calls `see` for this shape and all inside it.
    pub fn visit<'a>(&'a self, see: &mut impl FnMut(&'a Self)) {
        see(self);
        for shape in self.regions.iter().flat_map(|region| &region.shapes) {
            shape.visit(see);
        }
    }
}

fn shapes(plan: &Plan, graph: &Graph, edges: &mut BTreeSet<Edge>) -> Vec<Shape> {
    graph.nodes.iter().map(|node| shape(plan, node, edges)).collect()
}

fn shape(plan: &Plan, node: &Node, edges: &mut BTreeSet<Edge>) -> Shape {
    let mut reads = Reads { to: node, edges };
    for input in &node.inputs {
        reads.operand(&input.value);
    }
    for before in &node.after {
        reads.control(before);
    }
    let mut details: Vec<String> = node
        .inputs
        .iter()
        .map(|input| format!("{}: {}", input.name, words::operand(&input.value)))
        .collect();
    let regions = match &node.kind {
        NodeKind::Step(call) => {
            details.extend(plan.steps.get(&call.step).map(|step| run(&step.run)));
            Vec::new()
        }
        NodeKind::Operation(operation) => {
            details.extend(operation_details(operation));
            Vec::new()
        }
        NodeKind::Branch(branch) => branch_regions(plan, node, branch, edges),
        NodeKind::Loop(each) => loop_regions(plan, node, each, edges),
        NodeKind::Finally(graph) => vec![Region {
            label: "finally".to_owned(),
            shapes: shapes(plan, graph, edges),
        }],
        NodeKind::Pipeline(_) => Vec::new(),
    };
    Shape {
        id: node.id.clone(),
        callee: node.callee.clone(),
        kind: kind(node),
        evidence: node
            .outputs
            .iter()
            .map(|port| evidence(&port.ty))
            .max()
            .unwrap_or_default(),
        gives: gives(node),
        details,
        regions,
    }
}

fn branch_regions(plan: &Plan, node: &Node, branch: &Branch, edges: &mut BTreeSet<Edge>) -> Vec<Region> {
    let mut reads = Reads { to: node, edges };
    reads.expression(&branch.condition);
    for (then, otherwise) in &branch.values {
        reads.operand(then);
        reads.operand(otherwise);
    }
    let condition = words::expression(&branch.condition);
    let mut regions = vec![Region {
        label: format!("if {condition}"),
        shapes: shapes(plan, &branch.then, edges),
    }];
    if !branch.otherwise.nodes.is_empty() {
        regions.push(Region {
            label: "else".to_owned(),
            shapes: shapes(plan, &branch.otherwise, edges),
        });
    }
    regions
}

fn loop_regions(plan: &Plan, node: &Node, each: &Loop, edges: &mut BTreeSet<Edge>) -> Vec<Region> {
    Reads { to: node, edges }.operand(&each.items);
    let max = each.max.map(|max| format!(" max {max}")).unwrap_or_default();
    vec![Region {
        label: format!("for {} in {}{max}", each.item, words::operand(&each.items)),
        shapes: shapes(plan, &each.body, edges),
    }]
}

/// Collects the edges into one node. What a region of the node computes is no edge into it.
struct Reads<'a> {
    to: &'a Node,
    edges: &'a mut BTreeSet<Edge>,
}

/// Whether a region of `node` holds the node called `id`.
fn holds(node: &Node, id: &str) -> bool {
    let within = |graph: &Graph| graph.nodes.iter().any(|inner| inner.id == id || holds(inner, id));
    match &node.kind {
        NodeKind::Branch(branch) => within(&branch.then) || within(&branch.otherwise),
        NodeKind::Loop(each) => within(&each.body),
        NodeKind::Finally(body) => within(body),
        NodeKind::Step(_) | NodeKind::Operation(_) | NodeKind::Pipeline(_) => false,
    }
}

impl Reads<'_> {
    fn control(&mut self, from: &str) {
        self.add(from, None, true);
    }

    fn add(&mut self, from: &str, label: Option<String>, control: bool) {
        if !holds(self.to, from) {
            self.edges.insert(Edge {
                from: from.to_owned(),
                to: self.to.id.clone(),
                label,
                control,
            });
        }
    }

    fn reference(&mut self, reference: &Reference) {
        match reference {
            Reference::Output { node, port } => {
                self.add(node, (port != "output").then(|| port.clone()), false);
            }
            Reference::Parameter(_)
            | Reference::Item(_)
            | Reference::Outcome
            | Reference::RunId
            | Reference::ScheduledTime
            | Reference::Attempt => {}
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

    fn expression(&mut self, of: &Expression) {
        match of {
            Expression::Value(_) | Expression::Column(_) | Expression::Metric(_) => {}
            Expression::Reference(reference) => self.reference(reference),
            Expression::Unary { operand, .. } => self.expression(operand),
            Expression::Binary { left, right, .. } => {
                self.expression(left);
                self.expression(right);
            }
            Expression::Between { value, low, high, .. } => {
                self.expression(value);
                low.iter().chain(high).for_each(|end| self.expression(end));
            }
            Expression::Call { arguments, .. } => arguments.iter().for_each(|argument| self.expression(argument)),
            Expression::If {
                condition,
                then,
                otherwise,
            } => [condition, then, otherwise]
                .into_iter()
                .for_each(|part| self.expression(part)),
            Expression::Text(parts) => {
                for part in parts {
                    if let TextPart::Hole(hole) = part {
                        self.expression(hole);
                    }
                }
            }
            Expression::Field { base, .. } => self.expression(base),
        }
    }
}

fn kind(node: &Node) -> Kind {
    match &node.kind {
        NodeKind::Operation(operation) => match &**operation {
            Operation::Read { .. }
            | Operation::Features(_)
            | Operation::Project(_)
            | Operation::Split { .. }
            | Operation::Mask { .. }
            | Operation::Predict { .. } => Kind::Data,
            Operation::Validate { .. }
            | Operation::Evaluate { .. }
            | Operation::Gate { .. }
            | Operation::Challenge(_)
            | Operation::Approve { .. } => Kind::Evidence,
            Operation::Champion { .. } | Operation::Prior { .. } => Kind::Model,
            Operation::Register { .. } | Operation::Deploy { .. } => Kind::Release,
        },
        NodeKind::Step(_)
            if node
                .outputs
                .iter()
                .any(|port| matches!(port.ty, PortType::Model { .. })) =>
        {
            Kind::Model
        }
        NodeKind::Step(_)
            if node
                .outputs
                .iter()
                .any(|port| matches!(port.ty, PortType::Dataset { .. })) =>
        {
            Kind::Data
        }
        NodeKind::Step(_) => Kind::Step,
        NodeKind::Branch(_) | NodeKind::Loop(_) | NodeKind::Finally(_) | NodeKind::Pipeline(_) => Kind::Control,
    }
}

fn evidence(ty: &PortType) -> Evidence {
    match ty {
        PortType::Dataset { evidence, .. } | PortType::Model { evidence, .. } => *evidence,
        PortType::List(of) => evidence(of),
        PortType::Value(_)
        | PortType::Metrics { .. }
        | PortType::File
        | PortType::Directory
        | PortType::Html
        | PortType::Markdown
        | PortType::Opaque
        | PortType::Custom { .. }
        | PortType::Deployment { .. } => Evidence::None,
    }
}

/// The ports in a few words; ports of one type share it.
fn gives(node: &Node) -> String {
    let mut by_type: Vec<(String, Vec<&str>)> = Vec::new();
    for port in &node.outputs {
        let ty = words::port_type(&port.ty);
        match by_type.iter_mut().find(|(known, _)| *known == ty) {
            Some((_, names)) => names.push(&port.name),
            None => by_type.push((ty, vec![&port.name])),
        }
    }
    let part = |(ty, names): &(String, Vec<&str>)| match names.as_slice() {
        ["output"] => ty.clone(),
        names => format!("{}: {ty}", names.join(", ")),
    };
    by_type.iter().map(part).collect::<Vec<_>>().join("; ")
}

fn run(run: &Run) -> String {
    match run {
        Run::Python(function) => format!("python {}:{}", function.file, function.function),
        Run::Command(arguments) => {
            let word = |parts: &Vec<ArgumentPart>| parts.iter().map(argument_part).collect::<String>();
            format!("command {}", arguments.iter().map(word).collect::<Vec<_>>().join(" "))
        }
    }
}

fn argument_part(part: &ArgumentPart) -> String {
    match part {
        ArgumentPart::Text(text) => text.clone(),
        ArgumentPart::Hole(name) => format!("{{{name}}}"),
        ArgumentPart::Uri(name) => format!("{{{name}.uri}}"),
    }
}

fn operation_details(operation: &Operation) -> Vec<String> {
    let conditions = |conditions: &[crate::plan::Condition]| conditions.iter().map(|each| each.text.clone()).collect();
    match operation {
        Operation::Validate { checks, .. } => {
            let checks = checks.iter().flat_map(|checks| &checks.checks);
            checks.map(|check| check.text.clone()).collect()
        }
        Operation::Features(features) => features
            .derived
            .iter()
            .map(|derived| format!("{} = {}", derived.column.name, words::expression(&derived.value)))
            .collect(),
        Operation::Split { parts, .. } => {
            let part = |part: &crate::plan::SplitPart| format!("{}: {:.0}%", part.name, part.fraction * 100.0);
            parts.iter().filter(|part| part.fraction > 0.0).map(part).collect()
        }
        Operation::Gate { conditions: list } => conditions(list),
        Operation::Challenge(challenge) => conditions(&challenge.conditions),
        Operation::Mask { columns, .. } => vec![format!("columns: {}", columns.join(", "))],
        Operation::Approve { by, .. } => vec![format!("by: {by}")],
        Operation::Deploy { service } => vec![format!("service: {service}")],
        Operation::Read { .. }
        | Operation::Project(_)
        | Operation::Predict { .. }
        | Operation::Evaluate { .. }
        | Operation::Champion { .. }
        | Operation::Prior { .. }
        | Operation::Register { .. } => Vec::new(),
    }
}
