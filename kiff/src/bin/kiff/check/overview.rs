//! A domain in a terminal: who there is, what leads where, and what each action demands.

use std::fmt::Write;
use std::path::Path;

use kiff::{ApprovalRule, Effect, Schema};

use super::findings::Finding;
use crate::shell::columns;

/// All of it.
pub(crate) fn of(schema: &Schema, file: Option<&Path>, findings: &[Finding]) -> String {
    let mut text = format!("domain `{}` governs `{}`\n", schema.domain, schema.entity_type);
    if let Some(file) = file {
        let _ = writeln!(text, "declared in {}", file.display());
    }
    let _ = writeln!(text, "fingerprint {}\n", schema.fingerprint());
    let roles: Vec<String> = schema.roles.iter().map(|role| format!("{} ({})", role.name, role.kind)).collect();
    let _ = writeln!(text, "roles   {}", roles.join(", "));
    let states = schema
        .states
        .iter()
        .map(|state| if state.is_final { format!("{} (final)", state.name) } else { state.name.to_string() });
    let _ = writeln!(text, "states  {}\n", states.collect::<Vec<_>>().join(", "));
    text.push_str(&columns(&actions(schema)));
    text.push('\n');
    text.push_str(&columns(&events(schema)));
    if !schema.never.is_empty() {
        text.push_str("\nproved, never\n");
        for promise in schema.never.iter() {
            let _ = writeln!(text, "  {promise}");
        }
    }
    if findings.is_empty() {
        text.push_str("\nnothing to look at\n");
        return text;
    }
    text.push_str("\nto look at\n");
    for Finding { code, about, message, help } in findings {
        let _ = writeln!(text, "  {code}: {about}: {message}\n    {help}");
    }
    text
}

fn actions(schema: &Schema) -> Vec<Vec<String>> {
    let heading = ["action", "risk", "by", "approval", "allowed in", "emits"].map(str::to_owned).to_vec();
    let rows = schema.actions.iter().map(|action| {
        let approval = match &action.approval {
            ApprovalRule::None => "-".to_owned(),
            ApprovalRule::Waived { .. } => "waived".to_owned(),
            ApprovalRule::By(permission) => permission.holders(),
            _ => "of a later kiff".to_owned(),
        };
        let emits = if action.emits.is_empty() { "-".to_owned() } else { action.emits.join(" or ") };
        let effect = if action.effect == Effect::None { " (journal only)" } else { "" };
        vec![
            action.name.to_string(),
            action.risk.to_string(),
            action.permission.holders(),
            approval,
            action.allowed_in.join(", "),
            format!("{emits}{effect}"),
        ]
    });
    [heading].into_iter().chain(rows).collect()
}

fn events(schema: &Schema) -> Vec<Vec<String>> {
    let heading = ["event", "from", "to", "made by"].map(str::to_owned).to_vec();
    let rows = schema.transitions.iter().map(|line| {
        let made_by = match schema.event(&line.event) {
            Some(event) if !event.report.roles.is_empty() => format!("{} reports it", event.report.holders()),
            _ => {
                let makers = schema.actions.iter().filter(|action| {
                    action.emits.contains(&line.event)
                        && line.from.as_ref().is_some_and(|from| action.allowed_in.contains(from))
                });
                let makers: Vec<&str> = makers.map(|action| action.name.as_ref()).collect();
                if makers.is_empty() { "nobody from there".to_owned() } else { makers.join(" or ") }
            }
        };
        vec![line.event.to_string(), line.from.as_deref().unwrap_or("new").to_owned(), line.to.to_string(), made_by]
    });
    [heading].into_iter().chain(rows).collect()
}
