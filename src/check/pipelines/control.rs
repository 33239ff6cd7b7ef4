//! Control flow: `if/else` as a statement and as a value, `for`, `finally`.

use crate::diagnostics::Code;
use crate::plan::{self, Expression, Graph, NodeKind, Operand, Reference};
use crate::syntax::ast::{Block, Else, Expr, ExprKind, Ident, IfExpr, NodeId, StatementKind};
use crate::types::{ArtifactType, DataKind, DataType, Type, Value};

use super::elaborator::Elaborator;
use super::facts::BindingKind;
use super::fitting::types_fit;
use super::scope::{Binding, Computed};
use super::statements::later;
use super::values::as_expression;

/// Static ranges become lists of at most this many items.
const LONGEST_RANGE: i64 = 10_000;

impl Elaborator<'_> {
    /// `if c { … } else { … }`; with `as_value`, the last lines of the arms are its value.
    pub(super) fn branch(
        &mut self,
        place: NodeId,
        branch: &IfExpr,
        expected: Option<&Type>,
        as_value: bool,
    ) -> Computed {
        let id = self.ids.claim("if");
        let condition = self.condition(&branch.condition);
        let (then, first) = self.arm(&id, &branch.then, expected, as_value);
        let (otherwise, second) = match &branch.otherwise {
            None => (Graph::default(), None),
            Some(Else::Block(block)) => self.arm(&id, block, expected, as_value),
            Some(Else::If(expr)) => self.else_if(&id, expr, expected, as_value),
        };
        let joined = if as_value {
            self.join(place, branch, first, second)
        } else {
            Joined::Nothing
        };
        let (outputs, values, computed) = match joined {
            Joined::Nothing => (Vec::new(), Vec::new(), Computed::Nothing(id.clone())),
            Joined::Unknown => (Vec::new(), Vec::new(), Computed::Unknown),
            Joined::Ports { types, values, named } => {
                let key = self.key.clone();
                let outputs = self.ports(&key, &types);
                let computed = self.outputs(&id, &types, named);
                (outputs, values, computed)
            }
        };
        let kind = NodeKind::Branch(plan::Branch {
            condition: condition.unwrap_or(Expression::Value(Value::Bool(true))),
            then,
            otherwise,
            values,
        });
        self.add(Self::node(&id, "if", kind, Vec::new(), outputs), place);
        computed
    }

    fn condition(&mut self, expr: &Expr) -> Option<Expression> {
        let computed = self.expression(expr, None);
        match &computed {
            Computed::Unknown => None,
            Computed::One {
                ty:
                    Type::Data(DataType {
                        kind: DataKind::Bool,
                        optional: false,
                        ..
                    }),
                operand,
            } => as_expression(operand),
            Computed::One { .. } | Computed::Ports(_) | Computed::Nothing(_) => {
                let text = crate::format::expression(expr);
                let message = format!(
                    "A condition must be a `bool` value, and `{text}` is `{}`.",
                    computed.ty()
                );
                let problem = self.problem(Code::ConditionNotBool, expr.id, message);
                self.report(
                    problem
                        .help("Compare values, as in `scores_count > 3`; a value that may be absent needs `?? false`."),
                );
                None
            }
        }
    }

    fn arm(&mut self, id: &str, block: &Block, expected: Option<&Type>, as_value: bool) -> (Graph, Option<Arm>) {
        self.graphs.push(Graph::default());
        self.scopes.open(later(block));
        let mut value = None;
        for (index, statement) in block.statements.iter().enumerate() {
            let is_last = index + 1 == block.statements.len();
            match &statement.kind {
                StatementKind::Expr(expr) if is_last && as_value => {
                    let naming = self.ids.begin_below(id);
                    let computed = self.expression(expr, expected);
                    self.ids.restore(naming);
                    value = Some(Arm {
                        place: expr.id,
                        computed,
                    });
                }
                StatementKind::If(inner) if is_last && as_value => {
                    let naming = self.ids.begin_below(id);
                    let computed = self.branch(statement.id, inner, expected, true);
                    self.ids.restore(naming);
                    value = Some(Arm {
                        place: statement.id,
                        computed,
                    });
                }
                StatementKind::Error => {
                    self.facts.broken = true;
                    value = Some(Arm {
                        place: statement.id,
                        computed: Computed::Unknown,
                    });
                }
                StatementKind::Let { .. }
                | StatementKind::Expr(_)
                | StatementKind::If(_)
                | StatementKind::For { .. }
                | StatementKind::Finally(_)
                | StatementKind::Return(_) => self.statement(statement),
            }
        }
        self.scopes.close();
        (self.graphs.pop().unwrap_or_default(), value)
    }

    fn else_if(&mut self, id: &str, expr: &Expr, expected: Option<&Type>, as_value: bool) -> (Graph, Option<Arm>) {
        self.graphs.push(Graph::default());
        let naming = self.ids.begin_below(id);
        let computed = if let ExprKind::If(inner) = &expr.kind {
            self.branch(expr.id, inner, expected, as_value)
        } else {
            self.expression(expr, expected)
        };
        self.ids.restore(naming);
        let arm = Arm {
            place: expr.id,
            computed,
        };
        (self.graphs.pop().unwrap_or_default(), Some(arm))
    }

    /// Both arms of a value must give one type.
    fn join(&mut self, place: NodeId, branch: &IfExpr, first: Option<Arm>, second: Option<Arm>) -> Joined {
        let (Some(first), Some(second)) = (first, second) else {
            let message = if branch.otherwise.is_none() {
                "An `if` that is used as a value needs an `else`."
            } else {
                "Both arms of an `if` that is used as a value must end in a value."
            };
            let problem = self.problem(Code::ArmsDiffer, place, message);
            self.report(problem.help("Write `if … { a } else { b }`, where `a` and `b` have one type."));
            return Joined::Unknown;
        };
        if first.computed == Computed::Unknown || second.computed == Computed::Unknown {
            return Joined::Unknown;
        }
        if let Some(joined) = joined(&first.computed, &second.computed) {
            return joined;
        }
        let (a, b) = (first.computed.ty(), second.computed.ty());
        let message = format!("The arms of this `if` give different types: `{a}` and `{b}`.");
        let problem = self.problem(Code::ArmsDiffer, place, message);
        let problem = problem
            .also(self.place(first.place), format!("this is `{a}`"))
            .also(self.place(second.place), format!("this is `{b}`"));
        self.report(problem.help("Make both arms give the same type."));
        Joined::Unknown
    }

    /// `for x in xs max n { … }`
    pub(super) fn repeat(&mut self, place: NodeId, item: &Ident, items: &Expr, max: Option<&Expr>, body: &Block) {
        let id = self.ids.claim(&format!("for_{}", item.text));
        let (item_type, operand) = self.items(items);
        let max = max.and_then(|max| self.limit(max));
        self.graphs.push(Graph::default());
        self.scopes.open(later(body));
        if self.is_free(item) {
            let value = match item_type {
                Type::Unknown => Computed::Unknown,
                ty @ (Type::Unit | Type::Data(_) | Type::Artifact(_) | Type::Tuple(_) | Type::List(_)) => {
                    Computed::One {
                        ty,
                        operand: Operand::Reference(Reference::Item(item.text.to_string())),
                    }
                }
            };
            self.scopes.bind(item, BindingKind::Item, value);
        }
        for statement in &body.statements {
            self.statement(statement);
        }
        let mut bound: Vec<(crate::source::Name, Binding)> = self.scopes.close().into_iter().collect();
        bound.sort_by_key(|(_, binding)| binding.place);
        let body = self.graphs.pop().unwrap_or_default();
        let mut gathered = Gathered::default();
        for (name, binding) in bound {
            if binding.kind == BindingKind::Let {
                let value = gather(&id, &name, &binding.value, &mut gathered);
                let binding = Binding {
                    value,
                    gathered_by: Some(id.clone()),
                    ..binding
                };
                self.scopes.insert(name, binding);
            }
        }
        let key = self.key.clone();
        let mut outputs = Vec::new();
        let mut operands = Vec::new();
        for (name, ty, operand) in gathered.ports {
            if let Some(ty) = self.port_type(&key, &ty) {
                outputs.push(plan::Port { name, ty });
                operands.push(operand);
            }
        }
        let kind = NodeKind::Loop(plan::Loop {
            item: item.text.to_string(),
            items: operand.unwrap_or(Operand::List(Vec::new())),
            max,
            body,
            gather: operands,
        });
        self.add(Self::node(&id, "for", kind, Vec::new(), outputs), place);
    }

    fn items(&mut self, items: &Expr) -> (Type, Option<Operand>) {
        if let ExprKind::Range {
            start: Some(start),
            end: Some(end),
            inclusive,
        } = &items.kind
        {
            return self.range_items(items.id, start, end, *inclusive);
        }
        let computed = self.expression(items, None);
        match computed {
            Computed::Unknown => (Type::Unknown, None),
            Computed::One {
                ty: Type::List(item),
                operand,
            } => (*item, Some(operand)),
            Computed::One {
                ty:
                    Type::Data(DataType {
                        kind: DataKind::List(item),
                        optional: false,
                        ..
                    }),
                operand,
            } => (Type::Data(*item), Some(operand)),
            Computed::One { .. } | Computed::Ports(_) | Computed::Nothing(_) => {
                let message = format!("A loop runs over a list, and this is `{}`.", computed.ty());
                let problem = self.problem(Code::NotAList, items.id, message);
                self.report(
                    problem.help("Write a list, `[a, b]`, a range, `1..=5`, or a name that stands for a list."),
                );
                (Type::Unknown, None)
            }
        }
    }

    fn range_items(&mut self, place: NodeId, start: &Expr, end: &Expr, inclusive: bool) -> (Type, Option<Operand>) {
        let (start, end) = (self.constant_int(start), self.constant_int(end));
        let (Some(start), Some(end)) = (start, end) else {
            return (Type::Data(DataType::plain(DataKind::Int)), None);
        };
        let end = if inclusive { end.saturating_add(1) } else { end };
        if end.saturating_sub(start) > LONGEST_RANGE {
            let message = format!("A loop over a range runs at most {LONGEST_RANGE} times.");
            let problem = self.problem(Code::NotAList, place, message);
            self.report(problem.help("Loop over a shorter range, and do more in each round."));
            return (Type::Data(DataType::plain(DataKind::Int)), None);
        }
        let values = (start..end).map(Value::Int).collect();
        (
            Type::Data(DataType::plain(DataKind::Int)),
            Some(Operand::Value(Value::List(values))),
        )
    }

    fn constant_int(&mut self, expr: &Expr) -> Option<i64> {
        match self.expression(expr, None) {
            Computed::One {
                operand: Operand::Value(Value::Int(value)),
                ..
            } => Some(value),
            Computed::Unknown => None,
            Computed::One { .. } | Computed::Ports(_) | Computed::Nothing(_) => {
                let message = "A constant `int` is needed here, known before the pipeline runs.";
                let problem = self.problem(Code::NotConstant, expr.id, message);
                self.report(problem.help("Write the number itself."));
                None
            }
        }
    }

    fn limit(&mut self, max: &Expr) -> Option<u32> {
        let value = self.constant_int(max)?;
        let limit = u32::try_from(value).ok().filter(|limit| *limit > 0);
        if limit.is_none() {
            let message = format!("`max {value}` would let nothing run.");
            let problem = self.problem(Code::ConstantRefused, max.id, message);
            self.report(problem.help("Write how many rounds may run at once: 1 or more."));
        }
        limit
    }

    /// `finally { … }`
    pub(super) fn finally(&mut self, place: NodeId, body: &Block) {
        let again = self.result.places.contains_key("finally");
        if self.graphs.len() > 1 || self.finally.is_some() || again {
            let message = if again {
                "A pipeline has one `finally` at the most."
            } else {
                "`finally` stands in the pipeline itself, not inside `if`, `for` or another `finally`."
            };
            let problem = self.problem(Code::FinallyMisplaced, place, message);
            self.report(
                problem.help("Put everything that must always run into one `finally` at the end of the pipeline."),
            );
            return;
        }
        let id = self.ids.claim("finally");
        self.finally = Some(self.scopes.depth());
        self.graphs.push(Graph::default());
        self.scopes.open(later(body));
        for statement in &body.statements {
            self.statement(statement);
        }
        self.scopes.close();
        self.finally = None;
        let graph = self.graphs.pop().unwrap_or_default();
        self.add(
            Self::node(&id, "finally", NodeKind::Finally(graph), Vec::new(), Vec::new()),
            place,
        );
    }
}

