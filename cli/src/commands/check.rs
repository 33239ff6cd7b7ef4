//! `mlp check`: every problem of a project.

use std::time::Instant;

use camino::{Utf8Path, Utf8PathBuf};
use clap::{Args, ValueEnum};
use mlp::diagnostics::{Format, ResolvedDiagnostic, Severity, fixes, render};
use mlp::{names, workspace};

use super::Context;
use crate::exit::Exit;
use crate::files;
use crate::output::Style;
use crate::problem::Problem;
use crate::project::Project;
use crate::words::count;

/// Applying fixes may uncover others; they settle long before this.
const FIX_ROUNDS: usize = 20;

/// Arguments of `mlp check`.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  mlp check                       the project around the current folder
  mlp check examples/credit       another one
  mlp check one.mlp               a single file, or one file of a project
  mlp check --fix                 apply every certain fix first
  mlp check --format github       annotations for a pull request
  mlp check --format sarif > mlp.sarif")]
pub struct Arguments {
    /// Folders or `.mlp` files; the project around the current folder when none is named
    #[arg(value_name = "PATH")]
    paths: Vec<Utf8PathBuf>,
    /// How problems are shown
    #[arg(long, value_enum, default_value_t, value_name = "FORMAT")]
    format: Form,
    /// Apply every fix that is certainly what was meant
    #[arg(long)]
    fix: bool,
    /// Take warnings for errors
    #[arg(long)]
    deny_warnings: bool,
}

/// The forms of `--format`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
enum Form {
    /// With the source around every place
    #[default]
    Terminal,
    /// One line each
    Short,
    /// A JSON array
    Json,
    /// SARIF 2.1.0
    Sarif,
    /// Annotations of GitHub Actions
    Github,
}

/// How much was looked at.
#[derive(Default)]
struct Tally {
    files: usize,
    items: usize,
    errors: usize,
    warnings: usize,
    fixed: usize,
}

/// Checks and shows.
pub fn run(arguments: &Arguments, context: &Context) -> Result<Exit, Problem> {
    let start = Instant::now();
    let mut tally = Tally::default();
    let paths = match arguments.paths.as_slice() {
        [] => vec![context.path(None)],
        paths => paths.iter().map(|path| context.path(Some(path))).collect(),
    };
    for (mut project, shown) in projects(&paths)? {
        if arguments.fix {
            tally.fixed += fix(&mut project, &shown)?;
        }
        let mut diagnostics = workspace::check(&project.db);
        diagnostics.retain(|diagnostic| is_shown(&diagnostic.primary.path, &shown));
        tally.add(&project, &shown, &diagnostics);
        let format = arguments.format.renderer(context.terminal.stdout_colour());
        context.terminal.out(&render(&project.db, &diagnostics, format))?;
    }
    if arguments.format == Form::Terminal || arguments.format == Form::Short {
        let line = tally.line(start.elapsed().as_millis());
        let style = if tally.errors > 0 { Style::Bad } else { Style::Good };
        context
            .terminal
            .out(&format!("{}\n", context.terminal.paint(style, &line)))?;
    }
    let failed = tally.errors > 0 || (arguments.deny_warnings && tally.warnings > 0);
    Ok(if failed { Exit::Program } else { Exit::Success })
}

/// The projects that the paths lie in, each once, with the paths inside it whose problems are shown.
fn projects(paths: &[Utf8PathBuf]) -> Result<Vec<(Project, Vec<Utf8PathBuf>)>, Problem> {
    let mut found: Vec<(Project, Vec<Utf8PathBuf>)> = Vec::new();
    for path in paths {
        let project = Project::open(path)?;
        let shown = project.host.relative(path).unwrap_or_default();
        let same = |(known, _): &&mut (Project, Vec<Utf8PathBuf>)| {
            known.root == project.root && known.host.only_file() == project.host.only_file()
        };
        match found.iter_mut().find(same) {
            Some((_, paths)) => paths.push(shown),
            None => found.push((project, vec![shown])),
        }
    }
    Ok(found)
}

fn is_shown(path: &Utf8Path, shown: &[Utf8PathBuf]) -> bool {
    shown
        .iter()
        .any(|each| each.as_str().is_empty() || path.starts_with(each))
}

/// Applies certain fixes until none is left; says how many files have changed.
fn fix(project: &mut Project, shown: &[Utf8PathBuf]) -> Result<usize, Problem> {
    let mut changed = std::collections::BTreeSet::new();
    for _ in 0..FIX_ROUNDS {
        let mut diagnostics = workspace::check(&project.db);
        diagnostics.retain(|diagnostic| is_shown(&diagnostic.primary.path, shown));
        let fixed = fixes::apply_safe(&project.db, &diagnostics);
        if fixed.is_empty() {
            break;
        }
        for (path, text) in fixed {
            files::write(&project.root.join(&path), &text)?;
            project.db.reload_file(&path);
            changed.insert(path);
        }
    }
    Ok(changed.len())
}

impl Form {
    fn renderer(self, colour: bool) -> Format {
        match self {
            Self::Terminal => Format::Terminal { colour },
            Self::Short => Format::Line,
            Self::Json => Format::Json,
            Self::Sarif => Format::Sarif,
            Self::Github => Format::Github,
        }
    }
}

impl Tally {
    fn add(&mut self, project: &Project, shown: &[Utf8PathBuf], diagnostics: &[ResolvedDiagnostic]) {
        let files = workspace::files(&project.db);
        for file in files.into_iter().filter(|file| is_shown(file.path(&project.db), shown)) {
            self.files += 1;
            self.items += names::file_items(&project.db, file).items.len();
        }
        for diagnostic in diagnostics {
            match diagnostic.severity {
                Severity::Error => self.errors += 1,
                Severity::Warning => self.warnings += 1,
            }
        }
    }

    fn line(&self, milliseconds: u128) -> String {
        let mut found = if self.errors == 0 {
            "no errors".to_owned()
        } else {
            count(self.errors, "error")
        };
        if self.warnings > 0 {
            found = format!("{found}, {}", count(self.warnings, "warning"));
        }
        let fixed = match self.fixed {
            0 => String::new(),
            files => format!("fixed {}; ", count(files, "file")),
        };
        format!(
            "{fixed}checked {}, {}: {found} ({milliseconds} ms)",
            count(self.files, "file"),
            count(self.items, "item")
        )
    }
}
