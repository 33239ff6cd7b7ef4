//! Where everything of a run lies below its root.
//!
//! ```text
//! ROOT/PIPELINE/RUN/TASK[/AT…]/            what a task gave: an artifact for each port, `outputs.json`, a report
//! ROOT/_cache/KEY.json                     what the node with this key gave, in whichever run
//! ```

use camino::Utf8Path;
use mlp::plan::Placement;

/// Names longer than this are cut; file systems allow 255 bytes.
const LONGEST_NAME: usize = 200;

/// Addresses below the root of a run.
#[derive(Clone, Debug)]
pub(crate) struct Layout {
    root: String,
    run: String,
}

impl Layout {
    /// The layout of the run of a task.
    ///
    /// # Errors
    /// What is wrong with the root.
    pub(crate) fn new(placement: &Placement) -> Result<Self, String> {
        let root = placement.root.trim_end_matches('/');
        if placement.root.is_empty() {
            return Err("its `root` is empty".to_owned());
        }
        let root = match local(&placement.root) {
            Some(path) => camino::absolute_utf8(path)
                .map_err(|error| format!("its `root` `{path}` is no path: {error}"))?
                .into_string(),
            None => root.to_owned(),
        };
        let root = root.trim_end_matches('/').to_owned();
        let run = format!("{root}/{}/{}", safe(&placement.pipeline), safe(&placement.run));
        Ok(Self { root, run })
    }

    /// The folder of a task at a position in the loops around it.
    pub(crate) fn task(&self, task: &str, at: &[u32]) -> String {
        let mut address = format!("{}/{}", self.run, safe(task));
        for turn in at {
            address.push_str(&format!("/{turn}"));
        }
        address
    }

    /// The manifest of a task.
    pub(crate) fn manifest(&self, task: &str, at: &[u32]) -> String {
        manifest_in(&self.task(task, at))
    }

    /// What the node with a cache key gave.
    pub(crate) fn cached(&self, key: &str) -> String {
        format!("{}/_cache/{key}.json", self.root)
    }
}

/// The manifest in the folder of a task.
pub(crate) fn manifest_in(folder: &str) -> String {
    format!("{folder}/outputs.json")
}

/// The path of an address on this machine; nothing for one in a bucket.
pub(crate) fn local(address: &str) -> Option<&Utf8Path> {
    match address.strip_prefix("file://") {
        Some(path) => Some(path.into()),
        None => (!address.contains("://")).then(|| address.into()),
    }
}

/// A name of which every file system and every bucket makes one folder. What is changed gets a digest of the whole, so that
/// two names stay two.
fn safe(name: &str) -> String {
    let plain = |char: char| char.is_ascii_alphanumeric() || matches!(char, '.' | '_' | '-');
    let mut safe: String = name
        .chars()
        .map(|char| if plain(char) { char } else { '_' })
        .take(LONGEST_NAME)
        .collect();
    if safe.is_empty() || safe == "." || safe == ".." {
        safe = "_".repeat(safe.len().max(1));
    }
    if safe != name {
        let digest = blake3::hash(name.as_bytes()).to_hex();
        safe.push('-');
        safe.extend(digest.chars().take(8));
    }
    safe
}

#[cfg(test)]
mod tests {
    use super::*;

    fn layout(root: &str, run: &str) -> Layout {
        Layout::new(&Placement {
            root: root.to_owned(),
            pipeline: "credit".to_owned(),
            run: run.to_owned(),
            ..Placement::default()
        })
        .unwrap()
    }

    #[test]
    fn a_task_has_a_folder_below_its_run() {
        let bucket = layout("s3://ml/runs/", "manual");
        assert_eq!(bucket.task("fit", &[]), "s3://ml/runs/credit/manual/fit");
        assert_eq!(
            bucket.manifest("tune.fit", &[2, 0]),
            "s3://ml/runs/credit/manual/tune.fit/2/0/outputs.json"
        );
        assert_eq!(bucket.cached("ab"), "s3://ml/runs/_cache/ab.json");
        assert_eq!(layout("file:///data/", "r").task("a", &[]), "/data/credit/r/a");
        assert_eq!(layout("/", "r").task("a", &[]), "/credit/r/a");
        assert_eq!(layout("s3://ml", "r").cached("k"), "s3://ml/_cache/k.json");
    }

    #[test]
    fn a_relative_root_lies_in_the_working_folder() {
        let here = camino::absolute_utf8("mlp").unwrap();
        assert_eq!(layout("mlp", "r").task("a", &[]), format!("{here}/credit/r/a"));
        assert!(Layout::new(&Placement::default()).is_err());
    }

    #[test]
    fn names_of_runs_are_made_safe_and_stay_apart() {
        assert_eq!(safe("manual_2026-01-01.x"), "manual_2026-01-01.x");
        let scheduled = safe("scheduled__2026-01-01T00:00:00+00:00");
        assert!(
            scheduled.starts_with("scheduled__2026-01-01T00_00_00_00_00-"),
            "{scheduled}"
        );
        assert_eq!(scheduled.len(), "scheduled__2026-01-01T00_00_00_00_00-".len() + 8);
        assert_ne!(safe("a b"), safe("a/b"));
        for hostile in ["..", ".", "", "../../etc", "a\0b", "{{ x }}"] {
            let safe = safe(hostile);
            assert!(safe.contains('-') && !safe.contains('/') && safe.len() > 8, "{safe}");
        }
        let long = "x".repeat(250);
        assert_eq!(safe(&long).len(), LONGEST_NAME + 9);
        assert_ne!(safe(&long), safe(&"x".repeat(249)));
    }

    #[test]
    fn addresses_in_buckets_are_no_paths() {
        assert_eq!(local("s3://b/x"), None);
        assert_eq!(local("file:///x").map(Utf8Path::as_str), Some("/x"));
        assert_eq!(local("x/y").map(Utf8Path::as_str), Some("x/y"));
    }
}
