//! Conditions and selectors: expressions of the Common Expression Language that parse, use what is there, compare what can be
//! equal, and mean the same in `kfp.local`.

mod scan;
mod types;

use cel::IdedExpr;
use cel::parser::Parser;

use self::scan::scan;
use self::types::{Checker, Type, Wrong};
use super::context::{Context, TaskPlace};
use super::finding::{FindingKind, Findings};
use super::sources::{self, Source};

fn text<'a>(place: &TaskPlace<'a>) -> Option<&'a str> {
    let policy = place.task.trigger_policy.as_ref()?;
    policy.condition.as_deref().filter(|condition| !condition.is_empty())
}

/// Parses an expression that was looked at before; the reason when it does not parse.
fn parse(text: &str) -> Result<IdedExpr, String> {
    Parser::default()
        .parse(text)
        .map_err(|errors| match errors.errors.first() {
            Some(error) => {
                let (line, column) = error.pos;
                format!("line {line}, column {}: {}", column.saturating_add(1), error.msg)
            }
            None => "it is no expression".to_owned(),
        })
}

/// A condition parses, and uses what its task has, as what it is.
pub(super) fn condition(context: &Context<'_>, place: &TaskPlace<'_>, findings: &mut Findings) {
    let Some(text) = text(place) else { return };
    let at = || place.at(&["triggerPolicy", "condition"]);
    let name = place.name;
    let scan = scan(text);
    if !scan.is_parsable {
        let message = format!("The condition of the task `{name}` is too long or too deep to be checked.");
        findings.add(
            FindingKind::ConditionTooLong,
            at(),
            message,
            "Compute it in a task, and compare the result.",
        );
        return;
    }
    let expression = match parse(text) {
        Ok(expression) => expression,
        Err(reason) => {
            let message = format!("The condition of the task `{name}` does not parse: {reason}.");
            let help = "Write an expression of the Common Expression Language, with `\\'` for a quote inside quotes.";
            findings.add(FindingKind::ConditionSyntax, at(), message, help);
            return;
        }
    };
    let parameter = |input: &str| given_type(context, place, input);
    let artifact = |input: &str| place.task.inputs.artifacts.contains_key(input);
    let mut checker = Checker {
        parameter: &parameter,
        artifact: &artifact,
        names: &[],
        wrong: Vec::new(),
        reads: Vec::new(),
        is_local: !scan.has_bare_not && !scan.has_replaced_text,
    };
    let result = checker.check(&expression);
    let is_local = checker.is_local && !text.contains("parameter_values[\"");
    if checker.wrong.is_empty() && !matches!(result, Type::Boolean | Type::Other) {
        checker.wrong.push(Wrong::Type("gives no boolean".to_owned()));
    }
    let is_right = checker.wrong.is_empty();
    for wrong in checker.wrong {
        let (kind, wrong, help) = match wrong {
            Wrong::Name(wrong) => (
                FindingKind::ConditionName,
                wrong,
                "Give the task that input, and read it as `inputs.parameter_values['…']`.",
            ),
            Wrong::Type(wrong) => (
                FindingKind::ConditionType,
                wrong,
                "Compare values of the same type; the result must be a boolean.",
            ),
        };
        findings.add(kind, at(), format!("The condition of the task `{name}` {wrong}."), help);
    }
    if is_right && !is_local {
        findings.add(
            FindingKind::ConditionLocal,
            at(),
            format!("The condition of the task `{name}` has something that `kfp.local` does not evaluate; there it is false."),
            "Use comparisons of `inputs.parameter_values['…']`, `&&`, `||`, `!(…)`, `in` and `int(…)`, or compute it in a task.",
        );
    }
}

/// The type of an input of the task; `None` when it is not given.
fn given_type(context: &Context<'_>, place: &TaskPlace<'_>, input: &str) -> Option<Type> {
    let given = place.task.inputs.parameters.get(input)?;
    let declared = sources::declared(place, input).map(|declared| declared.parameter_type);
    let known = declared.or_else(|| sources::parameter_type(context, place, given));
    Some(known.map_or(Type::Other, Type::from))
}

