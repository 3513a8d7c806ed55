//! What is judged and what runs: what was written of a proposal, in the state that whoever proposes relies on.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use kiff::{
    Actor, Call, Domain, EntityKey, Fact, Failure, IdempotencyKey, Json, MemoryStore, Proposal, ReasonCode, Reported,
    Review, RolePolicy, Runtime, Timestamp, Trace, TraceId, Verdict, action, domain,
};
use kiff_test::SequentialIdentifiers;
use pollster::block_on;
use serde::{Deserialize, Serialize};

use crate::shop::{self, SharedClock};

/// Whom to pay; where the money goes is to stay out of the journal.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Payee {
    name: String,
    #[serde(skip_serializing)]
    iban: Option<String>,
}

/// Somebody who cannot be read as they are written.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Secret {
    #[serde(skip_serializing)]
    text: String,
}

domain! {
    /// Payments.
    pub domain Payments governs Payment;
    services Bank;
    roles { Clerk: agent, Chief: human, Desk: system }
    states { Planned, Begun, Checked, final Closed }
    events {
        PaymentPlanned reported by Desk;
        PaymentBegun;
        PaymentMoved;
        PaymentClosed;
    }
    transitions {
        PaymentPlanned: new     => Planned;
        PaymentBegun:   Planned => Begun;
        PaymentMoved:   Planned => Begun;
        PaymentMoved:   Begun   => Checked;
        PaymentClosed:  Checked => Closed;
    }
    actions {
        Pay    { risk: high, by: Clerk, emits: none, approval: Chief };
        Hide   { risk: low,  by: Clerk, emits: none };
        Begin  { risk: high, by: Clerk, emits: PaymentBegun, approval: Chief, effect: none };
        Move   { risk: low,  by: Clerk, emits: PaymentMoved };
        Close  { risk: low,  by: Clerk, emits: PaymentClosed };
        Repair { risk: high, by: Clerk, emits: none, approval: Chief };
    }
    allow {
        Planned => [Pay, Hide, Begin, Move, Repair];
        Begun   => [Move];
        Checked => [Close];
    }
}

/// A bank that remembers whom it paid, and for which time passes while something begins.
#[derive(Debug, Default)]
pub struct Bank {
    paid: Mutex<Vec<String>>,
    clock: SharedClock,
}

/// Pays.
#[action(Payments::Pay)]
async fn pay(bank: &Bank, to: Payee) -> Result<(), Failure> {
    bank.paid.lock().unwrap().push(format!("{} at {}", to.name, to.iban.as_deref().unwrap_or("no place")));
    Ok(())
}

/// Hides something.
#[action(Payments::Hide)]
async fn hide(bank: &Bank, what: Secret) -> Result<(), Failure> {
    bank.paid.lock().unwrap().push(what.text);
    Ok(())
}

/// Begins, which takes two days.
#[action(Payments::Begin)]
async fn begin(bank: &Bank) -> Result<PaymentBegun, Failure> {
    bank.clock.0.pass(Duration::from_hours(48));
    Ok(PaymentBegun)
}

/// Repairs something, in the order in which the steps are written, at a rate that is written exactly.
#[action(Payments::Repair)]
async fn repair(bank: &Bank, steps: Json) -> Result<(), Failure> {
    bank.paid.lock().unwrap().push(steps.as_str().to_owned());
    Ok(())
}

/// Moves on.
#[action(Payments::Move)]
async fn move_on(bank: &Bank) -> Result<PaymentMoved, Failure> {
    bank.paid.lock().unwrap().push("moved".into());
    Ok(PaymentMoved)
}

/// Closes.
#[action(Payments::Close)]
async fn close() -> Result<PaymentClosed, Failure> {
    Ok(PaymentClosed)
}

fn clerk() -> Actor {
    Actor::agent("clerk-1").unwrap()
}

