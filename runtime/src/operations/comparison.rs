//! A condition that compares candidate and champion, tested for non-inferiority on paired rows.
//!
//! `candidate.m >= champion.m - margin` is the claim `d ≥ −margin`, where `d` is how much better the candidate is. It holds
//! when the one-sided lower bound of `d` is not below `−margin`, fails when the upper bound is, and is undecided between.

use mlp::plan::{BinaryOperator, Expression, MetricReference, Subject, UnaryOperator};

use super::Verdict;
use super::condition::{Reader, Unknown};
use super::scoring::Scored;
use crate::data::words::thousands;
use crate::metrics::{MetricId, Sample, latency, short};
use crate::statistics::{Placements, SplitMix64, bootstrap, mcnemar, normal_quantile, paired_proportions};

/// Fewer paired rows show nothing.
const FEWEST_ROWS: usize = 30;
/// Fewer rows of the rarer class, and the normal approximation of the AUC's distribution is not to be trusted.
const FEWEST_OF_A_CLASS: usize = 10;
/// The seed of every bootstrap.
const SEED: u64 = 0x6368_616C_6C65_6E67;

/// The claim `sign · (candidate − champion) ≥ −margin`.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Claim {
    /// The metric on both sides.
    pub metric: MetricId,
    /// 1 when higher values are demanded, −1 when lower ones.
    pub sign: f64,
    /// How much worse the candidate may be; negative when it must be better by so much.
    pub margin: f64,
    /// Whether equality does not suffice.
    pub strict: bool,
}

/// A sum of metrics with factors and a constant.
#[derive(Default)]
struct Linear {
    terms: Vec<(MetricReference, f64)>,
    constant: f64,
}

/// The claim a condition makes, if it compares one metric of candidate and champion.
pub(super) fn claim(expression: &Expression, reader: &Reader) -> Option<Claim> {
    let Expression::Binary { operator, left, right } = expression else {
        return None;
    };
    let (direction, strict) = match operator {
        BinaryOperator::GreaterEqual => (1.0, false),
        BinaryOperator::Greater => (1.0, true),
        BinaryOperator::LessEqual => (-1.0, false),
        BinaryOperator::Less => (-1.0, true),
        BinaryOperator::Coalesce
        | BinaryOperator::Or
        | BinaryOperator::And
        | BinaryOperator::Equal
        | BinaryOperator::NotEqual
        | BinaryOperator::Add
        | BinaryOperator::Subtract
        | BinaryOperator::Multiply
        | BinaryOperator::Divide
        | BinaryOperator::Remainder => return None,
    };
    let mut sum = Linear::default();
    add(&mut sum, left, 1.0, reader).ok()?;
    add(&mut sum, right, -1.0, reader).ok()?;
    let of = |subject| sum.terms.iter().find(|(metric, _)| metric.subject == subject);
    let ((candidate, factor), (champion, opposite)) = (of(Subject::Candidate)?, of(Subject::Champion)?);
    let same = candidate.metric == champion.metric && candidate.column == champion.column;
    if sum.terms.len() != 2 || !same || factor.abs() != 1.0 || *factor != -*opposite {
        return None;
    }
    Some(Claim {
        metric: MetricId {
            name: candidate.metric.clone(),
            column: candidate.column.clone(),
        },
        sign: direction * factor,
        margin: direction * sum.constant,
        strict,
    })
}

fn add(sum: &mut Linear, expression: &Expression, factor: f64, reader: &Reader) -> Result<(), Unknown> {
    if let Expression::Metric(metric) = expression {
        sum.terms.push((metric.clone(), factor));
        return Ok(());
    }
    if let Expression::Unary {
        operator: UnaryOperator::Negate,
        operand,
    } = expression
    {
        return add(sum, operand, -factor, reader);
    }
    if let Expression::Binary {
        operator: operator @ (BinaryOperator::Add | BinaryOperator::Subtract),
        left,
        right,
    } = expression
    {
        let adds = *operator == BinaryOperator::Add;
        add(sum, left, factor, reader)?;
        return add(sum, right, if adds { factor } else { -factor }, reader);
    }
    // Anything else must be a number by itself; with a metric inside it is no sum.
    if !super::condition::metrics(expression).is_empty() {
        return Err(Unknown::Undefined("not a sum of metrics and numbers".to_owned()));
    }
    sum.constant += factor * reader.number(expression)?;
    Ok(())
}

