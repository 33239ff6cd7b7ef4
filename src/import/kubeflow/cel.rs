//! Reads conditions: the part of the Common Expression Language that specifications are written in, in practice.
//! Everything else is refused, never guessed.

use serde_json::Value as Json;

use super::expression::Operator;

/// How deep parentheses may go.
const DEEPEST: usize = 64;

/// How many words and signs a condition may have: more would be no condition that somebody wrote.
const LONGEST: usize = 2_000;

/// A condition.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Cel {
    /// `inputs.parameter_values['x']`
    Input(String),
    /// A constant.
    Constant(Json),
    /// `int(x)`, `double(x)`, `string(x)`
    Cast(Cast, Box<Cel>),
    /// `!x`
    Not(Box<Cel>),
    /// `-x`
    Negate(Box<Cel>),
    /// Two operands.
    Binary(Operator, Box<Cel>, Box<Cel>),
    /// `x in [a, b]`
    In(Box<Cel>, Vec<Cel>),
}

/// What a value is turned into.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Cast {
    Int,
    Double,
    String,
}

#[derive(Clone, Debug, PartialEq)]
enum Token {
    Name(String),
    Text(String),
    Number(f64),
    Sign(&'static str),
}

const SIGNS: [&str; 20] = [
    "&&", "||", "==", "!=", "<=", ">=", "<", ">", "!", "(", ")", "[", "]", ",", ".", "+", "-", "*", "/", "%",
];

/// Reads a condition.
///
/// # Errors
/// What is not understood.
pub(super) fn read(text: &str) -> Result<Cel, String> {
    let mut reader = Reader {
        tokens: tokens(text)?,
        at: 0,
        depth: 0,
    };
    let read = reader.binary(0)?;
    match reader.peek() {
        None => Ok(read),
        Some(token) => Err(unexpected(token)),
    }
}

fn unexpected(token: &Token) -> String {
    match token {
        Token::Name(name) => format!("`{name}`"),
        Token::Text(text) => format!("the text \"{text}\""),
        Token::Number(number) => format!("`{number}`"),
        Token::Sign(sign) => format!("`{sign}`"),
    }
}

fn tokens(text: &str) -> Result<Vec<Token>, String> {
    let mut tokens = Vec::new();
    let mut rest = text.trim_start();
    while let Some(first) = rest.chars().next() {
        let is_word = |character: char| character.is_ascii_alphanumeric() || character == '_';
        let taken = if first.is_ascii_digit()
            || first == '.' && rest.chars().nth(1).is_some_and(|next| next.is_ascii_digit())
        {
            let (number, length) = number(rest)?;
            tokens.push(Token::Number(number));
            length
        } else if is_word(first) {
            let word: String = rest.chars().take_while(|character| is_word(*character)).collect();
            let length = word.len();
            tokens.push(Token::Name(word));
            length
        } else if first == '\'' || first == '"' {
            let (text, length) = quoted(rest, first)?;
            tokens.push(Token::Text(text));
            length
        } else if let Some(sign) = SIGNS.into_iter().find(|sign| rest.starts_with(sign)) {
            tokens.push(Token::Sign(sign));
            sign.len()
        } else {
            return Err(format!("`{first}`"));
        };
        if tokens.len() > LONGEST {
            return Err("a condition that is too long".to_owned());
        }
        rest = rest.get(taken..).unwrap_or_default().trim_start();
    }
    Ok(tokens)
}

fn number(text: &str) -> Result<(f64, usize), String> {
    let mut length = 0;
    let mut before = ' ';
    for character in text.chars() {
        let sign = matches!(character, '+' | '-') && matches!(before, 'e' | 'E');
        if !(character.is_ascii_digit() || matches!(character, '.' | 'e' | 'E') || sign) {
            break;
        }
        before = character;
        length += character.len_utf8();
    }
    let written = text.get(..length).unwrap_or_default();
    written
        .parse()
        .map(|number| (number, length))
        .map_err(|_| format!("`{written}`"))
}

fn quoted(text: &str, quote: char) -> Result<(String, usize), String> {
    let mut read = String::new();
    let mut characters = text.char_indices().skip(1);
    while let Some((at, character)) = characters.next() {
        if character == quote {
            return Ok((read, at + 1));
        }
        if character != '\\' {
            read.push(character);
            continue;
        }
        let Some((_, escaped)) = characters.next() else { break };
        read.push(match escaped {
            'n' => '\n',
            't' => '\t',
            'r' => '\r',
            '\\' | '\'' | '"' | '`' | '?' => escaped,
            other => return Err(format!("the escape `\\{other}`")),
        });
    }
    Err("a text without its end".to_owned())
}

struct Reader {
    tokens: Vec<Token>,
    at: usize,
    depth: usize,
}

/// Operators by how strongly they bind, loosest first.
const LEVELS: [&[(&str, Operator)]; 5] = [
    &[("||", Operator::Or)],
    &[("&&", Operator::And)],
    &[
        ("==", Operator::Equal),
        ("!=", Operator::NotEqual),
        ("<=", Operator::LessEqual),
        (">=", Operator::GreaterEqual),
        ("<", Operator::Less),
        (">", Operator::Greater),
    ],
    &[("+", Operator::Add), ("-", Operator::Subtract)],
    &[
        ("*", Operator::Multiply),
        ("/", Operator::Divide),
        ("%", Operator::Remainder),
    ],
];

impl Reader {
    fn peek(&self) -> Option<&Token> {
        self.tokens.get(self.at)
    }

