//! Functions of scalars, over columns. Every one is absent where an argument is, but `is_none`.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, BooleanArray, Float64Array, Int64Array, StringArray, new_null_array};
use arrow::compute::kernels::zip::zip;
use arrow::compute::{DatePart, cast, date_part, is_null};
use arrow::datatypes::{DataType as ArrowType, Float64Type, Int64Type, TimeUnit, TimestampMicrosecondType};
use mlp::plan::Function;

use super::operators::{Comparison, present_numbers};
use super::{Cells, Evaluator, ExpressionError, untyped};
use crate::data::cell;

impl Evaluator<'_> {
    pub(super) fn call(&self, function: Function, arguments: &[Cells]) -> Result<Cells, ExpressionError> {
        let arguments: Vec<Cells> = arguments
            .iter()
            .map(|argument| Cells::column(argument.expanded(self.len())))
            .collect();
        let first = arguments
            .first()
            .ok_or_else(|| untyped("a function without arguments"))?;
        if function == Function::IsNone {
            return Ok(Cells::column(Arc::new(is_null(&first.array)?)));
        }
        if let Some(absent) = arguments.iter().find(|argument| argument.is_absent()) {
            return Ok(absent.clone());
        }
        let array = match function {
            Function::Floor => self.rounded(first, f64::floor)?,
            Function::Ceil => self.rounded(first, f64::ceil)?,
            Function::Round => self.rounded(first, f64::round)?,
            Function::Abs => self.absolute(first)?,
            Function::Ln => real(first, |x| (x > 0.0).then(|| x.ln()))?,
            Function::Ln1p => real(first, |x| (x > -1.0).then(|| x.ln_1p()))?,
            Function::Exp => real(first, |x| Some(x.exp()))?,
            Function::Sqrt => real(first, |x| (x >= 0.0).then(|| x.sqrt()))?,
            Function::Min => return self.extreme(Comparison::LessEqual, first, second(&arguments)?),
            Function::Max => return self.extreme(Comparison::GreaterEqual, first, second(&arguments)?),
            Function::Lower => text(first, |text| Some(text.to_lowercase()))?,
            Function::Upper => text(first, |text| Some(text.to_uppercase()))?,
            Function::Trim => text(first, |text| Some(text.trim().to_owned()))?,
            Function::Length => length(first)?,
            Function::StartsWith => tested(first, second(&arguments)?, |text, part| text.starts_with(part))?,
            Function::Contains => tested(first, second(&arguments)?, |text, part| text.contains(part))?,
            Function::Year => part(first, DatePart::Year, 0)?,
            Function::Month => part(first, DatePart::Month, 0)?,
            Function::Day => part(first, DatePart::Day, 0)?,
            Function::Hour => part(first, DatePart::Hour, 0)?,
            Function::Minute => part(first, DatePart::Minute, 0)?,
            Function::Weekday => part(first, DatePart::DayOfWeekMonday0, 1)?,
            Function::Days => Arc::new(
                cast(&first.array, &ArrowType::Int64)?
                    .as_primitive::<Int64Type>()
                    .unary::<_, Int64Type>(|milliseconds| milliseconds / 86_400_000),
            ),
            Function::Hours => milliseconds_by(first, 3_600_000.0)?,
            Function::Minutes => milliseconds_by(first, 60_000.0)?,
            Function::ToFloat => to_float(first)?,
            Function::ToInt => self.to_int(first)?,
            Function::ToString => {
                let texts = (0..self.len()).map(|row| cell::present_text(first.array.as_ref(), row));
                Arc::new(texts.collect::<StringArray>())
            }
            Function::Hash => self.hash(first)?,
            Function::Bucket => self.bucket(first, second(&arguments)?)?,
            Function::IsNone => Arc::new(is_null(&first.array)?),
        };
        Ok(Cells::column(array))
    }

    /// A whole number near a float; an error where it leaves 64 bits.
    fn rounded(&self, cells: &Cells, round: fn(f64) -> f64) -> Result<ArrayRef, ExpressionError> {
        if *cells.ty() == ArrowType::Int64 {
            return Ok(Arc::clone(&cells.array));
        }
        const LIMIT: f64 = 9_223_372_036_854_775_808.0;
        let numbers = floats(cells)?;
        let numbers = numbers.as_primitive::<Float64Type>();
        let mut beyond = None;
        let result: Int64Array = numbers
            .iter()
            .enumerate()
            .map(|(index, number)| {
                let whole = round(number?);
                if (-LIMIT..LIMIT).contains(&whole) {
                    return Some(whole as i64);
                }
                if !whole.is_nan() && beyond.is_none() {
                    beyond = Some((index, whole));
                }
                None
            })
            .collect();
        match beyond {
            Some((index, whole)) => Err(self.beyond(index, &cell::float_text(whole))),
            None => Ok(Arc::new(result)),
        }
    }

    fn absolute(&self, cells: &Cells) -> Result<ArrayRef, ExpressionError> {
        match cells.ty() {
            ArrowType::Int64 => {
                let numbers = cells.array.as_primitive::<Int64Type>();
                if let Some(index) = numbers.iter().position(|number| number == Some(i64::MIN)) {
                    return Err(self.beyond(index, "the absolute value of the smallest int"));
                }
                Ok(Arc::new(numbers.unary::<_, Int64Type>(i64::wrapping_abs)))
            }
            ArrowType::Duration(_) => {
                let numbers = cast(&cells.array, &ArrowType::Int64)?;
                let absolute = numbers
                    .as_primitive::<Int64Type>()
                    .unary::<_, Int64Type>(i64::saturating_abs);
                Ok(cast(&absolute, cells.ty())?)
            }
            _ => real(cells, |x| Some(x.abs())),
        }
    }

    fn extreme(&self, operator: Comparison, left: &Cells, right: &Cells) -> Result<Cells, ExpressionError> {
        let (mut left, mut right) = (left.clone(), right.clone());
        super::operators::harmonise(&mut left, &mut right)?;
        let first = self.compare(operator, &left, &right)?.expanded(self.len());
        let chosen = zip(first.as_boolean(), &left, &right)?;
        Ok(Cells::column(arrow::compute::nullif(&chosen, &is_null(&first)?)?))
    }

    fn to_int(&self, cells: &Cells) -> Result<ArrayRef, ExpressionError> {
        match cells.ty() {
            ArrowType::Float64 => self.rounded(cells, f64::trunc),
            ArrowType::Utf8 => {
                let texts = cells.array.as_string::<i32>();
                Ok(Arc::new(
                    texts.iter().map(|text| text?.parse().ok()).collect::<Int64Array>(),
                ))
            }
            _ => Ok(cast(&cells.array, &ArrowType::Int64)?),
        }
    }

    fn hash(&self, cells: &Cells) -> Result<ArrayRef, ExpressionError> {
        let hashes = (0..self.len())
            .map(|row| {
                cell::present_text(cells.array.as_ref(), row)
                    .map(|text| self.key.hash(&text))
                    .transpose()
            })
            .collect::<Result<StringArray, _>>()?;
        Ok(Arc::new(hashes))
    }

    /// `floor(x / width) * width`, an int when both are; absent for a width not above zero.
    fn bucket(&self, number: &Cells, width: &Cells) -> Result<ArrayRef, ExpressionError> {
        if (number.ty(), width.ty()) == (&ArrowType::Int64, &ArrowType::Int64) {
            let pairs = number
                .array
                .as_primitive::<Int64Type>()
                .iter()
                .zip(width.array.as_primitive::<Int64Type>());
            let bounds = pairs.enumerate().map(|(index, (number, width))| match (number, width) {
                (Some(number), Some(width)) if width > 0 => match number.checked_sub(number.rem_euclid(width)) {
                    Some(bound) => Ok(Some(bound)),
                    None => Err(self.beyond(index, &format!("the bucket of {number}"))),
                },
                _ => Ok(None),
            });
            return Ok(Arc::new(bounds.collect::<Result<Int64Array, _>>()?));
        }
        let (number, width) = (floats(number)?, floats(width)?);
        let pairs = number
            .as_primitive::<Float64Type>()
            .iter()
            .zip(width.as_primitive::<Float64Type>());
        let bounds = pairs.map(|(number, width)| {
            let (number, width) = (number?, width?);
            (width > 0.0).then(|| (number / width).floor() * width)
        });
        let bounds: ArrayRef = Arc::new(bounds.collect::<Float64Array>());
        present_numbers(&bounds)
    }
}

