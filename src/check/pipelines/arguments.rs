//! Arguments: what a parameter is given, and whether it accepts it.

use std::sync::Arc;

use crate::check::declarations::{self, ChecksDefinition};
use crate::db::ItemKey;
use crate::diagnostics::{Applicability, Code, Diagnostic, Edit, Place, nearest};
use crate::names;
use crate::plan::Operand;
use crate::syntax::ast::{Expr, ExprKind, Ident, ItemKind};
use crate::types::relation;
use crate::types::{ArtifactKind, Parameter, ParameterKind, Schema, Type};

use super::calls::Site;
use super::describe;
use super::elaborator::Elaborator;
use super::facts::MissingEvidence;
use super::fitting::{self, Misfit};
use super::generics::Bound;
use super::scope::Computed;

/// What a parameter is given.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Given {
    /// A value or an artifact.
    Computed(Computed),
    /// Nothing: `none`, or something wrong that was already reported.
    Absent,
    /// The name of a `checks` block.
    Checks(Arc<ChecksDefinition>),
    /// Names of columns.
    Columns(Vec<String>),
    /// The name of a model.
    Model(String),
    /// The name of a service.
    Service(String, ItemKey),
}

/// The schema of a dataset type.
pub(super) fn schema_of(ty: &Type) -> Option<Arc<Schema>> {
    if let Type::Artifact(artifact) = ty
        && let ArtifactKind::Dataset(schema) = &artifact.kind
    {
        return Some(Arc::clone(schema));
    }
    None
}

