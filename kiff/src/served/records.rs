//! The records of one entity, as far as an answer has room for them.

use serde_json::value::{RawValue, to_raw_value};

use crate::identifier::EntityKey;
use crate::journal::RecordId;
use crate::runtime::Error;
use crate::store::StoreError;
use crate::timeline::Timeline;

use super::Served;

/// How many commits are read at once. Whoever writes them decides how large they are, within the bounds of a proposal.
const PAGE: usize = 64;

/// For how much an answer has room. One record always fits, however large it is.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Room {
    pub(crate) records: usize,
    /// Of the records as JSON.
    pub(crate) bytes: usize,
}

/// A part of an entity's timeline.
pub(crate) struct Records {
    /// Each record as JSON, in order.
    pub(crate) lines: Vec<Box<RawValue>>,
    /// The last of these records, where there are more behind it.
    pub(crate) next: Option<RecordId>,
}

/// The records behind `after` for which there is room.
pub(crate) async fn records(
    served: &dyn Served,
    key: &EntityKey,
    after: RecordId,
    room: Room,
) -> Result<Records, Error> {
    let (mut lines, mut bytes, mut last) = (Vec::new(), 0, after);
    // The commit of `after` may have further records. Any other has at least one, and one record more than are wanted is looked at.
    let mut read_to = after.commit.saturating_sub(1);
    let page = PAGE.min(room.records.saturating_add(2));
    loop {
        let commits = served.read(key, read_to, page).await?;
        let is_end = commits.len() < page;
        read_to = commits.last().map_or(read_to, |commit| commit.number());
        let timeline = Timeline::new(key.clone(), commits);
        for line in timeline.lines().filter(|line| line.record().id() > after) {
            // INVARIANT: plain data always encodes.
            let text = to_raw_value(&line).map_err(StoreError::new)?;
            bytes += text.get().len();
            if !lines.is_empty() && (lines.len() == room.records || bytes > room.bytes) {
                return Ok(Records { lines, next: Some(last) });
            }
            last = line.record().id();
            lines.push(text);
        }
        if is_end {
            return Ok(Records { lines, next: None });
        }
    }
}
