//! Where exactly everything lies: as straight as its neighbours allow, and never over one of them.

use super::layers::GAP;
use super::{Band, Chain, Drawing, Graph, Item, Link, Point, Route, Stop};

/// How often everything moves towards what it is connected to, and with how many items that is done less often.
const SWEEPS: usize = 24;
const MANY: usize = 4000;
/// The distance between two arrows at one side of a box, if there is room, and the part of the side that they may use.
const PORT: f64 = 16.0;
const SIDE: f64 = 0.8;
/// The distance between two rows, what is added to it for arrows that run far to the side, and the most of that.
const ROW_GAP: f64 = 20.0;
const SLOPE: f64 = 0.1;
const MOST_SLOPE: f64 = 40.0;
/// How much an arrow wants to run straight where it only passes through.
const STRAIGHT: f64 = 8.0;
/// How often arrows are drawn straight and the rest moves to where that leads, and what can hardly move them then.
const STRAIGHTENINGS: usize = 3;
const FIXED: f64 = 200.0;
/// How far from straight an arrow looks wrong rather than bent.
const NEARLY: f64 = 6.0;

/// Places everything.
pub(super) fn place(graph: &mut Graph) -> Drawing {
    spread_ports(graph);
    for row in 0..graph.rows.len() {
        settle(graph, row, |_, _| (0.0, 1.0));
    }
    let sweeps = if graph.items.0.len() > MANY { 4 } else { SWEEPS };
    for sweep in 0..sweeps {
        // First each side alone, so that everything gets to its place; then both, so that it comes to rest there.
        let settled = sweep * 2 >= sweeps;
        let downwards = sweep % 2 == 0;
        if sweep * 2 == sweeps {
            hang(graph);
        }
        for step in 0..graph.rows.len() {
            let row = if downwards { step } else { graph.rows.len() - 1 - step };
            settle(graph, row, |graph, item| wish(graph, item, settled || downwards, settled || !downwards));
        }
    }
    for _ in 0..STRAIGHTENINGS {
        straighten(graph);
        for row in 0..graph.rows.len() {
            settle(
                graph,
                row,
                |graph, item| if item.straight { (item.x, FIXED) } else { wish(graph, item, true, true) },
            );
        }
    }
    straighten(graph);
    fall_in_line(graph);
    let height = stack(graph);
    draw(graph, height)
}

/// Gives the arrows of each side of each box places of their own.
fn spread_ports(graph: &mut Graph) {
    for number in 0..graph.boxes {
        let item = &mut graph.items[number];
        let width = (item.extent.left.min(item.extent.right)) * 2.0 * SIDE;
        spread(&mut item.above, width);
        spread(&mut item.below, width);
    }
    for number in 0..graph.items.0.len() {
        let mut above = std::mem::take(&mut graph.items[number].above);
        for link in &mut above {
            let far = graph.items[link.item].below.iter_mut().find(|far| far.item == number);
            if let Some(far) = far {
                link.far = far.port;
                far.far = link.port;
            }
        }
        graph.items[number].above = above;
    }
}

fn spread(links: &mut [Link], width: f64) {
    let gaps = links.iter().skip(1).fold(0.0, |gaps, _| gaps + 1.0);
    let distance = if gaps > 0.0 { PORT.min(width / gaps) } else { 0.0 };
    let mut port = -gaps * distance / 2.0;
    for link in links {
        link.port = port;
        port += distance;
    }
}

/// Where the item would lie if it were alone in its row, and how much it insists on that.
fn wish(graph: &Graph, item: &Item, above: bool, below: bool) -> (f64, f64) {
    let above = if above { item.above.as_slice() } else { &[] };
    let below = if below { item.below.as_slice() } else { &[] };
    let (mut sum, mut weight) = (0.0, 0.0);
    for link in above.iter().chain(below) {
        let far = &graph.items[link.item];
        let pull = match (item.passing, far.passing) {
            (true, true) => STRAIGHT,
            (true, false) | (false, true) => 2.0,
            (false, false) => 1.0,
        };
        sum += pull * (far.x + link.far - link.port);
        weight += pull;
    }
    if weight > 0.0 { (sum / weight, weight) } else { (item.x, 0.1) }
}

