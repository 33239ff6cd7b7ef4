//! The operation `challenge`: candidate against champion on the same rows, tested for non-inferiority.

use std::collections::BTreeMap;

use mlp::plan::{Challenge, Condition, MetricReference, Subject};

use super::condition::{self, Judged, Reader};
use super::evaluate::LATENCY_SAMPLES;
use super::scoring::{self, Artifact, Scored, Scratch, Target};
use super::{Context, OperationError, PredictRequest, Report, comparison, gate};
use crate::data::dataset::Dataset;
use crate::data::words;
use crate::metrics::{Estimate, Measure, MetricId, Undefined, latency, short};
use crate::registry::{Registry, Stage};

/// The two models' predictions on the same rows.
struct Duel {
    candidate: Scored,
    champion: Scored,
}

/// `candidate`, `champion`, `on` → `output`.
pub(super) fn run(challenge: &Challenge, context: &Context) -> Result<Report, OperationError> {
    let candidate = scoring::artifact(context, "candidate")?;
    let champion = scoring::artifact(context, "champion")?;
    let on = scoring::artifact(context, "on")?;
    let data = super::open_dataset(context, "on")?;
    let duel = fight(challenge, context, candidate, champion, &data)?;
    let judged = challenge
        .conditions
        .iter()
        .map(|condition| judge(condition, challenge, &duel, context));
    let judged = judged.collect::<Result<Vec<_>, _>>()?;
    let verdict = condition::overall(&judged);
    let same = candidate.digest == champion.digest;
    let record = serde_json::json!({
        "verdict": verdict,
        "candidate": candidate.digest,
        "champion": champion.digest,
        "same_model": same,
        "data": { "digest": on.digest, "rows": data.rows() },
        "confidence": challenge.confidence,
        "conditions": condition::records(&judged),
    });
    let mut report = gate::finish(context, candidate, Stage::Challenge, judged, verdict, record)?;
    Registry::open(context.registry)?.keep_victory(candidate.digest, champion.digest)?;
    if same {
        report
            .summary
            .push_str(", and the candidate is the champion: the same model");
    }
    Ok(report)
}

fn fight(
    challenge: &Challenge,
    context: &Context,
    candidate: Artifact,
    champion: Artifact,
    data: &Dataset,
) -> Result<Duel, OperationError> {
    let model = scoring::model(context, &challenge.model)?;
    let reads_latency = challenge.conditions.iter().any(|condition| {
        let metrics = condition::metrics(&condition.expression);
        metrics.iter().any(|metric| percentile(&metric.metric).is_some())
    });
    let scratch = Scratch::new(context)?;
    let input = scratch.file("input.parquet");
    scoring::model_input(context, model, data, &input)?;
    let target = Target {
        label: &challenge.label,
        positive: challenge.positive.as_ref(),
        protected: &challenge.protected,
    };
    let score = |artifact: Artifact, output: &str| {
        let request = PredictRequest {
            model,
            artifact: artifact.path,
            data: &input,
            output: &scratch.file(output),
            latency_samples: if reads_latency { LATENCY_SAMPLES } else { 0 },
        };
        scoring::score(context, &request, data, target)
    };
    let own = score(candidate, "candidate.parquet")?;
    // One artifact has one behaviour; its latency must not be held against itself by chance.
    let other = if candidate.digest == champion.digest {
        own.clone()
    } else {
        score(champion, "champion.parquet")?
    };
    Ok(Duel {
        candidate: own,
        champion: other,
    })
}

fn judge(
    condition: &Condition,
    challenge: &Challenge,
    duel: &Duel,
    context: &Context,
) -> Result<Judged, OperationError> {
    let measure = |reference: &MetricReference| duel.measure(reference);
    let reader = Reader::new(context, condition, &measure);
    for reference in condition::metrics(&condition.expression) {
        // A name nobody knows is a mistake of the program, not a lack of data.
        duel.measure(&reference)?.ok();
    }
    let values = reader.values(&condition.expression);
    if let Some(claim) = comparison::claim(&condition.expression, &reader) {
        let outcome = comparison::test(&claim, &duel.candidate, &duel.champion, challenge.confidence);
        return Ok(Judged {
            text: condition.text.clone(),
            verdict: outcome.verdict,
            told: outcome.told(),
            record: serde_json::json!({
                "text": condition.text,
                "verdict": outcome.verdict,
                "test": outcome,
                "values": values.into_iter().collect::<BTreeMap<_, _>>(),
            }),
        });
    }
    let (verdict, reason) = reader.holds(&condition.expression)?;
    let mut told = Vec::new();
    let mut metrics = BTreeMap::new();
    for reference in condition::metrics(&condition.expression) {
        let value = duel.measure(&reference)?;
        let text = condition::metric_text(&reference);
        told.push(match &value {
            Ok(value) => format!("{text} {}", short(*value)),
            Err(reason) => format!("{text} undefined: {reason}"),
        });
        metrics.insert(text, value.ok());
    }
    Ok(Judged {
        text: condition.text.clone(),
        verdict,
        told: told.join("; ") + &condition::values_text(&values),
        record: serde_json::json!({
            "text": condition.text,
            "verdict": verdict,
            "reason": reason,
            "metrics": metrics,
            "values": values.into_iter().collect::<BTreeMap<_, _>>(),
        }),
    })
}

fn percentile(name: &str) -> Option<&'static latency::Percentile> {
    latency::PERCENTILES.iter().find(|percentile| percentile.name == name)
}

impl Duel {
    /// The point value of a metric of either side.
    fn measure(&self, reference: &MetricReference) -> Result<Measure, OperationError> {
        let scored = match reference.subject {
            Subject::Candidate => &self.candidate,
            Subject::Champion => &self.champion,
        };
        if let Some(percentile) = percentile(&reference.metric) {
            let Estimate { value, undefined, .. } = latency::percentile(&scored.latencies, percentile.quantile);
            return Ok(value.ok_or_else(|| Undefined(undefined.unwrap_or_default())));
        }
        let id = MetricId {
            name: reference.metric.clone(),
            column: reference.column.clone(),
        };
        if let Some(reason) = scored.evaluation.unjudgeable(&id) {
            return Ok(Err(reason));
        }
        let once = vec![1; scored.evaluation.sample.rows()];
        scored.evaluation.measure(&id, &once).ok_or_else(|| {
            let names: Vec<String> = scored
                .evaluation
                .catalogue()
                .into_iter()
                .map(|(id, _)| id.to_string())
                .collect();
            OperationError::Input {
                summary: format!("The model has no metric `{id}` on this data."),
                help: format!("It has {}.", words::listed(names.iter().map(String::as_str), 60)),
            }
        })
    }
}
