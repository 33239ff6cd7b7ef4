//! A Python file as far as a declaration needs it: the functions at its top level, with their parameters.

use std::sync::Arc;

use tree_sitter::{Node, Parser};

use crate::db::{Db, File};
use crate::project::Contents;
use crate::source::TextRange;

/// Text of a Python file with its place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Written {
    /// The text.
    pub text: String,
    /// Its bytes in the file.
    pub range: TextRange,
}

/// How a parameter takes its argument.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ParameterForm {
    /// By position or by name.
    Plain,
    /// By position only: it stands before `/`.
    PositionOnly,
    /// By name only: it stands behind `*`.
    NameOnly,
    /// `*args`
    Rest,
    /// `**kwargs`
    NamedRest,
}

/// A parameter of a function.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Parameter {
    /// Its name.
    pub name: String,
    /// How it takes its argument.
    pub form: ParameterForm,
    /// What stands behind its colon.
    pub annotation: Option<Written>,
    /// Its default.
    pub default: Option<Written>,
    /// The whole parameter.
    pub range: TextRange,
}

/// A function at the top level.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Function {
    /// Its name.
    pub name: Written,
    /// Its parameters in order.
    pub parameters: Vec<Parameter>,
    /// What stands behind `->`.
    pub returns: Option<Written>,
    /// Whether some `return` gives a value, or the function yields.
    pub gives_a_value: bool,
    /// Whether decorators stand above it: they can change what it takes.
    pub decorated: bool,
}

/// A Python file.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct Module {
    /// The last definition of each function at the top level.
    pub functions: Vec<Function>,
    /// Other names that the top level binds: imports, classes, assignments.
    pub others: Vec<String>,
    /// Whether `from … import *` may bind any name.
    pub open: bool,
    /// The first place that is no Python.
    pub error: Option<TextRange>,
}

/// Reads a Python file; nothing for one that holds no text.
#[salsa::tracked]
pub fn module(db: &dyn Db, file: File) -> Option<Arc<Module>> {
    let Contents::Text(text) = file.contents(db) else {
        return None;
    };
    let mut parser = Parser::new();
    parser.set_language(&tree_sitter_python::LANGUAGE.into()).ok()?;
    let tree = parser.parse(text, None)?;
    let mut module = Module {
        error: first_error(tree.root_node()),
        ..Module::default()
    };
    read_block(tree.root_node(), text, &mut module);
    Some(Arc::new(module))
}

fn children<'t>(node: Node<'t>) -> Vec<Node<'t>> {
    let mut cursor = node.walk();
    node.named_children(&mut cursor).collect()
}

fn first_error(root: Node<'_>) -> Option<TextRange> {
    let mut node = root;
    if !node.has_error() {
        return None;
    }
    loop {
        if node.is_error() || node.is_missing() {
            return Some(range(node));
        }
        let mut cursor = node.walk();
        let inner = node
            .children(&mut cursor)
            .find(|child| child.has_error() || child.is_missing());
        match inner {
            Some(inner) => node = inner,
            None => return Some(range(node)),
        }
    }
}

fn range(node: Node<'_>) -> TextRange {
    TextRange::new(node.start_byte(), node.end_byte())
}

fn written(node: Node<'_>, text: &str) -> Written {
    Written {
        text: text.get(node.byte_range()).unwrap_or_default().to_owned(),
        range: range(node),
    }
}

/// Reads the statements of a block, and of the blocks that run with it (`if`, `try`, `with`).
fn read_block(block: Node<'_>, text: &str, module: &mut Module) {
    let mut rest: Vec<Node<'_>> = children(block);
    rest.reverse();
    while let Some(statement) = rest.pop() {
        match statement.kind() {
            "function_definition" => add_function(statement, false, text, module),
            "decorated_definition" => match statement.child_by_field_name("definition") {
                Some(definition) if definition.kind() == "function_definition" => {
                    add_function(definition, true, text, module);
                }
                Some(definition) => name_of(definition, text, module),
                None => {}
            },
            "class_definition" => name_of(statement, text, module),
            "import_statement" | "import_from_statement" => imports(statement, text, module),
            "expression_statement" => {
                let targets = children(statement)
                    .into_iter()
                    .filter_map(|child| child.child_by_field_name("left"));
                for target in targets {
                    module.others.extend(identifiers(target, text));
                }
            }
            "if_statement" | "try_statement" | "with_statement" | "else_clause" | "elif_clause" | "except_clause"
            | "finally_clause" | "block" => {
                let mut inner = children(statement);
                inner.reverse();
                rest.extend(inner);
            }
            _ => {}
        }
    }
}

