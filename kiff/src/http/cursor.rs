//! Where a part of a list ends, as a text that a client hands back.

use std::collections::BTreeMap;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use crate::approval::Approval;
use crate::identifier::EntityKey;
use crate::journal::Open;
use crate::time::Timestamp;

use super::problem::Problem;

/// All that the order of what is open depends on.
#[derive(Serialize, Deserialize)]
struct OpenPlace(Timestamp, String, String, String, String, u64, Option<Timestamp>);

/// The place of a matter, as text.
pub(super) fn of_open(open: &Open) -> String {
    let key = &open.key;
    let [tenant, entity_type, id] = [key.tenant(), key.entity_type(), key.id()].map(str::to_owned);
    encoded(&OpenPlace(open.since, tenant, entity_type, id, open.id.clone(), open.commit, open.until))
}

/// The place that a text says.
pub(super) fn read(text: &str) -> Result<Open, Problem> {
    let OpenPlace(since, tenant, entity_type, entity_id, id, commit, until) = decoded(text)?;
    let key =
        EntityKey::new(&entity_type, &entity_id).and_then(|key| key.in_tenant(&tenant)).map_err(|_| not_ours())?;
    Ok(Open { since, key, id, commit, until })
}

/// The place before all that were opened at an instant: by it nobody learns which those are.
pub(super) fn before(since: Timestamp) -> Result<Open, Problem> {
    /// No identifier stands before this one.
    const FIRST: &str = " ";
    let key =
        EntityKey::new(FIRST, FIRST).and_then(|key| key.in_tenant(FIRST)).map_err(|error| Problem::broken(&error))?;
    Ok(Open { since, key, id: String::new(), commit: 0, until: None })
}

/// The place of an approval among those of its entity, as text.
pub(super) fn of_approval(approval: &Approval) -> String {
    encoded(&(approval.requested_at, approval.id.as_str()))
}

/// When the approval was asked for, and its number, of which a text says the place.
pub(super) fn read_approval(text: &str) -> Result<(Timestamp, String), Problem> {
    decoded(text)
}

/// Where several lists go on at once, as text: the place in each, by its name.
pub(super) fn places(places: &BTreeMap<&str, u64>) -> String {
    encoded(places)
}

/// The places that a text says.
pub(super) fn read_places(text: &str) -> Result<BTreeMap<String, u64>, Problem> {
    decoded(text)
}

fn encoded(place: &impl Serialize) -> String {
    // INVARIANT: plain data always encodes.
    let text = serde_json::to_string(place).unwrap_or_default();
    URL_SAFE_NO_PAD.encode(text)
}

fn decoded<T: DeserializeOwned>(text: &str) -> Result<T, Problem> {
    let written = URL_SAFE_NO_PAD.decode(text).map_err(|_| not_ours())?;
    serde_json::from_slice(&written).map_err(|_| not_ours())
}

fn not_ours() -> Problem {
    Problem::bad_request("`after` is not the `next` of an answer")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_is_read_as_it_was_written() {
        let key = EntityKey::new("Order", "Å-1").unwrap().in_tenant("acme").unwrap();
        let open = Open {
            since: Timestamp::default(),
            key,
            id: "approval-1".into(),
            commit: 3,
            until: Some(Timestamp::default()),
        };
        assert_eq!(read(&of_open(&open)).unwrap(), open);
        for bad in ["0", "zz", "5b5d", "é"] {
            assert!(read(bad).is_err(), "{bad}");
        }
    }
}
