//! A long journal is not read from its beginning, and a snapshot that the journal does not vouch for is not believed.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, Weak};

use kiff::journal::{ActionFailed, Content, FailedOutcome};
use kiff::{
    Appended, Bounds, Commit, Cursor, Entity, EntityKey, Error, Evidence, Fault, IdempotencyKey, Matter, MemoryStore,
    Open, Outcome, Proposal, Query, Review, Runtime, Sealed, Settlement, Snapshot, Store, StoreError, Timestamp,
    Verdict, Verification,
};
use kiff_test::{FixedClock, SequentialIdentifiers};
use pollster::block_on;

use crate::shop::{
    AddNote, Desk, ExportOrder, MarkPaid, Mood, OrderPaid, OrderPlaced, OrderState, Refund, granted, order, paid,
    people, place, policy, refund,
};

/// A store in memory that counts the commits that it reads out, each anew as a store on disk does, and may forge a snapshot.
#[derive(Default)]
struct Counting {
    inner: MemoryStore,
    read: AtomicUsize,
    /// What somebody may still hold of what was read out.
    held: Mutex<Vec<Weak<Commit>>>,
    /// How much of it was held at a time.
    most_held: AtomicUsize,
    forged: Mutex<Option<Snapshot>>,
    /// What somebody else appends right before the next commit.
    before: Mutex<Option<Sealed>>,
}

impl Store for Counting {
    async fn append(&self, commit: Sealed) -> Result<Appended, StoreError> {
        let before = self.before.lock().unwrap().take();
        if let Some(before) = before {
            assert_eq!(self.inner.append(before).await?, Appended::Written);
        }
        self.inner.append(commit).await
    }

    async fn read(&self, key: &EntityKey, after: u64, limit: usize) -> Result<Vec<Arc<Commit>>, StoreError> {
        let mut read = self.inner.read(key, after, limit).await?;
        self.read.fetch_add(read.len(), Ordering::Relaxed);
        for commit in &mut read {
            *commit = again(commit);
        }
        let mut held = self.held.lock().unwrap();
        held.retain(|held| held.strong_count() > 0);
        held.extend(read.iter().map(Arc::downgrade));
        self.most_held.fetch_max(held.len(), Ordering::Relaxed);
        Ok(read)
    }

    async fn entities(&self, after: Option<&EntityKey>, limit: usize) -> Result<Vec<EntityKey>, StoreError> {
        self.inner.entities(after, limit).await
    }

    async fn search(&self, query: &Query, cursor: Cursor, limit: usize) -> Result<Vec<(u64, Arc<Commit>)>, StoreError> {
        self.inner.search(query, cursor, limit).await
    }

    async fn open(
        &self,
        matter: Matter,
        tenant: Option<&str>,
        now: Timestamp,
        after: Option<&Open>,
        limit: usize,
    ) -> Result<Vec<Open>, StoreError> {
        self.inner.open(matter, tenant, now, after, limit).await
    }

    async fn keyed(&self, key: &EntityKey, idempotency_key: &IdempotencyKey) -> Result<Option<u64>, StoreError> {
        self.inner.keyed(key, idempotency_key).await
    }

    fn is_shared(&self) -> bool {
        self.inner.is_shared()
    }

    async fn snapshot(&self, key: &EntityKey) -> Result<Option<Snapshot>, StoreError> {
        let forged = self.forged.lock().unwrap().clone();
        Ok(forged.or(self.inner.snapshot(key).await?))
    }
}

/// The commit as a store on disk reads it.
fn again(commit: &Commit) -> Arc<Commit> {
    let (key, number, body) = (commit.key().clone(), commit.number(), commit.body());
    Arc::new(Commit::open(key, number, commit.previous(), commit.hash(), &body).unwrap())
}

