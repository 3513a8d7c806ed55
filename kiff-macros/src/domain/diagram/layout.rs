//! A layered drawing of a graph: boxes in rows from top to bottom, and the label of every arrow in a row in between.
//!
//! INVARIANT: whatever lies in a row (a box, a label, an arrow that only passes through) has its own place there, and
//! arrows run sideways only between rows. So nothing is ever drawn across a box or a label. Equal graphs give equal
//! drawings: nothing is drawn by chance, and no map is walked through.

mod layers;
mod order;
mod place;

use std::ops::{Index, IndexMut};

/// How far something reaches to both sides of its axis, at which arrows arrive and leave, and how high it is.
///
/// What is beside the axis may be higher than what stands on it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Extent {
    pub(super) left: f64,
    pub(super) right: f64,
    pub(super) height: f64,
    pub(super) axis_height: f64,
}

impl Extent {
    pub(super) fn width(&self) -> f64 {
        self.left + self.right
    }

    /// As far to the left as to the right.
    pub(super) fn centred(width: f64, height: f64) -> Self {
        Self { left: width / 2.0, right: width / 2.0, height, axis_height: height }
    }
}

/// An arrow between two different boxes.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Arrow {
    pub(super) from: usize,
    pub(super) to: usize,
    pub(super) label: Extent,
}

/// Where everything is drawn.
#[derive(Debug, PartialEq)]
pub(super) struct Drawing {
    pub(super) width: f64,
    pub(super) height: f64,
    /// Each box: its axis, and the middle of its height.
    pub(super) boxes: Vec<Point>,
    /// The same of each arrow's label.
    pub(super) labels: Vec<Point>,
    pub(super) routes: Vec<Route>,
}

#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Point {
    pub(super) x: f64,
    pub(super) y: f64,
}

/// The way of one arrow, which its label interrupts.
#[derive(Debug, PartialEq)]
pub(super) struct Route {
    /// From the upper box to the label.
    pub(super) upper: Vec<Stop>,
    /// From the label to the lower box.
    pub(super) lower: Vec<Stop>,
    /// Whether the arrow points to the upper box.
    pub(super) upward: bool,
}

/// Where an arrow runs straight down; from one stop to the next it curves.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Stop {
    pub(super) x: f64,
    pub(super) top: f64,
    pub(super) bottom: f64,
}

/// Draws boxes and arrows; the first box is the one that everything begins with.
pub(super) fn draw(boxes: &[Extent], arrows: &[Arrow]) -> Drawing {
    let mut graph = layers::layers(boxes, arrows);
    order::order(&mut graph);
    place::place(&mut graph)
}

/// Everything that lies in rows, and what it is connected to.
struct Graph {
    items: List<Item>,
    /// The items of each row, from left to right.
    rows: Vec<Vec<usize>>,
    /// How high each row lies.
    bands: List<Band>,
    chains: Vec<Chain>,
    /// How many boxes there are: they are the first items.
    boxes: usize,
}

/// From where to where a row reaches.
#[derive(Clone, Copy)]
struct Band {
    top: f64,
    bottom: f64,
}

/// What lies in a row.
struct Item {
    extent: Extent,
    /// Whether an arrow only passes through here.
    passing: bool,
    /// Whether it is a part of an arrow that runs straight down over several rows.
    straight: bool,
    above: Vec<Link>,
    below: Vec<Link>,
    row: usize,
    /// How many items of the row are to the left.
    position: usize,
    /// Where its axis is.
    x: f64,
    /// The middle of its height.
    y: f64,
}

/// A connection to an item of the next row.
struct Link {
    item: usize,
    /// How far from this item's own axis the arrow arrives.
    port: f64,
    /// How far from the other item's axis it leaves.
    far: f64,
}

/// The items that one arrow runs through, from the upper box to the lower one.
struct Chain {
    items: Vec<usize>,
    label: usize,
    upward: bool,
}

/// A list and the numbers that it gives out.
///
/// INVARIANT: it is indexed only with numbers of its own items, and it never shrinks.
struct List<T>(Vec<T>);

impl<T: Clone> List<T> {
    fn of(item: &T, count: usize) -> Self {
        Self(vec![item.clone(); count])
    }
}

impl<T> List<T> {
    fn push(&mut self, item: T) -> usize {
        self.0.push(item);
        self.0.len() - 1
    }
}

impl<T> Index<usize> for List<T> {
    type Output = T;

    #[expect(clippy::indexing_slicing, reason = "a list is indexed only with the numbers of its own items")]
    fn index(&self, number: usize) -> &T {
        &self.0[number]
    }
}

impl<T> IndexMut<usize> for List<T> {
    #[expect(clippy::indexing_slicing, reason = "a list is indexed only with the numbers of its own items")]
    fn index_mut(&mut self, number: usize) -> &mut T {
        &mut self.0[number]
    }
}
