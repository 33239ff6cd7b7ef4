//! What `predict`, `evaluate` and `challenge` share: a model's predictions on a dataset, checked, beside labels and groups.
//! It judges nothing.

use std::collections::BTreeMap;

use arrow::array::{Array, ArrayRef, AsArray};
use arrow::compute::concat;
use arrow::datatypes::{DataType as ArrowType, Float32Type, Float64Type};
use camino::{Utf8Path, Utf8PathBuf};
use mlp::plan::{Model, Task};
use mlp::types::Value;

use super::{Context, Item, OperationError, PredictRequest, PredictResponse, misbuilt};
use crate::data::cell;
use crate::data::dataset::{Dataset, DatasetWriter, Wanted};
use crate::data::words::thousands;
use crate::metrics::{Evaluation, Grouping, Sample, binary, multiclass, regression};

/// An artifact that is an input.
#[derive(Clone, Copy)]
pub(super) struct Artifact<'a> {
    /// Where it is.
    pub path: &'a Utf8Path,
    /// Its digest.
    pub digest: &'a str,
}

/// The artifact that is the input `name`.
pub(super) fn artifact<'a>(context: &Context<'a>, name: &str) -> Result<Artifact<'a>, OperationError> {
    match super::input(context, name)? {
        Item::Artifact { path, digest } => Ok(Artifact { path, digest }),
        Item::Value(_) | Item::List(_) => Err(OperationError::Input {
            summary: format!("The input `{name}` of `{}` is not an artifact.", context.node.callee),
            help: "The plan does not fit this version of mlp; build it again.".to_owned(),
        }),
    }
}

/// The declared model called `name`.
pub(super) fn model<'a>(context: &Context<'a>, name: &str) -> Result<&'a Model, OperationError> {
    context.plan.models.get(name).ok_or_else(|| OperationError::Input {
        summary: format!("The plan has no model `{name}`."),
        help: "The plan does not fit this version of mlp; build it again.".to_owned(),
    })
}

/// A folder for files that are not outputs; it is removed when dropped.
pub(super) struct Scratch {
    _folder: tempfile::TempDir,
    path: Utf8PathBuf,
}

impl Scratch {
    /// Makes the folder.
    pub(super) fn new(context: &Context) -> Result<Self, OperationError> {
        let failed = |source| OperationError::Io {
            action: format!("making a folder in {}", context.outputs),
            source,
        };
        let folder = tempfile::Builder::new()
            .prefix(".scratch-")
            .tempdir_in(context.outputs)
            .map_err(failed)?;
        let path = Utf8PathBuf::from_path_buf(folder.path().to_owned());
        let path = path.map_err(|_| failed(std::io::ErrorKind::InvalidFilename.into()))?;
        Ok(Self { _folder: folder, path })
    }

    /// A path inside.
    pub(super) fn file(&self, name: &str) -> Utf8PathBuf {
        self.path.join(name)
    }
}

/// Writes the columns of the model's input, and nothing else, to a file.
pub(super) fn model_input(
    context: &Context,
    model: &Model,
    data: &Dataset,
    to: &Utf8Path,
) -> Result<(), OperationError> {
    let wanted = data.wanted(super::schema(context, &model.input)?)?;
    let batches = data.read(&wanted, None, context.cancelled)?;
    let mut writer = DatasetWriter::create(to, batches.schema())?;
    for batch in batches {
        writer.write(&batch?.records)?;
    }
    writer.finish()?;
    Ok(())
}

/// Runs the predict function of a model artifact; a baseline needs no Python. Checks that every row got its prediction.
pub(super) fn predict(
    context: &Context,
    request: &PredictRequest,
    rows: u64,
) -> Result<(Dataset, PredictResponse), OperationError> {
    let response = if super::prior::is_prior(request.artifact) {
        super::prior::prior_predict(request)?
    } else {
        context.python.predict(request)?
    };
    let name = format!("What the model `{}` predicted", request.model.name);
    let predictions = Dataset::open_named(request.output, &name)?;
    if predictions.rows() != rows {
        return Err(OperationError::Input {
            summary: format!(
                "The model `{}` gave {} predictions for {} rows.",
                request.model.name,
                thousands(predictions.rows()),
                thousands(rows)
            ),
            help: format!(
                "`{}` must return one prediction for each row, in the rows' order.",
                request.model.run.function
            ),
        });
    }
    Ok((predictions, response))
}

