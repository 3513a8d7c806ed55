//! What rustdoc shows of a domain below the user's own words: the diagram, the tables, and what was proved.

use proc_macro2::TokenStream;
use quote::quote;

use super::names::{Names, distinct, used};
use crate::domain::graph::{self, Move};
use crate::domain::model::{
    Action, Approval, Declared, Event, Id, Model, Place, PlaceReference, Promise, Reference, Role, State,
};
use crate::domain::syntax::{ActorKind, Effect, Risk};
use crate::domain::wire::plain;

/// The page as attributes that only rustdoc reads.
pub(super) fn page(model: &Model, names: &Names, svg: &str) -> TokenStream {
    let page = Page { model, names };
    let entity = plain(&names.entity);
    let mut lines = vec![
        String::new(),
        format!("# The states of `{entity}`"),
        String::new(),
        format!("<div style=\"overflow-x:auto;margin:1em 0\">{svg}</div>"),
        String::new(),
        "# Transitions".to_owned(),
        String::new(),
    ];
    lines.extend(table(&["From", "Event", "To", "Comes about by"], page.transitions()));
    lines.push("# Actions".to_owned());
    lines.push(String::new());
    let head = ["Action", "Risk", "Run by", "Approved by", "Allowed in", "Event", "Effect"];
    lines.extend(table(&head, distinct(&model.actions).map(|(id, action)| page.action(id, action))));
    lines.push("# Roles".to_owned());
    lines.push(String::new());
    lines.extend(table(&["Role", "Held by"], distinct(&model.roles).map(|(id, role)| page.role(id, role))));
    let promises: Vec<_> = model.clauses.items.iter().filter_map(|clause| page.promise(&clause.promise)).collect();
    if !promises.is_empty() {
        lines.push("# Promises".to_owned());
        lines.push(String::new());
        lines.push("Proved by the compiler, over every path that the transitions leave open:".to_owned());
        lines.push(String::new());
        lines.extend(promises);
    }
    // rustdoc takes off the indentation that all lines have, and a doc comment's lines begin with a space.
    let text = lines.iter().map(|line| format!(" {line}")).collect::<Vec<_>>().join("\n");
    quote!(#[cfg_attr(doc, doc = #text)])
}

/// A table, and the empty line that ends it.
fn table<const COLUMNS: usize>(
    head: &[&str; COLUMNS],
    rows: impl IntoIterator<Item = [String; COLUMNS]>,
) -> Vec<String> {
    let mut lines = vec![format!("| {} |", head.join(" | ")), format!("|{}", " --- |".repeat(COLUMNS))];
    lines.extend(rows.into_iter().map(|row| format!("| {} |", row.join(" | "))));
    lines.push(String::new());
    lines
}

/// The texts of the page; every name in them is a link.
struct Page<'m> {
    model: &'m Model,
    names: &'m Names,
}