/// A store with an order of many commits, one of which holds an approval that waits for its action.
fn long() -> (Counting, EntityKey, kiff::ApprovalId) {
    let (people, key) = (people(), order("ord-1"));
    let store = block_on(async {
        let runtime = Runtime::<Refund>::new(MemoryStore::new(), policy(), Desk::default());
        assert!(runtime.ingest(&people.shop, &key, OrderPlaced { total: kiff::Cents(5) }).await.unwrap().is_allowed());
        let pay = MarkPaid { payment_id: "pay-1".into() };
        assert!(runtime.execute(&people.agent, &key, pay).await.unwrap().executed().is_some());
        let approval = granted(&runtime, &key, refund(7)).await;
        for note in 0..1_000 {
            let note = AddNote { text: note.to_string() };
            assert!(runtime.execute(&people.agent, &key, note).await.unwrap().executed().is_some());
        }
        let copy = Counting::default();
        let commits = runtime.store().read(&key, 0, usize::MAX).await.unwrap();
        for commit in commits {
            let content = commit.content().clone();
            let mut sealed = Sealed::new(key.clone(), commit.number(), commit.previous(), content);
            if commit.content().fold.is_some() {
                let before =
                    runtime.store().read(&key, 0, usize::try_from(commit.number() - 1).unwrap()).await.unwrap();
                let before = Entity::<Refund>::fold(key.clone(), &before).unwrap();
                sealed = sealed.with_snapshot(before.snapshot().unwrap());
            }
            assert_eq!(copy.append(sealed).await.unwrap(), Appended::Written);
        }
        (copy, approval)
    });
    (store.0, key, store.1)
}

fn runtime(store: Counting) -> Runtime<Refund, Counting> {
    Runtime::new(store, policy(), Desk::default())
}

#[test]
fn after_a_restart_a_long_journal_is_read_from_its_last_snapshot_on() {
    let (store, key, approval) = long();
    let runtime = runtime(store);
    let entity = block_on(runtime.entity(&key)).unwrap();
    let read = runtime.store().read.load(Ordering::Relaxed);
    assert!(read < 260, "{read} commits were read");
    assert_eq!((entity.number(), entity.state()), (1_005, Some(OrderState::Paid)));
    assert_eq!(entity.open_approvals()[0].id, approval);
    // What the snapshot says of approvals counts as what the journal says.
    let done = block_on(runtime.execute(&people().agent, &key, refund(7))).unwrap();
    assert!(done.executed().is_some(), "{done:?}");
    assert!(block_on(runtime.rebuild(&people().shop, &key)).unwrap().is_allowed());
}

#[test]
fn an_action_on_a_long_journal_reads_no_more_than_one_on_a_young_one() {
    let (store, long, _) = long();
    let (runtime, people, young) = (runtime(store), people(), order("ord-2"));
    let placed = block_on(runtime.ingest(&people.shop, &young, OrderPlaced { total: kiff::Cents(5) })).unwrap();
    assert!(placed.is_allowed());
    block_on(runtime.entity(&long)).unwrap();
    let read_for = |key: &EntityKey| {
        let before = runtime.store().read.load(Ordering::Relaxed);
        let noted = block_on(runtime.execute(&people.agent, key, AddNote { text: "once more".into() })).unwrap();
        assert!(noted.executed().is_some(), "{noted:?}");
        runtime.store().read.load(Ordering::Relaxed) - before
    };
    for _ in 0..3 {
        assert_eq!(read_for(&long), read_for(&young));
    }
}

#[test]
fn a_wish_without_an_event_is_repeated_on_a_long_journal_without_reading_what_came_before_it() {
    let (store, key, _) = long();
    let (runtime, people) = (runtime(store), people());
    let export = || {
        let wish = Proposal::new(ExportOrder { format: None }).idempotency_key("wish-1".parse().unwrap());
        block_on(runtime.execute(&people.auditor, &key, wish)).unwrap()
    };
    let first = export();
    let repeated = || {
        let before = runtime.store().read.load(Ordering::Relaxed);
        let (again, first) = (export(), first.executed().unwrap());
        let again = again.executed().unwrap();
        assert_eq!((&again.execution, again.state, again.deduplicated), (&first.execution, OrderState::Paid, true));
        runtime.store().read.load(Ordering::Relaxed) - before
    };
    // Its start and its end, and not the thousand before.
    assert!(repeated() < 10);
    // What has changed the state since then says what it was.
    assert!(block_on(runtime.execute(&people.agent, &key, refund(7))).unwrap().executed().is_some());
    assert!(repeated() < 10);
    assert_eq!(block_on(runtime.entity(&key)).unwrap().state(), Some(OrderState::Refunded));
}

