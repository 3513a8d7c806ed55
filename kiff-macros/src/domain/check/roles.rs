//! Rules about people and machines: who runs, who approves, and that neither is nobody.

use super::proposals;
use crate::domain::model::{Action, Approval, Id, Model, Promise, Reference, Role, Runners};
use crate::domain::syntax::ActorKind;
use crate::errors::Errors;
use crate::suggest::enumerate;

/// Four eyes are two pairs: who may ask must not be who may grant.
pub(crate) fn approves_own_action(model: &Model, errors: &Errors) {
    for (_, action) in model.actions.iter() {
        for (role, token) in action.approval.roles().iter().filter_map(Reference::exact) {
            // Of a machine it is said that it approves nothing at all.
            let is_machine = model.roles[role].kind().is_some_and(|kind| kind != ActorKind::Human);
            let runs =
                !is_machine && action.runners.roles().iter().filter_map(Reference::exact).any(|(own, _)| own == role);
            if runs {
                let message = format!(
                    "`{role}` may run `{action}` and also approve it: take `{role}` out of `by` or out of `approval`",
                    role = model.role_name(role),
                    action = action.declared.plain(),
                );
                errors.report("approves_own_action", token, message);
            }
        }
    }
}

/// An approval is a human's judgement; a machine that nods through what a machine asked for is none.
pub(crate) fn approver_not_human(model: &Model, errors: &Errors) {
    for (_, action) in model.actions.iter() {
        let humans: Vec<String> = proposals::approvers(model, action).map(|role| role.declared.plain()).collect();
        let approvers = action.approval.roles().iter().filter_map(Reference::exact);
        let has_human = approvers.clone().any(|(role, _)| model.roles[role].kind() == Some(ActorKind::Human));
        let instead = match humans.as_slice() {
            _ if has_human => "take it out".to_owned(),
            [] => proposals::new_role(model).map_or_else(
                || "declare a role for them, and write it instead".to_owned(),
                |name| format!("declare a role for them, as in `{name}: human`, and write it instead"),
            ),
            humans => format!("write {} instead", enumerate(humans, "or")),
        };
        for (role, token) in approvers {
            let Some(kind) = model.roles[role].kind().filter(|kind| *kind != ActorKind::Human) else {
                continue;
            };
            let message = format!(
                "`{}` cannot approve `{}`, as it is held by {}: only humans approve; {instead}",
                model.role_name(role),
                action.declared.plain(),
                kind.holders(),
            );
            errors.report("approver_not_human", token, message);
        }
    }
}

/// A role that may do nothing is a leftover, or somebody forgot to give it its part.
pub(crate) fn role_without_duty(model: &Model, errors: &Errors) {
    for (id, role) in model.roles.iter() {
        if role.declared.twin || may_do_something(model, id) || is_promised(model, id) {
            continue;
        }
        let name = role.declared.plain();
        let message =
            format!("the role `{name}` may do nothing: name it in `by`, `approval` or `reported by`, or remove it");
        errors.report("role_without_duty", &role.declared.name, message);
    }
}

fn may_do_something(model: &Model, role: Id<Role>) -> bool {
    let is_among = |roles: &[Reference<Role>]| roles.iter().any(|own| own.may_be(role));
    !model.events.whole
        || !model.actions.whole
        || model.events.iter().any(|(_, event)| is_among(&event.reporters))
        || model.actions.iter().any(|(_, action)| is_among(action.runners.roles()) || is_among(action.approval.roles()))
}

/// Whether a promise says that nothing goes without the role: then its breach says more than this rule could.
fn is_promised(model: &Model, role: Id<Role>) -> bool {
    model
        .clauses
        .items
        .iter()
        .any(|clause| matches!(&clause.promise, Promise::Without { role: own, .. } if own.may_be(role)))
}

/// An action that nobody may run, or that waits for an approval that nobody can give, looks governed and is dead.
///
/// This is about `by` that is left out and about the word `none`; roles that do not exist are `unknown_name`, and
/// roles that may not approve are `approver_not_human`.
pub(crate) fn nobody_may(model: &Model, errors: &Errors) {
    for (_, action) in model.actions.iter() {
        let name = action.declared.plain();
        let message = format!("nobody may run the action `{name}`: {}", runner(model, action));
        match &action.runners {
            Runners::LeftOut => errors.report("nobody_may", &action.declared.name, message),
            Runners::Nobody(word) => errors.report("nobody_may", word, message),
            Runners::Roles(_) => {}
        }
        if let Approval::Nobody(word) = &action.approval {
            let message = format!(
                "nobody may approve the action `{name}`, so that it never runs: name a role, \
                 leave `approval` out, or say why none is needed with `unapproved(\"the reason\")`"
            );
            errors.report("nobody_may", word, message);
        }
    }
}

/// How to say who runs the action: in a role that does not approve it.
fn runner(model: &Model, action: &Action) -> String {
    let may_approve = |role: Id<Role>| action.approval.roles().iter().any(|own| own.id() == Some(role));
    let example = model.roles.iter().find(|(id, _)| !may_approve(*id)).map(|(_, role)| role.declared.plain());
    match example {
        Some(example) => format!("say who, as in `by: {example}`"),
        None if model.roles.iter().next().is_none() => "say who, as in `by: Agent`".to_owned(),
        None => "say who with `by:` and a role that does not approve it".to_owned(),
    }
}
