//! The shop that the tests govern: a domain with one action of every sort, and a desk that does as it is told.

use std::sync::Mutex;

use kiff::{
    Actor, Cents, Clock, Domain, EntityKey, Execution, Failure, MemoryStore, Outcome, Reconciled, RolePolicy, Runtime,
    Timestamp, Verdict, action, domain, reconcile,
};

domain! {
    /// Orders, their payments and their refunds.
    pub domain Refund governs Order;
    services Desk;

    roles { Agent: agent, Operator: human, Auditor: human, System: system }

    states { Created, Paid, final Refunded, final Cancelled }

    events {
        OrderPlaced    { total: Cents } reported by System;
        OrderCancelled { reason: String } reported by System | Operator;
        OrderPaid      { payment_id: String };
        OrderRefunded  { amount: Cents, reason: String };
        NoteAdded      { text: String };
    }

    transitions {
        OrderPlaced:    new     => Created;
        OrderCancelled: Created => Cancelled;
        OrderPaid:      Created => Paid;
        OrderRefunded:  Paid    => Refunded;
        NoteAdded:      Created => Created;
        NoteAdded:      Paid    => Paid;
    }

    actions {
        MarkPaid    { risk: low,  by: Agent | Operator | Auditor, emits: OrderPaid };
        RefundOrder { risk: high, by: Agent | Auditor, emits: OrderRefunded, approval: Operator };
        AddNote     { risk: low,  by: Agent, emits: NoteAdded, effect: none };
        ExportOrder { risk: high, by: Auditor, emits: none, approval: unapproved("it only reads") };
    }

    allow {
        Created => [MarkPaid, AddNote];
        Paid    => [RefundOrder, AddNote, ExportOrder];
    }

    never { Refunded without Operator }
}

/// What the desk does when it is asked.
#[derive(Debug, Clone, Default)]
pub(crate) enum Mood {
    /// It does it.
    #[default]
    Willing,
    /// It declines.
    Declining,
    /// It does not say.
    Silent,
    /// It does it, does not say, and calls that by the code of what did not begin.
    Muddled,
    /// It declines, and calls that by the same code.
    Evasive,
    /// It falls over.
    Panicking,
    /// It never answers.
    Stuck,
    /// It does it once it is willing.
    Waiting,
}

/// A desk that remembers what it did.
#[derive(Debug, Default)]
pub struct Desk {
    mood: Mutex<Mood>,
    done: Mutex<Vec<String>>,
}

impl Desk {
    /// Changes what the desk does from now on.
    pub(crate) fn be(&self, mood: Mood) {
        *self.mood.lock().unwrap() = mood;
    }

    /// What it did, in order.
    pub(crate) fn done(&self) -> Vec<String> {
        self.done.lock().unwrap().clone()
    }

    async fn act(&self, what: String) -> Result<(), Failure> {
        let mood = std::future::poll_fn(|_| match self.mood.lock().unwrap().clone() {
            Mood::Waiting => std::task::Poll::Pending,
            mood => std::task::Poll::Ready(mood),
        });
        let mood = mood.await;
        match mood {
            Mood::Declining => return Err(Failure::refused("the bank declined").with_code("declined_by_bank")),
            Mood::Evasive => return Err(Failure::refused("the bank declined").with_code("did_not_begin")),
            Mood::Willing | Mood::Silent | Mood::Muddled | Mood::Panicking | Mood::Stuck | Mood::Waiting => {
                self.done.lock().unwrap().push(what);
            }
        }
        match mood {
            Mood::Silent => Err(Failure::unknown("no answer from the bank")),
            Mood::Muddled => Err(Failure::unknown("no answer from the bank").with_code("did_not_begin")),
            Mood::Panicking => panic!("the desk fell over"),
            Mood::Stuck => std::future::pending().await,
            Mood::Willing | Mood::Declining | Mood::Evasive | Mood::Waiting => Ok(()),
        }
    }
}

/// Captures the payment.
#[action(Refund::MarkPaid)]
async fn mark_paid(desk: &Desk, #[param(pattern("pay-[0-9]+"))] payment_id: String) -> Result<OrderPaid, Failure> {
    desk.act(format!("captured {payment_id}")).await?;
    Ok(OrderPaid { payment_id })
}

/// Pays the customer back.
#[action(Refund::RefundOrder)]
async fn refund_order(
    desk: &Desk,
    execution: &Execution,
    #[param(range(min = 1, max = 1_000_000))] amount: Cents,
    #[param(length(min = 1, max = 500))] reason: String,
) -> Result<OrderRefunded, Failure> {
    desk.act(format!("paid back {amount} for {}", execution.id())).await?;
    Ok(OrderRefunded { amount, reason })
}

