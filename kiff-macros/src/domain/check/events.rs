//! Rules about events: each is used, and each has exactly one kind of source.

use crate::domain::model::{Action, Event, Id, Model};
use crate::errors::Errors;
use crate::suggest::enumerate;

/// An event that moves nothing is a leftover, or a transition was forgotten.
pub(crate) fn unused_event(model: &Model, errors: &Errors) {
    for (id, event) in model.events.iter() {
        if event.declared.twin || is_used(model, id) {
            continue;
        }
        let name = event.declared.plain();
        let message = format!("no transition uses the event `{name}`: add one to `transitions`, or remove the event");
        errors.report("unused_event", &event.declared.name, message);
    }
}

/// An event that nobody can make happen leaves its transition a dead letter.
pub(crate) fn event_without_source(model: &Model, errors: &Errors) {
    for (id, event) in model.events.iter() {
        let emitted = !model.actions.whole
            || model.actions.iter().any(|(_, action)| {
                // What could not be read of an action may have named the event.
                !action.syntax.whole || action.emits.iter().any(|own| own.may_be(id))
            });
        // An event that is not used either is one leftover, not two faults.
        if event.declared.twin || emitted || !event.reporters.is_empty() || !is_used(model, id) {
            continue;
        }
        let name = event.declared.plain();
        let message =
            format!("nothing makes the event `{name}` happen: add `reported by` and a role, or let an action emit it");
        errors.report("event_without_source", &event.declared.name, message);
    }
}

/// What an action does under governance could be claimed from outside without it.
pub(crate) fn emitted_and_reported(model: &Model, errors: &Errors) {
    for (id, event) in model.events.iter() {
        let emits =
            |action: &&Action| action.emits.iter().filter_map(|own| own.exact()).any(|(emitted, _)| emitted == id);
        let actions: Vec<String> = model
            .actions
            .iter()
            .map(|(_, action)| action)
            .filter(emits)
            .map(|action| action.declared.plain())
            .collect();
        let Some(reported) = event.syntax.reported.as_ref().filter(|_| !actions.is_empty()) else {
            continue;
        };
        if event.declared.twin {
            continue;
        }
        let message = format!(
            "the event `{}` could also be reported, past the checks of {}, which emits it: \
             take `reported by` away, or declare another event for what is reported",
            event.declared.plain(),
            enumerate(&actions, "and"),
        );
        let end = reported.roles.names.last().unwrap_or(&reported.keyword).span();
        errors.report_between("emitted_and_reported", reported.keyword.span(), end, message);
    }
}

/// Whether a transition may use the event.
pub(super) fn is_used(model: &Model, event: Id<Event>) -> bool {
    !model.transitions.whole || model.transitions.items.iter().any(|line| line.event.may_be(event))
}
