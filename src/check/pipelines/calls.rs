//! Calls: from a callee's name and arguments as written to a node of the graph.

use std::collections::BTreeMap;
use std::sync::Arc;

use camino::Utf8Path;

use crate::check::declarations::{self, FeaturesDefinition, StepDefinition};
use crate::db::ItemKey;
use crate::diagnostics::{Applicability, Code, Edit, nearest};
use crate::names;
use crate::plan::{self, NodeKind};
use crate::syntax::ast::{Call, Expr, ExprKind, Ident, ItemKind, NodeId};
use crate::types::{Parameter, Schema, Signature, Type};

use super::arguments::Given;
use super::elaborator::Elaborator;
use super::generics::Generics;
use super::scope::Computed;
use super::{describe, features, operations, run_functions};

/// Names of the language that this version does not have yet.
const NOT_YET: &[&str] = &["shadow", "ab_test", "query", "import"];

/// What can be called.
pub(super) enum Callable {
    /// A user's step or a built-in operation.
    Step(ItemKey, Arc<StepDefinition>),
    /// A feature definition.
    Features(ItemKey, Arc<FeaturesDefinition>, Arc<Signature>),
    /// A pipeline.
    Pipeline(ItemKey, Arc<Signature>),
}

impl Callable {
    fn key(&self) -> &ItemKey {
        match self {
            Self::Step(key, _) | Self::Features(key, ..) | Self::Pipeline(key, _) => key,
        }
    }

    fn signature(&self) -> &Signature {
        match self {
            Self::Step(_, definition) => &definition.signature,
            Self::Features(_, _, signature) | Self::Pipeline(_, signature) => signature,
        }
    }
}

/// A call whose arguments have been matched and checked.
pub(super) struct Site<'c> {
    /// The node's id.
    pub(super) id: String,
    /// The callee's item.
    pub(super) key: ItemKey,
    /// As written.
    pub(super) call: &'c Call,
    /// The whole call.
    pub(super) place: NodeId,
    /// What the generic parameters stand for.
    pub(super) generics: Generics,
    /// What each parameter is given, in order.
    pub(super) given: Vec<(Parameter, Given)>,
    /// The arguments as written, by parameter.
    pub(super) written: BTreeMap<String, &'c Expr>,
}

impl Site<'_> {
    /// What a parameter is given.
    pub(super) fn given(&self, parameter: &str) -> Option<&Given> {
        let found = self.given.iter().find(|(own, _)| own.name == parameter);
        found.map(|(_, given)| given)
    }

    /// The schema of the dataset that a parameter is given.
    pub(super) fn schema(&self, parameter: &str) -> Option<Arc<Schema>> {
        match self.given(parameter)? {
            Given::Computed(computed) => super::arguments::schema_of(&computed.ty()),
            Given::Absent | Given::Checks(_) | Given::Columns(_) | Given::Model(_) | Given::Service(..) => None,
        }
    }

    /// Where an argument stands; the whole call for a default.
    pub(super) fn place_of(&self, parameter: &str) -> NodeId {
        self.written.get(parameter).map_or(self.place, |argument| argument.id)
    }
}

