//! Whether an event that somebody reports may enter the journal.

use crate::actor::Actor;
use crate::domain::{Domain, State};
use crate::entity::Entity;
use crate::json::{Json, JsonError};
use crate::permission::Policy;
use crate::schema::EventSchema;

use super::{Refusal, Refused, permitted, sentence};

/// Decides whether `actor` may report an event of this schema, and to which state it leads: first by the state, then
/// by what the event says, then by the permission.
///
/// While an action runs, or is in doubt, no event is admitted: it could make the event impossible that the action's
/// executor is about to answer with.
pub(crate) fn admit<'j, D: Domain>(
    entity: &Entity<D>,
    event: &EventSchema,
    payload: Result<&'j Json, &JsonError>,
    actor: &Actor,
    policy: &dyn Policy,
) -> Result<(D::State, &'j Json), Refused> {
    if let Some(running) = entity.running() {
        return Err(Refused::blocked(sentence::in_progress(running)));
    }
    let Some(to) = D::transition(entity.state(), &event.name) else {
        let state = entity.state().map(State::name);
        return Err(Refused::blocked(sentence::event_not_allowed(D::schema(), &event.name, state)));
    };
    let payload = payload.map_err(|error| Refused::invalid(sentence::invalid_payload(event, error)))?;
    if event.report.roles.is_empty() {
        return Err(Refused::blocked(only_by_an_action(event, actor)));
    }
    permitted(policy, actor, &event.report, entity.key())?;
    Ok((to, payload))
}

fn only_by_an_action(event: &EventSchema, actor: &Actor) -> Refusal {
    let message = format!("nobody may report `{}`: only an action can make it happen", event.name);
    Refusal { message, ..sentence::permission_denied(actor, &event.report) }
}
