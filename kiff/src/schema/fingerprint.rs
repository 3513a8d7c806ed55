//! What governs, without what only explains: two domains that govern alike have one fingerprint.

use serde::Serialize;
use serde_json::value::RawValue;

use super::{Contract, Schema, Transition};
use crate::digest::Digest;
use crate::json::Object;

impl Schema {
    /// A digest of the governance: the same when items are only put in another order or documented in other words,
    /// another when any name, rule or bound changes. The types of fields and parameters are names here: what a type of
    /// the domain's own is behind its name makes no difference, so give one whose meaning changes another name.
    ///
    /// ```
    /// # use kiff::Schema;
    /// fn is_unchanged(deployed: &Schema, reviewed: &Schema) -> bool {
    ///     deployed.fingerprint() == reviewed.fingerprint()
    /// }
    /// ```
    #[must_use]
    pub fn fingerprint(&self) -> Digest {
        digest("kiff/schema", &governing(self))
    }

    /// A digest of what governs one action: its contract, and where what it emits leads from where it is allowed. As with
    /// [`Schema::fingerprint`], order and words do not matter, and types count by their names.
    #[must_use]
    pub fn fingerprint_of(&self, action: &Contract) -> Digest {
        let leads = |transition: &&Transition| {
            let from = transition.from.as_ref().is_some_and(|from| action.allowed_in.contains(from));
            from && action.emits.contains(&transition.event)
        };
        let transitions: Vec<&Transition> = self.transitions.iter().filter(leads).collect();
        digest("kiff/contract", &format!("[{},{}]", governing(action), governing(&transitions)))
    }
}

fn digest(purpose: &str, text: &str) -> Digest {
    Digest::of(&[purpose.as_bytes(), text.as_bytes()])
}

/// The JSON of an item without words, its lists in an order that depends on what they say and not on where it stood.
pub(super) fn governing<T: Serialize>(item: &T) -> String {
    let mut out = String::new();
    // INVARIANT: plain data with text keys always encodes, and what was encoded can be read.
    let _ = serde_json::value::to_raw_value(item).and_then(|text| write(&text, &mut out));
    out
}

fn write(value: &RawValue, out: &mut String) -> serde_json::Result<()> {
    let text = value.get();
    match text.as_bytes().first() {
        Some(b'[') => {
            let items: Vec<&RawValue> = serde_json::from_str(text)?;
            let mut written = vec![String::new(); items.len()];
            for (item, written) in items.into_iter().zip(&mut written) {
                write(item, written)?;
            }
            written.sort_unstable();
            *out += "[";
            *out += &written.join(",");
            *out += "]";
        }
        Some(b'{') => {
            let object: Object<'_> = serde_json::from_str(text)?;
            let mut separator = "\"";
            *out += "{";
            for (key, value) in object.0 {
                out.extend([separator, &key, "\":"]);
                match &*key {
                    "documentation" => *out += "\"\"",
                    _ => write(value, out)?,
                }
                separator = ",\"";
            }
            *out += "}";
        }
        _ => *out += text,
    }
    Ok(())
}
