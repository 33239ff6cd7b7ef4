//! The abstract syntax of one item, free of positions.
//!
//! Every node that a message may point at carries a [`NodeId`]; the range of a node stands in the item's
//! [`SpanTable`], beside the tree and never inside it. So an edit that only moves text leaves these values equal,
//! and everything computed from them stays cached.

use crate::source::{Name, TextRange};

/// A node of one item, numbered in source order from the item's start.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Default)]
pub struct NodeId(pub u32);

/// The range of every node of one item, relative to the item's first byte.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct SpanTable {
    /// Indexed by [`NodeId`].
    pub ranges: Vec<TextRange>,
}

impl SpanTable {
    /// The range of `node`; the empty range at the item's start for an id of another item.
    #[must_use]
    pub fn get(&self, node: NodeId) -> TextRange {
        self.ranges.get(node.0 as usize).copied().unwrap_or_default()
    }
}

/// A name where it is written.
#[derive(Clone, Debug, PartialEq)]
pub struct Ident {
    /// Where it stands.
    pub id: NodeId,
    /// The name, without back-ticks.
    pub text: Name,
}

/// A string literal where it is written, escapes resolved.
#[derive(Clone, Debug, PartialEq)]
pub struct Text {
    /// Where it stands.
    pub id: NodeId,
    /// Its value.
    pub value: String,
}

/// One top-level item. `id` covers the whole item without its doc comment.
#[derive(Clone, Debug, PartialEq)]
pub struct Item {
    /// The whole item.
    pub id: NodeId,
    /// The lines of its `///` comment, joined; Markdown.
    pub docs: Option<String>,
    /// What it declares.
    pub kind: ItemKind,
}

/// The constructs of the top level.
#[derive(Clone, Debug, PartialEq)]
pub enum ItemKind {
    /// `use a::b::Name` or `use a::b::{Name, other}`
    Use(Use),
    /// `schema Name { … }` or `schema Name = A without { … }`
    Schema(SchemaItem),
    /// `record Name { field: T, … }`
    Record(RecordItem),
    /// `enum Name { a, b = "text" }`
    Enum(EnumItem),
    /// `checks Name on Schema { … }`
    Checks(ChecksItem),
    /// `features Name<…> from Schema { … }`
    Features(FeaturesItem),
    /// `model Name { … }`
    Model(ModelItem),
    /// `artifact Name { schema_title: "…", version: "…" }`
    Artifact(ArtifactItem),
    /// `step name<…>(…) -> T { … }`
    Step(StepItem),
    /// `service Name for Model { … }`
    Service(ServiceItem),
    /// `pipeline name(…) -> T { … }`
    Pipeline(PipelineItem),
    /// `monitor Name on Service { … }`
    Monitor(MonitorItem),
    /// `trigger name for pipeline { … }`
    Trigger(TriggerItem),
    /// `target name: platform { … }`
    Target(TargetItem),
    /// `policy Name for target { … }`
    Policy(PolicyItem),
    /// `test "name" { … }`
    Test(TestItem),
    /// Text that begins no item, or an item whose header is broken. Its name is kept where one was readable,
    /// so that uses of it stay silent.
    Broken(Option<Ident>),
}

/// `use path::{names}`
#[derive(Clone, Debug, PartialEq)]
pub struct Use {
    /// The segments before the imported names.
    pub path: Vec<Ident>,
    /// The names brought in; one for the short form.
    pub names: Vec<Ident>,
}

/// A tag: `@pii(email)`.
#[derive(Clone, Debug, PartialEq)]
pub struct Tag {
    /// The whole tag.
    pub id: NodeId,
    /// `pii`
    pub name: Ident,
    /// What stands in parentheses.
    pub arguments: Vec<Expr>,
}

/// A generic parameter: `S: schema`.
#[derive(Clone, Debug, PartialEq)]
pub struct Generic {
    /// The parameter's name.
    pub name: Ident,
    /// `schema` or `model`.
    pub kind: Ident,
}

/// A schema: columns, or algebra over others.
#[derive(Clone, Debug, PartialEq)]
pub struct SchemaItem {
    /// Its name.
    pub name: Ident,
    /// What it holds.
    pub body: SchemaBody,
}

/// The two ways to declare a schema.
#[derive(Clone, Debug, PartialEq)]
pub enum SchemaBody {
    /// `{ name: type @tag … }`
    Columns(Vec<Field>),
    /// `= TypeExpr`
    Alias(TypeExpr),
}

