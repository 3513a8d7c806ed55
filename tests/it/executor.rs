//! What an executor and its reconcile fn are told, what becomes of odd answers, and two domains that share a store.

use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, Waker};

use kiff::{
    Actor, Bounds, Domain, EntityKey, Execution, Failure, Inquiry, MemoryStore, Outcome, Policy, PolicyError, Proposal,
    Question, ReasonCode, Reconciled, Review, Runtime, Settlement, Store, Trace, TraceId, Verdict, action, domain,
    reconcile,
};
use pollster::block_on;

use crate::shop;

domain! {
    /// Parcels, whose states are called as those of the shop's orders.
    pub domain Post governs Parcel;
    services Office;
    roles { Clerk: agent, Master: human, Depot: system }
    states { Created, final Paid }
    events {
        ParcelHandedIn reported by Depot;
        ParcelSent { receipt: String };
        LabelPrinted { text: String };
    }
    transitions {
        ParcelHandedIn: new     => Created;
        ParcelSent:     Created => Paid;
        LabelPrinted:   Created => Created;
    }
    actions {
        Send       { risk: high, by: Clerk, emits: ParcelSent, approval: Master };
        Stamp      { risk: low,  by: Clerk, emits: ParcelSent };
        PrintLabel { risk: low,  by: Clerk, emits: LabelPrinted, effect: none };
    }
    allow { Created => [Send, Stamp, PrintLabel]; }
}

/// An office that writes down what it is told.
#[derive(Debug, Default)]
pub struct Office {
    told: Mutex<Vec<String>>,
    /// Whether it looks at no list for now.
    busy: Mutex<bool>,
}

impl Office {
    fn told(&self) -> Vec<String> {
        self.told.lock().unwrap().clone()
    }

    fn write_down(&self, execution: &Execution) {
        let (key, trace) = (execution.entity(), execution.trace());
        let (id, actor, approval) = (execution.id(), execution.actor(), execution.approval());
        self.told.lock().unwrap().push(format!("{id} of {key} by {actor:?} with {approval:?} in {trace:?}"));
    }
}

/// Sends the parcel, and does not hear of it again.
#[action(Post::Send)]
async fn send(office: &Office, execution: &Execution) -> Result<ParcelSent, Failure> {
    office.write_down(execution);
    Err(Failure::unknown("the line went dead"))
}

/// Looks at the list of what was sent.
#[reconcile(Post::Send)]
async fn find_sent(office: &Office, execution: &Execution) -> Result<Reconciled<ParcelSent>, Failure> {
    office.write_down(execution);
    std::future::poll_fn(|_| if *office.busy.lock().unwrap() { Poll::Pending } else { Poll::Ready(()) }).await;
    Ok(Reconciled::Happened(ParcelSent { receipt: "r-1".into() }))
}

/// Falls over while it is dropped, after it has answered.
struct Fragile;

impl Drop for Fragile {
    fn drop(&mut self) {
        panic!("the stamp broke");
    }
}

/// Puts a stamp on it: answers as `say` tells.
#[action(Post::Stamp)]
async fn stamp(say: String) -> Result<ParcelSent, Failure> {
    match say.as_str() {
        "late" => Err(Failure::unknown("the bank answered after its deadline").with_code("too_late")),
        "over" => Err(Failure::refused("the window is over").with_code("too_late")),
        "refuse at length" => Err(Failure::refused("é".repeat(10_000))),
        "break" => {
            let _fragile = Fragile;
            Ok(ParcelSent { receipt: say })
        }
        _ => Ok(ParcelSent { receipt: "r".repeat(1_000) }),
    }
}

/// Prints a label, which may be longer than an event is.
#[action(Post::PrintLabel)]
async fn print_label(text: String) -> Result<LabelPrinted, Failure> {
    Ok(LabelPrinted { text: text.repeat(100) })
}

/// Lets everybody be what they are by their kind.
struct ByKind;

