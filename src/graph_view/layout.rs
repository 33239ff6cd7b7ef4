//! A layered layout: boxes in rows so that edges run downwards, with few crossings. It knows sizes and edges, nothing of
//! pipelines or of SVG.
//!
//! Rows are longest paths from the sources; the order within rows comes from sweeps of barycentres (Sugiyama, Tagawa and
//! Toda, 1981). An edge over several rows runs through points that take part in the ordering.

/// Between rows.
const ROW_GAP: f64 = 44.0;
/// Between boxes of a row.
const COLUMN_GAP: f64 = 28.0;
/// How often the ordering and the columns are improved.
const SWEEPS: usize = 8;

/// Where everything is, in pixels from the top left corner.
#[derive(Clone, Debug, PartialEq, Default)]
pub(super) struct Layout {
    /// Whole width.
    pub width: f64,
    /// Whole height.
    pub height: f64,
    /// Top left corner of each box.
    pub boxes: Vec<(f64, f64)>,
    /// For each edge the points it runs through, from the bottom of one box to the top of another.
    pub paths: Vec<Vec<(f64, f64)>>,
}

/// A box, or the point of a long edge in a row that it crosses.
struct Place {
    row: usize,
    width: f64,
    height: f64,
    above: Vec<usize>,
    below: Vec<usize>,
    /// Middle of the place.
    x: f64,
    y: f64,
}

/// Lays out boxes of the given sizes. Edges go from a lower to a higher index, as in a list where producers come first;
/// others are left out of the ordering and drawn straight.
pub(super) fn layout(sizes: &[(f64, f64)], edges: &[(usize, usize)]) -> Layout {
    let rows = longest_paths(sizes.len(), edges);
    let mut places: Vec<Place> = sizes
        .iter()
        .zip(&rows)
        .map(|((width, height), row)| Place::new(*row, *width, *height))
        .collect();
    let chains: Vec<Vec<usize>> = edges.iter().map(|edge| chain(*edge, &mut places)).collect();
    let mut order = initial_order(&places);
    for sweep in 0..SWEEPS {
        sort_rows(&places, &mut order, sweep % 2 == 0);
    }
    set_rows(&mut places, &order);
    set_columns(&mut places, &order);
    finish(&places, sizes.len(), &chains)
}

impl Place {
    fn new(row: usize, width: f64, height: f64) -> Self {
        Self {
            row,
            width,
            height,
            above: Vec::new(),
            below: Vec::new(),
            x: 0.0,
            y: 0.0,
        }
    }

    fn neighbours(&self, downwards: bool) -> &[usize] {
        if downwards { &self.above } else { &self.below }
    }
}

fn longest_paths(count: usize, edges: &[(usize, usize)]) -> Vec<usize> {
    let mut rows = vec![0; count];
    for to in 0..count {
        let above = edges.iter().filter(|(from, end)| *end == to && from < end);
        let row = above
            .filter_map(|(from, _)| rows.get(*from))
            .max()
            .map_or(0, |row| row + 1);
        if let Some(place) = rows.get_mut(to) {
            *place = row;
        }
    }
    rows
}

/// The places that an edge runs through, made for the rows between its ends.
fn chain((from, to): (usize, usize), places: &mut Vec<Place>) -> Vec<usize> {
    let row = |index: usize, places: &[Place]| places.get(index).map_or(0, |place| place.row);
    let mut chain = vec![from];
    for row in row(from, places) + 1..row(to, places) {
        places.push(Place::new(row, 12.0, 0.0));
        chain.push(places.len() - 1);
    }
    chain.push(to);
    for pair in chain.windows(2) {
        if let [upper, lower] = *pair {
            if let Some(place) = places.get_mut(upper) {
                place.below.push(lower);
            }
            if let Some(place) = places.get_mut(lower) {
                place.above.push(upper);
            }
        }
    }
    chain
}

fn initial_order(places: &[Place]) -> Vec<Vec<usize>> {
    let count = places.iter().map(|place| place.row + 1).max().unwrap_or(0);
    let mut order = vec![Vec::new(); count];
    for (index, place) in places.iter().enumerate() {
        if let Some(row) = order.get_mut(place.row) {
            row.push(index);
        }
    }
    order
}

fn sort_rows(places: &[Place], order: &mut [Vec<usize>], downwards: bool) {
    let mut rank = vec![0.0; places.len()];
    let rows: Vec<usize> = if downwards {
        (0..order.len()).collect()
    } else {
        (0..order.len()).rev().collect()
    };
    for row in order.iter() {
        number(row, &mut rank);
    }
    for row in rows {
        let Some(members) = order.get_mut(row) else { continue };
        let barycentre = |index: &usize| {
            let neighbours = places.get(*index).map_or(&[][..], |place| place.neighbours(downwards));
            let ranks: Vec<f64> = neighbours.iter().filter_map(|each| rank.get(*each).copied()).collect();
            mean(&ranks).unwrap_or_else(|| rank.get(*index).copied().unwrap_or(0.0))
        };
        let mut keyed: Vec<(f64, usize)> = members.iter().map(|index| (barycentre(index), *index)).collect();
        keyed.sort_by(|left, right| left.0.total_cmp(&right.0));
        *members = keyed.into_iter().map(|(_, index)| index).collect();
        number(members, &mut rank);
    }
}

