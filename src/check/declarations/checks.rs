//! Blocks of checks: each condition measures one number of a table and bounds it.

use std::sync::Arc;

use super::ChecksDefinition;
use super::context::Context;
use super::expressions::Columns;
use super::refinements::compared;
use crate::diagnostics::{Code, Diagnostic, nearest};
use crate::format;
use crate::plan::{Check, CheckKind, Checks};
use crate::syntax::ast::{BinaryOp, Call, ChecksItem, Condition, Expr, ExprKind, Ident};
use crate::types::{Bound, Column, DataKind, DataType, Range, Refinement, Schema, Value};

/// A measure as the editor shows it.
#[derive(Debug)]
pub struct MeasureDeclaration {
    /// Its name.
    pub name: &'static str,
    /// How a condition with it is written.
    pub form: &'static str,
    /// What it measures.
    pub docs: &'static str,
}

macro_rules! measures {
    ($($name:literal, $form:literal, $docs:literal;)*) => {
        /// Every measure of a table.
        pub static MEASURES: &[MeasureDeclaration] = &[$(MeasureDeclaration { name: $name, form: $form, docs: $docs },)*];
    };
}

measures! {
    "rows", "rows in 500..=5_000_000", "The number of rows.";
    "unique", "unique(id)", "No combination of the columns' values occurs twice.";
    "null_rate", "null_rate(email) <= 20%", "The part of rows in which the column is absent.";
    "distinct", "distinct(city) >= 10", "The number of distinct present values.";
    "mean", "mean(age) in 25..=60", "The mean of present values.";
    "stddev", "stddev(age) > 1", "The sample standard deviation of present values.";
    "min", "min(age) >= 18", "The smallest present value.";
    "max", "max(age) <= 100", "The largest present value.";
    "sum", "sum(amount) > 0", "The sum of present values.";
    "quantile", "quantile(amount, 95%) < 10_000", "The nearest-rank quantile of present values.";
    "share", "share(housing == own) >= 10%", "The part of rows for which a condition holds.";
    "freshness", "freshness(applied_at) <= 2d", "The age of the newest value.";
    "drift", "drift(amount, psi) < 0.2 since baseline", "How far the column moved from the champion's training data.";
}

/// The statistics of `drift`.
pub static DRIFT_STATISTICS: &[&str] = &[
    "psi",
    "js_divergence",
    "js_distance",
    "ks",
    "wasserstein",
    "chi2",
    "l_infinity",
];

/// What is measured, and the type of the number that bounds it.
type Measured = (CheckKind, Option<DataType>);

