//! Declarations in order, and positions in them that cannot be out of range.

use std::fmt;
use std::hash::{Hash, Hasher};
use std::marker::PhantomData;
use std::ops::Index;

/// The position of one declaration.
///
/// INVARIANT: made only by the table that it is used on, and a table only grows.
pub(crate) struct Id<T> {
    position: usize,
    of: PhantomData<fn() -> T>,
}

impl<T> Id<T> {
    /// How many declarations of the section stand before this one.
    pub(crate) fn position(self) -> usize {
        self.position
    }
}

/// The declarations of one section.
pub(crate) struct Table<T> {
    items: Vec<T>,
    /// Whether every declaration is here; if not, an unknown name may be one that is missing.
    pub(crate) whole: bool,
}

impl<T> Table<T> {
    pub(crate) fn new(whole: bool) -> Self {
        Self { items: Vec::new(), whole }
    }

    pub(crate) fn push(&mut self, item: T) {
        self.items.push(item);
    }

    pub(crate) fn ids(&self) -> impl Iterator<Item = Id<T>> + use<T> {
        (0..self.items.len()).map(|position| Id { position, of: PhantomData })
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = (Id<T>, &T)> {
        self.ids().zip(&self.items)
    }

    pub(crate) fn items_mut(&mut self) -> &mut [T] {
        &mut self.items
    }
}

impl<T> Index<Id<T>> for Table<T> {
    type Output = T;

    #[expect(clippy::indexing_slicing, reason = "an id is made only by the table that it is used on")]
    fn index(&self, id: Id<T>) -> &T {
        &self.items[id.position]
    }
}

impl<T> Clone for Id<T> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<T> Copy for Id<T> {}

impl<T> PartialEq for Id<T> {
    fn eq(&self, other: &Self) -> bool {
        self.position == other.position
    }
}

impl<T> Eq for Id<T> {}

impl<T> Hash for Id<T> {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.position.hash(state);
    }
}

impl<T> fmt::Debug for Id<T> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "#{}", self.position)
    }
}
