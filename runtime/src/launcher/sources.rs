//! What a task takes: every input resolved from its sources (constants, parameters, items, the manifests of other tasks),
//! checked against its type, and its artifacts brought where the node can read them.

use std::cell::RefCell;
use std::collections::BTreeMap;

use mlp::plan::{PlacedTask, Placement, PortType, Reference, Source, SourceBinding};
use mlp::types::{DataKind, Value};
use serde_json::Value as Json;

use super::address::Layout;
use super::artifacts::{Artifacts, Origin};
use super::manifest::{Entry, Manifest};
use super::objects::Objects;
use crate::container::values;
use crate::events::Failure;
use crate::node::{broken_plan, inputs, operands};
use crate::store::Datum;

/// Why a source stands for nothing.
#[derive(Debug)]
enum Unresolved {
    /// Its value does not fit; the input that takes it is told with it.
    Unfit(String),
    /// It is not there.
    Failed(Failure),
}

impl From<String> for Unresolved {
    fn from(message: String) -> Self {
        Self::Unfit(message)
    }
}

impl From<Failure> for Unresolved {
    fn from(failure: Failure) -> Self {
        Self::Failed(failure)
    }
}

/// Resolves what a task takes.
pub(super) struct Sources<'a> {
    /// The node and its sources.
    pub(super) placed: &'a PlacedTask,
    /// The facts of this attempt.
    pub(super) placement: &'a Placement,
    /// Where everything lies.
    pub(super) layout: &'a Layout,
    /// Reads there.
    pub(super) objects: &'a dyn Objects,
    /// Remembers artifacts.
    pub(super) artifacts: &'a Artifacts<'a>,
    /// When the attempt began.
    pub(super) now: jiff::Timestamp,
    /// The manifests that were read, by address.
    manifests: RefCell<BTreeMap<String, Manifest>>,
    /// Why the last reference that was looked up stands for nothing, told in full.
    failed: RefCell<Option<Failure>>,
}

impl<'a> Sources<'a> {
    pub(super) fn new(
        placed: &'a PlacedTask,
        placement: &'a Placement,
        layout: &'a Layout,
        objects: &'a dyn Objects,
        artifacts: &'a Artifacts<'a>,
        now: jiff::Timestamp,
    ) -> Self {
        Self {
            placed,
            placement,
            layout,
            objects,
            artifacts,
            now,
            manifests: RefCell::default(),
            failed: RefCell::default(),
        }
    }

    /// Every input of the node, checked against its type.
    ///
    /// # Errors
    /// When one cannot be had, or does not fit.
    pub(super) fn inputs(&self) -> Result<BTreeMap<String, Datum>, Failure> {
        let node = &self.placed.task.node;
        let mut taken = BTreeMap::new();
        for input in &node.inputs {
            let datum = operands::resolve(&input.value, &|reference| self.lookup(reference))
                .and_then(|datum| inputs::check(&input.ty, datum));
            let datum = datum.map_err(|message| {
                let told = self.failed.borrow_mut().take();
                told.unwrap_or_else(|| inputs::failure(&node.callee, &input.name, &message))
            })?;
            taken.insert(input.name.clone(), datum);
        }
        Ok(taken)
    }

    /// What a reference stands for.
    pub(super) fn lookup(&self, reference: &Reference) -> Result<Datum, String> {
        let binding = self.placed.task.bindings.iter();
        let binding = binding.into_iter().find(|binding| binding.reference == *reference);
        let found = binding.and_then(|binding| Some((self.placed.sources.get(&binding.input)?, &binding.ty)));
        let datum = match (found, reference) {
            (Some((source, ty)), _) => self.resolve(source, ty, &self.placement.at),
            (None, Reference::RunId) => self.run_id(),
            (None, Reference::ScheduledTime) => self.scheduled(),
            (None, Reference::Attempt) => Ok(self.attempt()),
            (None, Reference::Parameter(_) | Reference::Output { .. } | Reference::Item(_) | Reference::Outcome) => {
                Err(broken_plan(&format!("nothing says where {reference:?} comes from")).into())
            }
        };
        datum.map_err(|unresolved| match unresolved {
            Unresolved::Unfit(message) => message,
            Unresolved::Failed(failure) => {
                let summary = failure.summary.clone();
                *self.failed.borrow_mut() = Some(failure);
                summary
            }
        })
    }

