//! Telling whoever listens: one `tracing` event and one count a record.

use crate::journal::Commit;
use crate::verdict::Refusal;

/// Announces each record of a commit that is kept.
pub(super) fn commit(domain: &str, commit: &Commit) {
    for record in commit.records() {
        let trace = commit.trace();
        tracing::info!(
            target: "kiff::record",
            domain,
            tenant = commit.key().tenant(),
            entity_type = commit.key().entity_type(),
            entity_id = commit.key().id(),
            record = %record.id(),
            kind = record.fact().kind(),
            actor_id = commit.actor().id().as_str(),
            actor_kind = commit.actor().kind().as_str(),
            trace_id = trace.and_then(|trace| trace.trace_id.as_ref()).map(tracing::field::display),
            correlation_id = trace.and_then(|trace| trace.correlation_id.as_ref()).map(tracing::field::display),
            origin_id = trace.and_then(|trace| trace.causation_id.as_ref()).map(tracing::field::display),
        );
        record.fact().count();
    }
}

/// Announces a refusal, whether or not it is recorded.
pub(super) fn refusal(domain: &str, refusal: &Refusal) {
    tracing::debug!(target: "kiff::refusal", domain, code = refusal.code.as_str(), message = refusal.message);
    refusal.code.count();
}
