//! `kiff doubt`: the actions that have started and not ended.

use std::fmt::Write;
use std::time::Duration;

use clap::Args;
use kiff::{Clock, Commit, Fact, Matter, Open, Store, SystemClock, journal::FailedOutcome};
use serde::Serialize;

use super::PAGE;
use super::place::{self, Work};
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
            let page = store.open(Matter::Execution, None, now, after.as_ref(), PAGE).await?;
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

/// Reads a journal from the start of an action on, page by page: it may have gone on for long.
async fn look<S: Store>(store: &S, open: &Open) -> Result<Unsettled, Failure> {
    let mut unsettled = Unsettled {
        entity: open.key.to_string(),
        action: String::new(),
        execution: open.id.clone(),
        since: open.since,
        actor: String::new(),
        unknown: None,
    };
    // Nothing before its start is about it.
    let mut after = open.commit.saturating_sub(1);
    loop {
        let page = store.read(&open.key, after, PAGE).await?;
        for commit in &page {
            unsettled.follow(open, commit);
        }
        match page.last() {
            Some(last) if page.len() == PAGE => after = last.number(),
            _ => return Ok(unsettled),
        }
    }
}

impl Unsettled {
    /// Takes in what one more commit says of it.
    fn follow(&mut self, open: &Open, commit: &Commit) {
        if commit.number() == open.commit {
            self.actor = commit.actor().id().to_string();
        }
        for fact in commit.facts() {
            match fact {
                Fact::ActionStarted(started) if self.action.is_empty() && started.execution.as_str() == open.id => {
                    self.action = kiff::visible(&started.action);
                }
                Fact::ActionFailed(failed)
                    if self.unknown.is_none()
                        && failed.outcome == FailedOutcome::Unknown
                        && failed.execution.as_ref().is_some_and(|execution| execution.as_str() == open.id) =>
                {
                    self.unknown = Some(kiff::visible(&failed.message));
                }
                _ => {}
            }
        }
    }
}
