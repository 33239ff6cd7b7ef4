//! `split`: which method, which shares.

use crate::check::pipelines::calls::Site;
use crate::check::pipelines::elaborator::Elaborator;
use crate::check::pipelines::fitting::dataset;
use crate::check::pipelines::generics::input_evidence;
use crate::diagnostics::{Applicability, Code, Edit, EditPosition};
use crate::plan::{Operation, SplitMethod, SplitPart};
use crate::types::{DataKind, Schema, Type, Value};

use super::{Built, columns, is_broken};

/// `split(data, test: 25%, stratify: label, seed: 42)`
pub(super) fn split(elaborator: &mut Elaborator<'_>, site: &Site<'_>) -> Option<Built> {
    let schema = site.generics.schema("S")?;
    let parts = shares(elaborator, site)?;
    let options = ["stratify", "by_time", "by_key", "seed"];
    if options.iter().any(|name| is_broken(site, name)) {
        return None;
    }
    let method = method(elaborator, site, &schema)?;
    let ty = dataset(schema, input_evidence(site));
    let outputs: Vec<(String, Type)> = parts.iter().map(|part| (part.name.clone(), ty.clone())).collect();
    let mut built = Built::new(Operation::Split { method, parts }, &["data"]);
    built.outputs = Some(outputs);
    Some(built)
}

fn shares(elaborator: &mut Elaborator<'_>, site: &Site<'_>) -> Option<Vec<SplitPart>> {
    let test = elaborator.constant(site, "test")?.as_number()?;
    let validation = elaborator.constant(site, "validation")?.as_number()?;
    // What is left over is rounded, so that 1 - 20% - 10% is 70%.
    let train = ((1.0 - test - validation) * 1e12).round() / 1e12;
    let message = if train <= 0.0 {
        let taken = ((test + validation) * 1e4).round() / 1e2;
        format!("`split` gives {taken}% of the rows away, so that none is left to train on.")
    } else if test <= 0.0 {
        "`split` gives no rows to the part `test`.".to_owned()
    } else {
        let part = |name: &str, fraction| SplitPart {
            name: name.to_owned(),
            fraction,
        };
        let mut parts = vec![part("train", train), part("test", test)];
        if validation > 0.0 {
            parts.push(part("validation", validation));
        }
        return Some(parts);
    };
    let problem = elaborator.problem(Code::SplitShares, site.place_of("test"), message);
    elaborator.report(problem.help("Keep `test` above 0, and `test` and `validation` together below 100%."));
    None
}

fn method(elaborator: &mut Elaborator<'_>, site: &Site<'_>, schema: &Schema) -> Option<SplitMethod> {
    let stratify = columns(site, "stratify").pop();
    let by_time = columns(site, "by_time").pop();
    let by_key = columns(site, "by_key");
    let ways = [
        ("stratify", stratify.is_some()),
        ("by_time", by_time.is_some()),
        ("by_key", !by_key.is_empty()),
    ];
    let chosen: Vec<&str> = ways
        .into_iter()
        .filter_map(|(name, given)| given.then_some(name))
        .collect();
    if let [first, second, ..] = chosen.as_slice() {
        let message = format!("`split` divides rows in one way, and `{first}` and `{second}` are two.");
        let problem = elaborator.problem(Code::SplitMethods, site.place_of(second), message);
        let problem = problem.also(elaborator.place(site.place_of(first)), "the first way");
        elaborator.report(problem.help("Keep one of them."));
        return None;
    }
    if let Some(column) = by_time {
        return by_time_column(elaborator, site, schema, column);
    }
    let seed = seed(elaborator, site)?;
    if let Some(column) = stratify {
        return Some(SplitMethod::Stratified { column, seed });
    }
    if by_key.is_empty() {
        return Some(SplitMethod::Random { seed });
    }
    Some(SplitMethod::Key { columns: by_key, seed })
}

fn by_time_column(
    elaborator: &mut Elaborator<'_>,
    site: &Site<'_>,
    schema: &Schema,
    column: String,
) -> Option<SplitMethod> {
    let ty = &schema.column(&column)?.ty;
    if is_time(ty) {
        return Some(SplitMethod::Time { column });
    }
    let message = format!("`by_time` needs a `date` or `datetime`, and `{column}` is `{ty}`.");
    let problem = elaborator.problem(Code::ArgumentType, site.place_of("by_time"), message);
    let times = schema.columns.iter().filter(|column| is_time(&column.ty));
    let names: Vec<&str> = times.map(|column| column.name.as_str()).collect();
    let help = if names.is_empty() {
        format!(
            "`{}` has no such column: leave `by_time` out, and give a `seed`.",
            schema.name
        )
    } else {
        format!("Such columns are {}.", crate::types::display::enumerate(&names))
    };
    elaborator.report(problem.help(help));
    None
}

fn is_time(ty: &crate::types::DataType) -> bool {
    matches!(ty.kind, DataKind::Date | DataKind::Datetime) && !ty.optional
}

fn seed(elaborator: &mut Elaborator<'_>, site: &Site<'_>) -> Option<i64> {
    // A seed that is no constant has been reported.
    if let Value::Int(seed) = elaborator.constant(site, "seed")? {
        return Some(seed);
    }
    let message = "`split` draws rows at random, and without a `seed` every run would draw others.";
    let mut problem = elaborator.problem(Code::MissingSeed, site.call.parentheses, message);
    problem = problem
        .also(elaborator.declared(site, "seed"), "this parameter decides which rows are drawn")
        .note("A split that changes from run to run makes the metrics of two runs incomparable, and nothing can be reused.")
        .help("Any number will do, as long as it stays: `seed: 42`.");
    if let Some(last) = site.call.arguments.last() {
        let edit = Edit {
            place: elaborator.place(last.id),
            position: EditPosition::After,
            text: ", seed: 42".to_owned(),
        };
        problem = problem.fix("Add `seed: 42`", Applicability::Safe, vec![edit]);
    }
    elaborator.report(problem);
    None
}
