//! The operation `gate`: go/no-go on metrics that are about the very model artifact at hand.

use std::collections::BTreeMap;
use std::fs;

use mlp::plan::{Condition, MetricReference, Subject};

use super::condition::{self, Judged, Reader};
use super::scoring::{self, Artifact};
use super::{Context, OperationError, Report, Verdict};
use crate::data::words;
use crate::metrics::{Estimate, Measure, MetricsReport, REPORT_FORMAT, Undefined};
use crate::registry::{Registry, Stage, copy_folder};

/// `model`, `metrics` → `output`.
pub(super) fn run(conditions: &[Condition], context: &Context) -> Result<Report, OperationError> {
    let model = scoring::artifact(context, "model")?;
    let metrics = scoring::artifact(context, "metrics")?;
    let report = read(metrics)?;
    if report.model.digest != model.digest {
        return Err(about_another(model, &report));
    }
    let judged = conditions.iter().map(|condition| judge(condition, &report, context));
    let judged = judged.collect::<Result<Vec<_>, _>>()?;
    let verdict = condition::overall(&judged);
    let record = serde_json::json!({
        "verdict": verdict,
        "model": report.model,
        "data": report.data,
        "metrics_digest": metrics.digest,
        "conditions": condition::records(&judged),
        "metrics": report,
    });
    finish(context, model, Stage::Gate, judged, verdict, record)
}

/// Passes the model on when every condition holds and leaves evidence for the registry; refuses it otherwise.
pub(super) fn finish(
    context: &Context,
    model: Artifact,
    stage: Stage,
    judged: Vec<Judged>,
    verdict: Verdict,
    record: serde_json::Value,
) -> Result<Report, OperationError> {
    let summary = condition::summary(&judged);
    if verdict != Verdict::Pass {
        let mut details = condition::lines(&judged);
        details.push(
            match verdict {
                Verdict::Fail => "The model goes no further; improve it, or change the condition if it asks too much.",
                Verdict::Pass | Verdict::InsufficientData => {
                    "What the data cannot tell does not ship; evaluate on more rows, or drop the condition."
                }
            }
            .to_owned(),
        );
        return Err(OperationError::Refused {
            verdict,
            summary,
            details,
            record,
        });
    }
    let registry = Registry::open(context.registry)?;
    registry.keep_evidence(model.digest, stage, &record)?;
    pass_on(context, model)?;
    for line in condition::lines(&judged) {
        (context.log)(&line);
    }
    Ok(Report {
        summary,
        record,
        values: BTreeMap::new(),
    })
}

/// Writes the same folder as the output.
pub(super) fn pass_on(context: &Context, model: Artifact) -> Result<(), OperationError> {
    copy_folder(model.path, &context.outputs.join("output")).map_err(|source| OperationError::Io {
        action: format!("copying the model from {}", model.path),
        source,
    })
}

fn judge(condition: &Condition, report: &MetricsReport, context: &Context) -> Result<Judged, OperationError> {
    let estimate = |reference: &MetricReference| find(report, reference);
    let measure = |reference: &MetricReference| -> Result<Measure, OperationError> {
        let estimate = estimate(reference)?;
        let reason = || {
            Undefined(
                estimate
                    .undefined
                    .clone()
                    .unwrap_or_else(|| "it has no value".to_owned()),
            )
        };
        Ok(estimate.value.ok_or_else(reason))
    };
    let reader = Reader::new(context, condition, &measure);
    let (verdict, reason) = reader.holds(&condition.expression)?;
    let values = reader.values(&condition.expression);
    let mut told = Vec::new();
    let mut estimates = BTreeMap::new();
    let references = condition::metrics(&condition.expression);
    for reference in &references {
        let found = estimate(reference)?;
        let text = condition::metric_text(reference);
        told.push(if references.len() == 1 {
            found.to_string()
        } else {
            format!("{text} {found}")
        });
        estimates.insert(text, found.clone());
    }
    Ok(Judged {
        text: condition.text.clone(),
        verdict,
        told: told.join("; ") + &condition::values_text(&values),
        record: serde_json::json!({
            "text": condition.text,
            "verdict": verdict,
            "reason": reason,
            "metrics": estimates,
            "values": values.into_iter().collect::<BTreeMap<_, _>>(),
        }),
    })
}

fn find<'a>(report: &'a MetricsReport, reference: &MetricReference) -> Result<&'a Estimate, OperationError> {
    let champion = reference.subject == Subject::Champion;
    report.estimate(reference).filter(|_| !champion).ok_or_else(|| {
        let names = report.names();
        OperationError::Input {
            summary: format!(
                "The metrics of `{}` have no `{}`.",
                report.model.name,
                condition::metric_text(reference)
            ),
            help: format!("They have {}.", words::listed(names.iter().map(String::as_str), 60)),
        }
    })
}

fn read(metrics: Artifact) -> Result<MetricsReport, OperationError> {
    let text = fs::read(metrics.path).map_err(|source| OperationError::Io {
        action: format!("reading {}", metrics.path),
        source,
    })?;
    let unreadable = |problem: &str| OperationError::Input {
        summary: format!("The metrics in {} cannot be read: {problem}.", metrics.path),
        help: "Metrics come from `evaluate`; run the pipeline again to make new ones.".to_owned(),
    };
    let report: MetricsReport = serde_json::from_slice(&text).map_err(|error| unreadable(&error.to_string()))?;
    if report.format != REPORT_FORMAT {
        return Err(unreadable(&format!(
            "their format is `{}`, not `{REPORT_FORMAT}`",
            report.format
        )));
    }
    Ok(report)
}

fn about_another(model: Artifact, report: &MetricsReport) -> OperationError {
    let record = serde_json::json!({ "verdict": Verdict::Fail, "model": model.digest, "metrics_about": report.model });
    OperationError::Refused {
        verdict: Verdict::Fail,
        summary: "the metrics are about another model than the one that is gated".to_owned(),
        details: vec![
            format!("The model is {}.", model.digest),
            format!(
                "The metrics are about {} (`{}`).",
                report.model.digest, report.model.name
            ),
            "Evaluate this model and pass those metrics.".to_owned(),
        ],
        record,
    }
}
