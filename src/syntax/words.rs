//! The words of a text: a cheap answer to "may this mention that name?" and "which name stands here?". It knows nothing of
//! what a word means.

use super::lexer::{TokenKind, significant};
use crate::source::TextRange;

/// Every name in `text` outside comments, and every word inside its strings, whose holes may mention names.
pub fn words(text: &str) -> impl Iterator<Item = &str> {
    significant(text).flat_map(move |token| {
        let own = token.text(text);
        let is_string = matches!(
            token.kind,
            TokenKind::String | TokenKind::RawString | TokenKind::OpenString
        );
        let separates = move |character: char| match is_string {
            true => !character.is_alphanumeric() && character != '_',
            false => character == '`',
        };
        own.split(separates).filter(|word| !word.is_empty())
    })
}

/// The name that stands at `offset`, without back-ticks, and where; a name also stands at its end.
#[must_use]
pub fn name_at(text: &str, offset: usize) -> Option<(&str, TextRange)> {
    let mut tokens = significant(text)
        .skip_while(|token| token.end < offset)
        .take_while(|token| token.start <= offset);
    let token = tokens.find(|token| matches!(token.kind, TokenKind::Name | TokenKind::QuotedName))?;
    Some((
        token.text(text).trim_matches('`'),
        TextRange::new(token.start, token.end),
    ))
}

#[cfg(test)]
mod tests {
    use super::{TextRange, name_at, words};

    #[test]
    fn a_name_stands_from_its_start_to_its_end() {
        let text = "read(a)";
        assert_eq!(name_at(text, 4), Some(("read", TextRange::new(0, 4))));
        assert_eq!(name_at(text, 5), Some(("a", TextRange::new(5, 6))));
        assert_eq!(name_at(text, 7), None);
        assert_eq!(name_at(text, 70), None);
    }

    #[test]
    fn names_and_holes_are_words_and_comments_are_not() {
        let found: Vec<&str> = words("use a // b\n`c d` \"{e}f g\"").collect();
        assert_eq!(found, ["use", "a", "c d", "e", "f", "g"]);
    }
}