    fn takes(&mut self, sign: &str) -> bool {
        let found = matches!(self.peek(), Some(Token::Sign(own)) if *own == sign);
        self.at += usize::from(found);
        found
    }

    fn expect(&mut self, sign: &str) -> Result<(), String> {
        if self.takes(sign) {
            return Ok(());
        }
        Err(self
            .peek()
            .map_or_else(|| format!("an end where `{sign}` was expected"), unexpected))
    }

    fn binary(&mut self, level: usize) -> Result<Cel, String> {
        let Some(operators) = LEVELS.get(level) else {
            return self.unary();
        };
        let mut left = self.binary(level + 1)?;
        loop {
            if level == 2 && matches!(self.peek(), Some(Token::Name(word)) if word == "in") {
                self.at += 1;
                left = Cel::In(Box::new(left), self.list()?);
                continue;
            }
            let Some((_, operator)) = operators.iter().find(|(sign, _)| self.takes(sign)) else {
                return Ok(left);
            };
            let right = self.binary(level + 1)?;
            left = Cel::Binary(*operator, Box::new(left), Box::new(right));
        }
    }

    fn unary(&mut self) -> Result<Cel, String> {
        self.depth += 1;
        if self.depth > DEEPEST {
            return Err("parentheses that go too deep".to_owned());
        }
        let read = if self.takes("!") {
            Cel::Not(Box::new(self.unary()?))
        } else if self.takes("-") {
            let operand = self.unary()?;
            if let Cel::Constant(Json::Number(number)) = &operand {
                number_constant(-number.as_f64().unwrap_or_default())
            } else {
                Cel::Negate(Box::new(operand))
            }
        } else {
            self.primary()?
        };
        self.depth -= 1;
        Ok(read)
    }

    fn primary(&mut self) -> Result<Cel, String> {
        let Some(token) = self.peek().cloned() else {
            return Err("an end where a value was expected".to_owned());
        };
        self.at += 1;
        match token {
            Token::Number(number) => Ok(number_constant(number)),
            Token::Text(text) => Ok(Cel::Constant(Json::String(text))),
            Token::Sign("(") => {
                let inner = self.binary(0)?;
                self.expect(")")?;
                Ok(inner)
            }
            Token::Name(name) => match name.as_str() {
                "true" => Ok(Cel::Constant(Json::Bool(true))),
                "false" => Ok(Cel::Constant(Json::Bool(false))),
                "int" => self.cast(Cast::Int),
                "double" => self.cast(Cast::Double),
                "string" => self.cast(Cast::String),
                "inputs" => self.input(),
                _ => Err(unexpected(&Token::Name(name))),
            },
            Token::Sign(_) => Err(unexpected(&token)),
        }
    }

