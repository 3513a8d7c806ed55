//! Two versions of a domain held against each other: what governs in one and not in the other.

use serde::Serialize;

use super::difference::{Alteration, Consequence, Difference, SchemaPart};
use super::fingerprint::governing;
use super::rules;
use super::{
    ApprovalRule, Contract, Effect, EventSchema, FieldSchema, Never, Parameter, Permission, Role, RoleSchema, Schema,
    StateSchema, Text, Transition, without_path,
};

impl Schema {
    /// What governs otherwise than in a version before; nothing exactly where both have one
    /// [fingerprint](Schema::fingerprint).
    ///
    /// ```
    /// # use kiff::Schema;
    /// fn review(deployed: &Schema, reviewed: &Schema) {
    ///     for difference in deployed.differences_from(reviewed) {
    ///         println!("{difference}");
    ///     }
    /// }
    /// ```
    #[must_use]
    pub fn differences_from(&self, before: &Self) -> Vec<Difference> {
        let Self { domain, entity_type, documentation: _, roles, states, events, transitions, actions, never } = before;
        let mut versions = Versions { before, after: self, found: Vec::new() };
        versions.changed_text(SchemaPart::Domain, domain, &self.domain, None);
        let not_found = Some(Consequence::EntitiesNotFound);
        versions.changed_text(SchemaPart::EntityType, entity_type, &self.entity_type, not_found);
        versions.roles(roles);
        versions.states(states);
        versions.events(events);
        versions.transitions(transitions);
        versions.actions(actions);
        versions.promises(never);
        versions.contracts(actions);
        versions.found
    }
}

/// An item that two versions do not have alike.
enum Pair<'a, T> {
    Gone(&'a T),
    New(&'a T),
    Altered(&'a T, &'a T),
}

/// The items of two lists that are not in both, in whatever order; `is_one` tells by the name which is another version of which.
fn pairs<'a, T: Serialize>(
    before: &'a [T],
    after: &'a [T],
    is_one: impl Fn(&T, &T) -> bool,
) -> impl Iterator<Item = Pair<'a, T>> {
    let mut rest: Vec<(String, &'a T)> = after.iter().map(|item| (governing(item), item)).collect();
    let mut unmatched = Vec::new();
    for item in before {
        let written = governing(item);
        if let Some(place) = rest.iter().position(|(other, _)| *other == written) {
            rest.remove(place);
        } else {
            unmatched.push(item);
        }
    }
    let mut pairs = Vec::new();
    for item in unmatched {
        let place = rest.iter().position(|&(_, other)| is_one(item, other));
        pairs.push(place.map_or(Pair::Gone(item), |place| Pair::Altered(item, rest.remove(place).1)));
    }
    pairs.into_iter().chain(rest.into_iter().map(|(_, item)| Pair::New(item)))
}

struct Versions<'a> {
    before: &'a Schema,
    after: &'a Schema,
    found: Vec<Difference>,
}

