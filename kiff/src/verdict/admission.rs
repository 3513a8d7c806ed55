//! Whether an event that somebody reports may enter the journal.

use crate::actor::Actor;
use crate::domain::{Domain, State};
use crate::entity::Entity;
use crate::json::{Json, JsonError};
use crate::permission::{self, Policy};
use crate::schema::EventSchema;

use super::{Refusal, Verdict, sentence, undecided};

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
) -> Verdict<(D::State, &'j Json)> {
    if let Some(running) = entity.running() {
        return Verdict::Blocked(sentence::in_progress(running));
    }
    let Some(to) = D::transition(entity.state(), &event.name) else {
        let state = entity.state().map(State::name);
        return Verdict::Blocked(sentence::event_not_allowed(D::schema(), &event.name, state));
    };
    let payload = match payload {
        Ok(payload) => payload,
        Err(error) => return Verdict::Invalid(sentence::invalid_payload(event, error)),
    };
    if event.report.roles.is_empty() {
        return Verdict::Blocked(only_by_an_action(event, actor));
    }
    match permission::has(policy, actor, &event.report, entity.key()) {
        Ok(true) => Verdict::Allowed((to, payload)),
        Ok(false) => Verdict::Blocked(sentence::permission_denied(actor, &event.report)),
        Err(_) => Verdict::Blocked(undecided(actor, &event.report)),
    }
}

fn only_by_an_action(event: &EventSchema, actor: &Actor) -> Refusal {
    let message = format!("nobody may report `{}`: only an action can make it happen", event.name);
    Refusal { message, ..sentence::permission_denied(actor, &event.report) }
}
