//! The whole story in under a minute: `cargo run --example tour`, or with `-- --fast` without pauses.

#[path = "../refund/domain.rs"]
pub mod domain;
pub mod narrator;
#[path = "../refund/report.rs"]
pub mod report;

use std::error::Error;
use std::io::{self, IsTerminal, Write};
use std::process::ExitCode;
use std::time::Duration;

use domain::{OrderPlaced, Refund, RefundDesk, RefundOrder, RefundRole, refund};
use kiff::{
    Actor, Approval, ApprovalRule, Call, Cents, Contract, Domain, EntityKey, Evidence, MemoryStore, Proposal, Propose,
    Review, RolePolicy, Runtime, Verdict,
};
use narrator::Narrator;
use report::{Answer, ShortIdentifiers};

type Told = Result<(), Box<dyn Error>>;

/// How long a reader gets for each step.
const PAUSE: Duration = Duration::from_millis(800);

fn main() -> ExitCode {
    let arguments: Vec<_> = std::env::args_os().skip(1).collect();
    let fast = arguments.iter().any(|argument| argument == "--fast");
    if arguments.len() > usize::from(fast) {
        eprintln!("the tour takes `--fast`, or nothing:\n  cargo run --example tour -- --fast");
        return ExitCode::from(2);
    }
    let watched = io::stdout().is_terminal() && !fast;
    let pause = if watched { PAUSE } else { Duration::ZERO };
    match pollster::block_on(tell(&mut anstream::stdout().lock(), pause)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) if report::reader_is_gone(&*error) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("the tour broke off: {error}");
            ExitCode::FAILURE
        }
    }
}

async fn tell(out: &mut dyn Write, pause: Duration) -> Told {
    report::heading(out, "kiff in a minute: an agent proposes, a human decides, the journal proves")?;
    let mut tour = Tour::new(out, pause)?;
    tour.one_block_governs()?;
    tour.an_order_is_placed_and_paid().await?;
    let refund = RefundOrder { amount: Cents(99_900), reason: "the lamp arrived broken".to_owned() };
    tour.a_refund_is_held(&refund).await?;
    let approval = tour.a_human_reviews_it(&refund).await?;
    tour.the_approval_covers_nothing_else(&approval).await?;
    tour.the_refund_runs_once(&refund, &approval).await?;
    tour.a_lost_answer_is_in_doubt().await?;
    tour.the_journal_proves_it().await
}

/// One runtime, and everybody who comes to it.
struct Tour<'o> {
    runtime: Runtime<Refund>,
    shop: Actor,
    agent: Actor,
    nora: Actor,
    order: EntityKey,
    narrator: Narrator<'o>,
}

impl<'o> Tour<'o> {
    fn new(out: &'o mut dyn Write, pause: Duration) -> Result<Self, Box<dyn Error>> {
        let (shop, agent, nora) = (Actor::system("shop")?, Actor::agent("agent-7")?, Actor::human("nora")?);
        let policy = RolePolicy::new()
            .assign(&shop, RefundRole::System)
            .assign(&agent, RefundRole::Agent)
            .assign(&nora, RefundRole::Operator);
        Ok(Self {
            runtime: Runtime::new(MemoryStore::new(), policy, RefundDesk::default())
                .with_identifiers(ShortIdentifiers::default()),
            shop,
            agent,
            nora,
            order: Refund::entity("ord-1001")?,
            narrator: Narrator::new(out, pause),
        })
    }

    fn one_block_governs(&mut self) -> Told {
        let schema = Refund::schema();
        self.narrator.chapter(&format!("One block governs every {}", schema.entity_type))?;
        for step in schema.transitions.iter() {
            let from = step.from.as_deref().unwrap_or("new");
            self.narrator.tell("event", &format!("{:<15} {from} -> {}", step.event, step.to))?;
        }
        for contract in schema.actions.iter() {
            self.narrator.tell("action", &demands(contract))?;
        }
        for promise in schema.never.iter() {
            self.narrator.tell("never", &format!("{promise}: if it could be, this would not have compiled"))?;
        }
        Ok(())
    }

