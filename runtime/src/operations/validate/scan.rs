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
    wanted: Vec<Wanted>,
}

/// What was found.
pub(super) struct Found {
    /// For each constraint.
    pub(super) violations: Vec<Violations>,
    /// For each check.
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

    fn reads(&self, column: &str) -> bool {
        self.wanted.iter().any(|one| one.name == column)
    }

    /// Reads the dataset once.
    pub(super) fn run(&self, context: &Context) -> Result<Found, OperationError> {
        let groups = self.dataset.row_groups().len();
        let cores = thread::available_parallelism().map_or(1, NonZeroUsize::get);
        let threads = cores.min(groups).max(1);
        let next = AtomicUsize::new(0);
        let key = HashKey::new(context.project);
        let results: Vec<_> = thread::scope(|scope| {
            let workers: Vec<_> = (0..threads)
                .map(|_| scope.spawn(|| self.work(&next, groups, threads, &key, context)))
                .collect();
            let joined = workers.into_iter().map(|worker| worker.join());
            joined
                .map(|result| result.unwrap_or_else(|panic| std::panic::resume_unwind(panic)))
                .collect()
        });
        let mut parts = Vec::with_capacity(groups);
        let mut collections: Vec<Vec<Collection>> = Vec::new();
        for result in results {
            let (own_parts, own_collections) = result?;
            parts.extend(own_parts);
            collections.resize_with(own_collections.len(), Vec::new);
            for (all, own) in collections.iter_mut().zip(own_collections) {
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
            tallies: self.checks.iter().map(|(_, measure)| measure.tally()).collect(),
        }
    }

    /// What one thread does: takes row groups until there are no more.
    fn work(
        &self,
        next: &AtomicUsize,
        groups: usize,
        threads: usize,
        hash_key: &HashKey,
        context: &Context,
    ) -> Result<(Vec<(usize, Part)>, Vec<Collection>), OperationError> {
        let key = Measure::Keys(self.key.clone());
        let nothing = Measure::Nothing;
        let key = if self.key.is_empty() { &nothing } else { &key };
        let measures: Vec<&Measure> = self.checks.iter().map(|(_, measure)| measure).chain([key]).collect();
        let growing = measures
            .iter()
            .filter(|measure| matches!(measure, Measure::Keys(_) | Measure::Numbers(_)));
        let budget = (BUDGET / (growing.count().max(1) * threads)).max(LEAST);
        let expected = usize::try_from(self.dataset.rows()).unwrap_or(usize::MAX) / threads;
        let mut collections: Vec<Collection> = measures
            .iter()
            .map(|measure| measure.collection(expected, budget, context.outputs))
            .collect();
        let mut checkers: Vec<Option<(usize, Checker)>> = self
            .constraints
            .iter()
            .map(|constraint| {
                let place = self.wanted.iter().position(|one| one.name == constraint.column)?;
                Some((place, Checker::new(constraint)))
            })
            .collect();
        let mut parts = Vec::new();
        loop {
            let group = next.fetch_add(1, Ordering::Relaxed);
            if group >= groups {
                return Ok((parts, collections));
            }
            let mut part = self.empty_part();
            let mut key_tally = Tally::Nothing;
            if self.wanted.is_empty() {
                continue;
            }
            let batches = self
                .dataset
                .read(&self.wanted, Some(group..group + 1), context.cancelled);
            // An error ends the other threads at their next row group.
            let batches = batches.inspect_err(|_| next.store(groups, Ordering::Relaxed))?;
            for batch in batches {
                let batch = batch.inspect_err(|_| next.store(groups, Ordering::Relaxed))?;
                for (checker, violations) in checkers.iter_mut().zip(&mut part.violations) {
                    if let Some((place, checker)) = checker {
                        checker.check(batch.records.column(*place), batch.first_row, violations);
                    }
                }
                let tallies = part.tallies.iter_mut().chain([&mut key_tally]);
                for ((measure, tally), collection) in measures.iter().zip(tallies).zip(&mut collections) {
                    if measure.columns().iter().all(|column| self.reads(column)) {
                        measure.add(&batch, hash_key, tally, collection)?;
                    }
                }
            }
            parts.push((group, part));
        }
    }
}
