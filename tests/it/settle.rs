//! P7: what may have happened is shown, holds its entity, and is settled by somebody who may, with a reason.

use std::future::Future;
use std::sync::Arc;
use std::task::{Context, Waker};

use kiff::{
    Actor, ActorKind, Domain, EntityKey, ExecutionId, Fact, Inquiry, MemoryStore, Outcome, ReasonCode, RolePolicy,
    Runtime, Settlement, Verdict,
};
use pollster::block_on;

use self::claims::{ClaimApproved, ClaimFiled, Claims, ClaimsRole, Decide, Sort};
use crate::shop::{
    Desk, MarkPaid, Mood, NoteAdded, OrderCancelled, OrderPaid, OrderState, Refund, RefundRole, granted, open, order,
    paid, people, place, policy, refund,
};

fn pay() -> MarkPaid {
    MarkPaid { payment_id: "pay-1".into() }
}

fn happened() -> Settlement<Refund> {
    Settlement::happened(OrderPaid { payment_id: "pay-1".into() }, "it is on the statement")
}

/// An order whose payment nobody knows the end of.
async fn doubtful(runtime: &Runtime<Refund>, id: &str) -> (EntityKey, ExecutionId) {
    let key = place(runtime, id).await;
    runtime.services().be(Mood::Silent);
    let outcome = runtime.execute(&people().agent, &key, pay()).await.unwrap();
    runtime.services().be(Mood::Willing);
    let Outcome::Failed(failed) = outcome else { panic!("{outcome:?}") };
    assert!(failed.failure.is_unknown());
    (key, failed.execution)
}

#[test]
fn p7_doubts_are_listed_over_all_entities_until_they_are_settled() {
    block_on(async {
        let (runtime, people) = (open(), people());
        paid(&runtime, "ord-0").await;
        let mut doubts = Vec::new();
        for id in ["ord-1", "ord-2", "ord-3"] {
            doubts.push(doubtful(&runtime, id).await);
        }
        let listed = runtime.in_doubt(None, 2).await.unwrap();
        let rest = runtime.in_doubt(Some(&listed[1].open), 9).await.unwrap();
        let found: Vec<_> =
            listed.iter().chain(&rest).map(|doubt| (&doubt.open.key, &doubt.running.execution)).collect();
        assert_eq!(found, doubts.iter().map(|(key, execution)| (key, execution)).collect::<Vec<_>>());
        let (key, execution) = &doubts[1];
        let settled = runtime.settle(&people.nora, key, execution, Settlement::did_not_happen("no trace"));
        assert_eq!(settled.await.unwrap(), Verdict::Allowed(OrderState::Created));
        assert_eq!(runtime.in_doubt(None, 9).await.unwrap().len(), 2);
    });
}

#[test]
fn p7_what_happened_moves_the_entity_with_the_reason_on_the_record() {
    block_on(async {
        let (runtime, people) = (open(), people());
        let (key, execution) = doubtful(&runtime, "ord-1").await;
        let settled = runtime.settle(&people.nora, &key, &execution, happened()).await.unwrap();
        assert_eq!(settled, Verdict::Allowed(OrderState::Paid));
        let timeline = runtime.timeline(&key).await.unwrap();
        assert!(timeline.to_string().contains("settled because \"it is on the statement\""), "{timeline}");
        assert!(runtime.rebuild(&people.shop, &key).await.unwrap().is_allowed());
        let again = runtime.settle(&people.nora, &key, &execution, happened()).await.unwrap();
        assert_eq!(again.refusal().unwrap().code, ReasonCode::UnknownEntity);
    });
}

#[test]
fn p7_what_did_not_happen_may_be_tried_again() {
    block_on(async {
        let (runtime, people) = (open(), people());
        let (key, execution) = doubtful(&runtime, "ord-1").await;
        let blocked = runtime.execute(&people.agent, &key, pay()).await.unwrap();
        assert_eq!(blocked.refusal().unwrap().code, ReasonCode::ActionInProgress);
        let no = Settlement::did_not_happen("the bank's support says so");
        assert!(runtime.settle(&people.nora, &key, &execution, no).await.unwrap().is_allowed());
        assert!(runtime.execute(&people.agent, &key, pay()).await.unwrap().executed().is_some());
    });
}

