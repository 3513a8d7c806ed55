//! The whole loop in one run: an agent answers a ticket, asks for a refund, is held, and a person signs it off.

use kiff::{Actor, Call, Domain, MemoryStore, Review, RolePolicy, Runtime, Verdict};

use @LIBRARY@::domain::{AnswerTicket, Desk, Support, SupportRole, TicketOpened};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    pollster::block_on(run())
}

async fn run() -> Result<(), Box<dyn std::error::Error>> {
    let (agent, nora, inbox) = (Actor::agent("agent-7")?, Actor::human("nora")?, Actor::system("inbox")?);
    let policy = RolePolicy::new()
        .assign(agent.id().clone(), SupportRole::Agent)
        .assign(nora.id().clone(), SupportRole::Operator)
        .assign(inbox.id().clone(), SupportRole::Inbox);
    let runtime = Runtime::<Support>::new(MemoryStore::new(), policy, Desk::default());
    let ticket = Support::entity("ticket-1")?;

    let _opened = runtime.ingest(&inbox, &ticket, TicketOpened { subject: "it arrived broken".into() }).await?;
    let answered = runtime.execute(&agent, &ticket, AnswerTicket { answer: "we are sorry".into() }).await?;
    println!("agent-7 answers:               {}", answered.outcome());

    // What a model's tool call comes as. Nothing is paid: a human has to see it first.
    let refund = Call::new("REFUND_TICKET", r#"{"amount": 4900, "reason": "it arrived broken"}"#);
    let held = runtime.execute(&agent, &ticket, refund.clone()).await?;
    println!("agent-7 wants to pay back 49:  {}", held.outcome());

    if let Verdict::Allowed(asked) = runtime.request_approval(&agent, &ticket, refund.clone()).await? {
        let review = Review::grant().because("the photo shows it");
        let granted = runtime.review(&nora, &ticket, &asked.id, review).await?;
        println!("nora signs it off:             {}", if granted.is_allowed() { "granted" } else { "refused" });
    }
    let done = runtime.execute(&agent, &ticket, refund.clone()).await?;
    println!("agent-7 tries again:           {}", done.outcome());
    let again = runtime.execute(&agent, &ticket, refund).await?;
    println!("and once more:                 {}", again.outcome());

    println!("\n{}", runtime.timeline(&ticket).await?);
    Ok(())
}
