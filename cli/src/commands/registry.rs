//! `mlp registry`: model versions and their aliases.

use clap::{Args, Subcommand};
use mlp_runtime::operations::follow_champion;
use mlp_runtime::registry::{Cause, Move, Registry, Selector, VersionDetails};

use super::Context;
use crate::exit::Exit;
use crate::output::Style;
use crate::problem::Problem;
use crate::{history, words};

/// Arguments of `mlp registry`.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  mlp registry list
  mlp registry show credit-risk champion
  mlp registry promote credit-risk 3
  mlp registry rollback credit-risk")]
pub struct Arguments {
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, Subcommand)]
enum Action {
    /// List every model with its versions and aliases
    #[command(after_help = "Examples:\n  mlp registry list --json")]
    List {
        /// Write JSON
        #[arg(long)]
        json: bool,
    },
    /// Show a version: its model card, lineage and history
    #[command(after_help = "Examples:\n  mlp registry show credit-risk\n  mlp registry show credit-risk 3 --json")]
    Show {
        /// The model's name in the registry
        model: String,
        /// A number, champion, challenger or previous; the newest when not given
        version: Option<String>,
        /// Write JSON
        #[arg(long)]
        json: bool,
    },
    /// Make a version the champion by hand
    #[command(
        after_help = "Examples:\n  mlp registry promote credit-risk 3\n  mlp registry promote credit-risk challenger"
    )]
    Promote {
        /// The model's name in the registry
        model: String,
        /// A number or an alias
        version: String,
    },
    /// Make the previous champion the champion again
    #[command(after_help = "Examples:\n  mlp registry rollback credit-risk")]
    Rollback {
        /// The model's name in the registry
        model: String,
    },
}

/// Answers or moves an alias.
pub fn run(arguments: &Arguments, context: &Context) -> Result<Exit, Problem> {
    let root = history::root(context)?.join(".mlp/registry");
    if !root.is_dir() {
        return match &arguments.action {
            Action::List { json: true } => context.terminal.out("[]\n"),
            Action::List { json: false } => context
                .terminal
                .out("Nothing is registered yet: a pipeline does it with `register(…)`.\n"),
            Action::Show { model, .. } | Action::Promote { model, .. } | Action::Rollback { model } => {
                return Err(Problem::usage(format!(
                    "The registry has no model `{model}`: nothing is registered yet."
                ))
                .help("A pipeline registers a model with `register(…)`."));
            }
        }
        .map(|()| Exit::Success);
    }
    let registry = Registry::open(&root)?;
    match &arguments.action {
        Action::List { json } => list(&registry, *json, context)?,
        Action::Show { model, version, json } => show(&registry, model, version.as_deref(), *json, context)?,
        Action::Promote { model, version } => {
            let number = version_of(&registry, model, Some(version))?;
            match registry.promote(
                model,
                number,
                &Cause::by_hand(jiff::Timestamp::now(), "promoted by hand"),
            )? {
                Some(moved) => context.terminal.out(&moves(model, &moved))?,
                None => context
                    .terminal
                    .out(&format!("version {number} of {model} is the champion already\n"))?,
            }
            follow(&registry, model, context)?;
        }
        Action::Rollback { model } => {
            let moved = registry.rollback(model, &Cause::by_hand(jiff::Timestamp::now(), "rolled back"))?;
            context.terminal.out(&moves(model, &moved))?;
            follow(&registry, model, context)?;
        }
    }
    Ok(Exit::Success)
}

/// The services of a model serve its champion.
fn follow(registry: &Registry, model: &str, context: &Context) -> Result<(), Problem> {
    let followed = follow_champion(registry, model, jiff::Timestamp::now()).map_err(|error| {
        Problem::machine(format!("The alias has moved, but not its services: {error}")).help(format!(
            "Mend or remove what cannot be read, and finish with `mlp registry promote {model} champion`."
        ))
    })?;
    for service in followed {
        context.terminal.out(&format!("{service} serves the champion now\n"))?;
    }
    Ok(())
}

fn list(registry: &Registry, json: bool, context: &Context) -> Result<(), Problem> {
    let terminal = context.terminal;
    let models = registry.list()?;
    if json {
        return terminal.out(&history::json(&models)?);
    }
    for model in &models {
        terminal.out(&format!("{}\n", terminal.paint(Style::Strong, &model.name)))?;
        for version in model.versions.iter().rev() {
            let aliases: Vec<&str> = version.aliases.iter().map(|alias| alias.name()).collect();
            let line = format!(
                "  {:>4}  {}  {} ({})  {}",
                version.version,
                words::time(&version.created.to_string()),
                version.pipeline,
                version.run,
                terminal.paint(Style::Good, &aliases.join(", "))
            );
            terminal.out(&format!("{}\n", line.trim_end()))?;
        }
    }
    Ok(())
}

fn show(registry: &Registry, model: &str, version: Option<&str>, json: bool, context: &Context) -> Result<(), Problem> {
    let number = version_of(registry, model, version)?;
    let details = registry.show(model, Selector::Version(number))?;
    if json {
        return context.terminal.out(&history::json(&details)?);
    }
    context.terminal.out(&describe(&details))
}

fn describe(details: &VersionDetails) -> String {
    let mut text = details.card.trim_end().to_owned();
    text.push_str(&format!("\n\nFiles: {}\n", details.folder));
    if !details.moves.is_empty() {
        text.push_str("\nHistory\n");
    }
    for each in &details.moves {
        let changes: Vec<String> = each
            .changes
            .iter()
            .map(|(alias, change)| format!("{alias} {}", arrow(change)))
            .collect();
        let at = words::time(&each.at.to_string());
        text.push_str(&format!("  {at}  {}  ({})\n", changes.join(", "), each.reason));
    }
    text
}

fn arrow(change: &mlp_runtime::registry::Change) -> String {
    let number = |version: Option<u64>| version.map_or_else(|| "none".to_owned(), |number| number.to_string());
    format!("{} → {}", number(change.from), number(change.to))
}

fn moves(model: &str, moved: &Move) -> String {
    moved
        .changes
        .iter()
        .map(|(alias, change)| format!("{model}: {alias} {}\n", arrow(change)))
        .collect()
}

/// The number that a text names; the newest when there is none.
fn version_of(registry: &Registry, model: &str, version: Option<&str>) -> Result<u64, Problem> {
    match version {
        Some(text) => match text.parse::<Selector>()? {
            Selector::Version(number) => Ok(number),
            alias @ Selector::Alias(_) => Ok(registry.show(model, alias)?.record.version),
        },
        None => {
            let newest = registry.model(model)?.versions.last().map(|version| version.version);
            newest.ok_or_else(|| Problem::usage(format!("Model `{model}` has no version.")))
        }
    }
}