#[test]
fn p7_only_a_human_who_may_and_did_not_ask_settles_and_says_how_they_know() {
    block_on(async {
        let (runtime, people) = (open(), people());
        let (key, execution) = doubtful(&runtime, "ord-1").await;
        let stranger = Actor::human("mallory").unwrap();
        let no_reason = Settlement::did_not_happen(" ");
        let wrong_event = Settlement::happened(NoteAdded { text: "x".into() }, "hm");
        let no_event = Settlement::event(None, "hm");
        let endless = Settlement::did_not_happen("x".repeat(runtime.bounds().text + 1));
        for (actor, settlement, code) in [
            (&people.agent, happened(), ReasonCode::PermissionDenied),
            (&people.shop, happened(), ReasonCode::PermissionDenied),
            (&stranger, happened(), ReasonCode::PermissionDenied),
            (&people.nora, no_reason, ReasonCode::InvalidContract),
            (&people.nora, wrong_event, ReasonCode::InvalidContract),
            (&people.nora, no_event, ReasonCode::InvalidContract),
            (&people.nora, endless, ReasonCode::InvalidContract),
        ] {
            let verdict = runtime.settle(actor, &key, &execution, settlement).await.unwrap();
            assert_eq!(verdict.refusal().map(|refusal| refusal.code), Some(code), "{}: {verdict:?}", actor.id());
            let timeline = runtime.timeline(&key).await.unwrap();
            let last = timeline.records().last().unwrap();
            assert!(matches!(last.fact(), Fact::ActionFailed(failed) if failed.message.contains("settling")));
            assert_eq!(last.commit().actor(), actor);
            if actor.kind() != ActorKind::Human {
                assert!(
                    verdict.refusal().unwrap().message.starts_with("only a human can settle a doubt"),
                    "{verdict:?}"
                );
            }
        }
        let other = runtime.settle(&people.nora, &key, &"another".parse().unwrap(), happened()).await.unwrap();
        assert_eq!(other.refusal().unwrap().code, ReasonCode::UnknownEntity);
        assert!(runtime.doubt(&key).await.unwrap().is_some());
    });
}

#[test]
fn p7_no_event_comes_in_while_an_action_is_in_doubt() {
    block_on(async {
        let (runtime, people) = (open(), people());
        let (key, execution) = doubtful(&runtime, "ord-1").await;
        // The order could be cancelled, and the payment that may have been taken could then never be recorded.
        let cancel = || runtime.ingest(&people.shop, &key, OrderCancelled { reason: "it is late".into() });
        let refused = cancel().await.unwrap();
        assert_eq!(refused.refusal().unwrap().code, ReasonCode::ActionInProgress, "{refused:?}");
        assert_eq!(runtime.entity(&key).await.unwrap().state(), Some(OrderState::Created));
        let nothing = Settlement::did_not_happen("the bank says so");
        assert!(runtime.settle(&people.nora, &key, &execution, nothing).await.unwrap().is_allowed());
        assert!(cancel().await.unwrap().is_allowed());
    });
}

#[test]
fn p7_who_asked_for_the_run_cannot_settle_it_and_an_approved_action_is_for_its_approvers() {
    block_on(async {
        let (runtime, people) = (open(), people());
        let key = place(&runtime, "ord-1").await;
        runtime.services().be(Mood::Silent);
        let outcome = runtime.execute(&people.auditor, &key, pay()).await.unwrap();
        let Outcome::Failed(failed) = outcome else { panic!("{outcome:?}") };
        let verdict = runtime.settle(&people.auditor, &key, &failed.execution, happened()).await.unwrap();
        assert!(verdict.refusal().unwrap().message.contains("asked for execution"), "{verdict:?}");

        // Nor a program of theirs, that goes by their name.
        let policy = policy().assign(&people.nora, RefundRole::Agent);
        let own = Runtime::<Refund>::new(MemoryStore::new(), policy, Desk::default());
        let (hers, key) = (Actor::agent("nora").unwrap(), place(&own, "ord-1").await);
        own.services().be(Mood::Silent);
        let Outcome::Failed(failed) = own.execute(&hers, &key, pay()).await.unwrap() else { panic!("nobody knows") };
        let verdict = own.settle(&people.nora, &key, &failed.execution, happened()).await.unwrap();
        assert!(verdict.refusal().unwrap().message.contains("asked for execution"), "{verdict:?}");

        runtime.services().be(Mood::Willing);
        let key = paid(&runtime, "ord-2").await;
        granted(&runtime, &key, refund(4_900)).await;
        runtime.services().be(Mood::Silent);
        let outcome = runtime.execute(&people.agent, &key, refund(4_900)).await.unwrap();
        let Outcome::Failed(failed) = outcome else { panic!("{outcome:?}") };
        let no = || Settlement::did_not_happen("looked");
        let verdict = runtime.settle(&people.auditor, &key, &failed.execution, no()).await.unwrap();
        assert_eq!(verdict.refusal().unwrap().code, ReasonCode::PermissionDenied);
        assert!(runtime.settle(&people.omar, &key, &failed.execution, no()).await.unwrap().is_allowed());
    });
}

