//! Habits from other languages: their words, marks and quotes.

use super::{Failure, is_name, nearest, range_of, shown, unexpected};
use crate::source::TextRange;
use crate::syntax::error::{SyntaxError, SyntaxErrorKind};
use crate::syntax::expected::Expectation;
use crate::syntax::lexer::{Token, TokenKind};
use crate::syntax::segments::ITEM_WORDS;

/// Words of other languages that begin a declaration, with what they are here.
const FOREIGN_ITEMS: [(&str, &str); 12] = [
    ("def", "step"),
    ("fn", "step"),
    ("function", "step"),
    ("func", "step"),
    ("task", "step"),
    ("component", "step"),
    ("import", "use"),
    ("include", "use"),
    ("class", "record"),
    ("struct", "record"),
    ("table", "schema"),
    ("dag", "pipeline"),
];

pub(super) fn unknown_item(failure: &Failure<'_>) -> Option<SyntaxError> {
    let first = failure.tokens.first()?;
    let word = first.text(failure.text);
    if failure.piece.start != 0 || ITEM_WORDS.contains(&word) {
        return None;
    }
    let range = range_of(first);
    let error = |message: String| SyntaxError::new(SyntaxErrorKind::UnknownItem, range, message);
    if matches!(word, "from" | "import") {
        return Some(
            error(format!("`{word}` begins no item: modules are brought in with `use`."))
                .with_help("Write `use module::Name`, or `use module::{Name, other}` for several names."),
        );
    }
    if let Some((_, meant)) = FOREIGN_ITEMS.iter().find(|(foreign, _)| *foreign == word) {
        return Some(
            error(format!("`{word}` begins no item of the language."))
                .with_help(format!("What `{word}` is elsewhere is a `{meant}` here."))
                .with_fix(range, *meant),
        );
    }
    if matches!(word, "let" | "if" | "for" | "return" | "finally") {
        return Some(
            error(format!(
                "`{word}` is a statement, and statements stand inside a pipeline."
            ))
            .with_help("Move it into `pipeline name(…) { … }`."),
        );
    }
    if let Some(meant) = nearest(word, &ITEM_WORDS) {
        return Some(
            error(format!("`{word}` begins no item."))
                .with_help(format!("Did you mean `{meant}`?"))
                .with_fix(range, meant),
        );
    }
    if first.kind == TokenKind::Close {
        return Some(
            SyntaxError::new(
                SyntaxErrorKind::UnclosedBracket,
                range,
                format!("This `{word}` closes nothing."),
            )
            .with_help(format!("Leave the `{word}` out, or open its partner.")),
        );
    }
    let words = ITEM_WORDS.map(|word| format!("`{word}`")).join(", ");
    Some(error(format!("`{}` begins no item.", shown(word))).with_help(format!("An item begins with one of {words}.")))
}

