//! What a store looks things up by, against what its commits say: which key started which run, and what is open.

use std::collections::{BTreeSet, HashSet};

use super::{Fault, PAGE};
use crate::identifier::{ApprovalId, EntityKey, IdempotencyKey};
use crate::journal::{Change, Commit, Cursor, Matter, Open, Query};
use crate::store::{Store, StoreError};
use crate::time::Timestamp;

/// One matter that is open.
type Listed = (Matter, Open);

/// What one journal says of what it is looked up by.
#[derive(Default)]
pub(super) struct Said {
    keys: HashSet<IdempotencyKey>,
    open: Vec<Listed>,
    last: Timestamp,
}

impl Said {
    /// Reads one more commit, and asks whether the store finds it by its key.
    pub(super) async fn follow<S: Store>(&mut self, store: &S, commit: &Commit) -> Option<Fault> {
        self.last = self.last.max(commit.at());
        for change in commit.changes() {
            match change {
                Change::Opened(matter, id, until) => self.open.push((matter, commit.opening(id, until))),
                Change::Closed(matter, id) => {
                    self.open.retain(|(known, open)| *known != matter || open.id != id);
                }
            }
        }
        let key = commit.idempotency_key().filter(|key| self.keys.insert((*key).clone()))?;
        match store.keyed(commit.key(), key).await {
            Ok(Some(number)) if number == commit.number() => None,
            _ => Some(Fault::mislaid(commit.key(), commit.number(), format!("the key `{key}` does not lead to it"))),
        }
    }
}

/// What all journals leave open, and what the store lists.
pub(super) struct Lookups {
    /// What was listed before the first journal was read.
    before: Result<BTreeSet<Listed>, StoreError>,
    open: BTreeSet<Listed>,
    /// Those whose journals cannot be read to their ends, or not by this version.
    left_out: BTreeSet<EntityKey>,
    last: Timestamp,
}

impl Lookups {
    pub(super) async fn of<S: Store>(store: &S) -> Self {
        let (open, left_out) = (BTreeSet::new(), BTreeSet::new());
        Self { before: listed(store).await, open, left_out, last: Timestamp::default() }
    }

    /// Takes in what a journal says that was read to its end.
    pub(super) fn add(&mut self, said: Said) {
        self.open.extend(said.open);
        self.last = self.last.max(said.last);
    }

    /// Asks nothing of an entity.
    pub(super) fn leave_out(&mut self, key: EntityKey) {
        self.left_out.insert(key);
    }

    /// Whether it still matters whether this is listed: what has expired is passed over by itself.
    fn matters(&self, (_, open): &Listed) -> bool {
        open.until.is_none_or(|until| self.last < until) && !self.left_out.contains(&open.key)
    }

    /// What the store does not list or find of what is open, and what it lists that is not.
    pub(super) async fn finish<S: Store>(mut self, store: &S) -> Vec<Fault> {
        let now = listed(store).await;
        // What has expired by the commits of others who write meanwhile may be forgotten as well.
        if let Ok(newest) = store.search(&Query::default(), Cursor::LAST, 1).await {
            self.last = newest.first().map_or(self.last, |(_, newest)| self.last.max(newest.at()));
        }
        let (before, now) = match (&self.before, now) {
            (Ok(before), Ok(now)) => (before, now),
            (Err(error), _) => return vec![Fault::Unlisted { problem: error.to_string() }],
            (_, Err(error)) => return vec![Fault::Unlisted { problem: error.to_string() }],
        };
        let mut faults = Vec::new();
        for listed in self.open.iter().filter(|listed| self.matters(listed)) {
            let (matter, open) = listed;
            let (what, id) = (matter.as_str(), &open.id);
            if !now.contains(listed) && !is_closed(store, listed).await {
                faults.push(Fault::mislaid(&open.key, open.commit, format!("its {what} `{id}` is not listed as open")));
            }
            if *matter == Matter::Review && !is_found(store, open).await {
                faults.push(Fault::mislaid(&open.key, open.commit, format!("the approval `{id}` does not lead to it")));
            }
        }
        // What was listed before its journal was read and after, and was not open when it was read: others write meanwhile.
        for listed in before.intersection(&now).filter(|listed| !self.open.contains(listed) && self.matters(listed)) {
            let (matter, open) = listed;
            let problem = format!("the {} `{}` is listed as open since then, and is not", matter.as_str(), open.id);
            faults.push(Fault::mislaid(&open.key, open.commit, problem));
        }
        faults
    }
}

async fn listed<S: Store>(store: &S) -> Result<BTreeSet<Listed>, StoreError> {
    let mut found = BTreeSet::new();
    for matter in [Matter::Review, Matter::Execution] {
        let mut after = None;
        loop {
            let page = store.open(matter, None, Timestamp::default(), after.as_ref(), PAGE).await?;
            let is_last = page.len() < PAGE;
            after = page.last().cloned();
            found.extend(page.into_iter().map(|open| (matter, open)));
            if is_last {
                break;
            }
        }
    }
    Ok(found)
}

/// Whether a matter was closed after its journal was read.
async fn is_closed<S: Store>(store: &S, (matter, open): &Listed) -> bool {
    let mut after = open.commit;
    while let Ok(page) = store.read(&open.key, after, PAGE).await {
        let mut changes = page.iter().flat_map(|commit| commit.changes());
        if changes.any(|change| matches!(change, Change::Closed(known, id) if known == *matter && id == open.id)) {
            return true;
        }
        match page.last() {
            Some(last) if page.len() == PAGE => after = last.number(),
            _ => return false,
        }
    }
    false
}

/// Whether the commit that asks for a sign-off is found by its number.
async fn is_found<S: Store>(store: &S, open: &Open) -> bool {
    let Ok(approval) = open.id.parse::<ApprovalId>() else { return false };
    let asked = Query::default().entity(open.key.clone()).approval(approval);
    let found = store.search(&asked, Cursor::FIRST, PAGE).await;
    found.is_ok_and(|found| found.iter().any(|(_, commit)| commit.number() == open.commit))
}
