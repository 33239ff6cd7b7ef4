//! `mlp explain`: the page of a diagnostic.

use clap::Args;
use mlp::diagnostics::{Code, Explained, Severity, explain};

use super::Context;
use crate::exit::Exit;
use crate::output::Style;
use crate::problem::Problem;

/// Arguments of `mlp explain`.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  mlp explain E0601       what the error means, with a wrong and a mended program
  mlp explain --list      every error and warning in one line")]
pub struct Arguments {
    /// The code, such as E0601; every code is listed when none is named
    code: Option<String>,
    /// List every code
    #[arg(long, conflicts_with = "code")]
    list: bool,
}

/// Explains.
pub fn run(arguments: &Arguments, context: &Context) -> Result<Exit, Problem> {
    let terminal = context.terminal;
    let Some(code) = arguments.code.as_deref().filter(|_| !arguments.list) else {
        for code in Code::ALL {
            let declaration = code.declaration();
            let style = match declaration.severity {
                Severity::Error => Style::Bad,
                Severity::Warning => Style::Warn,
            };
            let code = terminal.paint(style, declaration.code);
            terminal.out(&format!("{code}  {}\n", declaration.summary))?;
        }
        return Ok(Exit::Success);
    };
    match explain(code) {
        Explained::Found(declaration) => {
            terminal.out(&page(declaration.page, declaration.code, &|style, text| {
                terminal.paint(style, text)
            }))?;
            Ok(Exit::Success)
        }
        Explained::Unknown(near) => {
            let problem = Problem::usage(format!("There is no diagnostic `{code}`."));
            Err(match near {
                Some(near) => problem.help(format!("Did you mean `{near}`? `mlp explain --list` lists them all.")),
                None => problem.help("`mlp explain --list` lists them all."),
            })
        }
    }
}

/// Markdown as plain lines: headings without `#`, programs indented and without fences.
fn page(markdown: &str, code: &str, paint: &dyn Fn(Style, &str) -> String) -> String {
    let mut text = String::new();
    let mut in_program = false;
    for line in markdown.lines() {
        if line.trim_start().starts_with("```") {
            in_program = !in_program;
            continue;
        }
        if in_program {
            text.push_str(format!("    {line}").trim_end());
        } else if let Some(title) = line.strip_prefix("# ") {
            text.push_str(&paint(Style::Strong, &format!("{code}: {title}")));
        } else if line.starts_with('#') {
            text.push_str(&paint(Style::Strong, line.trim_start_matches('#').trim()));
        } else {
            text.push_str(line);
        }
        text.push('\n');
    }
    text
}

#[cfg(test)]
mod tests {
    use super::page;

    #[test]
    fn a_page_becomes_plain_lines() {
        let plain = page(
            "# Title\n\nText.\n\n## Wrong\n\n```mlp\nschema S {\n}\n```\n",
            "E0000",
            &|_, text| text.to_owned(),
        );
        assert_eq!(plain, "E0000: Title\n\nText.\n\nWrong\n\n    schema S {\n    }\n");
    }
}