/// What a model is judged by.
#[derive(Clone, Copy)]
pub(super) struct Target<'a> {
    /// The label's column.
    pub label: &'a str,
    /// The label value that counts as positive.
    pub positive: Option<&'a Value>,
    /// The protected columns.
    pub protected: &'a [String],
}

/// Labels, predictions, groups and latencies of one model on a dataset.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Scored {
    /// What the metrics are computed from.
    pub evaluation: Evaluation,
    /// Milliseconds of single predictions.
    pub latencies: Vec<f64>,
}

/// Predicts a dataset (whose model input was written to `request.data`) and reads labels and groups beside the predictions.
pub(super) fn score(
    context: &Context,
    request: &PredictRequest,
    data: &Dataset,
    target: Target,
) -> Result<Scored, OperationError> {
    let labels = labels(context, data, request.model.task, target)?;
    let (predictions, response) = predict(context, request, data.rows())?;
    let sample = match labels {
        Labels::Binary(labels) => binary_sample(context, request.model, labels, &predictions)?,
        Labels::Classes(labels) => multiclass_sample(context, request.model, &labels, &predictions)?,
        Labels::Numbers(labels) => regression_sample(context, request.model, labels, &predictions)?,
    };
    let groupings = target.protected.iter().map(|column| grouping(context, data, column));
    let evaluation = Evaluation {
        sample,
        groupings: groupings.collect::<Result<_, _>>()?,
    };
    Ok(Scored {
        evaluation,
        latencies: response.latencies,
    })
}

/// The labels of a dataset, one for each row.
pub(super) enum Labels {
    /// Whether the row is positive.
    Binary(Vec<bool>),
    /// The class of each row.
    Classes(Vec<String>),
    /// The number of each row.
    Numbers(Vec<f64>),
}

/// Reads the labels as a task needs them.
pub(super) fn labels(context: &Context, data: &Dataset, task: Task, target: Target) -> Result<Labels, OperationError> {
    match task {
        Task::BinaryClassification => {
            let column = column(context, data, target.label)?;
            let positive = positive_text(target, column.data_type())?;
            let texts = texts(&column, target.label)?;
            Ok(Labels::Binary(texts.into_iter().map(|text| text == positive).collect()))
        }
        Task::MulticlassClassification => {
            let column = column(context, data, target.label)?;
            Ok(Labels::Classes(texts(&column, target.label)?))
        }
        Task::Regression => Ok(Labels::Numbers(numbers(context, data, target.label)?)),
    }
}

fn binary_sample(
    context: &Context,
    model: &Model,
    labels: Vec<bool>,
    predictions: &Dataset,
) -> Result<Sample, OperationError> {
    let field = output_field(model, "probability");
    let probabilities = numbers(context, predictions, field)?;
    for (row, probability) in probabilities.iter().enumerate() {
        check_probability(model, field, row, *probability)?;
    }
    Ok(Sample::Binary(binary::Sample::new(labels, probabilities)))
}

