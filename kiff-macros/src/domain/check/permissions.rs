//! What each permission lets somebody do: one thing, unless the block itself gives two the same name.

use std::collections::{HashMap, HashSet};

use crate::domain::model::{Action, Approval, Declared, Event, Id, Model, Reference, Role};
use crate::domain::syntax::ActorKind;
use crate::errors::Errors;

/// The permissions that the runtime asks for whatever a block declares: how their names end, and what they let somebody do.
const OF_THE_RUNTIME: [(&str, &str); 2] =
    [("entity.read", "look at an entity"), ("approval.withdraw", "deny or withdraw what was asked for")];

/// Who may do one thing must not, by a likeness of names, be who may do another.
pub(super) fn same_permission(model: &Model, rule: &'static str, errors: &Errors) {
    let permissions = permissions(model);
    taken_by_the_runtime(model, &permissions, rule, errors);
    let mut by_name: HashMap<&str, Vec<&Permission<'_>>> = HashMap::new();
    let mut told = HashSet::new();
    for later in &permissions {
        let before = by_name.entry(&later.called).or_default();
        let taken = before.iter().copied().find(|earlier| earlier.is_taken_by(later));
        before.push(later);
        // Two actions whose runs have one name are approved and settled alike as well.
        let Some(earlier) = taken.filter(|earlier| told.insert((earlier.name(), later.name()))) else {
            continue;
        };
        // The name of one that runs an action is changed at less cost, and so is one that is written out.
        let is_in_the_way = matches!(earlier.lets, Lets::Run) && !matches!(later.lets, Lets::Run);
        let blamed = if is_in_the_way || (earlier.is_written && !later.is_written) { earlier } else { later };
        let instead = match blamed.lets {
            _ if earlier.name() == later.name() => "write two different names",
            Lets::Settle { .. } if earlier.is_named_as(later) => {
                "different roles may do so, so give one of the actions its own with `permission: \"…\"`"
            }
            Lets::Run | Lets::Settle { .. } => {
                "rename one of them, or give the action its own with `permission: \"…\"`"
            }
            Lets::Approve => "rename one of them, or give the action its own with `approval_permission: \"…\"`",
            Lets::Report => "rename one of them",
        };
        let message = format!(
            "the permission `{}` would both {} `{}` and {} `{}`: {instead}",
            later.called,
            earlier.lets.word(),
            earlier.name(),
            later.lets.word(),
            later.name(),
        );
        errors.report(rule, &blamed.declared.name, message);
    }
}

/// Only a name that is written out can be one of the runtime's own.
fn taken_by_the_runtime(model: &Model, permissions: &[Permission<'_>], rule: &'static str, errors: &Errors) {
    let domain = model.header.domain_wire();
    for Permission { called, lets, declared, .. } in permissions {
        let own = called.strip_prefix(domain.as_str()).and_then(|rest| rest.strip_prefix('.'));
        let taken = OF_THE_RUNTIME.iter().find(|(name, _)| own == Some(*name));
        if let Some((_, does)) = taken {
            let (lets, name) = (lets.word(), declared.plain());
            let message =
                format!("the permission `{called}` would both {lets} `{name}` and {does}: write another name");
            errors.report(rule, &declared.name, message);
        }
    }
}

/// A permission that is made of names is a name on the wire as well, and may be too long where none of them is.
pub(super) fn overlong_permission(model: &Model, rule: &'static str, longest: usize, errors: &Errors) {
    let is_long = |name: &str| name.chars().count() > longest;
    // Of the names themselves it is told that they are too long, and then not of what is made of them.
    if is_long(&model.header.domain_wire()) {
        return;
    }
    for Permission { called, lets, is_written, declared } in permissions(model) {
        let is_told = is_written || is_long(&declared.wire);
        let instead = match lets {
            Lets::Run => "rename the action, or write a shorter one with `permission: \"…\"`",
            Lets::Approve => "rename the action, or write a shorter one with `approval_permission: \"…\"`",
            Lets::Settle { run, .. } if is_long(run) => continue,
            Lets::Settle { .. } => {
                "it is made of that to run the action, so write a shorter one with `permission: \"…\"`"
            }
            Lets::Report => "rename the event, or give the domain a shorter name on the wire with `as \"…\"`",
        };
        if !is_told && is_long(&called) {
            let message = format!(
                "the permission to {} `{}` would have {} letters on the wire, and the most is {longest}: {instead}",
                lets.word(),
                declared.plain(),
                called.chars().count(),
            );
            errors.report(rule, &declared.name, message);
        }
    }
}

/// One permission.
struct Permission<'m> {
    called: String,
    lets: Lets<'m>,
    /// Whether its name stands in the block as it is.
    is_written: bool,
    /// The action or the event.
    declared: &'m Declared,
}