/// `kfp.local` looks an input of a condition up by its name in the graph around, not in the task.
pub(super) fn bare(_: &Context<'_>, place: &TaskPlace<'_>, findings: &mut Findings) {
    let Some(text) = text(place) else { return };
    let inputs = text.split("inputs.parameter_values['").skip(1);
    let mut names: Vec<&str> = inputs
        .filter_map(|rest| rest.split_once('\''))
        .map(|(name, _)| name)
        .collect();
    names.sort_unstable();
    names.dedup();
    for name in names {
        let Some(source) = place.task.inputs.parameters.get(name).and_then(sources::only) else {
            continue;
        };
        if !is_found_locally(place, name, &source) {
            findings.add(
                FindingKind::ConditionBare,
                place.at(&["triggerPolicy", "condition"]),
                format!(
                    "The condition of the task `{}` reads `{name}`, which is {source}; `kfp.local` looks for `{name}` in the \
                     graph around, and takes the condition for false.",
                    place.name
                ),
                "Put the task into a component with a graph of its own, and give it the value as an input of the same name.",
            );
        }
    }
}

/// Whether `kfp.local` finds under the name what the task is given under it. It reads `pipelinechannel--task-Output` and
/// `pipelinechannel--task--output` as outputs, and anything else as an input of the graph, with or without the prefix.
fn is_found_locally(place: &TaskPlace<'_>, name: &str, source: &Source<'_>) -> bool {
    let bare = name.replace("pipelinechannel--", "");
    let output = match (bare.split_once("--"), bare.split_once("-Output")) {
        (Some((task, rest)), _) => Some((task, rest.split("--").next().unwrap_or_default())),
        (None, Some((task, _))) => Some((task, "Output")),
        (None, None) => None,
    };
    match (source, output) {
        (Source::Output { task, output }, Some(found)) => (*task, *output) == found,
        (Source::Graph(input), None) => {
            let known = &place.around.component.input_definitions.parameters;
            let prefixed = format!("pipelinechannel--{bare}");
            let found = [bare.as_str(), prefixed.as_str(), name]
                .into_iter()
                .find(|each| known.contains_key(*each));
            found == Some(*input)
        }
        // It looks for outputs in the graphs further out as well, and `kfp` names inputs by where they come from.
        (Source::Graph(input), Some(_)) => *input == name && name.starts_with("pipelinechannel--"),
        (Source::Output { .. } | Source::Constant(_) | Source::Status(_) | Source::Run, None)
        | (Source::Constant(_) | Source::Status(_) | Source::Run, Some(_)) => false,
    }
}

/// Selectors are expressions over `string_value`.
pub(super) fn selectors(_: &Context<'_>, place: &TaskPlace<'_>, findings: &mut Findings) {
    for (name, input) in &place.task.inputs.parameters {
        let Some(selector) = &input.parameter_expression_selector else {
            continue;
        };
        if let Some(wrong) = selector_problem(selector) {
            findings.add(
                FindingKind::SelectorSyntax,
                place.at(&["inputs", "parameters", name, "parameterExpressionSelector"]),
                format!(
                    "The selector of the input `{name}` of the task `{}` {wrong}.",
                    place.name
                ),
                "Write it as in `parseJson(string_value)[\"field\"]`.",
            );
        }
    }
}

fn selector_problem(selector: &str) -> Option<String> {
    if !scan(selector).is_parsable {
        return Some("is too long or too deep".to_owned());
    }
    let expression = match parse(selector) {
        Ok(expression) => expression,
        Err(reason) => return Some(format!("does not parse: {reason}")),
    };
    let mut checker = Checker {
        parameter: &|_| None,
        artifact: &|_| false,
        names: &[
            "string_value",
            "struct_value",
            "list_value",
            "number_value",
            "bool_value",
        ],
        wrong: Vec::new(),
        reads: Vec::new(),
        is_local: true,
    };
    checker.check(&expression);
    let wrong = checker.wrong.into_iter().next()?;
    Some(match wrong {
        Wrong::Name(wrong) | Wrong::Type(wrong) => wrong,
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::parse;
    use super::scan::scan;

    proptest! {
        /// Whatever a file has for a condition: the parser is given it only when it can cope, and then it copes.
        #[test]
        fn no_condition_makes_the_parser_fail(
            text in any::<String>(),
            near in "[a-z0-9 '\"\\\\.()\\[\\]{}!&|<>=+*/%?:,-]{0,80}",
            word in "(inputs\\.parameter_values\\['x'\\]|==|&&|!|\\(|\\)|'a'|1u|2\\.0|in|has|\\.map\\(|b'\\\\x'| |,){0,20}",
        ) {
            for text in [text, near, word] {
                if scan(&text).is_parsable {
                    let _ = parse(&text);
                }
            }
        }
    }
}
