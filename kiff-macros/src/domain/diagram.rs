//! What a domain's diagram shows: its places, what leads from one to another, and who brings that about.

mod layout;
mod mermaid;
mod sentence;
mod svg;
#[cfg(test)]
mod tests;
mod width;

use super::graph;
use super::model::{Action, Approval, Event, Id, Model, Place, Reference, Role};
use super::wire::plain;

/// The most places and arrows that are drawn; a diagram of more than that is read by nobody.
const PLACES: usize = 192;
const ARROWS: usize = 1024;

/// The diagram of one domain.
pub(crate) struct Diagram {
    domain: String,
    entity: String,
    places: Vec<Shown>,
    arrows: Vec<Arrow>,
}

/// A place in the life of an entity.
struct Shown {
    name: String,
    wire: String,
    kind: Kind,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    /// Before the first event; it has no name.
    New,
    State,
    Final,
}

/// Everything that leads from one place to another and is alike in whether it needs an approval.
struct Arrow {
    from: usize,
    to: usize,
    /// Whether nobody takes it without an approval.
    approved: bool,
    events: Vec<Occurrence>,
}

/// One event, and how it comes about at this place.
struct Occurrence {
    event: String,
    causes: Vec<Cause>,
}

/// Who or what makes an event happen.
#[derive(PartialEq, Eq)]
enum Cause {
    Reported { by: Vec<String> },
    Acted { action: String, by: Vec<String>, consent: Consent },
}

/// Who has to agree to an action.
#[derive(PartialEq, Eq)]
enum Consent {
    NotNeeded,
    Waived,
    By(Vec<String>),
}

impl Diagram {
    /// What is known of the domain, even if something is wrong with it.
    pub(crate) fn of(model: &Model) -> Self {
        let name =
            |named: &Option<super::syntax::Named>| named.as_ref().map_or_else(String::new, |own| plain(&own.name));
        let mut diagram = Self {
            domain: name(&model.header.domain),
            entity: name(&model.header.entity),
            places: vec![Shown { name: String::new(), wire: String::new(), kind: Kind::New }],
            arrows: Vec::new(),
        };
        let states = model.states.iter().take(PLACES);
        diagram.places.extend(states.map(|(_, state)| Shown {
            name: state.declared.plain(),
            wire: state.declared.wire.clone(),
            kind: if state.syntax.is_final { Kind::Final } else { Kind::State },
        }));
        let number = |place: Place| match place {
            Place::New => Some(0),
            Place::State(state) => (state.position() < PLACES).then(|| state.position() + 1),
        };
        for step in graph::moves(model).into_iter().take(ARROWS) {
            let (Some(source), Some(event), Some(target)) = (step.source, step.event, step.target) else { continue };
            if let (Some(from), Some(to)) = (number(source), number(Place::State(target))) {
                diagram.add(from, to, occurrence(model, source, event));
            }
        }
        diagram
    }

    fn add(&mut self, from: usize, to: usize, occurrence: Occurrence) {
        let approved = occurrence.is_approved();
        let alike = |arrow: &&mut Arrow| arrow.from == from && arrow.to == to && arrow.approved == approved;
        match self.arrows.iter_mut().find(alike) {
            Some(arrow) if arrow.events.iter().any(|own| own.event == occurrence.event) => {}
            Some(arrow) => arrow.events.push(occurrence),
            None => self.arrows.push(Arrow { from, to, approved, events: vec![occurrence] }),
        }
    }

    /// The diagram as text for Mermaid.
    pub(crate) fn mermaid(&self) -> String {
        mermaid::mermaid(self)
    }

    /// The diagram as a picture that takes on the colour of the text around it.
    pub(crate) fn svg(&self) -> String {
        svg::svg(self)
    }
}

/// How this event comes about at this place.
fn occurrence(model: &Model, source: Place, event: Id<Event>) -> Occurrence {
    let declared = &model.events[event];
    let mut causes = Vec::new();
    let by = names(model, &declared.reporters);
    if !by.is_empty() {
        causes.push(Cause::Reported { by });
    }
    if let Place::State(state) = source {
        for (id, action) in model.actions.iter() {
            if action.emits(event) && graph::is_allowed(model, state, id) {
                causes.push(acted(model, action));
            }
        }
    }
    Occurrence { event: declared.declared.plain(), causes }
}

fn acted(model: &Model, action: &Action) -> Cause {
    Cause::Acted {
        action: action.declared.plain(),
        by: names(model, action.runners.roles()),
        consent: match &action.approval {
            Approval::Roles(roles) => Consent::By(names(model, roles)),
            Approval::Waived(_) => Consent::Waived,
            Approval::Nobody(_) | Approval::LeftOut => Consent::NotNeeded,
        },
    }
}

fn names(model: &Model, roles: &[Reference<Role>]) -> Vec<String> {
    roles.iter().filter_map(Reference::id).map(|role| model.role_name(role)).collect()
}

impl Occurrence {
    fn is_approved(&self) -> bool {
        let needs_approval = |cause: &Cause| matches!(cause, Cause::Acted { consent: Consent::By(_), .. });
        !self.causes.is_empty() && self.causes.iter().all(needs_approval)
    }
}
