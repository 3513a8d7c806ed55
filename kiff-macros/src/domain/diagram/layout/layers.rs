//! Which row everything lies in: arrows lead down, except those that close a circle.

use std::ops::Range;

use super::{Arrow, Chain, Extent, Graph, Item, Link, List};

/// How wide a row gets before another one is begun, so that a page of documentation can hold the whole.
const WIDTH: f64 = 880.0;
/// What an arrow that passes through a row takes up.
const PASSING: Extent = Extent { left: 4.0, right: 4.0, height: 0.0, axis_height: 0.0 };
/// The least distance between two items of a row.
pub(super) const GAP: f64 = 18.0;

/// The rows, with everything in them still in the order in which it was found.
pub(super) fn layers(boxes: &[Extent], arrows: &[Arrow]) -> Graph {
    let search = Search::run(boxes.len(), arrows);
    let ranks = ranks(boxes, arrows, &search);
    let depth = ranks.0.iter().max().map_or(0, |deepest| deepest + 1);
    let spans: Vec<(usize, usize)> = arrows
        .iter()
        .map(|arrow| (ranks[arrow.from], ranks[arrow.to]))
        .map(|(from, to)| (from.min(to), from.max(to)))
        .collect();
    let shelves = Shelves::fill(depth, arrows, &spans);
    let mut first_row = List(Vec::new());
    let mut rows = 0;
    for between in &shelves.between.0 {
        first_row.push(rows);
        rows += 1 + between.shelves.len();
    }
    let mut graph = Graph {
        items: List(Vec::new()),
        rows: Vec::new(),
        bands: List(Vec::new()),
        chains: Vec::new(),
        boxes: boxes.len(),
    };
    let mut content = List::of(&Vec::new(), rows);
    for extent in boxes {
        graph.items.push(item(*extent, false, 0));
    }
    for number in search.order {
        let row = first_row[ranks[number]];
        graph.items[number].row = row;
        content[row].push(number);
    }
    for ((arrow, (upper, lower)), shelf) in arrows.iter().zip(&spans).zip(&shelves.chosen.0) {
        let upward = ranks[arrow.from] > ranks[arrow.to];
        let (top, bottom) = if upward { (arrow.to, arrow.from) } else { (arrow.from, arrow.to) };
        let label_row = first_row[shelf.rank] + 1 + shelf.number;
        let mut chain = Chain { items: vec![top], label: top, upward };
        for row in first_row[*upper] + 1..first_row[*lower] {
            let is_label = row == label_row;
            let number = graph.items.push(item(if is_label { arrow.label } else { PASSING }, !is_label, row));
            content[row].push(number);
            chain.items.push(number);
            if is_label {
                chain.label = number;
            }
        }
        chain.items.push(bottom);
        for (upper, lower) in chain.items.iter().zip(chain.items.iter().skip(1)) {
            graph.items[*upper].below.push(Link { item: *lower, port: 0.0, far: 0.0 });
            graph.items[*lower].above.push(Link { item: *upper, port: 0.0, far: 0.0 });
        }
        graph.chains.push(chain);
    }
    graph.rows = content.0;
    graph
}

fn item(extent: Extent, passing: bool, row: usize) -> Item {
    Item { extent, passing, straight: false, above: Vec::new(), below: Vec::new(), row, position: 0, x: 0.0, y: 0.0 }
}

/// A search in depth: each box before those that it leads to, if the arrows that close a circle are turned around.
struct Search {
    order: Vec<usize>,
    turned: List<bool>,
}

#[derive(Clone, Copy, PartialEq)]
enum Visit {
    Unseen,
    Open,
    Done,
}

impl Search {
    fn run(boxes: usize, arrows: &[Arrow]) -> Self {
        let mut leaving = List::of(&Vec::new(), boxes);
        for (number, arrow) in arrows.iter().enumerate() {
            leaving[arrow.from].push((number, arrow.to));
        }
        let mut visits = List::of(&Visit::Unseen, boxes);
        let mut search = Self { order: Vec::new(), turned: List::of(&false, arrows.len()) };
        // The first box first, as what it cannot reach must not turn its arrows; then whatever leads to the rest.
        let begins = |start: &usize| !arrows.iter().any(|arrow| arrow.to == *start);
        for start in (0..boxes.min(1)).chain((0..boxes).filter(begins)).chain(0..boxes) {
            search.visit(start, &leaving, &mut visits);
        }
        search.order.reverse();
        search
    }