/// What a permission lets somebody do.
enum Lets<'m> {
    Run,
    Approve,
    /// It is named after the permission to run the action.
    Settle {
        run: &'m str,
        /// Who may; none where that is not known.
        by: Option<HashSet<Id<Role>>>,
    },
    Report,
}

impl Lets<'_> {
    const fn word(&self) -> &'static str {
        match self {
            Self::Run => "run",
            Self::Approve => "approve",
            Self::Settle { .. } => "settle",
            Self::Report => "report",
        }
    }
}

impl<'m> Permission<'m> {
    fn run(action: &'m Action) -> Self {
        Self {
            called: action.permission.clone(),
            lets: Lets::Run,
            is_written: action.syntax.permission.is_some(),
            declared: &action.declared,
        }
    }

    /// None where nobody has to approve.
    fn approve(action: &'m Action) -> Option<Self> {
        matches!(action.approval, Approval::Roles(_)).then(|| Self {
            called: action.approval_permission.clone(),
            lets: Lets::Approve,
            is_written: action.syntax.approval_permission.is_some(),
            declared: &action.declared,
        })
    }

    /// As `Contract::settlement` names it.
    fn settle(model: &Model, action: &'m Action, domain: &str) -> Self {
        let run = action.permission.as_str();
        let own = run.strip_prefix(domain).and_then(|rest| rest.strip_prefix('.')).unwrap_or(run);
        Self {
            called: format!("{domain}.settle_{own}"),
            lets: Lets::Settle { run, by: settlers(model, action) },
            is_written: false,
            declared: &action.declared,
        }
    }

    /// None where nobody reports the event.
    fn report(event: &'m Event, domain: &str) -> Option<Self> {
        (!event.reporters.is_empty()).then(|| Self {
            called: event.report_permission(domain),
            lets: Lets::Report,
            is_written: false,
            declared: &event.declared,
        })
    }

    fn name(&self) -> String {
        self.declared.plain()
    }

    /// Whether both settle, and are named after one permission to run.
    fn is_named_as(&self, other: &Self) -> bool {
        match (&self.lets, &other.lets) {
            (Lets::Settle { run, .. }, Lets::Settle { run: after, .. }) => run == after,
            _ => false,
        }
    }

    /// Whether the other, which has the same name, lets somebody do something else that nobody has put together with this.
    fn is_taken_by(&self, other: &Self) -> bool {
        let is_meant = match (&self.lets, &other.lets) {
            (Lets::Run, Lets::Run) | (Lets::Approve, Lets::Approve) => self.is_written && other.is_written,
            // What settles two actions may have one name where what runs them has, and where the same roles carry it.
            (Lets::Settle { by, .. }, Lets::Settle { by: held, .. }) => {
                self.is_named_as(other) && by.as_ref().zip(held.as_ref()).is_none_or(|(by, held)| by == held)
            }
            _ => false,
        };
        // What is declared twice is told as such.
        let is_twin = self.lets.word() == other.lets.word() && self.name() == other.name();
        !is_meant && !is_twin
    }
}

/// Who settles the action, as `Contract::settlement` finds it; none where a role could not be read.
fn settlers(model: &Model, action: &Action) -> Option<HashSet<Id<Role>>> {
    let named = |roles: &[Reference<Role>]| -> Option<HashSet<Id<Role>>> {
        roles.iter().map(|role| role.exact().map(|(id, _)| id)).collect()
    };
    if let Approval::Roles(roles) = &action.approval {
        return named(roles);
    }
    if !model.roles.whole || model.roles.iter().any(|(_, role)| role.kind().is_none()) {
        return None;
    }
    let is_human = |id: &Id<Role>| model.roles[*id].kind() == Some(ActorKind::Human);
    let runners: HashSet<Id<Role>> = named(action.runners.roles())?.into_iter().filter(is_human).collect();
    Some(if runners.is_empty() { model.roles.ids().filter(is_human).collect() } else { runners })
}

/// Every permission that the block makes: those to run first, as they are blamed first.
fn permissions(model: &Model) -> Vec<Permission<'_>> {
    let domain = model.header.domain_wire();
    let actions = || model.actions.iter().map(|(_, action)| action);
    let events = model.events.iter().map(|(_, event)| event);
    let mut permissions: Vec<Permission<'_>> = actions().map(Permission::run).collect();
    permissions.extend(actions().filter_map(Permission::approve));
    permissions.extend(actions().map(|action| Permission::settle(model, action, &domain)));
    permissions.extend(events.filter_map(|event| Permission::report(event, &domain)));
    permissions
}