fn second(arguments: &[Cells]) -> Result<&Cells, ExpressionError> {
    arguments
        .get(1)
        .ok_or_else(|| untyped("a function lacks its second argument"))
}

fn floats(cells: &Cells) -> Result<ArrayRef, ExpressionError> {
    match cells.ty() {
        ArrowType::Int64 | ArrowType::Float64 => Ok(cast(&cells.array, &ArrowType::Float64)?),
        other => Err(untyped(&format!("a number was expected, not {other}"))),
    }
}

fn real(cells: &Cells, function: impl Fn(f64) -> Option<f64>) -> Result<ArrayRef, ExpressionError> {
    let numbers = floats(cells)?;
    let result: Float64Array = numbers
        .as_primitive::<Float64Type>()
        .iter()
        .map(|number| function(number?))
        .collect();
    let result: ArrayRef = Arc::new(result);
    present_numbers(&result)
}

fn texts(cells: &Cells) -> Result<StringArray, ExpressionError> {
    let texts = cast(&cells.array, &ArrowType::Utf8)?;
    Ok(texts.as_string::<i32>().clone())
}

fn text(cells: &Cells, function: impl Fn(&str) -> Option<String>) -> Result<ArrayRef, ExpressionError> {
    let result: StringArray = texts(cells)?.iter().map(|text| function(text?)).collect();
    Ok(Arc::new(result))
}

