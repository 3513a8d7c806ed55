//! The faults of parameters as they are found: all are counted, and the first few kept.

use super::ParameterFault;

/// How many faults are told at once.
const TOLD: usize = 8;

/// What was found so far.
#[derive(Debug, Default)]
pub(super) struct Faults {
    /// The first of them.
    told: Vec<ParameterFault>,
    /// How many more there are.
    more: usize,
}

impl Faults {
    pub(super) const fn is_empty(&self) -> bool {
        self.told.is_empty()
    }

    pub(super) fn add(&mut self, fault: ParameterFault) {
        if self.told.len() < TOLD {
            self.told.push(fault);
        } else {
            self.more += 1;
        }
    }

    /// The end.
    ///
    /// # Errors
    /// [`ParameterFault`] that says all that was found.
    pub(super) fn finish(mut self) -> Result<(), ParameterFault> {
        if self.told.len() > 1 {
            return Err(ParameterFault::Several { told: self.told, more: self.more });
        }
        self.told.pop().map_or(Ok(()), Err)
    }
}
