//! What is open of one sort of entity, one matter after the other.

use std::vec;

use crate::journal::{Matter, Open};
use crate::store::{PAGE, Store, StoreError};
use crate::time::Timestamp;

/// The matters that are open at one time, the oldest first, whatever lies between of other sorts.
pub(crate) struct Matters<'s, S> {
    store: &'s S,
    matter: Matter,
    tenant: Option<&'s str>,
    entity_type: &'s str,
    now: Timestamp,
    after: Option<Open>,
    page: vec::IntoIter<Open>,
    /// How many are asked for next; none where there are no more.
    asked: Option<usize>,
}

impl<'s, S: Store> Matters<'s, S> {
    /// Those of the entities of one type, of one tenant or of all, behind `after`, of which somebody wants so many.
    pub(crate) fn of(
        entity_type: &'s str,
        store: &'s S,
        matter: Matter,
        tenant: Option<&'s str>,
        now: Timestamp,
        after: Option<&Open>,
        wanted: usize,
    ) -> Self {
        let asked = Some(wanted.clamp(1, PAGE));
        Self { store, matter, tenant, entity_type, now, after: after.cloned(), page: Vec::new().into_iter(), asked }
    }

    pub(crate) async fn next(&mut self) -> Result<Option<Open>, StoreError> {
        loop {
            if let Some(open) = self.page.find(|open| open.key.entity_type() == self.entity_type) {
                return Ok(Some(open));
            }
            let Some(asked) = self.asked else {
                return Ok(None);
            };
            let page = self.store.open(self.matter, self.tenant, self.now, self.after.as_ref(), asked).await?;
            // What lies between may be of other sorts, however few are wanted.
            self.asked = (page.len() == asked).then_some(PAGE);
            self.after = page.last().cloned();
            self.page = page.into_iter();
        }
    }
}
