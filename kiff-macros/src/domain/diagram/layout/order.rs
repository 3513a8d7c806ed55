//! Who lies left of whom: as few crossings as a few sweeps can bring about.

use super::{Graph, Item, Link};

/// How often the rows are gone through, and with how many items that is done less often.
const SWEEPS: usize = 10;
const MANY: usize = 4000;

/// Orders every row.
pub(super) fn order(graph: &mut Graph) {
    number(graph);
    let mut fewest = crossings(graph);
    let mut best = graph.rows.clone();
    let sweeps = if graph.items.0.len() > MANY { 2 } else { SWEEPS };
    for sweep in 0..sweeps {
        if fewest == 0 {
            break;
        }
        if sweep % 2 == 0 {
            (0..graph.rows.len()).for_each(|row| sort(graph, row, |item| &item.above));
        } else {
            (0..graph.rows.len()).rev().for_each(|row| sort(graph, row, |item| &item.below));
        }
        swap_neighbours(graph);
        let found = crossings(graph);
        if found < fewest {
            fewest = found;
            best.clone_from(&graph.rows);
        }
    }
    graph.rows = best;
    number(graph);
    for number in 0..graph.items.0.len() {
        sort_links(graph, number);
    }
}

fn number(graph: &mut Graph) {
    for row in &graph.rows {
        for (position, number) in row.iter().enumerate() {
            graph.items[*number].position = position;
        }
    }
}

/// Moves each item of the row to the middle of what it is connected to; what is connected to nothing stays.
fn sort(graph: &mut Graph, row: usize, links: fn(&Item) -> &Vec<Link>) {
    let Some(items) = graph.rows.get_mut(row) else { return };
    let mut keyed: Vec<(f64, usize)> = Vec::with_capacity(items.len());
    for number in items.iter() {
        let item = &graph.items[*number];
        let positions = links(item).iter().map(|link| graph.items[link.item].position);
        keyed.push((middle(positions).unwrap_or_else(|| float(item.position)), *number));
    }
    keyed.sort_by(|first, second| first.0.total_cmp(&second.0));
    for (position, (slot, (_, number))) in items.iter_mut().zip(keyed).enumerate() {
        *slot = number;
        graph.items[number].position = position;
    }
}

fn middle(positions: impl Iterator<Item = usize>) -> Option<f64> {
    let (count, sum) = positions.fold((0, 0), |(count, sum), position| (count + 1, sum + position));
    (count > 0).then(|| float(sum) / float(count))
}

/// The number as one to calculate with; there are never so many items that it would not be exact.
fn float(number: usize) -> f64 {
    u32::try_from(number).map_or(f64::MAX, f64::from)
}

/// Swaps neighbours in a row as long as that takes crossings away.
fn swap_neighbours(graph: &mut Graph) {
    for row in 0..graph.rows.len() {
        let Some(mut items) = graph.rows.get_mut(row).map(std::mem::take) else { continue };
        for _ in 0..2 {
            for position in 1..items.len() {
                let (Some(left), Some(right)) = (items.get(position - 1).copied(), items.get(position).copied()) else {
                    continue;
                };
                let (now, swapped) = pair(graph, left, right);
                if swapped < now {
                    items.swap(position - 1, position);
                    graph.items[left].position = position;
                    graph.items[right].position = position - 1;
                }
            }
        }
        if let Some(slot) = graph.rows.get_mut(row) {
            *slot = items;
        }
    }
}

/// The crossings of two neighbours' arrows: as they lie, and the other way round.
fn pair(graph: &Graph, left: usize, right: usize) -> (usize, usize) {
    let (left, right) = (&graph.items[left], &graph.items[right]);
    let (mut now, mut swapped) = (0, 0);
    for (left, right) in [(&left.above, &right.above), (&left.below, &right.below)] {
        for first in left {
            for second in right {
                let (first, second) = (graph.items[first.item].position, graph.items[second.item].position);
                now += usize::from(first > second);
                swapped += usize::from(first < second);
            }
        }
    }
    (now, swapped)
}

/// How many pairs of arrows cross between two rows, over all rows.
fn crossings(graph: &Graph) -> usize {
    let mut count = 0;
    let mut ends = Vec::new();
    let mut seen: Vec<usize> = Vec::new();
    for row in &graph.rows {
        seen.clear();
        for number in row {
            let links = graph.items[*number].below.iter();
            ends.clear();
            ends.extend(links.map(|link| graph.items[link.item].position));
            ends.sort_unstable();
            for end in &ends {
                count += seen.len() - seen.partition_point(|other| other <= end);
            }
            for end in &ends {
                let place = seen.partition_point(|other| other <= end);
                seen.insert(place, *end);
            }
        }
    }
    count
}

/// The connections from left to right.
fn sort_links(graph: &mut Graph, number: usize) {
    let mut above = std::mem::take(&mut graph.items[number].above);
    let mut below = std::mem::take(&mut graph.items[number].below);
    above.sort_by_key(|link| graph.items[link.item].position);
    below.sort_by_key(|link| graph.items[link.item].position);
    graph.items[number].above = above;
    graph.items[number].below = below;
}