impl Versions<'_> {
    fn added(&mut self, part: SchemaPart, after: Option<String>, consequence: Option<Consequence>) {
        self.found.push(Difference { part, alteration: Alteration::Added { after }, consequence });
    }

    fn removed(&mut self, part: SchemaPart, consequence: Option<Consequence>) {
        self.found.push(Difference { part, alteration: Alteration::Removed, consequence });
    }

    fn changed(&mut self, part: SchemaPart, before: String, after: String, consequence: Option<Consequence>) {
        self.found.push(Difference { part, alteration: Alteration::Changed { before, after }, consequence });
    }

    fn changed_text(&mut self, part: SchemaPart, before: &str, after: &str, consequence: Option<Consequence>) {
        if before != after {
            self.changed(part, before.to_owned(), after.to_owned(), consequence);
        }
    }

    fn roles(&mut self, before: &[RoleSchema]) {
        let part = |role: &RoleSchema| SchemaPart::Role { role: role.name.clone() };
        let lost = Some(Consequence::RoleLost);
        let after = self.after;
        for pair in pairs(before, &after.roles, |before, after| before.name == after.name) {
            match pair {
                Pair::Gone(role) => self.removed(part(role), lost),
                Pair::New(role) => self.added(part(role), Some(role.kind.to_string()), None),
                Pair::Altered(before, after) => {
                    let RoleSchema { name: _, kind, documentation: _ } = before;
                    self.changed_text(part(before), kind.as_str(), after.kind.as_str(), lost);
                }
            }
        }
    }

    fn states(&mut self, before: &[StateSchema]) {
        let part = |state: &StateSchema| SchemaPart::State { state: state.name.clone() };
        let after = self.after;
        for pair in pairs(before, &after.states, |before, after| before.name == after.name) {
            match pair {
                Pair::Gone(state) => self.removed(part(state), Some(Consequence::JournalsUnreadable)),
                Pair::New(state) => self.added(part(state), state.is_final.then(|| finality(true).to_owned()), None),
                Pair::Altered(before, after) => {
                    let StateSchema { name: _, is_final, documentation: _ } = before;
                    self.changed_text(part(before), finality(*is_final), finality(after.is_final), None);
                }
            }
        }
    }

    fn events(&mut self, before: &[EventSchema]) {
        let part = |event: &EventSchema| SchemaPart::Event { event: event.name.clone() };
        let after = self.after;
        for pair in pairs(before, &after.events, |before, after| before.name == after.name) {
            match pair {
                Pair::Gone(event) => self.removed(part(event), Some(Consequence::EventGone)),
                Pair::New(event) => {
                    let fields = event.fields.iter().map(|field| format!("{}: {}", field.name, field.type_name));
                    self.added(part(event), listed(fields), None);
                }
                Pair::Altered(before, after) => self.event(before, after),
            }
        }
    }

    fn event(&mut self, before: &EventSchema, after: &EventSchema) {
        let EventSchema { name, documentation: _, fields, report } = before;
        let is_reported = !report.roles.is_empty() && !after.report.roles.is_empty();
        // A field that is not known is passed over, and an `Option` may be left out.
        let refused = |is_refused| (is_reported && is_refused).then_some(Consequence::ReportsRefused);
        let part = |field: &FieldSchema| SchemaPart::Field { event: name.clone(), field: field.name.clone() };
        for pair in pairs(fields, &after.fields, |before, after| before.name == after.name) {
            match pair {
                Pair::Gone(field) => self.removed(part(field), None),
                Pair::New(field) => {
                    let is_needed = !without_path(&field.type_name).starts_with("Option<");
                    self.added(part(field), Some(field.type_name.to_string()), refused(is_needed));
                }
                Pair::Altered(before, after) => {
                    let FieldSchema { name: _, type_name, documentation: _ } = before;
                    self.changed_text(part(before), type_name, &after.type_name, refused(true));
                }
            }
        }
        let (gone, new) = self.holders(report, &after.report);
        let part = |role| SchemaPart::Reporter { event: name.clone(), role };
        for role in gone {
            self.removed(part(role), Some(Consequence::ReportsRefused));
        }
        for role in new {
            self.added(part(role), None, None);
        }
        self.permission(SchemaPart::ReportPermission { event: name.clone() }, report, &after.report);
    }

    fn transitions(&mut self, before: &[Transition]) {
        let part = |line: &Transition| SchemaPart::Transition { event: line.event.clone(), from: line.from.clone() };
        let is_one = |before: &Transition, after: &Transition| before.event == after.event && before.from == after.from;
        let differs = Some(Consequence::ReplayDiffers);
        let after = self.after;
        for pair in pairs(before, &after.transitions, is_one) {
            match pair {
                Pair::Gone(line) => self.removed(part(line), differs),
                Pair::New(line) => self.added(part(line), Some(line.to.to_string()), None),
                Pair::Altered(before, after) => {
                    let Transition { event: _, from: _, to } = before;
                    self.changed_text(part(before), to, &after.to, differs);
                }
            }
        }
    }

    fn actions(&mut self, before: &[Contract]) {
        let part = |action: &Contract| SchemaPart::Action { action: action.name.clone() };
        let after = self.after;
        for pair in pairs(before, &after.actions, |before, after| before.name == after.name) {
            match pair {
                Pair::Gone(action) => self.removed(part(action), Some(Consequence::ActionGone)),
                Pair::New(action) => {
                    let taken = action.parameters.iter();
                    let taken = taken.map(|parameter| format!("{}: {}", parameter.name, rules::shown(parameter)));
                    self.added(part(action), listed(taken), None);
                }
                Pair::Altered(before, after) => self.action(before, after),
            }
        }
    }

    fn action(&mut self, before: &Contract, after: &Contract) {
        let Contract { name, documentation: _, risk, effect, permission, approval, emits, allowed_in, parameters } =
            before;
        let action = || name.clone();
        let refused = Some(Consequence::CallsRefused);
        self.changed_text(SchemaPart::Risk { action: action() }, risk.as_str(), after.risk.as_str(), None);
        self.changed_text(SchemaPart::Effect { action: action() }, touched(*effect), touched(after.effect), None);
        let (gone, new) = self.holders(permission, &after.permission);
        let part = |role| SchemaPart::Runner { action: action(), role };
        for role in gone {
            self.removed(part(role), refused);
        }
        for role in new {
            self.added(part(role), None, None);
        }
        self.permission(SchemaPart::RunPermission { action: action() }, permission, &after.permission);
        self.approval(name, approval, &after.approval);
        let part = |event: &Text| SchemaPart::Emission { action: action(), event: event.clone() };
        self.names(emits, &after.emits, part, Some(Consequence::EmissionGone));
        let part = |state: &Text| SchemaPart::Allowance { action: action(), state: state.clone() };
        self.names(allowed_in, &after.allowed_in, part, refused);
        self.parameters(name, parameters, &after.parameters);
    }

    /// Lists of names, where one that is gone means something.
    fn names(
        &mut self,
        before: &[Text],
        after: &[Text],
        part: impl Fn(&Text) -> SchemaPart,
        gone: Option<Consequence>,
    ) {
        for pair in pairs(before, after, |_, _| false) {
            match pair {
                Pair::Gone(name) | Pair::Altered(name, _) => self.removed(part(name), gone),
                Pair::New(name) => self.added(part(name), None, None),
            }
        }
    }

    fn approval(&mut self, name: &Text, before: &ApprovalRule, after: &ApprovalRule) {
        let part = SchemaPart::Approval { action: name.clone() };
        let shown = (approver(self.before, before), approver(self.after, after));
        match (before, after) {
            (ApprovalRule::By(before), ApprovalRule::By(after)) => {
                let (gone, new) = self.holders(before, after);
                if !gone.is_empty() || !new.is_empty() {
                    self.changed(part, shown.0, shown.1, None);
                }
                self.permission(SchemaPart::ApprovalPermission { action: name.clone() }, before, after);
            }
            _ if before != after => {
                let is_asked_for = matches!(after, ApprovalRule::By(_)) && !matches!(before, ApprovalRule::By(_));
                self.changed(part, shown.0, shown.1, is_asked_for.then_some(Consequence::CallsRefused));
            }
            _ => {}
        }
    }

    fn parameters(&mut self, name: &Text, before: &[Parameter], after: &[Parameter]) {
        let part = |parameter: &Parameter| {
            let parameter = parameter.name.clone();
            SchemaPart::Parameter { action: name.clone(), parameter }
        };
        let refused = |is_refused: bool| is_refused.then_some(Consequence::CallsRefused);
        for pair in pairs(before, after, |before, after| before.name == after.name) {
            match pair {
                Pair::Gone(parameter) => self.removed(part(parameter), refused(true)),
                Pair::New(parameter) => {
                    self.added(part(parameter), Some(rules::shown(parameter)), refused(!parameter.optional));
                }
                Pair::Altered(before, after) => {
                    let (was, is) = (rules::shown(before), rules::shown(after));
                    self.changed(part(before), was, is, refused(rules::asks_more(before, after)));
                }
            }
        }
    }

    fn promises(&mut self, before: &[Never]) {
        let part = |clause: &Never| SchemaPart::Never { clause: clause.clone() };
        let after = self.after;
        for pair in pairs(before, &after.never, |_, _| false) {
            match pair {
                Pair::Gone(clause) | Pair::Altered(clause, _) => self.removed(part(clause), None),
                Pair::New(clause) => self.added(part(clause), None, None),
            }
        }
    }

    /// The actions of both whose approvals are bound to what governs no more. What makes it so was found before.
    fn contracts(&mut self, before: &[Contract]) {
        if self.found.is_empty() {
            return;
        }
        for action in before.iter().filter(|action| matches!(action.approval, ApprovalRule::By(_))) {
            let Some(now) = self.after.action(&action.name) else { continue };
            let prints = (self.before.fingerprint_of(action), self.after.fingerprint_of(now));
            if prints.0 != prints.1 {
                let part = SchemaPart::Contract { action: action.name.clone() };
                let void = Some(Consequence::ApprovalsVoid);
                self.changed(part, prints.0.to_string(), prints.1.to_string(), void);
            }
        }
    }

    /// The roles that carry a permission no more, and those that carry it now. What makes another of a role itself is told of
    /// the role.
    fn holders(&self, before: &Permission, after: &Permission) -> (Vec<Text>, Vec<Text>) {
        let is_one = |before: &Role, after: &Role| {
            before.name == after.name && is_declared(self.before, before) && is_declared(self.after, after)
        };
        let (mut gone, mut new) = (Vec::new(), Vec::new());
        for pair in pairs(&before.roles, &after.roles, is_one) {
            match pair {
                Pair::Gone(role) => gone.push(holder(self.before, role)),
                Pair::New(role) => new.push(holder(self.after, role)),
                Pair::Altered(..) => {}
            }
        }
        (gone, new)
    }

    /// The name of a permission, but for the name of the domain that it begins with.
    fn permission(&mut self, part: SchemaPart, before: &Permission, after: &Permission) {
        let own = |schema: &Schema, permission: &Permission| {
            let domain: &str = &schema.domain;
            let name: &str = &permission.name;
            name.strip_prefix(domain).and_then(|rest| rest.strip_prefix('.')).map(str::to_owned)
        };
        let (own_before, own_after) = (own(self.before, before), own(self.after, after));
        if own_before.is_none() || own_before != own_after {
            self.changed_text(part, &before.name, &after.name, None);
        }
    }
}