impl Page<'_> {
    fn transitions(&self) -> Vec<[String; 4]> {
        let rows = graph::moves(self.model).into_iter().filter_map(|step| {
            let Move { source, event, target } = step;
            let (source, event) = (source?, event?);
            Some([self.place(source), self.event(event), self.state(target?), self.cause(source, event)])
        });
        rows.collect()
    }

    /// Who or what makes the event happen at this place.
    fn cause(&self, source: Place, event: Id<Event>) -> String {
        let mut causes = Vec::new();
        let reporters = &self.model.events[event].reporters;
        if !reporters.is_empty() {
            causes.push(format!("reported by {}", self.roles(reporters)));
        }
        if let Place::State(state) = source {
            let actions = distinct(&self.model.actions)
                .filter(|(id, action)| action.emits(event) && graph::is_allowed(self.model, state, *id));
            causes.extend(actions.map(|(_, action)| self.action_link(&action.declared)));
        }
        causes.join(", ")
    }

    fn action(&self, id: Id<Action>, action: &Action) -> [String; 7] {
        let risk = match action.risk() {
            Some((Risk::Low, _)) => "low",
            Some((Risk::Medium, _)) => "medium",
            Some((Risk::High, _)) => "**high**",
            Some((Risk::Critical, _)) => "**critical**",
            None => "",
        };
        let approval = match &action.approval {
            Approval::Roles(roles) => self.roles(roles),
            Approval::Waived(reason) => format!("*waived:* {}", escaped(&reason.value())),
            Approval::Nobody(_) | Approval::LeftOut => "–".to_owned(),
        };
        let effect = match action.effect() {
            Effect::None => "none",
            Effect::Outside => "outside",
        };
        let states: Vec<_> = graph::allowing(self.model, id).map(|state| self.state(state)).collect();
        let events: Vec<_> = action.emits.iter().filter_map(Reference::id).map(|event| self.event(event)).collect();
        [
            self.action_link(&action.declared),
            risk.to_owned(),
            self.roles(action.runners.roles()),
            approval,
            states.join(", "),
            if events.is_empty() { "–".to_owned() } else { events.join(" or ") },
            effect.to_owned(),
        ]
    }

    fn role(&self, id: Id<Role>, role: &Role) -> [String; 2] {
        let holders = role.kind().map_or("", ActorKind::holders);
        [self.role_link(id), holders.to_owned()]
    }

    fn promise(&self, promise: &Promise) -> Option<String> {
        Some(match promise {
            Promise::Without { state, role } => {
                let (state, role) = (self.state(state.id()?), self.role_link(role.id()?));
                format!("- {state} is never reached without a step that {role} took or approved.")
            }
            Promise::Alone { role, from, to } => {
                let from = match from {
                    PlaceReference::New(_) => Place::New,
                    PlaceReference::State(state) => Place::State(state.id()?),
                };
                let (role, from, to) = (self.role_link(role.id()?), self.place(from), self.state(to.id()?));
                format!("- {role} alone never gets from {from} to {to}.")
            }
        })
    }

    fn place(&self, place: Place) -> String {
        match place {
            Place::New => "*new*".to_owned(),
            Place::State(state) => self.state(state),
        }
    }

    fn state(&self, state: Id<State>) -> String {
        let declared = &self.model.states[state].declared;
        format!("[`{}`](variant@{}::{})", declared.plain(), self.names.state, used(&declared.name))
    }

    fn event(&self, event: Id<Event>) -> String {
        let declared = &self.model.events[event].declared;
        format!("[`{}`](struct@{})", declared.plain(), used(&declared.name))
    }

    fn action_link(&self, declared: &Declared) -> String {
        format!("[`{}`](variant@{}::{})", declared.plain(), self.names.domain, used(&declared.name))
    }

    fn role_link(&self, role: Id<Role>) -> String {
        let declared = &self.model.roles[role].declared;
        format!("[`{}`](variant@{}::{})", declared.plain(), self.names.role, used(&declared.name))
    }

    fn roles(&self, roles: &[Reference<Role>]) -> String {
        let links: Vec<_> = roles.iter().filter_map(Reference::id).map(|role| self.role_link(role)).collect();
        links.join(" or ")
    }
}

/// The text as it is shown in a table, whatever it says to Markdown or to a browser.
fn escaped(text: &str) -> String {
    let letters = text.chars().map(|letter| match letter {
        ' ' | ',' | '.' | ';' | '(' | ')' | '-' => letter.to_string(),
        _ if letter.is_control() || letter.is_whitespace() => " ".to_owned(),
        _ if letter.is_ascii_punctuation() => format!("&#{};", u32::from(letter)),
        _ => letter.to_string(),
    });
    letters.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reason_is_neither_markup_nor_the_end_of_a_cell() {
        let reason = "a | b\n<script>alert(`1`)</script> [x](y) https://e.example, 5 € (once)";
        let safe = escaped(reason);
        assert!(!safe.contains(['|', '\n', '<', '>', '`', '[', ']', '/']), "{safe}");
        assert!(safe.ends_with("e.example, 5 € (once)"), "{safe}");
    }
}