fn name_of(definition: Node<'_>, text: &str, module: &mut Module) {
    if let Some(name) = definition.child_by_field_name("name") {
        module.others.push(written(name, text).text);
    }
}

fn imports(statement: Node<'_>, text: &str, module: &mut Module) {
    let from = statement.child_by_field_name("module_name");
    for child in children(statement) {
        if from.is_some_and(|from| from.id() == child.id()) {
            continue;
        }
        match child.kind() {
            "wildcard_import" => module.open = true,
            "aliased_import" => {
                let alias = child.child_by_field_name("alias");
                module.others.extend(alias.map(|alias| written(alias, text).text));
            }
            _ => {
                let name = written(child, text).text;
                module.others.extend(name.split('.').next().map(str::to_owned));
            }
        }
    }
}

fn identifiers(target: Node<'_>, text: &str) -> Vec<String> {
    if target.kind() == "identifier" {
        return vec![written(target, text).text];
    }
    let inner = children(target)
        .into_iter()
        .filter(|child| child.kind() == "identifier");
    inner.map(|child| written(child, text).text).collect()
}

fn add_function(definition: Node<'_>, decorated: bool, text: &str, module: &mut Module) {
    let Some(name) = definition.child_by_field_name("name") else {
        return;
    };
    let name = written(name, text);
    let parameters = definition.child_by_field_name("parameters");
    module.functions.retain(|other| other.name.text != name.text);
    module.functions.push(Function {
        name,
        parameters: parameters.map(|list| read_parameters(list, text)).unwrap_or_default(),
        returns: definition
            .child_by_field_name("return_type")
            .map(|node| written(node, text)),
        gives_a_value: definition.child_by_field_name("body").is_some_and(gives_a_value),
        decorated,
    });
}

fn read_parameters(list: Node<'_>, text: &str) -> Vec<Parameter> {
    let mut read: Vec<Parameter> = Vec::new();
    let mut form = ParameterForm::Plain;
    for node in children(list) {
        match node.kind() {
            "positional_separator" => {
                for before in &mut read {
                    before.form = ParameterForm::PositionOnly;
                }
            }
            "keyword_separator" => form = ParameterForm::NameOnly,
            "comment" => {}
            _ => {
                let parameter = read_parameter(node, form, text);
                if parameter.form == ParameterForm::Rest {
                    form = ParameterForm::NameOnly;
                }
                read.push(parameter);
            }
        }
    }
    read
}

fn read_parameter(node: Node<'_>, form: ParameterForm, text: &str) -> Parameter {
    let named = node.child_by_field_name("name");
    let bare = if node.kind() == "typed_parameter" {
        node.named_child(0)
    } else {
        None
    };
    let target = named.or(bare).unwrap_or(node);
    let form = match target.kind() {
        "list_splat_pattern" => ParameterForm::Rest,
        "dictionary_splat_pattern" => ParameterForm::NamedRest,
        _ => form,
    };
    Parameter {
        name: written(target, text).text.trim_start_matches('*').trim().to_owned(),
        form,
        annotation: node.child_by_field_name("type").map(|node| written(node, text)),
        default: node.child_by_field_name("value").map(|node| written(node, text)),
        range: range(node),
    }
}

fn gives_a_value(body: Node<'_>) -> bool {
    let mut rest = vec![body];
    while let Some(node) = rest.pop() {
        match node.kind() {
            "yield" => return true,
            "return_statement" if node.named_child_count() > 0 => return true,
            "function_definition" | "class_definition" | "lambda" | "return_statement" => {}
            _ => rest.extend(children(node)),
        }
    }
    false
}
