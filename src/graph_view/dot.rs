//! A pipeline as Graphviz DOT.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use super::model::{Drawing, Kind, Shape};

/// The drawing as a Graphviz digraph; nodes that hold others are clusters.
#[must_use]
pub fn dot(drawing: &Drawing) -> String {
    let mut text = format!("digraph {} {{\n", quoted(&drawing.name));
    text.push_str(
        "  rankdir=TB;\n  compound=true;\n  node [shape=box, style=\"rounded,filled\", fontname=\"Helvetica\"];\n",
    );
    text.push_str("  edge [fontname=\"Helvetica\", fontsize=10];\n");
    let mut anchors = BTreeMap::new();
    let mut clusters = 0;
    for shape in &drawing.shapes {
        write_shape(shape, 1, &mut clusters, &mut anchors, &mut text);
    }
    for edge in &drawing.edges {
        let (Some(from), Some(to)) = (anchors.get(edge.from.as_str()), anchors.get(edge.to.as_str())) else {
            continue;
        };
        let mut attributes = Vec::new();
        attributes.extend(edge.label.as_ref().map(|label| format!("label={}", quoted(label))));
        attributes.extend(edge.control.then(|| "style=dashed".to_owned()));
        attributes.extend(from.cluster.map(|cluster| format!("ltail=cluster_{cluster}")));
        attributes.extend(to.cluster.map(|cluster| format!("lhead=cluster_{cluster}")));
        let attributes = if attributes.is_empty() {
            String::new()
        } else {
            format!(" [{}]", attributes.join(", "))
        };
        let _ = writeln!(text, "  {} -> {}{attributes};", quoted(&from.node), quoted(&to.node));
    }
    text.push_str("}\n");
    text
}

/// Where an edge of a shape ends: Graphviz has no edges to clusters, so it ends at a node inside and is cut at the border.
struct Anchor {
    node: String,
    cluster: Option<usize>,
}

fn write_shape<'a>(
    shape: &'a Shape,
    depth: usize,
    clusters: &mut usize,
    anchors: &mut BTreeMap<&'a str, Anchor>,
    text: &mut String,
) {
    let indent = "  ".repeat(depth);
    let inner = shape.regions.iter().flat_map(|region| &region.shapes).next();
    let Some(inner) = inner else {
        let fill = fill(shape.kind);
        let _ = writeln!(
            text,
            "{indent}{} [label={}, fillcolor=\"{fill}\", tooltip={}];",
            quoted(&shape.id),
            quoted(&label(shape)),
            quoted(&shape.details.join("\n"))
        );
        let node = shape.id.clone();
        anchors.insert(&shape.id, Anchor { node, cluster: None });
        return;
    };
    let cluster = *clusters;
    *clusters += 1;
    let _ = writeln!(text, "{indent}subgraph cluster_{cluster} {{");
    let _ = writeln!(text, "{indent}  label={}; style=rounded;", quoted(&label(shape)));
    for region in &shape.regions {
        let own = *clusters;
        *clusters += 1;
        let _ = writeln!(text, "{indent}  subgraph cluster_{own} {{");
        let _ = writeln!(
            text,
            "{indent}    label={}; style=\"rounded,dashed\";",
            quoted(&region.label)
        );
        for shape in &region.shapes {
            write_shape(shape, depth + 2, clusters, anchors, text);
        }
        let _ = writeln!(text, "{indent}  }}");
    }
    let _ = writeln!(text, "{indent}}}");
    let node = anchors
        .get(inner.id.as_str())
        .map_or_else(|| inner.id.clone(), |anchor| anchor.node.clone());
    let cluster = Some(cluster);
    anchors.insert(&shape.id, Anchor { node, cluster });
}

fn label(shape: &Shape) -> String {
    let mut lines = vec![shape.id.as_str()];
    if shape.callee != shape.id {
        lines.push(&shape.callee);
    }
    if !shape.gives.is_empty() {
        lines.push(&shape.gives);
    }
    lines.join("\n")
}

/// A DOT string: quotes and backslashes escaped, so that no escape sequence of Graphviz can begin inside.
fn quoted(text: &str) -> String {
    let mut quoted = String::from("\"");
    for character in text.chars() {
        match character {
            '"' => quoted.push_str("\\\""),
            '\\' => quoted.push_str("\\\\"),
            '\n' => quoted.push_str("\\n"),
            _ if character.is_control() => quoted.push(' '),
            _ => quoted.push(character),
        }
    }
    quoted.push('"');
    quoted
}

fn fill(kind: Kind) -> &'static str {
    match kind {
        Kind::Data => "#dbeafe",
        Kind::Model => "#ede9fe",
        Kind::Evidence => "#dcfce7",
        Kind::Release => "#fef3c7",
        Kind::Step => "#f3f4f6",
        Kind::Control => "#fce7f3",
    }
}
