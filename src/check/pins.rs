//! Images that a platform would pull by a name alone, where neither the source nor `mlp.lock` has a digest.

use camino::Utf8Path;

use super::targets::items;
use crate::db::{Db, ItemKey};
use crate::diagnostics::{Code, Diagnostic, Place};
use crate::names;
use crate::plan::{Platform, Runner};
use crate::project::{LOCK_FILE, Lock};
use crate::syntax::ast::{ItemKind, Setting};

/// Every such image, where the project declares a target that runs images; nothing while `mlp.lock` cannot be read.
#[must_use]
pub fn diagnostics(db: &dyn Db) -> Vec<Diagnostic> {
    let targets = items(db, |kind| matches!(kind, ItemKind::Target(_)));
    let declared = targets.iter().filter_map(|key| super::declarations::target(db, key));
    if !declared.into_iter().any(|target| runs_images(&target.platform)) {
        return Vec::new();
    }
    let lock = match db.file(Utf8Path::new(LOCK_FILE)).contents(db).text().map(Lock::read) {
        Some(Ok(lock)) => lock,
        Some(Err(_)) => return Vec::new(),
        None => Lock::default(),
    };
    let steps = items(db, |kind| matches!(kind, ItemKind::Step(_)));
    let of_steps = steps.iter().filter_map(|key| {
        let definition = super::declarations::step(db, key)?;
        Some((key, "image", definition.step.as_ref()?.image.clone()?))
    });
    let of_targets = targets.iter().filter_map(|key| {
        let target = super::declarations::target(db, key)?;
        Some((key, "runtime_image", target.runtime_image.clone()?))
    });
    of_steps
        .chain(of_targets)
        .filter(|(_, _, image)| !lock.image(image).contains('@'))
        .filter_map(|(key, setting, image)| Some(unpinned(setting_place(db, key, setting)?, &image)))
        .collect()
}

fn unpinned(place: Place, image: &str) -> Diagnostic {
    let message = format!("The image `{image}` has no digest, here or in `{LOCK_FILE}`.");
    Diagnostic::new(Code::UnpinnedImage, place, message)
        .note("Whoever pushes another image under this name changes what runs, and outputs from the cache are no longer its own.")
        .help("Run `mlp lock`, or write the digest behind the name: `name:tag@sha256:…`.")
}

fn runs_images(platform: &Platform) -> bool {
    match platform {
        Platform::Kubeflow(_) | Platform::Vertex(_) => true,
        Platform::Airflow(target) => target.runner != Runner::Local,
        Platform::Local => false,
    }
}

fn setting_place(db: &dyn Db, key: &ItemKey, name: &str) -> Option<Place> {
    let item = names::item(db, key)?;
    let settings: &[Setting] = if let ItemKind::Step(step) = &item.kind {
        &step.settings
    } else if let ItemKind::Target(target) = &item.kind {
        &target.settings
    } else {
        return None;
    };
    let setting = settings.iter().find(|setting| setting.name.text == name)?;
    Some(Place::Node(key.clone(), setting.value.id))
}
