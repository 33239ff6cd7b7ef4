//! Which version of a DAG a file holds: a digest of its text, shown in the documentation of the DAG.
//!
//! Airflow keeps a version of a DAG for each change of what it serialises, and what the launcher is told is no part of that.
//! With the digest in the documentation every change of the file is a new version there, and whoever asks Airflow for the
//! documentation learns which file it has read.

/// How many digits are shown.
const DIGITS: usize = 12;
/// Begins the line that names the version; nothing of the user's begins a line.
const NAME: &str = "\nVERSION = \"";
/// What is written about it.
const COMMENT: &str = "  # a digest of the rest of this file; Airflow keeps one version of the DAG for each";

/// The line before the digits are known.
pub(super) fn line() -> String {
    format!("{}\"{COMMENT}\n", NAME.trim_start())
}

/// What the documentation of the DAG ends with, as Python.
pub(super) const DOCUMENTATION: &str = "f\"\\nVersion {VERSION}.\\n\"";

/// What the documentation of the DAG then says.
#[must_use]
pub fn said(version: &str) -> String {
    format!("Version {version}.")
}

/// The file with the digits in its line.
pub(super) fn stamped(text: &str) -> String {
    let digest = blake3::hash(text.as_bytes()).to_hex();
    text.replacen(NAME, &format!("{NAME}{}", digest.get(..DIGITS).unwrap_or_default()), 1)
}

/// The version of a file.
#[must_use]
pub fn of(text: &str) -> Option<&str> {
    let (_, rest) = text.split_once(NAME)?;
    let digits = rest.get(..DIGITS)?;
    digits.bytes().all(|byte| byte.is_ascii_hexdigit()).then_some(digits)
}

/// Whether `mlp` wrote a file.
#[must_use]
pub fn is_ours(text: &str) -> bool {
    text.starts_with("# The pipeline ")
        && text
            .lines()
            .next()
            .is_some_and(|line| line.contains(", written by mlp "))
}

#[cfg(test)]
mod tests {
    use super::*;

    const HEADING: &str =
        "# The pipeline `a` of main.mlp in the project `a`, written by mlp 0.1.0 for Apache Airflow 3.\n";

    #[test]
    fn every_change_is_another_version() {
        let file = |text: &str| stamped(&format!("{HEADING}\n{}\nTASKS = {text}\n", line()));
        let (one, same, other) = (file("1"), file("1"), file("2"));
        assert_eq!(one, same);
        assert_ne!(of(&one), of(&other));
        assert_eq!(of(&one).map(str::len), Some(DIGITS));
        assert!(one.contains("\nTASKS = 1\n"), "{one}");
    }

    #[test]
    fn files_of_others_are_known() {
        assert!(is_ours(HEADING));
        for text in [
            "",
            "from airflow.sdk import DAG\n# written by mlp 0.1.0\n",
            "# The pipeline `a`, by hand\n",
        ] {
            assert!(!is_ours(text), "{text}");
            assert_eq!(of(text), None);
        }
    }
}
