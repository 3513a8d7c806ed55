//! What governs otherwise than in a document that was saved before.

use std::fmt::Write;

use kiff::{Alteration, Schema, SchemaPart};
use serde::Serialize;

/// One difference, and what it means.
#[derive(Debug, Serialize)]
pub(crate) struct Told {
    #[serde(flatten)]
    part: SchemaPart,
    #[serde(flatten)]
    alteration: Alteration,
    message: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    consequence: Option<Meant>,
}

/// What a difference means, by a word for programs and in a sentence.
#[derive(Debug, Serialize)]
struct Meant {
    code: &'static str,
    message: String,
}

/// Every difference from the version that was saved.
pub(crate) fn of(schema: &Schema, saved: &Schema) -> Vec<Told> {
    let told = schema.differences_from(saved).into_iter().map(|difference| {
        let message = difference.to_string();
        let consequence =
            difference.consequence.map(|meant| Meant { code: meant.as_str(), message: meant.to_string() });
        Told { part: difference.part, alteration: difference.alteration, message, consequence }
    });
    told.collect()
}

/// All of them, for people. It is the fingerprint that tells whether there are any.
pub(crate) fn shown(unchanged: bool, differences: &[Told]) -> String {
    if unchanged {
        return "\nthe governance is the one that was saved\n".to_owned();
    }
    let mut text = "\nthe governance is NOT the one that was saved\n".to_owned();
    for Told { message, consequence, .. } in differences {
        let _ = writeln!(text, "  {message}");
        if let Some(consequence) = consequence {
            let _ = writeln!(text, "    {}", consequence.message);
        }
    }
    text
}