impl Elaborator<'_> {
    /// A call, as an expression.
    pub(super) fn call(&mut self, place: NodeId, call: &Call, expected: Option<&Type>) -> Computed {
        if let Some(computed) = self.constant_call(place, call) {
            return computed;
        }
        if let Some(receiver) = &call.receiver {
            self.visit_arguments(call);
            let message = format!(
                "`{}` has metrics only in the conditions of a `challenge`.",
                receiver.text
            );
            let problem = self.problem(Code::NotCallable, place, message);
            self.report(
                problem.help("Compare the two models there: `challenge(…) { candidate.auc >= champion.auc }`."),
            );
            return Computed::Unknown;
        }
        if let Some(known) = self.scalar_function(call) {
            return self.function_call(place, call, known);
        }
        let Some(callable) = self.callable(&call.callee) else {
            self.visit_arguments(call);
            return Computed::Unknown;
        };
        if let Some(computed) = run_functions::run_function(&callable) {
            self.match_arguments(call, callable.signature());
            return computed;
        }
        let id = self.ids.claim(&call.callee.text);
        self.facts.callees.insert(id.clone(), callable.key().clone());
        let site = self.site(id, place, call, &callable, expected);
        let after = self.after(call);
        let computed = self.emit(&callable, &site);
        if let Some(node) = self.graphs.last_mut().and_then(|graph| graph.nodes.last_mut())
            && node.id == site.id
        {
            node.after = after;
        }
        computed
    }

    fn callable(&mut self, callee: &Ident) -> Option<Callable> {
        // A value is never called, so a call of a name that is both means the declaration.
        let declared = names::resolve(self.db, self.key, &callee.text);
        if let Some(binding) = self.scopes.peek(&callee.text).cloned()
            && declared.is_none()
        {
            self.scopes.look_up(&callee.text);
            let name = &callee.text;
            let message = format!("`{name}` is a value of this pipeline, so it cannot be called.");
            let problem = self.problem(Code::NotCallable, callee.id, message);
            let problem = problem.also(self.place(binding.place), format!("`{name}` is bound here"));
            self.report(problem.help("Call a step, a feature definition or a pipeline."));
            return None;
        }
        let Some(key) = declared else {
            self.unknown_callee(callee);
            return None;
        };
        let item = names::item(self.db, &key)?;
        match &item.kind {
            ItemKind::Step(_) => declarations::step(self.db, &key).map(|definition| Callable::Step(key, definition)),
            ItemKind::Features(_) => {
                let definition = declarations::features(self.db, &key)?;
                let signature = declarations::signature(self.db, &key)?;
                Some(Callable::Features(key, definition, signature))
            }
            ItemKind::Pipeline(_) => {
                declarations::signature(self.db, &key).map(|signature| Callable::Pipeline(key, signature))
            }
            ItemKind::Broken(_) => None,
            ItemKind::Use(_)
            | ItemKind::Schema(_)
            | ItemKind::Record(_)
            | ItemKind::Enum(_)
            | ItemKind::Checks(_)
            | ItemKind::Model(_)
            | ItemKind::Artifact(_)
            | ItemKind::Service(_)
            | ItemKind::Monitor(_)
            | ItemKind::Trigger(_)
            | ItemKind::Target(_)
            | ItemKind::Policy(_)
            | ItemKind::Test(_) => {
                self.not_callable(callee, &key, &item);
                None
            }
        }
    }

    fn not_callable(&mut self, callee: &Ident, key: &ItemKey, item: &crate::syntax::ast::Item) {
        let name = &callee.text;
        let keyword = key.key.split(' ').next().unwrap_or_default();
        let message = format!("`{name}` is declared as `{keyword}`, so it cannot be called.");
        let mut problem = self.problem(Code::NotCallable, callee.id, message);
        if let Some(declared) = names::declared_name(&item.kind) {
            let place = crate::diagnostics::Place::Node(key.clone(), declared.id);
            problem = problem.also(place, format!("`{name}` is declared here"));
        }
        let help = match &item.kind {
            ItemKind::Model(_) => {
                format!("Call the step that trains it: a step whose output is `{name}`.")
            }
            ItemKind::Checks(_) => format!("Pass it to `validate`: `validate(data, {name})`."),
            ItemKind::Schema(_) => format!("Read data of this schema with `read<{name}>(…)`."),
            ItemKind::Service(_) => format!("Deploy to it: `deploy(model, to: {name})`."),
            ItemKind::Use(_)
            | ItemKind::Record(_)
            | ItemKind::Enum(_)
            | ItemKind::Features(_)
            | ItemKind::Artifact(_)
            | ItemKind::Step(_)
            | ItemKind::Pipeline(_)
            | ItemKind::Monitor(_)
            | ItemKind::Trigger(_)
            | ItemKind::Target(_)
            | ItemKind::Policy(_)
            | ItemKind::Test(_)
            | ItemKind::Broken(_) => "Call a step, a feature definition or a pipeline.".to_owned(),
        };
        self.report(problem.help(help));
    }

    fn unknown_callee(&mut self, callee: &Ident) {
        let name = &callee.text;
        let scope = names::scope(self.db, self.db.file(Utf8Path::new(&self.key.file)));
        if scope.broken.contains(name) {
            return;
        }
        if NOT_YET.contains(&name.as_str()) {
            let message = format!("`{name}` is part of the language, but this version of mlp does not have it yet.");
            let problem = self.problem(Code::NotSupportedYet, callee.id, message);
            self.report(problem.help("Leave the call out until a version that supports it."));
            return;
        }
        let message = format!("Nothing called `{name}` can be called here.");
        let mut problem = self.problem(Code::UnknownName, callee.id, message);
        if let Some(module) = self.library_module(name) {
            problem = problem.help(format!(
                "`{name}` is in the standard library: add `use {module}::{name}` at the top."
            ));
        } else if let Some(near) = nearest(name, scope.names.keys().map(|known| known.as_str())) {
            let edit = Edit::replace(self.place(callee.id), near.as_str());
            problem = problem.help(format!("A name that is near is `{near}`.")).fix(
                format!("Replace `{name}` with `{near}`"),
                Applicability::Unsafe,
                vec![edit],
            );
        } else {
            problem = problem.help("Declare it in this file, or bring it in with `use`.");
        }
        self.report(problem);
    }

    /// The module of the standard library that declares `name`.
    fn library_module(&self, name: &str) -> Option<String> {
        let declares = |path: &&str| {
            let file = self.db.file(Utf8Path::new(path));
            names::declarations(self.db, file).contains_key(name)
        };
        let mut paths = crate::stdlib::MODULES.iter().map(|(path, _)| *path);
        let path = paths.find(declares)?;
        Some(path.trim_end_matches(".mlp").replace('/', "::"))
    }

    /// Reads the arguments of a call that is not understood, so that what they use counts as used.
    pub(super) fn visit_arguments(&mut self, call: &Call) {
        for argument in &call.arguments {
            self.visit(&argument.value);
        }
        for condition in call.conditions.iter().flatten() {
            self.visit(&condition.expr);
        }
        for name in &call.after {
            self.scopes.look_up(&name.text);
        }
    }

    fn site<'c>(
        &mut self,
        id: String,
        place: NodeId,
        call: &'c Call,
        callable: &Callable,
        expected: Option<&Type>,
    ) -> Site<'c> {
        let signature = callable.signature();
        let written = self.match_arguments(call, signature);
        let mut site = Site {
            id,
            key: callable.key().clone(),
            call,
            place,
            generics: self.explicit_generics(call, signature),
            given: Vec::new(),
            written,
        };
        for parameter in &signature.parameters {
            let given = self.argument(&mut site, parameter);
            site.given.push((parameter.clone(), given));
        }
        self.infer_generics(&mut site, signature, expected);
        site
    }

    /// Pairs the arguments with the parameters.
    pub(super) fn match_arguments<'c>(&mut self, call: &'c Call, signature: &Signature) -> BTreeMap<String, &'c Expr> {
        let mut written: BTreeMap<String, &'c Expr> = BTreeMap::new();
        let callee = &call.callee.text;
        for (index, argument) in call.arguments.iter().enumerate() {
            let name = argument.name.as_ref().map(|name| name.text.as_str());
            let parameter = match name {
                Some(name) => signature.parameters.iter().find(|parameter| parameter.name == name),
                None => signature.parameters.get(index),
            };
            let Some(parameter) = parameter else {
                self.unknown_argument(call, argument, signature);
                // A misspelt name is no missing argument as well.
                match name.and_then(|name| misspelt(name, call, signature)) {
                    Some(meant) => drop(written.insert(meant, &argument.value)),
                    None => self.visit(&argument.value),
                }
                continue;
            };
            if let Some(first) = written.get(&parameter.name) {
                let message = format!("`{callee}` is given its parameter `{}` twice.", parameter.name);
                let problem = self.problem(Code::DuplicateArgument, argument.id, message);
                let problem = problem.also(self.place(first.id), "given here first");
                self.report(problem.help("Keep one of the two."));
                self.visit(&argument.value);
                continue;
            }
            written.insert(parameter.name.clone(), &argument.value);
        }
        written
    }

    fn unknown_argument(&mut self, call: &Call, argument: &crate::syntax::ast::Argument, signature: &Signature) {
        let callee = &call.callee.text;
        let names: Vec<&str> = signature
            .parameters
            .iter()
            .map(|parameter| parameter.name.as_str())
            .collect();
        let Some(name) = &argument.name else {
            let count = names.len();
            let takes = if count == 1 {
                "one argument".to_owned()
            } else {
                format!("{count} arguments")
            };
            let message = format!("`{callee}` takes {takes}, and this is one more.");
            let problem = self.problem(Code::UnknownArgument, argument.id, message);
            self.report(problem.help(format!("It takes: {}.", parameter_list(&names))));
            return;
        };
        let message = format!("`{callee}` has no parameter called `{}`.", name.text);
        let mut problem = self.problem(Code::UnknownArgument, name.id, message);
        if let Some(near) = nearest(&name.text, names.iter().copied()) {
            let edit = Edit::replace(self.place(name.id), near.as_str());
            problem = problem.help(format!("The nearest parameter is `{near}`.")).fix(
                format!("Replace `{}` with `{near}`", name.text),
                Applicability::Safe,
                vec![edit],
            );
        } else {
            problem = problem.help(format!("It takes: {}.", parameter_list(&names)));
        }
        self.report(problem);
    }

    fn after(&mut self, call: &Call) -> Vec<plan::NodePath> {
        let mut nodes = Vec::new();
        for name in &call.after {
            let Some(computed) = self.name(name) else { continue };
            match producer(&computed) {
                Some(node) if !nodes.contains(&node) => nodes.push(node),
                Some(_) => {}
                None if computed == Computed::Unknown => {}
                None => {
                    let message = format!("`{}` is a value, not a step that could be waited for.", name.text);
                    let problem = self.problem(Code::ArgumentType, name.id, message);
                    self.report(problem.help("Write the name of a `let` that binds the result of a call."));
                }
            }
        }
        nodes
    }

    fn emit(&mut self, callable: &Callable, site: &Site<'_>) -> Computed {
        if let Some(conditions) = &site.call.conditions
            && !operations::takes_conditions(callable, site)
        {
            let place = conditions.first().map_or(site.place, |condition| condition.id);
            let message = format!("`{}` takes no block of conditions.", site.call.callee.text);
            let problem = self.problem(Code::ConditionForm, place, message);
            self.report(problem.help("Only `gate` and `challenge` take conditions: remove the block."));
        }
        match callable {
            Callable::Step(_, definition) if definition.signature.builtin => {
                self.operation(site, &definition.signature)
            }
            Callable::Step(_, definition) => self.user_step(site, definition),
            Callable::Features(_, definition, _) => features::node(self, site, definition),
            Callable::Pipeline(key, signature) => self.pipeline_call(site, key, signature),
        }
    }

    fn user_step(&mut self, site: &Site<'_>, definition: &StepDefinition) -> Computed {
        let signature = &definition.signature;
        let ports = self.instantiate(site, signature);
        let name = site.generics.instance_name(&signature.name);
        let inputs = self.inputs(site);
        let outputs = self.ports(&site.key, &ports);
        if let Some(step) = &definition.step {
            let mut step = step.clone();
            step.name.clone_from(&name);
            step.inputs = inputs
                .iter()
                .map(|input| plan::Port {
                    name: input.name.clone(),
                    ty: input.ty.clone(),
                })
                .collect();
            step.outputs.clone_from(&outputs);
            self.result.steps.insert(name.clone(), step);
        }
        let kind = NodeKind::Step(plan::StepCall { step: name });
        let node = Self::node(&site.id, &site.call.callee.text, kind, inputs, outputs);
        self.add(node, site.place);
        self.outputs(&site.id, &ports, signature.named_outputs)
    }

    fn pipeline_call(&mut self, site: &Site<'_>, key: &ItemKey, signature: &Signature) -> Computed {
        let ports = self.instantiate(site, signature);
        let inputs = self.inputs(site);
        let outputs = self.ports(&site.key, &ports);
        self.result.pipelines.insert(signature.name.clone(), key.clone());
        let kind = NodeKind::Pipeline(plan::Call {
            pipeline: signature.name.clone(),
        });
        let node = Self::node(&site.id, &site.call.callee.text, kind, inputs, outputs);
        self.add(node, site.place);
        self.outputs(&site.id, &ports, signature.named_outputs)
    }

    /// Every artifact and value that a call is given, as inputs of its node.
    pub(super) fn inputs(&mut self, site: &Site<'_>) -> Vec<plan::Input> {
        let mut inputs = Vec::new();
        for (parameter, given) in &site.given {
            let Given::Computed(computed) = given else { continue };
            let accepts = site.generics.accepted(&parameter.kind);
            if let Some(written) = site.written.get(&parameter.name) {
                let fact = super::facts::ArgumentFact {
                    place: written.id,
                    text: describe::expression(written),
                };
                self.facts
                    .arguments
                    .insert((site.id.clone(), parameter.name.clone()), fact);
            }
            inputs.extend(self.input(&site.key, &parameter.name, computed, &accepts));
        }
        inputs
    }
}

