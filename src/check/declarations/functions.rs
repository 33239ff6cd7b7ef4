//! The functions of scalars: their names, arguments and results.

use super::context::Context;
use super::expressions::{Columns, Typed};
use super::intervals::Interval;
use crate::diagnostics::{Code, nearest};
use crate::plan::{Expression, Function};
use crate::syntax::ast::{Call, Expr};
use crate::types::{DataKind, DataType};

/// A function as the editor shows it.
#[derive(Debug)]
pub struct FunctionDeclaration {
    /// Its name.
    pub name: &'static str,
    /// What it is in the plan.
    pub function: Function,
    /// How it is called.
    pub form: &'static str,
    /// What it gives.
    pub docs: &'static str,
}

macro_rules! functions {
    ($($name:literal, $function:ident, $form:literal, $docs:literal;)*) => {
        /// Every function that features and checks can call.
        pub static FUNCTIONS: &[FunctionDeclaration] = &[
            $(FunctionDeclaration { name: $name, function: Function::$function, form: $form, docs: $docs },)*
        ];
    };
}

functions! {
    "floor", Floor, "floor(number)", "The largest integer that is not above the number.";
    "ceil", Ceil, "ceil(number)", "The smallest integer that is not below the number.";
    "round", Round, "round(number)", "The nearest integer, halves away from zero.";
    "abs", Abs, "abs(number)", "The absolute value.";
    "ln", Ln, "ln(number)", "The natural logarithm; absent for numbers that are not above zero.";
    "ln1p", Ln1p, "ln1p(number)", "`ln(1 + number)`; absent for numbers that are not above -1.";
    "exp", Exp, "exp(number)", "The exponential.";
    "sqrt", Sqrt, "sqrt(number)", "The square root; absent below zero.";
    "min", Min, "min(number, number)", "The smaller of two numbers.";
    "max", Max, "max(number, number)", "The larger of two numbers.";
    "lower", Lower, "lower(text)", "The text in lower case.";
    "upper", Upper, "upper(text)", "The text in upper case.";
    "trim", Trim, "trim(text)", "The text without white space at its ends.";
    "length", Length, "length(text)", "How many characters the text, or items the list, has.";
    "starts_with", StartsWith, "starts_with(text, start)", "Whether the text begins with another.";
    "contains", Contains, "contains(text, part)", "Whether the text holds another.";
    "year", Year, "year(time)", "The year, in UTC.";
    "month", Month, "month(time)", "The month, 1 to 12, in UTC.";
    "day", Day, "day(time)", "The day of the month, 1 to 31, in UTC.";
    "hour", Hour, "hour(datetime)", "The hour, 0 to 23, in UTC.";
    "minute", Minute, "minute(datetime)", "The minute, 0 to 59.";
    "weekday", Weekday, "weekday(time)", "The ISO day of the week, 1 (Monday) to 7, in UTC.";
    "days", Days, "days(duration)", "The whole days of a duration.";
    "hours", Hours, "hours(duration)", "The hours of a duration, as a float.";
    "minutes", Minutes, "minutes(duration)", "The minutes of a duration, as a float.";
    "to_float", ToFloat, "to_float(value)", "A number, bool or text as a float; absent for a text that is none.";
    "to_int", ToInt, "to_int(value)", "A number (towards zero), bool or text as an int; absent for a text that is none.";
    "to_string", ToString, "to_string(value)", "A value as text.";
    "hash", Hash, "hash(value)", "A keyed hash: equal values stay equal, and nobody can tell who it was.";
    "bucket", Bucket, "bucket(number, width)", "The lower end of the bucket of that width which holds the number.";
    "is_none", IsNone, "is_none(value)", "Whether a value is absent.";
}

/// What an argument must be.
#[derive(Clone, Copy, PartialEq)]
enum Takes {
    Number,
    Text,
    Countable,
    Day,
    Moment,
    Duration,
    Convertible,
    Anything,
}

impl Takes {
    fn accepts(self, kind: &DataKind) -> bool {
        match self {
            Self::Number => matches!(kind, DataKind::Int | DataKind::Float),
            Self::Text => *kind == DataKind::String,
            Self::Countable => matches!(kind, DataKind::String | DataKind::List(_) | DataKind::Map(_)),
            Self::Day => matches!(kind, DataKind::Date | DataKind::Datetime),
            Self::Moment => *kind == DataKind::Datetime,
            Self::Duration => *kind == DataKind::Duration,
            Self::Convertible => matches!(
                kind,
                DataKind::Int | DataKind::Float | DataKind::Bool | DataKind::String
            ),
            Self::Anything => true,
        }
    }

