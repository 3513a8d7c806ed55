//! What a message proposes to write: it is made so that it breaks no other rule.

use super::names::declarations;
use crate::domain::model::{Action, Event, Id, Model, Role};
use crate::domain::syntax::ActorKind;
use crate::domain::wire::plain;

/// What lets an entity begin, in the block's own names.
pub(super) fn beginning(model: &Model) -> String {
    let states = || model.states.iter().map(|(_, state)| state);
    let state = states().find(|state| !state.syntax.is_final).or_else(|| states().next());
    let state = state.map_or_else(|| "Created".to_owned(), |state| state.declared.plain());
    if let Some((_, event)) = model.events.iter().find(|(_, event)| event.syntax.reported.is_some()) {
        return format!("say how an entity begins, as in `{}: new => {state};`", event.declared.plain());
    }
    // No action is allowed in `new`, so that what begins an entity is reported.
    let reporter = reporter(model);
    if let Some((_, event)) = model.events.iter().find(|(id, _)| nothing_emits(model, *id)) {
        let event = event.declared.plain();
        return format!(
            "say how an entity begins, as in `{event}: new => {state};`, and add `reported by {reporter}` to `{event}`"
        );
    }
    let entity = model.header.entity.as_ref().map_or_else(|| "Order".to_owned(), |entity| plain(&entity.name));
    let new = ["Opened", "Begun", "Received"].map(|what| format!("{entity}{what}"));
    new.into_iter().find(|name| is_free(model, name)).map_or_else(
        || "let an event that has `reported by` lead out of it".to_owned(),
        |event| {
            format!("declare `{event} reported by {reporter};`, and let it begin an entity: `{event}: new => {state};`")
        },
    )
}

/// Whether no action may emit the event: then it can be reported.
fn nothing_emits(model: &Model, event: Id<Event>) -> bool {
    model.actions.whole
        && model.actions.iter().all(|(_, action)| action.emits.iter().all(|emitted| !emitted.may_be(event)))
}

/// Who may tell what happened outside: rather a machine than a human, and an agent last.
fn reporter(model: &Model) -> String {
    let doubt = |kind: Option<ActorKind>| match kind {
        Some(ActorKind::System | ActorKind::Service | ActorKind::External) => 0,
        Some(ActorKind::Human) | None => 1,
        Some(ActorKind::Agent) => 2,
    };
    let role = model.roles.iter().min_by_key(|(_, role)| doubt(role.kind()));
    role.map_or_else(|| "System".to_owned(), |(_, role)| role.declared.plain())
}

/// The roles that can approve the action: those of humans who do not run it.
pub(super) fn approvers<'m>(model: &'m Model, action: &Action) -> impl Iterator<Item = &'m Role> {
    let may_run = move |role: Id<Role>| action.runners.roles().iter().any(|own| own.id() == Some(role));
    let is_fit = move |(id, role): &(Id<Role>, &Role)| role.kind() == Some(ActorKind::Human) && !may_run(*id);
    model.roles.iter().filter(is_fit).map(|(_, role)| role)
}

/// A name for a role of humans.
pub(super) fn new_role(model: &Model) -> Option<&'static str> {
    ["Operator", "Approver", "Reviewer", "Supervisor", "Auditor"].into_iter().find(|name| is_free(model, name))
}

/// Whether nothing in the block is called so.
fn is_free(model: &Model, name: &str) -> bool {
    let header = [&model.header.domain, &model.header.entity].into_iter().flatten();
    header.map(|named| plain(&named.name)).all(|taken| taken != name)
        && declarations(model).into_iter().all(|(_, declared)| declared.plain() != name)
}