/// How a test came out.
#[derive(Clone, Debug, PartialEq, serde::Serialize)]
pub(super) struct Outcome {
    /// How the claim came out.
    pub verdict: Verdict,
    /// Why it is undecided, with what would decide it.
    pub reason: Option<String>,
    /// The test that was used.
    pub method: &'static str,
    /// The candidate's value.
    pub candidate: Option<f64>,
    /// The champion's value.
    pub champion: Option<f64>,
    /// Candidate minus champion.
    pub difference: Option<f64>,
    /// One-sided lower bound of the difference.
    pub low: Option<f64>,
    /// One-sided upper bound of the difference.
    pub high: Option<f64>,
    /// Standard error of the difference.
    pub standard_error: Option<f64>,
    /// Paired rows, or measured predictions.
    pub n: u64,
    /// How much worse the candidate may be.
    pub margin: f64,
    /// The two-sided p-value of `McNemar`'s test, for accuracies.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub mcnemar_p: Option<f64>,
}

/// A difference, candidate minus champion, with one-sided bounds.
struct Difference {
    method: &'static str,
    value: f64,
    low: f64,
    high: f64,
    standard_error: f64,
    mcnemar_p: Option<f64>,
}

/// Tests a claim at a one-sided confidence.
pub(super) fn test(claim: &Claim, candidate: &Scored, champion: &Scored, confidence: f64) -> Outcome {
    let of_latency = latency::PERCENTILES
        .iter()
        .find(|percentile| percentile.name == claim.metric.name);
    let values = match of_latency {
        Some(percentile) => [candidate, champion].map(|scored| {
            let estimate = latency::percentile(&scored.latencies, percentile.quantile);
            estimate.value.ok_or_else(|| estimate.undefined.unwrap_or_default())
        }),
        None => [candidate, champion].map(|scored| point(scored, &claim.metric)),
    };
    let n = of_latency.map_or(candidate.evaluation.sample.rows(), |_| {
        candidate.latencies.len().min(champion.latencies.len())
    });
    let difference = match &values {
        [Err(reason), _] => Err(format!("the candidate's {}: {reason}", claim.metric)),
        [_, Err(reason)] => Err(format!("the champion's {}: {reason}", claim.metric)),
        [Ok(own), Ok(other)] if candidate == champion => Ok(Difference::exact("identical predictions", own - other)),
        _ if n < FEWEST_ROWS => Err(format!("{n} paired rows; a comparison takes at least {FEWEST_ROWS}")),
        [Ok(own), Ok(other)] => match of_latency {
            Some(percentile) => Ok(latency_difference(
                candidate,
                champion,
                percentile.quantile,
                own - other,
                confidence,
            )),
            None => paired_difference(&claim.metric, candidate, champion, own - other, confidence),
        },
    };
    let [own, other] = values.map(Result::ok);
    decide(claim, difference, own, other, n as u64, confidence)
}