pub(super) fn foreign_character(failure: &Failure<'_>) -> Option<SyntaxError> {
    let token = failure.found_token()?;
    let text = token.text(failure.text);
    let range = range_of(token);
    match (token.kind, text) {
        (TokenKind::Mark, "&" | "|") => Some(
            unexpected(range, format!("`{text}` is not an operator of the language."))
                .with_help(format!("Write `{text}{text}`."))
                .with_fix(range, format!("{text}{text}")),
        ),
        (TokenKind::Mark, "'") => Some(
            SyntaxError::new(
                SyntaxErrorKind::ForeignQuotes,
                range,
                "This quote has no partner on its line.",
            )
            .with_help("A string stands between straight double quotes: `\"text\"`."),
        ),
        (TokenKind::Mark, "#") => Some(
            unexpected(range, "A comment does not begin with `#`.")
                .with_help("Write `//`.")
                .with_fix(range, "//"),
        ),
        (TokenKind::Mark, "$" | "\\" | "~" | "^") => Some(unexpected(
            range,
            format!("The language does not use the character `{text}`."),
        )),
        (TokenKind::Unknown, "`") => Some(
            SyntaxError::new(
                SyntaxErrorKind::UnclosedString,
                range,
                "This name in back-ticks has no end on its line.",
            )
            .with_help("Write a back-tick where the name ends."),
        ),
        (TokenKind::Unknown, "“" | "”" | "‘" | "’") => Some(
            SyntaxError::new(
                SyntaxErrorKind::ForeignQuotes,
                range,
                "This quote has no partner on its line.",
            )
            .with_help("A string stands between straight double quotes: `\"text\"`."),
        ),
        (TokenKind::Unknown, _) if text.chars().all(char::is_alphanumeric) => Some(
            unexpected(
                range,
                format!("`{text}` cannot stand in a name: names are of the letters a to z, digits and `_`."),
            )
            .with_help("Put a name with other letters between back-ticks, as in `` `größe` ``."),
        ),
        (TokenKind::Unknown, _) => {
            let code = text.chars().next().map_or(0, u32::from);
            Some(unexpected(
                range,
                format!("The language does not use the character `{text}` (U+{code:04X})."),
            ))
        }
        _ => None,
    }
}

/// `a = b` where a condition or argument stands.
pub(super) fn single_equals(failure: &Failure<'_>) -> Option<SyntaxError> {
    if failure.found_text() != "=" || failure.found == failure.piece.start {
        return None;
    }
    let range = failure.found_range();
    let argument =
        failure.bracket() == "(" && matches!(failure.before_text(2), "(" | ",") && is_name(failure.before(1));
    if argument {
        let name = failure.before_text(1);
        let spaces = TextRange::new(failure.end_before(), range.end as usize);
        return Some(
            SyntaxError::new(
                SyntaxErrorKind::WrongSeparator,
                range,
                format!("The argument `{name}` is given its value with `:`, not with `=`."),
            )
            .with_help(format!("Write `{name}: …`."))
            .with_fix(spaces, ":"),
        );
    }
    let comparison = failure.expects(Expectation::More) && !failure.expects(Expectation::Mark(":"));
    comparison.then(|| {
        SyntaxError::new(
            SyntaxErrorKind::WrongSeparator,
            range,
            "`=` binds a name; two values are compared with `==`.",
        )
        .with_help("Write `==`.")
        .with_fix(range, "==")
    })
}

/// `if x:` and `for x in xs:`
pub(super) fn python_colon(failure: &Failure<'_>) -> Option<SyntaxError> {
    let first = failure.text_at(failure.piece.start);
    let header =
        matches!(first, "if" | "for" | "finally" | "elif") || ITEM_WORDS.contains(&first) && failure.piece.start == 0;
    let last_on_line = failure
        .found_token()
        .and_then(|token| failure.text.get(token.end..))
        .is_some_and(|rest| rest.trim_start_matches([' ', '\t', '\r']).starts_with('\n'));
    (header && failure.found_text() == ":" && last_on_line).then(|| {
        unexpected(
            failure.found_range(),
            format!("The body of `{first}` does not begin with `:`."),
        )
        .with_help("Put the body between `{` and `}`.")
    })
}

/// `lett x = …`, `var x = …`
pub(super) fn foreign_let(failure: &Failure<'_>) -> Option<SyntaxError> {
    let start = failure.piece.start;
    let (word, equals) = (failure.token(start)?, failure.text_at(start + 2));
    let text = word.text(failure.text);
    let bound =
        start > 0 && word.kind == TokenKind::Name && is_name(failure.token(start + 1)) && matches!(equals, "=" | ":");
    let meant = matches!(text, "var" | "const" | "val" | "set" | "auto") || nearest(text, &["let"]).is_some();
    (bound && meant && text != "let").then(|| {
        unexpected(range_of(word), format!("`{text}` begins no statement."))
            .with_help("Did you mean `let`?")
            .with_fix(range_of(word), "let")
    })
}

