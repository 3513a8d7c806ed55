//! One rule in its many shapes: nothing is declared or listed twice, and no two things have one name.

use std::collections::{HashMap, HashSet};

use proc_macro2::Ident;

use super::names::{Kind, declarations};
use super::permissions::same_permission;
use crate::domain::field_names;
use crate::domain::model::{Model, PlaceReference, Promise, Reference};
use crate::domain::wire::{plain, snake};
use crate::errors::Errors;

const RULE: &str = "duplicate_name";

/// What the domain's type has under names of its own, where each of its actions is a variant.
const DIAGRAMS: [&str; 2] = ["MERMAID", "SVG"];
const FUNCTIONS: [&str; 9] =
    ["schema", "entity", "from_name", "contract", "allowed_in", "transition", "diagram", "actions", "entry"];

/// Two things with one name cannot be told apart, by the reader now or by the audit trail later.
pub(crate) fn duplicate_name(model: &Model, errors: &Errors) {
    declared_twice(model, errors);
    field_twice(model, errors);
    same_on_the_wire(model, errors);
    taken_by_the_block(model, errors);
    same_permission(model, RULE, errors);
    listed_twice(model, errors);
    transition_twice(model, errors);
    allowed_twice(model, errors);
    promised_twice(model, errors);
}

fn declared_twice(model: &Model, errors: &Errors) {
    let mut first: HashMap<String, Kind> = HashMap::new();
    for (kind, declared) in declarations(model) {
        let name = declared.plain();
        if let Some(other) = first.get(&name) {
            let message = if *other == kind {
                format!("the {} `{name}` is declared twice: remove or rename one", kind.word())
            } else {
                format!("`{name}` is already {}: give this {} another name", other.one(), kind.word())
            };
            errors.report(RULE, &declared.name, message);
        } else {
            first.insert(name, kind);
        }
    }
}

fn field_twice(model: &Model, errors: &Errors) {
    for (_, event) in model.events.iter() {
        let mut seen: Vec<(String, Option<String>)> = Vec::new();
        for field in &event.syntax.fields {
            let Some(token) = &field.name else { continue };
            let (name, wire) = (plain(token), field_names::on_the_wire(&event.syntax, field));
            if seen.iter().any(|(other, _)| *other == name) {
                let message = format!("the field `{name}` is declared twice: remove or rename one");
                errors.report(RULE, token, message);
            } else if let Some((other, Some(wire))) = seen.iter().find(|(_, other)| wire.is_some() && *other == wire) {
                let message = format!(
                    "`{other}` and `{name}` are both `{wire}` on the wire: give one another name there, \
                     as in `#[serde(rename = \"…\")]`"
                );
                errors.report(RULE, token, message);
            }
            seen.push((name, wire));
        }
    }
}

fn same_on_the_wire(model: &Model, errors: &Errors) {
    let mut first: Vec<(Kind, &str, String)> = Vec::new();
    for (kind, declared) in declarations(model) {
        let name = declared.plain();
        let same = first.iter().find(|(own, wire, _)| *own == kind && *wire == declared.wire);
        if let Some((_, wire, other)) = same.filter(|(_, _, other)| *other != name) {
            let message = format!(
                "`{other}` and `{name}` are both `{wire}` on the wire: \
                 give one another name there, as in `{name} as \"…\"`"
            );
            errors.report(RULE, &declared.name, message);
        } else if same.is_none() {
            first.push((kind, &declared.wire, name));
        }
    }
}

/// The block makes types beside its events, and a struct for each action stands beside them; none of them may have the same name.
fn taken_by_the_block(model: &Model, errors: &Errors) {
    let mut taken = made_of_the_header(model, errors);
    let events = model.events.iter().map(|(_, event)| (Kind::Event, &event.declared));
    let actions = model.actions.iter().map(|(_, action)| (Kind::Action, &action.declared));
    for (kind, declared) in events.chain(actions) {
        let name = declared.plain();
        let what = if taken.contains(&name) {
            "a type that the block itself makes"
        } else if kind == Kind::Action && DIAGRAMS.contains(&name.as_str()) {
            "a diagram that the block itself makes"
        } else if kind == Kind::Action && FUNCTIONS.contains(&name.as_str()) {
            "a fn that the domain's type has"
        } else {
            continue;
        };
        let message = format!("`{name}` is {what}: give this {} another name", kind.word());
        errors.report(RULE, &declared.name, message);
    }
    taken.extend(model.events.iter().map(|(_, event)| event.declared.plain()));
    taken.extend(model.actions.iter().map(|(_, action)| action.declared.plain()));
    for (_, action) in model.actions.iter().filter(|(_, action)| action.emits.len() > 1) {
        let name = action.declared.plain();
        let choice = format!("{name}Event");
        if taken.contains(&choice) {
            let message = format!(
                "what `{name}` emits is one of several events and is called `{choice}`, which is taken: \
                 give this action another name"
            );
            errors.report(RULE, &action.declared.name, message);
        }
    }
}

