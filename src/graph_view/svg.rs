//! A pipeline as SVG: a layered drawing with nested regions as boxes. Colours are classes, so that a page can set them.

use std::fmt::Write as _;

use super::layout::{Layout, layout};
use super::model::{Drawing, Region, Shape};
use crate::types::Evidence;

const PADDING: f64 = 14.0;
const LINE: f64 = 17.0;
/// Mean width of a character of the page's font at 13 pixels.
const CHARACTER: f64 = 7.3;
/// Longer lines are cut; the tooltip has them whole.
const LONGEST: usize = 44;

/// The drawing as an `<svg>` element. Without the styles of [`super::html()`] it is black on white.
#[must_use]
pub fn svg(drawing: &Drawing) -> String {
    let group = Group::new(drawing, &drawing.shapes);
    let (width, height) = (group.layout.width + 2.0 * PADDING, group.layout.height + 2.0 * PADDING);
    let mut text = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{width:.0}\" height=\"{height:.0}\" \
         viewBox=\"0 0 {width:.0} {height:.0}\" role=\"img\" aria-label=\"{}\">\n",
        escape(&format!("pipeline {}", drawing.name))
    );
    text.push_str(
        "<defs><marker id=\"arrow\" viewBox=\"0 0 10 10\" refX=\"9\" refY=\"5\" markerWidth=\"7\" markerHeight=\"7\" \
         orient=\"auto-start-reverse\"><path class=\"head\" d=\"M0 0L10 5L0 10z\"/></marker></defs>\n",
    );
    group.write(PADDING, PADDING, &mut text);
    text.push_str("</svg>\n");
    text
}

/// The shapes of one level with their places.
struct Group<'a> {
    boxes: Vec<Box<'a>>,
    layout: Layout,
    control: Vec<bool>,
}

/// A shape with its size and what is inside it.
struct Box<'a> {
    shape: &'a Shape,
    lines: Vec<(&'static str, String)>,
    size: (f64, f64),
    regions: Vec<(&'a Region, Group<'a>)>,
}

impl<'a> Group<'a> {
    fn new(drawing: &Drawing, shapes: &'a [Shape]) -> Self {
        let boxes: Vec<Box<'a>> = shapes.iter().map(|shape| Box::new(drawing, shape)).collect();
        let edges = drawing.edges_at(shapes);
        let sizes: Vec<(f64, f64)> = boxes.iter().map(|each| each.size).collect();
        let id = |index: usize| shapes.get(index).map(|shape| shape.id.as_str());
        let control = |(from, to): &(usize, usize)| {
            let mut between = drawing
                .edges
                .iter()
                .filter(|edge| id(*from) == Some(&edge.from) && id(*to) == Some(&edge.to))
                .peekable();
            between.peek().is_some() && between.all(|edge| edge.control)
        };
        Self {
            layout: layout(&sizes, &edges),
            control: edges.iter().map(control).collect(),
            boxes,
        }
    }

    fn write(&self, x: f64, y: f64, text: &mut String) {
        for (path, control) in self.layout.paths.iter().zip(&self.control) {
            let class = if *control { "edge control" } else { "edge" };
            let _ = writeln!(
                text,
                "<path class=\"{class}\" marker-end=\"url(#arrow)\" d=\"{}\"/>",
                curve(path, x, y)
            );
        }
        for (each, (left, top)) in self.boxes.iter().zip(&self.layout.boxes) {
            each.write(x + left, y + top, text);
        }
    }
}

impl<'a> Box<'a> {
    fn new(drawing: &Drawing, shape: &'a Shape) -> Self {
        let mut lines = vec![("name", cut(&shape.id))];
        if shape.callee != shape.id {
            lines.push(("callee", cut(&shape.callee)));
        }
        if !shape.gives.is_empty() {
            lines.push(("gives", cut(&shape.gives)));
        }
        let widest = lines.iter().map(|(_, line)| text_width(line)).fold(60.0, f64::max);
        let regions: Vec<_> = shape
            .regions
            .iter()
            .map(|region| (region, Group::new(drawing, &region.shapes)))
            .collect();
        let mut size = (widest + 2.0 * PADDING, head_height(lines.len()));
        if !regions.is_empty() {
            let side_by_side: f64 = regions
                .iter()
                .map(|(region, group)| region_width(region, group) + PADDING)
                .sum();
            let tallest = regions.iter().map(|(_, group)| group.layout.height).fold(0.0, f64::max);
            size = (
                size.0.max(side_by_side + PADDING),
                size.1 + tallest + LINE + 3.0 * PADDING,
            );
        }
        Self {
            shape,
            lines,
            size,
            regions,
        }
    }