/// `x = f()` in a pipeline.
pub(super) fn missing_let(failure: &Failure<'_>) -> Option<SyntaxError> {
    let start = failure.piece.start;
    let name = failure.token(start).filter(|token| token.kind == TokenKind::Name)?;
    if start == 0 || failure.found != start + 1 || failure.found_text() != "=" || failure.item_word() != "pipeline" {
        return None;
    }
    let text = name.text(failure.text);
    Some(
        unexpected(range_of(name), format!("`{text}` is given a value without `let`."))
            .with_help(format!("Write `let {text} = …`; a name is bound once."))
            .with_fix(TextRange::empty(name.start), "let "),
    )
}

/// `{ "a": 1 }`
pub(super) fn quoted_key(failure: &Failure<'_>) -> Option<SyntaxError> {
    let key = failure.found_token().filter(|token| token.kind == TokenKind::String)?;
    if failure.text_at(failure.found + 1) != ":" {
        return None;
    }
    let name = key.text(failure.text).trim_matches('"');
    let mend = crate::format::name(name);
    let help = if mend == name {
        format!("Write `{mend}`, without quotes.")
    } else {
        format!("Put a name that is not a plain word between back-ticks: {mend}.")
    };
    Some(
        unexpected(range_of(key), format!("The name `{name}` stands between quotes."))
            .with_help(help)
            .with_fix(range_of(key), mend),
    )
}

pub(super) fn called_member(failure: &Failure<'_>) -> Option<SyntaxError> {
    let is_call = failure.found_text() == "(" && failure.before_text(2) == "." && is_name(failure.before(1));
    is_call.then(|| {
        let name = failure.before_text(1);
        unexpected(
            failure.found_range(),
            format!("`{name}` is called behind a dot, but a value has no functions."),
        )
        .with_help(format!("Pass the value as an argument, as in `{name}(value)`; order between steps is written `step(…) after other`."))
    })
}

/// `use a.b`, `use a/b`, `use a:b`
pub(super) fn module_path(failure: &Failure<'_>) -> Option<SyntaxError> {
    let wrong = failure.item_word() == "use" && matches!(failure.found_text(), "." | "/" | ":");
    wrong.then(|| {
        unexpected(
            failure.found_range(),
            "The parts of a module's path are joined by `::`.",
        )
        .with_help("Write `use module::Name`.")
        .with_fix(failure.found_range(), "::")
    })
}

/// `=<`, `=>`, `**`, `=..` and `...`: a sign that was meant to be another.
pub(super) fn turned_sign(failure: &Failure<'_>) -> Option<SyntaxError> {
    let (found, before) = (failure.found_token()?, failure.before(1));
    let touches = |left: Option<&Token>, right: Option<&Token>| {
        left.zip(right).is_some_and(|(left, right)| left.end == right.start)
    };
    let next = failure.token(failure.found + 1);
    let (first, second) = if touches(before, Some(found)) && is_sign(failure.before_text(1)) {
        (before?, found)
    } else if touches(Some(found), next) {
        (found, next?)
    } else {
        return None;
    };
    let (left, right) = (first.text(failure.text), second.text(failure.text));
    let range = range_of(first).cover(range_of(second));
    let help = match (left, right) {
        ("=", "<") => "Write `<=`.",
        ("=", ">") => "Write `>=`.",
        ("*", "*") => "There are no powers: multiply the value with itself.",
        ("=", ".." | "..=") | ("..", "." | "..") => "A range is written `1..=10`, or `1..10` without its end.",
        (":", "=") => "A name is bound with `let name = …`; a default stands behind `=` alone.",
        _ => return None,
    };
    let error = unexpected(range, format!("`{left}{right}` is no sign of the language.")).with_help(help);
    Some(match (left, right) {
        ("=", "<") => error.with_fix(range, "<="),
        ("=", ">") => error.with_fix(range, ">="),
        _ => error,
    })
}

fn is_sign(text: &str) -> bool {
    matches!(text, "=" | "*" | ".." | ":")
}