impl Context<'_> {
    /// The meaning of a `checks` item.
    pub(crate) fn checks_item(&mut self, item: &ChecksItem) -> Option<ChecksDefinition> {
        let on = self.schema(&item.on)?;
        let checks = item
            .conditions
            .iter()
            .filter_map(|condition| self.check_condition(condition, &on))
            .collect();
        Some(ChecksDefinition {
            on,
            checks: Checks {
                name: item.name.text.to_string(),
                checks,
            },
        })
    }

    fn bad_check(&mut self, expr: &Expr, message: impl Into<String>, help: impl Into<String>) {
        if expr.kind != ExprKind::Error {
            let diagnostic = self.problem(Code::BadCheck, expr.id, message).help(help);
            self.report(diagnostic);
        }
    }

    fn check_condition(&mut self, condition: &Condition, schema: &Arc<Schema>) -> Option<Check> {
        let (measure, bounds) = match &condition.expr.kind {
            ExprKind::Binary { op, left, right } => (left.as_ref(), Some((*op, right.as_ref()))),
            _ => (&condition.expr, None),
        };
        let (kind, of) = self.measure(measure, schema)?;
        self.since(condition, &kind)?;
        let range = match (of, bounds) {
            (None, None) => Range::default(),
            (None, Some((_, bound))) => {
                self.bad_check(
                    bound,
                    "`unique` holds or does not; it has no bound.",
                    "Leave the comparison out.",
                );
                return None;
            }
            (Some(_), None) => {
                let help = form_of(&kind).map_or_else(String::new, |form| format!("Write `{form}`."));
                self.bad_check(
                    &condition.expr,
                    "This measures a number, and does not say what it may be.",
                    help,
                );
                return None;
            }
            (Some(of), Some((op, bound))) => self.bounds(op, bound, &of)?,
        };
        Some(Check {
            text: format::condition(condition),
            measure: kind,
            minimum: range.minimum,
            maximum: range.maximum,
        })
    }

    fn since(&mut self, condition: &Condition, kind: &CheckKind) -> Option<()> {
        let drift = matches!(kind, CheckKind::Drift { .. });
        let problem = match (&condition.since, drift) {
            (Some(since), true) if since.text == "baseline" => None,
            (None, false) => None,
            (Some(since), true) => Some((since.id, format!("Drift cannot be measured since `{}`.", since.text))),
            (Some(since), false) => Some((since.id, "Only `drift` compares with an earlier dataset.".to_owned())),
            (None, true) => Some((condition.id, "`drift` does not say since when.".to_owned())),
        };
        let Some((node, message)) = problem else {
            return Some(());
        };
        let help = if drift {
            "Write `since baseline` behind the condition."
        } else {
            "Leave `since` out."
        };
        let diagnostic = self.problem(Code::BadCheck, node, message).help(help);
        self.report(diagnostic);
        None
    }

    fn bounds(&mut self, op: BinaryOp, bound: &Expr, of: &DataType) -> Option<Range> {
        let range = if op == BinaryOp::In {
            self.constant_range(bound, of)?
        } else {
            let value = self.constant_of(bound, of)?;
            let Some(range) = compared(op, value) else {
                self.bad_check(
                    bound,
                    "A check bounds a number with `<`, `<=`, `>`, `>=`, `==` or `in`.",
                    "Write a comparison.",
                );
                return None;
            };
            range
        };
        let possible = range.clone().intersection(of.range());
        if range.is_empty() || possible.is_empty() {
            let diagnostic = self.problem(Code::EmptyRange, bound.id, "No value lies in this range.");
            self.report(diagnostic.help("Write the smaller end first; a share or rate lies between 0% and 100%."));
            return None;
        }
        Some(range)
    }

    fn measure(&mut self, expr: &Expr, schema: &Arc<Schema>) -> Option<Measured> {
        match &expr.kind {
            ExprKind::Name(name) if name.text == "rows" => Some((CheckKind::Rows, Some(count()))),
            ExprKind::Name(name) => self.unknown_measure(name, schema),
            ExprKind::Call(call) => self.measure_call(expr, call, schema),
            _ => {
                let help = "Write a measure on the left, such as `mean(age) in 25..=60`; a condition on rows is `share(…) >= 99%`.";
                self.bad_check(expr, "A check begins with what it measures of the table.", help);
                None
            }
        }
    }

    fn unknown_measure(&mut self, name: &Ident, schema: &Schema) -> Option<Measured> {
        let of_column = MEASURES.iter().any(|known| known.name == name.text.as_str());
        let message = if of_column {
            format!("`{}` measures a column, and none is named.", name.text)
        } else {
            format!("There is no measure `{}`.", name.text)
        };
        let diagnostic = self.problem(Code::UnknownName, name.id, message);
        let diagnostic = if schema.column(&name.text).is_some() {
            diagnostic.help(format!(
                "`{0}` is a column; say what of it is measured, as in `mean({0})`, `null_rate({0})` or `share({0} …)`.",
                name.text
            ))
        } else {
            match MEASURES.iter().find(|known| known.name == name.text.as_str()) {
                Some(known) => diagnostic.help(format!("Write `{}`.", known.form)),
                None => self.nearest_measure(diagnostic, name),
            }
        };
        self.report(diagnostic);
        None
    }

    fn nearest_measure(&self, diagnostic: Diagnostic, name: &Ident) -> Diagnostic {
        match nearest(&name.text, MEASURES.iter().map(|known| known.name)) {
            Some(found) => self.did_you_mean(diagnostic, name, &found),
            None => {
                let names: Vec<&str> = MEASURES.iter().map(|known| known.name).collect();
                diagnostic.help(format!(
                    "The measures are {}.",
                    crate::types::display::enumerate(&names)
                ))
            }
        }
    }

    fn measure_call(&mut self, expr: &Expr, call: &Call, schema: &Arc<Schema>) -> Option<Measured> {
        let arguments: Vec<&Expr> = call.arguments.iter().map(|argument| &argument.value).collect();
        let name = call.callee.text.as_str();
        if call.receiver.is_some() || !MEASURES.iter().any(|known| known.name == name) {
            return self.unknown_measure(&call.callee, schema);
        }
        match (name, arguments.as_slice()) {
            ("unique", [_, ..]) => {
                let columns: Option<Vec<String>> = arguments
                    .iter()
                    .map(|column| Some(self.column(column, schema)?.name))
                    .collect();
                Some((CheckKind::Unique(columns?), None))
            }
            ("share", [condition]) => self.share(condition, schema),
            ("quantile", [column, at]) => self.quantile(column, at, schema),
            ("drift", [column, statistic]) => self.drift(column, statistic, schema),
            ("null_rate", [column]) => Some((CheckKind::NullRate(self.column(column, schema)?.name), Some(share()))),
            ("distinct", [column]) => Some((CheckKind::Distinct(self.column(column, schema)?.name), Some(count()))),
            ("freshness", [column]) => {
                let name = self.column_where(column, schema, "freshness", "a `date` or `datetime`", |kind| {
                    matches!(kind, DataKind::Date | DataKind::Datetime)
                })?;
                Some((
                    CheckKind::Freshness(name.name),
                    Some(DataType::plain(DataKind::Duration)),
                ))
            }
            ("mean" | "stddev" | "sum" | "min" | "max", [column]) => self.moment(name, column, schema),
            _ => {
                let form = MEASURES
                    .iter()
                    .find(|known| known.name == name)
                    .map_or("", |known| known.form);
                let message = format!("`{name}` does not take {} here.", arguments_shown(arguments.len()));
                self.bad_check(expr, message, format!("Write `{form}`."));
                None
            }
        }
    }

    fn column(&mut self, expr: &Expr, schema: &Arc<Schema>) -> Option<Column> {
        let ExprKind::Name(name) = &expr.kind else {
            self.bad_check(
                expr,
                "The name of a column is needed here.",
                "Write the column's name alone.",
            );
            return None;
        };
        let column = schema.column(&name.text).cloned();
        if column.is_none() {
            self.not_in_schema(name, schema);
        }
        column
    }

    fn column_where(
        &mut self,
        expr: &Expr,
        schema: &Arc<Schema>,
        measure: &str,
        needs: &str,
        accepts: impl Fn(&DataKind) -> bool,
    ) -> Option<Column> {
        let column = self.column(expr, schema)?;
        if accepts(&column.ty.kind) {
            return Some(column);
        }
        let message = format!("`{measure}` needs {needs}, but `{}` is `{}`.", column.name, column.ty);
        self.bad_check(
            expr,
            message,
            "Measure another column, or `null_rate`, `distinct` or `share` of this one.",
        );
        None
    }

    fn moment(&mut self, measure: &str, column: &Expr, schema: &Arc<Schema>) -> Option<Measured> {
        let extreme = matches!(measure, "min" | "max");
        let ordered =
            |kind: &DataKind| extreme && matches!(kind, DataKind::Date | DataKind::Datetime | DataKind::Duration);
        let number = |kind: &DataKind| matches!(kind, DataKind::Int | DataKind::Float);
        let column = self.column_where(column, schema, measure, "a number", |kind| {
            number(kind) || ordered(kind)
        })?;
        let kind = if extreme && !number(&column.ty.kind) {
            column.ty.kind.clone()
        } else {
            DataKind::Float
        };
        let name = column.name;
        let measure = match measure {
            "mean" => CheckKind::Mean(name),
            "stddev" => CheckKind::StandardDeviation(name),
            "sum" => CheckKind::Sum(name),
            "min" => CheckKind::Minimum(name),
            _ => CheckKind::Maximum(name),
        };
        Some((measure, Some(DataType::plain(kind))))
    }

    fn quantile(&mut self, column: &Expr, at: &Expr, schema: &Arc<Schema>) -> Option<Measured> {
        let number = |kind: &DataKind| matches!(kind, DataKind::Int | DataKind::Float);
        let column = self.column_where(column, schema, "quantile", "a number", number);
        let Value::Float(at) = self.constant_of(at, &share())? else {
            return None;
        };
        Some((
            CheckKind::Quantile(column?.name, at),
            Some(DataType::plain(DataKind::Float)),
        ))
    }

    fn drift(&mut self, column: &Expr, statistic: &Expr, schema: &Arc<Schema>) -> Option<Measured> {
        let column = self.column(column, schema);
        let ExprKind::Name(name) = &statistic.kind else {
            let help = format!(
                "The statistics are {}.",
                crate::types::display::enumerate(DRIFT_STATISTICS)
            );
            self.bad_check(statistic, "The name of a statistic is needed here.", help);
            return None;
        };
        if !DRIFT_STATISTICS.contains(&name.text.as_str()) {
            let message = format!("There is no statistic `{}`.", name.text);
            let diagnostic = self.problem(Code::UnknownName, name.id, message);
            let diagnostic = match nearest(&name.text, DRIFT_STATISTICS.iter().copied()) {
                Some(found) => self.did_you_mean(diagnostic, name, &found),
                None => {
                    let names = crate::types::display::enumerate(DRIFT_STATISTICS);
                    diagnostic.help(format!("The statistics are {names}."))
                }
            };
            self.report(diagnostic);
            return None;
        }
        let measured = column?;
        if let Some(others) = other_statistics(&measured.ty.kind, &name.text) {
            let message = format!(
                "`{}` cannot be computed of `{}`, which is `{}`.",
                name.text, measured.name, measured.ty
            );
            let help = if others.is_empty() {
                "Drift is measured of numbers, times, texts, enums and truth values.".to_owned()
            } else {
                let names = crate::types::display::enumerate(&others);
                format!("The statistics of such a column are {names}.")
            };
            self.bad_check(statistic, message, help);
            return None;
        }
        let kind = CheckKind::Drift {
            column: measured.name,
            statistic: name.text.to_string(),
        };
        Some((kind, Some(DataType::plain(DataKind::Float))))
    }

    fn share(&mut self, condition: &Expr, schema: &Arc<Schema>) -> Option<Measured> {
        let columns = Columns {
            of: &schema.name,
            columns: &schema.columns,
            incomplete: schema.incomplete,
            broken: &[],
            later: &[],
        };
        let typed = self.column_expression(condition, &columns, None)?;
        if typed.ty.kind != DataKind::Bool {
            let message = format!(
                "`share` counts rows for which a condition holds, but this is `{}`.",
                typed.ty
            );
            self.bad_check(
                condition,
                message,
                "Write a comparison, as in `share(housing == own) >= 10%`.",
            );
            return None;
        }
        Some((CheckKind::Share(typed.expression), Some(share())))
    }
}

