//! What stands in a row for what kiff knows, and back.

use rusqlite::types::{FromSqlError, ValueRef};

use crate::digest::Digest;
use crate::time::Timestamp;

/// An unsigned number as the database keeps it; what is too large for it is held at the largest.
pub(super) fn integer(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

/// When a matter stops to matter; the largest integer where it never does.
pub(super) fn expiry(until: Option<Timestamp>) -> i64 {
    until.map_or(i64::MAX, |until| integer(until.as_microseconds()))
}

/// The same, back.
pub(super) fn until(expires: i64) -> Option<Timestamp> {
    (expires != i64::MAX).then(|| timestamp(expires))
}

pub(super) fn timestamp(microseconds: i64) -> Timestamp {
    Timestamp::from_microseconds(u64::try_from(microseconds).unwrap_or(0))
}

pub(super) fn digest(value: ValueRef<'_>) -> Result<Digest, FromSqlError> {
    let bytes = value.as_blob()?;
    let bytes =
        bytes.try_into().map_err(|_| FromSqlError::InvalidBlobSize { expected_size: 32, blob_size: bytes.len() })?;
    Ok(Digest::from_bytes(bytes))
}