/// A column of a schema, a field of a record, an output field of a model.
#[derive(Clone, Debug, PartialEq)]
pub struct Field {
    /// The whole field.
    pub id: NodeId,
    /// Its `///` comment.
    pub docs: Option<String>,
    /// Its name.
    pub name: Ident,
    /// Its type.
    pub ty: TypeExpr,
    /// Its tags.
    pub tags: Vec<Tag>,
}

/// A record type.
#[derive(Clone, Debug, PartialEq)]
pub struct RecordItem {
    /// Its name.
    pub name: Ident,
    /// Its fields.
    pub fields: Vec<Field>,
}

/// An enum type.
#[derive(Clone, Debug, PartialEq)]
pub struct EnumItem {
    /// Its name.
    pub name: Ident,
    /// Its values.
    pub variants: Vec<Variant>,
}

/// A value of an enum, with its text in the data where that differs.
#[derive(Clone, Debug, PartialEq)]
pub struct Variant {
    /// The name in the language.
    pub name: Ident,
    /// `= "for free"`
    pub text: Option<Text>,
}

/// Table-level checks.
#[derive(Clone, Debug, PartialEq)]
pub struct ChecksItem {
    /// Its name.
    pub name: Ident,
    /// The schema it speaks of.
    pub on: TypeExpr,
    /// Its conditions.
    pub conditions: Vec<Condition>,
}

/// One condition of a checks, gate, challenge or monitor block.
#[derive(Clone, Debug, PartialEq)]
pub struct Condition {
    /// The whole condition.
    pub id: NodeId,
    /// A boolean expression; [`ExprKind::Error`] where it could not be read.
    pub expr: Expr,
    /// `since baseline`
    pub since: Option<Ident>,
}

/// A feature definition.
#[derive(Clone, Debug, PartialEq)]
pub struct FeaturesItem {
    /// Its name, also the name of the schema it makes.
    pub name: Ident,
    /// Its generic parameters.
    pub generics: Vec<Generic>,
    /// The schema it reads.
    pub from: TypeExpr,
    /// Its lines, in order.
    pub members: Vec<FeatureMember>,
}

/// A line of a feature definition.
#[derive(Clone, Debug, PartialEq)]
#[expect(
    clippy::large_enum_variant,
    reason = "most members are derived, and a box for each would cost more than it saves"
)]
pub enum FeatureMember {
    /// `keep { id, sex, @label }`
    Keep {
        /// The whole line.
        id: NodeId,
        /// What is kept.
        columns: Vec<Selector>,
    },
    /// `name = expression @tag`
    Derived {
        /// The whole line.
        id: NodeId,
        /// Its `///` comment.
        docs: Option<String>,
        /// The new column.
        name: Ident,
        /// Its value.
        value: Expr,
        /// Its tags.
        tags: Vec<Tag>,
    },
}

/// A model type.
#[derive(Clone, Debug, PartialEq)]
pub struct ModelItem {
    /// Its name.
    pub name: Ident,
    /// `input: TypeExpr`
    pub input: Option<TypeExpr>,
    /// `output: { … }`
    pub output: Option<TypeExpr>,
    /// Everything else.
    pub settings: Vec<Setting>,
}

/// An artifact kind of a platform.
#[derive(Clone, Debug, PartialEq)]
pub struct ArtifactItem {
    /// Its name.
    pub name: Ident,
    /// `schema_title`, `version`
    pub settings: Vec<Setting>,
}

/// A parameter of a step or pipeline.
#[derive(Clone, Debug, PartialEq)]
pub struct Param {
    /// The whole parameter.
    pub id: NodeId,
    /// Its `///` comment.
    pub docs: Option<String>,
    /// Its name.
    pub name: Ident,
    /// Its type.
    pub ty: TypeExpr,
    /// `= default`
    pub default: Option<Expr>,
}

/// What a step or pipeline gives.
#[derive(Clone, Debug, PartialEq)]
pub enum Output {
    /// Nothing.
    None,
    /// `-> T`; the port is called `output`.
    One(TypeExpr),
    /// `-> (name: T, …)`
    Named(Vec<Param>),
}