/// The value of an arm.
struct Arm {
    place: NodeId,
    computed: Computed,
}

/// What two arms give together.
enum Joined {
    Nothing,
    Unknown,
    Ports {
        types: Vec<(String, Type)>,
        values: Vec<(Operand, Operand)>,
        named: bool,
    },
}

fn joined(first: &Computed, second: &Computed) -> Option<Joined> {
    match (first, second) {
        (Computed::Nothing(_), Computed::Nothing(_)) => Some(Joined::Nothing),
        (Computed::One { ty: a, operand: x }, Computed::One { ty: b, operand: y }) => Some(Joined::Ports {
            types: vec![("output".to_owned(), common(a, b)?)],
            values: vec![(x.clone(), y.clone())],
            named: false,
        }),
        (Computed::Ports(a), Computed::Ports(b)) if a.len() == b.len() => {
            let mut types = Vec::new();
            let mut values = Vec::new();
            for ((name, a), (other, b)) in a.iter().zip(b) {
                let (Computed::One { ty: a, operand: x }, Computed::One { ty: b, operand: y }) = (a, b) else {
                    return None;
                };
                if name != other {
                    return None;
                }
                types.push((name.clone(), common(a, b)?));
                values.push((x.clone(), y.clone()));
            }
            Some(Joined::Ports {
                types,
                values,
                named: true,
            })
        }
        (_, _) => None,
    }
}

