//! What a Python step is told of its function, its inputs and its outputs: the request that the step shim reads.
//!
//! Here is what the plan knows. Where artifacts lie and what values are is filled in where the step runs: by the local
//! executor, or by the container's bootstrap.

use serde_json::{Value as Json, json};

use super::{Binding, Node, NodeKind, NodeTask, Operand, Plan, PortType, PythonFunction, Reference, Run, Step};
use super::{PYARROW, exchange_json, plain_json};
use crate::types::{Bound, DataKind, DataType, RecordField, Refinement};

/// The request of a step without places and values: `inputs` and `outputs` are lists of names with types.
#[must_use]
pub fn shim_request(plan: &Plan, step: &Step, function: &PythonFunction) -> Json {
    let ports = |ports: &[super::Port]| -> Vec<Json> {
        ports
            .iter()
            .map(|port| json!({ "name": port.name, "type": shim_type(plan, &port.ty) }))
            .collect()
    };
    json!({
        "mode": "step",
        "file": function.file,
        "function": function.function,
        "inputs": ports(&step.inputs),
        "outputs": ports(&step.outputs),
    })
}

/// The request of a Python step that runs in a container, for the key `python` of its task; nothing for every other node.
///
/// Beyond [`shim_request`] it says where each input comes from (`from`: `{"input": …, "type": …}`, `{"value": …}` or
/// `{"items": […]}`), what node and step are called, which packages have to be there, and how long the step may take.
#[must_use]
pub fn container_request(plan: &Plan, node: &Node, bindings: &[Binding]) -> Option<Json> {
    let NodeKind::Step(call) = &node.kind else { return None };
    let step = plan.steps.get(&call.step)?;
    let Run::Python(function) = &step.run else { return None };
    let mut request = shim_request(plan, step, function);
    for input in request["inputs"].as_array_mut().into_iter().flatten() {
        let given = node.inputs.iter().find(|given| input["name"] == given.name.as_str());
        if let Some(given) = given {
            let origin = origin(plan, &given.value, bindings);
            input["from"] =
                origin.unwrap_or_else(|| json!({ "input": given.name, "type": shim_type(plan, &given.ty) }));
        }
    }
    let tables = step
        .inputs
        .iter()
        .chain(&step.outputs)
        .any(|port| needs_tables(&port.ty));
    request["step"] = json!(step.name);
    request["packages"] = json!(step.packages);
    if python_packages(&step.packages, tables).len() > python_packages(&step.packages, false).len() {
        request["parquet"] = json!(PYARROW);
    }
    request["secrets"] = json!(step.secrets.keys().collect::<Vec<_>>());
    if let Some(timeout) = step.timeout {
        request["timeout"] = json!(timeout);
    }
    Some(request)
}

/// Where an operand comes from in a container; nothing for what a task before has computed into the input of that name.
fn origin(plan: &Plan, operand: &Operand, bindings: &[Binding]) -> Option<Json> {
    let bound = |reference: &Reference| {
        let binding = bindings.iter().find(|binding| binding.reference == *reference)?;
        let mut ty = shim_type(plan, &binding.ty);
        if binding.boxed {
            ty["boxed"] = json!(true);
        }
        Some(json!({ "input": binding.input, "type": ty }))
    };
    match operand {
        Operand::Value(value) => Some(json!({ "value": exchange_json(value) })),
        Operand::Reference(reference) => bound(reference),
        Operand::Expression(_) => None,
        Operand::List(items) => {
            let items: Option<Vec<Json>> = items.iter().map(|item| origin(plan, item, bindings)).collect();
            items.map(|items| json!({ "items": items }))
        }
    }
}

/// The packages of an environment, sorted, with a Parquet library where one is needed and none is named.
#[must_use]
pub fn python_packages(packages: &[String], tables: bool) -> Vec<String> {
    let mut packages = packages.to_vec();
    if tables && !packages.iter().any(|package| package_name(package) == "pyarrow") {
        packages.push(PYARROW.to_owned());
    }
    packages.sort();
    packages.dedup();
    packages
}

/// The normalised name of a requirement.
fn package_name(requirement: &str) -> String {
    requirement
        .chars()
        .take_while(|character| character.is_ascii_alphanumeric() || matches!(character, '-' | '_' | '.'))
        .map(|character| {
            if character == '_' {
                '-'
            } else {
                character.to_ascii_lowercase()
            }
        })
        .collect()
}

/// Whether the shim reads or writes Parquet for a port.
#[must_use]
pub fn needs_tables(ty: &PortType) -> bool {
    match ty {
        PortType::Dataset { .. } => true,
        PortType::List(of) => needs_tables(of),
        PortType::Value(_)
        | PortType::Model { .. }
        | PortType::Metrics { .. }
        | PortType::File
        | PortType::Directory
        | PortType::Html
        | PortType::Markdown
        | PortType::Opaque
        | PortType::Custom { .. }
        | PortType::Deployment { .. } => false,
    }
}

