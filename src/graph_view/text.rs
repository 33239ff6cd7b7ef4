//! A pipeline as lines for a terminal: lanes of data flow on the left, one node a line.

use super::model::{Drawing, Region, Shape};

/// Sides of a cell from which a line leaves.
const UP: u8 = 1;
const DOWN: u8 = 2;
const LEFT: u8 = 4;
const RIGHT: u8 = 8;

/// The drawing as text, one node a line, producers above consumers.
#[must_use]
pub fn text(drawing: &Drawing) -> String {
    let mut rows = Vec::new();
    rows.push(Row::heading(
        String::new(),
        format!("pipeline {}", clean(&drawing.name)),
    ));
    for (name, ty, default) in &drawing.parameters {
        let default = default.as_ref().map(|value| format!(" = {value}")).unwrap_or_default();
        rows.push(Row::heading(String::new(), clean(&format!("  {name}: {ty}{default}"))));
    }
    rows.push(Row::heading(String::new(), String::new()));
    level(drawing, &drawing.shapes, "", &mut rows);
    aligned(&rows)
}

/// A line: lanes, then either a heading or columns that are aligned over the whole drawing.
struct Row {
    lanes: String,
    heading: String,
    columns: Option<[String; 3]>,
}

impl Row {
    fn heading(lanes: String, heading: String) -> Self {
        Self {
            lanes,
            heading,
            columns: None,
        }
    }
}

fn level(drawing: &Drawing, shapes: &[Shape], indent: &str, rows: &mut Vec<Row>) {
    let edges = drawing.edges_at(shapes);
    let last_use = |index: usize| edges.iter().filter(|(from, _)| *from == index).map(|(_, to)| *to).max();
    // Each lane carries what one node gives until its last consumer.
    let mut lanes: Vec<Option<usize>> = Vec::new();
    for (index, shape) in shapes.iter().enumerate() {
        let inputs: Vec<usize> = (0..lanes.len())
            .filter(|lane| {
                lanes
                    .get(*lane)
                    .copied()
                    .flatten()
                    .is_some_and(|from| edges.contains(&(from, index)))
            })
            .collect();
        let ends: Vec<usize> = inputs
            .iter()
            .copied()
            .filter(|lane| lanes.get(*lane).copied().flatten().and_then(last_use) == Some(index))
            .collect();
        let own = ends
            .first()
            .copied()
            .or_else(|| lanes.iter().position(Option::is_none))
            .unwrap_or(lanes.len());
        if own == lanes.len() {
            lanes.push(None);
        }
        let drawn = node_lanes(&lanes, own, &inputs, &ends, glyph(shape));
        rows.push(Row {
            lanes: format!("{indent}{drawn}"),
            heading: String::new(),
            columns: Some([clean(&shape.id), clean(&shape.callee), clean(&shape.gives)]),
        });
        for lane in ends {
            if let Some(place) = lanes.get_mut(lane) {
                *place = None;
            }
        }
        if let Some(place) = lanes.get_mut(own) {
            *place = last_use(index).map(|_| index);
        }
        while lanes.last() == Some(&None) {
            lanes.pop();
        }
        for region in &shape.regions {
            self::region(drawing, region, &format!("{indent}{}", passing(&lanes)), rows);
        }
    }
}

fn region(drawing: &Drawing, region: &Region, indent: &str, rows: &mut Vec<Row>) {
    rows.push(Row::heading(format!("{indent}  "), clean(&region.label)));
    level(drawing, &region.shapes, &format!("{indent}    "), rows);
}

/// The lanes of a node's own line, with arms from its inputs to it.
fn node_lanes(lanes: &[Option<usize>], own: usize, inputs: &[usize], ends: &[usize], glyph: char) -> String {
    let leftmost = inputs.iter().copied().chain([own]).min().unwrap_or(own);
    let rightmost = inputs.iter().copied().chain([own]).max().unwrap_or(own);
    let mut line = String::new();
    for (lane, carries) in lanes.iter().enumerate() {
        let in_arm = (leftmost..=rightmost).contains(&lane);
        let character = if lane == own {
            glyph
        } else if inputs.contains(&lane) {
            let mut sides = UP;
            sides |= if ends.contains(&lane) { 0 } else { DOWN };
            sides |= if lane > leftmost { LEFT } else { 0 };
            sides |= if lane < rightmost { RIGHT } else { 0 };
            line_character(sides)
        } else if carries.is_some() {
            '│'
        } else if in_arm {
            '─'
        } else {
            ' '
        };
        line.push(character);
        line.push(if in_arm && lane < rightmost { '─' } else { ' ' });
    }
    line
}

fn passing(lanes: &[Option<usize>]) -> String {
    lanes
        .iter()
        .map(|lane| if lane.is_some() { "│ " } else { "  " })
        .collect()
}

fn line_character(sides: u8) -> char {
    const VERTICAL: u8 = UP | DOWN;
    const HORIZONTAL: u8 = LEFT | RIGHT;
    match (sides & VERTICAL, sides & HORIZONTAL) {
        (VERTICAL, HORIZONTAL) => '┼',
        (VERTICAL, LEFT) => '┤',
        (VERTICAL, RIGHT) => '├',
        (UP, HORIZONTAL) => '┴',
        (UP, LEFT) => '╯',
        (UP, RIGHT) => '╰',
        (_, 0) => '│',
        (_, _) => '─',
    }
}

fn glyph(shape: &Shape) -> char {
    use super::Kind;
    match shape.kind {
        Kind::Data => '○',
        Kind::Model => '◆',
        Kind::Evidence => '◉',
        Kind::Release => '▲',
        Kind::Step => '●',
        Kind::Control => '◇',
    }
}

fn aligned(rows: &[Row]) -> String {
    let width = |of: &dyn Fn(&Row) -> Option<usize>| rows.iter().filter_map(of).max().unwrap_or(0);
    let lanes = width(&|row| row.columns.as_ref().map(|_| row.lanes.chars().count()));
    let id = width(&|row| row.columns.as_ref().map(|columns| columns[0].chars().count()));
    let callee = width(&|row| row.columns.as_ref().map(|columns| columns[1].chars().count()));
    let mut text = String::new();
    for row in rows {
        let line = match &row.columns {
            Some([name, called, gives]) => {
                let arrow = if gives.is_empty() { "" } else { "→ " };
                format!("{:lanes$} {name:id$}  {called:callee$}  {arrow}{gives}", row.lanes)
            }
            None => format!("{}{}", row.lanes, row.heading),
        };
        text.push_str(line.trim_end());
        text.push('\n');
    }
    text
}

/// Without characters that would move the cursor or change the terminal.
fn clean(text: &str) -> String {
    text.chars()
        .map(|each| if each.is_control() { '·' } else { each })
        .collect()
}
