//! What an agent is told of an action in words and hints.

use serde::Serialize;

use crate::schema::{ApprovalRule, Contract, Effect, Risk, Transition};

/// `REFUND_ORDER` becomes `Refund order`.
pub(super) fn title(name: &str) -> String {
    let words = name.to_lowercase().replace(['_', '-'], " ");
    let mut letters = words.trim().chars();
    let first = letters.next().map(|first| first.to_uppercase().to_string());
    first.into_iter().collect::<String>() + letters.as_str()
}

/// What the action is for, followed by what holds it back.
pub(super) fn of(documentation: &str, contract: &Contract, entity_type: &str) -> String {
    let risk = title(contract.risk.as_str());
    let mut limits = vec![format!("{risk} risk.")];
    if !contract.allowed_in.is_empty() {
        limits.push(format!("Possible while the {entity_type} is {}.", contract.allowed_in.join(" or ")));
    }
    if let ApprovalRule::By(permission) = &contract.approval {
        let approvers = permission.roles.iter().map(|role| format!("{} ({})", role.name, role.kind));
        limits.push(format!("Needs the approval of {}.", approvers.collect::<Vec<_>>().join(" or ")));
    }
    joined(&[documentation, &limits.join(" ")])
}

/// One text of several: sentences follow each other, what is longer gets a paragraph of its own.
pub(super) fn joined<T: AsRef<str>>(texts: &[T]) -> String {
    let mut whole = String::new();
    for text in texts.iter().map(AsRef::as_ref).filter(|text| !text.is_empty()) {
        if !whole.is_empty() {
            let is_sentence = whole.ends_with(['.', '!', '?']) && !whole.contains('\n') && !text.contains('\n');
            whole.push_str(if is_sentence { " " } else { "\n\n" });
        }
        whole.push_str(text);
    }
    whole
}

/// The annotations of a tool in the Model Context Protocol.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
#[expect(clippy::struct_excessive_bools, reason = "the protocol has four independent hints")]
pub(super) struct Hints {
    read_only_hint: bool,
    destructive_hint: bool,
    idempotent_hint: bool,
    open_world_hint: bool,
}

impl Hints {
    pub(super) fn new(contract: &Contract, transitions: &[Transition]) -> Self {
        let touches_outside = contract.effect == Effect::Outside;
        let is_read_only = contract.emits.is_empty() && !touches_outside;
        Self {
            read_only_hint: is_read_only,
            destructive_hint: !is_read_only && contract.risk > Risk::Low,
            idempotent_hint: is_read_only || is_spent_by_running(contract, transitions),
            open_world_hint: touches_outside,
        }
    }
}

/// Whether each run leads to a state that refuses the next.
fn is_spent_by_running(contract: &Contract, transitions: &[Transition]) -> bool {
    let moves = |own: &&Transition| {
        contract.emits.contains(&own.event) && own.from.as_ref().is_some_and(|from| contract.allowed_in.contains(from))
    };
    let mut runs = transitions.iter().filter(moves).peekable();
    runs.peek().is_some() && runs.all(|run| !contract.allowed_in.contains(&run.to))
}