/// The type that both fit: of artifacts with the poorer evidence.
fn common(a: &Type, b: &Type) -> Option<Type> {
    if let (Type::Artifact(one), Type::Artifact(other)) = (a, b) {
        let evidence = one.evidence.min(other.evidence);
        let poorer = |artifact: &ArtifactType| {
            Type::Artifact(ArtifactType {
                kind: artifact.kind.clone(),
                evidence,
            })
        };
        let (one, other) = (poorer(one), poorer(other));
        return wider(&one, &other);
    }
    wider(a, b)
}

fn wider(a: &Type, b: &Type) -> Option<Type> {
    if types_fit(a, b).is_ok() {
        Some(b.clone())
    } else if types_fit(b, a).is_ok() {
        Some(a.clone())
    } else {
        None
    }
}

/// The ports of a loop, under construction.
#[derive(Default)]
struct Gathered {
    ports: Vec<(String, Type, Operand)>,
}

/// A value of a loop's body as it is seen from outside: the list of what each round gave.
fn gather(id: &str, name: &str, value: &Computed, gathered: &mut Gathered) -> Computed {
    match value {
        Computed::Unknown => Computed::Unknown,
        Computed::Nothing(_) => Computed::Nothing(id.to_owned()),
        Computed::One { ty, operand } => {
            let ty = match ty {
                Type::Data(data) => Type::Data(DataType::plain(DataKind::List(Box::new(data.clone())))),
                Type::Unknown | Type::Unit | Type::Artifact(_) | Type::Tuple(_) | Type::List(_) => {
                    Type::List(Box::new(ty.clone()))
                }
            };
            gathered.ports.push((name.to_owned(), ty.clone(), operand.clone()));
            let operand = Operand::Reference(Reference::Output {
                node: id.to_owned(),
                port: name.to_owned(),
            });
            Computed::One { ty, operand }
        }
        Computed::Ports(ports) => {
            let mut port = |(port, value): &(String, Computed)| {
                (port.clone(), gather(id, &format!("{name}.{port}"), value, gathered))
            };
            Computed::Ports(ports.iter().map(&mut port).collect())
        }
    }
}
