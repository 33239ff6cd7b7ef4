//! Expressions over columns: what features compute and what the shares of checks count, a batch at a time.
//!
//! Absence follows SQL: an absent operand makes arithmetic, comparisons and functions absent; `&&` and `||` are
//! three-valued; a condition that is absent is not true, so `if` takes its other arm. Floats compare as IEEE 754 says
//! (`-0.0 == 0.0`), and what would be no number is absent. Only two things are errors, with their row: an integer that
//! leaves 64 bits, and a plan that is not typed as the checker types it.

mod functions;
mod operators;

use std::collections::BTreeMap;
use std::sync::Arc;

use arrow::array::{
    Array, ArrayRef, AsArray, BooleanArray, Date32Array, Datum, DurationMillisecondArray, Float64Array, Int64Array,
    RecordBatch, StringArray, TimestampMicrosecondArray, UInt32Array, new_null_array,
};
use arrow::compute::{filter_record_batch, is_null, not, nullif, take};
use arrow::datatypes::DataType as ArrowType;
use arrow::error::ArrowError;
use mlp::plan::{Expression, Reference, TextPart};
use mlp::types::Value;

use super::parse::{date_of, datetime_of};
use super::secret::HashKey;
use super::{cell, layout, words};
use crate::operations::OperationError;

/// The rows an expression is computed over, and what else it may read.
pub struct Scope<'a> {
    /// The columns.
    pub records: &'a RecordBatch,
    /// How many rows come before, for messages.
    pub first_row: u64,
    /// Run-time values by the name of the parameter they came in by.
    pub values: &'a BTreeMap<String, Value>,
    /// The project's key, for `hash`.
    pub key: &'a HashKey,
}

/// Why an expression has no value.
#[derive(Debug)]
pub enum ExpressionError {
    /// A row's value cannot be represented.
    Row {
        /// The row, from 1.
        row: u64,
        /// What happened: `9223372036854775807 + 1 is beyond the range of an int`.
        text: String,
    },
    /// The plan is not as the checker types it, or the machine failed.
    Operation(Box<OperationError>),
}

/// Computes an expression for every row of the scope.
///
/// # Errors
/// When an integer leaves 64 bits, or the plan is not typed.
pub fn evaluate(expression: &Expression, scope: &Scope<'_>) -> Result<ArrayRef, ExpressionError> {
    let evaluator = Evaluator {
        records: scope.records,
        rows: Rows::From(scope.first_row),
        values: scope.values,
        key: scope.key,
    };
    Ok(evaluator.evaluate(expression)?.expanded(scope.records.num_rows()))
}

/// The columns that an expression reads, each once, in the order in which they occur.
#[must_use]
pub fn columns_read(expression: &Expression) -> Vec<&str> {
    let mut names = Vec::new();
    collect_columns(expression, &mut names);
    names
}

fn collect_columns<'a>(expression: &'a Expression, names: &mut Vec<&'a str>) {
    match expression {
        Expression::Value(_) | Expression::Reference(_) | Expression::Metric(_) => {}
        Expression::Column(name) => {
            if !names.contains(&name.as_str()) {
                names.push(name);
            }
        }
        Expression::Unary { operand, .. } => collect_columns(operand, names),
        Expression::Binary { left, right, .. } => {
            collect_columns(left, names);
            collect_columns(right, names);
        }
        Expression::Between { value, low, high, .. } => {
            collect_columns(value, names);
            low.iter().chain(high).for_each(|bound| collect_columns(bound, names));
        }
        Expression::Call { arguments, .. } => arguments.iter().for_each(|argument| collect_columns(argument, names)),
        Expression::If {
            condition,
            then,
            otherwise,
        } => [condition, then, otherwise]
            .into_iter()
            .for_each(|part| collect_columns(part, names)),
        Expression::Text(parts) => {
            for part in parts {
                if let TextPart::Hole(hole) = part {
                    collect_columns(hole, names);
                }
            }
        }
        Expression::Field { base, .. } => collect_columns(base, names),
    }
}

/// A column, or one value that stands for a column of it.
#[derive(Clone, Debug)]
struct Cells {
    array: ArrayRef,
    constant: bool,
}

impl Cells {
    fn column(array: ArrayRef) -> Self {
        Self { array, constant: false }
    }

    fn constant(array: ArrayRef) -> Self {
        Self { array, constant: true }
    }

    fn ty(&self) -> &ArrowType {
        self.array.data_type()
    }

    fn is_absent(&self) -> bool {
        *self.ty() == ArrowType::Null
    }

    /// As a column of so many rows.
    fn expanded(&self, rows: usize) -> ArrayRef {
        if !self.constant {
            return Arc::clone(&self.array);
        }
        let first = UInt32Array::from(vec![0; rows]);
        take(&self.array, &first, None).unwrap_or_else(|_| new_null_array(self.ty(), rows))
    }