impl Policy for ByKind {
    fn holds(&self, _: &Question<'_>) -> Result<bool, PolicyError> {
        Ok(true)
    }
}

fn office<S: Store>(store: S) -> Runtime<Post, S> {
    Runtime::new(store, ByKind, Office::default()).with_bounds(Bounds { payload: 512, ..Bounds::DEFAULT })
}

async fn handed_in<S: Store>(post: &Runtime<Post, S>, id: &str) -> EntityKey {
    let key = Post::entity(id).unwrap();
    let depot = Actor::system("depot").unwrap();
    assert!(post.ingest(&depot, &key, ParcelHandedIn).await.unwrap().is_allowed());
    key
}

/// A parcel of which nobody knows whether it was sent.
async fn lost<S: Store>(post: &Runtime<Post, S>, id: &str) -> EntityKey {
    let (clerk, master) = (Actor::agent("clerk-1").unwrap(), Actor::human("nora").unwrap());
    let key = handed_in(post, id).await;
    let asked = post.request_approval(&clerk, &key, Send).await.unwrap();
    let Verdict::Allowed(asked) = asked else { panic!("{asked:?}") };
    assert!(post.review(&master, &key, &asked.id, Review::grant()).await.unwrap().is_allowed());
    let trace = Trace { trace_id: Some(TraceId::new("4bf92f35").unwrap()), ..Trace::default() };
    let outcome = post.execute(&clerk, &key, Proposal::new(Send).trace(trace)).await.unwrap();
    assert!(outcome.executed().is_none());
    key
}

#[test]
fn p7_a_reconcile_fn_is_told_what_its_executor_was_told() {
    block_on(async {
        let post = office(MemoryStore::new());
        let key = lost(&post, "parcel-1").await;
        let system = Actor::system("at-start").unwrap();
        let found = post.reconcile(&system, &key).await.unwrap();
        assert!(matches!(found, Inquiry::Settled { state: ParcelState::Paid, .. }), "{found:?}");
        let told = post.services().told();
        let [executor, reconcile] = &told[..] else { panic!("{told:?}") };
        assert_eq!(executor, reconcile);
        for part in ["Parcel/parcel-1", "clerk-1", "Some(", "4bf92f35"] {
            assert!(executor.contains(part), "{executor}");
        }
    });
}

#[test]
fn p7_what_somebody_has_settled_meanwhile_stands() {
    let post = office(MemoryStore::new());
    let key = block_on(lost(&post, "parcel-1"));
    let (system, nora) = (Actor::system("at-start").unwrap(), Actor::human("nora").unwrap());
    *post.services().busy.lock().unwrap() = true;
    let mut asking = Box::pin(post.reconcile(&system, &key));
    assert!(asking.as_mut().poll(&mut Context::from_waker(Waker::noop())).is_pending());
    let execution = block_on(post.doubt(&key)).unwrap().unwrap().execution;
    let no = Settlement::did_not_happen("it is still on the shelf");
    assert!(block_on(post.settle(&nora, &key, &execution, no)).unwrap().is_allowed());
    // Nor is what was found of the one said of the next.
    let clerk = Actor::agent("clerk-1").unwrap();
    let Verdict::Allowed(asked) = block_on(post.request_approval(&clerk, &key, Send)).unwrap() else { panic!("asked") };
    assert!(block_on(post.review(&nora, &key, &asked.id, Review::grant())).unwrap().is_allowed());
    assert!(block_on(post.execute(&clerk, &key, Send)).unwrap().executed().is_none());
    *post.services().busy.lock().unwrap() = false;
    assert_eq!(block_on(asking).unwrap(), Inquiry::NothingInDoubt);
    assert_eq!(block_on(post.entity(&key)).unwrap().state(), Some(ParcelState::Created));
    assert!(!block_on(post.timeline(&key)).unwrap().kinds().contains(&"action_executed"));
}

