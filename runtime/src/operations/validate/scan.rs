//! The pass over the rows: which columns are read and how, and the threads that read them. It finds; it does not judge.

use std::num::NonZeroUsize;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use arrow::datatypes::DataType as ArrowType;
use mlp::plan::{Check, Checks};
use mlp::types::Schema;

use super::constraints::{Checker, Constraint, Violations, constraints};
use super::measures::{Collection, Measure, Tally};
use crate::data::dataset::{Dataset, Wanted};
use crate::data::layout;
use crate::data::secret::HashKey;
use crate::operations::{Context, OperationError};

/// How many keys and numbers are kept in memory, all checks and threads together: 96 MB.
const BUDGET: usize = 12 << 20;
/// The least that one collection keeps before it goes to disk.
const LEAST: usize = 1 << 16;

/// What is looked for.
pub(super) struct Scan<'a> {
    pub(super) dataset: &'a Dataset,
    pub(super) schema: &'a Schema,
    pub(super) constraints: Vec<Constraint>,
    /// The checks, each with what it needs measured.
    pub(super) checks: Vec<(&'a Check, Measure<'a>)>,
    /// The columns tagged `@key`, which together are unique; empty when there are none.
    pub(super) key: Vec<&'a str>,
    key_measure: Measure<'a>,
    wanted: Vec<Wanted>,
}

/// What was found.
pub(super) struct Found {
    /// For each constraint.
    pub(super) violations: Vec<Violations>,
    /// For each check, then for the key.
    pub(super) tallies: Vec<Tally>,
    /// For each check, then for the key, one for each thread.
    pub(super) collections: Vec<Vec<Collection>>,
}

/// What was found in one row group.
struct Part {
    violations: Vec<Violations>,
    tallies: Vec<Tally>,
}

impl<'a> Scan<'a> {
    /// # Errors
    /// When the dataset lacks a column of the schema, or a type does not fit.
    pub(super) fn new(
        schema: &'a Schema,
        checks: Option<&'a Checks>,
        dataset: &'a Dataset,
    ) -> Result<Self, OperationError> {
        let mut wanted = dataset.wanted(schema)?;
        let constraints = constraints(schema)?;
        let checks = checks.iter().flat_map(|checks| &checks.checks);
        let checks: Vec<_> = checks.map(|check| (check, Measure::of(check))).collect();
        let key: Vec<&str> = schema.tagged("key").map(|column| column.name.as_str()).collect();
        let mut scan = Self {
            dataset,
            schema,
            constraints,
            checks,
            key_measure: if key.is_empty() {
                Measure::Nothing
            } else {
                Measure::Keys(key.clone())
            },
            key,
            wanted: Vec::new(),
        };
        wanted.retain(|one| scan.must_read(&one.name));
        for one in &mut wanted {
            if one.ty == ArrowType::Utf8 && dataset.has_dictionary(&one.name) {
                one.ty = layout::dictionary();
            }
        }
        scan.wanted = wanted;
        Ok(scan)
    }

    /// Whether some condition needs the values of a column. The file itself tells how many are absent.
    fn must_read(&self, column: &str) -> bool {
        let known = self.dataset.absent(column);
        self.key.contains(&column)
            || self
                .constraints
                .iter()
                .any(|constraint| constraint.column == column && !(constraint.is_presence() && known == Some(0)))
            || self.checks.iter().any(|(_, measure)| match measure {
                Measure::Absent(own) => *own == column && known.is_none(),
                Measure::Nothing
                | Measure::Share(..)
                | Measure::Moments(_)
                | Measure::Extremes(_)
                | Measure::Keys(_)
                | Measure::Numbers(_) => measure.columns().contains(&column),
            })
    }

