//! `mlp new`: a small project that runs as it is.

use std::fmt::Write as _;

use camino::{Utf8Path, Utf8PathBuf};
use clap::Args;
use mlp::project::EDITION;

use super::Context;
use crate::exit::Exit;
use crate::files;
use crate::output::Style;
use crate::problem::Problem;

/// Arguments of `mlp new`.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  mlp new churn
  mlp check -C churn
  mlp run churn")]
pub struct Arguments {
    /// The folder to make; its name is the project's
    #[arg(value_name = "NAME")]
    path: Utf8PathBuf,
}

const PROGRAM: &str = include_str!("../../template/main.mlp");
const MODEL: &str = include_str!("../../template/model.py");
const ROWS: u64 = 600;

/// Writes the project.
pub fn run(arguments: &Arguments, context: &Context) -> Result<Exit, Problem> {
    let folder = context.path(Some(&arguments.path));
    let name = folder.file_name().unwrap_or_default();
    check_name(name)?;
    check_empty(&folder)?;
    let manifest = format!("name = \"{name}\"\nversion = \"0.1.0\"\nedition = \"{EDITION}\"\n");
    let program = PROGRAM.replace("{{name}}", name);
    let written: [(&str, &str); 5] = [
        ("mlp.toml", &manifest),
        ("main.mlp", &program),
        ("model.py", MODEL),
        ("data/customers.csv", &customers()),
        (".gitignore", ".mlp/\nbuild/\n__pycache__/\n"),
    ];
    for (path, text) in written {
        files::write(&folder.join(path), text)?;
    }
    let strong = |text: String| context.terminal.paint(Style::Strong, &text);
    context.terminal.out(&format!(
        "made the project {name}\n\n  {}    says whether it is right\n  {}      runs it\n",
        strong(format!("mlp check {folder}")),
        strong(format!("mlp run {folder}")),
    ))?;
    Ok(Exit::Success)
}

fn check_name(name: &str) -> Result<(), Problem> {
    let mut characters = name.chars();
    let begins = characters.next().is_some_and(|first| first.is_ascii_lowercase());
    let allowed = |each: char| each.is_ascii_lowercase() || each.is_ascii_digit() || each == '-' || each == '_';
    if begins && characters.all(allowed) {
        return Ok(());
    }
    let problem = Problem::usage(format!("A project cannot be called `{name}`."));
    Err(problem.help("Use lower-case letters, digits, `-` and `_`, and begin with a letter."))
}

fn check_empty(folder: &Utf8Path) -> Result<(), Problem> {
    let taken = || {
        Problem::usage(format!("`{folder}` exists already and is not an empty folder."))
            .help("Choose another name, or write a `mlp.toml` into that folder yourself.")
    };
    match folder.read_dir_utf8() {
        Ok(mut entries) => {
            if entries.next().is_none() {
                Ok(())
            } else {
                Err(taken())
            }
        }
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(()),
        Err(error) if error.kind() == std::io::ErrorKind::NotADirectory => Err(taken()),
        Err(error) => Err(Problem::io("look into", folder, &error)),
    }
}

/// A made-up table in which short contracts and many calls make customers leave. The same on every machine.
fn customers() -> String {
    let mut random = Random(42);
    let mut text = String::from("id,months,spend,calls,contract,left\n");
    for row in 1..=ROWS {
        let months = random.below(72);
        let calls = random.below(9);
        let yearly = random.below(2) == 1;
        let cents = 1_500 + random.below(8_500);
        let score = 40 + 9 * calls - months / 2 - if yearly { 25.min(40 + 9 * calls - months / 2) } else { 0 };
        let left = random.below(120) < score;
        let contract = if yearly { "yearly" } else { "monthly" };
        let spend = format!("{}.{:02}", cents / 100, cents % 100);
        let _ = writeln!(text, "c{row:04},{months},{spend},{calls},{contract},{left}");
    }
    text
}

/// A linear congruential generator with the constants of Knuth's MMIX.
struct Random(u64);

impl Random {
    fn below(&mut self, end: u64) -> u64 {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % end
    }
}

#[cfg(test)]
mod tests {
    use super::{check_name, customers};

    #[test]
    fn names_are_those_of_the_manifest() {
        for good in ["churn", "credit-risk_2"] {
            assert!(check_name(good).is_ok(), "{good}");
        }
        for bad in ["", "Churn", "2nd", "a b", "-a", "ä"] {
            assert!(check_name(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn the_table_has_both_answers() {
        let table = customers();
        let left = table.lines().filter(|line| line.ends_with(",true")).count();
        let stayed = table.lines().filter(|line| line.ends_with(",false")).count();
        assert_eq!(left + stayed, 600);
        assert!(left * 10 > 600 && left * 10 < 600 * 6, "{left} of 600 left");
    }
}