#[test]
fn p7_two_domains_in_one_store_leave_alone_what_is_the_others() {
    block_on(async {
        let store = Arc::new(MemoryStore::new());
        let post = office(Arc::clone(&store));
        let orders = Runtime::<shop::Refund, _>::new(store, shop::policy(), shop::Desk::default());
        let (people, key) = (shop::people(), shop::order("ord-1"));
        let placed = shop::OrderPlaced { total: kiff::Cents(5) };
        assert!(orders.ingest(&people.shop, &key, placed).await.unwrap().is_allowed());
        let parcel = lost(&post, "parcel-1").await;
        let waiting = handed_in(&post, "parcel-2").await;
        let clerk = Actor::agent("clerk-1").unwrap();
        assert!(post.request_approval(&clerk, &waiting, Send).await.unwrap().is_allowed());
        assert!(orders.in_doubt(None, 9).await.unwrap().is_empty());
        assert!(orders.pending_approvals(None, 9).await.unwrap().is_empty());
        assert!(orders.recover(&people.shop).await.unwrap().is_empty());
        assert_eq!(post.in_doubt(None, 9).await.unwrap()[0].open.key, parcel);
        assert_eq!(post.pending_approvals(None, 9).await.unwrap()[0].open.key, waiting);

        // Nor is the journal of the one replayed by the transitions of the other, whose states are called alike.
        let before = post.timeline(&waiting).await.unwrap().kinds();
        let refused = orders.rebuild(&people.shop, &waiting).await.unwrap();
        let refusal = refused.refusal().unwrap();
        assert_eq!(refusal.code, ReasonCode::UnknownEntity);
        assert!(refusal.message.contains("governs `Order`, not `Parcel`"), "{refusal}");
        assert_eq!(post.timeline(&waiting).await.unwrap().kinds(), before);
    });
}

#[test]
fn p9_an_executor_that_panics_while_it_is_dropped_may_have_done_it() {
    block_on(async {
        let post = office(MemoryStore::new());
        let key = handed_in(&post, "parcel-1").await;
        let clerk = Actor::agent("clerk-1").unwrap();
        let outcome = post.execute(&clerk, &key, Stamp { say: "break".into() }).await.unwrap();
        let Outcome::Failed(failed) = outcome else { panic!("{outcome:?}") };
        assert!(
            failed.failure.is_unknown() && failed.failure.message().contains("the executor panicked"),
            "{failed:?}"
        );
        assert!(post.doubt(&key).await.unwrap().is_some());
    });
}

#[test]
fn an_executor_that_somebody_else_wrote_for_an_action_of_the_block_runs_nothing() {
    /// Says of itself that it is the declaration of a harmless action, and answers with the event of another.
    struct Forged;
    #[derive(Debug)]
    struct SendAtOnce;

    impl kiff::Declared for Forged {
        type Domain = Post;
        type Emits = ParcelSent;
        type Name = ();
        const ACTION: Post = Post::PrintLabel;
    }

    impl kiff::Action for SendAtOnce {
        const PARAMETERS: &'static [kiff::Parameter] = &[];

        fn check(&self) -> Result<(), kiff::ParameterFault> {
            Ok(())
        }

        fn write(&self, _: &mut kiff::__private::Members) {}

        fn decode(_: &kiff::Json) -> Result<Self, kiff::ParameterFault> {
            Ok(Self)
        }
    }

    impl kiff::Governed<Post> for SendAtOnce {
        type Declared = Forged;
    }

    impl kiff::Executes<Post, ()> for Forged {
        type Action = SendAtOnce;

        async fn run<'a>(
            _: kiff::Permit<'a, Self>,
            _: SendAtOnce,
            _: &'a Office,
            _: &'a Execution,
        ) -> Result<ParcelSent, Failure> {
            Ok(ParcelSent { receipt: "nobody approved it".into() })
        }
    }

    block_on(async {
        let post = office(MemoryStore::new());
        let key = handed_in(&post, "parcel-1").await;
        let clerk = Actor::agent("clerk-1").unwrap();
        let outcome = post.execute(&clerk, &key, SendAtOnce).await.unwrap();
        assert_eq!(outcome.refusal().unwrap().code, ReasonCode::UnknownAction, "{outcome:?}");
        assert_eq!(post.entity(&key).await.unwrap().state(), Some(ParcelState::Created));
    });
}

