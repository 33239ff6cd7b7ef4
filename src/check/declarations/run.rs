//! `run: …`: what a step or model runs, and the typed holes of a command.

use super::context::Context;
use super::settings::plain_text;
use crate::diagnostics::{Code, nearest};
use crate::plan::{ArgumentPart, PythonFunction};
use crate::project::Contents;
use crate::syntax::ast::{Call, Expr, ExprKind, Ident, StringPart};
use crate::types::{ParameterKind, Signature, Type};

/// What is run.
pub(crate) enum RunKind<'a> {
    /// A function.
    Python(PythonFunction),
    /// The arguments as written.
    Command(&'a [Expr]),
}

impl Context<'_> {
    /// Reads `run: …`; `allowed` are the words that can stand here.
    pub(crate) fn run_setting<'a>(&mut self, expr: &'a Expr, allowed: &[&str]) -> Option<RunKind<'a>> {
        match &expr.kind {
            ExprKind::Tagged { word, operand } if word.text == "python" => self.python(operand),
            ExprKind::Tagged { word, operand } if word.text == "command" && allowed.contains(&"command") => {
                match &operand.kind {
                    ExprKind::List(arguments) if !arguments.is_empty() => Some(RunKind::Command(arguments)),
                    _ => {
                        let help = "Write `run: command [\"prog\", \"--data\", \"{data}\"]`; a shell script is `[\"bash\", \"file.sh\"]`.";
                        self.bad_setting(operand, "A command is a list: the program and its arguments.", help);
                        None
                    }
                }
            }
            ExprKind::Tagged { word, .. } if matches!(word.text.as_str(), "sql" | "notebook") => {
                let construct = format!("`{}`", word.text);
                self.unsupported(
                    expr.id,
                    &construct,
                    "Run a function with `python \"file.py:function\"` instead.",
                );
                None
            }
            ExprKind::Name(word) if word.text == "builtin" => {
                let message =
                    "Only the standard library can run `builtin`: it names an operation of the runtime itself.";
                let diagnostic = self.problem(Code::BuiltinOutsideLibrary, expr.id, message);
                self.report(diagnostic.help("Write `run: python \"file.py:function\"`."));
                None
            }
            _ => {
                let forms: Vec<String> = allowed.iter().map(|word| format!("`{word} …`")).collect();
                let help = format!("Write {}.", forms.join(" or "));
                let message = match &expr.kind {
                    ExprKind::Tagged { word, .. } if word.text == "command" => {
                        "A model cannot be run with `command`.".to_owned()
                    }
                    ExprKind::Tagged { word, .. } => format!("`{}` is no way to run something.", word.text),
                    _ => "This is nothing that can be run.".to_owned(),
                };
                self.bad_setting(expr, message, help);
                None
            }
        }
    }

    fn python(&mut self, operand: &Expr) -> Option<RunKind<'static>> {
        let text = plain_text(operand);
        let parts = text.as_deref().and_then(|text| text.rsplit_once(':'));
        match parts {
            Some((file, function)) if !function.is_empty() && is_inside(file) => {
                Some(RunKind::Python(PythonFunction {
                    file: file.to_owned(),
                    function: function.to_owned(),
                }))
            }
            _ => {
                let help =
                    "Write `python \"file.py:function\"`; the path starts at the project's root and stays below it.";
                self.bad_setting(operand, "A Python function is named by its file and its name.", help);
                None
            }
        }
    }

    /// The arguments of a command with their holes.
    pub(crate) fn command(&mut self, arguments: &[Expr], signature: &Signature) -> Vec<Vec<ArgumentPart>> {
        let mut read = Vec::new();
        for argument in arguments {
            if let ExprKind::Call(call) = &argument.kind
                && call.callee.text == "file"
            {
                read.push(
                    self.file_text(argument, call)
                        .map(ArgumentPart::Text)
                        .into_iter()
                        .collect(),
                );
                continue;
            }
            let ExprKind::String(parts) = &argument.kind else {
                self.bad_setting(
                    argument,
                    "An argument of a command is a text.",
                    "Write it in quotes; `{name}` is a hole, and `file(\"prepare.sh\")` the text of a file.",
                );
                continue;
            };
            let parts = parts.iter().filter_map(|part| match part {
                StringPart::Text(text) => Some(ArgumentPart::Text(text.clone())),
                StringPart::Hole(expr) => self.hole(expr, signature),
            });
            read.push(parts.collect());
        }
        read
    }

    /// `file("prepare.sh")`: the text of a file of the project, as one argument.
    fn file_text(&mut self, argument: &Expr, call: &Call) -> Option<String> {
        let path = match call.arguments.as_slice() {
            [only] if only.name.is_none() && call.after.is_empty() => plain_text(&only.value),
            _ => None,
        };
        let Some(path) = path.filter(|path| is_inside(path)) else {
            let message = "A file is named by one text, its path from the project's root, and stays below it.";
            self.bad_setting(argument, message, "Write `file(\"prepare.sh\")`.");
            return None;
        };
        let file = self.db.file(camino::Utf8Path::new(&path));
        let problem = match file.contents(self.db) {
            Contents::Text(text) => return Some(text.clone()),
            Contents::Missing => "does not exist".to_owned(),
            Contents::NotUtf8 { .. } => "is not UTF-8".to_owned(),
            Contents::Unreadable(reason) => format!("cannot be read: {reason}"),
        };
        let diagnostic = self.problem(Code::PythonFile, argument.id, format!("The file `{path}` {problem}."));
        self.report(diagnostic.help("The path starts at the project's root, the folder with `mlp.toml`."));
        None
    }

    fn hole(&mut self, expr: &Expr, signature: &Signature) -> Option<ArgumentPart> {
        match &expr.kind {
            ExprKind::Name(name) => {
                self.port(name, signature)?;
                Some(ArgumentPart::Hole(name.text.to_string()))
            }
            ExprKind::Member { base, name } => match &base.kind {
                ExprKind::Name(port) if name.text == "uri" => {
                    let kind = self.port(port, signature)?;
                    if matches!(kind, ParameterKind::Type(Type::Data(_))) {
                        let message = format!("`{}` is a value, which has no address.", port.text);
                        let diagnostic = self.problem(Code::UnknownHole, expr.id, message);
                        self.report(diagnostic.help(format!("Write `{{{}}}`.", port.text)));
                        return None;
                    }
                    Some(ArgumentPart::Uri(port.text.to_string()))
                }
                _ => self.no_hole(expr),
            },
            ExprKind::Error => None,
            _ => self.no_hole(expr),
        }
    }

    fn no_hole(&mut self, expr: &Expr) -> Option<ArgumentPart> {
        let message = "A hole of a command holds a parameter or an output, and nothing that must be computed.";
        let diagnostic = self.problem(Code::UnknownHole, expr.id, message);
        self.report(diagnostic.help("Write `{name}`, or `{name.uri}` for an artifact's address."));
        None
    }

    fn port<'a>(&mut self, name: &Ident, signature: &'a Signature) -> Option<&'a ParameterKind> {
        let parameters = signature.parameters.iter().map(|own| (&own.name, &own.kind));
        let outputs = signature.outputs.iter().map(|own| (&own.name, &own.kind));
        let ports: Vec<(&String, &ParameterKind)> = parameters.chain(outputs).collect();
        let found = ports.iter().find(|(own, _)| *own == name.text.as_str());
        if found.is_none() {
            let message = format!(
                "The step `{}` has no parameter or output `{}`.",
                signature.name, name.text
            );
            let diagnostic = self.problem(Code::UnknownHole, name.id, message);
            let names: Vec<&str> = ports.iter().map(|(own, _)| own.as_str()).collect();
            let diagnostic = match nearest(&name.text, names.iter().copied()) {
                Some(found) => self.did_you_mean(diagnostic, name, &found),
                None => diagnostic.help("Declare it as a parameter, or write `\\{` for a plain brace."),
            };
            self.report(diagnostic);
        }
        found.map(|(_, kind)| *kind)
    }
}

/// Whether a path stays below the project's root.
fn is_inside(path: &str) -> bool {
    let path = camino::Utf8Path::new(path);
    let plain = |part| matches!(part, camino::Utf8Component::Normal(_));
    path.components().next().is_some() && path.components().all(plain)
}
