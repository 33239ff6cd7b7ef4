//! Which target a name means: one that the project declares, or a kind.

use crate::plan::{AirflowTarget, DeclaredTarget, KubeflowTarget, Plan, Platform, Runner, VertexTarget};
use crate::targets::TargetName;
use crate::types::display::enumerate;

/// Why a name means no target.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ChoiceError {
    /// Neither a kind nor declared.
    #[error("there is no target `{name}`")]
    Unknown {
        /// The name.
        name: String,
        /// Every name that would do: declared targets, then kinds.
        known: Vec<String>,
    },
    /// A kind of which the project declares several.
    #[error("the project declares several targets of the kind `{kind}`: {}", list(.names))]
    Several {
        /// The kind.
        kind: &'static str,
        /// Their names.
        names: Vec<String>,
    },
}

/// The target that a name means, and the one that writes for it: a declared target by its name; a kind of which the project
/// declares one; a kind without settings where it declares none.
///
/// # Errors
/// When the name means nothing, or the kind of several.
pub fn choose(plan: &Plan, name: &str) -> Result<(TargetName, DeclaredTarget), ChoiceError> {
    if let Some(target) = plan.targets.get(name) {
        return Ok((target.platform.name(), target.clone()));
    }
    let Some(kind) = TargetName::from_name(name) else {
        let declared = plan.targets.keys().cloned();
        let kinds = TargetName::ALL.map(|kind| kind.name().to_owned());
        return Err(ChoiceError::Unknown {
            name: name.to_owned(),
            known: declared.chain(kinds).collect(),
        });
    };
    let is_of_kind = |target: &&DeclaredTarget| kind != TargetName::Plan && target.platform.name() == kind;
    let declared: Vec<&DeclaredTarget> = plan.targets.values().filter(is_of_kind).collect();
    match declared.as_slice() {
        [] => Ok((kind, undeclared(kind))),
        [only] => Ok((kind, (*only).clone())),
        several => Err(ChoiceError::Several {
            kind: kind.name(),
            names: several.iter().map(|target| target.name.clone()).collect(),
        }),
    }
}

/// The target as it is where the project declares none.
fn undeclared(kind: TargetName) -> DeclaredTarget {
    let platform = match kind {
        TargetName::Plan | TargetName::Local => Platform::Local,
        TargetName::Kubeflow => Platform::Kubeflow(KubeflowTarget::default()),
        TargetName::Vertex => Platform::Vertex(VertexTarget::default()),
        // Without a setting only processes of the worker have somewhere to keep artifacts.
        TargetName::Airflow => Platform::Airflow(AirflowTarget {
            runner: Runner::Local,
            ..AirflowTarget::default()
        }),
    };
    DeclaredTarget::undeclared(kind.name(), platform)
}

fn list(names: &[String]) -> String {
    enumerate(&names.iter().map(String::as_str).collect::<Vec<_>>())
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::{ChoiceError, choose};
    use crate::db::Database;
    use crate::plan::{self, Plan};
    use crate::project::MemoryHost;
    use crate::targets::TargetName;

    fn plan(targets: &str) -> Plan {
        let files = [("main.mlp".into(), targets.to_owned())].into();
        plan::build(&Database::new(Arc::new(MemoryHost { files }))).unwrap()
    }

    fn chosen(plan: &Plan, name: &str) -> (TargetName, String) {
        let (kind, target) = choose(plan, name).unwrap();
        (kind, target.name)
    }

    const TWO: &str = "target prod: kubeflow {\n}\n\ntarget test: kubeflow {\n}\n\ntarget here: local {\n}\n";

    #[test]
    fn a_declared_target_is_meant_by_its_name() {
        let plan = plan(TWO);
        assert_eq!(chosen(&plan, "prod"), (TargetName::Kubeflow, "prod".to_owned()));
        assert_eq!(chosen(&plan, "here"), (TargetName::Local, "here".to_owned()));
    }

    #[test]
    fn a_kind_means_the_only_one_declared() {
        let one = plan("target prod: kubeflow {\n  namespace: \"risk\"\n}\n");
        assert_eq!(chosen(&one, "kubeflow"), (TargetName::Kubeflow, "prod".to_owned()));
        assert_eq!(chosen(&one, "vertex"), (TargetName::Vertex, "vertex".to_owned()));
        let here = plan("target here: local {\n}\n");
        assert_eq!(chosen(&here, "plan"), (TargetName::Plan, "plan".to_owned()));
    }

    #[test]
    fn a_kind_of_several_is_refused() {
        let error = choose(&plan(TWO), "kubeflow").unwrap_err();
        assert_eq!(
            error.to_string(),
            "the project declares several targets of the kind `kubeflow`: `prod` and `test`"
        );
        let named_like_its_kind = plan("target kubeflow: kubeflow {\n}\n\ntarget test: kubeflow {\n}\n");
        assert_eq!(chosen(&named_like_its_kind, "kubeflow").1, "kubeflow");
    }

    #[test]
    fn a_name_of_nothing_is_refused_with_those_that_there_are() {
        let ChoiceError::Unknown { known, .. } = choose(&plan(TWO), "prd").unwrap_err() else {
            panic!("it is unknown");
        };
        assert_eq!(
            known,
            ["here", "prod", "test", "plan", "local", "kubeflow", "vertex", "airflow"]
        );
    }
}