/// Claims, which some people decide and others only look at.
mod claims {
    use kiff::{Failure, action, domain};

    domain! {
        /// Claims, from the post to the decision.
        pub domain Claims governs Claim;
        roles { Adjuster: human, Intern: human, Robot: agent, Mailroom: system }
        states { Open, final Approved, final Rejected }
        events { ClaimFiled reported by Mailroom; ClaimApproved; ClaimRejected; }
        transitions {
            ClaimFiled:    new  => Open;
            ClaimApproved: Open => Approved;
            ClaimRejected: Open => Rejected;
        }
        actions {
            Decide { risk: medium, by: Adjuster, emits: ClaimApproved | ClaimRejected };
            Sort   { risk: low, by: Robot, emits: none };
            Look   { risk: low, by: Intern, emits: none, effect: none };
        }
        allow { Open => [Decide, Sort, Look]; }
        never { Approved without Adjuster; Intern alone from Open to Approved }
    }

    /// Decides, and does not hear how it was taken.
    #[action(Claims::Decide)]
    async fn decide(approve: bool) -> Result<DecideEvent, Failure> {
        let happened: DecideEvent = if approve { ClaimApproved.into() } else { ClaimRejected.into() };
        Err(Failure::unknown(format!("no answer to {happened:?}")))
    }

    /// Puts it on a pile, and does not know on which.
    #[action(Claims::Sort)]
    async fn sort() -> Result<(), Failure> {
        Err(Failure::unknown("no answer"))
    }

    #[action(Claims::Look)]
    async fn look() -> Result<(), Failure> {
        Ok(())
    }
}

#[test]
fn p7_what_nobody_approves_is_settled_by_the_humans_who_run_it() {
    block_on(async {
        let [ada, bea, ian] = ["ada", "bea", "ian"].map(|id| Actor::human(id).unwrap());
        let (mailroom, robot) = (Actor::system("mailroom").unwrap(), Actor::agent("robot").unwrap());
        let policy = RolePolicy::new()
            .assign(&ada, ClaimsRole::Adjuster)
            .assign(&bea, ClaimsRole::Adjuster)
            .assign(&ian, ClaimsRole::Intern)
            .assign(&robot, ClaimsRole::Robot)
            .assign(&mailroom, ClaimsRole::Mailroom);
        let runtime = Runtime::<Claims>::new(MemoryStore::new(), policy, ());
        let [decided, sorted] = ["claim-1", "claim-2"].map(|id| Claims::entity(id).unwrap());
        for key in [&decided, &sorted] {
            assert!(runtime.ingest(&mailroom, key, ClaimFiled).await.unwrap().is_allowed());
        }

        let outcome = runtime.execute(&ada, &decided, Decide { approve: false }).await.unwrap();
        let Outcome::Failed(failed) = outcome else { panic!("{outcome:?}") };
        for (actor, may) in [(&ian, false), (&ada, false), (&bea, true)] {
            let approved = Settlement::<Claims>::happened(ClaimApproved, "it says so in the letter");
            let verdict = runtime.settle(actor, &decided, &failed.execution, approved).await.unwrap();
            assert_eq!(verdict.is_allowed(), may, "{}: {verdict:?}", actor.id());
        }

        // Where only machines run it, any human of the domain may look.
        let outcome = runtime.execute(&robot, &sorted, Sort).await.unwrap();
        let Outcome::Failed(failed) = outcome else { panic!("{outcome:?}") };
        let nothing = Settlement::<Claims>::did_not_happen("it lies where it lay");
        assert!(runtime.settle(&ian, &sorted, &failed.execution, nothing).await.unwrap().is_allowed());
    });
}

