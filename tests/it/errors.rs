//! Errors as those see them who print them.

use std::collections::BTreeMap;
use std::error::Error;
use std::fmt;
use std::io;
use std::path::PathBuf;

use kiff::http::{KeysError, TokensError, TrustError};
use kiff::journal::Content;
use kiff::mcp::ServerError;
use kiff::proof::{CheckpointError, KeyError, LogError, ReceiptError};
use kiff::{
    Actor, AdapterError, BrokenJournal, Commit, EntityKey, Evidence, ExportError, Exported, IdentifierError,
    ReasonCode, Refusal, SchemaError, Sealed, SqliteStore, StoreError, Timestamp, ToolError, Unexecuted,
};

/// A disk that is away, and why.
#[derive(Debug)]
struct Away(io::Error);

impl fmt::Display for Away {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the disk is away")
    }
}

impl Error for Away {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        Some(&self.0)
    }
}

fn away() -> Away {
    Away(io::Error::other("a cable is loose"))
}

/// A journal in which somebody has replaced a name.
fn broken() -> BrokenJournal {
    let content = Content {
        at: Timestamp::from_microseconds(1),
        actor: Actor::human("nora").unwrap(),
        trace: None,
        cause: None,
        fold: None,
        facts: Box::new([]),
    };
    let sealed = Sealed::new(EntityKey::new("Order", "ord-1").unwrap(), 1, Commit::GENESIS, content);
    let line = Exported::new(1, sealed.into_commit()).unwrap().to_string().replace("nora", "mallory");
    let Err(ExportError::Broken(broken)) = line.parse::<Exported>() else { panic!("its hash does not fit") };
    broken
}

/// Of each type of error that has something behind it, one for each such thing.
fn errors_with_causes() -> Vec<Box<dyn Error>> {
    let path = || PathBuf::from("a.file");
    let disk = || io::Error::other(away());
    let unread = || serde_json::from_str::<u8>("x").unwrap_err();
    // A list is no key of an object.
    let unwritten = Evidence::new("ticket", &BTreeMap::from([(vec![1_u8], 1_u8)])).unwrap_err();
    let unbelieved = || CheckpointError::Malformed("it is empty");
    let unrecorded = kiff::Error::Unrecorded {
        execution: "run-1".parse().unwrap(),
        cause: Box::new(kiff::Error::Store(StoreError::new(away()))),
    };
    vec![
        Box::new(kiff::Error::Store(StoreError::new(away()))),
        Box::new(kiff::Error::Journal(broken())),
        Box::new(kiff::Error::Identifier(IdentifierError::Empty)),
        Box::new(unrecorded),
        Box::new(StoreError::new(away())),
        Box::new(StoreError::from(broken())),
        Box::new(SqliteStore::open("there/is/no/such/folder/kiff.db").unwrap_err()),
        Box::new(ExportError::Key(IdentifierError::Empty)),
        Box::new(ExportError::Broken(broken())),
        Box::new(AdapterError::Json(unwritten)),
        Box::new(AdapterError::Identifier(IdentifierError::Empty)),
        Box::new(SchemaError::Shape(unread())),
        Box::new("noon".parse::<Timestamp>().unwrap_err()),
        Box::new(ServerError::Tool(ToolError::Name("pay.invoice".to_owned()))),
        Box::new(KeysError::File(path(), disk())),
        Box::new(KeysError::Shape(path(), unread())),
        Box::new(KeysError::Owner(path(), disk())),
        Box::new(KeysError::Tenant(IdentifierError::Empty)),
        Box::new(KeysError::Random(disk())),
        Box::new(TokensError::File(path(), disk())),
        Box::new(TokensError::Shape(path(), unread())),
        Box::new(TrustError::Address(disk())),
        Box::new(TrustError::Identifier(IdentifierError::Empty)),
        Box::new(KeyError::File { path: path(), error: disk() }),
        Box::new(KeyError::Random(disk())),
        Box::new(LogError::Checkpoint { path: path(), error: unbelieved() }),
        Box::new(LogError::Commit(broken())),
        Box::new(LogError::Store(StoreError::new(away()))),
        Box::new(LogError::File(disk())),
        Box::new(ReceiptError::Commit(ExportError::Broken(broken()))),
        Box::new(ReceiptError::Checkpoint(unbelieved())),
    ]
}

/// What a printer of chains shows of an error: its message, and those of what stands behind it.
fn chain(error: &dyn Error) -> Vec<String> {
    let mut messages = vec![error.to_string()];
    let mut source = error.source();
    while let Some(behind) = source {
        messages.push(behind.to_string());
        source = behind.source();
    }
    messages
}

#[test]
fn what_stands_behind_an_error_is_told_once() {
    for error in errors_with_causes() {
        let told = chain(&*error);
        for pair in told.windows(2) {
            assert!(!pair[0].contains(&pair[1]) && !pair[1].contains(&pair[0]), "{told:?}");
        }
    }
}

#[test]
fn what_stands_behind_the_error_of_a_store_is_not_lost() {
    let error = StoreError::new(away());
    assert!(error.cause().is::<Away>());
    let told = ["the store failed: the disk is away", "a cable is loose"];
    assert_eq!(chain(&error), told);
    assert_eq!(chain(&kiff::Error::Store(error)), told);
}

#[test]
fn a_main_that_ends_with_an_error_says_what_is_wrong() {
    for error in errors_with_causes() {
        assert_eq!(format!("{error:?}"), error.to_string());
    }
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("kiff.db");
    let _held = SqliteStore::open(&path).unwrap();
    let told = format!("{:?}", SqliteStore::open(&path).unwrap_err());
    assert!(told.contains("kiff.db` is in use: process "), "{told}");

    let refusal = Refusal {
        code: ReasonCode::StateNotAllowed,
        message: "`SHIP` is not allowed in state `CREATED`".to_owned(),
        remedy: Some("it is allowed in `PAID`".to_owned()),
    };
    let told = "state_not_allowed: `SHIP` is not allowed in state `CREATED`; it is allowed in `PAID`";
    assert_eq!(format!("{refusal:?}"), told);
    assert_eq!(format!("{:?}", Unexecuted::Refused(refusal)), told);
}
