//! `drift(column, statistic) since baseline`: how far a column has moved from the data that the champion was made from.
//!
//! Numbers are held in memory, eight bytes for each of both sides; of categories only the counts. Whether the distance is
//! too far is judged elsewhere.

use std::collections::BTreeMap;

use arrow::array::AsArray;
use arrow::compute::cast;
use arrow::datatypes::{DataType as ArrowType, Float64Type};

use super::measures::floats;
use super::scan::Scan;
use crate::data::dataset::{Dataset, Wanted};
use crate::data::drift::{Counts, binned, decile_edges, ks, wasserstein};
use crate::data::layout;
use crate::operations::{Baseline, Context, OperationError, misbuilt};

/// How a comparison with the baseline came out.
pub(super) enum Drift {
    /// There is nothing to compare with, and why.
    NoBaseline(String),
    /// There should be, but it cannot be told, and why.
    Untold(String),
    /// The distance.
    Distance(f64),
}

/// Compares a column with the baseline's.
///
/// # Errors
/// When a dataset cannot be read, or the run is cancelled.
pub(super) fn measure(
    scan: &Scan<'_>,
    column: &str,
    statistic: &str,
    context: &Context,
) -> Result<Drift, OperationError> {
    let baseline = match context.baseline {
        Baseline::None(why) => return Ok(Drift::NoBaseline(why.clone())),
        Baseline::Gone(what) => {
            return Ok(Drift::Untold(format!(
                "{what} is no longer in the store. Restore `.mlp/store` from a backup, or take the check out until a new \
                 champion serves, whose data is then the baseline"
            )));
        }
        Baseline::Dataset(path) => Dataset::open_named(path, "The baseline")?,
    };
    if baseline.fields().find(column).is_none() {
        let why = format!("the champion's data has no column `{column}`");
        return Ok(Drift::NoBaseline(why));
    }
    let Some(declared) = scan.schema.column(column) else {
        return Ok(Drift::Untold(format!(
            "`{}` has no column `{column}`",
            scan.schema.name
        )));
    };
    let wanted = Wanted {
        name: column.to_owned(),
        ty: layout::arrow_type(&declared.ty, column)?,
    };
    if baseline
        .read(std::slice::from_ref(&wanted), None, context.cancelled)
        .is_err()
    {
        return Ok(Drift::Untold(format!(
            "the champion's data has another type in the column `{column}`. Take the check out until a new champion serves"
        )));
    }
    let distance = if matches!(wanted.ty, ArrowType::Boolean | ArrowType::Utf8) {
        let (reference, other) = category_counts(&baseline, scan.dataset, &wanted, context)?;
        Counts::new(&reference, &other).and_then(|counts| of_counts(counts, statistic))
    } else {
        let reference = sorted_numbers(&baseline, &wanted, context)?;
        of_numbers(&reference, &sorted_numbers(scan.dataset, &wanted, context)?, statistic)
    };
    let nothing = || Drift::Untold("one of the two sides has no values".to_owned());
    Ok(distance.map_or_else(nothing, Drift::Distance))
}

/// Numbers are compared as they are, or by how many lie in each tenth of the baseline.
fn of_numbers(reference: &[f64], other: &[f64], statistic: &str) -> Option<f64> {
    match statistic {
        "ks" => ks(reference, other),
        "wasserstein" => wasserstein(reference, other),
        _ => {
            let edges = decile_edges(reference);
            let counts = (binned(reference, &edges), binned(other, &edges));
            of_counts(Counts::new(&counts.0, &counts.1)?, statistic)
        }
    }
}

fn of_counts(counts: Counts<'_>, statistic: &str) -> Option<f64> {
    match statistic {
        "psi" => Some(counts.psi()),
        "js_divergence" => Some(counts.js_divergence()),
        "js_distance" => Some(counts.js_distance()),
        "chi2" => Some(counts.chi2()),
        "l_infinity" => Some(counts.l_infinity()),
        _ => None,
    }
}

/// The present numbers of a column, ascending.
fn sorted_numbers(dataset: &Dataset, wanted: &Wanted, context: &Context) -> Result<Vec<f64>, OperationError> {
    let mut numbers = Vec::new();
    for batch in dataset.read(std::slice::from_ref(wanted), None, context.cancelled)? {
        let floats = floats(batch?.records.column(0))?;
        let present = floats.as_primitive::<Float64Type>().iter().flatten();
        numbers.extend(present.filter(|number| !number.is_nan()));
    }
    numbers.sort_unstable_by(f64::total_cmp);
    Ok(numbers)
}

/// How often each category that either side has stands in the baseline and in the present data.
fn category_counts(
    baseline: &Dataset,
    present: &Dataset,
    wanted: &Wanted,
    context: &Context,
) -> Result<(Vec<u64>, Vec<u64>), OperationError> {
    let mut counts: BTreeMap<String, (u64, u64)> = BTreeMap::new();
    for (dataset, is_baseline) in [(baseline, true), (present, false)] {
        for batch in dataset.read(std::slice::from_ref(wanted), None, context.cancelled)? {
            let texts = cast(batch?.records.column(0), &ArrowType::Utf8).map_err(misbuilt)?;
            for text in texts.as_string::<i32>().iter().flatten() {
                if !counts.contains_key(text) {
                    counts.insert(text.to_owned(), (0, 0));
                }
                if let Some((reference, other)) = counts.get_mut(text) {
                    *(if is_baseline { reference } else { other }) += 1;
                }
            }
        }
    }
    Ok(counts.into_values().unzip())
}
