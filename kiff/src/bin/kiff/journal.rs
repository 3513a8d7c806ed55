//! Journals: where they are, and what can be asked of them.

mod doubt;
mod export;
mod exported;
pub(crate) mod place;
mod timeline;
mod verify;

#[cfg(feature = "postgres")]
pub(crate) mod migrate;
#[cfg(feature = "proof")]
pub(crate) mod log;
#[cfg(feature = "proof")]
pub(crate) mod receipt;

use kiff::{EntityKey, IdentifierError, StoreError};

use crate::failure::Failure;

pub(crate) use doubt::InDoubt;
pub(crate) use export::Export;
pub(crate) use timeline::ShowTimeline;
pub(crate) use verify::Verify;

/// How many commits or entities are read at once.
const PAGE: usize = 512;

/// What to do where a store is not the one that was signed because a backup was put in its place.
const AFTER_A_RESTORE: &str = "where a backup was restored, keep the log's folder and begin a log of another name: docs/operations.md says how, under \
     \"A signed log after a restore\"";

impl From<StoreError> for Failure {
    fn from(error: StoreError) -> Self {
        if let Some(broken) = error.broken() {
            let help = "`kiff verify` tells what else is wrong, and what to do is in docs/operations.md";
            return Self::new(broken.to_string()).help(help).being_the_answer();
        }
        Self::new(error.to_string())
    }
}

/// An entity of a tenant; or, where none is given, as its key is shown: `Order/ord-1`, or `acme:Order/ord-1` of another tenant than
/// the default one.
fn entity(text: &str, tenant: Option<&str>) -> Result<EntityKey, Failure> {
    let refused = |error: IdentifierError| Failure::new(format!("`{}` is no entity: {error}", kiff::visible(text)));
    let Some((kind, id)) = text.split_once('/') else {
        return Err(Failure::new(format!("`{}` is no entity", kiff::visible(text)))
            .help("write its type and its id, as in `Order/ord-1`, and another tenant by `--tenant`"));
    };
    let (tenant, kind) = match tenant {
        Some(tenant) => (tenant, kind),
        None => kind.rsplit_once(':').unwrap_or((EntityKey::DEFAULT_TENANT, kind)),
    };
    EntityKey::new(kind, id).and_then(|key| key.in_tenant(tenant)).map_err(refused)
}
