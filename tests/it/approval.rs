//! P3: an approval authorises one execution of exactly what a human saw.

use std::sync::{Arc, Barrier};
use std::time::Duration;

use kiff::{
    Actor, ApprovalId, ApprovalStatus, Binding, Bounds, Call, EntityKey, Evidence, Json, MemoryStore, Outcome,
    Proposal, Rationale, ReasonCode, Review, Runtime, Verdict,
};
use pollster::block_on;

use crate::shop::{
    Desk, OrderState, Refund, RefundRole, SharedClock, granted, open, order, paid, people, policy, refund,
};

/// Why an execution is held.
fn held<T: std::fmt::Debug>(outcome: &Outcome<T>) -> &str {
    match outcome {
        Outcome::ApprovalRequired(refusal) => {
            assert_eq!(refusal.code, ReasonCode::ApprovalRequired);
            &refusal.message
        }
        other => panic!("not held: {other:?}"),
    }
}

#[test]
fn p3_an_approval_for_49_pays_49_once() {
    block_on(async {
        let (runtime, people) = (open(), people());
        let key = paid(&runtime, "ord-1").await;
        let outcome = runtime.execute(&people.agent, &key, refund(49)).await.unwrap();
        assert!(held(&outcome).contains("needs an approval of exactly these parameters"));
        let approval = granted(&runtime, &key, refund(49)).await;

        let more = Proposal::new(refund(999_999)).approval(approval.clone());
        let outcome = runtime.execute(&people.agent, &key, more).await.unwrap();
        assert!(held(&outcome).contains("is for other parameters"), "{}", held(&outcome));
        assert_eq!(runtime.services().done(), ["captured pay-1"]);

        let needless = runtime.request_approval(&people.agent, &key, refund(49)).await.unwrap();
        assert!(needless.refusal().unwrap().message.contains("already covers exactly this"), "{needless:?}");
        let same = || Proposal::new(refund(49)).approval(approval.clone());
        let outcome = runtime.execute(&people.agent, &key, same()).await.unwrap();
        assert!(matches!(&outcome, Outcome::Executed(done) if done.state == OrderState::Refunded), "{outcome:?}");
        let outcome = runtime.execute(&people.agent, &key, same()).await.unwrap();
        assert_eq!(outcome.refusal().unwrap().code, ReasonCode::StateNotAllowed);
        assert_eq!(runtime.services().done().len(), 2);
    });
}

#[test]
fn p3_a_request_that_waits_authorises_nothing() {
    block_on(async {
        let (runtime, people) = (open(), people());
        let key = paid(&runtime, "ord-1").await;
        let asked = runtime.request_approval(&people.agent, &key, refund(49)).await.unwrap();
        let Verdict::Allowed(approval) = asked else { panic!("{asked:?}") };
        let named = Proposal::new(refund(49)).approval(approval.id.clone());
        let outcome = runtime.execute(&people.agent, &key, named).await.unwrap();
        assert!(held(&outcome).contains("waits for a review"), "{}", held(&outcome));
        let outcome = runtime.execute(&people.agent, &key, refund(49)).await.unwrap();
        assert!(held(&outcome).contains("waits for a review"), "{}", held(&outcome));
        let more = Proposal::new(refund(999_999)).approval(approval.id);
        let outcome = runtime.execute(&people.agent, &key, more).await.unwrap();
        assert!(held(&outcome).contains("is for other parameters"), "{}", held(&outcome));
        assert_eq!(runtime.services().done(), ["captured pay-1"]);
    });
}

