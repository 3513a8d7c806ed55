//! Who there is, and what has happened before the server opens.

use std::error::Error;

use kiff::{Actor, Cents, Domain, Proposal, RolePolicy, Runtime, Store};

use crate::mission::{CreateAttempt, Mission, MissionRole, MissionSubmitted};
use crate::refund::{MarkPaid, OrderPlaced, Refund, RefundOrder, RefundRole};

type Seeded = Result<(), Box<dyn Error>>;

/// Everybody who comes to the server.
pub struct People {
    /// Asks for refunds.
    pub agent: Actor,
    /// Signs refunds off.
    pub nora: Actor,
    /// Reports orders.
    pub shop: Actor,
    /// Flies missions.
    pub pilot: Actor,
    /// Signs moves off.
    pub ada: Actor,
    /// Reports missions.
    pub control: Actor,
}

impl People {
    /// All of them.
    pub fn new() -> Result<Self, Box<dyn Error>> {
        Ok(Self {
            agent: Actor::agent("agent-7")?,
            nora: Actor::human("nora")?,
            shop: Actor::system("shop")?,
            pilot: Actor::agent("pilot-3")?,
            ada: Actor::human("ada")?,
            control: Actor::system("control")?,
        })
    }

    /// Who holds which role.
    #[must_use]
    pub fn policy(&self) -> RolePolicy {
        RolePolicy::new()
            .assign(&self.agent, RefundRole::Agent)
            .assign(&self.nora, RefundRole::Operator)
            .assign(&self.shop, RefundRole::System)
            .assign(&self.pilot, MissionRole::Pilot)
            .assign(&self.ada, MissionRole::Supervisor)
            .assign(&self.control, MissionRole::Control)
    }
}

/// Three orders that are paid, one of which an agent wants to pay back. What a file has already stays as it is.
pub async fn refunds<S: Store>(runtime: &Runtime<Refund, S>, people: &People) -> Seeded {
    for (order, total) in [("ord-1001", 4_900), ("ord-1002", 99_900), ("ord-1003", 25_000)] {
        let key = Refund::entity(order)?;
        if runtime.entity(&key).await?.state().is_some() {
            continue;
        }
        let total = Cents(total);
        if !runtime.ingest(&people.shop, &key, OrderPlaced { total }).await?.is_allowed() {
            return Err(format!("{order} could not be placed").into());
        }
        let payment_id = format!("pay-{order}");
        let paid = runtime.execute(&people.agent, &key, MarkPaid { payment_id }).await?;
        if paid.executed().is_none() {
            return Err(format!("{order} could not be paid").into());
        }
        if order == "ord-1002" {
            let refund = RefundOrder { amount: total, reason: "it arrived broken".to_owned() };
            let wish = Proposal::new(refund).because("the customer sent a photo of a broken lamp").confidence(0.87)?;
            if !runtime.request_approval(&people.agent, &key, wish).await?.is_allowed() {
                return Err(format!("no sign-off of {order} could be asked for").into());
            }
        }
    }
    Ok(())
}

/// One attempt at a mission, at its beginning.
pub async fn missions<S: Store>(runtime: &Runtime<Mission, S>, people: &People) -> Seeded {
    let key = Mission::entity("attempt-1")?;
    if runtime.entity(&key).await?.state().is_some() {
        return Ok(());
    }
    let submitted = MissionSubmitted { target: "the eastern ridge".to_owned() };
    let is_submitted = runtime.ingest(&people.control, &key, submitted).await?.is_allowed();
    if !is_submitted || runtime.execute(&people.pilot, &key, CreateAttempt {}).await?.executed().is_none() {
        return Err("the attempt could not begin".into());
    }
    Ok(())
}
