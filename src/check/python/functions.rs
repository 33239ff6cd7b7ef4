//! Compares a step or model with the Python function that it names. Every message points at both.

use camino::{Utf8Path, Utf8PathBuf};

use super::annotations::{Annotation, contradicts, excludes_none, literal, proposal};
use super::source_file::{Function, Parameter, ParameterForm, Written, module};
use crate::check::declarations;
use crate::db::{Db, Item, ItemKey};
use crate::diagnostics::{Code, Diagnostic, Place, nearest};
use crate::names;
use crate::plan::{PythonFunction, Run};
use crate::project::Contents;
use crate::source::TextRange;
use crate::syntax::ast::{self, ExprKind, ItemKind, NodeId, Setting, StepItem};
use crate::types::display::enumerate;
use crate::types::{ArtifactKind, ParameterKind, Port, Signature, Type, Value, relation};

/// The problems between a `step` or `model` item and its Python function.
#[must_use]
pub fn diagnostics(db: &dyn Db, key: &ItemKey) -> Vec<Diagnostic> {
    problems(db, Item::new(db, key.clone())).clone()
}

#[salsa::tracked]
fn problems<'db>(db: &'db dyn Db, item: Item<'db>) -> Vec<Diagnostic> {
    let key = item.key(db);
    let Some(tree) = names::item(db, key) else {
        return Vec::new();
    };
    let Some((function, node)) = named_function(db, key, &tree) else {
        return Vec::new();
    };
    let mut check = Check {
        db,
        key,
        path: Utf8PathBuf::from(&function.file),
        node,
        found: Vec::new(),
    };
    if let Some(definition) = check.find(&function) {
        match &tree.kind {
            ItemKind::Step(step) => {
                if let Some(signature) = declarations::signature(db, key) {
                    check.step(step, &signature, &definition);
                }
            }
            ItemKind::Model(_) => check.predict(&definition),
            _ => {}
        }
    }
    check.found
}

/// The function that an item runs, and the node that names it.
fn named_function(db: &dyn Db, key: &ItemKey, tree: &ast::Item) -> Option<(PythonFunction, NodeId)> {
    match &tree.kind {
        ItemKind::Step(step) => {
            let definition = declarations::step(db, key)?;
            match &definition.step.as_ref()?.run {
                Run::Python(function) => Some((function.clone(), run_node(&step.settings)?)),
                Run::Command(_) => None,
            }
        }
        ItemKind::Model(model) => {
            let definition = declarations::model(db, key)?;
            let run = definition.model.run.clone();
            (!run.file.is_empty()).then_some((run, run_node(&model.settings)?))
        }
        _ => None,
    }
}

fn run_node(settings: &[Setting]) -> Option<NodeId> {
    let run = settings.iter().find(|setting| setting.name.text == "run")?;
    match &run.value.kind {
        ExprKind::Tagged { operand, .. } => Some(operand.id),
        _ => Some(run.value.id),
    }
}

struct Check<'a> {
    db: &'a dyn Db,
    key: &'a ItemKey,
    path: Utf8PathBuf,
    /// `"file.py:function"`
    node: NodeId,
    found: Vec<Diagnostic>,
}

