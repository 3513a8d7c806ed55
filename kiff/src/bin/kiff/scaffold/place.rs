//! Where in the text of a descriptor something stands.

use std::collections::BTreeMap;
use std::ops::Range;

use serde_json::value::RawValue;

/// One step into a JSON text.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Step<'s> {
    /// To what a key holds.
    Key(&'s str),
    /// To a key itself.
    Name(&'s str),
    /// To an item of a list.
    Item(usize),
}

/// The bytes of what the steps lead to, as it is written; none where the text does not hold it.
pub(crate) fn place(text: &str, steps: &[Step<'_>]) -> Option<Range<usize>> {
    let mut here: &RawValue = serde_json::from_str(text).ok()?;
    for step in steps {
        here = match step {
            Step::Key(key) => held(here, key)?,
            Step::Name(key) => return name(text, here, key),
            Step::Item(number) => *serde_json::from_str::<Vec<&RawValue>>(here.get()).ok()?.get(*number)?,
        };
    }
    bytes(text, here.get())
}

fn held<'t>(object: &'t RawValue, key: &str) -> Option<&'t RawValue> {
    serde_json::from_str::<BTreeMap<String, &RawValue>>(object.get()).ok()?.remove(key)
}

/// A key is the last thing before what it holds.
fn name(text: &str, object: &RawValue, key: &str) -> Option<Range<usize>> {
    let (around, value) = (bytes(text, object.get())?, bytes(text, held(object, key)?.get())?);
    let written = serde_json::Value::from(key).to_string();
    let start = around.start + text.get(around.start..value.start)?.rfind(&written)?;
    Some(start..start + written.len())
}

/// Where a part of the text is in it.
fn bytes(text: &str, part: &str) -> Option<Range<usize>> {
    let start = part.as_ptr().addr().checked_sub(text.as_ptr().addr())?;
    Some(start..start + part.len()).filter(|bytes| text.get(bytes.clone()) == Some(part))
}