#[test]
fn p6_the_first_answer_is_found_however_far_behind_its_start_it_stands() {
    block_on(async {
        let people = people();
        let runtime = Runtime::<Refund>::new(MemoryStore::new(), policy(), Desk::default());
        let key = place(&runtime, "ord-1").await;
        let pay = || MarkPaid { payment_id: "pay-1".into() };
        let wish = || Proposal::new(pay()).idempotency_key("wish-1".parse().unwrap());
        runtime.services().be(Mood::Silent);
        let Outcome::Failed(first) = runtime.execute(&people.agent, &key, wish()).await.unwrap() else {
            panic!("the bank is silent")
        };
        // More refusals than are read at once.
        for _ in 0..300 {
            assert_eq!(runtime.execute(&people.agent, &key, pay()).await.unwrap().outcome(), "blocked");
        }
        let paid = Settlement::happened(OrderPaid { payment_id: "pay-1".into() }, "it is on the statement");
        assert!(runtime.settle(&people.nora, &key, &first.execution, paid).await.unwrap().is_allowed());
        let again = runtime.execute(&people.agent, &key, wish()).await.unwrap();
        assert!(again.executed().is_some_and(|done| done.deduplicated), "{again:?}");
        assert_eq!(runtime.services().done(), ["captured pay-1"]);
    });
}

#[test]
fn a_long_journal_is_rebuilt_a_page_at_a_time_and_read_once_whoever_else_appends() {
    let (store, key, _) = long();
    let (runtime, people) = (runtime(store), people());
    let rebuilt = block_on(runtime.rebuild(&people.shop, &key)).unwrap();
    assert!(matches!(rebuilt, Verdict::Allowed(rebuilt) if rebuilt.matches && rebuilt.events == 1_002), "{rebuilt:?}");
    let held = runtime.store().most_held.load(Ordering::Relaxed);
    assert!(held < 300, "{held} commits were held at a time");

    let entity = block_on(runtime.entity(&key)).unwrap();
    let (at, actor) = (Timestamp::default(), people.shop.clone());
    let content = Content { at, actor, trace: None, cause: None, fold: None, facts: Box::new([]) };
    let other = Sealed::new(key.clone(), entity.number() + 1, entity.head(), content);
    *runtime.store().before.lock().unwrap() = Some(other);
    let before = runtime.store().read.load(Ordering::Relaxed);
    assert!(block_on(runtime.rebuild(&people.shop, &key)).unwrap().is_allowed());
    let read = runtime.store().read.load(Ordering::Relaxed) - before;
    assert_eq!(block_on(runtime.entity(&key)).unwrap().number(), entity.number() + 2);
    assert!(read < 1_100, "{read} commits were read");
}

