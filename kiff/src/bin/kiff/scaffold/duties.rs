//! Who may do what: kinds of actors, approvals, and who may say what happened.

use super::descriptor::{Descriptor, Roles};
use super::draft::{Action, Draft, Event, Role, listed};

/// Names that people have and agents do not.
const PEOPLE: [&str; 9] =
    ["admin", "approver", "human", "manager", "officer", "operator", "reviewer", "supervisor", "treasurer"];

impl Draft {
    /// Says who runs, approves and reports, and by which permission.
    pub(crate) fn assign_duties(&mut self, descriptor: &Descriptor) {
        self.runners(&descriptor.roles);
        self.approvers(&descriptor.roles);
        self.reporters(descriptor.adapter.as_deref());
        self.role_without_duty(&descriptor.roles);
        self.name_permissions(descriptor);
        if !self.roles.is_empty() {
            let kinds: Vec<String> = self.roles.iter().map(|role| format!("{}: {}", role.name, role.kind)).collect();
            let said = "which kind of actor holds a role".to_owned();
            self.assumed(said, format!("{}; a role is held by actors of one kind only", kinds.join(", ")));
        }
    }

    /// Takes out what none of the roles that there are may run.
    pub(crate) fn nobody_may(&mut self, roles: &Roles) {
        if roles.0.is_empty() {
            return;
        }
        let is_held = |action: &Action| {
            action.permissions.is_empty() || roles.0.iter().any(|(_, held)| holds(held, &action.permissions))
        };
        let (kept, left): (Vec<Action>, Vec<Action>) = std::mem::take(&mut self.actions).into_iter().partition(is_held);
        self.actions = kept;
        for action in left {
            let said = format!("no role holds {}, which `{}` requires", listed(&action.permissions), action.name);
            let written = "the action is left out; let a role hold what it requires if it is meant";
            self.found("nobody_may", said, written.to_owned());
        }
    }

    fn runners(&mut self, roles: &Roles) {
        let mut told = Vec::new();
        for action in self.actions.iter_mut().filter(|action| !action.permissions.is_empty()) {
            let may = roles.0.iter().filter(|(_, held)| holds(held, &action.permissions));
            action.by = may.map(|(role, _)| role.clone()).collect();
        }
        let mut runners: Vec<String> = Vec::new();
        for role in self.actions.iter().flat_map(|action| &action.by) {
            if !runners.contains(role) {
                runners.push(role.clone());
            }
        }
        if runners.is_empty() {
            runners.push("agent".to_owned());
        }
        for action in self.actions.iter_mut().filter(|action| action.by.is_empty()) {
            let why = if action.permissions.is_empty() {
                format!("`{}` requires no permission: everybody may run it", action.name)
            } else {
                format!("no role holds {}, which `{}` requires", listed(&action.permissions), action.name)
            };
            told.push((why, format!("{} may run it", listed(&runners))));
            action.by.clone_from(&runners);
            action.permissions.clear();
        }
        for (said, written) in told {
            self.found("nobody_may", said, written);
        }
        for name in runners {
            let kind = kind_of(&name).unwrap_or("agent");
            self.roles.push(Role { name, kind });
        }
    }

    fn approvers(&mut self, roles: &Roles) {
        let is_dangerous = |risk: &str| matches!(risk, "high" | "critical");
        let mut told = Vec::new();
        for action in self.actions.iter_mut().filter(|action| is_dangerous(&action.risk) && !action.is_approved) {
            told.push((
                format!("`{}` has {} risk and nobody has to approve it", action.name, action.risk),
                "it needs an approval; if it should not, write `approval: unapproved(\"the reason\")`".to_owned(),
            ));
            action.is_approved = true;
        }
        for (said, written) in told {
            self.found("unapproved_risk", said, written);
        }
        if !self.actions.iter().any(|action| action.is_approved) {
            return;
        }
        let runs = |draft: &Self, name: &str| draft.actions.iter().any(|action| action.by.iter().any(|by| by == name));
        for (name, held) in &roles.0 {
            if runs(self, name) && speaks_of_approval(held) {
                let said = format!("`{name}` may run actions and also approve them");
                self.found("approves_own_action", said, "it runs them; somebody else approves".to_owned());
            }
        }
        let is_machine = |name: &str| matches!(kind_of(name), Some("agent" | "system" | "service" | "external"));
        let mut approvers = Vec::new();
        let mut others: Vec<&(String, Vec<String>)> = roles.0.iter().filter(|(name, _)| !runs(self, name)).collect();
        let is_permitted = others.iter().any(|(_, held)| speaks_of_approval(held));
        others.retain(|(_, held)| !is_permitted || speaks_of_approval(held));
        for (name, _) in others {
            if is_machine(name) {
                let said = format!("`{name}` would approve, and is no human by its name");
                self.found("approver_not_human", said, "it does not approve".to_owned());
            } else {
                approvers.push(name.clone());
            }
        }
        if approvers.is_empty() {
            let mut name = self.free_name("operator");
            while roles.0.iter().any(|(own, _)| *own == name) {
                name.push_str("_role");
            }
            let said = "actions need an approval, and there is no role left that could give it".to_owned();
            self.found("nobody_may", said, format!("a role `{name}` is added, for humans"));
            approvers.push(name);
        } else {
            let why = if is_permitted {
                "by a permission to approve"
            } else {
                "as all who run nothing: none of them holds a permission to approve"
            };
            self.assumed("who approves".to_owned(), format!("{}, {why}", listed(&approvers)));
        }
        for action in self.actions.iter_mut().filter(|action| action.is_approved) {
            action.approvers.clone_from(&approvers);
        }
        self.roles.extend(approvers.into_iter().map(|name| Role { name, kind: "human" }));
    }

