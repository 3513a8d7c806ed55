//! What answers are wrapped in: a value under its name, or a page of a list.

use serde::ser::{Serialize, SerializeMap, Serializer};

/// A value under its name: `{"entity": …}`.
pub(super) struct Under<T>(pub(super) &'static str, pub(super) T);

impl<T: Serialize> Serialize for Under<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut envelope = serializer.serialize_map(Some(1))?;
        envelope.serialize_entry(self.0, &self.1)?;
        envelope.end()
    }
}

/// How many items of these sizes an answer has room for. One always fits.
pub(super) fn fitting(sizes: impl Iterator<Item = usize>, room: usize) -> usize {
    let totals = sizes.scan(0, |total: &mut usize, size| {
        *total = total.saturating_add(size);
        Some(*total)
    });
    totals.enumerate().take_while(|(index, total)| *index == 0 || *total <= room).count()
}

/// A page of a list under its name, and behind which item the next one begins where there is one: `{"entities": […], "next": …}`. Where
/// something is left out because a policy cannot say whether it may be seen, it says that as well: `"undecided": true`.
pub(super) struct Listed<T, N> {
    pub(super) name: &'static str,
    pub(super) items: Vec<T>,
    pub(super) next: Option<N>,
    pub(super) undecided: bool,
}

impl<T: Serialize, N: Serialize> Serialize for Listed<T, N> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut envelope = serializer.serialize_map(None)?;
        envelope.serialize_entry(self.name, &self.items)?;
        if let Some(next) = &self.next {
            envelope.serialize_entry("next", next)?;
        }
        if self.undecided {
            envelope.serialize_entry("undecided", &true)?;
        }
        envelope.end()
    }
}