const fn finality(is_final: bool) -> &'static str {
    if is_final { "final" } else { "not final" }
}

const fn touched(effect: Effect) -> &'static str {
    match effect {
        Effect::None => "none",
        Effect::Outside => "outside",
    }
}

fn listed(items: impl Iterator<Item = String>) -> Option<String> {
    let items: Vec<String> = items.collect();
    (!items.is_empty()).then(|| items.join("; "))
}

/// Whether it is the one role of that name that the domain declares.
fn is_declared(schema: &Schema, role: &Role) -> bool {
    let mut declared = schema.roles.iter().filter(|declared| declared.name == role.name);
    let is_its_kind = declared.next().is_some_and(|declared| declared.kind == role.kind);
    is_its_kind && declared.next().is_none() && role.domain == schema.domain
}

fn holder(schema: &Schema, role: &Role) -> Text {
    if is_declared(schema, role) {
        return role.name.clone();
    }
    format!("{}.{} ({})", role.domain, role.name, role.kind).into()
}

fn approver(schema: &Schema, rule: &ApprovalRule) -> String {
    match rule {
        ApprovalRule::None => "nobody".to_owned(),
        ApprovalRule::Waived { reason } => format!("nobody, because \"{reason}\""),
        ApprovalRule::By(permission) => {
            let holders: Vec<Text> = permission.roles.iter().map(|role| holder(schema, role)).collect();
            holders.join(" or ")
        }
    }
}