fn multiclass_sample(
    context: &Context,
    model: &Model,
    labels: &[String],
    predictions: &Dataset,
) -> Result<Sample, OperationError> {
    let field = output_field(model, "probabilities");
    let rows = class_probabilities(model, field, &column(context, predictions, field)?)?;
    let mut classes: Vec<String> = rows.iter().flat_map(BTreeMap::keys).chain(labels).cloned().collect();
    classes.sort_unstable();
    classes.dedup();
    let mut flat = Vec::with_capacity(rows.len() * classes.len());
    for (number, row) in rows.iter().enumerate() {
        for probability in row.values() {
            check_probability(model, field, number, *probability)?;
        }
        let sum: f64 = row.values().sum();
        if (sum - 1.0).abs() > 1e-3 {
            let what = format!("probabilities that add up to {sum}, not 1,");
            return Err(bad_output(model, field, number, &what));
        }
        flat.extend(classes.iter().map(|class| row.get(class).copied().unwrap_or(0.0)));
    }
    let index = |label: &String| classes.binary_search(label).unwrap_or(0);
    let labels = labels.iter().map(index).collect();
    Ok(Sample::Multiclass(multiclass::Sample::new(classes, labels, flat)))
}

fn regression_sample(
    context: &Context,
    model: &Model,
    labels: Vec<f64>,
    predictions: &Dataset,
) -> Result<Sample, OperationError> {
    let field = output_field(model, "value");
    let values = numbers(context, predictions, field)?;
    for (row, value) in values.iter().enumerate() {
        if !value.is_finite() {
            return Err(bad_output(model, field, row, &value.to_string()));
        }
    }
    Ok(Sample::Regression(regression::Sample::new(labels, values)))
}

/// The rows by group of a protected column: numbers by band, all else by value.
fn grouping(context: &Context, data: &Dataset, name: &str) -> Result<Grouping, OperationError> {
    let values = column(context, data, name)?;
    if values.data_type().is_numeric() {
        let values = column_as(context, data, name, ArrowType::Float64)?;
        let values: Vec<Option<f64>> = values.as_primitive::<Float64Type>().iter().collect();
        return Ok(Grouping::by_number(name, &values));
    }
    let values: Vec<_> = (0..values.len()).map(|row| cell::present_text(&values, row)).collect();
    Ok(Grouping::by_value(name, &values))
}

/// The output field that a task reads: by its usual name, or the only one there is.
pub(super) fn output_field<'a>(model: &'a Model, usual: &'a str) -> &'a str {
    match model.output.as_slice() {
        [only] => &only.name,
        _ => usual,
    }
}

/// How the positive label value is written in the data.
fn positive_text(target: Target, ty: &ArrowType) -> Result<String, OperationError> {
    match (target.positive, ty) {
        (Some(Value::Bool(value)), _) => Ok(value.to_string()),
        (Some(Value::Int(value)), _) => Ok(value.to_string()),
        (Some(Value::Float(value)), _) => Ok(cell::float_text(*value)),
        (Some(Value::String(text) | Value::Enum(text) | Value::Date(text) | Value::Datetime(text)), _) => {
            Ok(text.clone())
        }
        (None, ArrowType::Boolean) => Ok("true".to_owned()),
        (None, ArrowType::Int64) => Ok("1".to_owned()),
        (
            None
            | Some(
                Value::None
                | Value::Duration(_)
                | Value::Size(_)
                | Value::Money { .. }
                | Value::List(_)
                | Value::Map(_),
            ),
            _,
        ) => Err(OperationError::Input {
            summary: format!(
                "Nothing says which value of the label `{}` counts as positive.",
                target.label
            ),
            help: "Name it in the schema, as in `@label(positive: bad)`, or make the label a `bool`.".to_owned(),
        }),
    }
}

/// A whole column as the file has it; text without a dictionary.
pub(super) fn column(context: &Context, data: &Dataset, name: &str) -> Result<ArrayRef, OperationError> {
    let own = data
        .fields()
        .find(name)
        .map_or(&ArrowType::Utf8, |(_, field)| field.data_type());
    let is_text = matches!(
        own,
        ArrowType::Dictionary(..) | ArrowType::LargeUtf8 | ArrowType::Utf8View
    );
    let ty = if is_text { ArrowType::Utf8 } else { own.clone() };
    column_as(context, data, name, ty)
}

