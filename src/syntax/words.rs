//! The words of a text: a cheap answer to "may this mention that name?". It knows nothing of what a word means.

use super::lexer::{TokenKind, significant};

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

#[cfg(test)]
mod tests {
    use super::words;

    #[test]
    fn names_and_holes_are_words_and_comments_are_not() {
        let found: Vec<&str> = words("use a // b\n`c d` \"{e}f g\"").collect();
        assert_eq!(found, ["use", "a", "c d", "e", "f", "g"]);
    }
}
