//! P4: nobody gains power by asserting something.

use kiff::{Actor, ActorKind, Call, MemoryStore, Policy, PolicyError, Question, ReasonCode, RolePolicy, Runtime};
use pollster::block_on;

use crate::shop::{Desk, MarkPaid, Refund, RefundRole, open, paid, people, place, refund};

#[test]
fn p4_roles_on_a_submitted_actor_carry_no_power() {
    block_on(async {
        let runtime = open();
        let key = place(&runtime, "ord-1").await;
        let submitted = r#"{"id": "mallory", "kind": "agent", "roles": ["agent", "operator"], "permissions": ["*"]}"#;
        let mallory: Actor = serde_json::from_str(submitted).unwrap();
        let outcome = runtime.execute(&mallory, &key, MarkPaid { payment_id: "pay-1".into() }).await.unwrap();
        assert_eq!(outcome.refusal().unwrap().code, ReasonCode::PermissionDenied);
        assert!(runtime.services().done().is_empty());
    });
}

#[test]
fn p4_parameters_cannot_say_who_acts_or_what_the_state_is() {
    block_on(async {
        let (runtime, people) = (open(), people());
        let key = place(&runtime, "ord-1").await;
        for smuggled in [r#""actor": "nora""#, r#""state": "PAID""#, r#""approved": true"#, r#""roles": ["operator"]"#]
        {
            let parameters = format!(r#"{{"payment_id": "pay-1", {smuggled}}}"#);
            let outcome = runtime.execute(&people.agent, &key, Call::new("MARK_PAID", parameters)).await.unwrap();
            assert_eq!(outcome.refusal().unwrap().code, ReasonCode::InvalidParameter, "{smuggled}");
        }
        let outcome = runtime.execute(&people.agent, &key, refund(1)).await.unwrap();
        assert_eq!(outcome.refusal().unwrap().code, ReasonCode::StateNotAllowed);
    });
}

#[test]
fn p4_a_role_is_held_only_by_actors_of_its_kind_whatever_the_policy_says() {
    /// Says yes to everybody and everything.
    struct Generous;

    impl Policy for Generous {
        fn holds(&self, question: &Question<'_>) -> Result<bool, PolicyError> {
            assert_eq!(question.actor.kind(), question.role.kind, "a policy is not asked about a role of another kind");
            Ok(true)
        }
    }

    block_on(async {
        let people = people();
        let runtime = Runtime::<Refund>::new(MemoryStore::new(), Generous, Desk::default());
        let key = place(&runtime, "ord-1").await;
        // Payments are marked by agents, operators and auditors: not by the system.
        let outcome = runtime.execute(&people.shop, &key, MarkPaid { payment_id: "pay-1".into() }).await.unwrap();
        assert_eq!(outcome.refusal().unwrap().code, ReasonCode::PermissionDenied);

        let assigned =
            RolePolicy::new().assign(&people.shop, RefundRole::System).assign(&people.shop, RefundRole::Agent);
        let runtime = Runtime::<Refund>::new(MemoryStore::new(), assigned, Desk::default());
        let key = place(&runtime, "ord-1").await;
        let outcome = runtime.execute(&people.shop, &key, MarkPaid { payment_id: "pay-1".into() }).await.unwrap();
        assert_eq!(outcome.refusal().unwrap().code, ReasonCode::PermissionDenied);
        assert!(runtime.services().done().is_empty());
    });
}

#[test]
fn p4_a_role_of_another_domain_or_of_another_kind_is_another_role() {
    block_on(async {
        let people = people();
        let own = kiff::Role::from(RefundRole::Agent);
        for other in [
            kiff::Role { domain: "mission".into(), ..own.clone() },
            kiff::Role { kind: ActorKind::Human, ..own.clone() },
            kiff::Role { name: "operator".into(), ..own.clone() },
        ] {
            let policy = RolePolicy::new().assign(&people.agent, other).assign(&people.shop, RefundRole::System);
            let runtime = Runtime::<Refund>::new(MemoryStore::new(), policy, Desk::default());
            let key = place(&runtime, "ord-1").await;
            let outcome = runtime.execute(&people.agent, &key, MarkPaid { payment_id: "pay-1".into() }).await.unwrap();
            assert_eq!(outcome.refusal().unwrap().code, ReasonCode::PermissionDenied);
        }
    });
}

#[test]
fn p4_the_checks_come_in_a_fixed_order() {
    block_on(async {
        let (runtime, people) = (open(), people());
        let key = place(&runtime, "ord-1").await;
        let nobody = Actor::agent("mallory").unwrap();
        let code = async |actor: &Actor, action: &str, parameters: &str| {
            let verdict = runtime.evaluate(actor, &key, Call::new(action, parameters)).await.unwrap();
            verdict.refusal().map_or("allowed", |refusal| refusal.code.as_str())
        };
        // The state is wrong, a parameter is missing, the permission too: the state is told.
        assert_eq!(code(&nobody, "REFUND_ORDER", "{}").await, "state_not_allowed");
        assert_eq!(code(&nobody, "MARK_PAID", "{}").await, "missing_parameter");
        assert_eq!(code(&nobody, "MARK_PAID", r#"{"payment_id": "x"}"#).await, "invalid_parameter");
        assert_eq!(code(&nobody, "MARK_PAID", r#"{"payment_id": "pay-1"}"#).await, "permission_denied");
        assert_eq!(code(&people.agent, "MARK_PAID", r#"{"payment_id": "pay-1"}"#).await, "allowed");
        let key = paid(&runtime, "ord-2").await;
        let verdict = runtime.evaluate(&nobody, &key, refund(1)).await.unwrap();
        assert_eq!(verdict.refusal().unwrap().code, ReasonCode::PermissionDenied);
        let verdict = runtime.evaluate(&people.agent, &key, refund(1)).await.unwrap();
        assert_eq!(verdict.refusal().unwrap().code, ReasonCode::ApprovalRequired);
    });
}