fn number(row: &[usize], rank: &mut [f64]) {
    let mut position = 0.0;
    for index in row {
        if let Some(place) = rank.get_mut(*index) {
            *place = position;
        }
        position += 1.0;
    }
}

fn mean(values: &[f64]) -> Option<f64> {
    let count = u32::try_from(values.len()).ok().filter(|count| *count > 0)?;
    Some(values.iter().sum::<f64>() / f64::from(count))
}

fn set_rows(places: &mut [Place], order: &[Vec<usize>]) {
    let mut top = 0.0;
    for row in order {
        let tallest = row
            .iter()
            .filter_map(|index| places.get(*index))
            .fold(0.0, |most: f64, place| most.max(place.height));
        for index in row {
            if let Some(place) = places.get_mut(*index) {
                place.y = top + tallest / 2.0;
            }
        }
        top += tallest + ROW_GAP;
    }
}

/// Moves every place towards the middle of its neighbours, as far as the order within its row lets it.
fn set_columns(places: &mut [Place], order: &[Vec<usize>]) {
    for row in order {
        spread(places, row);
    }
    for sweep in 0..SWEEPS {
        let downwards = sweep % 2 == 0;
        let rows: Vec<&Vec<usize>> = if downwards {
            order.iter().collect()
        } else {
            order.iter().rev().collect()
        };
        for row in rows {
            for index in row {
                let wanted = places.get(*index).and_then(|place| {
                    let middles = place
                        .neighbours(downwards)
                        .iter()
                        .filter_map(|each| Some(places.get(*each)?.x));
                    mean(&middles.collect::<Vec<_>>())
                });
                if let (Some(wanted), Some(place)) = (wanted, places.get_mut(*index)) {
                    place.x = wanted;
                }
            }
            spread(places, row);
        }
    }
}

/// Pushes the places of a row apart, keeping the middle of the row where it is.
fn spread(places: &mut [Place], row: &[usize]) {
    let middle = |places: &[Place]| {
        mean(
            &row.iter()
                .filter_map(|index| Some(places.get(*index)?.x))
                .collect::<Vec<_>>(),
        )
    };
    let before = middle(places).unwrap_or(0.0);
    let mut free = f64::NEG_INFINITY;
    for index in row {
        if let Some(place) = places.get_mut(*index) {
            place.x = place.x.max(free + place.width / 2.0);
            free = place.x + place.width / 2.0 + COLUMN_GAP;
        }
    }
    let shift = middle(places).unwrap_or(0.0) - before;
    for index in row {
        if let Some(place) = places.get_mut(*index) {
            place.x -= shift;
        }
    }
}

fn finish(places: &[Place], boxes: usize, chains: &[Vec<usize>]) -> Layout {
    let left = places
        .iter()
        .map(|place| place.x - place.width / 2.0)
        .fold(f64::INFINITY, f64::min);
    let right = places
        .iter()
        .map(|place| place.x + place.width / 2.0)
        .fold(f64::NEG_INFINITY, f64::max);
    let bottom = places
        .iter()
        .map(|place| place.y + place.height / 2.0)
        .fold(0.0, f64::max);
    if places.is_empty() {
        return Layout::default();
    }
    let corner = |place: &Place| (place.x - place.width / 2.0 - left, place.y - place.height / 2.0);
    let path = |chain: &Vec<usize>| {
        let last = chain.len().saturating_sub(1);
        let point = |(position, index): (usize, &usize)| {
            let place = places.get(*index)?;
            let half = place.height / 2.0;
            let y = if position == 0 {
                place.y + half
            } else if position == last {
                place.y - half
            } else {
                place.y
            };
            Some((place.x - left, y))
        };
        chain.iter().enumerate().filter_map(point).collect()
    };
    Layout {
        width: right - left,
        height: bottom,
        boxes: places.iter().take(boxes).map(corner).collect(),
        paths: chains.iter().map(path).collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::layout;

    #[test]
    fn edges_run_downwards_and_boxes_do_not_overlap() {
        let sizes = vec![(100.0, 40.0); 7];
        let edges = [(0, 1), (0, 2), (1, 3), (2, 3), (0, 4), (4, 5), (3, 6), (5, 6), (0, 6)];
        let drawn = layout(&sizes, &edges);
        for path in &drawn.paths {
            assert!(path.windows(2).all(|pair| pair[0].1 < pair[1].1), "{path:?}");
        }
        for (index, (x, y)) in drawn.boxes.iter().enumerate() {
            assert!(*x >= -0.001 && x + 100.0 <= drawn.width + 0.001, "box {index} at {x}");
            for (other_x, other_y) in &drawn.boxes[..index] {
                assert!((x - other_x).abs() >= 99.9 || (y - other_y).abs() >= 39.9);
            }
        }
    }

    #[test]
    fn a_chain_is_one_column() {
        let drawn = layout(&[(80.0, 30.0), (120.0, 30.0), (60.0, 30.0)], &[(0, 1), (1, 2)]);
        let middles: Vec<f64> = drawn
            .boxes
            .iter()
            .zip([80.0, 120.0, 60.0])
            .map(|((x, _), width)| x + width / 2.0)
            .collect();
        assert!(
            middles.iter().all(|middle| (middle - middles[0]).abs() < 0.01),
            "{middles:?}"
        );
    }

    #[test]
    fn nothing_is_laid_out_as_nothing() {
        assert_eq!(layout(&[], &[]), super::Layout::default());
    }
}
