//! Finds what is wrong with a specification before a platform does, or worse, does not.
//!
//! One rule is one function, one file one concern; the tables below are all there is. Rules look at the parsed document
//! alone: no file is read, nothing is asked over the network, and each takes time linear in what it looks at. One mistake
//! gives one finding: what follows from an unknown is silent.

mod conditions;
mod constants;
mod containers;
mod context;
mod exits;
mod finding;
mod importers;
mod interfaces;
mod loops;
mod names;
mod order;
mod outputs;
mod placeholders;
mod platform;
mod references;
mod resources;
mod retries;
mod sources;
mod whole;
mod wiring;

pub use finding::{Finding, FindingKind};

use self::context::{ComponentPlace, Context, ExecutorPlace, TaskPlace};
use self::finding::Findings;
use super::Document;

/// The platforms that run specifications.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Platform {
    /// Kubeflow Pipelines.
    #[default]
    Kubeflow,
    /// Vertex AI Pipelines.
    Vertex,
}

type DocumentRule = fn(&Context<'_>, &mut Findings);
type ComponentRule = fn(&Context<'_>, ComponentPlace<'_>, &mut Findings);
type TaskRule = fn(&Context<'_>, &TaskPlace<'_>, &mut Findings);
type ExecutorRule = fn(&Context<'_>, ExecutorPlace<'_>, &mut Findings);

/// Rules about the whole.
const DOCUMENT_RULES: &[DocumentRule] = &[
    whole::schema_version,
    whole::second_document,
    whole::size,
    names::pipeline_name,
    names::pipeline_name_collision,
    references::recursion,
    references::unused_components,
    references::unused_executors,
    loops::item_names,
    platform::executors,
    platform::references,
    platform::values,
];

/// Rules about every component, the root among them.
const COMPONENT_RULES: &[ComponentRule] = &[
    references::body,
    references::shared,
    names::component_name,
    names::reserved_outputs,
    interfaces::parameter_types,
    interfaces::artifact_types,
    interfaces::defaults,
    interfaces::literals,
    order::cycles,
    outputs::parameters,
    outputs::artifacts,
    outputs::loop_results,
    placeholders::executor_texts,
    importers::interface,
    exits::hooks,
];

/// Rules about every task.
const TASK_RULES: &[TaskRule] = &[
    references::component,
    names::task_name,
    names::driver_name,
    wiring::parameters,
    wiring::artifacts,
    wiring::missing,
    wiring::undeclared,
    wiring::optional,
    order::dependencies,
    order::data_edges,
    loops::parameter_loop,
    loops::artifact_loop,
    loops::policy,
    loops::local,
    conditions::condition,
    conditions::bare,
    conditions::selectors,
    placeholders::constants,
    importers::task,
    exits::final_status,
    exits::place,
    retries::policy,
];

/// Rules about every executor.
const EXECUTOR_RULES: &[ExecutorRule] = &[
    containers::kind,
    containers::image,
    containers::environment,
    resources::processors,
    resources::memory,
    resources::accelerator,
    importers::workspace,
];

/// Everything that is wrong: errors first, by path.
#[must_use]
pub fn verify(document: &Document, platform: Platform) -> Vec<Finding> {
    let context = Context::new(document, platform);
    let mut findings = Findings::default();
    for place in context.components() {
        for rule in COMPONENT_RULES {
            rule(&context, place, &mut findings);
        }
        for task in context.tasks_of(place) {
            for rule in TASK_RULES {
                rule(&context, &task, &mut findings);
            }
        }
    }
    for place in context.executors() {
        for rule in EXECUTOR_RULES {
            rule(&context, place, &mut findings);
        }
    }
    for rule in DOCUMENT_RULES {
        rule(&context, &mut findings);
    }
    findings.into_sorted()
}
