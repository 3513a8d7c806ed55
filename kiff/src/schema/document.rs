//! A schema as a JSON document that other tools read.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::Schema;
use crate::digest::Digest;

/// The version of the document that is written today.
const VERSION: u32 = 1;

#[derive(Serialize, Deserialize)]
struct Document<S> {
    kiff_schema: u32,
    fingerprint: Digest,
    schema: S,
}

impl Schema {
    /// The domain as a JSON document, with the version of its format and the fingerprint of its governance.
    ///
    /// ```
    /// # use kiff::Schema;
    /// fn round(schema: &Schema) -> Result<Schema, kiff::SchemaError> {
    ///     Schema::from_json(&schema.to_json())
    /// }
    /// ```
    // Here and below: what serde makes for so many types is built where it is called, and not with every kiff.
    #[must_use]
    #[inline]
    pub fn to_json(&self) -> String {
        let document = Document { kiff_schema: VERSION, fingerprint: self.fingerprint(), schema: self };
        // INVARIANT: plain data with text keys always encodes.
        serde_json::to_string_pretty(&document).unwrap_or_default()
    }

    /// Reads a document that [`Schema::to_json`] wrote.
    ///
    /// # Errors
    /// [`SchemaError`] when it is none, one of another version, or when its fingerprint is not that of its governance.
    #[inline]
    pub fn from_json(text: &str) -> Result<Self, SchemaError> {
        let document: Document<Self> = serde_json::from_str(text).map_err(SchemaError::Shape)?;
        if document.kiff_schema != VERSION {
            return Err(SchemaError::Version(document.kiff_schema));
        }
        if document.fingerprint != document.schema.fingerprint() {
            return Err(SchemaError::Fingerprint);
        }
        Ok(document.schema)
    }
}

/// A text is no document of a schema.
#[non_exhaustive]
pub enum SchemaError {
    /// It has another shape.
    Shape(serde_json::Error),
    /// It is of a version that this kiff does not know.
    Version(u32),
    /// What governs in it is not what it was written with.
    Fingerprint,
}

impl fmt::Display for SchemaError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Shape(error) => write!(f, "not the document of a schema: {error}"),
            Self::Version(version) => write!(f, "version {version} of a schema's document is not known"),
            Self::Fingerprint => f.write_str("the fingerprint is not that of the governance: it was edited by hand"),
        }
    }
}

crate::debug::debug_as_message!(SchemaError);

impl std::error::Error for SchemaError {}