    /// What is measured: for each check, then for the key.
    fn measures(&self) -> impl Iterator<Item = &Measure<'a>> {
        self.checks
            .iter()
            .map(|(_, measure)| measure)
            .chain([&self.key_measure])
    }

    fn reads(&self, column: &str) -> bool {
        self.wanted.iter().any(|one| one.name == column)
    }

    /// Reads the dataset once.
    pub(super) fn run(&self, context: &Context) -> Result<Found, OperationError> {
        let groups = self.dataset.row_groups().len();
        let cores = thread::available_parallelism().map_or(1, NonZeroUsize::get);
        let threads = cores.min(groups).max(1);
        let next = AtomicUsize::new(0);
        let results: Vec<_> = thread::scope(|scope| {
            let workers: Vec<_> = (0..threads)
                .map(|_| scope.spawn(|| self.work(&next, groups, threads, context)))
                .collect();
            let joined = workers.into_iter().map(|worker| worker.join());
            joined
                .map(|result| result.unwrap_or_else(|panic| std::panic::resume_unwind(panic)))
                .collect()
        });
        let mut parts = Vec::with_capacity(groups);
        let mut collections: Vec<Vec<Collection>> = Vec::new();
        for result in results {
            let worker = result?;
            parts.extend(worker.parts);
            collections.resize_with(worker.collections.len(), Vec::new);
            for (all, own) in collections.iter_mut().zip(worker.collections) {
                all.push(own);
            }
        }
        parts.sort_by_key(|(group, _)| *group);
        let mut all = self.empty_part();
        for (_, part) in &parts {
            all.violations
                .iter_mut()
                .zip(&part.violations)
                .for_each(|(all, own)| all.merge(own));
            all.tallies
                .iter_mut()
                .zip(&part.tallies)
                .for_each(|(all, own)| all.merge(own));
        }
        Ok(Found {
            violations: all.violations,
            tallies: all.tallies,
            collections,
        })
    }

    fn empty_part(&self) -> Part {
        Part {
            violations: vec![Violations::default(); self.constraints.len()],
            tallies: self.measures().map(Measure::tally).collect(),
        }
    }

    /// What one thread does: takes row groups until there are no more.
    fn work(
        &self,
        next: &AtomicUsize,
        groups: usize,
        threads: usize,
        context: &Context,
    ) -> Result<Worker<'_>, OperationError> {
        let mut worker = Worker::new(self, threads, context);
        if self.wanted.is_empty() {
            return Ok(worker);
        }
        loop {
            let group = next.fetch_add(1, Ordering::Relaxed);
            if group >= groups {
                return Ok(worker);
            }
            // An error ends the other threads at their next row group.
            worker
                .read_group(group, context)
                .inspect_err(|_| next.store(groups, Ordering::Relaxed))?;
        }
    }
}

/// One thread's state: what it found in each row group it took, and what it collected over all of them.
struct Worker<'a> {
    scan: &'a Scan<'a>,
    /// For each constraint whose column is read: the column's place, and the checker.
    checkers: Vec<Option<(usize, Checker<'a>)>>,
    /// For each check, then for the key.
    collections: Vec<Collection>,
    parts: Vec<(usize, Part)>,
    key: HashKey,
}

impl<'a> Worker<'a> {
    fn new(scan: &'a Scan<'a>, threads: usize, context: &Context) -> Self {
        let growing = scan.measures().filter(|measure| measure.grows()).count();
        let budget = (BUDGET / (growing.max(1) * threads)).max(LEAST);
        let expected = usize::try_from(scan.dataset.rows()).unwrap_or(usize::MAX) / threads;
        let collections = scan
            .measures()
            .map(|measure| measure.collection(expected, budget, context.outputs));
        let checkers = scan.constraints.iter().map(|constraint| {
            let place = scan.wanted.iter().position(|one| one.name == constraint.column)?;
            Some((place, Checker::new(constraint)))
        });
        Self {
            scan,
            checkers: checkers.collect(),
            collections: collections.collect(),
            parts: Vec::new(),
            key: HashKey::new(context.project),
        }
    }

    fn read_group(&mut self, group: usize, context: &Context) -> Result<(), OperationError> {
        let scan = self.scan;
        let mut part = scan.empty_part();
        for batch in scan
            .dataset
            .read(&scan.wanted, Some(group..group + 1), context.cancelled)?
        {
            let batch = batch?;
            for (checker, violations) in self.checkers.iter_mut().zip(&mut part.violations) {
                if let Some((place, checker)) = checker {
                    checker.check(batch.records.column(*place), batch.first_row, violations);
                }
            }
            let tallies = part.tallies.iter_mut();
            for ((measure, tally), collection) in scan.measures().zip(tallies).zip(&mut self.collections) {
                if measure.columns().iter().all(|column| scan.reads(column)) {
                    measure.add(&batch, &self.key, tally, collection)?;
                }
            }
        }
        self.parts.push((group, part));
        Ok(())
    }
}