fn decide(
    claim: &Claim,
    difference: Result<Difference, String>,
    candidate: Option<f64>,
    champion: Option<f64>,
    n: u64,
    confidence: f64,
) -> Outcome {
    let mut outcome = Outcome {
        verdict: Verdict::InsufficientData,
        reason: None,
        method: "none",
        candidate,
        champion,
        difference: None,
        low: None,
        high: None,
        standard_error: None,
        n,
        margin: claim.margin,
        mcnemar_p: None,
    };
    let difference = match difference {
        Ok(difference) => difference,
        Err(reason) => {
            outcome.reason = Some(reason);
            return outcome;
        }
    };
    // In the direction that is demanded, the bounds may swap.
    let (worst, best) = if claim.sign > 0.0 {
        (difference.low, difference.high)
    } else {
        (-difference.high, -difference.low)
    };
    let enough = |bound: f64| {
        if claim.strict {
            bound > -claim.margin
        } else {
            bound >= -claim.margin
        }
    };
    outcome.verdict = match (enough(worst), enough(best)) {
        (true, _) => Verdict::Pass,
        (false, false) => Verdict::Fail,
        (false, true) => Verdict::InsufficientData,
    };
    if outcome.verdict == Verdict::InsufficientData {
        let gap = claim.sign * difference.value + claim.margin;
        outcome.reason = Some(how_many_more(n, difference.standard_error, gap, confidence));
    }
    outcome.method = difference.method;
    outcome.difference = Some(difference.value);
    outcome.low = Some(difference.low);
    outcome.high = Some(difference.high);
    outcome.standard_error = Some(difference.standard_error);
    outcome.mcnemar_p = difference.mcnemar_p;
    outcome
}

/// The error shrinks with the root of the rows: `n · (z · error / gap)²` of them would decide, were the difference to stay.
fn how_many_more(n: u64, standard_error: f64, gap: f64, confidence: f64) -> String {
    let needed = n as f64 * (normal_quantile(confidence) * standard_error / gap).powi(2);
    if needed.is_finite() && needed < 1e12 {
        let needed = (needed.ceil() as u64).max(n + 1);
        format!(
            "about {} rows ({} more) would decide it, if the difference stays as it is",
            thousands(needed),
            thousands(needed - n)
        )
    } else {
        "the difference lies at the margin itself, which no number of rows would decide".to_owned()
    }
}

fn point(scored: &Scored, metric: &MetricId) -> Result<f64, String> {
    let once = vec![1; scored.evaluation.sample.rows()];
    if let Some(reason) = scored.evaluation.unjudgeable(metric) {
        return Err(reason.0);
    }
    let measure = scored.evaluation.measure(metric, &once);
    measure
        .unwrap_or_else(|| Err(crate::metrics::Undefined("the task has no such metric".to_owned())))
        .map_err(|reason| reason.0)
}

impl Difference {
    fn exact(method: &'static str, value: f64) -> Self {
        Self {
            method,
            value,
            low: value,
            high: value,
            standard_error: 0.0,
            mcnemar_p: None,
        }
    }

    fn normal(method: &'static str, value: f64, centre: f64, standard_error: f64, confidence: f64) -> Self {
        let half = normal_quantile(confidence) * standard_error;
        Self {
            method,
            value,
            low: centre - half,
            high: centre + half,
            standard_error,
            mcnemar_p: None,
        }
    }
}

/// The test that suits the metric: `DeLong` for the AUC, paired proportions for accuracies, else the paired bootstrap.
fn paired_difference(
    metric: &MetricId,
    candidate: &Scored,
    champion: &Scored,
    value: f64,
    confidence: f64,
) -> Result<Difference, String> {
    match (
        &candidate.evaluation.sample,
        &champion.evaluation.sample,
        metric.name.as_str(),
    ) {
        (Sample::Binary(own), Sample::Binary(other), "auc") => {
            let own = Placements::new(own.labels(), own.probabilities());
            let other = Placements::new(other.labels(), other.probabilities());
            let (Some(own), Some(other)) = (own, other) else {
                return Err("each class must occur at least twice".to_owned());
            };
            if own.rarer() < FEWEST_OF_A_CLASS {
                let rarer = own.rarer();
                return Err(format!(
                    "{rarer} rows of the rarer class; the test takes at least {FEWEST_OF_A_CLASS}"
                ));
            }
            let error = own.variance_of_difference(&other).sqrt();
            Ok(Difference::normal("DeLong, paired", value, value, error, confidence))
        }
        (_, _, "accuracy" | "precision.micro" | "recall.micro" | "f1.micro") => {
            let (mut only_own, mut only_other) = (0, 0);
            let hits = hits(&candidate.evaluation.sample)
                .into_iter()
                .zip(hits(&champion.evaluation.sample));
            for hit in hits {
                only_own += u64::from(hit == (true, false));
                only_other += u64::from(hit == (false, true));
            }
            let paired = paired_proportions(only_own, only_other, candidate.evaluation.sample.rows() as u64);
            let mut difference = Difference::normal(
                "McNemar, with Bonett and Price's interval",
                paired.difference,
                paired.centre,
                paired.standard_error,
                confidence,
            );
            difference.mcnemar_p = Some(mcnemar(only_own, only_other).p_value);
            Ok(difference)
        }
        _ => {
            let replicates = bootstrap(candidate.evaluation.sample.rows(), SEED, |weights| {
                let of = |scored: &Scored| scored.evaluation.measure(metric, weights)?.ok();
                vec![of(candidate).zip(of(champion)).map(|(own, other)| own - other)]
            });
            let bounds = (
                replicates.quantile(0, 1.0 - confidence),
                replicates.quantile(0, confidence),
            );
            let (Some(low), Some(high)) = bounds else {
                return Err(format!("{metric} is undefined in too many resamples of the rows"));
            };
            Ok(Difference {
                method: "paired bootstrap",
                value,
                low,
                high,
                standard_error: replicates.standard_error(0).unwrap_or(0.0),
                mcnemar_p: None,
            })
        }
    }
}