    fn resolve(&self, source: &Source, ty: &PortType, at: &[u32]) -> Result<Datum, Unresolved> {
        match source {
            Source::Value(value) => Ok(Datum::Value(value.clone())),
            Source::Parameter(name) => {
                let json = self.placement.parameters.get(name);
                exact(ty, json.ok_or_else(|| untold(&format!("the parameter `{name}`")))?)
            }
            Source::Item(repeat) => {
                let json = self.placement.items.get(repeat).filter(|_| at == self.placement.at);
                exact(ty, json.ok_or_else(|| untold(&format!("the item of `{repeat}`")))?)
            }
            Source::Port { task, port, depth } => {
                let entry = self.entry(task, port, around(at, *depth)?)?;
                self.datum(&entry, ty, task)
            }
            Source::Gathered { repeat, depth, of } => self.gathered(repeat, around(at, *depth)?, of, &item_type(ty)?),
            Source::Element { of, depth } => {
                let list = self.resolve(of, &PortType::List(Box::new(ty.clone())), around(at, *depth)?)?;
                let turn = at.get(index(*depth)).copied().map(index);
                element(list, turn.ok_or_else(|| untold("the own turn of a loop"))?)
            }
            Source::Chosen {
                branch,
                then,
                otherwise,
            } => {
                let taken = self.placement.taken.get(branch);
                match taken.ok_or_else(|| untold(&format!("which arm of `{branch}` ran")))? {
                    true => self.resolve(then, ty, at),
                    false => self.resolve(otherwise, ty, at),
                }
            }
            Source::List(items) => {
                let of = item_type(ty)?;
                let items = items.iter().map(|item| self.resolve(item, &of, at));
                Ok(operands::list(items.collect::<Result<_, _>>()?))
            }
            Source::Computed { expression, operands } => {
                let value = operands::evaluate(expression, &|reference| self.operand(operands, reference, at));
                Ok(Datum::Value(value?))
            }
            Source::Outcome(task) => {
                let outcome = self.placement.outcomes.get(task);
                let outcome = outcome.ok_or_else(|| untold(&format!("how the tasks before `{task}` ended")))?;
                let outcome = values::outcome(&Json::from(outcome.clone()))?;
                Ok(Datum::Value(Value::Enum(outcome.to_owned())))
            }
            Source::RunId => self.run_id(),
            Source::ScheduledTime => self.scheduled(),
            Source::Attempt => Ok(self.attempt()),
        }
    }

    /// One for each turn of a loop that lies below a position.
    fn gathered(&self, repeat: &str, above: &[u32], of: &Source, ty: &PortType) -> Result<Datum, Unresolved> {
        let frames = self.placement.frames.get(repeat);
        let frames = frames.ok_or_else(|| untold(&format!("the turns of `{repeat}`")))?;
        let below = frames.iter().filter(|frame| frame.starts_with(above));
        let items = below.map(|frame| self.resolve(of, ty, frame));
        Ok(operands::list(items.collect::<Result<_, _>>()?))
    }

    /// An operand of something computed.
    fn operand(&self, operands: &[SourceBinding], reference: &Reference, at: &[u32]) -> Result<Datum, String> {
        let Some(binding) = operands.iter().find(|operand| operand.reference == *reference) else {
            return self.lookup(reference);
        };
        let datum = self.resolve(&binding.source, &binding.ty, at);
        datum.map_err(|unresolved| match unresolved {
            Unresolved::Unfit(message) => message,
            Unresolved::Failed(failure) => {
                let summary = failure.summary.clone();
                *self.failed.borrow_mut() = Some(failure);
                summary
            }
        })
    }

