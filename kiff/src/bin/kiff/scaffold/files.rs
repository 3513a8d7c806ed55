//! The files of a scaffolded domain: the block with its executors, its tests, and what had to be decided.

use std::fmt::Write;

use super::draft::{Action, Finding};
use super::names::sentence;
use super::rendered::{Parameter, Rendered};

impl Rendered<'_> {
    /// `src/lib.rs`
    pub(crate) fn library(&self, source: &str) -> String {
        let uses_cents = self.draft.actions.iter().any(uses_cents);
        let cents = if uses_cents { "Cents, " } else { "" };
        let services = self.services();
        let mut text = format!(
            "//! The domain of `{source}`. The block governs; only the executors below it are left to fill.\n\n\
             use kiff::{{{cents}Execution, Failure, action, domain}};\n\n{}\n",
            self.block()
        );
        for action in &self.draft.actions {
            text.push_str(&self.executor(action));
        }
        let _ = write!(
            text,
            "/// What the executors touch: put your clients and credentials here.\n\
             #[derive(Debug, Default)]\npub struct {services};\n\n\
             /// Stands where an executor is still to be written: nothing was done, and the record says so.\n\
             fn unwritten<E>(_happened: E) -> Result<E, Failure> {{\n    \
             Err(Failure::refused(\"the executor is not written yet\").with_code(\"executor_unwritten\"))\n}}\n"
        );
        text
    }

    fn executor(&self, action: &Action) -> String {
        let (domain, name) = (&self.domain.ident, self.action(&action.name));
        let parameters = Self::parameters(action);
        let mut text = format!(
            "/// {}.\n#[action({domain}::{name})]\nasync fn {}(\n    _services: &{},\n    _execution: &Execution,\n",
            sentence(&super::names::Name::plain(name)),
            super::names::parameter(name),
            self.services(),
        );
        for Parameter { ident, kind } in &parameters {
            let _ = writeln!(text, "    {}{ident}: {},", kind.rule(), kind.type_name());
        }
        let answer = match action.emits.as_slice() {
            [] => "()".to_owned(),
            [event] => self.event(event).to_owned(),
            _ => format!("{name}Event"),
        };
        let _ = writeln!(text, ") -> Result<{answer}, Failure> {{");
        let said = action.emits.first().map(|event| self.fields(event)).unwrap_or_default();
        let unsaid: Vec<&str> = parameters
            .iter()
            .filter(|own| !said.iter().any(|field| field.ident == own.ident))
            .map(|own| own.ident.as_str())
            .collect();
        if !unsaid.is_empty() {
            let _ = writeln!(text, "    let _ = ({},);", unsaid.join(", "));
        }
        text.push_str(
            "    // Do it here, with `execution.id()` as the outside world's idempotency key. Then answer `Ok(…)`: with this\n    \
             // event, with `Failure::refused` if nothing happened, with `Failure::unknown` if it may have happened.\n",
        );
        let _ = write!(text, "    unwritten({})\n}}\n\n", self.happened(action));
        text
    }

    /// What an executor answers with, made of what it takes.
    fn happened(&self, action: &Action) -> String {
        let Some(event) = action.emits.first() else { return "()".to_owned() };
        let fields: Vec<String> = self.fields(event).into_iter().map(|field| field.ident).collect();
        let literal = match fields.as_slice() {
            [] => self.event(event).to_owned(),
            fields => format!("{} {{ {} }}", self.event(event), fields.join(", ")),
        };
        if action.emits.len() > 1 { format!("{literal}.into()") } else { literal }
    }

    /// `tests/domain.rs`
    pub(crate) fn tests(&self, library: &str) -> String {
        let mut used = vec![self.domain.ident.clone(), format!("{}Role", self.domain.ident), self.services()];
        let mut body = String::new();
        for action in &self.draft.actions {
            self.test(action, &mut body, &mut used);
        }
        used.sort();
        used.dedup();
        let cents = if body.contains("Cents(") { "Cents, " } else { "" };
        let code = if body.contains("ReasonCode::") { "ReasonCode" } else { "" };
        let from_kiff = format!("{cents}{code}");
        let from_kiff = from_kiff.trim_end_matches(", ");
        let from_kiff = if from_kiff.is_empty() { String::new() } else { format!("use kiff::{{{from_kiff}}};\n") };
        format!(
            "//! What the rules answer, before the executors are written and after.\n\n{from_kiff}use kiff_test::given;\n\n\
             use {library}::{{{}}};\n{body}",
            used.join(", ")
        )
    }

    fn test(&self, action: &Action, body: &mut String, used: &mut Vec<String>) {
        let (name, domain) = (self.action(&action.name), &self.domain.ident);
        let test = super::names::snake(name);
        let (Some(role), services) = (action.by.first().map(|role| self.role(role)), self.services()) else { return };
        let proposal = literal(name, &Self::parameters(action));
        used.push(name.to_owned());
        let proposes = format!(".when({domain}Role::{role}, {proposal})");
        let mut given = |state: &str| {
            let path = self.draft.path_to(state)?;
            let mut given = format!("given::<{domain}>({services})");
            for event in path {
                let event_name = self.event(event).to_owned();
                let _ = write!(given, ".event({})", literal(&event_name, &self.fields(event)));
                used.push(event_name);
            }
            Some(given)
        };
        if let Some(given) = action.allowed_in.first().and_then(|state| given(state)) {
            let approved = match action.approvers.first() {
                Some(role) if action.is_approved => {
                    let _ = write!(
                        body,
                        "\n#[test]\nfn {test}_is_held_until_somebody_approves() {{\n{given}{proposes}.then().approval_required();\n}}\n"
                    );
                    format!(".approved_by({domain}Role::{})", self.role(role))
                }
                _ => String::new(),
            };
            let _ = write!(
                body,
                "\n// As soon as the executor is written, say here what it answers: `.executed(…)`.\n\
                 #[test]\nfn {test}_is_still_to_be_written() {{\n{given}{proposes}{approved}.then()\
                 .failed(\"executor_unwritten\").replays();\n}}\n"
            );
        }
        let elsewhere = self.draft.states.iter().find(|state| !action.allowed_in.contains(&state.name));
        if let Some((state, given)) = elsewhere.and_then(|state| Some((state, given(&state.name)?))) {
            let state = super::names::snake(self.state(&state.name));
            let _ = write!(
                body,
                "\n#[test]\nfn {test}_is_blocked_when_{state}() {{\n{given}{proposes}.then().blocked(ReasonCode::StateNotAllowed);\n}}\n"
            );
        }
    }
}

