//! Operands and expressions: what nodes take, what conditions say, what features compute.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::NodePath;
use crate::types::Value;

/// What is passed to a parameter.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Operand {
    /// A constant.
    Value(Value),
    /// A parameter, an output, a loop item.
    Reference(Reference),
    /// A value computed from others (string interpolation, arithmetic, a comparison).
    Expression(Box<Expression>),
    /// A list of operands.
    List(Vec<Operand>),
}

/// Where a run-time value or artifact comes from.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Reference {
    /// A parameter of the pipeline.
    Parameter(String),
    /// An output of a node.
    Output {
        /// The node.
        node: NodePath,
        /// Its port.
        port: String,
    },
    /// The item of an enclosing loop, by the loop's name for it.
    Item(String),
    /// In `finally`: `succeeded`, `failed` or `cancelled`.
    Outcome,
    /// The run's id.
    RunId,
    /// The time for which the run was scheduled (its start, when started by hand).
    ScheduledTime,
    /// The number of the attempt, from 1.
    Attempt,
}

/// An expression over run-time values, columns, table aggregates or metrics; the checker has typed it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Expression {
    /// A constant.
    Value(Value),
    /// A run-time value.
    Reference(Reference),
    /// A column of the dataset at hand (features, checks).
    Column(String),
    /// A metric (gate, challenge, monitor).
    Metric(MetricReference),
    /// One operand.
    Unary {
        /// The operator.
        operator: UnaryOperator,
        /// The operand.
        operand: Box<Expression>,
    },
    /// Two operands.
    Binary {
        /// The operator.
        operator: BinaryOperator,
        /// The left operand.
        left: Box<Expression>,
        /// The right operand.
        right: Box<Expression>,
    },
    /// `value in low..=high`; an open end is absent.
    Between {
        /// What is tested.
        value: Box<Expression>,
        /// Lower end, included.
        low: Option<Box<Expression>>,
        /// Upper end.
        high: Option<Box<Expression>>,
        /// Whether the upper end is included.
        inclusive: bool,
    },
    /// A function of scalars.
    Call {
        /// The function.
        function: Function,
        /// Its arguments.
        arguments: Vec<Expression>,
    },
    /// `if c { a } else { b }` over scalars.
    If {
        /// The condition.
        condition: Box<Expression>,
        /// Its value when true.
        then: Box<Expression>,
        /// Its value otherwise.
        otherwise: Box<Expression>,
    },
    /// Text with holes.
    Text(Vec<TextPart>),
    /// `record.field`
    Field {
        /// A record.
        base: Box<Expression>,
        /// The field's name.
        name: String,
    },
}

impl Expression {
    /// Calls `visit` for every reference in the expression, from left to right.
    pub fn references<'e>(&'e self, visit: &mut dyn FnMut(&'e Reference)) {
        match self {
            Self::Value(_) | Self::Column(_) | Self::Metric(_) => {}
            Self::Reference(reference) => visit(reference),
            Self::Unary { operand, .. } => operand.references(visit),
            Self::Binary { left, right, .. } => {
                left.references(visit);
                right.references(visit);
            }
            Self::Between { value, low, high, .. } => {
                value.references(visit);
                for end in [low, high].into_iter().flatten() {
                    end.references(visit);
                }
            }
            Self::Call { arguments, .. } => {
                for argument in arguments {
                    argument.references(visit);
                }
            }
            Self::If {
                condition,
                then,
                otherwise,
            } => {
                for part in [condition, then, otherwise] {
                    part.references(visit);
                }
            }
            Self::Text(parts) => {
                for part in parts {
                    if let TextPart::Hole(hole) = part {
                        hole.references(visit);
                    }
                }
            }
            Self::Field { base, .. } => base.references(visit),
        }
    }
}

/// A part of an interpolated string.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum TextPart {
    /// Plain text.
    Text(String),
    /// A scalar, written as the language writes it.
    Hole(Expression),
}

/// One operand.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum UnaryOperator {
    /// `!`
    Not,
    /// `-`
    Negate,
}

/// Two operands. An operand that is absent (NULL) makes arithmetic and comparisons absent; `and`/`or` follow SQL's
/// three-valued logic; `coalesce` gives the first that is present.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum BinaryOperator {
    /// `??`
    Coalesce,
    /// `||`
    Or,
    /// `&&`
    And,
    /// `==`
    Equal,
    /// `!=`
    NotEqual,
    /// `<`
    Less,
    /// `<=`
    LessEqual,
    /// `>`
    Greater,
    /// `>=`
    GreaterEqual,
    /// `+`: numbers, durations, datetime + duration, text
    Add,
    /// `-`: numbers, durations, datetime - datetime (a duration)
    Subtract,
    /// `*`
    Multiply,
    /// `/`: always a float; absent when the divisor is zero
    Divide,
    /// `%`: of integers, the sign of the divisor; absent when the divisor is zero
    Remainder,
}

/// The functions of scalars. Every one is absent when an argument is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Function {
    /// Largest integer not above; an `int`.
    Floor,
    /// Smallest integer not below; an `int`.
    Ceil,
    /// Nearest integer, halves away from zero; an `int`.
    Round,
    /// Absolute value.
    Abs,
    /// Natural logarithm; absent for arguments not above zero.
    Ln,
    /// `ln(1 + x)`; absent for arguments not above -1.
    Ln1p,
    /// Exponential.
    Exp,
    /// Square root; absent below zero.
    Sqrt,
    /// Smaller of two.
    Min,
    /// Larger of two.
    Max,
    /// Lower-case text.
    Lower,
    /// Upper-case text.
    Upper,
    /// Text without white space at its ends.
    Trim,
    /// Characters of a text.
    Length,
    /// Whether a text begins with another.
    StartsWith,
    /// Whether a text holds another.
    Contains,
    /// Year of a date or datetime (UTC).
    Year,
    /// Month, 1–12.
    Month,
    /// Day of month, 1–31.
    Day,
    /// Hour, 0–23.
    Hour,
    /// Minute, 0–59.
    Minute,
    /// ISO day of week, 1 (Monday) – 7.
    Weekday,
    /// Whole days of a duration.
    Days,
    /// Hours of a duration, a float.
    Hours,
    /// Minutes of a duration, a float.
    Minutes,
    /// To `float`.
    ToFloat,
    /// To `int`, towards zero.
    ToInt,
    /// To text.
    ToString,
    /// Keyed hash of a text (for `@pii`): lower-case hexadecimal BLAKE3, 32 characters.
    Hash,
    /// Lower bound of the bucket of the given width that holds a number.
    Bucket,
    /// Whether a value is absent; never absent itself.
    IsNone,
}

/// A metric of a model on data: `auc`, `candidate.auc`, `latency.p95`, `demographic_parity(sex)`, `recall(sex == female)`
/// is not one.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct MetricReference {
    /// Whose metric.
    pub subject: Subject,
    /// Its name: `auc`, `latency.p95`, `demographic_parity`.
    pub metric: String,
    /// The protected column of a fairness metric.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub column: Option<String>,
}

/// Whose metric a condition reads.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Subject {
    /// The model at hand (gate), or `candidate` (challenge).
    Candidate,
    /// `champion`
    Champion,
}