    fn run_id(&self) -> Result<Datum, Unresolved> {
        Ok(Datum::Value(Value::String(self.placement.run.clone())))
    }

    fn attempt(&self) -> Datum {
        Datum::Value(Value::Int(self.placement.attempt.into()))
    }

    fn scheduled(&self) -> Result<Datum, Unresolved> {
        let time = match &self.placement.scheduled {
            None => self.now,
            Some(text) => text.parse().map_err(|error| {
                Unresolved::Failed(untold(&format!("the time of the run: `{text}` is none ({error})")))
            })?,
        };
        Ok(Datum::Value(Value::Datetime(time.to_string())))
    }

    /// An output of another task.
    fn entry(&self, task: &str, port: &str, at: &[u32]) -> Result<Entry, Failure> {
        let address = self.layout.manifest(task, at);
        if !self.manifests.borrow().contains_key(&address) {
            let manifest = self.manifest(task, &address)?;
            self.manifests.borrow_mut().insert(address.clone(), manifest);
        }
        let manifests = self.manifests.borrow();
        let entry = manifests.get(&address).and_then(|manifest| manifest.ports.get(port));
        entry.cloned().ok_or_else(|| {
            Failure::new(
                format!("`{task}` has given no `{port}`: `{address}` does not name it."),
                "The file of the pipeline was changed since that task ran; run both tasks again.",
            )
        })
    }

    fn manifest(&self, task: &str, address: &str) -> Result<Manifest, Failure> {
        let bytes = self
            .objects
            .read(address)
            .map_err(super::objects::ObjectsError::failure)?;
        let Some(bytes) = bytes else {
            return Err(Failure::new(
                format!("`{task}` has left no outputs: there is no `{address}`."),
                format!("It has not succeeded in this run, or what it wrote was removed; run `{task}` again first."),
            ));
        };
        Manifest::read(&bytes).map_err(|problem| {
            Failure::new(
                format!("The outputs of `{task}` cannot be read from `{address}`: {problem}."),
                format!("Run `{task}` again with this mlp, and let nothing else write below the root of the run."),
            )
        })
    }

    /// What an entry of a manifest stands for.
    fn datum(&self, entry: &Entry, ty: &PortType, task: &str) -> Result<Datum, Unresolved> {
        match (entry, ty) {
            (Entry::Value(json), _) => exact(ty, json),
            (Entry::Artifact(stored), _) => {
                let origin = Origin::Task(task.to_owned());
                Ok(Datum::Artifact(self.artifacts.remember(stored, ty, origin)))
            }
            (Entry::List(entries), _) => {
                let of = item_type(ty)?;
                let items = entries.iter().map(|entry| self.datum(entry, &of, task));
                Ok(operands::list(items.collect::<Result<_, _>>()?))
            }
        }
    }
}

/// A value of a type from JSON, integers of any size as they are.
fn exact(ty: &PortType, json: &Json) -> Result<Datum, Unresolved> {
    Ok(match (ty, json) {
        (PortType::Value(of), json) => Datum::Value(values::read(of, false, Some(json))?),
        (PortType::List(of), Json::Array(items)) => {
            let items = items.iter().map(|item| exact(of, item));
            operands::list(items.collect::<Result<_, _>>()?)
        }
        (_, json) => return Err(Unresolved::Unfit(format!("{json} is no artifact"))),
    })
}

fn item_type(ty: &PortType) -> Result<PortType, Failure> {
    match ty {
        PortType::List(of) => Ok(of.as_ref().clone()),
        PortType::Value(of) => {
            if let DataKind::List(of) = &of.kind {
                return Ok(PortType::Value(of.as_ref().clone()));
            }
            Err(broken_plan(&format!("a list is given as `{of}`")))
        }
        PortType::Dataset { .. }
        | PortType::Model { .. }
        | PortType::Metrics { .. }
        | PortType::File
        | PortType::Directory
        | PortType::Html
        | PortType::Markdown
        | PortType::Opaque
        | PortType::Custom { .. }
        | PortType::Deployment { .. } => Err(broken_plan("a list is given as one artifact")),
    }
}