#[test]
fn p5_what_one_runtime_of_a_process_runs_is_in_doubt_for_none() {
    let (store, people) = (Arc::new(MemoryStore::new()), people());
    let open = || Runtime::<Refund, _>::new(Arc::clone(&store), policy(), Desk::default());
    let (one, other) = (open(), open());
    let key = order("ord-1");
    let placed = crate::shop::OrderPlaced { total: kiff::Cents(5) };
    assert!(block_on(one.ingest(&people.shop, &key, placed)).unwrap().is_allowed());
    one.services().be(Mood::Waiting);
    let mut slow = Box::pin(one.execute(&people.agent, &key, pay()));
    let mut context = Context::from_waker(Waker::noop());
    assert!(slow.as_mut().poll(&mut context).is_pending());
    assert!(block_on(other.in_doubt(None, 9)).unwrap().is_empty());
    assert!(block_on(other.recover(&people.shop)).unwrap().is_empty());
    one.services().be(Mood::Willing);
    assert!(block_on(slow).unwrap().executed().is_some());
}

#[test]
fn what_waits_for_a_review_is_listed_over_all_entities() {
    block_on(async {
        let (runtime, people) = (open(), people());
        let mut asked = Vec::new();
        for id in ["ord-1", "ord-2", "ord-3"] {
            let key = paid(&runtime, id).await;
            let Verdict::Allowed(approval) = runtime.request_approval(&people.agent, &key, refund(7)).await.unwrap()
            else {
                panic!("it can be asked for")
            };
            asked.push((key, approval));
        }
        let first = runtime.pending_approvals(None, 2).await.unwrap();
        let rest = runtime.pending_approvals(Some(&first[1].open), 9).await.unwrap();
        let found: Vec<_> = first.iter().chain(&rest).map(|one| (one.open.key.clone(), one.approval.clone())).collect();
        assert_eq!(found, asked);
        let (key, approval) = &asked[0];
        let denied = runtime.review(&people.nora, key, &approval.id, kiff::Review::deny()).await.unwrap();
        assert!(denied.is_allowed());
        assert_eq!(runtime.pending_approvals(None, 9).await.unwrap().len(), 2);
    });
}

/// An order whose refund nobody knows the end of, and whether the bank did it.
async fn doubtful_refund(runtime: &Runtime<Refund>, id: &str, mood: Mood) -> EntityKey {
    let key = paid(runtime, id).await;
    granted(runtime, &key, refund(4_900)).await;
    runtime.services().be(mood);
    let people = people();
    let mut run = Box::pin(runtime.execute(&people.agent, &key, refund(4_900)));
    let mut context = Context::from_waker(Waker::noop());
    // Its caller goes away, if it is not answered at once.
    let _ = run.as_mut().poll(&mut context);
    drop(run);
    runtime.services().be(Mood::Willing);
    assert!(runtime.doubt(&key).await.unwrap().is_some());
    key
}

#[test]
fn p7_a_reconcile_fn_finds_out_what_became_of_a_run() {
    block_on(async {
        let (runtime, people) = (open(), people());
        let done = doubtful_refund(&runtime, "ord-1", Mood::Silent).await;
        let Inquiry::Settled { state, .. } = runtime.reconcile(&people.shop, &done).await.unwrap() else {
            panic!("the bank knows")
        };
        assert_eq!(state, OrderState::Refunded);
        assert!(runtime.timeline(&done).await.unwrap().to_string().contains("as the outside world says"));
        assert_eq!(runtime.reconcile(&people.shop, &done).await.unwrap(), Inquiry::NothingInDoubt);

        let not_done = doubtful_refund(&runtime, "ord-2", Mood::Waiting).await;
        let Inquiry::Settled { state, .. } = runtime.reconcile(&people.shop, &not_done).await.unwrap() else {
            panic!("the bank knows")
        };
        assert_eq!(state, OrderState::Paid);
        assert_eq!(runtime.services().done().iter().filter(|done| done.starts_with("paid back")).count(), 1);
    });
}