    /// Another array in place of this one, of the same length.
    fn with(&self, array: ArrayRef) -> Self {
        Self {
            array,
            constant: self.constant,
        }
    }
}

impl Datum for Cells {
    fn get(&self) -> (&dyn Array, bool) {
        (self.array.as_ref(), self.constant)
    }
}

/// The number of each row in the file.
#[derive(Clone)]
enum Rows {
    From(u64),
    Listed(Vec<u64>),
}

impl Rows {
    /// The number of a row, from 1.
    fn number(&self, index: usize) -> u64 {
        match self {
            Self::From(first) => first + index as u64 + 1,
            Self::Listed(numbers) => numbers.get(index).copied().unwrap_or_default(),
        }
    }
}

struct Evaluator<'a> {
    records: &'a RecordBatch,
    rows: Rows,
    values: &'a BTreeMap<String, Value>,
    key: &'a HashKey,
}

impl Evaluator<'_> {
    fn evaluate(&self, expression: &Expression) -> Result<Cells, ExpressionError> {
        match expression {
            Expression::Value(value) => constant(value),
            Expression::Reference(reference) => self.reference(reference),
            Expression::Column(name) => self.column(name),
            Expression::Metric(_) => Err(untyped("a metric cannot be read for each row")),
            Expression::Unary { operator, operand } => self.unary(*operator, &self.evaluate(operand)?),
            Expression::Binary { operator, left, right } => {
                self.binary(*operator, &self.evaluate(left)?, &self.evaluate(right)?)
            }
            Expression::Between {
                value,
                low,
                high,
                inclusive,
            } => self.between(value, low.as_deref(), high.as_deref(), *inclusive),
            Expression::Call { function, arguments } => {
                let arguments = arguments
                    .iter()
                    .map(|argument| self.evaluate(argument))
                    .collect::<Result<Vec<_>, _>>()?;
                self.call(*function, &arguments)
            }
            Expression::If {
                condition,
                then,
                otherwise,
            } => self.choose(condition, then, otherwise),
            Expression::Text(parts) => self.text(parts),
            Expression::Field { base, name } => {
                let base = self.evaluate(base)?;
                let field = base
                    .array
                    .as_struct_opt()
                    .and_then(|record| record.column_by_name(name));
                let field = field.ok_or_else(|| untyped(&format!("there is no field `{name}`")))?;
                let absent = is_null(&base.array)?;
                Ok(base.with(nullif(field, &absent)?))
            }
        }
    }

    fn len(&self) -> usize {
        self.records.num_rows()
    }

    fn reference(&self, reference: &Reference) -> Result<Cells, ExpressionError> {
        let name = match reference {
            Reference::Parameter(name) | Reference::Item(name) => name,
            Reference::Output { port, .. } => port,
            Reference::Outcome | Reference::RunId | Reference::ScheduledTime | Reference::Attempt => {
                return Err(untyped("what belongs to a run cannot be read for each row"));
            }
        };
        match self.values.get(name) {
            Some(value) => constant(value),
            None => Err(untyped(&format!("the value `{name}` was not passed in"))),
        }
    }

    fn column(&self, name: &str) -> Result<Cells, ExpressionError> {
        let column = self.records.column_by_name(name);
        let column = column.ok_or_else(|| untyped(&format!("there is no column `{name}`")))?;
        Ok(Cells::column(Arc::clone(column)))
    }

    fn between(
        &self,
        value: &Expression,
        low: Option<&Expression>,
        high: Option<&Expression>,
        inclusive: bool,
    ) -> Result<Cells, ExpressionError> {
        use mlp::plan::BinaryOperator::{And, GreaterEqual, Less, LessEqual};
        let value = self.evaluate(value)?;
        let above = low
            .map(|low| self.binary(GreaterEqual, &value, &self.evaluate(low)?))
            .transpose()?;
        let operator = if inclusive { LessEqual } else { Less };
        let below = high
            .map(|high| self.binary(operator, &value, &self.evaluate(high)?))
            .transpose()?;
        match (above, below) {
            (Some(above), Some(below)) => self.binary(And, &above, &below),
            (Some(one), None) | (None, Some(one)) => Ok(one),
            (None, None) => {
                let present = arrow::compute::is_not_null(&value.array)?;
                let absent = not(&present)?;
                Ok(value.with(nullif(&present, &absent)?))
            }
        }
    }

    /// Each arm is computed only for the rows that take it, so that no error comes from an arm not taken.
    fn choose(
        &self,
        condition: &Expression,
        then: &Expression,
        otherwise: &Expression,
    ) -> Result<Cells, ExpressionError> {
        let condition = self.evaluate(condition)?.expanded(self.len());
        let holds = if *condition.data_type() == ArrowType::Null {
            BooleanArray::from(vec![false; self.len()])
        } else {
            certain(
                condition
                    .as_boolean_opt()
                    .ok_or_else(|| untyped("a condition is not a bool"))?,
            )
        };
        let fails = not(&holds)?;
        let mut first = self.arm(then, &holds)?;
        let mut second = self.arm(otherwise, &fails)?;
        operators::harmonise(&mut first, &mut second)?;
        let (mut in_first, mut in_second) = (0, 0);
        let places: Vec<(usize, usize)> = holds
            .values()
            .iter()
            .map(|holds| {
                let (arm, next) = if holds { (0, &mut in_first) } else { (1, &mut in_second) };
                let place = *next;
                *next += 1;
                (arm, place)
            })
            .collect();
        let arms: [&dyn Array; 2] = [first.array.as_ref(), second.array.as_ref()];
        Ok(Cells::column(arrow::compute::interleave(&arms, &places)?))
    }

    fn arm(&self, expression: &Expression, rows: &BooleanArray) -> Result<Cells, ExpressionError> {
        let records = filter_record_batch(self.records, rows)?;
        let numbers = rows
            .values()
            .set_indices()
            .map(|index| self.rows.number(index))
            .collect();
        let arm = Evaluator {
            records: &records,
            rows: Rows::Listed(numbers),
            values: self.values,
            key: self.key,
        };
        Ok(Cells::column(arm.evaluate(expression)?.expanded(records.num_rows())))
    }

    fn text(&self, parts: &[TextPart]) -> Result<Cells, ExpressionError> {
        let mut texts: Vec<Option<String>> = vec![Some(String::new()); self.len()];
        for part in parts {
            match part {
                TextPart::Text(plain) => texts.iter_mut().flatten().for_each(|text| text.push_str(plain)),
                TextPart::Hole(hole) => {
                    let cells = self.evaluate(hole)?.expanded(self.len());
                    for (row, text) in texts.iter_mut().enumerate() {
                        *text = match (text.take(), cell::present_text(cells.as_ref(), row)) {
                            (Some(text), Some(more)) => Some(text + &more),
                            _ => None,
                        };
                    }
                }
            }
        }
        Ok(Cells::column(Arc::new(texts.into_iter().collect::<StringArray>())))
    }

    /// That the value of a row leaves what an `int` can hold.
    fn beyond(&self, index: usize, what: &str) -> ExpressionError {
        ExpressionError::Row {
            row: self.rows.number(index),
            text: format!("{what} is beyond the range of an int"),
        }
    }
}