fn element(list: Datum, turn: usize) -> Result<Datum, Unresolved> {
    let item = match list {
        Datum::List(items) => items.into_iter().nth(turn),
        Datum::Value(Value::List(items)) => items.into_iter().nth(turn).map(Datum::Value),
        Datum::Value(_) | Datum::Artifact(_) => None,
    };
    item.ok_or_else(|| untold(&format!("a list with an item of number {turn}, from 0")).into())
}

/// The first numbers of a position.
fn around(at: &[u32], depth: u32) -> Result<&[u32], Failure> {
    at.get(..index(depth))
        .ok_or_else(|| untold(&format!("a position in {depth} loops: it tells one in {}", at.len())))
}

fn index(number: u32) -> usize {
    usize::try_from(number).unwrap_or(usize::MAX)
}

/// The failure of a task whose platform does not tell what its node needs.
fn untold(what: &str) -> Failure {
    Failure::new(
        format!("The platform does not tell {what}."),
        "Build the pipeline again with the version of mlp that runs here, and place the file anew.",
    )
}

#[cfg(test)]
mod tests {
    use camino::Utf8PathBuf;
    use mlp::plan::{Binding, Expression, Input, Node, NodeTask, Operand, Plan};
    use serde_json::json;

    use super::*;
    use crate::launcher::Disk;

    /// A run whose tasks have left manifests with values only.
    struct Run {
        _folder: tempfile::TempDir,
        root: Utf8PathBuf,
        placement: Placement,
    }

    impl Run {
        fn new() -> Self {
            let folder = tempfile::tempdir().unwrap();
            let root = Utf8PathBuf::from_path_buf(folder.path().to_owned()).unwrap();
            let placement = Placement {
                root: root.to_string(),
                pipeline: "p".to_owned(),
                run: "r".to_owned(),
                task: "own".to_owned(),
                attempt: 3,
                ..Placement::default()
            };
            Self {
                _folder: folder,
                root,
                placement,
            }
        }

        fn left(&self, folder: &str, port: &str, value: Json) {
            let ports = BTreeMap::from([(port.to_owned(), Entry::Value(value))]);
            let manifest = Manifest::new("n", None, ports).bytes().unwrap();
            let path = self.root.join("p/r").join(folder);
            std::fs::create_dir_all(&path).unwrap();
            std::fs::write(path.join("outputs.json"), manifest).unwrap();
        }

        /// What one input, taken from a source, stands for.
        fn resolve(&self, ty: &PortType, source: Source) -> Result<Value, Failure> {
            let reference = Reference::Parameter("x".to_owned());
            let input = Input {
                name: "x".to_owned(),
                ty: ty.clone(),
                value: Operand::Reference(reference.clone()),
            };
            let node = Node::computing("own".to_owned(), vec![input], Vec::new());
            let placed = PlacedTask {
                task: NodeTask {
                    pipeline: "p".to_owned(),
                    node,
                    bindings: vec![Binding {
                        reference,
                        input: "x".to_owned(),
                        ty: ty.clone(),
                        boxed: false,
                    }],
                    sources: BTreeMap::new(),
                    plan: empty_plan(),
                    python: None,
                },
                sources: BTreeMap::from([("x".to_owned(), source)]),
                returns: Vec::new(),
                approved: false,
            };
            let layout = Layout::new(&self.placement).unwrap();
            let artifacts = Artifacts::new(&Disk, &self.root, String::new());
            let now = jiff::Timestamp::UNIX_EPOCH;
            let sources = Sources::new(&placed, &self.placement, &layout, &Disk, &artifacts, now);
            match sources.inputs()?.remove("x") {
                Some(Datum::Value(value)) => Ok(value),
                other => panic!("{other:?} is no value"),
            }
        }
    }