#[test]
fn p10_an_event_over_the_bound_leaves_a_doubt_where_something_was_done_and_none_where_nothing_was() {
    block_on(async {
        let post = office(MemoryStore::new());
        let clerk = Actor::agent("clerk-1").unwrap();
        let key = handed_in(&post, "parcel-1").await;
        let label = PrintLabel { text: "fragile".into() };
        let outcome = post.execute(&clerk, &key, label).await.unwrap();
        let Outcome::Failed(failed) = outcome else { panic!("{outcome:?}") };
        assert!(failed.failure.message().contains("at most 512 are allowed"), "{}", failed.failure.message());
        assert!(!failed.failure.is_unknown(), "nothing was done");
        assert_eq!(post.doubt(&key).await.unwrap(), None);
        let outcome = post.execute(&clerk, &key, Stamp { say: "at length".into() }).await.unwrap();
        let Outcome::Failed(failed) = outcome else { panic!("{outcome:?}") };
        assert!(failed.failure.message().contains("at most 512 are allowed"), "{}", failed.failure.message());
        let doubt = post.doubt(&key).await.unwrap().unwrap();
        assert!(doubt.unknown, "its executor has ended");
        assert_eq!(post.entity(&key).await.unwrap().state(), Some(ParcelState::Created));
    });
}

#[test]
fn p7_an_executor_that_says_itself_that_it_is_late_is_in_doubt_all_the_same() {
    block_on(async {
        let post = office(MemoryStore::new());
        let (key, clerk) = (handed_in(&post, "parcel-1").await, Actor::agent("clerk-1").unwrap());
        let outcome = post.execute(&clerk, &key, Stamp { say: "late".into() }).await.unwrap();
        let Outcome::Failed(failed) = outcome else { panic!("{outcome:?}") };
        assert!(failed.is_in_doubt() && post.doubt(&key).await.unwrap().is_some(), "{failed:?}");
        assert!(post.timeline(&key).await.unwrap().to_string().contains("after its deadline, in doubt"));
    });
}

#[test]
fn an_executor_may_call_what_it_refuses_as_it_likes() {
    block_on(async {
        let post = office(MemoryStore::new());
        let (key, clerk) = (handed_in(&post, "parcel-1").await, Actor::agent("clerk-1").unwrap());
        let outcome = post.execute(&clerk, &key, Stamp { say: "over".into() }).await.unwrap();
        let Outcome::Failed(failed) = outcome else { panic!("{outcome:?}") };
        assert_eq!((failed.failure.code(), failed.failure.is_unknown()), ("too_late", false));
        assert!(post.doubt(&key).await.unwrap().is_none());
        assert!(post.timeline(&key).await.unwrap().to_string().contains("STAMP too_late: the window is over\n"));
    });
}

#[test]
fn p10_what_an_executor_says_is_cut_to_the_bound_and_kept() {
    block_on(async {
        let post = office(MemoryStore::new());
        let key = handed_in(&post, "parcel-1").await;
        let clerk = Actor::agent("clerk-1").unwrap();
        let outcome = post.execute(&clerk, &key, Stamp { say: "refuse at length".into() }).await.unwrap();
        assert_eq!(outcome.outcome(), "failed");
        let timeline = post.timeline(&key).await.unwrap();
        let kept = timeline.records().find_map(|record| match record.fact() {
            kiff::Fact::ActionFailed(failed) => Some(&failed.message),
            _ => None,
        });
        // What it says is made of letters of two bytes each, and of each one all is kept or nothing.
        let kept = kept.unwrap();
        assert!((Bounds::DEFAULT.text - 1..=Bounds::DEFAULT.text).contains(&kept.len()) && kept.ends_with('…'));
    });
}
