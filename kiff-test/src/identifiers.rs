//! Identifiers that count.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use kiff::Identifiers;

/// Identifiers that count, each kind from 1: `execution-1`, `execution-2`, `approval-1`. Clones draw from the same counts, as two
/// runtimes over one store have to.
///
/// ```
/// use kiff::Identifiers;
/// use kiff_test::SequentialIdentifiers;
///
/// let identifiers = SequentialIdentifiers::new();
/// assert_eq!(&*identifiers.next("execution"), "execution-1");
/// assert_eq!(&*identifiers.next("approval"), "approval-1");
/// assert_eq!(&*identifiers.next("execution"), "execution-2");
/// ```
#[derive(Debug, Clone, Default)]
pub struct SequentialIdentifiers(Arc<Mutex<BTreeMap<&'static str, u64>>>);

impl SequentialIdentifiers {
    /// Identifiers of which none was given yet.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }
}

impl Identifiers for SequentialIdentifiers {
    fn next(&self, kind: &'static str) -> Arc<str> {
        let mut counts = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let count = counts.entry(kind).or_default();
        *count += 1;
        format!("{kind}-{count}").into()
    }
}
