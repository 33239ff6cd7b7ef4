//! `mlp verify`: what is wrong with anybody's specification.

use std::io::{ErrorKind, Read};

use camino::{Utf8Path, Utf8PathBuf};
use clap::{Args, ValueEnum};
use mlp::diagnostics::Severity;
use mlp::targets::pipeline_spec::verify::{Finding, Platform, verify};
use mlp::targets::pipeline_spec::{Place, ReadError, read_bytes};
use serde_json::{Value, json};

use super::Context;
use crate::exit::Exit;
use crate::output::{Style, Terminal};
use crate::problem::Problem;
use crate::words::{count, plain};

/// Arguments of `mlp verify`.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  mlp verify pipeline.yaml                    what Kubeflow Pipelines would refuse, or get wrong
  mlp verify pipeline.json --target vertex    what Vertex AI would
  kfp dsl compile … && mlp verify out.yaml    files of other compilers too
  mlp verify *.yaml --format json             for programs
  mlp verify - < pipeline.yaml                from standard input

Files are YAML or JSON: a pipeline with or without its settings for Kubernetes, a
PipelineJob, or an object of kind PipelineVersion. docs/verify.md lists the findings.")]
pub struct Arguments {
    /// Compiled pipelines; `-` is standard input
    #[arg(value_name = "FILE", required = true)]
    files: Vec<Utf8PathBuf>,
    /// The platform that is to run them
    #[arg(long, value_enum, default_value_t, value_name = "TARGET")]
    target: Target,
    /// How findings are shown
    #[arg(long, value_enum, default_value_t, value_name = "FORMAT")]
    format: Form,
    /// Take warnings for errors
    #[arg(long)]
    deny_warnings: bool,
}

/// The platforms of `--target`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
enum Target {
    /// Kubeflow Pipelines
    #[default]
    Kubeflow,
    /// Vertex AI Pipelines
    Vertex,
}

/// The forms of `--format`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
enum Form {
    /// For people
    #[default]
    Text,
    /// A JSON array with one object for each file
    Json,
}

/// What was found in a file, or why it could not be read.
type Verified = Result<Vec<Finding>, ReadError>;

/// Verifies.
pub fn run(arguments: &Arguments, context: &Context) -> Result<Exit, Problem> {
    let mut failed = false;
    let mut reports = Vec::new();
    for file in &arguments.files {
        let bytes = contents(file, context)?;
        let verified = read_bytes(&bytes).map(|document| verify(&document, arguments.target.platform()));
        let (errors, warnings) = tally(&verified);
        failed |= errors > 0 || (arguments.deny_warnings && warnings > 0);
        match arguments.format {
            Form::Text => show(context.terminal, file, arguments.target, &verified)?,
            Form::Json => reports.push(report(file, arguments.target, &verified)),
        }
    }
    if arguments.format == Form::Json {
        context.terminal.out(&format!("{:#}\n", Value::Array(reports)))?;
    }
    Ok(if failed { Exit::Program } else { Exit::Success })
}

fn contents(file: &Utf8Path, context: &Context) -> Result<Vec<u8>, Problem> {
    if file == "-" {
        let mut bytes = Vec::new();
        let read = std::io::stdin().lock().read_to_end(&mut bytes);
        read.map_err(|error| Problem::io("read", "standard input", &error))?;
        return Ok(bytes);
    }
    let is_no_file = [ErrorKind::NotFound, ErrorKind::IsADirectory, ErrorKind::NotADirectory];
    std::fs::read(context.path(Some(file))).map_err(|error| {
        if is_no_file.contains(&error.kind()) {
            Problem::usage(format!("Cannot open `{file}`: {error}."))
                .help("Name the YAML or JSON of a compiled pipeline; `mlp build` and `kfp dsl compile` write them.")
        } else {
            Problem::io("read", file, &error)
        }
    })
}