/// Asks the desk's bank whether it paid.
#[reconcile(Refund::RefundOrder)]
async fn find_refund(
    desk: &Desk,
    execution: &Execution,
    amount: Cents,
    reason: String,
) -> Result<Reconciled<OrderRefunded>, Failure> {
    let mood = desk.mood.lock().unwrap().clone();
    match mood {
        Mood::Silent | Mood::Muddled => Ok(Reconciled::Unknown),
        Mood::Declining | Mood::Evasive => Err(Failure::unknown("the bank is closed")),
        Mood::Panicking => panic!("the bank fell over"),
        Mood::Willing | Mood::Stuck | Mood::Waiting => {
            let paid = desk.done().contains(&format!("paid back {amount} for {}", execution.id()));
            Ok(if paid { Reconciled::Happened(OrderRefunded { amount, reason }) } else { Reconciled::DidNotHappen })
        }
    }
}

/// Writes something down.
#[action(Refund::AddNote)]
async fn add_note(desk: &Desk, text: String) -> Result<NoteAdded, Failure> {
    desk.act(format!("noted {text}")).await?;
    Ok(NoteAdded { text })
}

/// Hands the order out to be read.
#[action(Refund::ExportOrder)]
async fn export_order(desk: &Desk, format: Option<String>) -> Result<(), Failure> {
    desk.act(format!("exported as {}", format.unwrap_or_else(|| "json".to_owned()))).await
}

/// A clock that stands still until it is moved.
#[derive(Debug, Default)]
pub(crate) struct StillClock(Mutex<Timestamp>);

impl StillClock {
    /// Moves the clock on.
    pub(crate) fn pass(&self, time: std::time::Duration) {
        let mut now = self.0.lock().unwrap();
        *now = now.after(time);
    }

    /// Sets the clock back, as somebody does who corrects it.
    pub(crate) fn back(&self, time: std::time::Duration) {
        let mut now = self.0.lock().unwrap();
        let back = u64::try_from(time.as_micros()).unwrap();
        *now = Timestamp::from_microseconds(now.as_microseconds().saturating_sub(back));
    }
}

/// The clock behind an `Arc`, as a runtime wants it.
#[derive(Debug, Clone, Default)]
pub(crate) struct SharedClock(pub(crate) std::sync::Arc<StillClock>);

impl Clock for SharedClock {
    fn now(&self) -> Timestamp {
        *self.0.0.lock().unwrap()
    }
}

/// The people and programs of the shop.
pub(crate) struct People {
    pub(crate) agent: Actor,
    pub(crate) nora: Actor,
    pub(crate) omar: Actor,
    pub(crate) auditor: Actor,
    pub(crate) shop: Actor,
}

/// Who there is.
pub(crate) fn people() -> People {
    People {
        agent: Actor::agent("agent-7").unwrap(),
        nora: Actor::human("nora").unwrap(),
        omar: Actor::human("omar").unwrap(),
        auditor: Actor::human("ada").unwrap(),
        shop: Actor::system("shop").unwrap(),
    }
}

/// Who holds which role.
pub(crate) fn policy() -> RolePolicy {
    let people = people();
    RolePolicy::new()
        .assign(&people.agent, RefundRole::Agent)
        .assign(&people.nora, RefundRole::Operator)
        .assign(&people.omar, RefundRole::Operator)
        .assign(&people.auditor, RefundRole::Auditor)
        .assign(&people.shop, RefundRole::System)
}

/// An open shop.
pub(crate) fn open() -> Runtime<Refund> {
    Runtime::new(MemoryStore::new(), policy(), Desk::default())
}

/// The key of an order.
pub(crate) fn order(id: &str) -> EntityKey {
    Refund::entity(id).unwrap()
}

/// Places an order.
pub(crate) async fn place<S: kiff::Store>(runtime: &Runtime<Refund, S>, id: &str) -> EntityKey {
    let key = order(id);
    let placed = runtime.ingest(&people().shop, &key, OrderPlaced { total: Cents(99_900) }).await.unwrap();
    assert!(placed.is_allowed(), "{placed:?}");
    key
}

/// Places an order and has it paid.
pub(crate) async fn paid<S: kiff::Store>(runtime: &Runtime<Refund, S>, id: &str) -> EntityKey {
    let key = place(runtime, id).await;
    let outcome = runtime.execute(&people().agent, &key, MarkPaid { payment_id: "pay-1".into() }).await.unwrap();
    assert!(matches!(outcome, Outcome::Executed(_)), "{outcome:?}");
    key
}

/// A refund of so much.
pub(crate) fn refund(amount: i64) -> RefundOrder {
    RefundOrder { amount: Cents(amount), reason: "damaged".into() }
}

/// The number of an approval that Nora granted for exactly this.
pub(crate) async fn granted(runtime: &Runtime<Refund>, key: &EntityKey, action: RefundOrder) -> kiff::ApprovalId {
    let people = people();
    let asked = runtime.request_approval(&people.agent, key, action).await.unwrap();
    let Verdict::Allowed(approval) = asked else { panic!("{asked:?}") };
    let answered = runtime.review(&people.nora, key, &approval.id, kiff::Review::grant()).await.unwrap();
    assert!(answered.is_allowed(), "{answered:?}");
    approval.id
}