/// The node whose result a value is.
fn producer(computed: &Computed) -> Option<plan::NodePath> {
    match computed {
        Computed::One {
            operand: plan::Operand::Reference(plan::Reference::Output { node, .. }),
            ..
        } => Some(node.clone()),
        Computed::Ports(ports) => ports.first().and_then(|(_, port)| producer(port)),
        Computed::Nothing(node) => Some(node.clone()),
        Computed::One { .. } | Computed::Unknown => None,
    }
}

fn parameter_list(names: &[&str]) -> String {
    if names.is_empty() {
        return "nothing".to_owned();
    }
    let quoted: Vec<String> = names.iter().map(|name| format!("`{name}`")).collect();
    quoted.join(", ")
}

/// Whether an expression is a call, so that its node takes the name of the `let`.
pub(super) fn is_call(expr: &Expr) -> bool {
    matches!(expr.kind, ExprKind::Call(_) | ExprKind::If(_))
}

/// The parameter that a name was meant to be: the nearest of those that the call does not give.
fn misspelt(name: &str, call: &Call, signature: &Signature) -> Option<String> {
    let given: Vec<&str> = call
        .arguments
        .iter()
        .filter_map(|argument| argument.name.as_ref().map(|name| name.text.as_str()))
        .collect();
    let parameters = signature.parameters.iter().map(|parameter| parameter.name.as_str());
    nearest(name, parameters.filter(|parameter| !given.contains(parameter))).map(|near| near.to_string())
}
