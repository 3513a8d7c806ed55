//! The journal: facts about one entity, in commits that are appended whole, each chained to the one before.

use std::borrow::Cow;
use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

use crate::actor::Actor;
use crate::digest::Digest;
use crate::event::Trace;
use crate::identifier::{EntityKey, IdempotencyKey};
use crate::json::Json;
use crate::time::Timestamp;

mod broken;
mod chain;
mod encode;
mod fact;
mod matter;
mod query;
mod sealed;

use chain::Chain;

pub use broken::BrokenJournal;
pub(crate) use chain::End;
pub use fact::{
    ActionDeduplicated, ActionExecuted, ActionFailed, ActionStarted, ActionValidated, ApprovalRecorded,
    ApprovalRequired, ApprovalReviewRejected, ApprovalReviewed, DecisionProposed, EventIngested, Fact, FailedOutcome,
    Settled, StateChanged, StateRebuilt, Unknown,
};
pub use matter::{Change, Matter, Open};
pub use query::{Cursor, Query};
pub use sealed::{Sealed, Snapshot};

/// Where a record stands in its entity's journal: the commit's number and the place in it, as in `7.2`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RecordId {
    /// The commit's number, from 1.
    pub commit: u64,
    /// The place in the commit, from 1.
    pub place: u32,
}

impl fmt::Display for RecordId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.commit, self.place)
    }
}

impl FromStr for RecordId {
    type Err = RecordIdError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let (commit, place) = text.split_once('.').ok_or(RecordIdError)?;
        let number = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit()).then_some(()).ok_or(RecordIdError);
        number(commit).and(number(place))?;
        Ok(Self {
            commit: commit.parse().map_err(|_| RecordIdError)?,
            place: place.parse().map_err(|_| RecordIdError)?,
        })
    }
}

impl Serialize for RecordId {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for RecordId {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = Cow::<'de, str>::deserialize(deserializer)?;
        text.parse().map_err(de::Error::custom)
    }
}

/// A text is no number of a record.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct RecordIdError;

impl fmt::Display for RecordIdError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the number of a record is written like `7.2`")
    }
}

crate::debug::debug_as_message!(RecordIdError);

impl std::error::Error for RecordIdError {}

/// One fact with everything around it: where it stands, who, when, in which story, and what it follows from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Record<'a> {
    commit: &'a Commit,
    place: u32,
    fact: &'a Fact,
}

impl<'a> Record<'a> {
    /// Where it stands.
    #[must_use]
    pub const fn id(&self) -> RecordId {
        RecordId { commit: self.commit.number, place: self.place }
    }

    /// The record that it follows from; none where the cause lies outside of the journal.
    #[must_use]
    pub fn cause(&self) -> Option<RecordId> {
        match self.place {
            0 | 1 => self.commit.content.cause,
            place => Some(RecordId { place: place - 1, ..self.id() }),
        }
    }

    /// What is on the record.
    #[must_use]
    pub const fn fact(&self) -> &'a Fact {
        self.fact
    }

    /// The commit that it is part of.
    #[must_use]
    pub const fn commit(&self) -> &'a Commit {
        self.commit
    }
}

/// What a commit says; its JSON is what is hashed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Content {
    /// When it was appended; never before the commit before, whatever the clock says.
    pub at: Timestamp,
    /// Who acted.
    pub actor: Actor,
    /// Which story it belongs to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub trace: Option<Box<Trace>>,
    /// The record that the first fact follows from.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cause: Option<RecordId>,
    /// The digest of what the journal before this commit folds to, where the fold was kept beside it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fold: Option<Box<Digest>>,
    /// The facts, in order.
    #[serde(rename = "records")]
    pub facts: Box<[Fact]>,
}

/// One batch of records of one entity: it is in the journal whole or not at all.
#[derive(Debug)]
pub struct Commit {
    key: EntityKey,
    number: u64,
    chain: Chain,
    content: Content,
    /// The JSON as it was read; none where it is what this version writes.
    body: Option<Box<[u8]>>,
}

impl PartialEq for Commit {
    fn eq(&self, other: &Self) -> bool {
        (&self.key, self.number, self.previous(), self.hash(), &self.content)
            == (&other.key, other.number, other.previous(), other.hash(), &other.content)
    }
}