impl Check<'_> {
    fn place(&self, node: NodeId) -> Place {
        Place::Node(self.key.clone(), node)
    }

    fn python(&self, range: TextRange) -> Place {
        Place::File(self.path.clone(), range)
    }

    fn problem(&self, code: Code, node: NodeId, message: String) -> Diagnostic {
        Diagnostic::new(code, self.place(node), message)
    }

    /// The definition of the function, or a report of why there is none that can be read.
    fn find(&mut self, function: &PythonFunction) -> Option<Function> {
        let file = self.db.file(Utf8Path::new(&function.file));
        let problem = match file.contents(self.db) {
            Contents::Text(_) => None,
            Contents::Missing => Some("does not exist".to_owned()),
            Contents::NotUtf8 { .. } => Some("is not UTF-8".to_owned()),
            Contents::Unreadable(reason) => Some(format!("cannot be read: {reason}")),
        };
        if let Some(problem) = problem {
            if self.is_first_use() {
                let message = format!("The Python file `{}` {problem}.", function.file);
                let diagnostic = self.problem(Code::PythonFile, self.node, message);
                self.found
                    .push(diagnostic.help("The path starts at the project's root, the folder with `mlp.toml`."));
            }
            return None;
        }
        let module = module(self.db, file).clone()?;
        if let Some(error) = module.error {
            if self.is_first_use() {
                let message = format!("The Python file `{}` has a syntax error.", function.file);
                let diagnostic = self.problem(Code::PythonSyntax, self.node, message);
                let diagnostic = diagnostic.also(self.python(error), "Python cannot read this");
                self.found
                    .push(diagnostic.note("Python reads the whole file before it calls a function of it."));
            }
            return None;
        }
        let definition = module.functions.iter().find(|own| own.name.text == function.function);
        if definition.is_none() && !module.open && !module.others.contains(&function.function) {
            self.missing(function, &module.functions);
        }
        // A decorator can change what a function takes; what it does is not known.
        definition.filter(|definition| !definition.decorated).cloned()
    }

    fn missing(&mut self, function: &PythonFunction, functions: &[Function]) {
        let message = format!(
            "The file `{}` defines no function `{}`.",
            function.file, function.function
        );
        let diagnostic = self.problem(Code::PythonFunctionMissing, self.node, message);
        let known: Vec<&str> = functions.iter().map(|own| own.name.text.as_str()).collect();
        let found = nearest(&function.function, known.iter().copied());
        let near = functions
            .iter()
            .find(|own| found.as_deref() == Some(own.name.text.as_str()));
        self.found.push(match near {
            Some(near) => diagnostic
                .also(self.python(near.name.range), "the nearest name")
                .help(format!("Did you mean `{}:{}`?", function.file, near.name.text)),
            None if known.is_empty() => diagnostic.help("Define it at the top level of the file."),
            None => diagnostic.help(format!("The file defines {}.", enumerate(&known))),
        });
    }

    /// Whether no earlier item of the module runs something of the same file: a broken file is reported once.
    fn is_first_use(&self) -> bool {
        let items = names::file_items(self.db, self.db.file(Utf8Path::new(&self.key.file)));
        let earlier = items
            .items
            .iter()
            .map(|(key, _)| key)
            .take_while(|key| *key != self.key);
        !earlier.into_iter().any(|key| {
            let tree = names::item(self.db, key);
            let function = tree.and_then(|tree| named_function(self.db, key, &tree));
            function.is_some_and(|(function, _)| function.file == self.path.as_str())
        })
    }

    // ── Steps ──

    fn step(&mut self, step: &StepItem, signature: &Signature, function: &Function) {
        self.takes_every_parameter(step, signature, function);
        self.needs_nothing_else(signature, function);
        for parameter in &signature.parameters {
            let param = step.params.iter().find(|param| param.name.text == parameter.name);
            let own = function.parameters.iter().find(|own| own.name == parameter.name);
            if let (Some(param), Some(own)) = (param, own) {
                self.annotation(param.ty.id, &parameter.name, &parameter.kind, own);
                if let (Some(default), Some(value)) = (&param.default, &parameter.default) {
                    self.default(default.id, &parameter.kind, value, own);
                }
            }
        }
        self.returned(step, signature, function);
    }

    fn takes_every_parameter(&mut self, step: &StepItem, signature: &Signature, function: &Function) {
        for name in unbound(signature, function) {
            let Some(param) = step.params.iter().find(|param| param.name.text == name) else {
                continue;
            };
            let message = format!("The function `{}` takes no parameter `{name}`.", function.name.text);
            let diagnostic = self.problem(Code::PythonParameters, param.name.id, message);
            let by_position = function.parameters.iter().any(|own| own.name == name);
            let help = match meant(name, signature, function) {
                _ if by_position => {
                    format!("`{name}` stands before `/`, so it cannot be passed by its name; leave `/` out.")
                }
                Some(own) => {
                    format!(
                        "Parameters are bound by name: call `{}` in the function `{name}`, or the reverse.",
                        own.name
                    )
                }
                None => {
                    format!("Parameters are bound by name: add `{name}` to the function, or take it out of the step.")
                }
            };
            let place = self.python(function.name.range);
            self.found.push(diagnostic.also(place, "the function").help(help));
        }
    }

    /// A parameter of the function without a default must be a parameter of the step, or the path of an output.
    fn needs_nothing_else(&mut self, signature: &Signature, function: &Function) {
        let missing = unbound(signature, function);
        let meant: Vec<&Parameter> = missing
            .into_iter()
            .filter_map(|name| meant(name, signature, function))
            .collect();
        for own in free(signature, function) {
            // What was named as the one that is meant by a missing one was reported there: one slip, one error.
            if own.default.is_some() || meant.contains(&own) {
                continue;
            }
            let message = format!(
                "The function `{}` needs a parameter `{}`, which the step `{}` does not have.",
                function.name.text, own.name, signature.name
            );
            let diagnostic = self.problem(Code::PythonParameters, self.node, message);
            let help = format!("Add `{}` to the step, or give it a default in the function.", own.name);
            let place = self.python(own.range);
            self.found
                .push(diagnostic.also(place, "nothing is passed here").help(help));
        }
    }

    fn annotation(&mut self, node: NodeId, name: &str, kind: &ParameterKind, own: &Parameter) {
        let Some(annotation) = &own.annotation else { return };
        let absent = own
            .default
            .as_ref()
            .is_some_and(|default| default.text.trim() == "None");
        let problem = if contradicts(&annotation.text, kind) {
            format!(
                "The step passes `{kind}` as `{name}`, but the function is annotated `{}`.",
                annotation.text
            )
        } else if matches!(kind, ParameterKind::Type(Type::Data(ty)) if excludes_none(&annotation.text, ty)) && !absent
        {
            format!(
                "`{name}` may be absent (`{kind}`), but the function is annotated `{}`.",
                annotation.text
            )
        } else {
            return;
        };
        let diagnostic = self.problem(Code::PythonAnnotation, node, problem);
        let place = self.python(annotation.range);
        self.found.push(
            diagnostic
                .also(place, "annotated here")
                .help(format!("Annotate it `{}`.", proposal(kind))),
        );
    }

    fn default(&mut self, node: NodeId, kind: &ParameterKind, value: &Value, own: &Parameter) {
        let (Some(default), ParameterKind::Type(Type::Data(ty))) = (&own.default, kind) else {
            return;
        };
        let Some(python) = literal(&default.text) else { return };
        if relation::admit(python, ty).as_ref() == Ok(value) {
            return;
        }
        let message = format!(
            "The default of `{}` is `{value}` in the step and `{}` in the function.",
            own.name, default.text
        );
        let diagnostic = self.problem(Code::PythonDefault, node, message);
        self.found.push(
            diagnostic
                .also(self.python(default.range), "the default of the function")
                .note("The step always passes its own, so the other misleads whoever reads the function.")
                .help("Leave the default out of the function, or make both equal."),
        );
    }

    fn returned(&mut self, step: &StepItem, signature: &Signature, function: &Function) {
        let written =
            |port: &&Port| !by_name(function).any(|own| own.name == port.name) || is_parameter(signature, &port.name);
        let outputs: Vec<&Port> = signature.outputs.iter().filter(written).collect();
        if outputs.is_empty() {
            return;
        }
        let node = output_node(step).unwrap_or(self.node);
        let Some(returns) = &function.returns else {
            if !function.gives_a_value {
                self.returns_nothing(node, &outputs, function, function.name.range);
            }
            return;
        };
        if returns.text.trim() == "None" {
            self.returns_nothing(node, &outputs, function, returns.range);
            return;
        }
        match outputs.as_slice() {
            [only] => {
                if contradicts(&returns.text, &only.kind) && !returned_tables(&returns.text, &only.kind) {
                    let message = format!(
                        "The step gives `{}`, but the function is annotated to return `{}`.",
                        only.kind, returns.text
                    );
                    let diagnostic = self.problem(Code::PythonReturn, node, message);
                    let place = self.python(returns.range);
                    self.found.push(diagnostic.also(place, "annotated here"));
                }
            }
            several => self.several(node, several, returns),
        }
    }

    fn returns_nothing(&mut self, node: NodeId, outputs: &[&Port], function: &Function, range: TextRange) {
        let names: Vec<&str> = outputs.iter().map(|port| port.name.as_str()).collect();
        let message = format!(
            "The step gives {}, but the function `{}` returns nothing.",
            enumerate(&names),
            function.name.text
        );
        let diagnostic = self
            .problem(Code::PythonReturn, node, message)
            .also(self.python(range), "returns nothing");
        self.found.push(diagnostic.help(format!(
            "Return the value, or take a parameter `{}: Path` and write the output there.",
            names.first().copied().unwrap_or("output")
        )));
    }

    fn several(&mut self, node: NodeId, outputs: &[&Port], returns: &Written) {
        let alternatives = Annotation::read(&returns.text);
        let [annotation] = alternatives.as_slice() else { return };
        let names: Vec<&str> = outputs.iter().map(|port| port.name.as_str()).collect();
        let tuple = matches!(annotation.name.as_str(), "tuple" | "Tuple");
        let elements = &annotation.arguments;
        let open = elements.is_empty() || elements.iter().any(|element| element == "...");
        let single = matches!(
            annotation.name.as_str(),
            "int" | "float" | "str" | "bool" | "bytes" | "DataFrame" | "Table" | "Path" | "LazyFrame"
        );
        let given = if tuple && !open && elements.len() != outputs.len() {
            format!("{} values", elements.len())
        } else if single {
            "one value".to_owned()
        } else {
            if tuple && !open {
                for (port, element) in outputs.iter().zip(elements) {
                    if contradicts(element, &port.kind) && !returned_tables(element, &port.kind) {
                        let message = format!(
                            "The step gives `{}` as `{}`, but the function is annotated to return `{element}` there.",
                            port.kind, port.name
                        );
                        let diagnostic = self.problem(Code::PythonReturn, node, message);
                        let place = self.python(returns.range);
                        self.found.push(diagnostic.also(place, "annotated here"));
                    }
                }
            }
            return;
        };
        let message = format!(
            "The step gives {}, but the function is annotated to return {given}.",
            enumerate(&names)
        );
        let diagnostic = self.problem(Code::PythonReturn, node, message);
        self.found.push(
            diagnostic
                .also(self.python(returns.range), "annotated here")
                .help(format!(
                    "Return a tuple in the order {}, or a dict with these keys.",
                    enumerate(&names)
                )),
        );
    }

    // ── Models ──

    /// `predict` is called with the model and the rows: by position, or by the names `model` and `data`.
    fn predict(&mut self, function: &Function) {
        let positional = function
            .parameters
            .iter()
            .filter(|own| matches!(own.form, ParameterForm::Plain | ParameterForm::PositionOnly));
        let positional: Vec<&Parameter> = positional.collect();
        let rest = function.parameters.iter().any(|own| own.form == ParameterForm::Rest);
        let named = |name: &str| by_name(function).any(|own| own.name == name);
        let bound: Vec<&str> = if named("model") && named("data") {
            vec!["model", "data"]
        } else if positional.len() >= 2 || rest {
            positional.iter().take(2).map(|own| own.name.as_str()).collect()
        } else {
            let message = format!(
                "The function `{}` must take the model and the rows to predict, but takes {}.",
                function.name.text,
                counted(positional.len())
            );
            let diagnostic = self.problem(Code::PythonParameters, self.node, message);
            let place = self.python(function.name.range);
            self.found.push(
                diagnostic
                    .also(place, "the function")
                    .help("Write `def predict(model, data):`."),
            );
            return;
        };
        for own in &function.parameters {
            let rest = matches!(own.form, ParameterForm::Rest | ParameterForm::NamedRest);
            if !rest && own.default.is_none() && !bound.contains(&own.name.as_str()) {
                let message = format!(
                    "The function `{}` needs a parameter `{}`, but is called with the model and the rows alone.",
                    function.name.text, own.name
                );
                let diagnostic = self.problem(Code::PythonParameters, self.node, message);
                let place = self.python(own.range);
                self.found.push(
                    diagnostic
                        .also(place, "nothing is passed here")
                        .help("Give it a default, or leave it out."),
                );
            }
        }
        if !function.gives_a_value {
            let message = format!("The function `{}` returns no predictions.", function.name.text);
            let diagnostic = self.problem(Code::PythonReturn, self.node, message);
            let place = self.python(function.name.range);
            self.found.push(
                diagnostic
                    .also(place, "returns nothing")
                    .help("Return one value for each row."),
            );
        }
    }
}

