//! What the permission to run each action is called: never what approves, settles or reports something, nor what runs another
//! action that does not say so as well, or that others settle.

use std::collections::{BTreeMap, BTreeSet};

use super::descriptor::Descriptor;
use super::draft::{Action, Draft, Finding};
use super::names::snake;
use super::rendered::Rendered;

/// How many letters a permission has at most.
const LONGEST: usize = 128;

/// The permission to run an action.
struct Permission {
    /// Its name, where that does not follow from the action's.
    written: Option<String>,
    /// That it could not have the name that it should have.
    told: Option<Finding>,
}

impl Draft {
    /// Names the permission to run each action.
    pub(crate) fn name_permissions(&mut self, descriptor: &Descriptor) {
        let permissions = self.permissions(descriptor);
        for (action, permission) in self.actions.iter_mut().zip(permissions) {
            action.permission = permission.written;
            self.findings.extend(permission.told);
        }
    }

    /// That a permission which is made of names would have too many letters, if one would.
    pub(crate) fn overlong_permission(&self, descriptor: &Descriptor) -> Option<String> {
        let (domain, rendered) = (&descriptor.domain, Rendered::new(&descriptor.domain, &descriptor.entity, self));
        let of_actions = self.actions.iter().flat_map(|action| {
            let own = snake(rendered.action(&action.name));
            let run = action.permission.clone().unwrap_or_else(|| format!("{domain}.{own}"));
            let approve = action.is_approved.then(|| ("approve", format!("{domain}.approve_{own}")));
            let made = [("settle", settling(domain, &run)), ("run", run)].into_iter().chain(approve);
            made.map(move |(does, permission)| (does, &action.name, permission.len()))
        });
        let reported = self.events.iter().filter(|event| event.reporter.is_some());
        let of_events = reported.map(|event| {
            let permission = format!("{domain}.report_{}", snake(rendered.event(&event.name)));
            ("report", &event.name, permission.len())
        });
        let mut made = of_actions.chain(of_events);
        let (does, name, letters) = made.find(|(_, _, letters)| *letters > LONGEST)?;
        Some(format!("the permission to {does} `{name}` would have {letters} letters, and the most is {LONGEST}"))
    }

    fn permissions(&self, descriptor: &Descriptor) -> Vec<Permission> {
        let rendered = Rendered::new(&descriptor.domain, &descriptor.entity, self);
        let named = |word: &str, action: &Action| {
            format!("{}.{word}{}", descriptor.domain, snake(rendered.action(&action.name)))
        };
        let taken = self.taken(&rendered, &descriptor.domain, named);
        let all_names: Vec<String> = self.actions.iter().map(|action| wished(action, named)).collect();
        // The first action of the permission, where it is settled by others than this one.
        let rival = |action: &Action, permission: &str| {
            let first = self.actions.iter().zip(&all_names).find(|(_, name)| name.as_str() == permission);
            first.map(|(first, _)| first).filter(|first| self.settlers(first) != self.settlers(action))
        };
        let permission = |action: &Action| {
            let (wished, derived, other) = (wished(action, named), named("", action), named("run_", action));
            let whole = format!("{}.{wished}", descriptor.domain);
            let said = match (taken.get(&wished), rival(action, &wished)) {
                (Some(does), _) => format!("the permission `{wished}` would both run `{}` and {does}", action.name),
                (None, _) if all_names.contains(&whole) => {
                    format!("the permissions `{wished}` and `{whole}` would be settled by one of one name")
                }
                (None, Some(first)) => {
                    let (first, name) = (&first.name, &action.name);
                    format!("the permission `{wished}` would run `{first}` and `{name}`, which different roles settle")
                }
                (None, None) => {
                    // What runs two actions is written at both.
                    let mut runs = self.actions.iter().zip(&all_names).filter(|(_, name)| **name == wished);
                    let is_shared = runs.any(|(one, _)| one.name != action.name && rival(one, &wished).is_none());
                    let written = Some(wished).filter(|wished| is_shared || *wished != derived);
                    return Permission { written, told: None };
                }
            };
            let name = if taken.contains_key(&derived) || all_names.contains(&derived) { &other } else { &derived };
            let told = Finding {
                rule: Some("duplicate_name"),
                said,
                written: format!("what runs `{}` is called `{name}`", action.name),
            };
            Permission { written: Some(name.clone()).filter(|name| *name != derived), told: Some(told) }
        };
        self.actions.iter().map(permission).collect()
    }

    /// Who will settle the action: who approves it, or those of whom it runs that are human, or all humans.
    fn settlers<'d>(&'d self, action: &'d Action) -> BTreeSet<&'d str> {
        if action.is_approved {
            return action.approvers.iter().map(String::as_str).collect();
        }
        let humans = self.roles.iter().filter(|role| role.kind == "human");
        let humans: BTreeSet<&str> = humans.map(|role| role.name.as_str()).collect();
        let runners: BTreeSet<&str> =
            action.by.iter().map(String::as_str).filter(|name| humans.contains(name)).collect();
        if runners.is_empty() { humans } else { runners }
    }

    /// The permissions to do something else than to run an action, and what they do.
    fn taken(
        &self,
        rendered: &Rendered<'_>,
        domain: &str,
        named: impl Fn(&str, &Action) -> String + Copy,
    ) -> BTreeMap<String, String> {
        let approved = self.actions.iter().filter(|action| action.is_approved);
        let approve = approved.map(|action| (named("approve_", action), format!("approve `{}`", action.name)));
        let settle = self
            .actions
            .iter()
            .map(|action| (settling(domain, &wished(action, named)), format!("settle `{}`", action.name)));
        let reported = self.events.iter().filter(|event| event.reporter.is_some());
        let report = reported.map(|event| {
            let name = format!("{domain}.report_{}", snake(rendered.event(&event.name)));
            (name, format!("report `{}`", event.name))
        });
        settle.chain(report).chain(approve).collect()
    }
}

/// The permission that the descriptor demands, if it is one, or else what follows from the action's name.
fn wished(action: &Action, named: impl Fn(&str, &Action) -> String) -> String {
    match action.permissions.as_slice() {
        [permission] => permission.clone(),
        _ => named("", action),
    }
}

/// What the permission to settle an action is called which this one runs.
fn settling(domain: &str, run: &str) -> String {
    let own = run.strip_prefix(domain).and_then(|rest| rest.strip_prefix('.')).unwrap_or(run);
    format!("{domain}.settle_{own}")
}
