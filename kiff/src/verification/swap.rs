//! Which of the commits that are not what was written stand in each other's place.

use super::Fault;
use crate::journal::BrokenJournal;

/// Commits that are not what was written.
#[derive(Default)]
pub(super) struct Broken(Vec<BrokenJournal>);

impl Broken {
    /// How many are held against each other: a store may be wrong as a whole.
    const KEPT: usize = 256;

    pub(super) fn push(&mut self, broken: &BrokenJournal) {
        let is_known = |known: &BrokenJournal| (&known.key, known.number) == (&broken.key, broken.number);
        if self.0.len() < Self::KEPT && !self.0.iter().any(is_known) {
            self.0.push(broken.clone());
        }
    }

    pub(super) fn extend(&mut self, others: &Self) {
        others.0.iter().for_each(|broken| self.push(broken));
    }

    /// Says of each two that were swapped that they were, instead of what is wrong with each.
    pub(super) fn name(mut self, faults: &mut Vec<Fault>) {
        while let Some(one) = self.0.pop() {
            let Some(place) = self.0.iter().position(|other| other.is_swapped_with(&one)) else {
                continue;
            };
            let other = self.0.swap_remove(place);
            let is_of = |fault: &Fault, broken: &BrokenJournal| fault.edit() == Some((&broken.key, broken.number));
            let first = faults.iter().position(|fault| is_of(fault, &one) || is_of(fault, &other));
            let swapped = match first.and_then(|first| faults.get(first)) {
                Some(fault) if is_of(fault, &one) => Fault::swapped(&one, &other),
                _ => Fault::swapped(&other, &one),
            };
            faults.retain(|fault| !is_of(fault, &one) && !is_of(fault, &other));
            faults.insert(first.unwrap_or(0), swapped);
        }
    }
}