/// Errors and warnings.
fn tally(verified: &Verified) -> (usize, usize) {
    match verified {
        Ok(findings) => {
            let errors = findings
                .iter()
                .filter(|each| each.severity() == Severity::Error)
                .count();
            (errors, findings.len() - errors)
        }
        Err(_) => (1, 0),
    }
}

/// Findings below their paths, and a line that sums up. A file can have anything in its names, so nothing of it reaches
/// the terminal that would move the cursor.
fn show(terminal: Terminal, file: &Utf8Path, target: Target, verified: &Verified) -> Result<(), Problem> {
    let (errors, warnings) = tally(verified);
    let mut text = String::new();
    match verified {
        Err(ReadError { place, message, help }) => {
            let place = place.as_ref().map(|place| format!(", {place}")).unwrap_or_default();
            let error = terminal.paint(Style::Bad, "error");
            let place = terminal.paint(Style::Strong, &plain(&format!("{file}{place}")));
            text.push_str(&format!(
                "{place}\n  {error}: {}\n  help: {}\n\n",
                plain(message),
                plain(help)
            ));
        }
        Ok(findings) => {
            let mut above = None;
            for finding in findings {
                let (severity, path) = (finding.severity(), finding.path.as_str());
                if above != Some((severity, path)) {
                    let gap = if above.is_some() { "\n" } else { "" };
                    text.push_str(&format!("{gap}{}\n", terminal.paint(Style::Strong, &plain(path))));
                    above = Some((severity, path));
                }
                let style = match severity {
                    Severity::Error => Style::Bad,
                    Severity::Warning => Style::Warn,
                };
                let label = terminal.paint(style, &format!("{severity}[{}]", finding.kind.code()));
                text.push_str(&format!(
                    "  {label}: {}\n  help: {}\n",
                    plain(&finding.message),
                    plain(&finding.help)
                ));
            }
            if above.is_some() {
                text.push('\n');
            }
        }
    }
    let style = if errors > 0 { Style::Bad } else { Style::Good };
    let line = format!("verified {file} for {}: {}", target.name(), sum(errors, warnings));
    text.push_str(&terminal.paint(style, &line));
    text.push('\n');
    terminal.out(&text)
}

fn sum(errors: usize, warnings: usize) -> String {
    let errors = match errors {
        0 => "no errors".to_owned(),
        errors => count(errors, "error"),
    };
    match warnings {
        0 => errors,
        warnings => format!("{errors}, {}", count(warnings, "warning")),
    }
}

/// One file for programs. A file that cannot be read has one finding of the kind `unreadable`.
fn report(file: &Utf8Path, target: Target, verified: &Verified) -> Value {
    let findings: Vec<Value> = match verified {
        Ok(findings) => findings.iter().map(finding).collect(),
        Err(error) => vec![unreadable(error)],
    };
    let (errors, warnings) = tally(verified);
    json!({
        "file": file,
        "target": target.name(),
        "errors": errors,
        "warnings": warnings,
        "findings": findings,
    })
}

fn finding(finding: &Finding) -> Value {
    json!({
        "kind": finding.kind.code(),
        "severity": finding.severity().to_string(),
        "path": finding.path,
        "message": finding.message,
        "help": finding.help,
    })
}

fn unreadable(error: &ReadError) -> Value {
    let mut value = json!({
        "kind": "unreadable",
        "severity": Severity::Error.to_string(),
        "path": "",
        "message": error.message,
        "help": error.help,
    });
    match &error.place {
        Some(Place::Path(path)) => value["path"] = json!(path),
        Some(Place::Position { line, column }) => {
            value["line"] = json!(line);
            value["column"] = json!(column);
        }
        None => {}
    }
    value
}

impl Target {
    fn platform(self) -> Platform {
        match self {
            Self::Kubeflow => Platform::Kubeflow,
            Self::Vertex => Platform::Vertex,
        }
    }

    fn name(self) -> &'static str {
        match self {
            Self::Kubeflow => "kubeflow",
            Self::Vertex => "vertex",
        }
    }
}