/// A step.
#[derive(Clone, Debug, PartialEq)]
pub struct StepItem {
    /// Its name.
    pub name: Ident,
    /// Its generic parameters.
    pub generics: Vec<Generic>,
    /// Its inputs.
    pub params: Vec<Param>,
    /// Its outputs.
    pub output: Output,
    /// `attests validated`
    pub attests: Option<Ident>,
    /// Its settings, `run` among them.
    pub settings: Vec<Setting>,
}

/// A setting: `name: value`, or `name { … }` for a block.
#[derive(Clone, Debug, PartialEq)]
pub struct Setting {
    /// The whole setting.
    pub id: NodeId,
    /// Its name.
    pub name: Ident,
    /// Its value.
    pub value: Expr,
}

/// A service that serves a model.
#[derive(Clone, Debug, PartialEq)]
pub struct ServiceItem {
    /// Its name.
    pub name: Ident,
    /// The model it serves.
    pub model: Ident,
    /// Its settings.
    pub settings: Vec<Setting>,
}

/// A pipeline.
#[derive(Clone, Debug, PartialEq)]
pub struct PipelineItem {
    /// Its name.
    pub name: Ident,
    /// Its parameters.
    pub params: Vec<Param>,
    /// Its outputs.
    pub output: Output,
    /// Its statements.
    pub body: Block,
}

/// Statements between braces.
#[derive(Clone, Debug, PartialEq)]
pub struct Block {
    /// The block with its braces.
    pub id: NodeId,
    /// The statements in order.
    pub statements: Vec<Statement>,
}

/// One statement of a pipeline.
#[derive(Clone, Debug, PartialEq)]
pub struct Statement {
    /// The whole statement.
    pub id: NodeId,
    /// What it does.
    pub kind: StatementKind,
}

/// The statements of a pipeline.
#[derive(Clone, Debug, PartialEq)]
pub enum StatementKind {
    /// `let name: T = expr`, `let _ = expr`
    Let {
        /// The bound name; `_` for a result that is dropped on purpose.
        name: Ident,
        /// A type that the value must have.
        ty: Option<TypeExpr>,
        /// The value.
        value: Expr,
    },
    /// A call whose result is not bound; as the last line of an `if` arm, the arm's value.
    Expr(Expr),
    /// `if … { … } else { … }`
    If(IfExpr),
    /// `for x in xs max 4 { … }`
    For {
        /// The loop's name for the item.
        item: Ident,
        /// What is looped over.
        items: Expr,
        /// How many run at once at the most.
        max: Option<Expr>,
        /// What runs for each.
        body: Block,
    },
    /// `finally { … }`
    Finally(Block),
    /// `return expr` or `return (name: expr, …)`
    Return(Vec<Argument>),
    /// Text that is no statement. The syntax error is reported once.
    Error,
}

/// `if condition { … } else { … }`, as a statement or a value.
#[derive(Clone, Debug, PartialEq)]
pub struct IfExpr {
    /// The condition.
    pub condition: Box<Expr>,
    /// What runs when it holds.
    pub then: Block,
    /// What runs when it does not.
    pub otherwise: Option<Else>,
}

/// The second arm of an `if`.
#[derive(Clone, Debug, PartialEq)]
pub enum Else {
    /// `else { … }`
    Block(Block),
    /// `else if …`
    If(Box<Expr>),
}

/// A monitor on a service.
#[derive(Clone, Debug, PartialEq)]
pub struct MonitorItem {
    /// Its name.
    pub name: Ident,
    /// The service it watches.
    pub on: Ident,
    /// `every: 1h` and other settings.
    pub settings: Vec<Setting>,
    /// Its conditions.
    pub conditions: Vec<Condition>,
}

/// A trigger of a pipeline.
#[derive(Clone, Debug, PartialEq)]
pub struct TriggerItem {
    /// Its name.
    pub name: Ident,
    /// The pipeline it starts.
    pub pipeline: Ident,
    /// Its settings.
    pub settings: Vec<Setting>,
}

/// A target platform.
#[derive(Clone, Debug, PartialEq)]
pub struct TargetItem {
    /// Its name.
    pub name: Ident,
    /// `vertex`, `kubeflow`, `airflow`, `local`
    pub platform: Ident,
    /// Its settings.
    pub settings: Vec<Setting>,
}

/// A policy over a target.
#[derive(Clone, Debug, PartialEq)]
pub struct PolicyItem {
    /// Its name.
    pub name: Ident,
    /// The target it governs.
    pub target: Ident,
    /// Its rules.
    pub rules: Vec<PolicyRule>,
}

