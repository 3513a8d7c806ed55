//! What can come of a request for a sign-off, as things stand.

use maud::{Markup, html};

use crate::approval::{Approval, ApprovalStatus};
use crate::decision::{Call, Proposal};
use crate::identifier::EntityKey;
use crate::json::visible;
use crate::runtime::Error;
use crate::schema::{Contract, Schema};
use crate::served::Served;
use crate::time::Timestamp;
use crate::verdict::{ReasonCode, Refusal, Verdict};

use super::frame;

/// What a yes leads to.
pub(super) enum Prospect {
    /// It may run.
    Runs,
    /// It may run, but not for whoever asked for it.
    RunsForOthers(Refusal),
    /// It may not run now.
    Stuck(Refusal),
    /// Its contract is no more, and no yes to it counts.
    Outdated,
    /// It is for its domain to say, which is not here.
    Unknown,
}

impl Prospect {
    /// What comes of a request that waits or is granted, were whoever asked for it to run it now.
    pub(super) async fn of(served: &dyn Served, key: &EntityKey, approval: &Approval) -> Result<Self, Error> {
        if served.is_recorded() {
            return Ok(Self::Unknown);
        }
        if !served.is_current(approval) {
            return Ok(Self::Outdated);
        }
        let call = Call::new(approval.action.clone(), approval.parameters.as_str());
        let proposal =
            Proposal { reasons: approval.reasons.clone(), ..Proposal::new(call).approval(approval.id.clone()) };
        Ok(match served.evaluate(&approval.requested_by, key, proposal).await? {
            Verdict::Allowed(()) => Self::Runs,
            Verdict::ApprovalRequired(_) if approval.status == ApprovalStatus::Pending => Self::Runs,
            // The state and the parameters would do: it is about who runs it.
            Verdict::Blocked(refusal) if matches!(refusal.code, ReasonCode::PermissionDenied | ReasonCode::Error) => {
                Self::RunsForOthers(refusal)
            }
            Verdict::ApprovalRequired(refusal) | Verdict::Blocked(refusal) | Verdict::Invalid(refusal) => {
                Self::Stuck(refusal)
            }
        })
    }

    /// What follows from a yes, while none is given.
    pub(super) fn promised(&self, contract: Option<&Contract>, schema: &Schema, state: Option<&str>) -> Markup {
        match self {
            Self::Runs => consequence(contract, schema, state),
            Self::RunsForOthers(refusal) => html! {
                p.notice.warn { "Whoever asked for it could not run it now: " (visible(&refusal.message)) "." }
                (consequence(contract, schema, state))
            },
            Self::Stuck(refusal) => html! {
                p.notice.warn {
                    "It cannot run now: " (visible(&refusal.message))
                    ". After a yes it still cannot, unless that changes before the grant ends."
                }
            },
            Self::Outdated => html! {
                p.notice.bad {
                    @if contract.is_some() { "The contract of this action has changed since it was asked for" } @else {
                        "The domain has no such action any more"
                    }
                    ": a yes to it does not count. Whoever still wants it has to ask again."
                }
            },
            Self::Unknown => html! {
                p.quiet { "What follows from a yes is for its domain to say, which is not here." }
            },
        }
    }

    /// What follows from a yes that was given.
    pub(super) fn granted(&self, contract: Option<&Contract>, approval: &Approval, now: Timestamp) -> Markup {
        let words = match self {
            Self::Runs => html! { "Granted. It may run once" (by_whom(contract)) "." },
            Self::RunsForOthers(refusal) => html! {
                "Granted. It may run once" (by_whom(contract)) ". Whoever asked for it could not run it now: "
                (visible(&refusal.message)) "."
            },
            Self::Stuck(refusal) => html! { "Granted. It cannot run now: " (visible(&refusal.message)) "." },
            Self::Outdated => html! { "Granted, under a contract that is no more: nothing runs by it." },
            Self::Unknown => html! { "Granted." },
        };
        html! { p.notice { (words) " The grant ends " (frame::until(approval.expires_at, now)) "." } }
    }
}

/// By whom it may run: a grant is not for whoever asked for it alone.
fn by_whom(contract: Option<&Contract>) -> Markup {
    html! {
        @if let Some(contract) = contract { ", by whoever holds the role " strong { (contract.permission.holders()) } }
    }
}

fn consequence(contract: Option<&Contract>, schema: &Schema, state: Option<&str>) -> Markup {
    let leads = |event: &str| {
        let mut transitions = schema.transitions.iter();
        transitions.find(|step| step.event == event && step.from.as_deref() == state).map(|step| step.to.clone())
    };
    let is_final = |name: &str| schema.states.iter().any(|state| state.name == name && state.is_final);
    let emits = contract.map_or(&[][..], |contract| &*contract.emits);
    html! {
        p {
            "If you grant it, it may run once, exactly like this" (by_whom(contract)) ". "
            @if emits.is_empty() { "The state stays as it is." } @else {
                "Then "
                @for (index, event) in emits.iter().enumerate() {
                    @if index > 0 { ", or " }
                    code { (event) } " happens"
                    @if let Some(to) = leads(event) {
                        " and it is " strong { (to) }
                        @if is_final(&to) { ", which is final: nothing can be done with it afterwards" }
                    }
                }
                "."
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::consequence;
    use crate::{Failure, action, domain};

    domain! {
        domain Claims governs Claim;
        roles { Agent: agent, Clerk: human, Desk: system }
        states { Filed, Checked, final Paid }
        events { ClaimFiled reported by Desk; ClaimChecked; ClaimPaid; }
        transitions { ClaimFiled: new => Filed; ClaimChecked: Filed => Checked; ClaimPaid: Checked => Paid; }
        actions {
            CheckClaim { risk: low, by: Agent, emits: ClaimChecked, approval: Clerk };
            PayClaim { risk: high, by: Agent, emits: ClaimPaid, approval: Clerk };
        }
        allow { Filed => [CheckClaim]; Checked => [PayClaim]; }
    }

    #[action(Claims::CheckClaim)]
    async fn check_claim() -> Result<ClaimChecked, Failure> {
        Ok(ClaimChecked {})
    }

    #[action(Claims::PayClaim)]
    async fn pay_claim() -> Result<ClaimPaid, Failure> {
        Ok(ClaimPaid {})
    }

    #[test]
    fn a_yes_to_what_is_final_says_so() {
        let said = |action, state| {
            let schema = Claims::schema();
            consequence(schema.action(action), schema, Some(state)).into_string()
        };
        let checked = said("CHECK_CLAIM", "FILED");
        assert!(
            checked.contains("<code>CLAIM_CHECKED</code> happens and it is <strong>CHECKED</strong>.</p>"),
            "{checked}"
        );
        let paid = said("PAY_CLAIM", "CHECKED");
        let is_final = "and it is <strong>PAID</strong>, which is final: nothing can be done with it afterwards.</p>";
        assert!(paid.contains(is_final), "{paid}");
    }
}