#[test]
fn p7_what_a_doubt_holds_up_says_how_the_doubt_ends() {
    block_on(async {
        let (runtime, people) = (open(), people());
        let (unpaid, paying) = doubtful(&runtime, "ord-1").await;
        let by_hand = runtime.execute(&people.agent, &unpaid, pay()).await.unwrap();
        let remedy = by_hand.refusal().unwrap().remedy.as_deref();
        assert_eq!(remedy, Some(&*format!("find out whether execution `{paying}` happened, and settle it")));

        // This one's caller went away, so that nothing on the record says that it is in doubt.
        let refunding = doubtful_refund(&runtime, "ord-2", Mood::Waiting).await;
        let run = runtime.doubt(&refunding).await.unwrap().unwrap().execution;
        let ask = format!("call `reconcile`, which asks what became of execution `{run}`, or settle it");
        let again = runtime.execute(&people.agent, &refunding, refund(4_900)).await.unwrap();
        assert_eq!(again.refusal().unwrap().remedy.as_deref(), Some(&*ask));
        let event = runtime.ingest(&people.shop, &refunding, OrderCancelled { reason: "late".into() }).await.unwrap();
        assert_eq!(event.refusal().unwrap().remedy.as_deref(), Some(&*ask));
    });
}

#[test]
fn p4_who_has_the_outside_world_asked_needs_no_role_and_stands_on_the_record() {
    block_on(async {
        let runtime = open();
        let nobody = Actor::service("watchdog").unwrap();
        let key = doubtful_refund(&runtime, "ord-1", Mood::Silent).await;
        assert!(matches!(runtime.reconcile(&nobody, &key).await.unwrap(), Inquiry::Settled { .. }));
        let timeline = runtime.timeline(&key).await.unwrap();
        assert_eq!(timeline.records().last().unwrap().commit().actor(), &nobody);
        assert!(runtime.rebuild(&nobody, &key).await.unwrap().is_allowed());
    });
}

#[test]
fn p7_what_the_outside_world_does_not_know_stays_in_doubt() {
    block_on(async {
        let (runtime, people) = (open(), people());
        let key = doubtful_refund(&runtime, "ord-1", Mood::Silent).await;
        for (mood, reason) in [
            (Mood::Silent, "does not know"),
            (Mood::Declining, "the bank is closed"),
            (Mood::Panicking, "the reconcile fn panicked, and what it said is in the log of the process"),
        ] {
            runtime.services().be(mood);
            let Inquiry::StillUnknown { why, .. } = runtime.reconcile(&people.shop, &key).await.unwrap() else {
                panic!("nobody knows")
            };
            assert!(why.contains(reason) && !why.contains("fell over"), "{why}");
            assert!(runtime.doubt(&key).await.unwrap().is_some());
        }
    });
}

#[test]
fn p7_after_a_restart_everything_in_doubt_is_asked_about() {
    block_on(async {
        let (runtime, people) = (open(), people());
        let refunded = doubtful_refund(&runtime, "ord-1", Mood::Silent).await;
        let (unpaid, _) = doubtful(&runtime, "ord-2").await;
        let recovered = runtime.recover(&people.shop).await.unwrap();
        let [(first, Ok(Inquiry::Settled { .. })), (second, Ok(Inquiry::NobodyToAsk(running)))] = &recovered[..] else {
            panic!("{recovered:?}")
        };
        assert_eq!((first, second, &*running.action), (&refunded, &unpaid, "MARK_PAID"));
        assert_eq!(runtime.in_doubt(None, 9).await.unwrap().len(), 1);
    });
}

#[test]
fn p7_of_an_executor_that_never_answers_it_is_told_that_it_still_runs() {
    let (runtime, people) = (open(), people());
    let key = block_on(place(&runtime, "ord-1"));
    runtime.services().be(Mood::Stuck);
    let mut stuck = Box::pin(runtime.execute(&people.agent, &key, pay()));
    assert!(stuck.as_mut().poll(&mut Context::from_waker(Waker::noop())).is_pending());
    let running = block_on(runtime.entity(&key)).unwrap().running().cloned().unwrap();
    assert_eq!(block_on(runtime.reconcile(&people.shop, &key)).unwrap(), Inquiry::StillRuns(running));
    assert!(block_on(runtime.recover(&people.shop)).unwrap().is_empty());
    drop(stuck);
    assert!(matches!(block_on(runtime.reconcile(&people.shop, &key)).unwrap(), Inquiry::NobodyToAsk(_)));
}
