//! Whether somebody's word on what became of a run counts.

use crate::actor::Actor;
use crate::domain::Domain;
use crate::entity::{Entity, Running};
use crate::identifier::ExecutionId;
use crate::permission::Policy;

use super::permitted::by_another_human;
use super::{ReasonCode, Refusal, Refused};

/// Decides whether `actor` may say what became of the run `execution`: it must be the one that has not ended, and the
/// actor must be a human, not the one who asked for it, and hold the permission of its contract. Whether the run may still
/// end by itself the gate does not know.
pub(crate) fn settle<'j, D: Domain>(
    entity: &'j Entity<D>,
    execution: &ExecutionId,
    actor: &Actor,
    policy: &dyn Policy,
) -> Result<(&'j Running, D), Refused> {
    let running = entity.running().filter(|running| running.execution == *execution);
    let Some((running, action)) = running.and_then(|running| Some((running, D::from_name(&running.action)?))) else {
        return Err(Refused::invalid(Refusal {
            code: ReasonCode::UnknownEntity,
            message: format!("`{}` has no execution `{execution}` that has not ended", entity.key()),
            remedy: Some("look at what is in doubt".to_owned()),
        }));
    };
    let permission = action.contract().settlement(D::schema());
    by_another_human(
        policy,
        actor,
        &permission,
        entity.key(),
        &running.by,
        "settle a doubt",
        format_args!("asked for execution `{execution}` and cannot settle it"),
    )?;
    Ok((running, action))
}
