//! What every artifact of a pipeline holds, through branches, loops and called pipelines: rows, for data; rows seen in
//! training, for models; whose metrics these are. The life cycle's stages are judged by it.
//!
//! What cannot be known is taken for the worst: a user's step may return any of the rows it was given, two splits of one
//! dataset share rows, and what two arms of a branch give are two models. Nothing is reported here.

mod held;
pub(crate) mod rows;

use std::collections::BTreeMap;

use crate::check::declarations;
use crate::check::flow::{Subject, input};
use crate::check::pipelines::elaborate;
use crate::db::ItemKey;
use crate::diagnostics::Code;
use crate::plan::{Branch, Graph, Loop, Node, NodeKind, NodePath, Operand, Operation, PortType, Reference};
use crate::types::{Evidence, Value};

use held::{About, Carries, Held, Identity, Incumbent, Seen};
use rows::{Overlap, Partition, Rows, overlap};

/// A use of rows to judge a model that has seen some of them.
#[derive(Clone, Debug)]
pub(crate) struct Finding {
    /// The node that judges: `evaluate`, `challenge`, or a call of the pipeline in which that happens.
    pub(crate) node: NodePath,
    /// Its input with the model.
    pub(crate) model: String,
    /// Its input with the rows: `data`, `on`.
    pub(crate) data: String,
    /// Who has seen the rows.
    pub(crate) who: Who,
    /// The node that trained it; empty when that is inside another pipeline.
    pub(crate) trained: NodePath,
    /// How the rows meet.
    pub(crate) overlap: Overlap,
    /// Whether the model was not trained on them, but chosen by metrics on them.
    pub(crate) chosen: bool,
    /// The rows that are judged on.
    pub(crate) judged: Partition,
    /// Everything that the model has seen.
    pub(crate) seen: Vec<Partition>,
    /// Whether the judging happens inside a pipeline that is called.
    pub(crate) inside: bool,
}

/// Which model of a node has seen the rows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Who {
    /// The model that is measured.
    Evaluated,
    /// The candidate of a challenge.
    Candidate,
    /// Its champion, or the champion's fallback.
    Champion,
}

/// A stage that decides about one model by what is known of another.
#[derive(Clone, Debug)]
pub(crate) struct Mismatch {
    /// The `gate` or `challenge`, or a call of the pipeline in which it stands.
    pub(crate) node: NodePath,
    /// What is wrong.
    pub(crate) fault: Fault,
    /// Whether it stands inside a pipeline that is called.
    pub(crate) inside: bool,
}

/// How a stage misses its model.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fault {
    /// A gate's metrics are not about its model.
    OtherMetrics,
    /// A gate's metrics were measured by the step that trained its model.
    TrainerMetrics,
    /// A model is trained on a file that was made of data that nothing has validated.
    RawFile,
    /// A challenge's champion is its candidate.
    Itself,
    /// A champion's fallback is the candidate.
    ItselfAtFirst,
    /// A challenge's champion is not the model in service.
    NotIncumbent,
}

impl Fault {
    /// The code under which it is reported.
    pub(crate) fn code(self) -> Code {
        match self {
            Self::OtherMetrics => Code::MetricsOfAnotherModel,
            Self::TrainerMetrics => Code::EvaluatedOnTraining,
            Self::RawFile => Code::NotValidated,
            Self::Itself | Self::ItselfAtFirst => Code::ChampionIsCandidate,
            Self::NotIncumbent => Code::NotTheChampion,
        }
    }
}

/// What is wrong with the life cycle of a pipeline's models.
#[derive(Debug, Default)]
pub(crate) struct Judgement {
    /// Every use of rows that judges a model which has seen them.
    pub(crate) findings: Vec<Finding>,
    /// Every stage that misses its model.
    pub(crate) mismatches: Vec<Mismatch>,
}

