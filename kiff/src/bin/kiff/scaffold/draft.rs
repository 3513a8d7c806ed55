//! A domain on its way from the descriptor to the block: what is kept of it, and what had to change.

use std::collections::BTreeSet;

use serde::Serialize;

use super::descriptor::Descriptor;
use super::names::parameter;

/// Something that the descriptor allowed and kiff does not, or that it does not say.
#[derive(Debug, Serialize)]
pub(crate) struct Finding {
    /// The rule of the language that it meets; none for what is only assumed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) rule: Option<&'static str>,
    /// What the descriptor says, or leaves open.
    pub(crate) said: String,
    /// What is written instead, and what else could be.
    pub(crate) written: String,
}

/// The domain as it is kept.
#[derive(Debug)]
pub(crate) struct Draft {
    pub(crate) states: Vec<State>,
    pub(crate) events: Vec<Event>,
    pub(crate) transitions: Vec<Transition>,
    pub(crate) actions: Vec<Action>,
    pub(crate) roles: Vec<Role>,
    /// The events that an action of the descriptor emits: whatever becomes of the action, nobody may report them.
    pub(crate) governed: BTreeSet<String>,
    pub(crate) findings: Vec<Finding>,
}

/// A state.
#[derive(Debug)]
pub(crate) struct State {
    pub(crate) name: String,
    pub(crate) is_final: bool,
}

/// An event.
#[derive(Debug)]
pub(crate) struct Event {
    pub(crate) name: String,
    /// Who may report it; nobody where an action emits it.
    pub(crate) reporter: Option<String>,
}

/// One event leads from one state, or from nothing, to another.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Transition {
    pub(crate) event: String,
    pub(crate) from: Option<String>,
    pub(crate) to: String,
}

/// An action.
#[derive(Debug)]
pub(crate) struct Action {
    pub(crate) name: String,
    pub(crate) allowed_in: Vec<String>,
    pub(crate) parameters: Vec<String>,
    pub(crate) permissions: Vec<String>,
    /// What the permission to run it is called, where that does not follow from its name.
    pub(crate) permission: Option<String>,
    pub(crate) risk: String,
    pub(crate) is_approved: bool,
    pub(crate) emits: Vec<String>,
    pub(crate) by: Vec<String>,
    pub(crate) approvers: Vec<String>,
}

/// A role.
#[derive(Debug)]
pub(crate) struct Role {
    pub(crate) name: String,
    pub(crate) kind: &'static str,
}

impl Draft {
    /// The descriptor as it stands, each thing once.
    pub(crate) fn new(descriptor: &Descriptor) -> Self {
        let mut draft = Self {
            states: Vec::new(),
            events: Vec::new(),
            transitions: Vec::new(),
            actions: Vec::new(),
            roles: Vec::new(),
            governed: descriptor.actions.iter().flat_map(|action| action.follow_up_events.iter().cloned()).collect(),
            findings: Vec::new(),
        };
        for name in draft.once("state", &descriptor.states) {
            draft.states.push(State { name, is_final: false });
        }
        for name in draft.once("event", &descriptor.events) {
            draft.events.push(Event { name, reporter: None });
        }
        for line in &descriptor.transitions {
            let from = Some(line.from.clone()).filter(|from| !from.is_empty());
            let transition = Transition { event: line.on.clone(), from, to: line.to.clone() };
            if draft.transitions.contains(&transition) {
                draft.found(
                    "duplicate_name",
                    format!("the transition on `{}` to `{}` is there twice", line.on, line.to),
                    "it is written once".to_owned(),
                );
            } else {
                draft.transitions.push(transition);
            }
        }
        let names: Vec<String> = descriptor.actions.iter().map(|action| action.name.clone()).collect();
        for name in draft.once("action", &names) {
            let Some(own) = descriptor.actions.iter().find(|action| action.name == name) else { continue };
            let action = Action {
                allowed_in: draft.once("allowed state", &own.allowed_states),
                parameters: draft.parameters(&own.required_parameters),
                permissions: draft.once("permission", &own.required_permissions),
                permission: None,
                emits: draft.once("follow-up event", &own.follow_up_events),
                risk: own.risk.clone(),
                is_approved: own.approval == "required",
                by: Vec::new(),
                approvers: Vec::new(),
                name,
            };
            draft.actions.push(action);
        }
        draft
    }

    /// The names, each once.
    fn once(&mut self, what: &str, names: &[String]) -> Vec<String> {
        let mut kept: Vec<String> = Vec::new();
        for name in names {
            if kept.contains(name) {
                let said = format!("the {what} `{name}` is there twice");
                self.found("duplicate_name", said, "the first is kept".to_owned());
            } else {
                kept.push(name.clone());
            }
        }
        kept
    }

    /// The names of parameters, each once, also as Rust writes them.
    fn parameters(&mut self, names: &[String]) -> Vec<String> {
        let mut kept = self.once("parameter", names);
        let mut seen: Vec<(String, String)> = Vec::new();
        kept.retain(|name| {
            let first = seen.iter().find(|(ident, _)| *ident == parameter(name));
            if let Some((ident, first)) = first {
                let said = format!("the parameters `{first}` and `{name}` are both `{ident}` here");
                self.found("duplicate_name", said, format!("`{first}` is kept"));
                return false;
            }
            seen.push((parameter(name), name.clone()));
            true
        });
        kept
    }

    /// Puts on the list what the descriptor allowed and kiff does not.
    pub(crate) fn found(&mut self, rule: &'static str, said: String, written: String) {
        self.findings.push(Finding { rule: Some(rule), said, written });
    }

    /// Puts on the list what the descriptor leaves open.
    pub(crate) fn assumed(&mut self, said: String, written: String) {
        self.findings.push(Finding { rule: None, said, written });
    }

    /// Whether an action emits the event.
    pub(crate) fn is_emitted(&self, event: &str) -> bool {
        self.actions.iter().any(|action| action.emits.iter().any(|own| own == event))
    }
}

/// Names in a sentence: `a`, `b` and `c`.
pub(crate) fn listed<'n>(names: impl IntoIterator<Item = &'n String>) -> String {
    let names: Vec<String> = names.into_iter().map(|name| format!("`{name}`")).collect();
    match names.as_slice() {
        [] => "none".to_owned(),
        [one] => one.clone(),
        [first @ .., last] => format!("{} and {last}", first.join(", ")),
    }
}
