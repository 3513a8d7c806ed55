//! What governs otherwise in one version of a domain than in another.

use kiff::{ApprovalRule, Consequence, Rule, Schema, StateSchema};
use proptest::collection::vec;
use proptest::prelude::any;
use proptest::sample::Index;
use proptest::test_runner::{Config, RngAlgorithm, TestRng, TestRunner};
use serde_json::Value;

use crate::schema::other_than;
use crate::shop::Refund;
use crate::{examples, tools};

/// One way to make another schema of a document.
#[derive(Debug, Clone, Copy)]
enum Mutation {
    /// A leaf has another value.
    Leaf,
    /// An item is gone.
    Gone,
    /// An item stands there twice.
    Twice,
    /// A list is in another order.
    Turned,
}

fn mutations(value: &Value, path: &mut Vec<String>, found: &mut Vec<(Vec<String>, Mutation)>) {
    let steps: Vec<(String, &Value)> = match value {
        Value::Array(items) => {
            found.push((path.clone(), Mutation::Turned));
            items.iter().enumerate().map(|(place, item)| (place.to_string(), item)).collect()
        }
        Value::Object(members) => members.iter().map(|(key, item)| (key.clone(), item)).collect(),
        _ => {
            found.push((path.clone(), Mutation::Leaf));
            return;
        }
    };
    for (step, item) in steps {
        path.push(step);
        if value.is_array() {
            found.extend([(path.clone(), Mutation::Gone), (path.clone(), Mutation::Twice)]);
        }
        mutations(item, path, found);
        path.pop();
    }
}

fn mutate(document: &mut Value, path: &[String], mutation: Mutation) {
    let at = |path: &[String]| format!("/{}", path.join("/"));
    let (step, above) = path.split_last().unwrap();
    match mutation {
        Mutation::Leaf => {
            let leaf = document.pointer_mut(&at(path)).unwrap();
            let other = other_than(leaf);
            *leaf = other;
        }
        Mutation::Turned => document.pointer_mut(&at(path)).unwrap().as_array_mut().unwrap().reverse(),
        Mutation::Gone => {
            let items = document.pointer_mut(&at(above)).unwrap().as_array_mut().unwrap();
            items.remove(step.parse().unwrap());
        }
        Mutation::Twice => {
            let items = document.pointer_mut(&at(above)).unwrap().as_array_mut().unwrap();
            let place: usize = step.parse().unwrap();
            let item = items[place].clone();
            items.push(item);
        }
    }
}

/// There is a difference exactly where the fingerprint is another, whichever of the two was before.
#[track_caller]
fn assert_told(one: &Schema, other: &Schema, what: &str) {
    let is_same = one.fingerprint() == other.fingerprint();
    for (before, after) in [(one, other), (other, one)] {
        let differences = after.differences_from(before);
        assert_eq!(differences.is_empty(), is_same, "{what}: {differences:?}");
    }
}

fn of_examples() -> [&'static Schema; 3] {
    [Refund::schema(), tools::mission(), examples::parts::schema()]
}

#[test]
fn there_is_a_difference_exactly_where_the_fingerprint_is_another() {
    for schema in of_examples() {
        let document = serde_json::to_value(schema).unwrap();
        let mut found = Vec::new();
        mutations(&document, &mut Vec::new(), &mut found);
        assert!(found.len() > 100, "{}", found.len());
        for (path, mutation) in found {
            let mut changed = document.clone();
            mutate(&mut changed, &path, mutation);
            if let Ok(changed) = serde_json::from_value::<Schema>(changed) {
                assert_told(schema, &changed, &format!("{mutation:?} at {path:?}"));
            }
        }
        let waived = ApprovalRule::Waived { reason: "it only reads".into() };
        let rules = schema.actions.iter().map(|action| action.approval.clone()).chain([waived]);
        for (place, rule) in rules.flat_map(|rule| (0..schema.actions.len()).map(move |place| (place, rule.clone()))) {
            let mut changed = schema.clone();
            changed.actions.to_mut()[place].approval = rule;
            assert_told(schema, &changed, "approval");
        }
    }
    for [one, other] in [[0, 1], [0, 2], [1, 2]] {
        assert_told(of_examples()[one], of_examples()[other], "two domains");
    }
}

