//! `kiff timeline`: what happened to an entity, and which entities there are.

use std::sync::Arc;

use clap::Args;
use kiff::{Commit, EntityKey, Store, Timeline};

use super::PAGE;
use super::entity::Asked;
use super::place::{self, Work};
use crate::failure::Failure;
use crate::shell::{Ended, Shell};

/// Show what happened to an entity, or which entities there are
#[derive(Debug, Args)]
pub(crate) struct ShowTimeline {
    /// A file of SQLite, a URL of PostgreSQL, or an export
    store: String,
    /// The entity, as in `Order/ord-1`, or its id where no other has that; without one, all entities are listed
    entity: Option<String>,
    /// Only records of this kind, as in `action_executed`; may be given several times
    #[arg(long, value_name = "KIND")]
    kind: Vec<String>,
    /// Whose entity it is, or whose entities are listed
    #[arg(long, value_name = "TENANT")]
    tenant: Option<String>,
    /// What sort of entity it is, which leaves ENTITY to be its id alone; or of which sort those are that are listed
    #[arg(long = "type", value_name = "TYPE")]
    entity_type: Option<String>,
}

impl ShowTimeline {
    pub(crate) fn run(self, shell: &Shell) -> Result<Ended, Failure> {
        check_kinds(&self.kind)?;
        if let Some(text) = &self.entity {
            let asked = Asked::new(text, self.tenant.as_deref(), self.entity_type.as_deref())?;
            return place::read(&self.store, OfEntity { asked, kinds: self.kind }, shell);
        }
        let entities = Entities { tenant: self.tenant, entity_type: self.entity_type };
        place::read(&self.store, entities, shell)
    }
}

/// Refuses what is no kind of record.
pub(super) fn check_kinds(kinds: &[String]) -> Result<(), Failure> {
    match kinds.iter().find(|kind| !kiff::Fact::KINDS.contains(&kind.as_str())) {
        Some(unknown) => Err(Failure::new(format!("there is no kind of record `{unknown}`"))
            .help(format!("the kinds are {}", kiff::Fact::KINDS.join(", ")))),
        None => Ok(()),
    }
}

struct OfEntity {
    asked: Asked,
    kinds: Vec<String>,
}

impl Work for OfEntity {
    async fn run<S: Store>(self, store: &S, shell: &Shell) -> Result<Ended, Failure> {
        let key = self.asked.found(store).await?;
        let commits = commits(store, &key).await?;
        if commits.is_empty() {
            return Err(self.asked.missing());
        }
        let timeline = Timeline::new(key, commits);
        let is_meant = |kind: &str| self.kinds.is_empty() || self.kinds.iter().any(|own| own == kind);
        for line in timeline.lines().filter(|line| is_meant(line.record().fact().kind())) {
            if shell.tell(&line, &format!("{line}\n"))?.is_break() {
                break;
            }
        }
        Ok(Ended::Well)
    }
}

/// The journal of an entity.
async fn commits<S: Store>(store: &S, key: &EntityKey) -> Result<Vec<Arc<Commit>>, Failure> {
    let mut commits: Vec<Arc<Commit>> = Vec::new();
    loop {
        let read = commits.last().map_or(0, |last| last.number());
        let page = store.read(key, read, PAGE).await?;
        let is_last = page.len() < PAGE;
        commits.extend(page);
        if is_last {
            return Ok(commits);
        }
    }
}

struct Entities {
    /// Those of one tenant, or of all.
    tenant: Option<String>,
    /// Those of one type, or of all.
    entity_type: Option<String>,
}

impl Work for Entities {
    async fn run<S: Store>(self, store: &S, shell: &Shell) -> Result<Ended, Failure> {
        let mut after = None;
        loop {
            let page = store.entities(after.as_ref(), PAGE).await?;
            let is_last = page.len() < PAGE;
            after = page.last().cloned();
            let is_meant = |key: &EntityKey| {
                self.tenant.as_ref().is_none_or(|tenant| key.tenant() == tenant)
                    && self.entity_type.as_ref().is_none_or(|kind| key.entity_type() == kind)
            };
            for key in page.into_iter().filter(is_meant) {
                let parts =
                    serde_json::json!({ "tenant": key.tenant(), "entity_type": key.entity_type(), "id": key.id() });
                if shell.tell(&parts, &format!("{key}\n"))?.is_break() {
                    return Ok(Ended::Well);
                }
            }
            if is_last {
                return Ok(Ended::Well);
            }
        }
    }
}