    fn describe(self) -> &'static str {
        match self {
            Self::Number => "a number",
            Self::Text => "a `string`",
            Self::Countable => "a `string` or a list",
            Self::Day => "a `date` or `datetime`",
            Self::Moment => "a `datetime`",
            Self::Duration => "a `duration`",
            Self::Convertible => "a number, a `bool` or a `string`",
            Self::Anything => "a value",
        }
    }
}

fn takes(function: Function) -> &'static [Takes] {
    match function {
        Function::Floor
        | Function::Ceil
        | Function::Round
        | Function::Abs
        | Function::Ln
        | Function::Ln1p
        | Function::Exp
        | Function::Sqrt => &[Takes::Number],
        Function::Min | Function::Max | Function::Bucket => &[Takes::Number, Takes::Number],
        Function::Lower | Function::Upper | Function::Trim => &[Takes::Text],
        Function::Length => &[Takes::Countable],
        Function::StartsWith | Function::Contains => &[Takes::Text, Takes::Text],
        Function::Year | Function::Month | Function::Day | Function::Weekday => &[Takes::Day],
        Function::Hour | Function::Minute => &[Takes::Moment],
        Function::Days | Function::Hours | Function::Minutes => &[Takes::Duration],
        Function::ToFloat | Function::ToInt => &[Takes::Convertible],
        Function::ToString | Function::Hash | Function::IsNone => &[Takes::Anything],
    }
}

/// Why a function cannot be called so.
pub(crate) struct Misuse {
    /// The position of the argument that is wrong; absent when it is their number.
    pub(crate) argument: Option<usize>,
    /// What is wrong.
    pub(crate) message: String,
    /// What to write instead.
    pub(crate) help: String,
}

/// Types a call of a function over values that are known only when a pipeline runs.
pub(crate) fn value_call(
    known: &FunctionDeclaration,
    arguments: Vec<(DataType, Expression)>,
) -> Result<(DataType, Expression), Misuse> {
    let wanted = takes(known.function);
    let misuse = |argument, message| Misuse {
        argument,
        message,
        help: format!("Write `{}`: {}", known.form, known.docs),
    };
    if arguments.len() != wanted.len() {
        return Err(misuse(None, wrong_number(known.name, wanted.len(), arguments.len())));
    }
    for (index, ((ty, _), takes)) in arguments.iter().zip(wanted).enumerate() {
        if !takes.accepts(&ty.kind) {
            let message = format!("`{}` takes {}, but this is `{ty}`.", known.name, takes.describe());
            return Err(misuse(Some(index), message));
        }
    }
    let typed = |(ty, expression)| Typed {
        expression,
        ..Typed::from_parts([], ty)
    };
    let typed = combined(known.function, arguments.into_iter().map(typed).collect());
    Ok((typed.ty, typed.expression))
}

fn wrong_number(name: &str, wanted: usize, found: usize) -> String {
    format!("`{name}` takes {}, but {} given.", counted(wanted), given(found))
}

impl Context<'_> {
    /// A call of a function over columns.
    pub(crate) fn function_call(&mut self, expr: &Expr, call: &Call, columns: &Columns<'_>) -> Option<Typed> {
        let name = call.callee.text.as_str();
        let is_called = |known: &&FunctionDeclaration| known.name == name && call.receiver.is_none();
        let Some(known) = FUNCTIONS.iter().find(is_called) else {
            return self.unknown_function(call);
        };
        let wanted = takes(known.function);
        if let Some(named) = call.arguments.iter().find_map(|argument| argument.name.as_ref()) {
            let message = format!("The arguments of `{name}` have no names.");
            let diagnostic = self.problem(Code::FunctionArguments, named.id, message);
            self.report(diagnostic.help(format!("Write `{}`.", known.form)));
            return None;
        }
        if call.arguments.len() != wanted.len() {
            let message = wrong_number(name, wanted.len(), call.arguments.len());
            let diagnostic = self.problem(Code::FunctionArguments, expr.id, message);
            self.report(diagnostic.help(format!("Write `{}`: {}", known.form, known.docs)));
            return None;
        }
        let arguments: Vec<Option<Typed>> = call
            .arguments
            .iter()
            .map(|argument| self.column_expression(&argument.value, columns, None))
            .collect();
        let arguments: Vec<Typed> = arguments.into_iter().collect::<Option<_>>()?;
        let mut sound = true;
        for ((argument, typed), takes) in call.arguments.iter().zip(&arguments).zip(wanted) {
            if !takes.accepts(&typed.ty.kind) {
                let message = format!("`{name}` takes {}, but this is `{}`.", takes.describe(), typed.ty);
                let diagnostic = self.problem(Code::FunctionArguments, argument.value.id, message);
                self.report(diagnostic.help(format!("Write `{}`: {}", known.form, known.docs)));
                sound = false;
            }
        }
        sound.then(|| combined(known.function, arguments))
    }

    fn unknown_function(&mut self, call: &Call) -> Option<Typed> {
        let message = format!("There is no function `{}`.", call.callee.text);
        let diagnostic = self.problem(Code::UnknownName, call.callee.id, message);
        let diagnostic = match nearest(&call.callee.text, FUNCTIONS.iter().map(|known| known.name)) {
            Some(found) => self.did_you_mean(diagnostic, &call.callee, &found),
            None => {
                let names: Vec<&str> = FUNCTIONS.iter().map(|known| known.name).collect();
                diagnostic.help(format!(
                    "The functions are {}.",
                    crate::types::display::enumerate(&names)
                ))
            }
        };
        self.report(diagnostic);
        None
    }
}

