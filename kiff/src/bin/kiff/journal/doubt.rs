//! `kiff doubt`: the actions that have started and not ended.

use std::fmt::Write;
use std::time::Duration;

use clap::Args;
use kiff::{Clock, Commit, Fact, Matter, Open, Store, SystemClock, journal::FailedOutcome};
use serde::Serialize;

use super::PAGE;
use super::place::{self, Work};
use super::timeline::commits;
use crate::failure::Failure;
use crate::shell::{Ended, Shell};

/// List the actions that have started and not ended: they run somewhere, or nobody knows what became of them
#[derive(Debug, Args)]
pub(crate) struct InDoubt {
    /// A file of SQLite, a URL of PostgreSQL, or an export
    store: String,
    /// The answer is no if there are any
    #[arg(long)]
    strict: bool,
    /// Leave out what may still run because it has started more lately: `10m`, `1h`
    #[arg(long, value_name = "TIME", value_parser = humantime::parse_duration)]
    older_than: Option<Duration>,
}

impl InDoubt {
    pub(crate) fn run(self, shell: &Shell) -> Result<Ended, Failure> {
        let store = self.store.clone();
        place::read(&store, self, shell)
    }
}

/// One action that has not ended.
#[derive(Serialize)]
struct Unsettled {
    entity: String,
    action: String,
    execution: String,
    since: kiff::Timestamp,
    actor: String,
    /// What its executor said, where it said that it does not know.
    #[serde(skip_serializing_if = "Option::is_none")]
    unknown: Option<String>,
}

impl Work for InDoubt {
    async fn run<S: Store>(self, store: &S, shell: &Shell) -> Result<Ended, Failure> {
        let (now, mut after, mut found, mut broken) = (SystemClock.now(), None, 0_u64, None);
        loop {
            let page = store.open(Matter::Execution, now, after.as_ref(), PAGE).await?;
            let is_last = page.len() < PAGE;
            after = page.last().cloned();
            for open in page {
                let unsettled = match look(store, &open).await {
                    Ok(unsettled) => unsettled,
                    // A journal that is broken hides nothing of the others.
                    Err(failure) if failure.is_the_answer() => {
                        broken = broken.or(Some(failure));
                        continue;
                    }
                    Err(failure) => return Err(failure),
                };
                if unsettled.unknown.is_none() && self.older_than.is_some_and(|time| unsettled.since.after(time) > now)
                {
                    continue;
                }
                found += 1;
                let Unsettled { entity, action, execution, since, actor, unknown } = &unsettled;
                // The store lists it, and may have been changed.
                let mut text = format!("{entity}: {action} as {}\n", kiff::visible(execution));
                let _ = writeln!(text, "  started by {actor} at {since}");
                let _ = match unknown {
                    Some(message) => writeln!(text, "  in doubt: {message}"),
                    None => writeln!(text, "  no answer yet: it runs somewhere, or its process has ended"),
                };
                shell.answer(&unsettled, &text)?;
            }
            if is_last {
                break;
            }
        }
        if let Some(broken) = broken {
            return Err(broken);
        }
        if found == 0 && !shell.is_json() {
            shell.answer(&(), "nothing is in doubt\n")?;
        }
        Ok(Ended::if_so(found == 0 || !self.strict))
    }
}

async fn look<S: Store>(store: &S, open: &Open) -> Result<Unsettled, Failure> {
    // Nothing before its start is about it.
    let commits = commits(store, &open.key, open.commit.saturating_sub(1)).await?;
    let facts = || commits.iter().flat_map(|commit| commit.facts());
    let action = facts().find_map(|fact| match fact {
        Fact::ActionStarted(started) if started.execution.as_str() == open.id => Some(kiff::visible(&started.action)),
        _ => None,
    });
    let unknown = facts().find_map(|fact| match fact {
        Fact::ActionFailed(failed)
            if failed.outcome == FailedOutcome::Unknown
                && failed.execution.as_ref().is_some_and(|execution| execution.as_str() == open.id) =>
        {
            Some(kiff::visible(&failed.message))
        }
        _ => None,
    });
    let started = commits.iter().find(|commit| commit.number() == open.commit);
    let actor = started.map_or_else(String::new, |commit: &std::sync::Arc<Commit>| commit.actor().id().to_string());
    Ok(Unsettled {
        entity: open.key.to_string(),
        action: action.unwrap_or_default(),
        execution: open.id.clone(),
        since: open.since,
        actor,
        unknown,
    })
}