fn uses_cents(action: &Action) -> bool {
    Rendered::parameters(action).iter().any(|own| own.kind.type_name() == "Cents")
}

/// A value of a type with these fields.
fn literal(name: &str, fields: &[Parameter]) -> String {
    if fields.is_empty() {
        return name.to_owned();
    }
    let fields: Vec<String> = fields.iter().map(|own| format!("{}: {}", own.ident, own.kind.sample())).collect();
    format!("{name} {{ {} }}", fields.join(", "))
}

/// `DECISIONS.md`, and what the terminal shows.
pub(crate) fn decisions(findings: &[Finding]) -> String {
    let (faults, assumed): (Vec<&Finding>, Vec<&Finding>) = findings.iter().partition(|own| own.rule.is_some());
    let mut text = String::new();
    if !faults.is_empty() {
        text.push_str("## What the descriptor allows and kiff does not\n\n");
        for finding in faults {
            let rule = finding.rule.unwrap_or_default();
            let _ = write!(text, "- `{rule}`: {}.\n  Written: {}.\n", finding.said, finding.written);
        }
        text.push('\n');
    }
    text.push_str("## What the descriptor does not say\n\n");
    for finding in assumed {
        let _ = write!(text, "- {}.\n  Assumed: {}.\n", finding.said, finding.written);
    }
    text
}