    fn visit(&mut self, start: usize, leaving: &List<Vec<(usize, usize)>>, visits: &mut List<Visit>) {
        if visits[start] != Visit::Unseen {
            return;
        }
        visits[start] = Visit::Open;
        let mut path = vec![(start, leaving[start].iter())];
        while let Some((place, waiting)) = path.last_mut() {
            let Some((number, target)) = waiting.next() else {
                visits[*place] = Visit::Done;
                self.order.push(*place);
                path.pop();
                continue;
            };
            match visits[*target] {
                Visit::Unseen => {
                    visits[*target] = Visit::Open;
                    path.push((*target, leaving[*target].iter()));
                }
                Visit::Open => self.turned[*number] = true,
                Visit::Done => {}
            }
        }
    }
}

/// How deep each box lies: below everything that leads to it, and deeper where a row would get too wide.
fn ranks(boxes: &[Extent], arrows: &[Arrow], search: &Search) -> List<usize> {
    let mut ranks = List::of(&0, boxes.len());
    let mut widths: Vec<f64> = Vec::new();
    let mut leading = List::of(&Vec::new(), boxes.len());
    for (arrow, turned) in arrows.iter().zip(&search.turned.0) {
        let (upper, lower) = if *turned { (arrow.to, arrow.from) } else { (arrow.from, arrow.to) };
        leading[lower].push(upper);
    }
    for number in &search.order {
        let width = boxes.get(*number).map_or(0.0, Extent::width) + GAP;
        let mut rank = leading[*number].iter().map(|upper: &usize| ranks[*upper] + 1).max().unwrap_or(0);
        while widths.get(rank).is_some_and(|used| used + width > WIDTH) {
            rank += 1;
        }
        while widths.len() <= rank {
            widths.push(0.0);
        }
        if let Some(used) = widths.get_mut(rank) {
            *used += width;
        }
        ranks[*number] = rank;
    }
    ranks
}

/// The rows for labels below each row of boxes, and which one each arrow's label lies in.
struct Shelves {
    between: List<Between>,
    chosen: List<Shelf>,
}

/// One row for labels: below which row of boxes it lies, and how many such rows lie between the two.
#[derive(Clone, Copy)]
struct Shelf {
    rank: usize,
    number: usize,
}

/// What lies between one row of boxes and the next.
#[derive(Clone, Default)]
struct Between {
    /// What the arrows take up that run through here.
    passing: f64,
    /// The width of each row of labels.
    shelves: Vec<f64>,
}

impl Shelves {
    /// Arrows to the next row come first, as their labels have no other place; the others take what is emptiest.
    fn fill(depth: usize, arrows: &[Arrow], spans: &[(usize, usize)]) -> Self {
        let mut shelves = Self {
            between: List::of(&Between::default(), depth),
            chosen: List::of(&Shelf { rank: 0, number: 0 }, arrows.len()),
        };
        let mut needed = List::of(&0.0, depth);
        for ((upper, lower), arrow) in spans.iter().zip(arrows) {
            for rank in *upper..*lower {
                shelves.between[rank].passing += PASSING.width() + GAP;
            }
            if lower - upper == 1 {
                needed[*upper] += arrow.label.width() + GAP;
            }
        }
        for (between, needed) in shelves.between.0.iter_mut().zip(needed.0) {
            let mut missing: f64 = needed;
            while missing > 0.0 {
                between.shelves.push(between.passing);
                missing -= (WIDTH - between.passing).max(WIDTH / 4.0);
            }
        }
        let mut waiting: Vec<(usize, &Arrow)> = arrows.iter().enumerate().collect();
        waiting.sort_by_key(|(number, _)| spans.get(*number).map_or(0, |(upper, lower)| lower - upper));
        for (number, arrow) in waiting {
            let (upper, lower) = spans.get(number).copied().unwrap_or_default();
            shelves.chosen[number] = shelves.put(upper..lower, arrow.label.width() - PASSING.width());
        }
        shelves
    }

    fn put(&mut self, ranks: Range<usize>, width: f64) -> Shelf {
        let each_of = |rank: usize| {
            let shelves = self.between[rank].shelves.iter().enumerate();
            shelves.map(move |(number, used)| (*used, Shelf { rank, number }))
        };
        let places = ranks.clone().flat_map(each_of);
        let emptiest = places.min_by(|first, second| first.0.total_cmp(&second.0));
        let chosen = match emptiest {
            Some((used, place)) if used + width <= WIDTH => place,
            _ => self.begin(ranks),
        };
        if let Some(used) = self.between[chosen.rank].shelves.get_mut(chosen.number) {
            *used += width;
        }
        chosen
    }

    /// Begins another row of labels where there are fewest.
    fn begin(&mut self, ranks: Range<usize>) -> Shelf {
        let upper = ranks.start;
        let rank = ranks.min_by_key(|rank| self.between[*rank].shelves.len()).unwrap_or(upper);
        let between = &mut self.between[rank];
        between.shelves.push(between.passing);
        Shelf { rank, number: between.shelves.len() - 1 }
    }
}
