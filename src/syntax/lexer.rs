//! Text → tokens: a hand-written scanner that knows names, numbers, strings, comments and brackets, and never fails.
//!
//! It does not know the grammar. It exists beside pest because cutting a file into items, measuring its depth and
//! laying out its text must work on any text, broken or not.

/// What a token is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TokenKind {
    /// White space, line breaks included.
    Space,
    /// `// …` to the end of the line.
    Comment,
    /// `/// …`: documentation of what follows.
    Doc,
    /// `//! …`: documentation of the file.
    ModuleDoc,
    /// A word.
    Name,
    /// A name in back-ticks.
    QuotedName,
    /// A number with its unit.
    Number,
    /// `"…"` with everything inside its holes; it ends on its line.
    String,
    /// `"""…"""`
    RawString,
    /// A string whose end is missing.
    OpenString,
    /// `{`, `(`, `[`
    Open,
    /// `}`, `)`, `]`
    Close,
    /// An operator or a mark.
    Mark,
    /// A character that the language does not use.
    Unknown,
}

impl TokenKind {
    /// White space and comments: what means nothing to the grammar.
    #[must_use]
    pub fn is_trivia(self) -> bool {
        matches!(self, Self::Space | Self::Comment | Self::Doc | Self::ModuleDoc)
    }
}

/// A token: its kind and its bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Token {
    /// What it is.
    pub kind: TokenKind,
    /// Offset of its first byte.
    pub start: usize,
    /// Offset after its last byte.
    pub end: usize,
    /// How deeply brackets nest inside it: for strings with holes, else 0.
    pub depth: usize,
}

impl Token {
    /// Its text.
    #[must_use]
    pub fn text<'t>(&self, source: &'t str) -> &'t str {
        source.get(self.start..self.end).unwrap_or_default()
    }
}

/// The tokens of a text; together they are the text.
#[must_use]
pub fn tokens(text: &str) -> Lexer<'_> {
    Lexer {
        text,
        position: 0,
        no_more_raw_ends: false,
    }
}

/// The tokens that mean something to the grammar.
pub fn significant(text: &str) -> impl Iterator<Item = Token> + '_ {
    tokens(text).filter(|token| !token.kind.is_trivia())
}

/// An iterator over the tokens of a text.
#[derive(Clone, Debug)]
pub struct Lexer<'t> {
    text: &'t str,
    position: usize,
    /// A search for `"""` has reached the end of the text, so that no later one need be made.
    no_more_raw_ends: bool,
}

const MARKS: [&str; 11] = ["..=", "::", "->", "==", "!=", "<=", ">=", "&&", "||", "??", ".."];

impl Iterator for Lexer<'_> {
    type Item = Token;

    fn next(&mut self) -> Option<Token> {
        let start = self.position;
        let rest = self.text.get(start..).filter(|rest| !rest.is_empty())?;
        let bytes = rest.as_bytes();
        let first = bytes[0];
        let mut depth = 0;
        let (kind, length) = match first {
            b' ' | b'\t' | b'\r' | b'\n' => (TokenKind::Space, space(bytes)),
            b'/' if rest.starts_with("//") => comment(rest),
            b'a'..=b'z' | b'A'..=b'Z' | b'_' => (TokenKind::Name, run(bytes, is_name_byte)),
            b'0'..=b'9' => (TokenKind::Number, number(bytes)),
            b'`' => quoted_name(rest),
            b'"' if rest.starts_with("\"\"\"") => self.raw_string(rest),
            b'"' => {
                let string = string(bytes);
                depth = string.depth;
                (string.kind, string.length)
            }
            b'{' | b'(' | b'[' => (TokenKind::Open, 1),
            b'}' | b')' | b']' => (TokenKind::Close, 1),
            0x21..=0x7e => (TokenKind::Mark, mark(rest)),
            _ if rest.starts_with('\u{feff}') => (TokenKind::Space, '\u{feff}'.len_utf8()),
            _ => (TokenKind::Unknown, rest.chars().next().map_or(1, char::len_utf8)),
        };
        self.position = start + length;
        Some(Token {
            kind,
            start,
            end: start + length,
            depth,
        })
    }
}

impl Lexer<'_> {
    /// A raw string that never ends is taken to end on its line, so that it cannot hide the items after it.
    fn raw_string(&mut self, rest: &str) -> (TokenKind, usize) {
        let end = if self.no_more_raw_ends {
            None
        } else {
            rest.get(3..).and_then(|inside| inside.find("\"\"\""))
        };
        match end {
            Some(length) => (TokenKind::RawString, length + 6),
            None => {
                self.no_more_raw_ends = true;
                (TokenKind::OpenString, line_length(rest))
            }
        }
    }
}

/// Whether a byte may stand inside a name.
pub fn is_name_byte(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'_'
}

fn run(bytes: &[u8], accepts: impl Fn(u8) -> bool) -> usize {
    bytes.iter().take_while(|byte| accepts(**byte)).count()
}

fn space(bytes: &[u8]) -> usize {
    run(bytes, |byte| matches!(byte, b' ' | b'\t' | b'\r' | b'\n'))
}

fn line_length(rest: &str) -> usize {
    rest.find('\n').unwrap_or(rest.len())
}

fn comment(rest: &str) -> (TokenKind, usize) {
    let kind = if rest.starts_with("//!") {
        TokenKind::ModuleDoc
    } else if rest.starts_with("///") && !rest.starts_with("////") {
        TokenKind::Doc
    } else {
        TokenKind::Comment
    };
    (kind, line_length(rest))
}