    fn empty_plan() -> Plan {
        let project = json!({ "name": "p", "version": "1" });
        let plan = json!({
            "version": 1, "project": project, "pipelines": {}, "steps": {}, "models": {}, "services": {}, "schemas": {},
        });
        serde_json::from_value(plan).unwrap()
    }

    fn value(kind: &str) -> PortType {
        serde_json::from_value(json!({ "value": { "kind": kind } })).unwrap()
    }

    fn list(kind: &str) -> PortType {
        PortType::List(Box::new(value(kind)))
    }

    fn port(task: &str, depth: u32) -> Source {
        Source::Port {
            task: task.to_owned(),
            port: "out".to_owned(),
            depth,
        }
    }

    #[test]
    fn facts_of_the_platform_have_the_types_of_the_language() {
        let mut run = Run::new();
        let large = 9_007_199_254_740_993_i64;
        run.placement.parameters = BTreeMap::from([
            ("n".to_owned(), json!(large)),
            ("whole".to_owned(), json!(5.0)),
            ("wait".to_owned(), json!("90min")),
        ]);
        run.placement.items.insert("loop".to_owned(), json!("a"));
        run.placement.scheduled = Some("2026-01-01T02:00:00+02:00".to_owned());
        run.placement.outcomes.insert("look".to_owned(), "failed".to_owned());
        let parameter = |name: &str| Source::Parameter(name.to_owned());
        assert_eq!(run.resolve(&value("int"), parameter("n")), Ok(Value::Int(large)));
        assert_eq!(run.resolve(&value("int"), parameter("whole")), Ok(Value::Int(5)));
        assert_eq!(
            run.resolve(&value("duration"), parameter("wait")),
            Ok(Value::Duration(5_400_000))
        );
        let item = Source::Item("loop".to_owned());
        assert_eq!(run.resolve(&value("string"), item), Ok(Value::String("a".to_owned())));
        assert_eq!(
            run.resolve(&value("string"), Source::RunId),
            Ok(Value::String("r".to_owned()))
        );
        assert_eq!(run.resolve(&value("int"), Source::Attempt), Ok(Value::Int(3)));
        let time = Value::Datetime("2026-01-01T00:00:00Z".to_owned());
        assert_eq!(run.resolve(&value("datetime"), Source::ScheduledTime), Ok(time));
        let unfit = run.resolve(&value("string"), parameter("n")).unwrap_err();
        assert!(unfit.summary.contains("`compute` cannot take `x`"), "{unfit:?}");
        let untold = run.resolve(&value("int"), parameter("gone")).unwrap_err();
        assert_eq!(untold.summary, "The platform does not tell the parameter `gone`.");
        run.placement.scheduled = Some("soon".to_owned());
        assert!(run.resolve(&value("datetime"), Source::ScheduledTime).is_err());
    }

    #[test]
    fn outputs_are_read_at_the_position_of_their_task() {
        let mut run = Run::new();
        run.left("outside", "out", json!(1));
        run.left("inside/4/2", "out", json!(2));
        run.placement.at = vec![4, 2];
        assert_eq!(run.resolve(&value("int"), port("outside", 0)), Ok(Value::Int(1)));
        assert_eq!(run.resolve(&value("int"), port("inside", 2)), Ok(Value::Int(2)));
        let missing = run.resolve(&value("int"), port("inside", 1)).unwrap_err();
        assert!(
            missing.summary.starts_with("`inside` has left no outputs"),
            "{missing:?}"
        );
        assert!(missing.summary.contains("/p/r/inside/4/outputs.json"), "{missing:?}");
        assert!(run.resolve(&value("int"), port("inside", 3)).is_err());
        std::fs::write(run.root.join("p/r/outside/outputs.json"), "{").unwrap();
        let damaged = run.resolve(&value("int"), port("outside", 0)).unwrap_err();
        assert!(damaged.summary.contains("cannot be read"), "{damaged:?}");
        run.left("outside", "other", json!(1));
        let renamed = run.resolve(&value("int"), port("outside", 0)).unwrap_err();
        assert!(renamed.summary.contains("has given no `out`"), "{renamed:?}");
    }

