//! Exit codes: a small set, the same for every command, documented in `--help`.

use std::process::ExitCode;

/// How a command ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Exit {
    /// Everything went well.
    Success,
    /// The program has errors, is not formatted, or a test does not hold.
    Program,
    /// The command line asks for something that does not exist.
    Usage,
    /// A step of the run failed.
    Failed,
    /// The run worked, and a `validate`, `gate` or `challenge` did not pass.
    Refused,
    /// The machine failed: a file cannot be read or written, the state is damaged.
    Machine,
    /// A launcher was called in a way that no target writes.
    Call,
    /// In a launcher, the data or the model did not pass: trying again cannot help.
    Final,
    /// The run was cancelled.
    Cancelled,
}

/// What `--help` says about them; kept equal to [`Exit`] by a test.
pub const HELP: &str = "\
Exit codes:
  0    everything went well
  1    the program has errors, is not formatted, or a test does not hold
  2    the command line asks for something that does not exist
  3    a step of the run failed
  4    a validate, gate or challenge did not pass
  5    the machine failed: a file cannot be read or written
  64   mlp launch --placed: what it is told cannot be read
  65   mlp launch --placed: a validate, gate or challenge did not pass; a retry cannot help
  130  the run was cancelled";

impl Exit {
    /// All of them.
    #[cfg(test)]
    const ALL: [Self; 9] = [
        Self::Success,
        Self::Program,
        Self::Usage,
        Self::Failed,
        Self::Refused,
        Self::Machine,
        Self::Call,
        Self::Final,
        Self::Cancelled,
    ];

    /// What the shell sees.
    pub fn code(self) -> u8 {
        match self {
            Self::Success => 0,
            Self::Program => 1,
            Self::Usage => 2,
            Self::Failed => 3,
            Self::Refused => 4,
            Self::Machine => 5,
            Self::Call => 64,
            Self::Final => 65,
            Self::Cancelled => 130,
        }
    }
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit.code())
    }
}

#[cfg(test)]
mod tests {
    use super::{Exit, HELP};

    #[test]
    fn every_code_is_in_the_help() {
        for exit in Exit::ALL {
            let line = format!("\n  {:<5}", exit.code());
            assert!(HELP.contains(&line), "{exit:?} is not in the help");
        }
    }
}
