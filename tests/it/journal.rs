//! P1: nothing changes without a record, and what cannot happen leaves none.

use std::sync::Arc;

use kiff::{
    Actor, Adapter, Appended, Bounds, Call, Domain, EntityKey, Envelope, Error, Fact, Fault, IdempotencyKey, Json,
    Mapping, MemoryStore, Outcome, RawEvent, ReasonCode, Replayed, Review, RolePolicy, Runtime, Sealed, Store, Trace,
    TraceId, Verdict, Verification, replay,
};
use pollster::block_on;

use crate::shop::{
    AddNote, Desk, MarkPaid, OrderCancelled, OrderPlaced, OrderState, Refund, RefundRole, open, order, paid, people,
    place, policy, refund,
};

#[test]
fn p1_every_change_of_state_is_on_the_record_and_replays() {
    block_on(async {
        let (runtime, people) = (open(), people());
        let key = paid(&runtime, "ord-1").await;
        let approval = crate::shop::granted(&runtime, &key, refund(4_200)).await;
        let proposal = kiff::Proposal::new(refund(4_200)).approval(approval);
        let outcome = runtime.execute(&people.agent, &key, proposal).await.unwrap();
        assert!(matches!(&outcome, Outcome::Executed(done) if done.state == OrderState::Refunded), "{outcome:?}");

        let timeline = runtime.timeline(&key).await.unwrap();
        let states: Vec<String> = timeline.lifecycle().into_iter().map(|phase| phase.state.into_owned()).collect();
        assert_eq!(states, ["CREATED", "PAID", "REFUNDED"]);
        let commits = runtime.store().read(&key, 0, usize::MAX).await.unwrap();
        let replayed = replay::<Refund>(&key, commits.iter().map(|commit| &**commit)).unwrap();
        assert_eq!(replayed, Replayed { state: Some(OrderState::Refunded), events: 3 });
        let rebuilt = runtime.rebuild(&people.nora, &key).await.unwrap();
        assert!(matches!(rebuilt, Verdict::Allowed(rebuilt) if rebuilt.matches && rebuilt.events == 3), "{rebuilt:?}");
        assert_eq!(runtime.timeline(&key).await.unwrap().kinds().last(), Some(&"state_rebuilt"));
    });
}

#[test]
fn a_timeline_has_its_columns_in_the_same_places_however_long_the_names_are() {
    /// Where the words begin in each line of an order that the shop placed and somebody of this name had paid.
    fn beginnings(name: &str) -> Vec<usize> {
        let (agent, key) = (Actor::agent(name).unwrap(), order("ord-1"));
        let policy = policy().assign(&agent, RefundRole::Agent);
        let runtime = Runtime::<Refund>::new(MemoryStore::new(), policy, Desk::default());
        block_on(async {
            place(&runtime, "ord-1").await;
            let paid = runtime.execute(&agent, &key, MarkPaid { payment_id: "pay-1".into() }).await.unwrap();
            assert_eq!(paid.outcome(), "executed");
            let timeline = runtime.timeline(&key).await.unwrap();
            timeline.lines().map(|line| line.to_string().len() - line.message().len()).collect()
        })
    }
    let narrow = beginnings("agent-7");
    assert_eq!(narrow, [narrow[0]; 7]);
    assert_eq!(beginnings("agent-of-the-night-shift"), [narrow[0] + 12; 7]);
    // One name that is longer still does not push the words of all others away.
    let wide = beginnings("agent-of-the-night-shift-of-the-other-warehouse");
    assert_eq!(wide, [[narrow[0] + 20; 2].as_slice(), &[narrow[0] + 35; 5]].concat());
}