    fn write(&self, x: f64, y: f64, text: &mut String) {
        let shape = self.shape;
        let evidence = evidence_class(shape.evidence);
        let _ = writeln!(
            text,
            "<g class=\"node {}{evidence}\"><title>{}</title>",
            shape.kind.name(),
            tooltip(shape)
        );
        let (width, height) = self.size;
        let _ = writeln!(
            text,
            "<rect x=\"{x:.1}\" y=\"{y:.1}\" width=\"{width:.1}\" height=\"{height:.1}\" rx=\"8\"/>"
        );
        let mut baseline = y + PADDING + 9.0;
        for (class, line) in &self.lines {
            let middle = x + width / 2.0;
            let _ = writeln!(
                text,
                "<text class=\"{class}\" x=\"{middle:.1}\" y=\"{baseline:.1}\" text-anchor=\"middle\">{}</text>",
                escape(line)
            );
            baseline += LINE;
        }
        text.push_str("</g>\n");
        let top = y + head_height(self.lines.len());
        let mut left = x + PADDING;
        for (region, group) in &self.regions {
            let width = region_width(region, group);
            let _ = writeln!(
                text,
                "<rect class=\"region\" x=\"{left:.1}\" y=\"{top:.1}\" width=\"{width:.1}\" height=\"{:.1}\" rx=\"6\"/>",
                y + height - PADDING - top
            );
            let _ = writeln!(
                text,
                "<text class=\"label\" x=\"{:.1}\" y=\"{:.1}\">{}</text>",
                left + PADDING,
                top + LINE,
                escape(&cut(&region.label))
            );
            let indent = (width - group.layout.width) / 2.0;
            group.write(left + indent, top + LINE + PADDING, text);
            left += width + PADDING;
        }
    }
}

fn head_height(lines: usize) -> f64 {
    let lines = u32::try_from(lines).unwrap_or(u32::MAX);
    f64::from(lines).mul_add(LINE, PADDING * 1.4)
}

fn region_width(region: &Region, group: &Group<'_>) -> f64 {
    group.layout.width.max(text_width(&cut(&region.label))) + 2.0 * PADDING
}

fn text_width(text: &str) -> f64 {
    // Wide scripts take about two columns; what is not ASCII is taken as wide, which at worst leaves some room.
    let columns: u32 = text.chars().map(|each| if each.is_ascii() { 1 } else { 2 }).sum();
    f64::from(columns) * CHARACTER
}

fn cut(text: &str) -> String {
    if text.chars().count() <= LONGEST {
        return text.to_owned();
    }
    text.chars().take(LONGEST - 1).chain(['…']).collect()
}

/// A smooth line through the points, vertical at each.
fn curve(points: &[(f64, f64)], x: f64, y: f64) -> String {
    let mut path = String::new();
    let mut previous: Option<(f64, f64)> = None;
    for (left, top) in points {
        let (left, top) = (left + x, top + y);
        let _ = match previous {
            None => write!(path, "M{left:.1} {top:.1}"),
            Some((from_left, from_top)) => {
                let middle = f64::midpoint(from_top, top);
                write!(
                    path,
                    "C{from_left:.1} {middle:.1} {left:.1} {middle:.1} {left:.1} {top:.1}"
                )
            }
        };
        previous = Some((left, top));
    }
    path
}

fn evidence_class(evidence: Evidence) -> &'static str {
    match evidence {
        Evidence::None => "",
        Evidence::Validated => " validated",
        Evidence::Gated => " gated",
        Evidence::Proven => " proven",
        Evidence::Registered => " registered",
    }
}

fn tooltip(shape: &Shape) -> String {
    let mut lines = vec![format!("{}: {}", shape.id, shape.callee)];
    lines.extend(shape.details.iter().cloned());
    if !shape.gives.is_empty() {
        lines.push(format!("gives {}", shape.gives));
    }
    escape(&lines.join("\n"))
}

/// Text and attribute values of XML and HTML; characters that XML 1.0 forbids become `�`.
pub(super) fn escape(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\'' => escaped.push_str("&#39;"),
            '\n' | '\t' => escaped.push(character),
            '\u{fffe}' | '\u{ffff}' => escaped.push('\u{fffd}'),
            _ if character.is_control() => escaped.push('\u{fffd}'),
            _ => escaped.push(character),
        }
    }
    escaped
}
