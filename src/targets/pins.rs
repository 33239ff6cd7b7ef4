//! What of a plan `mlp.lock` is to pin: the images that it names, and the lists of packages that it installs.

use std::collections::{BTreeMap, BTreeSet};

use super::kubeflow::LAUNCHERS;
use crate::plan::{Model, Plan, Platform, Run, Step, needs_tables, python_packages};
use crate::project::Lock;

/// The images and lists of packages of a plan.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Pins {
    /// Images without a digest, as the source writes them.
    pub images: BTreeSet<String>,
    /// Lists of packages by their key in the lock; see [`Lock::package_key`].
    pub packages: BTreeMap<String, Vec<String>>,
}

impl Pins {
    /// Those of a plan: of its steps, models and declared targets, and the launchers of deployments on Vertex AI.
    #[must_use]
    pub fn of(plan: &Plan) -> Self {
        let step_images = plan.steps.values().filter_map(|step| step.image.as_ref());
        let target_images = plan.targets.values().filter_map(|target| target.runtime_image.as_ref());
        let on_vertex = plan
            .targets
            .values()
            .any(|target| matches!(target.platform, Platform::Vertex(_)));
        let launchers = (on_vertex && plan.services.values().any(|service| service.platform == "vertex"))
            .then(|| LAUNCHERS.to_owned());
        let images = step_images
            .chain(target_images)
            .chain(&launchers)
            .filter(|image| !image.contains('@'));
        let steps = plan.steps.values().filter_map(step_packages);
        let lists = steps.chain(plan.models.values().map(model_packages));
        Self {
            images: images.cloned().collect(),
            packages: lists
                .filter(|list| !list.is_empty())
                .map(|list| (Lock::package_key(&list), list))
                .collect(),
        }
    }

    /// What differs between the plan and a lock, one sentence for each: what is not pinned, and what is pinned and used no
    /// more. Nothing when the lock is up to date.
    #[must_use]
    pub fn differences(&self, lock: &Lock) -> Vec<String> {
        let missing_images = self.images.iter().filter(|image| !lock.images.contains_key(*image));
        let missing_lists = self.packages.keys().filter(|list| !lock.packages.contains_key(*list));
        let old_images = lock.images.keys().filter(|image| !self.may_pin(image));
        let old_lists = lock.packages.keys().filter(|list| !self.packages.contains_key(*list));
        let images = missing_images.map(|image| format!("The image `{image}` has no digest."));
        let lists = missing_lists.map(|list| format!("The packages `{list}` have no hashes."));
        let unused_images = old_images.map(|image| format!("The image `{image}` is used no more."));
        let unused_lists = old_lists.map(|list| format!("The packages `{list}` are used no more."));
        images.chain(lists).chain(unused_images).chain(unused_lists).collect()
    }

    /// Whether an image belongs into the lock. The runtime image of this version is nobody's to declare, and no registry's
    /// by that name, so it is pinned only for those who say its digest.
    #[must_use]
    pub fn may_pin(&self, image: &str) -> bool {
        self.images.contains(image) || image == crate::plan::RUNTIME_IMAGE
    }
}

/// The packages of a Python step's environment; nothing for a command.
pub(super) fn step_packages(step: &Step) -> Option<Vec<String>> {
    match step.run {
        Run::Python(_) => {
            let tables = step
                .inputs
                .iter()
                .chain(&step.outputs)
                .any(|port| needs_tables(&port.ty));
            Some(python_packages(&step.packages, tables))
        }
        Run::Command(_) => None,
    }
}

/// The packages of a model's environment.
pub(super) fn model_packages(model: &Model) -> Vec<String> {
    python_packages(&model.packages, true)
}