fn policy() -> RolePolicy {
    let chief = Actor::human("nora").unwrap();
    RolePolicy::new()
        .assign(&clerk(), PaymentsRole::Clerk)
        .assign(&chief, PaymentsRole::Chief)
        .assign(&Actor::system("desk").unwrap(), PaymentsRole::Desk)
}

fn payments() -> Runtime<Payments, Arc<MemoryStore>> {
    over(Arc::default())
}

fn over(store: Arc<MemoryStore>) -> Runtime<Payments, Arc<MemoryStore>> {
    let bank = Bank::default();
    let clock = bank.clock.clone();
    Runtime::new(store, policy(), bank).with_clock(clock)
}

async fn planned(payments: &Runtime<Payments, Arc<MemoryStore>>, id: &str) -> EntityKey {
    let key = Payments::entity(id).unwrap();
    let planned = payments.ingest(&Actor::system("desk").unwrap(), &key, PaymentPlanned).await.unwrap();
    assert!(planned.is_allowed(), "{planned:?}");
    key
}

async fn granted(
    payments: &Runtime<Payments, Arc<MemoryStore>>,
    key: &EntityKey,
    proposal: impl kiff::Propose<Payments>,
) -> kiff::ApprovalId {
    let asked = payments.request_approval(&clerk(), key, proposal).await.unwrap().into_result().unwrap();
    let review = payments.review(&Actor::human("nora").unwrap(), key, &asked.id, Review::grant()).await.unwrap();
    assert!(review.is_allowed(), "{review:?}");
    asked.id
}