/// Whether each row was decided rightly.
fn hits(sample: &Sample) -> Vec<bool> {
    match sample {
        Sample::Binary(sample) => {
            let decided = sample
                .probabilities()
                .iter()
                .map(|p| *p >= crate::metrics::binary::THRESHOLD);
            decided
                .zip(sample.labels())
                .map(|(decision, label)| decision == *label)
                .collect()
        }
        Sample::Multiclass(sample) => sample
            .decisions()
            .iter()
            .zip(sample.labels())
            .map(|(decision, label)| decision == label)
            .collect(),
        Sample::Regression(_) => Vec::new(),
    }
}

/// Latencies of two models are independent of each other: each is resampled by itself.
fn latency_difference(candidate: &Scored, champion: &Scored, quantile: f64, value: f64, confidence: f64) -> Difference {
    let mut random = SplitMix64::new(SEED);
    let mut resample = |latencies: &[f64]| {
        let mut drawn: Vec<f64> = (0..latencies.len())
            .filter_map(|_| latencies.get(random.below(latencies.len())).copied())
            .collect();
        drawn.sort_by(f64::total_cmp);
        latency::nearest_rank(&drawn, quantile).unwrap_or(f64::NAN)
    };
    let mut differences: Vec<f64> = (0..crate::statistics::REPLICATES)
        .map(|_| resample(&candidate.latencies) - resample(&champion.latencies))
        .collect();
    differences.sort_by(f64::total_cmp);
    let n = differences.len() as f64;
    let mean = differences.iter().sum::<f64>() / n;
    let variance = differences.iter().map(|each| (each - mean).powi(2)).sum::<f64>() / (n - 1.0);
    let at = |share| latency::nearest_rank(&differences, share).unwrap_or(value);
    Difference {
        method: "bootstrap",
        value,
        low: at(1.0 - confidence),
        high: at(confidence),
        standard_error: variance.sqrt(),
        mcnemar_p: None,
    }
}

impl Outcome {
    /// `0.74 against 0.75, difference -0.01 [-0.03, 0.02], n = 250 (DeLong, paired)`
    pub(super) fn told(&self) -> String {
        let mut told = match (self.candidate, self.champion, self.difference, self.low, self.high) {
            (Some(own), Some(other), Some(difference), Some(low), Some(high)) => format!(
                "{} against {}, difference {} [{}, {}], n = {} ({})",
                short(own),
                short(other),
                short(difference),
                short(low),
                short(high),
                self.n,
                self.method
            ),
            _ => String::new(),
        };
        if let Some(reason) = &self.reason {
            if !told.is_empty() {
                told.push_str("; ");
            }
            told.push_str(reason);
        }
        told
    }
}
