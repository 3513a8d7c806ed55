//! What is too large: every bound that kiff puts on its input, in one place.

use std::fmt;

/// The largest input that kiff accepts of each sort.
///
/// Sizes are in bytes of UTF-8 text. What is over a bound is refused with an [`OverBound`] that says which bound and
/// by how much. Only a message that has to be on the record in any case is cut to its bound, and ends in `…` then.
///
/// ```
/// use kiff::Bounds;
///
/// let bounds = Bounds { parameters: 8 * 1024, ..Bounds::DEFAULT };
/// assert_eq!(bounds.json_depth, 32);
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Bounds {
    /// The JSON text of an action's parameters, in bytes.
    pub parameters: usize,
    /// The JSON text of an event's payload, in bytes.
    pub payload: usize,
    /// How deep JSON may nest: `[[1]]` is two deep.
    pub json_depth: usize,
    /// A rationale, a reason or another sentence written by an actor, in bytes.
    pub text: usize,
    /// Pieces of evidence with one proposal.
    pub evidence_items: usize,
    /// One piece of evidence, in bytes.
    pub evidence: usize,
    /// Approvals of one entity that wait for a review or for their execution.
    ///
    /// One that was asked for under a contract that is no more does not count.
    pub open_approvals: usize,
    /// Of these, those that one actor has asked for, so that nobody takes the room of everybody.
    pub open_approvals_of_one_actor: usize,
    /// Entities that a runtime remembers between two calls. Those beyond are forgotten and read again, and nothing is refused.
    pub remembered: usize,
    /// What a runtime remembers of their approvals, open or over, in bytes. What is beyond is forgotten and read again.
    pub remembered_approvals: usize,
}

impl Bounds {
    /// An identifier (of an actor, an entity, an approval, an event, a trace), in bytes.
    ///
    /// This bound is the same for everybody, because an identifier is checked when it is made.
    pub const IDENTIFIER: usize = 256;

    /// The bounds that a runtime has unless it is given others.
    pub const DEFAULT: Self = Self {
        parameters: 64 * 1024,
        payload: 64 * 1024,
        json_depth: 32,
        text: 4 * 1024,
        evidence_items: 16,
        evidence: 8 * 1024,
        open_approvals: 64,
        open_approvals_of_one_actor: 16,
        remembered: 1 << 20,
        remembered_approvals: 256 * 1024 * 1024,
    };

    /// Whether `size` of what `what` names is within `bound`.
    ///
    /// # Errors
    /// [`OverBound`] when it is not.
    pub(crate) const fn check(what: &'static str, size: usize, bound: usize) -> Result<(), OverBound> {
        if size > bound { Err(OverBound { what, size, bound }) } else { Ok(()) }
    }
}

impl Default for Bounds {
    fn default() -> Self {
        Self::DEFAULT
    }
}

/// An input is larger than its bound.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct OverBound {
    /// Of what there is too much, in words: `bytes of parameters`.
    pub what: &'static str,
    /// How much there is.
    pub size: usize,
    /// How much there may be.
    pub bound: usize,
}

impl fmt::Display for OverBound {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}: at most {} are allowed", self.size, self.what, self.bound)
    }
}

crate::debug::debug_as_message!(OverBound);

impl std::error::Error for OverBound {}
