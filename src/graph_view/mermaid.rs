//! A pipeline as a Mermaid flowchart, for Markdown pages and wikis.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use super::model::{Drawing, Kind, Shape};
use crate::types::Evidence;

/// The drawing as a Mermaid flowchart.
#[must_use]
pub fn mermaid(drawing: &Drawing) -> String {
    let mut names = BTreeMap::new();
    drawing.visit(&mut |shape| {
        let name = format!("n{}", names.len());
        names.insert(shape.id.as_str(), name);
    });
    let mut text = String::from("flowchart TD\n");
    write_shapes(&drawing.shapes, &names, 1, &mut text);
    for edge in &drawing.edges {
        let (Some(from), Some(to)) = (names.get(edge.from.as_str()), names.get(edge.to.as_str())) else {
            continue;
        };
        let arrow = if edge.control { "-.->" } else { "-->" };
        let label = edge
            .label
            .as_ref()
            .map(|label| format!("|\"{}\"|", escape(label)))
            .unwrap_or_default();
        let _ = writeln!(text, "  {from} {arrow}{label} {to}");
    }
    for kind in Kind::ALL {
        let _ = writeln!(text, "  classDef {} {}", kind.name(), style(kind));
    }
    text
}

fn write_shapes(shapes: &[Shape], names: &BTreeMap<&str, String>, depth: usize, text: &mut String) {
    let indent = "  ".repeat(depth);
    for shape in shapes {
        let Some(name) = names.get(shape.id.as_str()) else {
            continue;
        };
        if shape.regions.is_empty() {
            let _ = writeln!(text, "{indent}{name}[\"{}\"]:::{}", label(shape), shape.kind.name());
            continue;
        }
        let _ = writeln!(text, "{indent}subgraph {name}[\"{}\"]", label(shape));
        for (index, region) in shape.regions.iter().enumerate() {
            let _ = writeln!(text, "{indent}  subgraph {name}_{index}[\"{}\"]", escape(&region.label));
            write_shapes(&region.shapes, names, depth + 2, text);
            let _ = writeln!(text, "{indent}  end");
        }
        let _ = writeln!(text, "{indent}end");
    }
}

fn label(shape: &Shape) -> String {
    let mut label = escape(&shape.id);
    if shape.callee != shape.id {
        let _ = write!(label, "<br/>{}", escape(&shape.callee));
    }
    if shape.evidence != Evidence::None || !shape.gives.is_empty() {
        let _ = write!(label, "<br/>{}", escape(&shape.gives));
    }
    label
}

/// Everything but letters, digits and a little punctuation becomes Mermaid's `#code;`.
fn escape(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            _ if character.is_alphanumeric() => escaped.push(character),
            ' ' | '_' | '.' | ',' | ':' | '-' | '=' | '+' => escaped.push(character),
            _ if character.is_control() => escaped.push(' '),
            _ => {
                let _ = write!(escaped, "#{};", u32::from(character));
            }
        }
    }
    escaped
}

fn style(kind: Kind) -> &'static str {
    match kind {
        Kind::Data => "fill:#dbeafe,stroke:#2563eb,color:#111827",
        Kind::Model => "fill:#ede9fe,stroke:#7c3aed,color:#111827",
        Kind::Evidence => "fill:#dcfce7,stroke:#16a34a,color:#111827",
        Kind::Release => "fill:#fef3c7,stroke:#d97706,color:#111827",
        Kind::Step => "fill:#f3f4f6,stroke:#6b7280,color:#111827",
        Kind::Control => "fill:#fce7f3,stroke:#db2777,color:#111827",
    }
}