#[test]
fn the_same_holds_between_any_two_mutants() {
    let mutant = |schema: &Schema, picks: &[Index]| {
        let mut document = serde_json::to_value(schema).unwrap();
        for pick in picks {
            let mut found = Vec::new();
            mutations(&document, &mut Vec::new(), &mut found);
            let (path, mutation) = &found[pick.index(found.len())];
            let mut changed = document.clone();
            mutate(&mut changed, path, *mutation);
            if serde_json::from_value::<Schema>(changed.clone()).is_ok() {
                document = changed;
            }
        }
        serde_json::from_value::<Schema>(document).unwrap()
    };
    let config = Config { cases: 64, failure_persistence: None, ..Config::default() };
    let mut runner = TestRunner::new_with_rng(config, TestRng::deterministic_rng(RngAlgorithm::ChaCha));
    let picks = (0..3_usize, vec(any::<Index>(), 0..4), vec(any::<Index>(), 0..4));
    let told = runner.run(&picks, |(domain, one, other)| {
        let schema = of_examples()[domain];
        assert_told(&mutant(schema, &one), &mutant(schema, &other), "mutants");
        Ok(())
    });
    told.unwrap();
}

#[test]
fn a_difference_is_told_with_what_it_means() {
    let before = Refund::schema();
    let mut after = before.clone();
    let archived = StateSchema { name: "ARCHIVED".into(), is_final: true, documentation: "kept".into() };
    after.states.to_mut().retain(|state| state.name != "CANCELLED");
    after.states.to_mut().push(archived);
    after.events.to_mut().retain(|event| event.name != "ORDER_CANCELLED");
    after.transitions.to_mut().retain(|line| line.event != "ORDER_CANCELLED");
    after.transitions.to_mut().iter_mut().find(|line| line.event == "ORDER_REFUNDED").unwrap().to = "ARCHIVED".into();
    after.actions.to_mut().retain(|action| action.name != "EXPORT_ORDER");
    for action in after.actions.to_mut() {
        match &*action.name {
            "ADD_NOTE" => {
                action.approval = before.action("REFUND_ORDER").unwrap().approval.clone();
                action.allowed_in.to_mut().retain(|state| state != "PAID");
            }
            "MARK_PAID" => {
                action.emits.to_mut().clear();
                action.parameters.to_mut()[0].name = "payment".into();
            }
            _ => {
                let auditor = after.roles.iter().find(|role| role.name == "auditor").unwrap();
                if let ApprovalRule::By(permission) = &mut action.approval {
                    permission.roles.to_mut()[0].name = auditor.name.clone();
                }
                action.parameters.to_mut()[0].rules = vec![Rule::Range { min: Some(1), max: Some(2_000_000) }].into();
            }
        }
    }
    let told: Vec<(String, &str)> = after
        .differences_from(before)
        .iter()
        .map(|found| (found.to_string(), found.consequence.map_or("", Consequence::as_str)))
        .collect();
    let told: Vec<(&str, &str)> = told.iter().map(|(sentence, meant)| (sentence.as_str(), *meant)).collect();
    let range = "the parameter `amount` of `REFUND_ORDER` is Cents, range(min = 1, max = 2000000), \
                 and was Cents, range(min = 1, max = 1000000)";
    let expected = [
        ("the state `CANCELLED` is gone", "journals_unreadable"),
        ("the state `ARCHIVED` is new: final", ""),
        ("the event `ORDER_CANCELLED` is gone", "event_gone"),
        ("the transition by `ORDER_CANCELLED` from `CREATED` is gone", "replay_differs"),
        ("the transition by `ORDER_REFUNDED` from `PAID` leads to `ARCHIVED`, and led to `REFUNDED`", "replay_differs"),
        ("the answer of `MARK_PAID` with `ORDER_PAID` is gone", "emission_gone"),
        ("the parameter `payment_id` of `MARK_PAID` is gone", "calls_refused"),
        ("the parameter `payment` of `MARK_PAID` is new: String, pattern(\"pay-[0-9]+\")", "calls_refused"),
        ("the approver of `REFUND_ORDER` is auditor, and was operator", ""),
        (range, ""),
        ("the approver of `ADD_NOTE` is operator, and was nobody", "calls_refused"),
        ("the allowance of `ADD_NOTE` in `PAID` is gone", "calls_refused"),
        ("the action `EXPORT_ORDER` is gone", "action_gone"),
        ("the contract of `REFUND_ORDER` is another", "approvals_void"),
    ];
    assert_eq!(told, expected);
    assert!(before.differences_from(before).is_empty());
}