#[test]
fn p1_a_snapshot_that_the_journal_does_not_vouch_for_is_not_believed() {
    let (store, key, approval) = long();
    let kept = block_on(store.snapshot(&key)).unwrap().unwrap();
    let body = String::from_utf8(kept.body).unwrap();
    // Nor is the right one that is said to be of another commit.
    let next = block_on(store.read(&key, kept.number, 1)).unwrap().remove(0);
    let right = block_on(store.inner.snapshot(&key)).unwrap().unwrap();
    assert!(Entity::<Refund>::restore(&right, &next).is_ok());
    let elsewhere = Snapshot { number: right.number - 1, ..right };
    assert!(Entity::<Refund>::restore(&elsewhere, &next).is_err());
    let store = Arc::new(store);
    // The records behind it contradict the one, and say nothing of the other.
    let approved = format!(r#""id":"{approval}""#);
    for (said, instead) in [(r#""state":"PAID""#, r#""state":"CREATED""#), (&*approved, r#""id":"another""#)] {
        assert!(body.contains(said), "{body}");
        let forged = Snapshot { number: kept.number, body: body.replace(said, instead).into_bytes() };
        *store.forged.lock().unwrap() = Some(forged);
        let runtime = Runtime::<Refund, _>::new(Arc::clone(&store), policy(), Desk::default());
        let entity = block_on(runtime.entity(&key)).unwrap();
        assert_eq!((entity.number(), entity.state()), (1_005, Some(OrderState::Paid)));
        assert_eq!(entity.open_approvals()[0].id, approval);
    }
}

/// A journal with an approval of every sort, and an action in doubt.
async fn eventful() -> (Runtime<Refund>, EntityKey) {
    let people = people();
    let runtime = Runtime::<Refund>::new(MemoryStore::new(), policy(), Desk::default())
        .with_clock(FixedClock::new())
        .with_identifiers(SequentialIdentifiers::new());
    let key = paid(&runtime, "ord-1").await;
    let denied = Proposal::new(refund(1)).because("damaged").confidence(0.85).unwrap();
    let denied = denied.evidence(Evidence::new("photo", &("é", 1.5, [(), ()])).unwrap());
    let Verdict::Allowed(asked) = runtime.request_approval(&people.agent, &key, denied).await.unwrap() else {
        panic!("it can be asked for")
    };
    let no = Review::deny().because("bought elsewhere");
    assert!(runtime.review(&people.nora, &key, &asked.id, no).await.unwrap().is_allowed());
    granted(&runtime, &key, refund(2)).await;
    runtime.services().be(Mood::Declining);
    assert_eq!(runtime.execute(&people.agent, &key, refund(2)).await.unwrap().outcome(), "failed");
    assert!(runtime.request_approval(&people.agent, &key, refund(3)).await.unwrap().is_allowed());
    granted(&runtime, &key, refund(4)).await;
    granted(&runtime, &key, refund(5)).await;
    runtime.services().be(Mood::Silent);
    assert_eq!(runtime.execute(&people.agent, &key, refund(5)).await.unwrap().outcome(), "failed");
    (runtime, key)
}

#[test]
fn what_a_journal_folds_to_has_one_digest_for_good() {
    block_on(async {
        let (runtime, key) = eventful().await;
        let entity = runtime.entity(&key).await.unwrap();
        let now = entity.snapshot().unwrap();
        let commits = runtime.store().read(&key, 0, usize::MAX).await.unwrap();
        let read: Vec<_> = commits.iter().map(|commit| again(commit)).collect();
        let folded = Entity::<Refund>::fold(key, &read).unwrap().snapshot().unwrap();
        assert_eq!(String::from_utf8(now.body.clone()), String::from_utf8(folded.body));
        // Journals say it: another one would call every journal of before broken. What depends on the shop is left out.
        let mut body = String::from_utf8(now.body).unwrap().replace(&entity.head().to_string(), "head");
        for approval in entity.approvals() {
            body = body.replace(&approval.binding.whole.to_string(), "whole");
            body = body.replace(&approval.binding.contract.to_string(), "contract");
        }
        let digest = Snapshot { number: now.number, body: body.clone().into_bytes() }.digest();
        assert_eq!(digest.to_string(), "7e9c02fb30120eec742bd163f17a27d869d55964dbe6664e8951bd2563b95dce", "{body}");
    });
}

#[test]
fn p3_p7_a_snapshot_keeps_every_approval_and_what_is_in_doubt() {
    block_on(async {
        let (runtime, key) = eventful().await;
        let snapshot = runtime.entity(&key).await.unwrap().snapshot().unwrap();
        let mut commits = runtime.store().read(&key, 0, usize::MAX).await.unwrap();
        let last = commits.last().unwrap();
        let content = Content { fold: Some(Box::new(snapshot.digest())), ..last.content().clone() };
        let sealed = Sealed::new(key.clone(), last.number() + 1, last.hash(), content);
        let restored = Entity::<Refund>::restore(&snapshot, sealed.commit()).unwrap();
        assert!(restored.running().is_some_and(|running| running.unknown));
        commits.push(Arc::clone(sealed.commit()));
        let folded = Entity::<Refund>::fold(key, &commits).unwrap();
        let [restored, folded] = [restored, folded].map(|entity| String::from_utf8(entity.snapshot().unwrap().body));
        assert_eq!(restored, folded);
    });
}

#[test]
fn p8_a_forged_fold_is_found_by_who_reads_the_whole_journal() {
    block_on(async {
        let (people, store) = (people(), Arc::new(MemoryStore::new()));
        let runtime = Runtime::<Refund, _>::new(Arc::clone(&store), policy(), Desk::default());
        let key = order("ord-1");
        assert!(runtime.ingest(&people.shop, &key, OrderPlaced { total: kiff::Cents(5) }).await.unwrap().is_allowed());
        let pay = MarkPaid { payment_id: "pay-1".into() };
        assert!(runtime.execute(&people.agent, &key, pay).await.unwrap().executed().is_some());
        assert!(runtime.request_approval(&people.agent, &key, refund(7)).await.unwrap().is_allowed());
        let entity = runtime.entity(&key).await.unwrap();
        let kept = String::from_utf8(entity.snapshot().unwrap().body).unwrap();
        let at = entity.open_approvals()[0].requested_at;
        let yes =
            format!(r#""status":{{"granted":{{"by":{{"kind":"human","id":"nora"}},"at":"{at}","reason":null}}}}"#);
        let forged = kept.replace(r#""status":"pending""#, &yes);
        assert_ne!(forged, kept);
        let forged = Snapshot { number: entity.number(), body: forged.into_bytes() };
        let harmless = ActionFailed {
            action: "ADD_NOTE".into(),
            outcome: FailedOutcome::Blocked,
            code: "permission_denied".into(),
            message: "`agent-8` may not".to_owned(),
            parameters: None,
            execution: None,
            settled: None,
        };
        let content = Content {
            at,
            actor: people.agent.clone(),
            trace: None,
            cause: None,
            fold: Some(Box::new(forged.digest())),
            facts: Box::new([harmless.into()]),
        };
        let next = entity.number() + 1;
        let sealed = Sealed::new(key.clone(), next, entity.head(), content).with_snapshot(forged);
        assert_eq!(store.append(sealed).await.unwrap(), Appended::Written);

        let after = Runtime::<Refund, _>::new(Arc::clone(&store), policy(), Desk::default());
        assert_eq!(after.entity(&key).await.unwrap().open_approvals()[0].status.as_str(), "granted");
        let Error::Journal(broken) = after.rebuild(&people.shop, &key).await.unwrap_err() else {
            panic!("the journal is broken")
        };
        assert_eq!((&broken.key, broken.number), (&key, next));
        let report = Verification::of(&*store).run(|_| ()).await.unwrap();
        let [Fault::Unfounded { number, .. }] = &report.faults[..] else { panic!("{report}") };
        assert_eq!(*number, next);
        // Who follows the journal meets it as well.
        assert!(matches!(runtime.entity(&key).await.unwrap_err(), Error::Journal(found) if found == broken));
    });
}

/// How many of these entities a runtime has forgotten, and reads anew.
fn forgotten(runtime: &Runtime<Refund, Counting>, keys: &[EntityKey]) -> usize {
    let read = || runtime.store().read.load(Ordering::Relaxed);
    let is_forgotten = |key: &&EntityKey| {
        let before = read();
        block_on(runtime.entity(key)).unwrap();
        read() > before
    };
    keys.iter().filter(is_forgotten).count()
}

#[test]
fn p10_what_a_runtime_remembers_of_approvals_is_bounded() {
    /// A request as large as its bounds allow, nearly.
    const LARGE: usize = 64 * 1024;
    const MOST: usize = 1024 * 1024;
    let people = people();
    let ask = |runtime: &Runtime<Refund, Counting>, number: usize| {
        let large = Evidence::new("photo", &"x".repeat(8 * 1024 - 2)).unwrap();
        let proposal = (0..8).fold(Proposal::new(refund(49)), |proposal, _| proposal.evidence(large.clone()));
        block_on(async {
            let key = paid(runtime, &format!("ord-{number}")).await;
            let asked = runtime.request_approval(&people.agent, &key, proposal).await.unwrap();
            let Verdict::Allowed(asked) = asked else { panic!("{asked:?}") };
            // What is over is remembered as well.
            if number.is_multiple_of(2) {
                assert!(runtime.review(&people.nora, &key, &asked.id, Review::deny()).await.unwrap().is_allowed());
            }
            key
        })
    };
    let wide = runtime(Counting::default());
    let keys: Vec<_> = (0..100).map(|number| ask(&wide, number)).collect();
    assert_eq!(forgotten(&wide, &keys), 0);

    let narrow = runtime(Counting::default()).with_bounds(Bounds { remembered_approvals: MOST, ..Bounds::DEFAULT });
    let keys: Vec<_> = (0..100).map(|number| ask(&narrow, number)).collect();
    let forgotten = forgotten(&narrow, &keys);
    assert!(100 - forgotten <= MOST / LARGE, "{forgotten}");
    // What was forgotten is as it was.
    let first = block_on(narrow.entity(&keys[1])).unwrap();
    assert_eq!(first.open_approvals().len(), 1);
}

#[test]
fn p10_only_so_many_entities_are_remembered() {
    let runtime = runtime(Counting::default()).with_bounds(Bounds { remembered: 64, ..Bounds::DEFAULT });
    let keys: Vec<_> = (0..500).map(|number| block_on(paid(&runtime, &format!("ord-{number}")))).collect();
    assert_eq!(forgotten(&runtime, &keys[499..]), 0, "the last one is remembered");
    assert!(forgotten(&runtime, &keys) >= 500 - 64);
}