    #[test]
    fn loops_gather_what_lies_below_the_own_position_in_order() {
        let mut run = Run::new();
        for (folder, number) in [("in/0/0", 1), ("in/0/1", 2), ("in/1/0", 3)] {
            run.left(folder, "out", json!(number));
        }
        run.placement.frames = BTreeMap::from([
            ("outer".to_owned(), vec![vec![0], vec![1]]),
            ("inner".to_owned(), vec![vec![0, 0], vec![0, 1], vec![1, 0]]),
        ]);
        let inner = |depth| Source::Gathered {
            repeat: "inner".to_owned(),
            depth,
            of: Box::new(port("in", 2)),
        };
        let ints = |numbers: &[i64]| Value::List(numbers.iter().map(|&number| Value::Int(number)).collect());
        assert_eq!(run.resolve(&list("int"), inner(0)), Ok(ints(&[1, 2, 3])));
        let nested = Source::Gathered {
            repeat: "outer".to_owned(),
            depth: 0,
            of: Box::new(inner(1)),
        };
        let lists = PortType::List(Box::new(list("int")));
        let expected = Value::List(vec![ints(&[1, 2]), ints(&[3])]);
        assert_eq!(run.resolve(&lists, nested), Ok(expected));
        run.placement.at = vec![0, 1];
        assert_eq!(run.resolve(&list("int"), inner(1)), Ok(ints(&[1, 2])));
        let element = Source::Element {
            of: Box::new(inner(1)),
            depth: 1,
        };
        assert_eq!(run.resolve(&value("int"), element), Ok(Value::Int(2)));
        run.placement.frames.clear();
        assert!(run.resolve(&list("int"), inner(1)).is_err());
    }

    #[test]
    fn arms_lists_and_what_is_computed_are_resolved_within() {
        let mut run = Run::new();
        run.left("then", "out", json!(7));
        run.placement.taken.insert("if".to_owned(), true);
        let chosen = || Source::Chosen {
            branch: "if".to_owned(),
            then: Box::new(port("then", 0)),
            otherwise: Box::new(port("never", 0)),
        };
        assert_eq!(run.resolve(&value("int"), chosen()), Ok(Value::Int(7)));
        let both = Source::List(vec![chosen(), Source::Value(Value::Int(1))]);
        let expected = Value::List(vec![Value::Int(7), Value::Int(1)]);
        assert_eq!(run.resolve(&list("int"), both), Ok(expected));
        let reference = Reference::Output {
            node: "then".to_owned(),
            port: "out".to_owned(),
        };
        let computed = |source: Source| Source::Computed {
            expression: Box::new(Expression::Reference(reference.clone())),
            operands: vec![SourceBinding {
                reference: reference.clone(),
                source,
                ty: value("int"),
            }],
        };
        assert_eq!(run.resolve(&value("int"), computed(chosen())), Ok(Value::Int(7)));
        // The failure of an operand is told in full.
        let missing = run.resolve(&value("int"), computed(port("gone", 0))).unwrap_err();
        assert!(missing.summary.starts_with("`gone` has left no outputs"), "{missing:?}");
        assert!(missing.help.is_some_and(|help| help.contains("run `gone` again")));
        run.placement.taken.insert("if".to_owned(), false);
        assert!(run.resolve(&value("int"), chosen()).is_err());
        run.placement.taken.clear();
        let untold = run.resolve(&value("int"), chosen()).unwrap_err();
        assert_eq!(untold.summary, "The platform does not tell which arm of `if` ran.");
    }
}
