//! Apache Airflow: one Python file for each pipeline, which Airflow imports and people read.
//!
//! Every node becomes a task that the launcher runs (`mlp launch --placed`); what decides is a task of Airflow's own. What
//! the launcher is told stands as data at the end of the file, where no template is rendered. What the launcher does is
//! the runtime's; requests to Airflow's API are not made here.

mod condition;
mod control;
mod dag;
mod helpers;
mod layout;
mod lower;
mod parameters;
mod pods;
mod python;
mod runner;
mod schedule;
mod scope;
mod settings;
pub mod version;
mod write;

use super::{Built, OutputFile, Request, Target, TargetError, TargetName};
use crate::plan::Pipeline;

/// Writes DAG files.
pub(super) struct AirflowTarget;

impl Target for AirflowTarget {
    fn name(&self) -> TargetName {
        TargetName::Airflow
    }

    fn build(&self, request: &Request<'_>) -> Result<Built, TargetError> {
        let mut built = Built::default();
        let started = request.plan.pipelines.values().filter(|pipeline| is_started(pipeline));
        for pipeline in started {
            let dag = lower::lower(request, pipeline)?;
            let layout = layout::layout(&dag);
            built.files.push(OutputFile {
                path: format!("{}.py", pipeline.name).into(),
                text: version::stamped(&write::file(request, pipeline, &dag, &layout)?),
            });
        }
        Ok(built)
    }
}

/// Whether people start a pipeline: one that takes artifacts is called by others.
fn is_started(pipeline: &Pipeline) -> bool {
    !super::kubeflow::takes_artifacts(pipeline)
}
