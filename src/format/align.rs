//! Values, `=` and tags of neighbouring entries → one column each.

use super::layout::{Line, WIDTH};

/// Names that differ by more than this in length are not worth aligning.
const SPREAD: usize = 24;

/// Aligns every run of entries of one block that no empty line parts.
pub fn align(lines: &mut [Line]) {
    let mut done = vec![false; lines.len()];
    for first in 0..lines.len() {
        let Some(block) = lines.get(first).and_then(|line| line.entry).map(|entry| entry.block) else {
            continue;
        };
        if done.get(first).copied().unwrap_or(true) {
            continue;
        }
        let run = run_from(lines, first, block);
        for index in &run {
            if let Some(done) = done.get_mut(*index) {
                *done = true;
            }
        }
        for defined in [false, true] {
            align_values(lines, &run, defined);
        }
        align_tags(lines, &run);
    }
}

/// The lines that begin an entry of the block, from `first` to the next empty line in it or its end.
fn run_from(lines: &[Line], first: usize, block: usize) -> Vec<usize> {
    let indent = lines.get(first).map_or(0, |line| line.indent);
    let mut run = Vec::new();
    for (index, line) in lines.iter().enumerate().skip(first) {
        let parted = index > first && line.blank_before && line.indent <= indent;
        if parted || line.indent < indent {
            break;
        }
        if line.entry.is_some_and(|entry| entry.block == block) {
            run.push(index);
        }
    }
    run
}

fn align_values(lines: &mut [Line], run: &[usize], defined: bool) {
    let entries = || run.iter().filter_map(|index| lines.get(*index)?.entry);
    if entries().any(|entry| entry.count > 1) {
        return;
    }
    let columns = || {
        entries()
            .filter(|entry| entry.defined == defined)
            .filter_map(|entry| entry.value)
    };
    pad(lines, run, columns().min(), columns().max(), |line| {
        line.entry
            .filter(|entry| entry.defined == defined)
            .and_then(|entry| entry.value)
    });
}

fn align_tags(lines: &mut [Line], run: &[usize]) {
    let columns = || run.iter().filter_map(|index| lines.get(*index)?.entry?.tag);
    pad(lines, run, columns().min(), columns().max(), |line| line.entry?.tag);
}

/// Moves the column of each line to the widest, unless that is too far or makes a line too long.
fn pad(
    lines: &mut [Line],
    run: &[usize],
    least: Option<usize>,
    most: Option<usize>,
    column: impl Fn(&Line) -> Option<usize>,
) {
    let (Some(least), Some(most)) = (least, most) else {
        return;
    };
    let fits = run.iter().filter_map(|index| lines.get(*index)).all(|line| {
        let missing = column(line).map_or(0, |column| most - column);
        missing == 0 || line.width() + missing <= WIDTH
    });
    if most - least > SPREAD || !fits {
        return;
    }
    for index in run {
        let Some(line) = lines.get_mut(*index) else { continue };
        let Some(from) = column(line) else { continue };
        let byte = line
            .text
            .char_indices()
            .nth(from)
            .map_or(line.text.len(), |(byte, _)| byte);
        line.text.insert_str(byte, &" ".repeat(most - from));
        if let Some(entry) = &mut line.entry {
            entry.tag = entry.tag.map(|tag| if tag > from { tag + most - from } else { tag });
        }
    }
}
