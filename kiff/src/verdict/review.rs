//! Whether somebody's answer to a request for a sign-off counts.

use crate::actor::{Actor, ActorKind};
use crate::approval::{Approval, ApprovalStatus};
use crate::domain::Domain;
use crate::entity::Entity;
use crate::identifier::ApprovalId;
use crate::permission::{self, Policy};
use crate::schema::ApprovalRule;
use crate::time::Timestamp;

use super::{ReasonCode, Refusal, Verdict, sentence, undecided};

/// Decides whether `actor` may answer the request `id`: it must be a human, not the requester, hold the approving
/// permission, and the request must still wait.
///
/// The same holds for a denial: whoever may not say yes may not say no either.
pub fn review<'j, D: Domain>(
    entity: &'j Entity<D>,
    id: &ApprovalId,
    actor: &Actor,
    policy: &dyn Policy,
    now: Timestamp,
) -> Verdict<&'j Approval> {
    let Some(approval) = entity.approval(id) else {
        return Verdict::Invalid(Refusal {
            code: ReasonCode::UnknownEntity,
            message: format!("`{}` has no approval `{id}`", entity.key()),
            remedy: None,
        });
    };
    if let Some(problem) = closed(approval, entity.present(now)) {
        return rejected(problem);
    }
    let rule = D::from_name(&approval.action).map(|action| &action.contract().approval);
    let Some(ApprovalRule::By(permission)) = rule else {
        return rejected(format!("`{}` does not ask for an approval any more", approval.action));
    };
    let denied = |message| Verdict::Blocked(sentence::not_by_them(message, permission));
    if actor.kind() != ActorKind::Human {
        return denied(format!("only a human can approve; `{}` is of kind {}", actor.id(), actor.kind()));
    }
    if actor.id() == approval.requested_by.id() {
        return denied(format!("`{}` asked for approval `{id}` and cannot answer it", actor.id()));
    }
    match permission::has(policy, actor, permission, entity.key()) {
        Ok(true) => Verdict::Allowed(approval),
        Ok(false) => Verdict::Blocked(sentence::permission_denied(actor, permission)),
        Err(error) => Verdict::Blocked(undecided(&error)),
    }
}

fn closed(approval: &Approval, now: Timestamp) -> Option<String> {
    let id = &approval.id;
    match &approval.status {
        ApprovalStatus::Pending if !approval.has_expired(now) => None,
        ApprovalStatus::Pending => Some(format!("approval `{id}` expired at {}", approval.expires_at)),
        ApprovalStatus::Granted(by) => Some(format!("approval `{id}` was already granted by `{}`", by.by.id())),
        ApprovalStatus::Denied(by) => Some(format!("approval `{id}` was already denied by `{}`", by.by.id())),
        ApprovalStatus::Spent(execution) => Some(format!("approval `{id}` was already spent by `{execution}`")),
    }
}

fn rejected<P>(message: String) -> Verdict<P> {
    Verdict::Invalid(Refusal { code: ReasonCode::ApprovalPolicyError, message, remedy: None })
}