/// The statistics that fit a column, when the one that was named does not. What has an order can be compared value by
/// value, what has none category by category, and both by their shares.
fn other_statistics(kind: &DataKind, statistic: &str) -> Option<Vec<&'static str>> {
    let unfit: &[&str] = match kind {
        DataKind::Int | DataKind::Float | DataKind::Date | DataKind::Datetime | DataKind::Duration | DataKind::Size => {
            &["chi2", "l_infinity"]
        }
        DataKind::Bool | DataKind::String | DataKind::Enum(_) => &["ks", "wasserstein"],
        DataKind::Money | DataKind::List(_) | DataKind::Map(_) | DataKind::Record(_) => DRIFT_STATISTICS,
    };
    let fitting = DRIFT_STATISTICS.iter().copied().filter(|name| !unfit.contains(name));
    unfit.contains(&statistic).then(|| fitting.collect())
}

fn arguments_shown(count: usize) -> String {
    match count {
        0 => "no arguments".to_owned(),
        1 => "one argument".to_owned(),
        count => format!("{count} arguments"),
    }
}

fn form_of(kind: &CheckKind) -> Option<&'static str> {
    let name = match kind {
        CheckKind::Rows => "rows",
        CheckKind::Unique(_) => "unique",
        CheckKind::NullRate(_) => "null_rate",
        CheckKind::Distinct(_) => "distinct",
        CheckKind::Mean(_) => "mean",
        CheckKind::StandardDeviation(_) => "stddev",
        CheckKind::Minimum(_) => "min",
        CheckKind::Maximum(_) => "max",
        CheckKind::Sum(_) => "sum",
        CheckKind::Quantile(..) => "quantile",
        CheckKind::Share(_) => "share",
        CheckKind::Freshness(_) => "freshness",
        CheckKind::Drift { .. } => "drift",
    };
    MEASURES.iter().find(|known| known.name == name).map(|known| known.form)
}

fn count() -> DataType {
    ranged(DataKind::Int, Value::Int(0), None)
}

/// The type of a part of a whole.
pub(crate) fn share() -> DataType {
    ranged(DataKind::Float, Value::Float(0.0), Some(Value::Float(1.0)))
}

fn ranged(kind: DataKind, minimum: Value, maximum: Option<Value>) -> DataType {
    let bound = |value| Bound { value, inclusive: true };
    let mut ty = DataType::plain(kind);
    ty.refinements.push(Refinement::Range {
        minimum: Some(bound(minimum)),
        maximum: maximum.map(bound),
    });
    ty
}