/// Moves each row as a whole to below the one above it. If every row is a little to the side of the one before, each lies in the
/// middle of its neighbours, so that nothing else would ever bring the steps back to a column.
fn hang(graph: &mut Graph) {
    let rows = std::mem::take(&mut graph.rows);
    for row in &rows {
        let (mut sum, mut count) = (0.0, 0.0);
        for number in row {
            let item = &graph.items[*number];
            for link in &item.above {
                sum += graph.items[link.item].x + link.far - item.x - link.port;
                count += 1.0;
            }
        }
        if count > 0.0 {
            for number in row {
                graph.items[*number].x += sum / count;
            }
        }
    }
    graph.rows = rows;
}

/// Lets every arrow over several rows run straight down, as far as there is room at one place in all of them.
fn straighten(graph: &mut Graph) {
    for chain in std::mem::take(&mut graph.chains) {
        let inner = chain.items.len().saturating_sub(2);
        if inner > 1 {
            let (mut run, mut room) = (Vec::new(), (f64::NEG_INFINITY, f64::INFINITY));
            for number in chain.items.iter().skip(1).take(inner) {
                let (least, most) = room_of(graph, *number);
                let both = (room.0.max(least), room.1.min(most));
                if both.0 > both.1 && !run.is_empty() {
                    align(graph, &run, room);
                    run.clear();
                    room = (least, most);
                } else {
                    room = both;
                }
                run.push(*number);
            }
            align(graph, &run, room);
        }
        graph.chains.push(chain);
    }
}

/// Spares arrows the bends that are not needed: what has one arrow below it moves there, or else to its one above.
fn fall_in_line(graph: &mut Graph) {
    let distance =
        |graph: &Graph, item: &Item, link: &Link| (graph.items[link.item].x + link.far - item.x - link.port).abs();
    for number in graph.rows.concat().into_iter().rev() {
        let item = &graph.items[number];
        if item.above.len() < 2 || item.below.iter().all(|link| distance(graph, item, link) < NEARLY) {
            step_into_line(graph, number, |item| &item.below);
        }
    }
    for number in graph.rows.concat() {
        let item = &graph.items[number];
        if item.below.len() < 2 && !item.below.iter().any(|link| distance(graph, item, link) < 0.5) {
            step_into_line(graph, number, |item| &item.above);
        }
    }
}

fn step_into_line(graph: &mut Graph, number: usize, links: impl Fn(&Item) -> &[Link]) {
    let item = &graph.items[number];
    if let [link] = links(item)
        && !item.straight
    {
        let (least, most) = room_of(graph, number);
        let x = graph.items[link.item].x + link.far;
        if least <= x && x <= most {
            graph.items[number].x = x;
        }
    }
}

/// From where to where the item can be moved without its neighbours.
fn room_of(graph: &Graph, number: usize) -> (f64, f64) {
    let item = &graph.items[number];
    let neighbour = |position: Option<usize>| {
        let number = graph.rows.get(item.row)?.get(position?)?;
        Some(&graph.items[*number])
    };
    let left = neighbour(item.position.checked_sub(1));
    let right = neighbour(item.position.checked_add(1));
    (
        left.map_or(f64::NEG_INFINITY, |left| left.x + left.extent.right + GAP + item.extent.left),
        right.map_or(f64::INFINITY, |right| right.x - right.extent.left - GAP - item.extent.right),
    )
}

/// Moves all of these to one place that lies within `room`: best below the place where the arrow comes from, or above
/// the one where it goes to.
fn align(graph: &mut Graph, run: &[usize], room: (f64, f64)) {
    let (Some(first), Some(last)) = (run.first(), run.last()) else { return };
    let end = |links: &[Link]| links.first().map(|link| graph.items[link.item].x + link.far);
    let above = end(&graph.items[*first].above).unwrap_or_default();
    let below = end(&graph.items[*last].below).unwrap_or(above);
    let distance = |x: f64| (x - above).abs() + (x - below).abs();
    let within = |x: f64| x.max(room.0).min(room.1);
    let (upper, lower) = (within(above), within(below));
    let x = if distance(upper) <= distance(lower) { upper } else { lower };
    for number in run {
        let item = &mut graph.items[*number];
        item.x = x;
        item.straight = true;
    }
}

/// Items of a row that lie as close together as they may, and what they want together.
struct Block {
    wish: f64,
    weight: f64,
    items: usize,
}