fn column_as(context: &Context, data: &Dataset, name: &str, ty: ArrowType) -> Result<ArrayRef, OperationError> {
    let wanted = [Wanted {
        name: name.to_owned(),
        ty: ty.clone(),
    }];
    let mut parts = Vec::new();
    for batch in data.read(&wanted, None, context.cancelled)? {
        parts.extend(batch?.records.columns().first().cloned());
    }
    if parts.is_empty() {
        return Ok(arrow::array::new_empty_array(&ty));
    }
    let parts: Vec<&dyn Array> = parts.iter().map(AsRef::as_ref).collect();
    concat(&parts).map_err(misbuilt)
}

/// A column of numbers, every one present.
fn numbers(context: &Context, data: &Dataset, name: &str) -> Result<Vec<f64>, OperationError> {
    let column = column_as(context, data, name, ArrowType::Float64)?;
    let numbers = column.as_primitive::<Float64Type>();
    (0..numbers.len())
        .map(|row| {
            if numbers.is_null(row) {
                Err(absent(name, row))
            } else {
                Ok(numbers.value(row))
            }
        })
        .collect()
}

fn texts(column: &dyn Array, name: &str) -> Result<Vec<String>, OperationError> {
    (0..column.len())
        .map(|row| cell::present_text(column, row).ok_or_else(|| absent(name, row)))
        .collect()
}

fn absent(name: &str, row: usize) -> OperationError {
    OperationError::Input {
        summary: format!(
            "Row {}: the column `{name}` is absent, so the row cannot be scored.",
            thousands(row as u64 + 1)
        ),
        help: "Leave rows without a label out before the data is split; a model must predict every row.".to_owned(),
    }
}

fn check_probability(model: &Model, field: &str, row: usize, probability: f64) -> Result<(), OperationError> {
    if (0.0..=1.0).contains(&probability) {
        Ok(())
    } else {
        Err(bad_output(model, field, row, &probability.to_string()))
    }
}

fn bad_output(model: &Model, field: &str, row: usize, what: &str) -> OperationError {
    OperationError::Input {
        summary: format!(
            "The model `{}` gave {what} as `{field}` for row {}.",
            model.name,
            thousands(row as u64 + 1)
        ),
        help: format!(
            "`{}` in {} must return a {} for every row.",
            model.run.function,
            model.run.file,
            match model.task {
                Task::BinaryClassification => "probability between 0 and 1",
                Task::MulticlassClassification => "probability between 0 and 1 for each class, adding up to 1,",
                Task::Regression => "finite number",
            }
        ),
    }
}

/// The probabilities of each row by class, from a map, a record or a JSON object.
fn class_probabilities(
    model: &Model,
    field: &str,
    column: &ArrayRef,
) -> Result<Vec<BTreeMap<String, f64>>, OperationError> {
    let read = |row: usize| -> Option<BTreeMap<String, f64>> {
        if column.is_null(row) {
            return None;
        }
        if let Some(map) = column.as_map_opt() {
            let entries = map.value(row);
            let (keys, values) = (entries.column(0), entries.column(1));
            let entry = |entry| Some((cell::present_text(keys, entry)?, float(values, entry)?));
            return (0..entries.len()).map(entry).collect();
        }
        if let Some(record) = column.as_struct_opt() {
            // A class that a row does not name is absent in its record.
            let parts = record.fields().iter().zip(record.columns());
            let parts = parts.filter(|(_, values)| !values.is_null(row));
            return parts
                .map(|(field, values)| Some((field.name().clone(), float(values, row)?)))
                .collect();
        }
        serde_json::from_str(column.as_string_opt::<i32>()?.value(row)).ok()
    };
    (0..column.len())
        .map(|row| read(row).ok_or_else(|| bad_output(model, field, row, "no map of classes to probabilities")))
        .collect()
}

fn float(values: &dyn Array, row: usize) -> Option<f64> {
    if values.is_null(row) {
        return None;
    }
    let narrow = || {
        values
            .as_primitive_opt::<Float32Type>()
            .map(|values| f64::from(values.value(row)))
    };
    values
        .as_primitive_opt::<Float64Type>()
        .map(|values| values.value(row))
        .or_else(narrow)
}