#[test]
fn what_waits_for_its_review_is_named_whatever_else_was_granted_and_whoever_asked_for_it() {
    block_on(async {
        let (people, other) = (people(), Actor::agent("agent-8").unwrap());
        let policy = policy().assign(&other, RefundRole::Agent);
        let runtime = Runtime::<Refund>::new(MemoryStore::new(), policy, Desk::default());
        let key = paid(&runtime, "ord-1").await;
        let elsewhere = granted(&runtime, &key, refund(1)).await;
        let outcome = runtime.execute(&people.agent, &key, refund(49)).await.unwrap();
        assert!(held(&outcome).contains(&format!("`{elsewhere}` is for other parameters")), "{}", held(&outcome));
        assert!(outcome.refusal().unwrap().remedy.as_deref().unwrap().starts_with("request an approval"));

        let asked = runtime.request_approval(&other, &key, refund(49)).await.unwrap().into_result().unwrap();
        for proposal in [Proposal::new(refund(49)), Proposal::new(refund(49)).approval(asked.id.clone())] {
            let outcome = runtime.execute(&people.agent, &key, proposal).await.unwrap();
            let told = format!("approval `{}` waits for a review", asked.id);
            assert!(held(&outcome).ends_with(&told), "{}", held(&outcome));
            let remedy = outcome.refusal().unwrap().remedy.as_deref().unwrap();
            assert!(remedy.starts_with(&format!("wait for the answer to approval `{}`", asked.id)), "{remedy}");
        }
        assert!(runtime.review(&people.nora, &key, &asked.id, Review::grant()).await.unwrap().is_allowed());
        assert!(runtime.execute(&people.agent, &key, refund(49)).await.unwrap().executed().is_some());
    });
}

