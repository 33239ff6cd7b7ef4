//! The target `plan`: the plan itself, as JSON.

use super::{Built, OutputFile, Request, Target, TargetError, TargetName};
use crate::plan;

/// Writes `plan.json`.
pub(super) struct PlanTarget;

impl Target for PlanTarget {
    fn name(&self) -> TargetName {
        TargetName::Plan
    }

    fn build(&self, request: &Request<'_>) -> Result<Built, TargetError> {
        let text = plan::to_json(request.plan).map_err(|error| TargetError::Write(error.to_string()))?;
        Ok(Built {
            files: vec![OutputFile {
                path: "plan.json".into(),
                text,
            }],
            warnings: Vec::new(),
        })
    }
}
