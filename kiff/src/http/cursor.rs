//! Where a page of what is open ends, as a text that a client hands back.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::{Deserialize, Serialize};

use crate::identifier::EntityKey;
use crate::journal::Open;
use crate::time::Timestamp;

use super::problem::Problem;

/// All that the order of what is open depends on.
#[derive(Serialize, Deserialize)]
struct Written(Timestamp, String, String, String, String, u64);

/// The place of a matter, as text.
pub(super) fn written(open: &Open) -> String {
    let key = &open.key;
    let [tenant, entity_type, id] = [key.tenant(), key.entity_type(), key.id()].map(str::to_owned);
    let written = Written(open.since, tenant, entity_type, id, open.id.clone(), open.commit);
    // INVARIANT: plain data always encodes.
    let text = serde_json::to_string(&written).unwrap_or_default();
    URL_SAFE_NO_PAD.encode(text)
}

/// The place that a text says.
pub(super) fn read(text: &str) -> Result<Open, Problem> {
    place(text).ok_or_else(|| Problem::bad_request("`after` is not the `next` of an answer"))
}

fn place(text: &str) -> Option<Open> {
    let written = URL_SAFE_NO_PAD.decode(text).ok()?;
    let Written(since, tenant, entity_type, entity_id, id, commit) = serde_json::from_slice(&written).ok()?;
    let key = EntityKey::new(&entity_type, &entity_id).and_then(|key| key.in_tenant(&tenant)).ok()?;
    Some(Open { since, key, id, commit, until: None })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_is_read_as_it_was_written() {
        let key = EntityKey::new("Order", "Å-1").unwrap().in_tenant("acme").unwrap();
        let open = Open { since: Timestamp::default(), key, id: "approval-1".into(), commit: 3, until: None };
        assert_eq!(read(&written(&open)).unwrap(), open);
        for bad in ["0", "zz", "5b5d", "é"] {
            assert!(read(bad).is_err(), "{bad}");
        }
    }
}