/// Moves the items of a row to where they wish, or as close as their neighbours let them: the sum of the squares of
/// all the distances is the smallest there is.
fn settle(graph: &mut Graph, row: usize, wish: impl Fn(&Graph, &Item) -> (f64, f64)) {
    let Some(items) = graph.rows.get(row) else { return };
    let mut blocks: Vec<Block> = Vec::with_capacity(items.len());
    let mut offsets = Vec::with_capacity(items.len());
    let (mut offset, mut before) = (0.0, 0.0);
    for (position, number) in items.iter().enumerate() {
        let item = &graph.items[*number];
        if position > 0 {
            offset += before + GAP + item.extent.left;
        }
        before = item.extent.right;
        offsets.push(offset);
        let (wish, weight) = wish(graph, item);
        let mut block = Block { wish: wish - offset, weight, items: 1 };
        while let Some(left) = blocks.pop_if(|left| left.wish > block.wish) {
            let weight = left.weight + block.weight;
            let wish = (left.wish * left.weight + block.wish * block.weight) / weight;
            block = Block { wish, weight, items: left.items + block.items };
        }
        blocks.push(block);
    }
    let places = blocks.iter().flat_map(|block| std::iter::repeat_n(block.wish, block.items));
    for ((number, place), offset) in items.iter().zip(places).zip(offsets) {
        graph.items[*number].x = place + offset;
    }
}

/// Puts the rows one below the other, further apart where arrows have far to go to the side.
fn stack(graph: &mut Graph) -> f64 {
    let mut bottom = 0.0;
    for items in &graph.rows {
        let height = items.iter().map(|number| graph.items[*number].extent.height).fold(0.0, f64::max);
        let mut furthest: f64 = 0.0;
        for number in items {
            let item = &mut graph.items[*number];
            item.y = bottom + height / 2.0;
            let item = &graph.items[*number];
            for link in &item.below {
                furthest = furthest.max((graph.items[link.item].x + link.far - item.x - link.port).abs());
            }
        }
        graph.bands.push(Band { top: bottom, bottom: bottom + height });
        bottom += height + ROW_GAP + (furthest * SLOPE).min(MOST_SLOPE);
    }
    graph.bands.0.last().map_or(0.0, |last| last.bottom)
}

fn draw(graph: &Graph, height: f64) -> Drawing {
    let items = graph.items.0.iter();
    let left = items.clone().map(|item| item.x - item.extent.left).fold(f64::INFINITY, f64::min);
    let right = items.map(|item| item.x + item.extent.right).fold(left, f64::max);
    let left = if left.is_finite() { left } else { 0.0 };
    let point = |number: usize| {
        let item = &graph.items[number];
        Point { x: item.x - left, y: item.y }
    };
    Drawing {
        width: (right - left).max(0.0),
        height,
        boxes: (0..graph.boxes).map(point).collect(),
        labels: graph.chains.iter().map(|chain| point(chain.label)).collect(),
        routes: graph.chains.iter().map(|chain| route(graph, chain, left)).collect(),
    }
}

fn route(graph: &Graph, chain: &Chain, left: f64) -> Route {
    let mut route = Route { upper: Vec::new(), lower: Vec::new(), upward: chain.upward };
    let mut is_below = false;
    let neighbours = chain.items.iter().skip(1).map(|number| Some(*number)).chain([None]);
    let mut last = None;
    for (number, next) in chain.items.iter().zip(neighbours) {
        let item = &graph.items[*number];
        let band = graph.bands[item.row];
        let port = |links: &[Link], other: Option<usize>| {
            links.iter().find(|link| Some(link.item) == other).map_or(0.0, |link| link.port)
        };
        let half = item.extent.axis_height / 2.0;
        let (top, bottom) = (item.y - half, item.y + half);
        let arrives = Stop { x: item.x + port(&item.above, last) - left, top: band.top, bottom: top };
        let leaves = Stop { x: item.x + port(&item.below, next) - left, top: bottom, bottom: band.bottom };
        if item.passing {
            let through = Stop { x: arrives.x, top: band.top, bottom: band.bottom };
            if is_below { &mut route.lower } else { &mut route.upper }.push(through);
        } else if *number == chain.label {
            route.upper.push(arrives);
            route.lower.push(leaves);
            is_below = true;
        } else if next.is_some() {
            route.upper.push(leaves);
        } else {
            route.lower.push(arrives);
        }
        last = Some(*number);
    }
    route
}
