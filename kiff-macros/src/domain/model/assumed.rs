//! Declarations that a block must have, as it uses their names, and that could not be read.

use proc_macro2::Ident;

use super::{Action, Approval, Declared, Event, Reference, Role, Runners, State};
use crate::domain::syntax::{self, Named};
use crate::domain::wire::plain;

impl Declared {
    fn assumed(name: &Ident) -> Self {
        Self { name: name.clone(), wire: plain(name), given_wire: None, twin: false }
    }
}

fn named(name: &Ident) -> Named {
    Named { name: name.clone(), wire: None }
}

impl Role {
    /// A role of this name.
    pub(crate) fn assumed(name: &Ident) -> Self {
        let syntax = syntax::Role { attributes: Vec::new(), declared: named(name), kind: None };
        Self { declared: Declared::assumed(name), syntax }
    }
}

impl State {
    /// A state of this name.
    pub(crate) fn assumed(name: &Ident) -> Self {
        let syntax = syntax::State { attributes: Vec::new(), is_final: false, declared: named(name) };
        Self { declared: Declared::assumed(name), syntax }
    }
}

impl Event {
    /// An event of this name.
    pub(crate) fn assumed(name: &Ident) -> Self {
        let syntax = syntax::Event {
            attributes: Vec::new(),
            declared: named(name),
            fields: Vec::new(),
            reported: None,
            whole: false,
        };
        Self { declared: Declared::assumed(name), syntax, reporters: vec![Reference::UNREADABLE] }
    }
}

impl Action {
    /// An action of this name.
    pub(crate) fn assumed(name: &Ident) -> Self {
        let syntax = syntax::Action {
            attributes: Vec::new(),
            declared: named(name),
            risk: None,
            by: None,
            emits: None,
            approval: None,
            effect: None,
            permission: None,
            approval_permission: None,
            whole: false,
        };
        Self {
            declared: Declared::assumed(name),
            syntax,
            runners: Runners::Roles(vec![Reference::UNREADABLE]),
            emits: vec![Reference::UNREADABLE],
            approval: Approval::Roles(vec![Reference::UNREADABLE]),
            permission: String::new(),
            approval_permission: String::new(),
        }
    }
}