/// A constant as cells.
fn constant(value: &Value) -> Result<Cells, ExpressionError> {
    let broken = || untyped(&format!("{value:?} is no constant of a column"));
    let array: ArrayRef = match value {
        Value::None => new_null_array(&ArrowType::Null, 1),
        Value::Bool(value) => Arc::new(BooleanArray::from(vec![*value])),
        Value::Int(value) => Arc::new(Int64Array::from(vec![*value])),
        Value::Size(value) => Arc::new(Int64Array::from(vec![i64::try_from(*value).map_err(|_| broken())?])),
        Value::Float(value) => Arc::new(Float64Array::from(vec![*value])),
        Value::String(text) | Value::Enum(text) => Arc::new(StringArray::from(vec![text.as_str()])),
        Value::Date(text) => Arc::new(Date32Array::from(vec![date_of(text).ok_or_else(broken)?])),
        Value::Datetime(text) => {
            let time = datetime_of(text).ok_or_else(broken)?;
            Arc::new(TimestampMicrosecondArray::from(vec![time]).with_timezone(layout::UTC))
        }
        Value::Duration(milliseconds) => Arc::new(DurationMillisecondArray::from(vec![*milliseconds])),
        Value::Money { .. } | Value::List(_) | Value::Map(_) => return Err(broken()),
    };
    Ok(Cells::constant(array))
}

/// That the plan holds what the checker would have refused.
fn untyped(what: &str) -> ExpressionError {
    ExpressionError::from(OperationError::Input {
        summary: format!("An expression over columns cannot be computed: {what}."),
        help: "The plan does not fit this version of mlp; build it again.".to_owned(),
    })
}

impl From<ArrowError> for ExpressionError {
    fn from(error: ArrowError) -> Self {
        untyped(&error.to_string())
    }
}

impl From<OperationError> for ExpressionError {
    fn from(error: OperationError) -> Self {
        Self::Operation(Box::new(error))
    }
}

impl ExpressionError {
    /// As the error of an operation that computes `what`.
    #[must_use]
    pub fn into_operation_error(self, what: &str) -> OperationError {
        match self {
            Self::Row { row, text } => OperationError::Input {
                summary: format!("{what} cannot be computed for row {}: {text}.", words::thousands(row)),
                help: "Compute it as a float (`to_float`), or leave such rows out before.".to_owned(),
            },
            Self::Operation(error) => *error,
        }
    }
}

/// The rows for which a condition certainly holds: absent counts as false.
fn certain(condition: &BooleanArray) -> BooleanArray {
    match condition.nulls() {
        Some(present) => BooleanArray::new(condition.values() & present.inner(), None),
        None => condition.clone(),
    }
}