fn length(cells: &Cells) -> Result<ArrayRef, ExpressionError> {
    let lengths = texts(cells)?;
    let lengths = lengths.iter().map(|text| i64::try_from(text?.chars().count()).ok());
    Ok(Arc::new(lengths.collect::<Int64Array>()))
}

fn tested(text: &Cells, part: &Cells, test: fn(&str, &str) -> bool) -> Result<ArrayRef, ExpressionError> {
    let (text, part) = (texts(text)?, texts(part)?);
    let result: BooleanArray = text
        .iter()
        .zip(&part)
        .map(|(text, part)| Some(test(text?, part?)))
        .collect();
    Ok(Arc::new(result))
}

/// A part of a date or time in UTC, plus an offset.
fn part(cells: &Cells, part: DatePart, offset: i64) -> Result<ArrayRef, ExpressionError> {
    // Without its zone the time is computed as it is stored: in UTC.
    let bare = match cells.ty() {
        ArrowType::Timestamp(TimeUnit::Microsecond, _) => {
            let micro = cells.array.as_primitive::<TimestampMicrosecondType>();
            Arc::new(micro.clone().with_timezone_opt::<Arc<str>>(None)) as ArrayRef
        }
        ArrowType::Date32 => Arc::clone(&cells.array),
        other => return Err(untyped(&format!("a date was expected, not {other}"))),
    };
    let number = cast(&date_part(&bare, part)?, &ArrowType::Int64)?;
    Ok(Arc::new(
        number
            .as_primitive::<Int64Type>()
            .unary::<_, Int64Type>(|number| number + offset),
    ))
}

fn milliseconds_by(cells: &Cells, unit: f64) -> Result<ArrayRef, ExpressionError> {
    let numbers = cast(&cells.array, &ArrowType::Int64)?;
    Ok(Arc::new(
        numbers
            .as_primitive::<Int64Type>()
            .unary::<_, Float64Type>(|number| number as f64 / unit),
    ))
}

fn to_float(cells: &Cells) -> Result<ArrayRef, ExpressionError> {
    match cells.ty() {
        ArrowType::Boolean => Ok(cast(&cast(&cells.array, &ArrowType::Int64)?, &ArrowType::Float64)?),
        ArrowType::Utf8 | ArrowType::Dictionary(..) => {
            let numbers = texts(cells)?;
            let numbers = numbers
                .iter()
                .map(|text| text?.parse().ok().filter(|number: &f64| number.is_finite()));
            Ok(Arc::new(numbers.collect::<Float64Array>()))
        }
        ArrowType::Null => Ok(new_null_array(&ArrowType::Float64, cells.array.len())),
        _ => floats(cells),
    }
}