impl Eq for Commit {}

impl Commit {
    /// The hash before an entity's first commit.
    pub const GENESIS: Digest = Digest::from_bytes([0; 32]);

    /// Reads a commit back as a store kept it.
    ///
    /// # Errors
    /// [`BrokenJournal`] when the hash does not fit the body, or the body is no commit of this version.
    pub fn open(
        key: EntityKey,
        number: u64,
        previous: Digest,
        hash: Digest,
        body: &[u8],
    ) -> Result<Self, BrokenJournal> {
        if chain::hash(&key, number, previous, body) != hash {
            return Err(BrokenJournal::unfit(key, number, previous, hash, body));
        }
        // A body is text as a whole, also where nobody looks at what it says.
        let text = str::from_utf8(body).map_err(|error| error.to_string());
        match text.and_then(|text| serde_json::from_str(text).map_err(|error| error.to_string())) {
            Ok(content) => {
                Ok(Self { key, number, chain: Chain::known(previous, hash), content, body: Some(body.into()) })
            }
            Err(error) => Err(BrokenJournal::new(key, number, format!("it cannot be read: {error}"))),
        }
    }

    /// Whose journal it is in.
    #[must_use]
    pub const fn key(&self) -> &EntityKey {
        &self.key
    }

    /// Its number in that journal, from 1.
    #[must_use]
    pub const fn number(&self) -> u64 {
        self.number
    }

    /// What it says: with its place and the hash before, all that is hashed.
    #[must_use]
    pub const fn content(&self) -> &Content {
        &self.content
    }

    /// When it was appended.
    #[must_use]
    pub const fn at(&self) -> Timestamp {
        self.content.at
    }

    /// Who acted.
    #[must_use]
    pub const fn actor(&self) -> &Actor {
        &self.content.actor
    }

    /// Which story it belongs to.
    #[must_use]
    pub fn trace(&self) -> Option<&Trace> {
        self.content.trace.as_deref()
    }

    /// The facts, in order.
    #[must_use]
    pub const fn facts(&self) -> &[Fact] {
        &self.content.facts
    }

    /// Its JSON: what is stored and hashed.
    #[must_use]
    pub fn body(&self) -> Cow<'_, [u8]> {
        match &self.body {
            Some(body) => Cow::Borrowed(body),
            None => Cow::Owned(encode::content(&self.content)),
        }
    }

    /// The key under which the action that this commit starts may be asked for again.
    #[must_use]
    pub fn idempotency_key(&self) -> Option<&IdempotencyKey> {
        self.facts().iter().find_map(|fact| match fact {
            Fact::ActionStarted(started) => started.key.as_ref(),
            _ => None,
        })
    }

    /// The action that it starts, and with which parameters; none where it starts none.
    pub(crate) fn starts(&self) -> Option<(&ActionStarted, Option<&Json>)> {
        let started = self.facts().iter().find_map(|fact| match fact {
            Fact::ActionStarted(started) => Some(started),
            _ => None,
        })?;
        let parameters = self.facts().iter().find_map(|fact| match fact {
            Fact::ActionValidated(validated) => Some(&validated.parameters),
            _ => None,
        });
        Some((started, parameters))
    }

    /// The facts, each with what is around it.
    pub fn records(&self) -> impl Iterator<Item = Record<'_>> {
        (1..).zip(self.facts()).map(|(place, fact)| Record { commit: self, place, fact })
    }

    /// The number of its last record.
    #[must_use]
    pub fn last_record(&self) -> RecordId {
        let place = u32::try_from(self.facts().len()).unwrap_or(u32::MAX);
        RecordId { commit: self.number, place }
    }

    /// Whether the hash fits what the commit says.
    ///
    /// # Errors
    /// [`BrokenJournal`] when it does not.
    pub fn verify(&self) -> Result<(), BrokenJournal> {
        let (key, number, previous, hash) = (&self.key, self.number, self.previous(), self.hash());
        let body = self.body();
        if chain::hash(key, number, previous, &body) == hash {
            return Ok(());
        }
        Err(BrokenJournal::unfit(key.clone(), number, previous, hash, &body))
    }
}
