//! What reaches the terminal: colours where they are wanted, and no panic when nobody reads.

use std::io::{self, IsTerminal, Write};

use clap::ValueEnum;
use miette::{GraphicalReportHandler, GraphicalTheme};

use crate::problem::Problem;

/// When to use colours.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum Colour {
    /// On a terminal, unless NO_COLOR is set; CLICOLOR_FORCE wins.
    #[default]
    Auto,
    /// Always.
    Always,
    /// Never.
    Never,
}

/// The two output streams and whether each takes colours.
#[derive(Clone, Copy, Debug)]
pub struct Terminal {
    stdout_colour: bool,
    stderr_colour: bool,
}

/// What a piece of text is, for its colour.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Style {
    /// Went well.
    Good,
    /// Did not.
    Bad,
    /// Deserves a look.
    Warn,
    /// Of lesser importance.
    Quiet,
    /// A name or heading.
    Strong,
}

impl Terminal {
    /// As the option, the environment and the streams say.
    pub fn new(choice: Colour) -> Self {
        let set = |name: &str| std::env::var_os(name).is_some_and(|value| !value.is_empty());
        let forced = std::env::var_os("CLICOLOR_FORCE").is_some_and(|value| !value.is_empty() && value != "0");
        let dumb = std::env::var_os("TERM").is_some_and(|value| value == "dumb");
        let wanted = |is_terminal: bool| match choice {
            Colour::Always => true,
            Colour::Never => false,
            Colour::Auto => forced || (is_terminal && !set("NO_COLOR") && !dumb),
        };
        Self {
            stdout_colour: wanted(io::stdout().is_terminal()),
            stderr_colour: wanted(io::stderr().is_terminal()),
        }
    }

    /// Whether standard output takes colours.
    pub fn stdout_colour(self) -> bool {
        self.stdout_colour
    }

    /// Whether standard error takes colours.
    pub fn stderr_colour(self) -> bool {
        self.stderr_colour
    }

    /// `text` for standard output.
    pub fn paint(self, style: Style, text: &str) -> String {
        paint(self.stdout_colour, style, text)
    }

    /// `text` for standard error.
    pub fn paint_error(self, style: Style, text: &str) -> String {
        paint(self.stderr_colour, style, text)
    }

    /// Writes to standard output.
    ///
    /// A reader that went away (`| head -1`) is no problem: the text is not wanted any more.
    pub fn out(self, text: &str) -> Result<(), Problem> {
        let mut stdout = io::stdout().lock();
        match stdout.write_all(text.as_bytes()).and_then(|()| stdout.flush()) {
            Ok(()) => Ok(()),
            Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
            Err(error) => Err(Problem::io("write to", "standard output", &error)),
        }
    }

    /// Writes to standard error; there is nowhere to tell when that fails.
    pub fn err(self, text: &str) {
        let _ = io::stderr().lock().write_all(text.as_bytes());
    }

    /// Shows a problem on standard error.
    pub fn problem(self, problem: &Problem) {
        let theme = if self.stderr_colour {
            GraphicalTheme::unicode()
        } else {
            GraphicalTheme::unicode_nocolor()
        };
        let mut text = String::new();
        let handler = GraphicalReportHandler::new_themed(theme).with_width(100);
        if handler.render_report(&mut text, problem).is_err() {
            text = format!("{problem}\n");
        }
        self.err(&text);
    }
}

/// `text` in the colour of `style`, or as it is.
pub fn paint(colour: bool, style: Style, text: &str) -> String {
    if !colour || text.is_empty() {
        return text.to_owned();
    }
    let code = match style {
        Style::Good => "32",
        Style::Bad => "31",
        Style::Warn => "33",
        Style::Quiet => "2",
        Style::Strong => "1",
    };
    format!("\u{1b}[{code}m{text}\u{1b}[0m")
}
