//! What compiles and is still worth a look: waivers, what agents do unwatched, and what has no bound.

use kiff::{ActorKind, ApprovalRule, Contract, Effect, Parameter, Risk, Rule, Schema};
use serde::Serialize;

/// One thing that a reviewer should look at.
#[derive(Debug, Serialize)]
pub(crate) struct Finding {
    /// What sort of thing.
    pub(crate) code: &'static str,
    /// What it is about.
    pub(crate) about: String,
    /// What is to be seen.
    pub(crate) message: String,
    /// What could be written instead.
    pub(crate) help: &'static str,
}

/// Everything to look at in a domain.
pub(crate) fn of(schema: &Schema) -> Vec<Finding> {
    let mut findings = Vec::new();
    if schema.never.is_empty() {
        findings.push(Finding {
            code: "nothing_promised",
            about: schema.domain.to_string(),
            message: "the block proves nothing beyond its rules".to_owned(),
            help: "say what must never happen, as in `never { Refunded without Operator }`",
        });
    }
    for action in schema.actions.iter() {
        of_action(action, &mut findings);
    }
    findings
}

fn of_action(action: &Contract, findings: &mut Vec<Finding>) {
    let mut found = |code, message: String, help| {
        findings.push(Finding { code, about: action.name.to_string(), message, help });
    };
    if let ApprovalRule::Waived { reason } = &action.approval {
        let message = format!("{} risk and no approval, because \"{reason}\"", action.risk);
        found("waived_approval", message, "see that the reason still holds");
    }
    let is_agents = action.permission.roles.iter().any(|role| role.kind == ActorKind::Agent);
    let unwatched = matches!(action.approval, ApprovalRule::None) && action.effect == Effect::Outside;
    if is_agents && unwatched && action.risk == Risk::Medium {
        let message = "an agent does it outside of the journal at medium risk, and nobody looks".to_owned();
        found("unwatched_effect", message, "add `approval:`, or `effect: none` if nothing outside is touched");
    }
    for parameter in action.parameters.iter() {
        if let Some((code, message, help)) = of_parameter(parameter) {
            found(code, message, help);
        }
    }
}

fn of_parameter(parameter: &Parameter) -> Option<(&'static str, String, &'static str)> {
    let name = &parameter.name;
    if let Some(Rule::Float { reason }) = parameter.rules.iter().find(|rule| matches!(rule, Rule::Float { .. })) {
        let message = format!("`{name}` is a binary float, because \"{reason}\"");
        return Some(("waived_float", message, "see that it is no amount of money"));
    }
    let has_end = parameter.rules.iter().any(|rule| match rule {
        Rule::Range { max, .. } => max.is_some(),
        Rule::Length { max, .. } => max.is_some(),
        Rule::Pattern { .. } | Rule::Float { .. } => true,
        _ => false,
    });
    match parameter.bare_type() {
        _ if has_end => None,
        "String" | "Box<str>" | "Cow<'static, str>" => {
            let message = format!("`{name}` is a text of any length");
            Some(("unbounded_text", message, "bound it with `#[param(length(max = …))]` or a pattern"))
        }
        "Cents" => {
            let message = format!("`{name}` is an amount of any size");
            Some(("unbounded_amount", message, "bound it with `#[param(range(min = 1, max = …))]`"))
        }
        _ => None,
    }
}