/// `require image.digest`, `forbid pii in model.input`, `limit run.cost <= 40 USD`
#[derive(Clone, Debug, PartialEq)]
pub struct PolicyRule {
    /// The whole rule.
    pub id: NodeId,
    /// `require`, `forbid` or `limit`.
    pub verb: Ident,
    /// What it speaks of.
    pub subject: Expr,
}

/// A test of pipelines.
#[derive(Clone, Debug, PartialEq)]
pub struct TestItem {
    /// What the test shows.
    pub name: Text,
    /// Its lines.
    pub body: Vec<TestLine>,
}

/// A line of a test.
#[derive(Clone, Debug, PartialEq)]
pub enum TestLine {
    /// `run credit(source: "…")`
    Run {
        /// The whole line.
        id: NodeId,
        /// The call of the pipeline.
        call: Expr,
    },
    /// `expect validate failed`, `expect fit.output == …`
    Expect {
        /// The whole line.
        id: NodeId,
        /// The step or binding the line speaks of, or an expression.
        subject: Expr,
        /// `succeeded`, `failed`, `skipped`, `cached`; absent for an expression.
        outcome: Option<Ident>,
    },
    /// Text that is no test line.
    Error(NodeId),
}

/// A type as written.
#[derive(Clone, Debug, PartialEq)]
pub struct TypeExpr {
    /// The whole type.
    pub id: NodeId,
    /// What it is.
    pub kind: TypeKind,
}

/// The forms of a type.
#[derive(Clone, Debug, PartialEq)]
pub enum TypeKind {
    /// `int`, `Applicant`, `Dataset<S>`, `list<T>`
    Named {
        /// The name.
        name: Ident,
        /// What stands between angle brackets.
        arguments: Vec<TypeExpr>,
    },
    /// `T?`
    Optional(Box<TypeExpr>),
    /// `int in 1..=10`, `float > 0`, `string matches "…"`, `list<T> length 1..=5`
    Refined {
        /// The type that is narrowed.
        base: Box<TypeExpr>,
        /// How it is narrowed.
        refinement: RefinementExpr,
    },
    /// `enum { a, b = "B" }`
    Enum(Vec<Variant>),
    /// `{ field: T, … }`
    Record(Vec<Field>),
    /// `validated Dataset<S>`: the evidence word and the type
    Evidence {
        /// `validated`, `gated`, `proven`, `registered`, `approved`
        word: Ident,
        /// The artifact type.
        of: Box<TypeExpr>,
    },
    /// `S without { email, @pii }`
    Without {
        /// The schema.
        base: Box<TypeExpr>,
        /// What is left out.
        columns: Vec<Selector>,
    },
    /// `S pick { … }`
    Pick {
        /// The schema.
        base: Box<TypeExpr>,
        /// What stays.
        columns: Vec<Selector>,
    },
    /// `S with { score: float }`
    With {
        /// The schema.
        base: Box<TypeExpr>,
        /// What is added.
        fields: Vec<Field>,
    },
    /// `S rename { a: b }`
    Rename {
        /// The schema.
        base: Box<TypeExpr>,
        /// Old and new name.
        pairs: Vec<(Ident, Ident)>,
    },
    /// `A join B on id`
    Join {
        /// The left schema.
        left: Box<TypeExpr>,
        /// The right schema.
        right: Box<TypeExpr>,
        /// The columns both share.
        on: Vec<Ident>,
    },
    /// Text that is no type.
    Error,
}

/// A column by name or columns by role.
#[derive(Clone, Debug, PartialEq)]
pub enum Selector {
    /// `email`
    Column(Ident),
    /// `@pii`; the id covers the tag with its `@`.
    Tag(NodeId, Ident),
}

/// How a type is narrowed.
#[derive(Clone, Debug, PartialEq)]
pub enum RefinementExpr {
    /// `in 1..=10`
    In(Box<Expr>),
    /// `> 0`, `>= 0`, `< 1`, `<= 1`
    Compare(BinaryOp, Box<Expr>),
    /// `matches "^[A-Z]{2}$"`
    Matches(Text),
    /// `length 1..=5`
    Length(Box<Expr>),
}

/// An expression.
#[derive(Clone, Debug, PartialEq)]
pub struct Expr {
    /// The whole expression.
    pub id: NodeId,
    /// What it is.
    pub kind: ExprKind,
}