/// Digits, a fraction, then whatever letters and digits touch it; a percent sign where nothing follows it.
fn number(bytes: &[u8]) -> usize {
    let mut end = run(bytes, is_name_byte);
    if bytes.get(end) == Some(&b'.') && bytes.get(end + 1).is_some_and(u8::is_ascii_digit) {
        end += 1 + run(&bytes[end + 1..], is_name_byte);
    }
    let exponent = matches!(bytes.get(end.wrapping_sub(1)), Some(b'e' | b'E'));
    let signed = matches!(bytes.get(end), Some(b'-' | b'+'));
    if exponent && signed && bytes.get(end + 1).is_some_and(u8::is_ascii_digit) {
        end += 1 + run(&bytes[end + 1..], is_name_byte);
    }
    let divisible = |byte: &u8| is_name_byte(*byte) || matches!(byte, b'(' | b'`' | b'"');
    if bytes.get(end) == Some(&b'%') && !bytes.get(end + 1).is_some_and(divisible) {
        end += 1;
    }
    end
}

fn quoted_name(rest: &str) -> (TokenKind, usize) {
    let inside = rest.get(1..).unwrap_or_default();
    match inside.find(['`', '\n']) {
        Some(length) if inside.as_bytes().get(length) == Some(&b'`') => (TokenKind::QuotedName, length + 2),
        _ => (TokenKind::Unknown, 1),
    }
}

fn mark(rest: &str) -> usize {
    MARKS
        .iter()
        .find(|mark| rest.starts_with(**mark))
        .map_or(1, |mark| mark.len())
}

struct ScannedString {
    kind: TokenKind,
    length: usize,
    depth: usize,
}

/// A string from its opening quote. Inside a hole, brackets and strings nest; the end of the line ends everything.
fn string(bytes: &[u8]) -> ScannedString {
    // One entry per hole that is open: how many brackets are open in it.
    let mut holes: Vec<usize> = Vec::new();
    let mut in_text = true;
    let mut open = 0_usize;
    let mut depth = 0;
    let mut position = 1;
    while let Some(byte) = bytes.get(position) {
        position += 1;
        match (byte, in_text) {
            (b'\n', _) => {
                position -= 1;
                break;
            }
            (b'\\', true) if bytes.get(position).is_some_and(|next| *next != b'\n') => position += 1,
            (b'"', true) if holes.is_empty() => {
                return ScannedString {
                    kind: TokenKind::String,
                    length: position,
                    depth,
                };
            }
            (b'"', inside) => in_text = !inside,
            (b'{', true) => {
                holes.push(0);
                in_text = false;
                open += 1;
            }
            (b'{' | b'(' | b'[', false) => {
                holes.iter_mut().next_back().into_iter().for_each(|hole| *hole += 1);
                open += 1;
            }
            (b'}', false) if holes.last() == Some(&0) => {
                holes.pop();
                in_text = true;
                open = open.saturating_sub(1);
            }
            (b'}' | b')' | b']', false) => {
                holes
                    .iter_mut()
                    .next_back()
                    .into_iter()
                    .for_each(|hole| *hole = hole.saturating_sub(1));
                open = open.saturating_sub(1);
            }
            _ => {}
        }
        depth = depth.max(open);
    }
    // A brace that opens no hole, as a pattern may have one: then the string is only text.
    let line = bytes.get(..position).unwrap_or(bytes);
    let (kind, length) = match plain_string(line) {
        Some(length) if !holes.is_empty() => (TokenKind::String, length),
        _ => (TokenKind::OpenString, position),
    };
    ScannedString { kind, length, depth }
}

/// The length of a string whose braces mean nothing.
fn plain_string(line: &[u8]) -> Option<usize> {
    let mut position = 1;
    loop {
        match line.get(position)? {
            b'\\' => position += 2,
            b'"' => return Some(position + 1),
            _ => position += 1,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kinds(text: &str) -> Vec<(TokenKind, &str)> {
        tokens(text)
            .filter(|token| token.kind != TokenKind::Space)
            .map(|token| (token.kind, token.text(text)))
            .collect()
    }

    #[test]
    fn a_string_with_holes_is_one_token() {
        let text = r#""a {f("b {c} \" ")} d" x"#;
        assert_eq!(
            kinds(text),
            [(TokenKind::String, &text[..text.len() - 2]), (TokenKind::Name, "x")]
        );
    }

    #[test]
    fn an_open_string_ends_on_its_line() {
        assert_eq!(
            kinds("\"abc\nd"),
            [(TokenKind::OpenString, "\"abc"), (TokenKind::Name, "d")]
        );
        assert_eq!(
            kinds("\"\"\"abc\nd"),
            [(TokenKind::OpenString, "\"\"\"abc"), (TokenKind::Name, "d")]
        );
    }

    #[test]
    fn numbers_keep_their_units() {
        let text = "1..=2_000 0.5 1e-3 20% 2h30min 3%2";
        let found: Vec<&str> = kinds(text).into_iter().map(|(_, text)| text).collect();
        assert_eq!(
            found,
            ["1", "..=", "2_000", "0.5", "1e-3", "20%", "2h30min", "3", "%", "2"]
        );
    }

    #[test]
    fn holes_count_as_brackets() {
        assert_eq!(tokens("\"{f([1])}\"").next().map(|token| token.depth), Some(3));
    }
}
