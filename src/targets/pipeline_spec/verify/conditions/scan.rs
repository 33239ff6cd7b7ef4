//! A first look at the text of an expression: whether it may be given to the parser at all, and what of it `kfp.local`
//! would misread as text. The parser is recursive, and its time and stack grow with what a file says.

/// Bytes of the longest expression that is parsed.
const LONGEST: usize = 16 * 1024;
/// Operators and brackets within each other, at the most.
const DEEPEST: usize = 200;

/// What a look at a text has shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Scan {
    /// Whether it is short and flat enough for the parser.
    pub(super) is_parsable: bool,
    /// Whether `!` stands before anything but a bracket.
    pub(super) has_bare_not: bool,
    /// Whether a literal text has something that `kfp.local` replaces.
    pub(super) has_replaced_text: bool,
}

/// Looks at a text once.
pub(super) fn scan(text: &str) -> Scan {
    let mut scan = Scan {
        is_parsable: text.len() <= LONGEST,
        has_bare_not: false,
        has_replaced_text: false,
    };
    if !scan.is_parsable {
        return scan;
    }
    // For each open bracket, how many operators stand since the last `&&`, `||` or `,`: a chain of these is flat.
    let mut open = vec![0_usize];
    let mut deep = 0_usize;
    let mut characters = text.char_indices().peekable();
    while let Some((position, character)) = characters.next() {
        let rest = text.get(position..).unwrap_or_default();
        match character {
            '\'' | '"' => {
                let literal = literal(rest);
                let is_name = text
                    .get(..position)
                    .is_some_and(|before| before.ends_with("parameter_values["));
                scan.has_replaced_text |= !is_name
                    && ["&&", "||", "!(", "pipelinechannel--", "inputs.parameter_values["]
                        .iter()
                        .any(|each| literal.contains(each));
                let end = position + literal.len();
                while characters.next_if(|(next, _)| *next < end).is_some() {}
            }
            '(' | '[' | '{' => {
                open.push(1);
                deep += 1;
            }
            // The bracket was an operator of the expression around it.
            ')' | ']' | '}' if open.len() > 1 => {
                let inside = open.pop().unwrap_or_default();
                deep = deep.saturating_sub(inside);
                deep += count(&mut open);
            }
            '&' | '|' | ',' => {
                if let Some(last) = open.last_mut() {
                    deep = deep.saturating_sub(*last);
                    *last = 0;
                }
            }
            '!' => {
                let after = rest.get(1..).unwrap_or_default();
                scan.has_bare_not |= !after.starts_with('=') && !after.trim_start().starts_with('(');
                deep += count(&mut open);
            }
            '.' | '?' | ':' | '+' | '-' | '*' | '/' | '%' | '<' | '>' | '=' => deep += count(&mut open),
            // `in` is the one operator of letters.
            ' ' if rest.starts_with(" in ") => deep += count(&mut open),
            _ => {}
        }
        if deep > DEEPEST {
            scan.is_parsable = false;
            return scan;
        }
    }
    scan
}

/// One more operator inside the innermost bracket.
fn count(open: &mut [usize]) -> usize {
    match open.last_mut() {
        Some(last) => {
            *last += 1;
            1
        }
        None => 0,
    }
}

/// The literal text that something begins with, quotes and all; everything when it does not end.
fn literal(text: &str) -> &str {
    let quote = ["'''", "\"\"\"", "'", "\""]
        .into_iter()
        .find(|quote| text.starts_with(quote))
        .unwrap_or("'");
    let mut rest = text.get(quote.len()..).unwrap_or_default();
    loop {
        if let Some(after) = rest.strip_prefix(quote) {
            return text.get(..text.len() - after.len()).unwrap_or(text);
        }
        let mut characters = rest.chars();
        match characters.next() {
            None => return text,
            Some('\\') => {
                characters.next();
            }
            Some(_) => {}
        }
        rest = characters.as_str();
    }
}

#[cfg(test)]
mod tests {
    use super::scan;

    #[test]
    fn long_chains_are_flat_and_nests_are_deep() {
        let clause = "inputs.parameter_values['x'] == 'a'";
        assert!(scan(&vec![clause; 300].join(" && ")).is_parsable);
        assert!(scan(&format!("!({clause}) && ").repeat(200)).is_parsable);
        assert!(!scan(&"(".repeat(1000)).is_parsable);
        assert!(!scan(&"!".repeat(1000)).is_parsable);
        assert!(!scan(&"a.".repeat(1000)).is_parsable);
        assert!(!scan(&"1+".repeat(1000)).is_parsable);
        assert!(!scan(&"x".repeat(20_000)).is_parsable);
        assert!(
            scan(&format!("'{}'", "(".repeat(1000))).is_parsable,
            "a literal text is flat"
        );
    }

    #[test]
    fn what_kfp_local_misreads_is_seen() {
        assert!(scan("!a").has_bare_not);
        assert!(!scan("!(a) && b != c && ! (d)").has_bare_not);
        assert!(!scan("a == '!b'").has_bare_not);
        assert!(scan("a == 'x && y'").has_replaced_text);
        assert!(scan("a == 'pipelinechannel--x'").has_replaced_text);
        assert!(!scan("inputs.parameter_values['pipelinechannel--x'] == 'x'").has_replaced_text);
        assert!(!scan(r"a == 'it\'s' && b").has_replaced_text);
        assert!(scan("'").is_parsable && scan("'\\").is_parsable && scan("").is_parsable);
    }
}