    fn reporters(&mut self, adapter: Option<&str>) {
        let mut split = Vec::new();
        for line in &mut self.transitions {
            if line.from.is_none() && self.governed.contains(&line.event) {
                let mut event = format!("{}_REPORTED", line.event);
                while self.events.iter().any(|own| own.name == event) || self.governed.contains(&event) {
                    event.push_str("_REPORTED");
                }
                self.events.push(Event { name: event.clone(), reporter: None });
                split.push((std::mem::replace(&mut line.event, event.clone()), event));
            }
        }
        for (emitted, reported) in split {
            let said = format!("`{emitted}` begins an entity, and an action emits it too");
            self.found(
                "emitted_and_reported",
                said,
                format!("what begins an entity is an event of its own, `{reported}`"),
            );
        }
        // An event that only began entities has no other transition left that its action could make.
        let used: Vec<&String> = self.transitions.iter().map(|line| &line.event).collect();
        self.events.retain(|event| used.contains(&&event.name));
        let system = self.roles.iter().find(|role| role.kind == "system").map(|role| role.name.clone());
        let source = system.unwrap_or_else(|| self.free_name("system"));
        let (emitted, reported): (Vec<String>, Vec<String>) =
            self.events.iter().map(|event| event.name.clone()).partition(|event| self.is_emitted(event));
        let through = adapter.map_or_else(String::new, |adapter| format!(" through the adapter `{adapter}`"));
        if !emitted.is_empty() {
            let said =
                format!("{} can be reported from outside{through}, past the action that governs it", listed(&emitted));
            self.found("emitted_and_reported", said, "only the action can make it happen".to_owned());
        }
        let said = format!("nothing says who may report {}{through}", listed(&reported));
        self.found("event_without_source", said, format!("`{source}` may, and nobody else"));
        for event in self.events.iter_mut().filter(|event| reported.contains(&event.name)) {
            event.reporter = Some(source.clone());
        }
        if !self.roles.iter().any(|role| role.name == source) {
            self.roles.push(Role { name: source, kind: "system" });
        }
    }

    fn role_without_duty(&mut self, roles: &Roles) {
        for (name, _) in &roles.0 {
            if !self.roles.iter().any(|role| role.name == *name) {
                let said = format!("the role `{name}` may do nothing");
                self.found("role_without_duty", said, "it is left out".to_owned());
            }
        }
    }

    /// The name, or one made of it that no role has.
    fn free_name(&self, name: &str) -> String {
        let mut free = name.to_owned();
        while self.roles.iter().any(|role| role.name == free) {
            free.push_str("_role");
        }
        free
    }
}

/// Whether whoever holds these permissions holds all that are needed.
fn holds(held: &[String], needed: &[String]) -> bool {
    needed.iter().all(|permission| held.contains(permission))
}

/// Whether permissions of these names are for somebody who approves.
fn speaks_of_approval(permissions: &[String]) -> bool {
    permissions.iter().any(|permission| permission.to_lowercase().contains("approve"))
}

/// The kind of actor that a role's name speaks of.
fn kind_of(name: &str) -> Option<&'static str> {
    let name = name.to_lowercase();
    let speaks_of = |word: &str| name.split(['_', '-', '.']).any(|part| part == word);
    if let Some(kind) = ["agent", "system", "service", "external"].into_iter().find(|kind| speaks_of(kind)) {
        return Some(kind);
    }
    PEOPLE.iter().any(|person| speaks_of(person)).then_some("human")
}