#[test]
fn p3_an_approval_is_bound_to_its_entity_as_well() {
    let key = order("ord-1");
    let parameters = Json::parse(r#"{"amount": 49}"#, &Bounds::DEFAULT).unwrap();
    let schema = Refund::schema();
    let fingerprint = schema.fingerprint_of(schema.action("REFUND_ORDER").unwrap());
    let binding = |key: &EntityKey, action| Binding::of(key, schema, action, &parameters, &Rationale::default());
    let bound = |key: &EntityKey| binding(key, "REFUND_ORDER").unwrap();
    assert_eq!(binding(&key, "REFUND_EVERYTHING"), None);
    for other in [order("ord-2"), key.clone().in_tenant("acme").unwrap(), EntityKey::new("Parcel", key.id()).unwrap()] {
        assert_ne!(bound(&other).whole, bound(&key).whole, "{other}");
        assert_eq!((bound(&other).parameters, bound(&other).contract), (bound(&key).parameters, fingerprint));
    }
}

#[test]
fn p3_an_approval_is_spent_by_the_start_even_when_nothing_happened() {
    block_on(async {
        let (runtime, people) = (open(), people());
        let key = paid(&runtime, "ord-1").await;
        let approval = granted(&runtime, &key, refund(49)).await;
        runtime.services().be(crate::shop::Mood::Declining);
        let outcome = runtime.execute(&people.agent, &key, refund(49)).await.unwrap();
        assert!(matches!(&outcome, Outcome::Failed(failed) if !failed.failure.is_unknown()), "{outcome:?}");

        runtime.services().be(crate::shop::Mood::Willing);
        let outcome = runtime.execute(&people.agent, &key, Proposal::new(refund(49)).approval(approval)).await.unwrap();
        assert!(held(&outcome).contains("was spent by execution"), "{}", held(&outcome));
        let outcome = runtime.execute(&people.agent, &key, refund(49)).await.unwrap();
        assert!(held(&outcome).contains("needs an approval"));
        assert_eq!(runtime.services().done(), ["captured pay-1"]);
    });
}

#[test]
fn p3_the_order_of_the_keys_is_no_other_parameter() {
    block_on(async {
        let (runtime, people) = (open(), people());
        let key = paid(&runtime, "ord-1").await;
        granted(&runtime, &key, refund(49)).await;
        let call = Call::new("REFUND_ORDER", r#"{ "reason": "damaged",  "amount": 49 }"#);
        let outcome = runtime.execute(&people.agent, &key, call).await.unwrap();
        assert!(matches!(outcome, Outcome::Executed(_)), "{outcome:?}");
    });
}

#[test]
fn p3_an_approval_holds_for_its_entity_only() {
    block_on(async {
        let (runtime, people) = (open(), people());
        let (one, other) = (paid(&runtime, "ord-1").await, paid(&runtime, "ord-2").await);
        let approval = granted(&runtime, &one, refund(49)).await;
        let outcome = runtime.execute(&people.agent, &other, refund(49)).await.unwrap();
        assert!(held(&outcome).contains("needs an approval"));
        let borrowed = Proposal::new(refund(49)).approval(approval);
        let outcome = runtime.execute(&people.agent, &other, borrowed).await.unwrap();
        assert!(held(&outcome).contains("there is no approval"), "{}", held(&outcome));
    });
}

#[test]
fn p3_an_approval_expires() {
    block_on(async {
        let (people, clock) = (people(), SharedClock::default());
        let runtime = Runtime::<Refund>::new(MemoryStore::new(), policy(), Desk::default())
            .with_clock(clock.clone())
            .with_approval_lifetime(Duration::from_mins(1));
        let key = paid(&runtime, "ord-1").await;
        let approval = granted(&runtime, &key, refund(49)).await;
        clock.0.pass(Duration::from_mins(1));
        let outcome = runtime.execute(&people.agent, &key, Proposal::new(refund(49)).approval(approval)).await.unwrap();
        assert!(held(&outcome).contains("expired at"), "{}", held(&outcome));

        let asked = runtime.request_approval(&people.agent, &key, refund(49)).await.unwrap();
        let Verdict::Allowed(approval) = asked else { panic!("{asked:?}") };
        clock.0.pass(Duration::from_secs(61));
        let late = runtime.review(&people.nora, &key, &approval.id, Review::grant()).await.unwrap();
        assert!(late.refusal().unwrap().message.contains("expired at"));
        let outcome = runtime.execute(&people.agent, &key, refund(49)).await.unwrap();
        let told = format!("; approval `{}` has expired", approval.id);
        assert!(held(&outcome).ends_with(&told), "{}", held(&outcome));
        let named = Proposal::new(refund(49)).approval(approval.id);
        let outcome = runtime.execute(&people.agent, &key, named).await.unwrap();
        assert!(held(&outcome).contains("expired at"), "{}", held(&outcome));
    });
}

#[test]
fn whoever_asks_again_under_another_number_or_too_late_gets_a_request_of_their_own() {
    block_on(async {
        let (people, clock) = (people(), SharedClock::default());
        let runtime = Runtime::<Refund>::new(MemoryStore::new(), policy(), Desk::default()).with_clock(clock.clone());
        let key = paid(&runtime, "ord-1").await;
        let ask = async |number: Option<&str>| {
            let proposal = Proposal::new(refund(49));
            let proposal = match number {
                Some(number) => proposal.approval(number.parse().unwrap()),
                None => proposal,
            };
            match runtime.request_approval(&people.agent, &key, proposal).await.unwrap() {
                Verdict::Allowed(approval) => approval,
                other => panic!("{other:?}"),
            }
        };
        let (first, second) = (ask(Some("app-1")).await, ask(Some("app-2")).await);
        assert_eq!((first.id.as_str(), second.id.as_str()), ("app-1", "app-2"));
        assert_eq!(ask(Some("app-1")).await, first);
        clock.0.pass(Runtime::<Refund>::APPROVAL_LIFETIME);
        let late = ask(None).await;
        assert!(late.id != first.id && late.id != second.id && late.expires_at > first.expires_at, "{late:?}");
    });
}

#[test]
fn p10_only_so_many_approvals_that_are_closed_are_remembered() {
    block_on(async {
        let (runtime, people) = (open(), people());
        let key = paid(&runtime, "ord-1").await;
        for amount in 1..=80 {
            let asked = runtime.request_approval(&people.agent, &key, refund(amount)).await.unwrap();
            let Verdict::Allowed(asked) = asked else { panic!("{asked:?}") };
            assert!(runtime.review(&people.nora, &key, &asked.id, Review::deny()).await.unwrap().is_allowed());
        }
        assert_eq!(runtime.entity(&key).await.unwrap().approvals().count(), 64);
    });
}

#[test]
fn p3_a_number_that_a_reviewer_may_have_seen_never_stands_for_anything_else() {
    block_on(async {
        let (runtime, people) = (open(), people());
        let key = paid(&runtime, "ord-1").await;
        let named = |number: i64, amount: i64| {
            Proposal::new(refund(amount)).approval(ApprovalId::new(format!("ask-{number}")).unwrap())
        };
        for number in 0..80 {
            let asked = runtime.request_approval(&people.agent, &key, named(number, 1 + number)).await.unwrap();
            assert!(asked.is_allowed(), "{asked:?}");
            let id = ApprovalId::new(format!("ask-{number}")).unwrap();
            assert!(runtime.review(&people.nora, &key, &id, Review::deny()).await.unwrap().is_allowed());
        }
        // One that is remembered, and one that is not.
        for number in [79, 0] {
            let other = runtime.request_approval(&people.agent, &key, named(number, 999_999)).await.unwrap();
            assert!(other.refusal().unwrap().message.starts_with("there is already an approval"), "{other:?}");
        }
        let other = paid(&runtime, "ord-2").await;
        assert!(runtime.request_approval(&people.agent, &other, named(0, 5)).await.unwrap().is_allowed());
    });
}

#[test]
fn p3_a_clock_that_goes_back_revives_no_approval() {
    block_on(async {
        let (people, clock) = (people(), SharedClock::default());
        clock.0.pass(Duration::from_hours(1));
        let runtime = Runtime::<Refund>::new(MemoryStore::new(), policy(), Desk::default())
            .with_clock(clock.clone())
            .with_approval_lifetime(Duration::from_mins(2));
        let key = paid(&runtime, "ord-1").await;
        let named = granted(&runtime, &key, refund(49)).await;
        let Verdict::Allowed(asked) = runtime.request_approval(&people.agent, &key, refund(50)).await.unwrap() else {
            panic!("it can be asked for")
        };
        clock.0.pass(Duration::from_mins(3));
        let pay = || Proposal::new(refund(49)).approval(named.clone());
        let outcome = runtime.execute(&people.agent, &key, pay()).await.unwrap();
        assert!(held(&outcome).contains("expired at"), "{}", held(&outcome));

        clock.0.back(Duration::from_mins(2));
        let outcome = runtime.execute(&people.agent, &key, pay()).await.unwrap();
        assert!(held(&outcome).contains("expired at"), "{}", held(&outcome));
        let late = runtime.review(&people.nora, &key, &asked.id, Review::grant()).await.unwrap();
        assert!(late.refusal().unwrap().message.contains("expired at"));
        // What is asked for now holds as long as any.
        let again = granted(&runtime, &key, refund(49)).await;
        let outcome = runtime.execute(&people.agent, &key, Proposal::new(refund(49)).approval(again)).await.unwrap();
        assert!(outcome.executed().is_some());
        let times: Vec<_> =
            runtime.timeline(&key).await.unwrap().records().map(|record| record.commit().at()).collect();
        assert!(times.is_sorted(), "{times:?}");
    });
}

#[test]
fn p3_other_evidence_holds_the_action_again() {
    block_on(async {
        let (runtime, people) = (open(), people());
        let key = paid(&runtime, "ord-1").await;
        let shown = |what: &str| Proposal::new(refund(49)).evidence(Evidence::new("photo", what).unwrap());
        let asked = runtime.request_approval(&people.agent, &key, shown("a broken lamp")).await.unwrap();
        let Verdict::Allowed(approval) = asked else { panic!("{asked:?}") };
        assert!(runtime.review(&people.nora, &key, &approval.id, Review::grant()).await.unwrap().is_allowed());
        let outcome = runtime.execute(&people.agent, &key, shown("a whole lamp")).await.unwrap();
        assert!(held(&outcome).contains("other evidence"), "{}", held(&outcome));
        let outcome = runtime.execute(&people.agent, &key, shown("a broken lamp")).await.unwrap();
        assert!(matches!(outcome, Outcome::Executed(_)), "{outcome:?}");
    });
}

#[test]
fn p3_nobody_answers_what_they_have_asked_for_as_something_else() {
    block_on(async {
        let people = people();
        // A program that goes by the name of the person who runs it.
        let (hers, policy) = (Actor::agent("nora").unwrap(), policy().assign(&people.nora, RefundRole::Agent));
        let runtime = Runtime::<Refund>::new(MemoryStore::new(), policy, Desk::default());
        let key = paid(&runtime, "ord-1").await;
        let asked = runtime.request_approval(&hers, &key, refund(49)).await.unwrap();
        let Verdict::Allowed(asked) = asked else { panic!("{asked:?}") };
        let own = runtime.review(&people.nora, &key, &asked.id, Review::grant()).await.unwrap();
        assert!(own.refusal().unwrap().message.contains("asked for approval"), "{own:?}");
        assert!(runtime.review(&people.omar, &key, &asked.id, Review::grant()).await.unwrap().is_allowed());
    });
}

#[test]
fn p3_only_a_human_who_holds_the_permission_and_did_not_ask_can_answer() {
    block_on(async {
        let (runtime, people) = (open(), people());
        let key = paid(&runtime, "ord-1").await;
        let asked = runtime.request_approval(&people.auditor, &key, refund(49)).await.unwrap();
        let Verdict::Allowed(approval) = asked else { panic!("{asked:?}") };
        let impostor = Actor::agent("nora").unwrap();
        for (reviewer, why) in [
            (&people.agent, "only a human can approve"),
            (&people.shop, "only a human can approve"),
            (&impostor, "only a human can approve"),
            (&people.auditor, "asked for approval"),
            (&Actor::human("mallory").unwrap(), "does not have `refund.approve_refund_order`"),
        ] {
            for review in [Review::grant(), Review::deny()] {
                let answered = runtime.review(reviewer, &key, &approval.id, review).await.unwrap();
                let refusal = answered.refusal().unwrap();
                assert_eq!(refusal.code, ReasonCode::PermissionDenied);
                assert!(refusal.message.contains(why), "{}", refusal.message);
            }
        }
        let kinds = runtime.timeline(&key).await.unwrap().kinds();
        assert_eq!(kinds.iter().filter(|kind| **kind == "approval_review_rejected").count(), 10);
        assert!(
            matches!(held(&runtime.execute(&people.auditor, &key, refund(49)).await.unwrap()), message if message.contains("needs"))
        );
        assert!(runtime.review(&people.nora, &key, &approval.id, Review::grant()).await.unwrap().is_allowed());
    });
}

#[test]
fn a_denied_approval_stays_denied_and_says_so() {
    block_on(async {
        let (runtime, people) = (open(), people());
        let key = paid(&runtime, "ord-1").await;
        let asked = runtime.request_approval(&people.agent, &key, refund(49)).await.unwrap();
        let Verdict::Allowed(approval) = asked else { panic!("{asked:?}") };
        let deny = Review::deny().because("bought elsewhere");
        let denied = runtime.review(&people.nora, &key, &approval.id, deny).await.unwrap();
        assert!(matches!(&denied, Verdict::Allowed(approval) if matches!(approval.status, ApprovalStatus::Denied(_))));
        let again = runtime.review(&people.omar, &key, &approval.id, Review::grant()).await.unwrap();
        assert!(again.refusal().unwrap().message.contains("already denied by `nora`"));
        let outcome =
            runtime.execute(&people.agent, &key, Proposal::new(refund(49)).approval(approval.id)).await.unwrap();
        assert!(held(&outcome).contains("was denied by `nora`"));
    });
}

#[test]
fn of_a_grant_and_a_denial_at_once_one_wins_and_the_other_is_told() {
    for round in 0..50 {
        let (runtime, people) = (Arc::new(open()), people());
        let key = block_on(paid(&runtime, &format!("ord-{round}")));
        let asked = block_on(runtime.request_approval(&people.agent, &key, refund(49))).unwrap();
        let Verdict::Allowed(approval) = asked else { panic!("{asked:?}") };
        let start = Barrier::new(2);
        let answer = |reviewer, review| {
            start.wait();
            block_on(runtime.review(reviewer, &key, &approval.id, review)).unwrap()
        };
        let (yes, no) = std::thread::scope(|scope| {
            let yes = scope.spawn(|| answer(&people.nora, Review::grant()));
            let no = scope.spawn(|| answer(&people.omar, Review::deny()));
            (yes.join().unwrap(), no.join().unwrap())
        });
        assert_ne!(yes.is_allowed(), no.is_allowed(), "{yes:?} {no:?}");
        let told = yes.refusal().or(no.refusal()).unwrap();
        assert_eq!(told.code, ReasonCode::ApprovalPolicyError);
        assert!(told.message.contains("already"), "{}", told.message);
        let kinds = block_on(runtime.timeline(&key)).unwrap().kinds();
        let decided = kinds.iter().filter(|kind| matches!(**kind, "approval_granted" | "approval_denied")).count();
        assert_eq!(decided, 1);
    }
}

#[test]
fn asking_again_for_what_waits_answers_the_same_request() {
    block_on(async {
        let (runtime, people) = (open(), people());
        let key = paid(&runtime, "ord-1").await;
        let mut numbers = Vec::new();
        for _ in 0..3 {
            let asked = runtime.request_approval(&people.agent, &key, refund(49)).await.unwrap();
            let Verdict::Allowed(approval) = asked else { panic!("{asked:?}") };
            numbers.push(approval.id);
        }
        numbers.dedup();
        assert_eq!(numbers.len(), 1);
        let named = Proposal::new(refund(50)).approval(numbers.remove(0));
        let taken = runtime.request_approval(&people.agent, &key, named).await.unwrap();
        assert_eq!(taken.refusal().unwrap().code, ReasonCode::ApprovalPolicyError);

        let shown = Proposal::new(refund(70)).evidence(Evidence::new("photo", "a broken lamp").unwrap());
        let shown = runtime.request_approval(&people.agent, &key, shown).await.unwrap().into_result().unwrap();
        let bare = runtime.request_approval(&people.agent, &key, refund(70)).await.unwrap().into_result().unwrap();
        assert_eq!(bare.id, shown.id);
    });
}

#[test]
fn what_needs_no_approval_cannot_be_asked_for() {
    block_on(async {
        let (runtime, people) = (open(), people());
        let key = paid(&runtime, "ord-1").await;
        let note = crate::shop::AddNote { text: "fragile".into() };
        let asked = runtime.request_approval(&people.agent, &key, note).await.unwrap();
        assert!(asked.refusal().unwrap().message.contains("`ADD_NOTE` needs no approval"));
        let asked = runtime.request_approval(&people.agent, &order("ord-9"), refund(1)).await.unwrap();
        assert_eq!(asked.refusal().unwrap().code, ReasonCode::UnknownEntity);
        let unknown = ApprovalId::new("no-such").unwrap();
        let reviewed = runtime.review(&people.nora, &key, &unknown, Review::grant()).await.unwrap();
        assert_eq!(reviewed.refusal().unwrap().code, ReasonCode::UnknownEntity);
    });
}
