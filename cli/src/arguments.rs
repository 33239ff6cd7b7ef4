//! The command line's shape. One command, one file under `commands/`, which declares its own arguments.

use camino::Utf8PathBuf;
use clap::{Parser, Subcommand};

use crate::commands::{
    build, check, completions, explain, fmt, graph, import, launch, lock, logs, lsp, new, op, registry, run, runs,
    show, submit, test, verify,
};
use crate::exit;
use crate::output::Colour;

const EXAMPLES: &str = "\
Examples:
  mlp new churn                 begin a project
  mlp check                     say what is wrong with it
  mlp run                       run its pipeline
  mlp explain E0601             explain an error";

/// Typed machine-learning pipelines: checked before they run, proven before they ship
#[derive(Debug, Parser)]
#[command(name = "mlp", version, max_term_width = 100, disable_help_subcommand = true)]
#[command(after_help = format!("{EXAMPLES}\n\n{}", exit::HELP))]
pub struct Cli {
    /// Work on the project in this folder instead of the one around the current folder
    #[arg(short = 'C', long, value_name = "DIR", global = true)]
    pub project: Option<Utf8PathBuf>,
    /// When to use colours
    #[arg(
        long,
        value_enum,
        default_value_t,
        value_name = "WHEN",
        global = true,
        hide_possible_values = false
    )]
    pub color: Colour,
    /// What to do
    #[command(subcommand)]
    pub command: Command,
}

/// The commands.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Begin a project
    New(new::Arguments),
    /// Say what is wrong with a project
    Check(check::Arguments),
    /// Write a project's files in the one style
    Fmt(fmt::Arguments),
    /// Run a pipeline on this machine
    Run(run::Arguments),
    /// Run the `test` blocks of a project
    Test(test::Arguments),
    /// List the latest runs
    Runs(runs::Arguments),
    /// Show a run, or one step of it
    Show(show::Arguments),
    /// Print what the steps of a run printed
    Logs(logs::Arguments),
    /// List, show, promote and roll back models
    Registry(registry::Arguments),
    /// Pin images to digests and packages to hashes
    Lock(lock::Arguments),
    /// Write a project for a platform
    Build(build::Arguments),
    /// Make a project of what another system runs
    Import(import::Arguments),
    /// Start a run on Kubeflow Pipelines, Vertex AI or Airflow
    Submit(submit::Arguments),
    /// Say what is wrong with a compiled pipeline, whoever wrote it
    Verify(verify::Arguments),
    /// Draw a pipeline
    Graph(graph::Arguments),
    /// Explain an error or a warning
    Explain(explain::Arguments),
    /// Run a built-in operation in a container of another platform
    #[command(hide = true)]
    Op(op::Arguments),
    /// Run one node of a pipeline in a task of another platform
    #[command(hide = true)]
    Launch(launch::Arguments),
    /// Serve an editor
    Lsp(lsp::Arguments),
    /// Write a completion script for a shell
    Completions(completions::Arguments),
}

#[cfg(test)]
mod tests {
    use std::fmt::Write as _;

    use clap::CommandFactory;

    use super::Cli;

    #[test]
    fn the_command_line_is_consistent() {
        Cli::command().debug_assert();
    }

    #[test]
    fn every_command_shows_examples() {
        for command in Cli::command()
            .get_subcommands()
            .filter(|command| !command.has_subcommands())
        {
            let help = command.get_after_help().map(ToString::to_string).unwrap_or_default();
            assert!(
                help.contains("Examples:"),
                "`mlp {}` shows no example",
                command.get_name()
            );
        }
    }

    /// The chapter is what `--help` prints: `MLP_BLESS=1` writes it anew.
    #[test]
    fn the_reference_is_up_to_date() {
        let mut text = String::from(
            "# Command line\n\nWhat `--help` prints, for every command. Written by a test; change the arguments in `cli/src`.\n",
        );
        describe(&mut Cli::command().term_width(100), "", &mut text);
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/cli.md");
        if std::env::var_os("MLP_BLESS").is_some() {
            std::fs::create_dir_all(concat!(env!("CARGO_MANIFEST_DIR"), "/../docs")).unwrap();
            std::fs::write(path, &text).unwrap();
        }
        let present = std::fs::read_to_string(path).unwrap_or_default();
        assert!(
            present == text,
            "docs/cli.md is stale: run the test again with MLP_BLESS=1"
        );
    }

    fn describe(command: &mut clap::Command, parent: &str, text: &mut String) {
        let name = format!("{parent}{}", command.get_name());
        command.set_bin_name(name.clone());
        write!(
            text,
            "\n## `{name}`\n\n```text\n{}\n```\n",
            command.render_help().to_string().trim_end()
        )
        .unwrap();
        let names: Vec<String> = command
            .get_subcommands()
            .map(|each| each.get_name().to_owned())
            .collect();
        for each in names {
            let inner = command.find_subcommand_mut(&each).expect("it was just listed").clone();
            describe(&mut inner.term_width(100), &format!("{name} "), text);
        }
    }
}
