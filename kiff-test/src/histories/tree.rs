//! How a history shrinks: steps are left out one by one, then those that are needed get simpler.

use std::marker::PhantomData;

use proptest::strategy::ValueTree;

use super::History;
use super::step::Step;

/// A history that can shrink.
pub struct HistoryTree<D> {
    steps: Vec<Kept>,
    next: Shrink,
    last: Option<Shrink>,
    of: PhantomData<D>,
}

struct Kept {
    step: Box<dyn ValueTree<Value = Step>>,
    kept: bool,
}

/// What is tried at which step.
#[derive(Debug, Clone, Copy)]
enum Shrink {
    LeaveOut(usize),
    Simplify(usize),
}

impl<D> HistoryTree<D> {
    pub(super) fn new(steps: Vec<Box<dyn ValueTree<Value = Step>>>) -> Self {
        let steps = steps.into_iter().map(|step| Kept { step, kept: true }).collect();
        Self { steps, next: Shrink::LeaveOut(0), last: None, of: PhantomData }
    }
}

impl<D> ValueTree for HistoryTree<D> {
    type Value = History<D>;

    fn current(&self) -> History<D> {
        History::new(self.steps.iter().filter(|step| step.kept).map(|step| step.step.current()).collect())
    }

    fn simplify(&mut self) -> bool {
        loop {
            match self.next {
                Shrink::LeaveOut(place) => {
                    let Some(step) = self.steps.get_mut(place) else {
                        self.next = Shrink::Simplify(0);
                        continue;
                    };
                    step.kept = false;
                    self.last = Some(self.next);
                    self.next = Shrink::LeaveOut(place + 1);
                    return true;
                }
                Shrink::Simplify(place) => {
                    let Some(step) = self.steps.get_mut(place) else {
                        return false;
                    };
                    if step.kept && step.step.simplify() {
                        self.last = Some(self.next);
                        return true;
                    }
                    self.next = Shrink::Simplify(place + 1);
                }
            }
        }
    }

    fn complicate(&mut self) -> bool {
        match self.last {
            Some(Shrink::LeaveOut(place)) => {
                self.last = None;
                self.steps.get_mut(place).is_some_and(|step| {
                    step.kept = true;
                    true
                })
            }
            Some(Shrink::Simplify(place)) => {
                let complicated = self.steps.get_mut(place).is_some_and(|step| step.step.complicate());
                if !complicated {
                    self.last = None;
                }
                complicated
            }
            None => false,
        }
    }
}

impl<D> std::fmt::Debug for HistoryTree<D> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.current().fmt(f)
    }
}
