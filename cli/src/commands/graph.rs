//! `mlp graph`: a pipeline, drawn.

use camino::Utf8PathBuf;
use clap::{Args, ValueEnum};
use mlp::graph_view::{self, Drawing};

use super::Context;
use crate::exit::Exit;
use crate::files;
use crate::problem::Problem;
use crate::project::{self, Project, Subject};

/// Arguments of `mlp graph`.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  mlp graph                                  the project's only pipeline, as text
  mlp graph credit --format mermaid          for Markdown
  mlp graph credit --format dot | dot -Tpng -o credit.png
  mlp graph examples/credit --format html -o credit.html")]
pub struct Arguments {
    #[command(flatten)]
    subject: Subject,
    /// What is written
    #[arg(long, value_enum, default_value_t, value_name = "FORMAT")]
    format: Form,
    /// A file instead of standard output
    #[arg(short, long, value_name = "PATH")]
    output: Option<Utf8PathBuf>,
}

/// The forms of `--format`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
enum Form {
    /// Lines for a terminal
    #[default]
    Text,
    /// A Mermaid flowchart
    Mermaid,
    /// Graphviz
    Dot,
    /// One page that needs nothing else
    Html,
}

/// Draws.
pub fn run(arguments: &Arguments, context: &Context) -> Result<Exit, Problem> {
    let (name, path) = arguments.subject.resolve(context)?;
    let plan = match Project::open(&path)?.plan(context)? {
        Ok(plan) => plan,
        Err(exit) => return Ok(exit),
    };
    let drawing = Drawing::new(&plan, project::pipeline(&plan, name)?);
    let text = match arguments.format {
        Form::Text => graph_view::text(&drawing),
        Form::Mermaid => graph_view::mermaid(&drawing),
        Form::Dot => graph_view::dot(&drawing),
        Form::Html => graph_view::html(&drawing),
    };
    match arguments.output.as_deref() {
        None => context.terminal.out(&text)?,
        Some(path) if path == "-" => context.terminal.out(&text)?,
        Some(path) => {
            files::write(path, &text)?;
            context.terminal.out(&format!("wrote {path}\n"))?;
        }
    }
    Ok(Exit::Success)
}