fn counted(count: usize) -> &'static str {
    match count {
        0 => "nothing",
        _ => "one value only",
    }
}

fn by_name(function: &Function) -> impl Iterator<Item = &Parameter> {
    let named = |own: &&Parameter| matches!(own.form, ParameterForm::Plain | ParameterForm::NameOnly);
    function.parameters.iter().filter(named)
}

/// The parameters of the step that the function does not take by name.
fn unbound<'a>(signature: &'a Signature, function: &Function) -> Vec<&'a str> {
    let takes_any = function
        .parameters
        .iter()
        .any(|own| own.form == ParameterForm::NamedRest);
    let taken = |name: &str| takes_any || by_name(function).any(|own| own.name == name);
    let names = signature.parameters.iter().map(|parameter| parameter.name.as_str());
    names.filter(|name| !taken(name)).collect()
}

/// The parameters of the function to which the step passes nothing.
fn free<'a>(signature: &Signature, function: &'a Function) -> Vec<&'a Parameter> {
    let known = |name: &str| is_parameter(signature, name) || signature.outputs.iter().any(|port| port.name == name);
    let rest = |own: &Parameter| matches!(own.form, ParameterForm::Rest | ParameterForm::NamedRest);
    let parameters = function.parameters.iter();
    parameters.filter(|own| !rest(own) && !known(&own.name)).collect()
}

