//! The target `plan`: the plan itself, as JSON.

use super::{OutputFile, Target, TargetError, TargetName};
use crate::plan::{self, Plan};

/// Writes `plan.json`.
pub(super) struct PlanTarget;

impl Target for PlanTarget {
    fn name(&self) -> TargetName {
        TargetName::Plan
    }

    fn build(&self, plan: &Plan) -> Result<Vec<OutputFile>, TargetError> {
        let text = plan::to_json(plan).map_err(|error| TargetError::Write(error.to_string()))?;
        Ok(vec![OutputFile {
            path: "plan.json".into(),
            text,
        }])
    }
}