#[test]
fn p3_what_a_type_keeps_out_of_the_record_does_not_run() {
    block_on(async {
        let payments = payments();
        let key = planned(&payments, "p-1").await;
        let to = |iban: &str| Call::new("PAY", format!(r#"{{"to":{{"name":"Ada","iban":"{iban}"}}}}"#));
        granted(&payments, &key, to("X")).await;
        // Nobody was shown either of the two, so neither may be paid.
        let paid = payments.execute(&clerk(), &key, to("EVIL")).await.unwrap();
        assert!(paid.executed().is_some(), "{paid:?}");

        let typed = || Pay { to: Payee { name: "Ada".into(), iban: Some("EVIL".into()) } };
        granted(&payments, &key, typed()).await;
        let paid = payments.execute(&clerk(), &key, typed()).await.unwrap();
        assert!(paid.executed().is_some(), "{paid:?}");
        assert_eq!(*payments.services().paid.lock().unwrap(), ["Ada at no place", "Ada at no place"]);
    });
}

#[test]
fn p3_what_means_the_same_runs_as_it_was_approved_to_the_letter() {
    block_on(async {
        let payments = payments();
        let key = planned(&payments, "p-1").await;
        let repair = |steps: &str| Call::new("REPAIR", format!(r#"{{"steps":{steps}}}"#));
        granted(&payments, &key, repair(r#"{"backup":1.0,"drop":2}"#)).await;
        let done =
            payments.execute(&clerk(), &key, repair(r#"{"drop":2,"backup":1.000000000000000001}"#)).await.unwrap();
        assert!(done.executed().is_some(), "{done:?}");
        assert_eq!(*payments.services().paid.lock().unwrap(), [r#"{"backup":1.0,"drop":2}"#]);
        // And so it stands on the record.
        let timeline = payments.timeline(&key).await.unwrap();
        let validated = timeline.lines().filter_map(|line| match line.record().fact() {
            Fact::ActionValidated(validated) => Some(validated.parameters.as_str().to_owned()),
            _ => None,
        });
        assert_eq!(validated.last().as_deref(), Some(r#"{"steps":{"backup":1.0,"drop":2}}"#));
    });
}

#[test]
fn p3_what_cannot_be_read_as_it_is_written_is_refused_in_words() {
    block_on(async {
        let payments = payments();
        let key = planned(&payments, "p-1").await;
        let typed = payments.execute(&clerk(), &key, Hide { what: Secret { text: "it".into() } }).await.unwrap();
        let named = payments.execute(&clerk(), &key, Call::new("HIDE", r#"{"what":{"text":"it"}}"#)).await.unwrap();
        for refused in [typed, named] {
            let refusal = refused.refusal().unwrap();
            assert_eq!(refusal.code, ReasonCode::InvalidParameter);
            assert_eq!(
                refusal.message,
                "the parameter `what` is invalid: what its type writes of it cannot be read again: missing field `text`"
            );
        }
        assert!(payments.services().paid.lock().unwrap().is_empty());
    });
}

#[test]
fn p3_an_approval_that_expires_while_an_action_begins_begins_nothing() {
    block_on(async {
        let payments = payments();
        let key = planned(&payments, "p-1").await;
        let approval = granted(&payments, &key, Begin {}).await;
        let outcome = payments.execute(&clerk(), &key, Begin {}).await.unwrap();
        assert_eq!(outcome.outcome(), "approval_required", "{outcome:?}");
        let entity = payments.entity(&key).await.unwrap();
        assert_eq!(entity.state(), Some(PaymentState::Planned));
        assert_eq!(entity.approval(&approval).unwrap().status.as_str(), "granted", "it was not spent");
        assert!(!payments.timeline(&key).await.unwrap().kinds().contains(&"action_started"));
    });
}

#[test]
fn a_typed_event_says_where_it_comes_from() {
    block_on(async {
        let (payments, key) = (payments(), Payments::entity("p-1").unwrap());
        let trace = Trace { correlation_id: Some(TraceId::new("ticket-1").unwrap()), ..Trace::default() };
        let (source, at) = (TraceId::new("mail").unwrap(), Timestamp::from_microseconds(7));
        let planned = Reported::new(PaymentPlanned).id("mail-4711".parse().unwrap()).source(source.clone());
        let planned = planned.occurred_at(at).trace(trace.clone());
        assert!(payments.ingest(&Actor::system("desk").unwrap(), &key, planned).await.unwrap().is_allowed());
        let timeline = payments.timeline(&key).await.unwrap();
        let record = timeline.records().next().unwrap();
        let Fact::EventIngested(ingested) = record.fact() else { panic!("{record:?}") };
        assert_eq!(ingested.id.as_ref().map(ToString::to_string), Some("mail-4711".into()));
        assert_eq!((ingested.source.as_ref(), ingested.occurred_at), (Some(&source), Some(at)));
        assert_eq!(record.commit().trace(), Some(&trace));
    });
}

#[test]
fn what_is_said_around_a_proposal_takes_nothing_from_it() {
    block_on(async {
        let payments = payments();
        let key = planned(&payments, "p-1").await;
        let wish: IdempotencyKey = "wish-1".parse().unwrap();
        let trace = || Trace { trace_id: Some(TraceId::new("4bf92f35").unwrap()), ..Trace::default() };
        let paid = Pay { to: Payee { name: "Ada".into(), iban: None } };
        let inner = || {
            let because = Proposal::new(paid.clone()).because("it is due");
            because.idempotency_key(wish.clone()).approval("sign-1".parse().unwrap())
        };
        let asked = payments.request_approval(&clerk(), &key, Proposal::new(inner()).trace(trace())).await.unwrap();
        let asked = asked.into_result().unwrap();
        assert_eq!((asked.id.as_str(), asked.reasons.rationale.as_deref()), ("sign-1", Some("it is due")));
        let review = payments.review(&Actor::human("nora").unwrap(), &key, &asked.id, Review::grant()).await.unwrap();
        assert!(review.is_allowed());
        for deduplicated in [false, true] {
            let paid = payments.execute(&clerk(), &key, Proposal::new(inner()).trace(trace())).await.unwrap();
            assert_eq!(paid.executed().map(|done| done.deduplicated), Some(deduplicated), "{paid:?}");
        }
        assert_eq!(payments.services().paid.lock().unwrap().len(), 1);
    });
}

#[test]
fn a_typed_handle_runs_nothing_in_a_state_that_it_is_not_of() {
    block_on(async {
        let payments = payments();
        let key = planned(&payments, "p-1").await;
        let handle = payments.handle(&key).await.unwrap().unwrap().in_state::<payments::Planned>().unwrap();
        let moved = handle.clone().execute(&payments, &clerk(), Move {}).await.unwrap();
        assert_eq!(moved.executed().map(|moved| moved.handle.state()), Some(PaymentState::Begun));
        // The state that it is in now allows the action as well, and leads elsewhere.
        let late = handle.execute(&payments, &clerk(), Move {}).await.unwrap();
        let refusal = late.refusal().unwrap();
        assert_eq!(refusal.code, ReasonCode::StateNotAllowed);
        assert_eq!(refusal.message, "`MOVE` was asked for in state `PLANNED`, and the entity is in `BEGUN` now");
        assert_eq!(*payments.services().paid.lock().unwrap(), ["moved"]);
    });
}

#[test]
fn an_entity_of_another_domain_is_refused_and_no_broken_journal() {
    block_on(async {
        let store: Arc<MemoryStore> = Arc::default();
        let (payments, orders) = (
            over(Arc::clone(&store)),
            Runtime::<shop::Refund, _>::new(Arc::clone(&store), shop::policy(), shop::Desk::default()),
        );
        let key = planned(&payments, "p-1").await;
        let people = shop::people();
        let call = || Call::new("MARK_PAID", r#"{"payment_id":"pay-1"}"#);
        let outcome = orders.execute(&people.agent, &key, call()).await.unwrap();
        assert_eq!(outcome.refusal().unwrap().message, "`refund` governs `Order`, not `Payment`");
        for verdict in [
            orders.evaluate(&people.agent, &key, call()).await.unwrap(),
            orders.validate(&people.agent, &key, call()).await.unwrap(),
        ] {
            assert_eq!(verdict.refusal().unwrap().message, "`refund` governs `Order`, not `Payment`");
        }
        let review = orders.review(&people.nora, &key, &"sign-1".parse().unwrap(), Review::grant()).await.unwrap();
        assert_eq!(review.outcome(), "invalid");
        assert_eq!(orders.entity(&key).await.unwrap().state(), None);
        assert!(orders.handle(&key).await.unwrap().is_none());
    });
}

#[test]
fn p3_a_source_of_identifiers_that_repeats_itself_gives_no_old_approval() {
    block_on(async {
        let store: Arc<MemoryStore> = Arc::default();
        let first = over(Arc::clone(&store)).with_identifiers(SequentialIdentifiers::new());
        let key = planned(&first, "p-1").await;
        let paid = |name: &str| Pay { to: Payee { name: name.into(), iban: None } };
        assert_eq!(granted(&first, &key, paid("Ada")).await.as_str(), "approval-1");

        let again = over(Arc::clone(&store)).with_identifiers(SequentialIdentifiers::new());
        let asked = again.request_approval(&clerk(), &key, paid("Eve")).await.unwrap();
        let Verdict::Invalid(refusal) = asked else { panic!("{asked:?}") };
        assert_eq!(refusal.message, "there is already an approval `approval-1` of this entity");

        // Two that share a source get on with each other.
        let counts = SequentialIdentifiers::new();
        let [one, other] = [(); 2].map(|()| over(Arc::default()).with_identifiers(Arc::new(counts.clone())));
        let (here, there) = (planned(&one, "p-1").await, planned(&other, "p-1").await);
        assert_eq!(granted(&one, &here, paid("Ada")).await.as_str(), "approval-1");
        assert_eq!(granted(&other, &there, paid("Ada")).await.as_str(), "approval-2");
    });
}