/// The forms of an expression.
#[derive(Clone, Debug, PartialEq)]
pub enum ExprKind {
    /// A literal other than a string.
    Literal(Literal),
    /// `"text {name}"`: parts in order; one text part when nothing is interpolated.
    String(Vec<StringPart>),
    /// `name`, `` `name with spaces` ``
    Name(Ident),
    /// `base.name`
    Member {
        /// What stands before the dot.
        base: Box<Expr>,
        /// What stands after it.
        name: Ident,
    },
    /// `f(x, name: y) { … } after z`
    Call(Call),
    /// `!x`, `-x`
    Unary {
        /// The operator.
        op: UnaryOp,
        /// Its operand.
        operand: Box<Expr>,
    },
    /// `a + b`, `a && b`, `a ?? b`, `x in 1..=3`
    Binary {
        /// The operator.
        op: BinaryOp,
        /// Left operand.
        left: Box<Expr>,
        /// Right operand.
        right: Box<Expr>,
    },
    /// `1..=10`, `1..10`, `..=10`, `1..`
    Range {
        /// Lower end, included.
        start: Option<Box<Expr>>,
        /// Upper end.
        end: Option<Box<Expr>>,
        /// Whether the upper end is included (`..=`).
        inclusive: bool,
    },
    /// `[a, b]`
    List(Vec<Expr>),
    /// `{ a: 1, b: 2 }`: a record or map literal, a block of settings
    Record(Vec<Setting>),
    /// `{ a, b, @tag }`: a set of columns
    Columns(Vec<Selector>),
    /// `xs[0]`
    Index {
        /// What is indexed.
        base: Box<Expr>,
        /// The position or key.
        index: Box<Expr>,
    },
    /// `if c { … } else { … }` as a value
    If(IfExpr),
    /// `python "a.py:f"`, `command […]`, `sql "…"`, `notebook "…"`, `canary { … }`: a word and its operand
    Tagged {
        /// The word.
        word: Ident,
        /// A string, list or record.
        operand: Box<Expr>,
    },
    /// Text that is no expression.
    Error,
}

/// A part of a string literal.
#[derive(Clone, Debug, PartialEq)]
pub enum StringPart {
    /// Plain text, escapes resolved.
    Text(String),
    /// `{expression}`
    Hole(Expr),
}

/// A call with its arguments.
#[derive(Clone, Debug, PartialEq)]
pub struct Call {
    /// `candidate` in `candidate.demographic_parity(sex)`: whose metric it is, in the conditions of a challenge.
    pub receiver: Option<Box<Ident>>,
    /// What is called.
    pub callee: Ident,
    /// `f<S>(…)`
    pub generics: Vec<TypeExpr>,
    /// The arguments, positional first.
    pub arguments: Vec<Argument>,
    /// The range of `(…)`.
    pub parentheses: NodeId,
    /// `{ conditions }` behind the parentheses: gate, challenge.
    pub conditions: Option<Vec<Condition>>,
    /// `after x, y`
    pub after: Vec<Ident>,
}

/// An argument of a call, a value of a `return`.
#[derive(Clone, Debug, PartialEq)]
pub struct Argument {
    /// The whole argument.
    pub id: NodeId,
    /// `name:`
    pub name: Option<Ident>,
    /// Its value.
    pub value: Expr,
}

/// A literal other than a string. Numbers keep what was written in `duration`, `size` and `money` resolved to base units.
#[derive(Clone, Debug, PartialEq)]
pub enum Literal {
    /// `true`
    Bool(bool),
    /// `1_000`
    Int(i64),
    /// `0.5`
    Float(f64),
    /// `10%`, kept as the fraction 0.1
    Percent(f64),
    /// `2h30min`, in milliseconds
    Duration(i64),
    /// `16GiB`, in bytes
    Size(u64),
    /// `40 USD`: amount in 1/10,000 of the currency unit, and the ISO 4217 code
    Money(i64, Name),
    /// `none`
    None,
    /// A number that does not fit or a unit that does not exist; reported as a syntax error.
    Error,
}

/// The operators with one operand.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum UnaryOp {
    /// `!`
    Not,
    /// `-`
    Negate,
}

/// The operators with two operands, loosest first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BinaryOp {
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
    /// `in`
    In,
    /// `+`
    Add,
    /// `-`
    Subtract,
    /// `*`
    Multiply,
    /// `/`
    Divide,
    /// `%`
    Remainder,
}