#[test]
fn p1_an_event_that_cannot_happen_leaves_no_trace() {
    block_on(async {
        let (runtime, people) = (open(), people());
        let key = paid(&runtime, "ord-1").await;
        let before = runtime.timeline(&key).await.unwrap().kinds();

        let again = runtime.ingest(&people.shop, &key, OrderPlaced { total: kiff::Cents(1) }).await.unwrap();
        assert_eq!(again.refusal().unwrap().code, ReasonCode::StateNotAllowed);
        let late = runtime.ingest(&people.shop, &key, OrderCancelled { reason: "late".into() }).await.unwrap();
        assert_eq!(late.refusal().unwrap().code, ReasonCode::StateNotAllowed);

        assert_eq!(runtime.timeline(&key).await.unwrap().kinds(), before);
        let rebuilt = runtime.rebuild(&people.nora, &key).await.unwrap();
        assert!(matches!(rebuilt, Verdict::Allowed(rebuilt) if rebuilt.matches && rebuilt.state == OrderState::Paid));
        let nothing = order("ord-2");
        let early = runtime.ingest(&people.shop, &nothing, OrderCancelled { reason: "early".into() }).await.unwrap();
        assert!(!early.is_allowed());
        assert!(runtime.timeline(&nothing).await.unwrap().is_empty());
    });
}

#[test]
fn p1_what_is_asked_of_an_entity_that_is_not_there_leaves_no_trace() {
    block_on(async {
        let (runtime, people) = (open(), people());
        let pay = || MarkPaid { payment_id: "pay-1".into() };
        // One that nothing happened to, and one that another domain governs.
        for (key, told) in
            [(order("ord-1"), "there is no entity"), (EntityKey::new("Invoice", "7").unwrap(), "governs `Order`")]
        {
            let no = kiff::Settlement::did_not_happen("looked");
            for refusal in [
                runtime.execute(&people.agent, &key, pay()).await.unwrap().refusal().cloned(),
                runtime.validate(&people.agent, &key, pay()).await.unwrap().refusal().cloned(),
                runtime.evaluate(&people.agent, &key, pay()).await.unwrap().refusal().cloned(),
                runtime.record(&people.agent, &key, pay()).await.unwrap().refusal().cloned(),
                runtime.request_approval(&people.agent, &key, refund(1)).await.unwrap().refusal().cloned(),
                runtime
                    .review(&people.nora, &key, &"app-1".parse().unwrap(), Review::grant())
                    .await
                    .unwrap()
                    .refusal()
                    .cloned(),
                runtime.settle(&people.nora, &key, &"run-1".parse().unwrap(), no).await.unwrap().refusal().cloned(),
                runtime.rebuild(&people.shop, &key).await.unwrap().refusal().cloned(),
            ] {
                let refusal = refusal.unwrap();
                assert_eq!(refusal.code, ReasonCode::UnknownEntity);
                assert!(refusal.message.contains(told), "{refusal}");
            }
        }
        assert!(runtime.store().entities(None, 9).await.unwrap().is_empty());
        assert!(runtime.services().done().is_empty());
    });
}

/// Another domain, whose journals are in the same store.
mod parcels {
    use kiff::{Failure, action, domain};

    domain! {
        /// Parcels on their way.
        pub domain Freight governs Parcel;
        roles { Robot: agent, Depot: system }
        states { Packed, final Sent }
        events { ParcelPacked { weight: u32, memo: Option<String> } reported by Depot; ParcelSent; }
        transitions { ParcelPacked: new => Packed; ParcelSent: Packed => Sent; }
        actions { SendParcel { risk: low, by: Robot, emits: ParcelSent }; }
        allow { Packed => [SendParcel]; }
    }

    #[action(Freight::SendParcel)]
    async fn send_parcel() -> Result<ParcelSent, Failure> {
        Ok(ParcelSent)
    }
}

