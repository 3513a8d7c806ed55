//! A commit as one line of JSON, for those who read a journal without kiff.

use std::borrow::Cow;
use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::digest::Digest;
use crate::identifier::{EntityKey, IdentifierError};
use crate::journal::{BrokenJournal, Commit, Sealed};
use crate::json::visible;

/// A commit at its position, as an export writes it: one line of JSON.
///
/// The body stands in it as a *string*, so that its bytes are exactly those that were stored and hashed, whatever a JSON
/// library would make of the numbers and the order in it. `docs/journal.md` shows how to check an export without kiff.
///
/// ```
/// # use kiff::{Actor, Commit, EntityKey, Exported, Sealed, journal::Content};
/// # let content = Content { at: "2026-11-23T10:00:00Z".parse()?, actor: Actor::human("nora")?, trace: None, cause: None,
/// #     fold: None, facts: Box::new([]) };
/// # let commit = Sealed::new(EntityKey::new("Order", "ord-1")?, 1, Commit::GENESIS, content).into_commit();
/// let line = Exported::new(7, commit.clone())?.to_string();
/// assert!(line.starts_with(r#"{"position":7,"tenant":"default","entity_type":"Order","id":"ord-1","number":1,"previous":"#));
///
/// let read: Exported = line.parse()?;
/// assert_eq!((read.position(), read.commit()), (7, &commit));
/// assert!(line.replace("nora", "mallory").parse::<Exported>().is_err());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone)]
pub struct Exported {
    position: u64,
    commit: Arc<Commit>,
    body: Box<str>,
}

/// The line, in the order of its members.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Line<'a> {
    position: u64,
    #[serde(borrow)]
    tenant: Cow<'a, str>,
    #[serde(borrow)]
    entity_type: Cow<'a, str>,
    #[serde(borrow)]
    id: Cow<'a, str>,
    number: u64,
    previous: Digest,
    hash: Digest,
    #[serde(borrow)]
    body: Cow<'a, str>,
}

impl Exported {
    /// A commit at its position, as [`Store::search`](crate::Store::search) gives them.
    ///
    /// # Errors
    /// [`BrokenJournal`] when its body is no text.
    pub fn new(position: u64, commit: Arc<Commit>) -> Result<Self, BrokenJournal> {
        let body = match String::from_utf8(commit.body().into_owned()) {
            Ok(body) => body.into_boxed_str(),
            Err(error) => {
                let (key, number) = (commit.key().clone(), commit.number());
                return Err(BrokenJournal::new(key, number, format!("it is no text: {error}")));
            }
        };
        Ok(Self { position, commit, body })
    }

    /// Its position in the one order of all commits, from 1.
    #[must_use]
    pub const fn position(&self) -> u64 {
        self.position
    }

    /// The commit.
    #[must_use]
    pub const fn commit(&self) -> &Arc<Commit> {
        &self.commit
    }

    /// The commit as another store can append it.
    ///
    /// # Errors
    /// [`BrokenJournal`] when the body is no commit.
    pub fn sealed(&self) -> Result<Sealed, BrokenJournal> {
        let (commit, body) = (&self.commit, self.body.as_bytes().to_vec());
        Sealed::verbatim(commit.key().clone(), commit.number(), commit.previous(), body)
    }
}

impl fmt::Display for Exported {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let key = self.commit.key();
        let line = Line {
            position: self.position,
            tenant: key.tenant().into(),
            entity_type: key.entity_type().into(),
            id: key.id().into(),
            number: self.commit.number(),
            previous: self.commit.previous(),
            hash: self.commit.hash(),
            body: (&*self.body).into(),
        };
        f.write_str(&serde_json::to_string(&line).map_err(|_| fmt::Error)?)
    }
}

impl FromStr for Exported {
    type Err = ExportError;

    /// Reads the line and checks the hash of its commit, but not whether it follows on another.
    fn from_str(line: &str) -> Result<Self, ExportError> {
        // The text of the error repeats what the line says, and whoever wrote the line is not known.
        let malformed = |error: serde_json::Error| ExportError::Malformed(visible(&error.to_string()));
        let line: Line<'_> = serde_json::from_str(line).map_err(malformed)?;
        let key = EntityKey::new(&line.entity_type, &line.id).and_then(|key| key.in_tenant(&line.tenant));
        let key = key.map_err(ExportError::Key)?;
        let commit = Commit::open(key, line.number, line.previous, line.hash, line.body.as_bytes());
        let commit = Arc::new(commit.map_err(ExportError::Broken)?);
        Ok(Self { position: line.position, commit, body: line.body.into() })
    }
}

/// A line is no commit as an export writes it.
#[derive(Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum ExportError {
    /// It is not that JSON; what is wrong with it.
    Malformed(String),
    /// The key of the entity cannot be one.
    Key(IdentifierError),
    /// The commit is not what was written.
    Broken(BrokenJournal),
}

impl fmt::Display for ExportError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Malformed(problem) => write!(f, "the line is no commit of an export: {problem}"),
            Self::Key(error) => error.fmt(f),
            Self::Broken(error) => error.fmt(f),
        }
    }
}

crate::debug::debug_as_message!(ExportError);

impl std::error::Error for ExportError {}
