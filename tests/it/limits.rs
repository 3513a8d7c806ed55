//! P10: every input has a bound, and what is over it gets a clear error.

use kiff::{
    Actor, Bounds, Call, Cents, Envelope, Evidence, Json, MemoryStore, Proposal, ReasonCode, Review, Runtime,
    Settlement, Verdict,
};
use pollster::block_on;

use crate::shop::{
    Desk, MarkPaid, Refund, RefundOrder, RefundRole, SharedClock, open, order, paid, people, place, policy, refund,
};

fn narrow(bounds: Bounds) -> Runtime<Refund> {
    Runtime::new(MemoryStore::new(), policy(), Desk::default()).with_bounds(bounds)
}

/// What to send instead of parameters that cannot be read at all.
const WHOLE: &str = r#"send one JSON object, as in `{"payment_id": …}`"#;

#[test]
fn p10_parameters_are_bounded_in_size_and_depth() {
    block_on(async {
        let (runtime, people) = (open(), people());
        let key = place(&runtime, "ord-1").await;
        let large = format!(r#"{{"payment_id": "{}"}}"#, "x".repeat(Bounds::DEFAULT.parameters));
        let deep = format!(r#"{{"payment_id": {}1{}}}"#, "[".repeat(40), "]".repeat(40));
        for (parameters, told) in [
            (large.as_str(), "at most 65536 are allowed"),
            (deep.as_str(), "it nests deeper than 32"),
            (r#"{"payment_id": "pay-1", "payment_id": "pay-2"}"#, "stands twice"),
            (
                r#"{"payment_id": 9007199254740993}"#,
                "write one within that range, or a string where a text is expected",
            ),
            ("[]", "not a JSON object"),
            ("", "EOF"),
        ] {
            let outcome = runtime.execute(&people.agent, &key, Call::new("MARK_PAID", parameters)).await.unwrap();
            let refusal = outcome.refusal().unwrap();
            assert_eq!(refusal.code, ReasonCode::InvalidParameter);
            assert!(refusal.message.contains(told), "{}", refusal.message);
            let remedy = refusal.remedy.as_deref();
            assert!(
                remedy.is_some_and(|remedy| remedy.contains("`payment_id`: `String`") || remedy == WHOLE),
                "{remedy:?}"
            );
        }
        let typed = MarkPaid { payment_id: "x".repeat(Bounds::DEFAULT.parameters) };
        let outcome = runtime.execute(&people.agent, &key, typed).await.unwrap();
        assert!(outcome.refusal().unwrap().message.contains("at most 65536 are allowed"));
        assert!(runtime.services().done().is_empty());
    });
}

#[test]
fn p10_all_that_is_wrong_with_parameters_is_told_at_once_and_in_bounds() {
    block_on(async {
        let (runtime, people) = (open(), people());
        let key = paid(&runtime, "ord-1").await;
        let refused = async |parameters: &str| {
            let outcome = runtime.execute(&people.agent, &key, Call::new("REFUND_ORDER", parameters)).await.unwrap();
            outcome.refusal().unwrap().clone()
        };
        let several = refused(r#"{"amuont": 4900, "amount": 0, "reason": 7}"#).await;
        let told = several.message.as_str();
        assert_eq!(several.code, ReasonCode::InvalidParameter);
        assert!(told.starts_with("there is no parameter `amuont`; the parameter `reason` is invalid: "), "{told}");
        assert!(told.ends_with("; the parameter `amount` is invalid: the value must be from 1 to 1000000"), "{told}");
        assert_eq!(
            several.remedy.as_deref(),
            Some(
                "did you mean `amount`? give `reason`: `String`, from 1 to 500 long; give `amount`: `Cents`, from 1 to 1000000"
            )
        );
        // The first one says what sort of refusal it is.
        assert_eq!(refused(r#"{"reason": ""}"#).await.code, ReasonCode::MissingParameter);
        let typed = runtime.execute(&people.agent, &key, RefundOrder { amount: Cents(0), reason: String::new() }).await;
        assert_eq!(
            typed.unwrap().refusal().unwrap().message,
            "the parameter `amount` is invalid: the value must be from 1 to 1000000; \
             the parameter `reason` is invalid: the length must be from 1 to 500"
        );
        let unknown: Vec<_> = (0..100).map(|number| format!(r#""{}{number}": 1"#, "x".repeat(300))).collect();
        let many = refused(&format!(r#"{{{}, "amount": 1, "reason": "broken"}}"#, unknown.join(", "))).await;
        assert!(many.message.ends_with("; and 92 more"), "{}", many.message);
        assert!(many.message.len() < 1000, "{}", many.message);
    });
}

#[test]
fn p10_reasons_are_bounded_and_nothing_over_a_bound_is_kept() {
    block_on(async {
        let (runtime, people) = (open(), people());
        let key = place(&runtime, "ord-1").await;
        let before = runtime.timeline(&key).await.unwrap().kinds();
        let pay = || Proposal::new(MarkPaid { payment_id: "pay-1".into() });
        let evidence = || Evidence::new("photo", "a lamp").unwrap();
        let many = (0..=Bounds::DEFAULT.evidence_items).fold(pay(), |proposal, _| proposal.evidence(evidence()));
        let long = pay().evidence(Evidence::new("photo", &"x".repeat(Bounds::DEFAULT.evidence)).unwrap());
        let far = pay().evidence(Evidence::new("x".repeat(Bounds::IDENTIFIER + 1), "a lamp").unwrap());
        let wordy = pay().because("x".repeat(Bounds::DEFAULT.text + 1));
        for (proposal, told) in [
            (many, "17 pieces of evidence"),
            (long, "bytes in a piece of evidence"),
            (far, "bytes in a source of evidence"),
            (wordy, "bytes of rationale"),
        ] {
            let recorded = runtime.record(&people.agent, &key, proposal.clone()).await.unwrap();
            assert!(recorded.refusal().unwrap().message.contains(told), "{recorded:?}");
            let verdict = runtime.evaluate(&people.agent, &key, proposal).await.unwrap();
            assert_eq!(verdict.refusal().unwrap().code, ReasonCode::InvalidContract);
        }
        assert_eq!(runtime.timeline(&key).await.unwrap().kinds(), before);
        // That it was refused is on the record, and what was over the bound is not.
        let wordy = pay().because("x".repeat(Bounds::DEFAULT.text + 1));
        assert_eq!(runtime.execute(&people.agent, &key, wordy).await.unwrap().outcome(), "invalid");
        assert_eq!(runtime.timeline(&key).await.unwrap().kinds()[before.len()..], ["action_failed"]);
    });
}

#[test]
fn p10_events_are_bounded() {
    block_on(async {
        let runtime = narrow(Bounds { payload: 64, ..Bounds::DEFAULT });
        let payload = Json::parse(&format!(r#"{{"reason": "{}"}}"#, "x".repeat(80)), &Bounds::DEFAULT).unwrap();
        let key = place(&runtime, "ord-1").await;
        let refused = runtime.ingest(&people().shop, &key, Envelope::new("ORDER_CANCELLED", payload)).await.unwrap();
        assert!(refused.refusal().unwrap().message.contains("at most 64 are allowed"), "{refused:?}");
    });
}

#[test]
fn p10_open_approvals_and_reasons_of_reviews_are_bounded() {
    block_on(async {
        let (runtime, people) = (narrow(Bounds { open_approvals: 2, text: 16, ..Bounds::DEFAULT }), people());
        let key = paid(&runtime, "ord-1").await;
        let first = runtime.request_approval(&people.agent, &key, refund(1)).await.unwrap();
        let Verdict::Allowed(first) = first else { panic!("{first:?}") };
        assert!(runtime.request_approval(&people.agent, &key, refund(2)).await.unwrap().is_allowed());
        let third = runtime.request_approval(&people.agent, &key, refund(3)).await.unwrap();
        let refusal = third.refusal().unwrap();
        assert!(refusal.message.contains("3 open approvals of one entity: at most 2 are allowed"));
        assert_eq!(refusal.remedy.as_deref(), Some("let one be answered or withdrawn first"));
        let wordy = Review::grant().because("x".repeat(17));
        let reviewed = runtime.review(&people.nora, &key, &first.id, wordy).await.unwrap();
        assert!(reviewed.refusal().unwrap().message.contains("17 bytes in a reason: at most 16 are allowed"));
    });
}

#[test]
fn p10_one_actor_does_not_take_the_room_of_all() {
    block_on(async {
        let (people, other) = (people(), Actor::agent("agent-8").unwrap());
        let policy = policy().assign(&other, RefundRole::Agent);
        let bounds = Bounds { open_approvals: 3, open_approvals_of_one_actor: 2, ..Bounds::DEFAULT };
        let runtime = Runtime::<Refund>::new(MemoryStore::new(), policy, Desk::default()).with_bounds(bounds);
        let key = paid(&runtime, "ord-1").await;
        for amount in [1, 2] {
            assert!(runtime.request_approval(&people.agent, &key, refund(amount)).await.unwrap().is_allowed());
        }
        let third = runtime.request_approval(&people.agent, &key, refund(3)).await.unwrap();
        let told = "3 open approvals of one entity that one actor asked for: at most 2 are allowed";
        assert_eq!(third.refusal().unwrap().message, told);
        assert!(runtime.request_approval(&other, &key, refund(3)).await.unwrap().is_allowed());
        let fourth = runtime.request_approval(&other, &key, refund(4)).await.unwrap();
        assert_eq!(fourth.refusal().unwrap().message, "4 open approvals of one entity: at most 3 are allowed");
    });
}

#[test]
fn p10_requests_that_expired_make_room_for_others() {
    block_on(async {
        let (people, clock) = (people(), SharedClock::default());
        let runtime = narrow(Bounds { open_approvals: 2, ..Bounds::DEFAULT }).with_clock(clock.clone());
        let key = paid(&runtime, "ord-1").await;
        for amount in (1..10).step_by(2) {
            for amount in [amount, amount + 1] {
                assert!(runtime.request_approval(&people.agent, &key, refund(amount)).await.unwrap().is_allowed());
            }
            assert_eq!(runtime.entity(&key).await.unwrap().open_approvals().len(), 2);
            clock.0.pass(Runtime::<Refund>::APPROVAL_LIFETIME);
        }
    });
}

#[test]
fn p10_identifiers_are_bounded_and_visible() {
    for (text, told) in [
        (String::new(), "is empty"),
        ("x".repeat(257), "of 257 bytes: at most 256 are allowed"),
        ("ord\u{1b}[2J".to_owned(), r"ord\u{1b}[2J"),
        ("ord\u{202e}1".to_owned(), r"ord\u{202e}1"),
        ("ACME\u{3164}".to_owned(), r"ACME\u{3164}"),
    ] {
        let refused = kiff::EntityKey::new("Order", &text).unwrap_err().to_string();
        assert!(refused.contains(told), "{refused}");
        assert!(kiff::ActorId::new(&text).is_err() && kiff::ApprovalId::new(&text).is_err());
    }
    assert_eq!(order("бестеллунг-🧾").id(), "бестеллунг-🧾");
}

#[test]
fn p10_a_refusal_does_not_repeat_all_that_it_refuses() {
    block_on(async {
        let (runtime, people) = (open(), people());
        let key = paid(&runtime, "ord-1").await;
        // What is not shown is written out, in six letters each.
        let amount = format!(r#"{{"amount": "{}", "reason": "x"}}"#, "\u{7f}".repeat(60_000));
        let outcome = runtime.execute(&people.agent, &key, Call::new("REFUND_ORDER", amount)).await.unwrap();
        let told = &outcome.refusal().unwrap().message;
        assert!(told.len() < 1_000 && told.ends_with("…, expected a whole number"), "{told}");
        let narrow = narrow(Bounds { text: 20, ..Bounds::DEFAULT });
        let key = place(&narrow, "ord-1").await;
        let outcome =
            narrow.execute(&people.agent, &key, Call::new("MARK_PAID", r#"{"payment_id": 5}"#)).await.unwrap();
        let timeline = narrow.timeline(&key).await.unwrap();
        let kept = timeline.lines().find_map(|line| match line.record().fact() {
            kiff::Fact::ActionFailed(failed) => Some(failed.message.clone()),
            _ => None,
        });
        assert_eq!(kept.unwrap(), format!("{}…", &outcome.refusal().unwrap().message[..17]));
    });
}

#[test]
fn p10_why_a_review_or_a_settlement_does_not_count_is_cut_to_the_bound() {
    block_on(async {
        let (runtime, people) = (narrow(Bounds { text: 20, ..Bounds::DEFAULT }), people());
        let key = paid(&runtime, "ord-1").await;
        let asked = runtime.request_approval(&people.agent, &key, refund(1)).await.unwrap().into_result().unwrap();
        let reviewed = runtime.review(&people.agent, &key, &asked.id, Review::grant()).await.unwrap();
        let no = Settlement::did_not_happen("looked");
        let settled = runtime.settle(&people.nora, &key, &"run-1".parse().unwrap(), no).await.unwrap();
        assert!(settled.refusal().unwrap().message.len() > 20, "{settled:?}");
        let timeline = runtime.timeline(&key).await.unwrap();
        let kept = timeline.records().filter_map(|record| match record.fact() {
            kiff::Fact::ApprovalReviewRejected(rejected) => Some(rejected.message.clone()),
            kiff::Fact::ActionFailed(failed) => Some(failed.message.clone()),
            _ => None,
        });
        let told = &reviewed.refusal().unwrap().message;
        assert_eq!(kept.collect::<Vec<_>>(), [format!("{}…", &told[..17]), "settling `run-1`:…".to_owned()]);
    });
}

#[test]
fn what_is_no_whole_number_hears_that_one_is_expected() {
    block_on(async {
        let (runtime, people) = (open(), people());
        let key = paid(&runtime, "ord-1").await;
        for (amount, told) in [
            ("4900.5", "invalid type: `4900.5`, expected a whole number"),
            ("true", "invalid type: boolean `true`, expected a whole number"),
        ] {
            let parameters = format!(r#"{{"amount": {amount}, "reason": "x"}}"#);
            let outcome = runtime.execute(&people.agent, &key, Call::new("REFUND_ORDER", parameters)).await.unwrap();
            let message = &outcome.refusal().unwrap().message;
            assert!(message.ends_with(told), "{message}");
        }
    });
}

#[test]
fn p10_the_name_of_an_action_that_there_is_not_is_cut_and_shown() {
    block_on(async {
        let (runtime, people) = (open(), people());
        let key = place(&runtime, "ord-1").await;
        let call = Call::new("\u{202e}X".repeat(50_000), "{}");
        assert!(runtime.execute(&people.agent, &key, call).await.unwrap().refusal().is_some());
        let timeline = runtime.timeline(&key).await.unwrap();
        let kept = timeline.records().find_map(|record| match record.fact() {
            kiff::Fact::ActionFailed(failed) => Some(failed.action.to_string()),
            _ => None,
        });
        let kept = kept.unwrap();
        assert!(kept.len() < 1_000 && !kept.contains('\u{202e}'), "{} bytes", kept.len());
    });
}