/// `name: type = value` in a schema or record.
pub(super) fn column_default(failure: &Failure<'_>) -> Option<SyntaxError> {
    let of = failure.item_word();
    let is_field = matches!(of, "schema" | "record") && failure.text_at(failure.piece.start + 1) == ":";
    (is_field && failure.found_text() == "=" && failure.bracket().is_empty()).then(|| {
        unexpected(failure.found_range(), format!("A field of a {of} has no default."))
            .with_help("Leave it out. A value that may be missing has an optional type, as in `string?`.")
    })
}

/// `gate(…) { auc = 0.7 }`: the conditions behind a call are taken for a record, and break further down.
pub(super) fn condition_sign(failure: &Failure<'_>) -> Option<SyntaxError> {
    let mut open = Vec::new();
    for index in failure.piece.start..failure.found {
        match failure.token(index)?.kind {
            TokenKind::Open => open.push(index),
            TokenKind::Close => drop(open.pop()),
            _ => {}
        }
    }
    let opener = *open.last()?;
    let mark = failure.token(opener + 2)?;
    let sign = mark.text(failure.text);
    let is_condition = opener > 0
        && failure.text_at(opener - 1) == ")"
        && failure.text_at(opener) == "{"
        && is_name(failure.token(opener + 1))
        && matches!(sign, "=" | ":");
    is_condition.then(|| {
        SyntaxError::new(
            SyntaxErrorKind::WrongSeparator,
            range_of(mark),
            format!("A condition compares, and `{sign}` does not."),
        )
        .with_help("Write `==`, `>=` or another comparison.")
    })
}

/// `a if c else b`, `if c then a else b`, `c ? a : b`, `a is b`
pub(super) fn conditional(failure: &Failure<'_>) -> Option<SyntaxError> {
    let choice = "Write `if condition { a } else { b }`.";
    let is_expression = failure.found > failure.piece.start && failure.expects(Expectation::More);
    let (range, message, help) = match failure.found_text() {
        "then" => (failure.found_range(), "`then` is no word of the language.", choice),
        "?" if is_expression && matches!(failure.item_word(), "features" | "pipeline" | "checks") => {
            (failure.found_range(), "`? :` is no operator of the language.", choice)
        }
        "if" if is_expression && failure.bracket().is_empty() && failure.before_text(1) != "else" => (
            failure.found_range(),
            "A choice begins with `if`, and its value does not stand before it.",
            choice,
        ),
        _ if failure.before_text(1) == "is" && failure.found >= failure.piece.start + 3 => (
            range_of(failure.before(1)?),
            "`is` is no operator of the language.",
            "Write `==`.",
        ),
        _ => return None,
    };
    Some(unexpected(range, message).with_help(help))
}

/// `let a, b = f()`
pub(super) fn several_names(failure: &Failure<'_>) -> Option<SyntaxError> {
    let after_let = failure.before_text(2) == "let" && is_name(failure.before(1));
    (after_let && failure.found_text() == ",").then(|| {
        let name = failure.before_text(1);
        unexpected(failure.found_range(), "A `let` binds one name.").with_help(format!(
            "Bind the whole, as in `let {name} = …`, and name its outputs where they are used: `{name}.port`."
        ))
    })
}

/// `list[string]`
pub(super) fn square_type(failure: &Failure<'_>) -> Option<SyntaxError> {
    let is_type = matches!(failure.before_text(2), ":" | "->" | "<" | "validated") && is_name(failure.before(1));
    let in_type = is_type && !matches!(failure.item_word(), "features" | "checks");
    (in_type && failure.found_text() == "[").then(|| {
        let (name, held) = (failure.before_text(1), failure.text_at(failure.found + 1));
        unexpected(
            failure.found_range(),
            format!("What `{name}` holds stands between `<` and `>`."),
        )
        .with_help(format!("Write `{name}<{}>`.", shown(held)))
    })
}