#[test]
fn p4_an_entity_of_another_domain_is_nobodys_business_here() {
    use parcels::{Freight, FreightRole, ParcelPacked, SendParcel};

    block_on(async {
        let (store, people) = (Arc::new(MemoryStore::new()), people());
        let orders = Runtime::<Refund, _>::new(Arc::clone(&store), policy(), Desk::default());
        let roles =
            RolePolicy::new().assign(&people.shop, FreightRole::Depot).assign(&people.agent, FreightRole::Robot);
        let freight = Runtime::<Freight, _>::new(store, roles, ());
        let (order, parcel) = (place(&orders, "ord-1").await, Freight::entity("p-1").unwrap());
        let packed = ParcelPacked { weight: 7, memo: None };
        assert!(freight.ingest(&people.shop, &parcel, packed).await.unwrap().is_allowed());
        let key: IdempotencyKey = "wish-1".parse().unwrap();
        let sent = kiff::Proposal::new(SendParcel {}).idempotency_key(key.clone());
        assert_eq!(freight.execute(&people.agent, &parcel, sent).await.unwrap().outcome(), "executed");

        assert!(orders.may_read(&people.agent, &order).unwrap() && freight.may_read(&people.agent, &parcel).unwrap());
        assert!(!orders.may_read(&people.agent, &parcel).unwrap());
        assert!(!freight.timeline(&parcel).await.unwrap().is_empty());
        assert!(orders.timeline(&parcel).await.unwrap().is_empty());
        // A key that was used there is none that was used here.
        let pay = kiff::Proposal::new(MarkPaid { payment_id: "pay-1".into() }).idempotency_key(key);
        let no = kiff::Settlement::did_not_happen("looked");
        let reviewed = orders.review(&people.nora, &parcel, &"app-1".parse().unwrap(), Review::grant()).await.unwrap();
        assert_eq!(reviewed.refusal().unwrap().message, "`refund` governs `Order`, not `Parcel`");
        let settled = orders.settle(&people.nora, &parcel, &"run-1".parse().unwrap(), no).await.unwrap();
        assert_eq!(settled.refusal().unwrap().message, "`refund` governs `Order`, not `Parcel`");
        let paid = orders.execute(&people.agent, &parcel, pay).await.unwrap();
        assert_eq!(paid.refusal().unwrap().message, "`refund` governs `Order`, not `Parcel`");
    });
}