/// The parameter of the function that is probably meant by one of the step: the nearest name, or the only one left over.
fn meant<'a>(name: &str, signature: &Signature, function: &'a Function) -> Option<&'a Parameter> {
    let free = free(signature, function);
    let near = nearest(name, free.iter().map(|own| own.name.as_str()));
    let near = near.and_then(|near| free.iter().find(|own| own.name == near.as_str()));
    match free.as_slice() {
        [only] if unbound(signature, function).len() == 1 => Some(only),
        _ => near.copied(),
    }
}

fn is_parameter(signature: &Signature, name: &str) -> bool {
    signature.parameters.iter().any(|parameter| parameter.name == name)
}

fn output_node(step: &StepItem) -> Option<NodeId> {
    match &step.output {
        ast::Output::None => None,
        ast::Output::One(ty) => Some(ty.id),
        ast::Output::Named(params) => params.first().map(|param| param.ty.id),
    }
}

/// What a function may return for an artifact beyond what it may take: a dataset as rows or columns, a file as its text
/// or bytes.
fn returned_tables(annotation: &str, kind: &ParameterKind) -> bool {
    let names: Vec<String> = Annotation::read(annotation).into_iter().map(|own| own.name).collect();
    let any = |accepted: &[&str]| names.iter().any(|name| accepted.contains(&name.as_str()));
    match kind {
        ParameterKind::GenericDataset { .. } => any(&["list", "List", "dict", "Dict", "Iterable"]),
        ParameterKind::Type(Type::Artifact(artifact)) => match &artifact.kind {
            ArtifactKind::Dataset(_) => any(&["list", "List", "dict", "Dict", "Iterable"]),
            ArtifactKind::File | ArtifactKind::Html | ArtifactKind::Markdown | ArtifactKind::Opaque => {
                any(&["bytes", "str"])
            }
            ArtifactKind::Model(_)
            | ArtifactKind::Metrics(_)
            | ArtifactKind::Directory
            | ArtifactKind::Custom(_)
            | ArtifactKind::Deployment(_) => any(&["dict", "Dict", "list", "List", "tuple", "Tuple"]),
        },
        _ => false,
    }
}