/// The type of a port, as the shim knows it. Of values it has what a check needs too: `text`, the type as the language
/// writes it, `optional`, `variants` and `refinements`.
#[must_use]
pub fn shim_type(plan: &Plan, ty: &PortType) -> Json {
    let kind = match ty {
        PortType::Value(of) => return value_type(of),
        PortType::List(of) => return list_type(&shim_type(plan, of)),
        PortType::Dataset { schema, .. } => {
            let schema = plan.schemas.get(schema);
            let columns = schema.map(|schema| schema.columns.as_slice()).unwrap_or_default();
            let columns: Vec<Json> = columns.iter().map(|column| named(&column.name, &column.ty)).collect();
            let name = schema.map(|schema| schema.name.as_str());
            return json!({ "kind": "dataset", "columns": columns, "schema": name });
        }
        PortType::Model { .. } => "model",
        PortType::Metrics { .. } => "metrics",
        PortType::File => "file",
        PortType::Directory => "directory",
        PortType::Html => "html",
        PortType::Markdown => "markdown",
        PortType::Opaque | PortType::Custom { .. } => "artifact",
        PortType::Deployment { .. } => "deployment",
    };
    json!({ "kind": kind })
}

/// A list; one of values is a value.
fn list_type(of: &Json) -> Json {
    let mut list = json!({ "kind": "list", "of": of });
    if let Some(text) = of.get("text").and_then(Json::as_str) {
        list["text"] = json!(format!("list<{text}>"));
    }
    list
}

/// The output fields of a model.
#[must_use]
pub fn shim_fields(fields: &[RecordField]) -> Vec<Json> {
    fields.iter().map(|field| named(&field.name, &field.ty)).collect()
}

fn named(name: &str, ty: &DataType) -> Json {
    let mut described = shape(ty, &shape_of);
    described["name"] = json!(name);
    described
}

/// The kind alone, of items and fields too.
fn shape_of(ty: &DataType) -> Json {
    shape(ty, &shape_of)
}

/// The kind with what narrows it.
fn value_type(ty: &DataType) -> Json {
    let mut described = shape(ty, &value_type);
    described["text"] = json!(ty.to_string());
    if ty.optional {
        described["optional"] = json!(true);
    }
    if let DataKind::Enum(of) = &ty.kind {
        described["variants"] = of.variants.iter().map(|variant| json!(variant.text)).collect();
    }
    if !ty.refinements.is_empty() {
        described["refinements"] = ty.refinements.iter().map(refinement).collect();
    }
    described
}

/// Bounds are plain JSON as the shim takes values.
fn refinement(refinement: &Refinement) -> Json {
    let bound = |bound: &Option<Bound>| {
        let described = |bound: &Bound| json!({ "value": plain_json(&bound.value), "inclusive": bound.inclusive });
        bound.as_ref().map(described)
    };
    let must = refinement.requirement();
    match refinement {
        Refinement::Range { minimum, maximum } => {
            json!({ "minimum": bound(minimum), "maximum": bound(maximum), "must": must })
        }
        Refinement::Matches(pattern) => json!({ "matches": pattern, "must": must }),
        Refinement::Length { minimum, maximum } => json!({ "shortest": minimum, "longest": maximum, "must": must }),
    }
}

fn shape(ty: &DataType, inner: &dyn Fn(&DataType) -> Json) -> Json {
    let kind = match &ty.kind {
        DataKind::Bool => "bool",
        DataKind::Int => "int",
        DataKind::Float => "float",
        DataKind::String => "string",
        DataKind::Date => "date",
        DataKind::Datetime => "datetime",
        DataKind::Duration => "duration",
        DataKind::Size => "size",
        DataKind::Money => "money",
        DataKind::Enum(_) => "enum",
        DataKind::List(of) => return json!({ "kind": "list", "of": inner(of) }),
        DataKind::Map(of) => return json!({ "kind": "map", "of": inner(of) }),
        DataKind::Record(of) => {
            let fields = of.fields.iter().map(|field| (field.name.clone(), inner(&field.ty)));
            return json!({ "kind": "record", "fields": fields.collect::<serde_json::Map<String, Json>>() });
        }
    };
    json!({ "kind": kind })
}

impl NodeTask {
    /// The task with the request of its Python step, where it is one.
    #[must_use]
    pub fn with_python_request(mut self) -> Self {
        self.python = container_request(&self.plan, &self.node, &self.bindings);
        self
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_parquet_library_is_added_where_none_is_named() {
        let list = |packages: &[&str], tables| {
            python_packages(
                &packages.iter().map(|&package| package.to_owned()).collect::<Vec<_>>(),
                tables,
            )
        };
        assert_eq!(list(&["pandas==3.1.1"], true), ["pandas==3.1.1", PYARROW]);
        assert_eq!(list(&["PyArrow>=20", "a"], true), ["PyArrow>=20", "a"]);
        assert_eq!(list(&[], false), Vec::<String>::new());
        assert_eq!(list(&["pyarrow_hotfix"], true), [PYARROW, "pyarrow_hotfix"]);
    }
}