/// Follows every artifact of a pipeline.
pub(crate) fn judge(subject: &Subject<'_>) -> Judgement {
    let mut walk = Walk {
        subject,
        pipelines: vec![subject.key.clone()],
        call: None,
        prefix: String::new(),
        outputs: BTreeMap::new(),
        parameters: BTreeMap::new(),
        sources: defaults(subject),
        items: BTreeMap::new(),
        judgement: Judgement::default(),
    };
    walk.graph(subject.graph, subject.pipelines);
    walk.judgement
}

/// What the parameters of the pipeline under analysis are when nobody gives them.
fn defaults(subject: &Subject<'_>) -> BTreeMap<String, String> {
    let signature = declarations::signature(subject.db, subject.key);
    let parameters = signature.iter().flat_map(|signature| &signature.parameters);
    parameters
        .filter_map(|parameter| {
            let default = parameter.default.as_ref()?;
            matches!(default, Value::String(_)).then(|| (parameter.name.clone(), constant(default)))
        })
        .collect()
}

/// How a constant is known; two spellings of one path are one.
fn constant(value: &Value) -> String {
    let Value::String(text) = value else {
        return format!("value {value:?}");
    };
    let (scheme, path) = text
        .split_once("://")
        .map_or(("", text.as_str()), |(scheme, path)| (scheme, path));
    let mut parts: Vec<&str> = Vec::new();
    for part in path.split('/') {
        match part {
            "." => {}
            "" if !parts.is_empty() => {}
            ".." if parts.last().is_some_and(|last| !last.is_empty() && *last != "..") => {
                parts.pop();
            }
            part => parts.push(part),
        }
    }
    format!("value {scheme}://{}", parts.join("/"))
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
    /// What the values of parameters are, as far as the caller or a default says.
    sources: BTreeMap<String, String>,
    items: BTreeMap<String, Held>,
    judgement: Judgement,
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
                    self.branch(node, branch);
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

    /// What either arm gives. A model that one of two arms gave is a model of its own, and metrics are about it where each
    /// arm gives the metrics of its own model.
    fn branch(&mut self, node: &Node, branch: &Branch) {
        let arms: Vec<(Held, Held)> = branch
            .values
            .iter()
            .map(|(then, otherwise)| (self.held(then), self.held(otherwise)))
            .collect();
        for (port, (then, otherwise)) in node.outputs.iter().zip(&arms) {
            let mut held = then.clone();
            held.join(otherwise.clone());
            if then.model != otherwise.model {
                held.model = Some(self.identity(node, &port.name));
            }
            if let (About::Model(first), About::Model(second)) = (&then.about, &otherwise.about)
                && first != second
            {
                let is_theirs =
                    |(a, b): &(Held, Held)| a.model.as_ref() == Some(first) && b.model.as_ref() == Some(second);
                let mut models = node.outputs.iter().zip(&arms);
                if let Some((model, _)) = models.find(|(_, arms)| is_theirs(arms)) {
                    held.about = About::Model(self.identity(node, &model.name));
                }
            }
            self.give(node, &port.name, held);
        }
    }

    fn identity(&self, node: &Node, port: &str) -> Identity {
        format!("{}.{port}", self.name(&node.id))
    }

    fn name(&self, node: &str) -> NodePath {
        format!("{}{node}", self.prefix)
    }

    fn give(&mut self, node: &Node, port: &str, mut held: Held) {
        let ty = node.outputs.iter().find(|own| own.name == port).map(|own| &own.ty);
        if let Some(PortType::Dataset { evidence, .. }) = ty {
            held.raw = *evidence == Evidence::None;
        }
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
                Held {
                    model: Some(origin.clone()),
                    about: About::Caller,
                    incumbent: Incumbent::Caller,
                    ..Held::whole(origin, name.clone())
                }
            }),
            Operand::Reference(Reference::Item(name)) => self.items.get(name).cloned().unwrap_or_default(),
            Operand::Reference(
                Reference::Outcome | Reference::RunId | Reference::ScheduledTime | Reference::Attempt,
            )
            | Operand::Value(_) => Held::default(),
            Operand::Expression(expression) => {
                let mut measured = Rows::new();
                expression.references(&mut |reference| {
                    measured.extend(self.held(&Operand::Reference(reference.clone())).measured);
                });
                Held {
                    measured,
                    ..Held::default()
                }
            }
            Operand::List(items) => {
                let mut items = items.iter().map(|item| self.held(item));
                let mut held = items.next().unwrap_or_default();
                items.for_each(|item| held.join(item));
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
            Operand::Value(value) => constant(value),
            Operand::Reference(_) | Operand::Expression(_) | Operand::List(_) => format!("{}{operand:?}", self.prefix),
        }
    }

    fn operation(&mut self, node: &Node, operation: &Operation) {
        match operation {
            Operation::Read { .. } => {
                let Some(source) = input(node, "source") else { return };
                // A path that a step gives for rows that it wrote; what a caller's own text holds is not known.
                let mut written = self.held(&source.value).rows;
                written.retain(|partition, _| !partition.origin.starts_with("parameter "));
                let held = if written.is_empty() {
                    let origin = format!("read {}", self.source(&source.value));
                    Held::whole(origin, self.name(&node.id))
                } else {
                    Held::of(written)
                };
                self.give(node, "output", held);
            }
            Operation::Validate { .. }
            | Operation::Features(_)
            | Operation::Project(_)
            | Operation::Mask { .. }
            | Operation::Predict { .. } => {
                let rows = self.given(node, "data").rows;
                self.give(node, "output", Held::of(rows));
            }
            Operation::Split { parts, .. } => {
                let whole = self.given(node, "data");
                for part in parts {
                    let held = whole.part(&self.name(&node.id), &part.name);
                    self.give(node, &part.name, held);
                }
            }
            Operation::Evaluate { .. } => {
                self.measure(node, "model", "data", Who::Evaluated);
                let held = Held {
                    measured: self.given(node, "data").rows,
                    about: self.given(node, "model").model.map_or(About::Nothing, About::Model),
                    ..Held::default()
                };
                self.give(node, "output", held);
            }
            Operation::Challenge(_) => {
                self.measure(node, "candidate", "on", Who::Candidate);
                self.measure(node, "champion", "on", Who::Champion);
                self.challenge(node);
                let held = self.given(node, "candidate");
                self.give(node, "output", held);
            }
            Operation::Gate { .. } => {
                self.gate(node);
                let held = self.given(node, "model");
                self.give(node, "output", held);
            }
            Operation::Approve { .. } | Operation::Register { .. } => {
                let held = self.given(node, "model");
                self.give(node, "output", held);
            }
            Operation::Champion { model } => {
                let fallback = self.given(node, "fallback");
                let held = Held {
                    fallback: fallback.model.clone(),
                    model: Some(format!("champion of {model}")),
                    incumbent: Incumbent::Yes,
                    ..fallback
                };
                self.give(node, "output", held);
            }
            Operation::Prior { model, .. } => {
                let rows = self.given(node, "data").rows;
                let held = Held {
                    model: Some(format!("prior of {model} on {:?}", rows.keys().collect::<Vec<_>>())),
                    seen: self.seen(node, rows, false),
                    ..Held::default()
                };
                self.give(node, "output", held);
            }
            Operation::Deploy { .. } => {}
        }
    }

    fn seen(&self, node: &Node, rows: Rows, chosen: bool) -> BTreeMap<Partition, Seen> {
        let by = self.call.clone().unwrap_or_else(|| self.name(&node.id));
        let seen = |read| Seen {
            read,
            by: by.clone(),
            chosen,
        };
        rows.into_iter()
            .map(|(partition, read)| (partition, seen(read)))
            .collect()
    }

    /// A user's step may return any row that it was given, and a model that has seen them all.
    fn step(&mut self, node: &Node, step: &str) {
        let mut given = Held::default();
        for input in &node.inputs {
            let mut held = self.held(&input.value);
            if matches!(input.ty, PortType::Value(_)) {
                held.rows.clear();
            }
            given.join(held);
        }
        let inputs: Vec<String> = node.inputs.iter().map(|input| self.source(&input.value)).collect();
        let made_of = format!("step {step}({})", inputs.join(", "));
        for port in &node.outputs {
            let mut held = match Carries::of(&port.ty) {
                Carries::Rows if given.rows.is_empty() => {
                    Held::whole(format!("{made_of} {}", port.name), self.name(&node.id))
                }
                Carries::Rows => Held {
                    raw: given.raw,
                    ..Held::of(given.rows.clone())
                },
                Carries::Model => self.trained(node, &port.name, &given),
                Carries::Metrics(model) => {
                    self.measured_by_step(node, &model);
                    Held {
                        measured: given.rows.clone(),
                        about: self.about(node, &model),
                        ..Held::default()
                    }
                }
                Carries::Value => Held::of(given.rows.clone()),
            };
            held.measured.extend(given.measured.clone());
            self.give(node, &port.name, held);
        }
    }

    /// A model that a step has trained, or chosen among those that it was given.
    fn trained(&mut self, node: &Node, port: &str, given: &Held) -> Held {
        let is_file = |ty: &PortType| !matches!(ty, PortType::Dataset { .. } | PortType::Value(_));
        if node
            .inputs
            .iter()
            .any(|input| is_file(&input.ty) && self.held(&input.value).raw)
        {
            self.miss(node, Fault::RawFile);
        }
        let mut held = Held {
            seen: given.seen.clone(),
            model: Some(self.identity(node, port)),
            ..Held::default()
        };
        held.see(self.seen(node, given.rows.clone(), false));
        held.see(self.seen(node, given.measured.clone(), true));
        for input in &node.inputs {
            // A text may be the path of the data.
            if matches!(
                input.value,
                Operand::Value(Value::String(_)) | Operand::Reference(Reference::Parameter(_))
            ) && matches!(input.ty, PortType::Value(_))
            {
                let origin = format!("read {}", self.source(&input.value));
                let path = Held::whole(origin, self.name(&node.id));
                held.see(self.seen(node, path.rows, false));
            }
        }
        held
    }

    /// A step that measures a model is held to what `evaluate` is held to.
    fn measured_by_step(&mut self, node: &Node, model: &str) {
        let is_model = |ty: &PortType| matches!(ty, PortType::Model { model: own, .. } if own == model);
        for measured in node.inputs.iter().filter(|input| is_model(&input.ty)) {
            let rows = node
                .inputs
                .iter()
                .filter(|input| matches!(Carries::of(&input.ty), Carries::Rows));
            for data in rows {
                self.measure(node, &measured.name, &data.name, Who::Evaluated);
            }
        }
    }

    /// Whose metrics a step gives: of the one model that it takes or, by its own word, of the one that it trains.
    fn about(&self, node: &Node, model: &str) -> About {
        let is_model = |ty: &PortType| matches!(ty, PortType::Model { model: own, .. } if own == model);
        let mut taken = node.inputs.iter().filter(|input| is_model(&input.ty));
        let mut trained = node.outputs.iter().filter(|port| is_model(&port.ty));
        match (taken.next(), taken.next(), trained.next(), trained.next()) {
            (Some(model), None, None, None) => self.held(&model.value).model.map_or(About::Nothing, About::Model),
            (None, None, Some(model), None) => About::Trainer(self.identity(node, &model.name)),
            (_, _, _, _) => About::Nothing,
        }
    }

    fn gate(&mut self, node: &Node) {
        if input(node, "model").is_none() || input(node, "metrics").is_none() {
            // What is given is of a wrong type, which has been reported.
            return;
        }
        let (model, about) = (self.given(node, "model").model, self.given(node, "metrics").about);
        let fault = match about {
            About::Caller => return,
            About::Model(own) if Some(&own) == model.as_ref() => return,
            About::Trainer(own) if Some(&own) == model.as_ref() => Fault::TrainerMetrics,
            About::Model(_) | About::Trainer(_) | About::Nothing => Fault::OtherMetrics,
        };
        self.miss(node, fault);
    }

    fn challenge(&mut self, node: &Node) {
        if input(node, "candidate").is_none() || input(node, "champion").is_none() {
            return;
        }
        let (candidate, champion) = (self.given(node, "candidate"), self.given(node, "champion"));
        let fault = if candidate.model.is_some() && candidate.model == champion.model {
            Fault::Itself
        } else if candidate.model.is_some() && candidate.model == champion.fallback {
            Fault::ItselfAtFirst
        } else if champion.incumbent == Incumbent::No {
            Fault::NotIncumbent
        } else {
            return;
        };
        self.miss(node, fault);
    }

    fn miss(&mut self, node: &Node, fault: Fault) {
        let node = self.name(&node.id);
        let inside = false;
        self.judgement.mismatches.push(Mismatch { node, fault, inside });
    }

    fn repeat(&mut self, node: &Node, repeat: &Loop, pipelines: &BTreeMap<String, ItemKey>) {
        let held = Held {
            model: Some(format!("item of {}", self.name(&node.id))),
            ..self.held(&repeat.items)
        };
        let outer = self.items.insert(repeat.item.clone(), held);
        self.graph(&repeat.body, pipelines);
        let inside: Vec<NodePath> = repeat.body.nodes.iter().map(|node| self.name(&node.id)).collect();
        for (port, operand) in node.outputs.iter().zip(&repeat.gather) {
            let held = self
                .held(operand)
                .across_rounds(&inside, &self.identity(node, &port.name));
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
            judgement: Judgement::default(),
        };
        inner.graph(&callee.graph, &callee.pipelines);
        let outputs: Vec<(String, Held)> = callee
            .outputs
            .iter()
            .map(|output| (output.name.clone(), inner.held(&output.value)))
            .collect();
        let judgement = std::mem::take(&mut inner.judgement);
        // What is wrong inside whatever it is given is reported there.
        let within = format!("read {}", inner.prefix);
        if !has_own(
            self.subject,
            key,
            &[Code::EvaluatedOnTraining, Code::ChallengedOnTraining],
        ) {
            let findings = judgement.findings.into_iter();
            let findings = findings.filter(|finding| !finding.judged.origin.starts_with(&within));
            self.judgement.findings.extend(findings.map(|finding| Finding {
                node: call.clone(),
                inside: true,
                ..finding
            }));
        }
        for Mismatch { fault, .. } in judgement.mismatches {
            if !has_own(self.subject, key, &[fault.code()]) {
                let (node, inside) = (call.clone(), true);
                self.judgement.mismatches.push(Mismatch { node, fault, inside });
            }
        }
        for (name, held) in outputs {
            self.give(node, &name, held);
        }
    }

    /// Judges a model on rows: notes when it has seen some of them.
    fn measure(&mut self, node: &Node, model: &str, data: &str, who: Who) {
        let seen = self.given(node, model).seen;
        let judged = self.given(node, data).rows;
        let mut found: Option<((bool, Overlap), NodePath, Partition)> = None;
        for (partition, own) in &seen {
            for (rows, read) in &judged {
                let Some(how) = overlap(partition, rows) else { continue };
                let how = if own.read == *read { how } else { Overlap::TwoReads };
                let rank = (own.chosen, how);
                if found.as_ref().is_none_or(|(best, ..)| rank < *best) {
                    found = Some((rank, own.by.clone(), rows.clone()));
                }
            }
        }
        if let Some(((chosen, overlap), trained, judged)) = found {
            self.judgement.findings.push(Finding {
                node: self.name(&node.id),
                model: model.to_owned(),
                data: data.to_owned(),
                who,
                trained,
                overlap,
                chosen,
                judged,
                seen: seen.into_keys().collect(),
                inside: false,
            });
        }
    }
}

/// Whether a pipeline has such a problem by itself, whoever calls it.
fn has_own(subject: &Subject<'_>, key: &ItemKey, codes: &[Code]) -> bool {
    let callee = elaborate(subject.db, key);
    callee.diagnostics.iter().any(|own| codes.contains(&own.code))
}
