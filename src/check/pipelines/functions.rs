//! Functions of scalars over run-time values: `floor(x)`, `length(names)`. What they are is declared beside those of
//! features.

use crate::check::declarations::{FUNCTIONS, FunctionDeclaration, value_call};
use crate::diagnostics::Code;
use crate::names;
use crate::plan::Function;
use crate::syntax::ast::{Call, NodeId};

use super::elaborator::Elaborator;
use super::scope::Computed;
use super::values::computed;

impl Elaborator<'_> {
    /// The function of scalars that a call names, unless the file gives the name another meaning.
    pub(super) fn scalar_function(&self, call: &Call) -> Option<&'static FunctionDeclaration> {
        let name = &call.callee.text;
        let known = FUNCTIONS.iter().find(|known| known.name == name.as_str())?;
        let taken = self.scopes.peek(name).is_some() || names::resolve(self.db, self.key, name).is_some();
        (!taken).then_some(known)
    }

    /// A call of a function over run-time values.
    pub(super) fn function_call(&mut self, place: NodeId, call: &Call, known: &FunctionDeclaration) -> Computed {
        let name = known.name;
        if known.function == Function::Hash {
            self.visit_arguments(call);
            let message = "`hash` has the key of its dataset, so it works on columns only.";
            let problem = self.problem(Code::NotSupportedYet, place, message);
            self.report(problem.help("Hash the column in `features`, or with `mask`."));
            return Computed::Unknown;
        }
        if let Some(named) = call.arguments.iter().find_map(|argument| argument.name.as_ref()) {
            let message = format!("The arguments of `{name}` have no names.");
            let problem = self.problem(Code::FunctionArguments, named.id, message);
            self.report(problem.help(format!("Write `{}`.", known.form)));
            self.visit_arguments(call);
            return Computed::Unknown;
        }
        let values = call.arguments.iter().map(|argument| self.scalar_value(&argument.value));
        let values: Vec<_> = values.collect();
        let Some(values) = values.into_iter().collect() else {
            return Computed::Unknown;
        };
        match value_call(known, values) {
            Ok((ty, expression)) => computed(ty, expression),
            Err(misuse) => {
                let argument = misuse.argument.and_then(|index| call.arguments.get(index));
                let place = argument.map_or(place, |argument| argument.value.id);
                let problem = self.problem(Code::FunctionArguments, place, misuse.message);
                self.report(problem.help(misuse.help));
                Computed::Unknown
            }
        }
    }
}