impl Elaborator<'_> {
    /// What `parameter` is given at a call.
    pub(super) fn argument(&mut self, site: &mut Site<'_>, parameter: &Parameter) -> Given {
        let Some(written) = site.written.get(&parameter.name).copied() else {
            return self.default(site, parameter);
        };
        match &parameter.kind {
            ParameterKind::Checks { generic } => self.checks_argument(site, written, generic),
            ParameterKind::Column { generic, list, .. } => self.columns_argument(site, written, generic, *list),
            ParameterKind::ModelName { generic } => self.model_name(site, written, generic),
            ParameterKind::ServiceName { generic } => self.service_name(site, written, generic),
            ParameterKind::Type(_)
            | ParameterKind::GenericDataset { .. }
            | ParameterKind::GenericModel { .. }
            | ParameterKind::GenericMetrics { .. }
            | ParameterKind::List(_) => {
                let expected = site.generics.accepted(&parameter.kind);
                let computed = self.expression(written, Some(&expected));
                Given::Computed(self.accept(site, parameter, written, computed))
            }
        }
    }

    fn default(&mut self, site: &Site<'_>, parameter: &Parameter) -> Given {
        let Some(default) = &parameter.default else {
            let callee = &site.call.callee.text;
            let name = &parameter.name;
            let message = format!("`{callee}` needs an argument for its parameter `{name}`, and none is given.");
            let mut problem = self.problem(Code::MissingArgument, site.call.parentheses, message);
            if let Some(place) = self.parameter_place(&site.key, name) {
                problem = problem.also(place, "this parameter has no default");
            }
            self.report(problem.help(format!("Pass it by name: `{name}: …` ({}).", parameter.kind)));
            return Given::Absent;
        };
        match &parameter.kind {
            ParameterKind::Checks { .. } => Given::Absent,
            ParameterKind::Column { list: true, .. } => Given::Columns(Vec::new()),
            ParameterKind::Column { list: false, .. } => Given::Absent,
            ParameterKind::Type(_)
            | ParameterKind::GenericDataset { .. }
            | ParameterKind::GenericModel { .. }
            | ParameterKind::GenericMetrics { .. }
            | ParameterKind::ModelName { .. }
            | ParameterKind::ServiceName { .. }
            | ParameterKind::List(_) => Given::Computed(Computed::One {
                ty: site.generics.accepted(&parameter.kind),
                operand: Operand::Value(default.clone()),
            }),
        }
    }

    /// Where a parameter of an item is declared.
    pub(super) fn parameter_place(&self, key: &ItemKey, parameter: &str) -> Option<Place> {
        super::parameter_place(self.db, key, parameter)
    }

    fn accept(&mut self, site: &mut Site<'_>, parameter: &Parameter, written: &Expr, computed: Computed) -> Computed {
        let (ty, operand) = match &computed {
            Computed::Unknown => {
                site.generics.learn(&parameter.kind, &Type::Unknown);
                return Computed::Unknown;
            }
            Computed::Nothing(_) | Computed::Ports(_) => {
                site.generics.learn(&parameter.kind, &Type::Unknown);
                self.not_one_value(written, &computed);
                return Computed::Unknown;
            }
            Computed::One { ty, operand } => (ty, operand),
        };
        if !site.generics.learn(&parameter.kind, ty) {
            let generics = site.generics.clone();
            site.generics.learn(&parameter.kind, &Type::Unknown);
            if generics.accepted(&parameter.kind) == Type::Unknown {
                self.refuse(site, parameter, written, ty, &parameter.kind.to_string(), &Misfit::Kind);
                return Computed::Unknown;
            }
        }
        let wanted = site.generics.accepted(&parameter.kind);
        match fitting::fit(ty, operand, &wanted) {
            Ok(computed) => computed,
            Err(Misfit::Evidence { wanted, found }) => {
                self.facts.missing.push(MissingEvidence {
                    node: site.id.clone(),
                    parameter: parameter.name.clone(),
                    wanted,
                    found,
                });
                computed
            }
            Err(misfit) => {
                self.refuse(site, parameter, written, ty, &wanted.to_string(), &misfit);
                Computed::Unknown
            }
        }
    }

    /// Reports that an expression gives no single value.
    pub(super) fn not_one_value(&mut self, written: &Expr, computed: &Computed) {
        let text = describe::expression(written);
        let problem = match computed {
            Computed::Ports(ports) => {
                let first = ports.first().map_or("output", |(name, _)| name.as_str());
                let names: Vec<&str> = ports.iter().map(|(name, _)| name.as_str()).collect();
                let message = format!("{} has several outputs, so one of them must be named.", capital(&text));
                let example = describe::path(written).unwrap_or_else(|| "parts".to_owned());
                let help = format!("Write `{example}.{first}`; the outputs are {}.", relation_list(&names));
                self.problem(Code::ArgumentType, written.id, message).help(help)
            }
            Computed::Nothing(_) | Computed::Unknown | Computed::One { .. } => {
                let message = format!("{} is nothing: that step has no outputs.", capital(&text));
                self.problem(Code::ArgumentType, written.id, message)
                    .help("To wait for a step without outputs, write `after` behind the call that waits.")
            }
        };
        self.report(problem);
    }

    fn refuse(
        &mut self,
        site: &Site<'_>,
        parameter: &Parameter,
        written: &Expr,
        found: &Type,
        wanted: &str,
        misfit: &Misfit,
    ) {
        let callee = &site.call.callee.text;
        let name = &parameter.name;
        let text = describe::expression(written);
        let problem = match misfit {
            Misfit::Constant(phrase) => {
                let constant = crate::format::expression(written);
                let message = format!("`{constant}` {phrase}, which `{callee}` demands for `{name}`.");
                self.problem(Code::ConstantRefused, written.id, message)
            }
            Misfit::Columns(columns) => {
                let first = columns.first().map(ToString::to_string).unwrap_or_default();
                let message = format!(
                    "{} does not have the columns that `{callee}` needs: {first}.",
                    capital(&text)
                );
                let mut problem = self.problem(Code::ArgumentSchema, written.id, message);
                for column in columns.iter().skip(1) {
                    problem = problem.note(format!("Column {column}."));
                }
                problem
                    .label(format!("this is `{found}`"))
                    .note(format!("`{callee}` asks for `{wanted}`."))
            }
            Misfit::Kind if wrong_metrics(found, wanted) => {
                let message = format!("{} is `{found}`, but `{callee}` needs `{wanted}`.", capital(&text));
                let help = "Pass the metrics that `evaluate` gives for this very model.";
                self.problem(Code::MetricsOfAnotherModel, written.id, message)
                    .help(help)
            }
            Misfit::Kind | Misfit::Data(_) | Misfit::Evidence { .. } => {
                let message =
                    format!("`{callee}` needs `{wanted}` for its parameter `{name}`, but {text} is `{found}`.");
                self.problem(Code::ArgumentType, written.id, message)
            }
        };
        let problem = self.with_parameter(problem, &site.key, name);
        self.report(problem);
    }

    fn with_parameter(&self, problem: Diagnostic, key: &ItemKey, parameter: &str) -> Diagnostic {
        match self.parameter_place(key, parameter) {
            Some(place) => problem.also(place, "this parameter asks for it"),
            None => problem,
        }
    }

    /// The item that an argument names, when it is of the kind that is wanted.
    fn named_item(
        &mut self,
        written: &Expr,
        wanted: &str,
        is_wanted: fn(&ItemKind) -> bool,
    ) -> Option<(Ident, ItemKey)> {
        let ExprKind::Name(name) = &written.kind else {
            self.wrong_name(written, wanted);
            self.visit(written);
            return None;
        };
        if self.scopes.look_up(&name.text).is_some() {
            self.wrong_name(written, wanted);
            return None;
        }
        let Some(key) = names::resolve(self.db, self.key, &name.text) else {
            self.unknown_name(name, Some((wanted, is_wanted)));
            return None;
        };
        let item = names::item(self.db, &key)?;
        if is_wanted(&item.kind) {
            return Some((name.clone(), key));
        }
        if !matches!(item.kind, ItemKind::Broken(_)) {
            self.wrong_name(written, wanted);
        }
        None
    }

    fn wrong_name(&mut self, written: &Expr, wanted: &str) {
        let message = format!(
            "The name of a {wanted} is needed here, and {} is none.",
            describe::expression(written)
        );
        let problem = self.problem(Code::WrongKindOfName, written.id, message);
        self.report(problem.help(format!("Write the name of a declared {wanted}.")));
    }

    fn checks_argument(&mut self, site: &Site<'_>, written: &Expr, generic: &str) -> Given {
        let is_checks = |kind: &ItemKind| matches!(kind, ItemKind::Checks(_));
        let Some((name, key)) = self.named_item(written, "`checks` block", is_checks) else {
            return Given::Absent;
        };
        let Some(checks) = declarations::checks(self.db, &key) else {
            return Given::Absent;
        };
        if let Some(schema) = site.generics.schema(generic) {
            let missing = relation::schema_fits(&schema, &checks.on);
            if let Some(first) = missing.first() {
                let message = format!(
                    "`{}` speaks of `{}`, which `{}` does not fit: {first}.",
                    name.text, checks.on.name, schema.name
                );
                let problem = self.problem(Code::ArgumentSchema, written.id, message);
                let declared = Place::Node(key, crate::syntax::ast::NodeId(0));
                let problem = problem.also(declared, format!("`{}` is declared on `{}`", name.text, checks.on.name));
                self.report(problem.help(format!("Use checks that are declared on `{}`.", schema.name)));
                return Given::Absent;
            }
        }
        Given::Checks(checks)
    }

    fn columns_argument(&mut self, site: &Site<'_>, written: &Expr, generic: &str, list: bool) -> Given {
        if !list && written.kind == ExprKind::Literal(crate::syntax::ast::Literal::None) {
            return Given::Absent;
        }
        let names = if let ExprKind::List(items) = &written.kind
            && list
        {
            items.iter().collect()
        } else {
            vec![written]
        };
        let mut columns = Vec::new();
        for expr in names {
            let ExprKind::Name(name) = &expr.kind else {
                let message = "The name of a column is needed here.";
                let problem = self.problem(Code::WrongKindOfName, expr.id, message);
                self.report(problem.help("Write the column's bare name, as in `stratify: defaulted`."));
                continue;
            };
            let Some(schema) = site.generics.schema(generic) else {
                continue;
            };
            if schema.column(&name.text).is_some() {
                columns.push(name.text.to_string());
            } else {
                self.unknown_column(name, &schema);
            }
        }
        if list {
            Given::Columns(columns)
        } else {
            columns
                .pop()
                .map_or(Given::Absent, |column| Given::Columns(vec![column]))
        }
    }

    fn unknown_column(&mut self, name: &Ident, schema: &Schema) {
        if schema.incomplete {
            return;
        }
        let message = format!("`{}` has no column called `{}`.", schema.name, name.text);
        let mut problem = self.problem(Code::UnknownColumn, name.id, message);
        let columns: Vec<&str> = schema.columns.iter().map(|column| column.name.as_str()).collect();
        if let Some(near) = nearest(&name.text, columns.iter().copied()) {
            let edit = Edit::replace(self.place(name.id), crate::types::display::identifier(&near));
            let title = format!("Replace `{}` with `{near}`", name.text);
            problem =
                problem
                    .help(format!("The nearest column is `{near}`."))
                    .fix(title, Applicability::Safe, vec![edit]);
        } else {
            problem = problem.help(format!("Its columns are {}.", relation_list(&columns)));
        }
        self.report(problem);
    }

    fn model_name(&mut self, site: &mut Site<'_>, written: &Expr, generic: &str) -> Given {
        let is_model = |kind: &ItemKind| matches!(kind, ItemKind::Model(_));
        let Some((name, key)) = self.named_item(written, "model", is_model) else {
            site.generics.bind(generic, Bound::Unknown);
            return Given::Absent;
        };
        site.generics.bind(generic, Bound::Model(name.text.to_string()));
        self.result.models.entry(name.text.to_string()).or_insert(key);
        Given::Model(name.text.to_string())
    }

    fn service_name(&mut self, site: &Site<'_>, written: &Expr, generic: &str) -> Given {
        let is_service = |kind: &ItemKind| matches!(kind, ItemKind::Service(_));
        let Some((name, key)) = self.named_item(written, "service", is_service) else {
            return Given::Absent;
        };
        let Some(service) = declarations::service(self.db, &key) else {
            return Given::Absent;
        };
        if let Some(model) = site.generics.model(generic)
            && service.service.model != model
        {
            let service_name = &name.text;
            let serves = &service.service.model;
            let message = format!("`{service_name}` serves `{serves}`, but the model that is deployed is `{model}`.");
            let problem = self.problem(Code::ServiceOfAnotherModel, written.id, message);
            let declared = Place::Node(key, crate::syntax::ast::NodeId(0));
            let problem = problem.also(declared, format!("declared `for {serves}`"));
            let help = format!("Deploy to a service that is declared `for {model}`.");
            self.report(problem.help(help));
            return Given::Absent;
        }
        Given::Service(name.text.to_string(), key)
    }

    /// Reports a constant or value where `wanted` is needed outside a call.
    pub(super) fn expect_type(&mut self, written: &Expr, computed: Computed, wanted: &Type, what: &str) -> Computed {
        let (ty, operand) = match &computed {
            Computed::Unknown => return Computed::Unknown,
            Computed::Nothing(_) => {
                self.not_one_value(written, &computed);
                return Computed::Unknown;
            }
            Computed::Ports(_) => {
                self.not_one_value(written, &computed);
                return Computed::Unknown;
            }
            Computed::One { ty, operand } => (ty, operand),
        };
        let misfit = match fitting::fit(ty, operand, wanted) {
            Ok(computed) => return computed,
            Err(misfit) => misfit,
        };
        let text = describe::expression(written);
        let message = match &misfit {
            Misfit::Constant(phrase) => format!(
                "`{}` {phrase}, which {what} demands.",
                crate::format::expression(written)
            ),
            Misfit::Columns(columns) => {
                let first = columns.first().map(ToString::to_string).unwrap_or_default();
                format!(
                    "{} does not have the columns of `{wanted}`, which {what} needs: {first}.",
                    capital(&text)
                )
            }
            Misfit::Kind | Misfit::Data(_) | Misfit::Evidence { .. } => {
                format!("{} is `{ty}`, but {what} needs `{wanted}`.", capital(&text))
            }
        };
        let code = match misfit {
            Misfit::Constant(_) => Code::ConstantRefused,
            Misfit::Columns(_) => Code::ArgumentSchema,
            Misfit::Kind | Misfit::Data(_) | Misfit::Evidence { .. } => Code::ArgumentType,
        };
        let problem = self.problem(code, written.id, message);
        self.report(problem);
        Computed::One {
            ty: wanted.clone(),
            operand: operand.clone(),
        }
    }
}

fn wrong_metrics(found: &Type, wanted: &str) -> bool {
    wanted.starts_with("Metrics<")
        && matches!(found, Type::Artifact(artifact) if matches!(artifact.kind, ArtifactKind::Metrics(_)))
}

/// With a capital letter, to begin a sentence.
pub(super) fn capital(text: &str) -> String {
    let mut characters = text.chars();
    characters.next().map_or_else(String::new, |first| {
        first.to_uppercase().collect::<String>() + characters.as_str()
    })
}

/// Names for a sentence.
pub(super) fn relation_list(names: &[&str]) -> String {
    crate::types::display::enumerate(names)
}