    fn cast(&mut self, cast: Cast) -> Result<Cel, String> {
        self.expect("(")?;
        let inner = self.binary(0)?;
        self.expect(")")?;
        Ok(Cel::Cast(cast, Box::new(inner)))
    }

    fn input(&mut self) -> Result<Cel, String> {
        self.expect(".")?;
        match self.peek().cloned() {
            Some(Token::Name(name)) if name == "parameter_values" => self.at += 1,
            Some(token) => return Err(unexpected(&token)),
            None => return Err("`inputs.`".to_owned()),
        }
        self.expect("[")?;
        let Some(Token::Text(name)) = self.peek().cloned() else {
            return Err("`inputs.parameter_values` without a name".to_owned());
        };
        self.at += 1;
        self.expect("]")?;
        Ok(Cel::Input(name))
    }

    fn list(&mut self) -> Result<Vec<Cel>, String> {
        self.expect("[")?;
        let mut items = Vec::new();
        while !self.takes("]") {
            items.push(self.binary(3)?);
            if !self.takes(",") {
                self.expect("]")?;
                break;
            }
        }
        Ok(items)
    }
}

fn number_constant(number: f64) -> Cel {
    Cel::Constant(serde_json::Number::from_f64(number).map_or(Json::Null, Json::Number))
}

/// The parts of `a && b && c`.
pub(super) fn conjuncts(condition: &Cel) -> Vec<&Cel> {
    match condition {
        Cel::Binary(Operator::And, left, right) => {
            let mut parts = conjuncts(left);
            parts.push(right);
            parts
        }
        Cel::Input(_)
        | Cel::Constant(_)
        | Cel::Cast(..)
        | Cel::Not(_)
        | Cel::Negate(_)
        | Cel::Binary(..)
        | Cel::In(..) => vec![condition],
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::{Cast, Cel, conjuncts, read};
    use crate::import::kubeflow::expression::Operator;

    #[test]
    fn what_the_sdk_writes_is_read() {
        let condition =
            read("!(inputs.parameter_values['a'] == 'it\\'s') && int(inputs.parameter_values['b']) > 2").unwrap();
        let parts = conjuncts(&condition);
        assert_eq!(parts.len(), 2);
        assert!(matches!(parts[0], Cel::Not(_)));
        let expected = Cel::Binary(
            Operator::Greater,
            Box::new(Cel::Cast(Cast::Int, Box::new(Cel::Input("b".to_owned())))),
            Box::new(Cel::Constant(json!(2.0))),
        );
        assert_eq!(*parts[1], expected);
    }

    #[test]
    fn operators_bind_as_they_do() {
        let condition = read("1 + 2 * 3 == 7 || false").unwrap();
        assert!(matches!(condition, Cel::Binary(Operator::Or, _, _)));
        assert!(matches!(
            read("-1 < inputs.parameter_values[\"x\"]"),
            Ok(Cel::Binary(Operator::Less, _, _))
        ));
        assert!(
            matches!(read("inputs.parameter_values['x'] in ['a', 'b']"), Ok(Cel::In(_, items)) if items.len() == 2)
        );
    }

    #[test]
    fn everything_else_is_refused() {
        for text in [
            "",
            "(",
            "'a",
            "size(x)",
            "inputs.artifacts['m']",
            "inputs.parameter_values['x'].startsWith('a')",
            "a ? b : c",
            "1 2",
            "#",
            "'\\u0041'",
            "1e",
        ] {
            assert!(read(text).is_err(), "{text}");
        }
        let deep = format!("{}true{}", "(".repeat(5_000), ")".repeat(5_000));
        assert!(read(&deep).is_err());
        assert!(read(&"!".repeat(5_000)).is_err());
    }
}
