//! Whether somebody's answer to a request for a sign-off counts.

use crate::actor::{Actor, ActorKind};
use crate::approval::{Answer, Approval, ApprovalStatus, Review};
use crate::digest::Digest;
use crate::domain::Domain;
use crate::entity::Entity;
use crate::identifier::ApprovalId;
use crate::permission::Policy;
use crate::schema::{ApprovalRule, Permission, Schema};
use crate::time::Timestamp;

use super::permitted::by_another_human;
use super::{ReasonCode, Refusal, Refused, sentence};

/// Decides whether `actor` may give this answer to the request `id`: it must be a human, not the requester, hold the approving
/// permission, and the request must still wait, or be granted and not spent where the grant is withdrawn. Where its
/// action has no approving permission any more, any human role will do to deny and to withdraw. A yes to a request under a
/// contract that is no more would let nothing run; a no counts all the same, as the contract may come back.
///
/// The same holds for a denial and a withdrawal: where somebody can say yes, whoever may not say yes may not say no either.
pub(crate) fn review<'j, D: Domain>(
    entity: &'j Entity<D>,
    id: &ApprovalId,
    review: &Review,
    actor: &Actor,
    policy: &dyn Policy,
    fingerprint: impl FnOnce(D) -> Digest,
    now: Timestamp,
) -> Result<&'j Approval, Refused> {
    let answer = review.answer;
    let Some(approval) = entity.approval(id) else {
        return Err(Refused::invalid(Refusal {
            code: ReasonCode::UnknownEntity,
            message: format!("`{}` has no approval `{id}`", entity.key()),
            remedy: None,
        }));
    };
    if let Some((problem, remedy)) = untimely(approval, answer, entity.present(now)) {
        return Err(rejected(problem, remedy));
    }
    let action = D::from_name(&approval.action);
    let rule = action.map(|action| &action.contract().approval);
    let humans;
    let permission = match rule {
        Some(ApprovalRule::By(permission)) => permission,
        // Its contract may come back, and with it what was asked for or granted under it.
        _ if answer != Answer::Grant => {
            humans = any_human(D::schema());
            &humans
        }
        _ => {
            let problem = format!("`{}` does not ask for an approval any more", approval.action);
            return Err(rejected(problem, Some("deny it")));
        }
    };
    let deed = if answer == Answer::Withdraw { "withdraw a grant" } else { "approve" };
    by_another_human(
        policy,
        actor,
        permission,
        entity.key(),
        &approval.requested_by,
        deed,
        format_args!("asked for approval `{id}` and cannot answer it"),
    )?;
    if answer == Answer::Grant && action.map(fingerprint) != Some(approval.binding.contract) {
        return Err(rejected(sentence::contract_changed(approval), Some("have it asked for again, and deny this one")));
    }
    Ok(approval)
}

/// The permission to deny and to withdraw what nobody has to approve any more: that of whoever holds a role of humans. No action
/// can have its name, also where it is called `Withdraw`.
pub(crate) fn any_human(schema: &Schema) -> Permission {
    let roles = schema.permission_roles().filter(|role| role.kind == ActorKind::Human);
    Permission { name: format!("{}.approval.withdraw", schema.domain).into(), roles: roles.collect() }
}

/// Why the request is not one for this answer any more, or not yet; and what to say instead.
fn untimely(approval: &Approval, answer: Answer, now: Timestamp) -> Option<(String, Option<&'static str>)> {
    let (id, has_expired) = (&approval.id, approval.has_expired(now));
    let mut remedy = None;
    let problem = match (&approval.status, answer) {
        (ApprovalStatus::Pending, Answer::Grant | Answer::Deny) | (ApprovalStatus::Granted(_), Answer::Withdraw)
            if !has_expired =>
        {
            return None;
        }
        (ApprovalStatus::Pending, _) | (ApprovalStatus::Granted(_), Answer::Withdraw) if has_expired => {
            format!("approval `{id}` expired at {}", approval.expires_at)
        }
        (ApprovalStatus::Pending, _) => {
            remedy = Some("deny it");
            format!("approval `{id}` waits for a review: there is no grant to withdraw")
        }
        (ApprovalStatus::Granted(by), _) => {
            remedy = (answer == Answer::Deny && !has_expired)
                .then_some("withdraw the grant, as long as nothing has run by it");
            format!("approval `{id}` was already granted by `{}`", by.by.id())
        }
        (ApprovalStatus::Denied(by), _) => format!("approval `{id}` was already denied by `{}`", by.by.id()),
        (ApprovalStatus::Spent(execution), _) => format!("approval `{id}` was already spent by `{execution}`"),
        (ApprovalStatus::Withdrawn(by), _) => {
            format!("the grant of approval `{id}` was already withdrawn by `{}`", by.by.id())
        }
    };
    Some((problem, remedy))
}

fn rejected(message: String, remedy: Option<&str>) -> Refused {
    Refused::invalid(Refusal { code: ReasonCode::ApprovalPolicyError, message, remedy: remedy.map(str::to_owned) })
}
