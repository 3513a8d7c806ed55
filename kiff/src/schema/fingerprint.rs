//! What governs, without what only explains: two domains that govern alike have one fingerprint.

use serde::Serialize;

use super::{ApprovalRule, Contract, EventSchema, List, Permission, RoleSchema, Schema, StateSchema, Text, Transition};
use crate::digest::Digest;

impl Schema {
    /// A digest of the governance: the same when items are only put in another order or documented in other words,
    /// another when any name, rule or bound changes.
    ///
    /// ```
    /// # use kiff::Schema;
    /// fn is_unchanged(deployed: &Schema, reviewed: &Schema) -> bool {
    ///     deployed.fingerprint() == reviewed.fingerprint()
    /// }
    /// ```
    #[must_use]
    pub fn fingerprint(&self) -> Digest {
        digest("kiff/schema", &self.governing())
    }

    /// A digest of what governs one action: its contract, and where what it emits leads from where it is allowed. As with
    /// [`Schema::fingerprint`], order and words do not matter.
    #[must_use]
    pub fn fingerprint_of(&self, action: &Contract) -> Digest {
        let leads = |transition: &&Transition| {
            let from = transition.from.as_ref().is_some_and(|from| action.allowed_in.contains(from));
            from && action.emits.contains(&transition.event)
        };
        let transitions: Vec<Transition> = self.transitions.iter().filter(leads).cloned().collect();
        digest("kiff/contract", &(action.governing(), ordered(&transitions, Clone::clone)))
    }

    fn governing(&self) -> Self {
        Self {
            domain: self.domain.clone(),
            entity_type: self.entity_type.clone(),
            documentation: Text::default(),
            roles: ordered(&self.roles, |role| RoleSchema { documentation: Text::default(), ..role.clone() }),
            states: ordered(&self.states, |state| StateSchema { documentation: Text::default(), ..state.clone() }),
            events: ordered(&self.events, EventSchema::governing),
            transitions: ordered(&self.transitions, Clone::clone),
            actions: ordered(&self.actions, Contract::governing),
            never: ordered(&self.never, Clone::clone),
        }
    }
}

impl Contract {
    fn governing(&self) -> Self {
        Self {
            name: self.name.clone(),
            documentation: Text::default(),
            risk: self.risk,
            effect: self.effect,
            permission: self.permission.governing(),
            approval: match &self.approval {
                ApprovalRule::By(permission) => ApprovalRule::By(permission.governing()),
                other => other.clone(),
            },
            emits: ordered(&self.emits, Clone::clone),
            allowed_in: ordered(&self.allowed_in, Clone::clone),
            parameters: ordered(&self.parameters, |parameter| {
                let mut parameter = parameter.clone();
                parameter.documentation = Text::default();
                parameter.rules = ordered(&parameter.rules, Clone::clone);
                parameter
            }),
        }
    }
}

impl EventSchema {
    fn governing(&self) -> Self {
        Self {
            name: self.name.clone(),
            documentation: Text::default(),
            fields: ordered(&self.fields, |field| {
                let mut field = field.clone();
                field.documentation = Text::default();
                field
            }),
            report: self.report.governing(),
        }
    }
}

impl Permission {
    fn governing(&self) -> Self {
        Self { name: self.name.clone(), roles: ordered(&self.roles, Clone::clone) }
    }
}

/// The items as `convert` leaves them, in an order that depends on what they say and not on where they stood.
fn ordered<T: Clone + Serialize>(items: &[T], convert: impl Fn(&T) -> T) -> List<T> {
    let mut items: Vec<(String, T)> = items
        .iter()
        .map(|item| {
            let item = convert(item);
            (json(&item), item)
        })
        .collect();
    items.sort_by(|(one, _), (other, _)| one.cmp(other));
    items.into_iter().map(|(_, item)| item).collect()
}

fn digest<T: Serialize>(purpose: &str, item: &T) -> Digest {
    Digest::of(&[purpose.as_bytes(), json(item).as_bytes()])
}

fn json<T: Serialize>(item: &T) -> String {
    // INVARIANT: plain data with text keys always encodes.
    serde_json::to_string(item).unwrap_or_default()
}
