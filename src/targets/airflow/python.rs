//! Python: literals and names. Every value that enters a file is written here.

use serde_json::Value as Json;

/// Words that are no names.
const KEYWORDS: [&str; 38] = [
    "False", "None", "True", "and", "as", "assert", "async", "await", "break", "class", "continue", "def", "del",
    "elif", "else", "except", "finally", "for", "from", "global", "if", "import", "in", "is", "lambda", "nonlocal",
    "not", "or", "pass", "raise", "return", "try", "while", "with", "yield", "match", "case", "type",
];

/// Functions that are always there: a variable of that name would hide one from the file's own functions.
#[rustfmt::skip]
pub(super) const BUILTINS: [&str; 75] = [
    "abs", "aiter", "all", "anext", "any", "ascii", "bin", "bool", "breakpoint", "bytearray", "bytes",
    "callable", "chr", "classmethod", "compile", "complex", "copyright", "credits", "delattr", "dict", "dir",
    "divmod", "enumerate", "eval", "exec", "exit", "filter", "float", "format", "frozenset", "getattr",
    "globals", "hasattr", "hash", "help", "hex", "id", "input", "int", "isinstance", "issubclass", "iter",
    "len", "license", "list", "locals", "map", "max", "memoryview", "min", "next", "object", "oct", "open",
    "ord", "pow", "print", "property", "quit", "range", "repr", "reversed", "round", "set", "setattr", "slice",
    "sorted", "staticmethod", "str", "sum", "super", "tuple", "type", "vars", "zip",
];

/// A text as a literal, within the quotes that need the fewest escapes.
pub(super) fn text(text: &str) -> String {
    let quote = if text.matches('"').count() > text.matches('\'').count() {
        '\''
    } else {
        '"'
    };
    let mut literal = String::with_capacity(text.len() + 2);
    literal.push(quote);
    for character in text.chars() {
        match character {
            '\\' => literal.push_str("\\\\"),
            '\n' => literal.push_str("\\n"),
            '\r' => literal.push_str("\\r"),
            '\t' => literal.push_str("\\t"),
            character if character == quote => {
                literal.push('\\');
                literal.push(quote);
            }
            // What ends a line for Python or an editor, or cannot be seen, or turns the direction of writing.
            character if is_hidden(character) => literal.push_str(&escaped(character)),
            character => literal.push(character),
        }
    }
    literal.push(quote);
    literal
}

fn is_hidden(character: char) -> bool {
    character.is_control()
        || matches!(character,
            '\u{ad}' | '\u{61c}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}'
            | '\u{feff}' | '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e0fff}')
}

fn escaped(character: char) -> String {
    match u32::from(character) {
        code @ 0..=0xff => format!("\\x{code:02x}"),
        code @ 0x100..=0xffff => format!("\\u{code:04x}"),
        code => format!("\\U{code:08x}"),
    }
}

/// `True` or `False`.
pub(super) fn boolean(value: bool) -> &'static str {
    if value { "True" } else { "False" }
}

/// A float; the shortest text that reads back as the same.
pub(super) fn float(value: f64) -> String {
    if value.is_finite() {
        format!("{value:?}")
    } else if value > 0.0 {
        "float(\"inf\")".to_owned()
    } else {
        "float(\"-inf\")".to_owned()
    }
}

/// A value of JSON as a literal.
pub(super) fn literal(value: &Json) -> String {
    match value {
        Json::Null => "None".to_owned(),
        Json::Bool(value) => boolean(*value).to_owned(),
        Json::Number(number) => match (number.as_i64(), number.as_u64(), number.as_f64()) {
            (Some(number), _, _) => number.to_string(),
            (None, Some(number), _) => number.to_string(),
            (None, None, Some(number)) => float(number),
            (None, None, None) => "None".to_owned(),
        },
        Json::String(value) => text(value),
        Json::Array(items) => list(items.iter().map(literal)),
        Json::Object(fields) => dict(fields.iter().map(|(key, value)| (text(key), literal(value)))),
    }
}

/// A list of what is Python already.
pub(super) fn list(items: impl IntoIterator<Item = String>) -> String {
    format!("[{}]", items.into_iter().collect::<Vec<_>>().join(", "))
}

/// A dictionary of what is Python already.
pub(super) fn dict(entries: impl IntoIterator<Item = (String, String)>) -> String {
    let entries: Vec<String> = entries
        .into_iter()
        .map(|(key, value)| format!("{key}: {value}"))
        .collect();
    format!("{{{}}}", entries.join(", "))
}

/// A length of time.
pub(super) fn timedelta(milliseconds: i64) -> String {
    if milliseconds % 1_000 == 0 {
        format!("timedelta(seconds={})", milliseconds / 1_000)
    } else {
        format!("timedelta(milliseconds={milliseconds})")
    }
}

/// A name like the wanted one, which Python allows and nothing else has.
pub(super) fn name(wanted: &str, is_taken: &dyn Fn(&str) -> bool) -> String {
    let mut name: String = wanted
        .chars()
        .map(|character| {
            if character.is_ascii_alphanumeric() {
                character
            } else {
                '_'
            }
        })
        .collect();
    if name.starts_with(|first: char| first.is_ascii_digit()) || name.is_empty() {
        name.insert(0, '_');
    }
    let is_free = |name: &str| !KEYWORDS.contains(&name) && !is_taken(name);
    if is_free(&name) {
        return name;
    }
    let mut numbered = (2..).map(|number: u64| format!("{name}_{number}"));
    numbered.find(|name| is_free(name)).unwrap_or_default()
}