#[test]
fn a_field_that_an_event_can_do_without_may_be_missing_where_it_is_mapped() {
    use parcels::{Freight, FreightRole};

    block_on(async {
        let depot = people().shop;
        let roles = RolePolicy::new().assign(&depot, FreightRole::Depot);
        let freight = Runtime::<Freight>::new(MemoryStore::new(), roles, ());
        let scale = Mapping::new().event("packed", "PARCEL_PACKED", &[("grams", "weight"), ("remark", "memo")]);
        let mut told = Vec::new();
        for (id, payload) in [
            ("p-1", r#"{"grams": 7, "remark": "fragile"}"#),
            ("p-2", r#"{"grams": 7}"#),
            ("p-3", r#"{"remark": "fragile"}"#),
        ] {
            let raw =
                format!(r#"{{"type": "packed", "entity_type": "Parcel", "entity_id": "{id}", "payload": {payload}}}"#);
            let (parcel, packed) = scale.adapt(RawEvent::parse(&raw, &Bounds::DEFAULT).unwrap()).unwrap();
            let taken = freight.ingest(&depot, &parcel, packed).await.unwrap();
            let first = freight.timeline(&parcel).await.unwrap().lines().next().map(|line| line.message());
            told.push(first.unwrap_or_else(|| taken.refusal().unwrap().message.clone()));
        }
        assert_eq!(told[0], r#"PARCEL_PACKED {"weight":7,"memo":"fragile"}"#);
        assert!(told[1].starts_with(r#"PARCEL_PACKED {"weight":7"#), "{}", told[1]);
        assert!(told[2].contains("`PARCEL_PACKED` is invalid") && told[2].contains("`weight`"), "{}", told[2]);
    });
}

/// A commit that follows on an entity as it stands, as somebody appends it who goes past the runtime.
async fn append(runtime: &Runtime<Refund>, key: &EntityKey, body: &str) {
    let entity = runtime.entity(key).await.unwrap();
    let sealed = Sealed::verbatim(key.clone(), entity.number() + 1, entity.head(), body.into()).unwrap();
    assert_eq!(runtime.store().append(sealed).await.unwrap(), Appended::Written);
}

const AROUND: &str = r#""at":"2026-01-01T00:00:00Z","actor":{"id":"shop","kind":"system"}"#;

#[test]
fn p1_a_change_from_a_state_that_the_entity_is_not_in_is_believed_by_nobody() {
    block_on(async {
        let (runtime, people) = (open(), people());
        let key = place(&runtime, "ord-1").await;
        let change = r#"{"from":"PAID","to":"REFUNDED"}"#;
        let body = format!(r#"{{{AROUND},"records":[{{"kind":"state_changed","v":1,"data":{change}}}]}}"#);
        append(&runtime, &key, &body).await;
        let pay = MarkPaid { payment_id: "pay-1".into() };
        let Error::Journal(broken) = runtime.execute(&people.agent, &key, pay).await.unwrap_err() else {
            panic!("the journal is broken")
        };
        assert!(broken.to_string().contains("a state that the entity is not in"), "{broken}");
        let report = Verification::of(runtime.store()).run(|_| ()).await.unwrap();
        assert!(matches!(&report.faults[..], [Fault::Unfounded { number: 2, .. }]), "{report}");
    });
}

#[test]
fn p1_an_event_that_leads_nowhere_is_no_step_of_a_replay() {
    block_on(async {
        let (runtime, people) = (open(), people());
        let key = place(&runtime, "ord-1").await;
        let refunded = r#"{"event":"ORDER_REFUNDED","payload":{"amount":1,"reason":"x"}}"#;
        let body = format!(r#"{{{AROUND},"records":[{{"kind":"event_ingested","v":1,"data":{refunded}}}]}}"#);
        append(&runtime, &key, &body).await;
        let Error::Journal(broken) = runtime.rebuild(&people.shop, &key).await.unwrap_err() else {
            panic!("the journal is broken")
        };
        assert!(broken.to_string().contains("`ORDER_REFUNDED` leads nowhere from `CREATED`"), "{broken}");
    });
}

#[test]
fn p9_nothing_is_decided_on_what_only_a_later_kiff_knows() {
    block_on(async {
        let (runtime, people) = (open(), people());
        let key = place(&runtime, "ord-1").await;
        let body = format!(r#"{{{AROUND},"records":[{{"kind":"limit_reached","v":1,"data":{{}}}}]}}"#);
        append(&runtime, &key, &body).await;
        let pay = MarkPaid { payment_id: "pay-1".into() };
        let Error::Journal(broken) = runtime.execute(&people.agent, &key, pay).await.unwrap_err() else {
            panic!("the journal is broken")
        };
        assert!(broken.to_string().contains("a later kiff wrote its `limit_reached`"), "{broken}");
        assert!(runtime.services().done().is_empty());
    });
}

#[test]
fn p1_an_event_that_only_an_action_makes_happen_cannot_be_reported() {
    block_on(async {
        let (runtime, people) = (open(), people());
        let key = place(&runtime, "ord-1").await;
        let payload = Json::parse(r#"{"payment_id": "pay-1"}"#, &Bounds::DEFAULT).unwrap();
        for actor in [&people.shop, &people.agent, &people.nora] {
            let reported = runtime.ingest(actor, &key, Envelope::new("ORDER_PAID", payload.clone())).await.unwrap();
            assert_eq!(reported.refusal().unwrap().code, ReasonCode::PermissionDenied);
        }
        assert_eq!(runtime.entity(&key).await.unwrap().state(), Some(OrderState::Created));
    });
}

#[test]
fn an_event_is_refused_by_its_name_its_payload_and_its_reporter() {
    block_on(async {
        let (runtime, people) = (open(), people());
        let key = order("ord-1");
        let placed = |payload: &str| Envelope::new("ORDER_PLACED", Json::parse(payload, &Bounds::DEFAULT).unwrap());

        let unknown = Envelope::new("ORDER_LOST", Json::parse("{}", &Bounds::DEFAULT).unwrap());
        let refused = runtime.ingest(&people.shop, &key, unknown).await.unwrap();
        assert!(refused.refusal().unwrap().message.contains("has no event `ORDER_LOST`"));
        let refused = runtime.ingest(&people.shop, &key, placed(r#"{"total": "much"}"#)).await.unwrap();
        assert_eq!(refused.refusal().unwrap().code, ReasonCode::InvalidParameter);
        let refused = runtime.ingest(&people.agent, &key, placed(r#"{"total": 5}"#)).await.unwrap();
        assert_eq!(refused.refusal().unwrap().code, ReasonCode::PermissionDenied);
        let other = EntityKey::new("Invoice", "ord-1").unwrap();
        let refused = runtime.ingest(&people.shop, &other, placed(r#"{"total": 5}"#)).await.unwrap();
        assert_eq!(refused.refusal().unwrap().code, ReasonCode::UnknownEntity);

        assert!(runtime.timeline(&key).await.unwrap().is_empty());
        assert!(runtime.ingest(&people.shop, &key, placed(r#"{"total": 5}"#)).await.unwrap().is_allowed());
    });
}

#[test]
fn a_whole_number_of_an_event_is_the_same_however_it_is_written() {
    block_on(async {
        let (runtime, people) = (open(), people());
        let placed = |payload: &str| Envelope::new("ORDER_PLACED", Json::parse(payload, &Bounds::DEFAULT).unwrap());
        let key = order("ord-1");
        let refused = runtime.ingest(&people.shop, &key, placed(r#"{"total": 4900.5}"#)).await.unwrap();
        let told = &refused.refusal().unwrap().message;
        assert!(told.ends_with("invalid type: `4900.5`, expected a whole number"), "{told}");
        assert!(runtime.ingest(&people.shop, &key, placed(r#"{"total": 4900.0}"#)).await.unwrap().is_allowed());
        let commits = runtime.store().read(&key, 0, 1).await.unwrap();
        let recorded = commits[0].facts().iter().find_map(|fact| match fact {
            Fact::EventIngested(ingested) => Some(ingested.payload.as_str()),
            _ => None,
        });
        assert_eq!(recorded, Some(r#"{"total":4900}"#));
    });
}

#[test]
fn a_refused_proposal_is_on_the_record_with_its_code() {
    block_on(async {
        let (runtime, people) = (open(), people());
        let key = place(&runtime, "ord-1").await;
        let outcome = runtime.execute(&people.agent, &key, refund(4_200)).await.unwrap();
        assert_eq!(outcome.refusal().unwrap().code, ReasonCode::StateNotAllowed);
        let outcome = runtime.execute(&people.agent, &key, Call::new("DROP_TABLE", "{}")).await.unwrap();
        assert_eq!(outcome.refusal().unwrap().code, ReasonCode::UnknownAction);

        let timeline = runtime.timeline(&key).await.unwrap();
        let codes: Vec<&str> = timeline
            .records()
            .filter_map(|record| match record.fact() {
                Fact::ActionFailed(failed) => Some(failed.code.as_ref()),
                _ => None,
            })
            .collect();
        assert_eq!(codes, ["state_not_allowed", "unknown_action"]);
    });
}

#[test]
fn what_follows_inherits_the_trace_and_names_its_cause() {
    block_on(async {
        let (runtime, people) = (open(), people());
        let key = place(&runtime, "ord-1").await;
        let trace = Trace {
            trace_id: Some(TraceId::new("4bf92f35").unwrap()),
            correlation_id: Some(TraceId::new("ticket-9").unwrap()),
            causation_id: Some(TraceId::new("mail-4711").unwrap()),
        };
        let proposal = kiff::Proposal::new(MarkPaid { payment_id: "pay-1".into() }).trace(trace.clone());
        let _ = runtime.execute(&people.agent, &key, proposal).await.unwrap();

        let timeline = runtime.timeline(&key).await.unwrap();
        let chain: Vec<(String, Option<String>)> = timeline
            .records()
            .filter(|record| record.commit().trace() == Some(&trace))
            .map(|record| (record.fact().kind().to_owned(), record.cause().map(|cause| cause.to_string())))
            .collect();
        let expected = [
            ("action_validated", None),
            ("action_started", Some("2.1")),
            ("action_executed", Some("2.2")),
            ("event_ingested", Some("3.1")),
            ("state_changed", Some("3.2")),
        ];
        let expected: Vec<_> =
            expected.into_iter().map(|(kind, cause)| (kind.to_owned(), cause.map(str::to_owned))).collect();
        assert_eq!(chain, expected);

        // What its caller says that caused it is not taken for the record before.
        let told = serde_json::to_value(&timeline).unwrap();
        let parts = ["trace_id", "correlation_id", "origin_id", "causation_id"].map(|part| &told[3][part]);
        assert_eq!(parts, ["4bf92f35", "ticket-9", "mail-4711", "2.1"]);
        assert!(told[0]["origin_id"].is_null());
    });
}

#[test]
fn an_action_without_an_effect_is_one_commit() {
    block_on(async {
        let (runtime, people) = (open(), people());
        let key = place(&runtime, "ord-1").await;
        let before = runtime.entity(&key).await.unwrap().number();
        let outcome = runtime.execute(&people.agent, &key, AddNote { text: "fragile".into() }).await.unwrap();
        assert!(matches!(outcome, Outcome::Executed(_)), "{outcome:?}");
        assert_eq!(runtime.entity(&key).await.unwrap().number(), before + 1);
        let kinds = runtime.timeline(&key).await.unwrap().kinds();
        let expected = ["action_validated", "action_started", "action_executed", "event_ingested", "state_changed"];
        assert_eq!(kinds.get(kinds.len() - 5..).unwrap(), expected);
    });
}

#[test]
fn a_dry_run_writes_nothing_and_a_check_writes_its_answer() {
    block_on(async {
        let (runtime, people) = (open(), people());
        let key = place(&runtime, "ord-1").await;
        let pay = || MarkPaid { payment_id: "pay-1".into() };
        let before = runtime.timeline(&key).await.unwrap().kinds();
        assert!(runtime.evaluate(&people.agent, &key, pay()).await.unwrap().is_allowed());
        assert!(!runtime.evaluate(&people.agent, &key, refund(1)).await.unwrap().is_allowed());
        assert_eq!(runtime.timeline(&key).await.unwrap().kinds(), before);

        assert!(runtime.validate(&people.agent, &key, pay()).await.unwrap().is_allowed());
        assert!(!runtime.validate(&people.agent, &key, refund(1)).await.unwrap().is_allowed());
        let kinds = runtime.timeline(&key).await.unwrap().kinds();
        assert_eq!(kinds.get(before.len()..).unwrap(), ["action_validated", "action_failed"]);
        assert!(runtime.services().done().is_empty());
    });
}

#[test]
fn a_decision_is_on_the_record_with_its_reasons() {
    block_on(async {
        let (runtime, people) = (open(), people());
        let key = place(&runtime, "ord-1").await;
        let proposal = kiff::Proposal::new(Call::new("MARK_PAID", r#"{"payment_id": "pay-1"}"#))
            .because("the provider says so")
            .confidence(0.75)
            .unwrap()
            .evidence(kiff::Evidence::new("webhook", &["payment.captured"]).unwrap());
        let recorded = runtime.record(&people.agent, &key, proposal).await.unwrap();
        assert!(matches!(&recorded, Verdict::Allowed(decision) if decision.action == "MARK_PAID"), "{recorded:?}");
        let timeline = runtime.timeline(&key).await.unwrap();
        let last = timeline.lines().last().unwrap();
        let json = serde_json::to_value(last).unwrap();
        assert_eq!(json["kind"], "decision_proposed");
        assert_eq!(json["data"]["reasons"]["confidence"], 0.75);
        assert_eq!(json["data"]["reasons"]["evidence"][0]["source"], "webhook");
        assert_eq!(json["data"]["parameters"]["payment_id"], "pay-1");
    });
}

#[test]
fn p8_a_fault_names_one_entity_where_two_are_written_alike() {
    let ours = order("1").in_tenant("acme").unwrap();
    let theirs = EntityKey::new("acme:Order", "1").unwrap();
    assert_eq!(ours.to_string(), theirs.to_string());
    let told = |key: &EntityKey| serde_json::to_value(Fault::Missing { key: key.clone(), number: 1 }).unwrap();
    assert_ne!(told(&ours), told(&theirs));
    let entity = serde_json::json!({ "tenant": "acme", "entity_type": "Order", "id": "1" });
    assert_eq!(told(&ours), serde_json::json!({ "fault": "missing", "key": entity, "number": 1 }));
}