    async fn an_order_is_placed_and_paid(&mut self) -> Told {
        self.narrator.chapter("An order is placed and paid")?;
        let order = self.order.clone();
        self.shop_reports(&order, Cents(99_900)).await?;
        self.agent_calls(&order, "MARK_PAID", r#"{"payment_id":"pay-1001"}"#).await
    }

    async fn shop_reports(&mut self, order: &EntityKey, total: Cents) -> Told {
        self.narrator.tell("shop", &format!("reports that {order} was placed for {total}"))?;
        let ingested = self.runtime.ingest(&self.shop, order, OrderPlaced { total }).await?;
        self.narrator.answer(&Answer::verdict(&ingested, |ingested| format!("now {}", ingested.state)))?;
        Ok(())
    }

    /// The agent comes by the untyped door, with what its tool call says.
    async fn agent_calls(&mut self, order: &EntityKey, action: &str, parameters: &str) -> Told {
        self.narrator.tell("agent-7", &format!("calls {action} {parameters}"))?;
        self.agent_tries(order, Call::new(action, parameters)).await
    }

    async fn agent_tries(&mut self, order: &EntityKey, proposal: impl Propose<Refund>) -> Told {
        let outcome = self.runtime.execute(&self.agent, order, proposal).await?;
        self.narrator.answer(&Answer::execution(&outcome, |executed| executed))?;
        Ok(())
    }

    async fn a_refund_is_held(&mut self, refund: &RefundOrder) -> Told {
        self.narrator.chapter("The agent wants to pay it back")?;
        self.narrator.tell("agent-7", &format!("proposes to refund {}: \"{}\"", refund.amount, refund.reason))?;
        self.agent_tries(&self.order.clone(), with_reasons(refund)?).await?;
        self.tell_what_the_desk_paid()
    }

    fn tell_what_the_desk_paid(&mut self) -> Told {
        let paid: Vec<_> = self.runtime.services().paid_back().iter().map(Cents::to_string).collect();
        let paid = if paid.is_empty() { "nothing".to_owned() } else { paid.join(" and ") };
        self.narrator.tell("desk", &format!("has paid back {paid}"))?;
        Ok(())
    }

    async fn a_human_reviews_it(&mut self, refund: &RefundOrder) -> Result<Approval, Box<dyn Error>> {
        self.narrator.chapter("A human reviews exactly these parameters")?;
        let order = self.order.clone();
        let approval = self.agent_asks(&order, with_reasons(refund)?).await?;
        self.narrator.tell("nora", &format!("sees {} {}", approval.action, approval.parameters))?;
        self.narrator.tell("", &reasons(&approval))?;
        let (agent, nora) = (self.agent.clone(), self.nora.clone());
        self.grants(&agent, &order, &approval, "I am sure").await?;
        self.grants(&nora, &order, &approval, "the photo shows the damage").await?;
        Ok(approval)
    }

    async fn agent_asks(
        &mut self,
        order: &EntityKey,
        proposal: impl Propose<Refund>,
    ) -> Result<Approval, Box<dyn Error>> {
        self.narrator.tell("agent-7", "asks for an approval")?;
        let asked = self.runtime.request_approval(&self.agent, order, proposal).await?;
        self.narrator.answer(&Answer::verdict(&asked, report::status))?;
        match asked {
            Verdict::Allowed(approval) => Ok(approval),
            _ => Err("the request was refused".into()),
        }
    }

    async fn grants(&mut self, reviewer: &Actor, order: &EntityKey, approval: &Approval, because: &str) -> Told {
        self.narrator.tell(reviewer.id().as_str(), &format!("grants {} because \"{because}\"", approval.id))?;
        let review = Review::grant().because(because);
        let answer = self.runtime.review(reviewer, order, &approval.id, review).await?;
        self.narrator.answer(&Answer::verdict(&answer, report::status))?;
        Ok(())
    }

    async fn the_approval_covers_nothing_else(&mut self, approval: &Approval) -> Told {
        self.narrator.chapter("The approval covers exactly this and nothing else")?;
        let more = RefundOrder { amount: Cents(999_900), reason: "the lamp arrived broken".to_owned() };
        self.narrator.tell("agent-7", &format!("tries {} under {}", more.amount, approval.id))?;
        self.agent_tries(&self.order.clone(), Proposal::new(more).approval(approval.id.clone())).await
    }

    /// The typed door: `refund::Paid` allows `RefundOrder`; on `refund::Created` the same line would not compile.
    async fn the_refund_runs_once(&mut self, refund: &RefundOrder, approval: &Approval) -> Told {
        self.narrator.chapter("The refund runs once")?;
        let proposal = with_reasons(refund)?.approval(approval.id.clone());
        let handle = self.runtime.handle(&self.order).await?.ok_or("there is no such order")?;
        let paid = handle.in_state::<refund::Paid>().map_err(|handle| format!("the order is {}", handle.state()))?;
        self.narrator.tell("agent-7", &format!("refunds {} under {}", refund.amount, approval.id))?;
        let outcome = paid.execute(&self.runtime, &self.agent, proposal.clone()).await?;
        self.narrator.answer(&Answer::execution(&outcome, |moved| &moved.executed))?;
        self.narrator.tell("agent-7", "tries the same again")?;
        self.agent_tries(&self.order.clone(), proposal).await?;
        self.tell_what_the_desk_paid()
    }

    async fn a_lost_answer_is_in_doubt(&mut self) -> Told {
        self.narrator.chapter("Another order, and the answer of the payment desk gets lost")?;
        let order = Refund::entity("ord-1002")?;
        let refund = RefundOrder { amount: Cents(7_500), reason: "lost in the post".to_owned() };
        self.shop_reports(&order, refund.amount).await?;
        self.agent_calls(&order, "MARK_PAID", r#"{"payment_id":"pay-timeout"}"#).await?;
        let approval = self.agent_asks(&order, refund.clone()).await?;
        let nora = self.nora.clone();
        self.grants(&nora, &order, &approval, "the carrier confirms it").await?;
        self.narrator.tell("agent-7", &format!("refunds {} under {}", refund.amount, approval.id))?;
        self.agent_tries(&order, refund.clone()).await?;
        self.narrator.tell("agent-7", "tries the same again")?;
        self.agent_tries(&order, refund).await?;
        self.tell_what_the_desk_paid()
    }

    async fn the_journal_proves_it(&mut self) -> Told {
        self.narrator.chapter(&format!("The journal of {} proves it", self.order))?;
        let rebuilt = self.runtime.rebuild(&self.shop, &self.order).await?;
        self.narrator.record(&self.runtime.timeline(&self.order).await?, &rebuilt)?;
        Ok(())
    }
}

/// The refund with everything that the agent says for it.
fn with_reasons(refund: &RefundOrder) -> Result<Proposal<RefundOrder>, Box<dyn Error>> {
    let photo = Evidence::new("ticket 8841", &serde_json::json!({ "photo": "lamp.jpg", "shows": "a broken shade" }))?;
    let proposal = Proposal::new(refund.clone()).because("the customer sent a photo");
    Ok(proposal.confidence(0.92)?.evidence(photo))
}

/// What a reviewer is shown besides the parameters.
fn reasons(approval: &Approval) -> String {
    let reasons = &approval.reasons;
    let sources: Vec<_> = reasons.evidence.iter().map(|evidence| evidence.source.as_str()).collect();
    let confidence =
        reasons.confidence.map_or_else(String::new, |confidence| format!("{} sure, ", f64::from(confidence)));
    let rationale = reasons.rationale.as_deref().unwrap_or("no reason");
    format!("\"{rationale}\", {confidence}with evidence from {}", sources.join(" and "))
}

/// What an action demands, in one line.
fn demands(contract: &Contract) -> String {
    let approval = match &contract.approval {
        ApprovalRule::None => "nobody has to sign it off".to_owned(),
        ApprovalRule::Waived { reason } => format!("nobody has to sign it off: {reason}"),
        ApprovalRule::By(permission) => format!("{} signs it off", permission.holders()),
        _ => "it is signed off by a rule of a later kiff".to_owned(),
    };
    let (risk, states) = (contract.risk, contract.allowed_in.join(" or "));
    format!("{}: {risk} risk, in {states}, by {}; {approval}", contract.name, contract.permission.holders())
}
