//! Whether somebody's word on what became of a run counts.

use crate::actor::{Actor, ActorKind};
use crate::domain::Domain;
use crate::entity::{Entity, Running};
use crate::identifier::ExecutionId;
use crate::permission::{self, Policy};

use super::{ReasonCode, Refusal, Verdict, sentence, undecided};

/// Decides whether `actor` may say what became of the run `execution`: it must be the one that has not ended, and the
/// actor must be a human, not the one who asked for it, and hold the permission of its contract. Whether the run may still
/// end by itself the gate does not know.
pub(crate) fn settle<'j, D: Domain>(
    entity: &'j Entity<D>,
    execution: &ExecutionId,
    actor: &Actor,
    policy: &dyn Policy,
) -> Verdict<(&'j Running, D)> {
    let running = entity.running().filter(|running| running.execution == *execution);
    let Some((running, action)) = running.and_then(|running| Some((running, D::from_name(&running.action)?))) else {
        return Verdict::Invalid(Refusal {
            code: ReasonCode::UnknownEntity,
            message: format!("`{}` has no execution `{execution}` that has not ended", entity.key()),
            remedy: Some("look at what is in doubt".to_owned()),
        });
    };
    let permission = action.contract().settlement(D::schema());
    let denied = |message| Verdict::Blocked(sentence::not_by_them(message, &permission));
    if actor.kind() != ActorKind::Human {
        return denied(format!("only a human can settle a doubt; `{}` is of kind {}", actor.id(), actor.kind()));
    }
    if actor.id() == running.by.id() {
        return denied(format!("`{}` asked for execution `{execution}` and cannot settle it", actor.id()));
    }
    match permission::has(policy, actor, &permission, entity.key()) {
        Ok(true) => Verdict::Allowed((running, action)),
        Ok(false) => Verdict::Blocked(sentence::permission_denied(actor, &permission)),
        Err(_) => Verdict::Blocked(undecided(actor, &permission)),
    }
}