/// What the block calls after its first line, the names in it among them, which must not take each other's either.
fn made_of_the_header(model: &Model, errors: &Errors) -> Vec<String> {
    let domain = model.header.domain.as_ref().map(|named| &named.name);
    let entity = model.header.entity.as_ref().map(|named| &named.name);
    let mut taken: Vec<String> = Vec::new();
    if let Some(domain) = domain {
        let (name, module) = (plain(domain), snake(&plain(domain)));
        if name == module {
            let has_capital = name.chars().next().is_some_and(|first| first.to_uppercase().ne([first]));
            let instead = if has_capital {
                "begin the domain's name with a capital"
            } else {
                "give the domain a name that begins with a capital, as in `Refund`"
            };
            let message = format!("`{name}` is also what the module of the typed states is called: {instead}");
            errors.report(RULE, domain, message);
        }
        taken.extend([module, format!("{name}Role"), name]);
    }
    if let Some(entity) = entity {
        let name = plain(entity);
        if taken.contains(&name) {
            let message = format!("`{name}` is what the domain is called: give what it governs another name");
            errors.report(RULE, entity, message);
        }
        let made = [format!("{name}State"), format!("{name}Event")];
        if let Some(same) = made.iter().find(|made| domain.is_some_and(|domain| plain(domain) == **made)) {
            let message = format!("`{same}` is a type that the block itself makes: give the domain another name");
            errors.report(RULE, domain.unwrap_or(entity), message);
        }
        taken.extend(made);
        taken.push(name);
    }
    taken
}

fn listed_twice(model: &Model, errors: &Errors) {
    for (_, event) in model.events.iter() {
        repeated(errors, &event.reporters);
    }
    for (_, action) in model.actions.iter() {
        repeated(errors, action.runners.roles());
        repeated(errors, action.approval.roles());
        repeated(errors, &action.emits);
    }
}

fn repeated<T>(errors: &Errors, list: &[Reference<T>]) {
    let mut seen = Vec::new();
    for (id, token) in list.iter().filter_map(Reference::exact) {
        if seen.contains(&id) {
            errors.report(RULE, token, format!("`{}` is listed twice: remove one", plain(token)));
        }
        seen.push(id);
    }
}

fn transition_twice(model: &Model, errors: &Errors) {
    let mut seen = HashSet::new();
    for line in &model.transitions.items {
        let (Some((event, _)), Some((target, _))) = (line.event.exact(), line.target.exact()) else {
            continue;
        };
        for (source, token) in line.sources.iter().filter_map(PlaceReference::exact) {
            if !seen.insert((event, source, target)) {
                let message = format!(
                    "the transition `{}: {} => {}` is declared twice: remove one",
                    model.event_name(event),
                    model.place_name(source),
                    model.state_name(target),
                );
                errors.report(RULE, token, message);
            }
        }
    }
}

fn allowed_twice(model: &Model, errors: &Errors) {
    let mut seen = HashSet::new();
    for line in &model.allowances.items {
        let mut repeated: Vec<(String, String, &Ident)> = Vec::new();
        for (state, state_token) in line.states.iter().filter_map(Reference::exact) {
            for (action, token) in line.actions.iter().filter_map(Reference::exact) {
                if !seen.insert((state, action)) {
                    repeated.push((plain(state_token), plain(token), token));
                }
            }
        }
        for (state, action, token) in repeated {
            errors.report(RULE, token, format!("`{state}` allows `{action}` twice: remove one"));
        }
    }
}

fn promised_twice(model: &Model, errors: &Errors) {
    let mut seen = Vec::new();
    for clause in &model.clauses.items {
        let key = match &clause.promise {
            Promise::Without { state, role } => state.id().zip(role.id()).map(|ids| (ids, None)),
            Promise::Alone { role, from, to } => {
                let ids = to.id().zip(role.id());
                ids.zip(from.place()).map(|(ids, from)| (ids, Some(from)))
            }
        };
        let Some(key) = key else { continue };
        if seen.contains(&key) {
            let message = "this clause is written twice: remove one";
            errors.report_between(RULE, clause.ends.0, clause.ends.1, message);
        }
        seen.push(key);
    }
}