fn counted(count: usize) -> String {
    if count == 1 {
        "one argument".to_owned()
    } else {
        "two arguments".to_owned()
    }
}

fn given(count: usize) -> String {
    if count == 1 {
        "1 is".to_owned()
    } else {
        format!("{count} are")
    }
}

fn combined(function: Function, arguments: Vec<Typed>) -> Typed {
    let ty = result(function, &arguments);
    let mut typed = Typed::from_parts(&arguments, ty);
    if matches!(function, Function::Hash | Function::Bucket) {
        typed.pii.clear();
    }
    typed.expression = Expression::Call {
        function,
        arguments: arguments.into_iter().map(|argument| argument.expression).collect(),
    };
    typed
}

/// The type of a call, with what is known of its range and absence.
fn result(function: Function, arguments: &[Typed]) -> DataType {
    let absent = arguments.iter().any(|argument| argument.ty.optional);
    let interval = |index: usize| {
        arguments
            .get(index)
            .map_or_else(Interval::default, |own| Interval::of(&own.ty))
    };
    let kind = |index: usize| arguments.get(index).map_or(DataKind::Float, |own| own.ty.kind.clone());
    let whole = (0..arguments.len()).all(|index| kind(index) == DataKind::Int);
    let own_kind = if whole { DataKind::Int } else { DataKind::Float };
    let x = interval(0);
    let (ty, sometimes_absent) = match function {
        Function::Floor => (x.rounded(f64::floor).number(DataKind::Int), false),
        Function::Ceil => (x.rounded(f64::ceil).number(DataKind::Int), false),
        Function::Round => (x.rounded(f64::round).number(DataKind::Int), false),
        Function::Abs => (x.absolute().number(own_kind), false),
        Function::Ln => (x.increasing(f64::ln).number(DataKind::Float), !x.above(0.0)),
        Function::Ln1p => (x.increasing(f64::ln_1p).number(DataKind::Float), !x.above(-1.0)),
        Function::Exp => (x.increasing(f64::exp).number(DataKind::Float), !x.at_most(709.0)),
        Function::Sqrt => (x.increasing(f64::sqrt).number(DataKind::Float), !x.at_least(0.0)),
        Function::Min => (x.smaller(interval(1)).number(own_kind), false),
        Function::Max => (x.larger(interval(1)).number(own_kind), false),
        Function::Lower | Function::Upper | Function::Trim | Function::Hash | Function::ToString => {
            (DataType::plain(DataKind::String), false)
        }
        Function::Length => (Interval::from(0.0).number(DataKind::Int), false),
        Function::StartsWith | Function::Contains => (DataType::plain(DataKind::Bool), false),
        Function::Year => (DataType::plain(DataKind::Int), false),
        Function::Month => (Interval::between(1.0, 12.0).number(DataKind::Int), false),
        Function::Day => (Interval::between(1.0, 31.0).number(DataKind::Int), false),
        Function::Hour => (Interval::between(0.0, 23.0).number(DataKind::Int), false),
        Function::Minute => (Interval::between(0.0, 59.0).number(DataKind::Int), false),
        Function::Weekday => (Interval::between(1.0, 7.0).number(DataKind::Int), false),
        Function::Days => (DataType::plain(DataKind::Int), false),
        Function::Hours | Function::Minutes => (DataType::plain(DataKind::Float), false),
        Function::ToFloat => (converted(x, &kind(0), DataKind::Float), kind(0) == DataKind::String),
        Function::ToInt => (
            converted(x.rounded(f64::trunc), &kind(0), DataKind::Int),
            kind(0) == DataKind::String,
        ),
        Function::Bucket => (DataType::plain(own_kind), !interval(1).above(0.0)),
        Function::IsNone => return DataType::plain(DataKind::Bool),
    };
    ty.or_absent(absent || sometimes_absent)
}

fn converted(interval: Interval, from: &DataKind, to: DataKind) -> DataType {
    match from {
        DataKind::Bool => Interval::between(0.0, 1.0).number(to),
        DataKind::Int | DataKind::Float => interval.number(to),
        _ => DataType::plain(to),
    }
}
