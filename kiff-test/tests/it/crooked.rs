//! A domain written by hand whose code does other than its schema says, in one way at a time: made-up histories find it.

#![expect(clippy::expect_used, reason = "this file is a test")]

use std::fmt;
use std::panic::catch_unwind;
use std::sync::LazyLock;

use kiff::__private::{ActorKind, Emitted, Entry, Executable, Executes, Execution, Executor, Fields, Members};
use kiff::{
    Action, ApprovalRule, Bounds, Contract, Declared, Domain, Effect, Event, EventSchema, Failure, Governed, Json,
    JsonError, List, Parameter, ParameterFault, Permission, Permit, Risk, Role, RoleSchema, Rule, Schema, State,
    StateSchema, Text, Transition,
};
use kiff_test::proptest::prelude::Strategy;
use kiff_test::proptest::strategy::ValueTree;
use kiff_test::proptest::test_runner::TestRunner;
use kiff_test::{histories, obeys_its_schema};

const NOTHING: u8 = 0;
const NEEDS_NO_APPROVAL: u8 = 1;
const ALLOWED_ANYWHERE: u8 = 2;
const LEADS_ELSEWHERE: u8 = 3;
const ANYBODY_MAY: u8 = 4;
const KEEPS_NO_RULE: u8 = 5;
const LEADS_FROM_ANYWHERE: u8 = 6;

/// Has one action.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
struct Crooked<const FAULT: u8>;

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Bill {
    Open,
    Paid,
}

impl State for Bill {
    fn from_name(name: &str) -> Option<Self> {
        [Self::Open, Self::Paid].into_iter().find(|state| state.name() == name)
    }

    fn name(self) -> &'static str {
        match self {
            Self::Open => "OPEN",
            Self::Paid => "PAID",
        }
    }
}

impl fmt::Display for Bill {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

#[derive(Debug, Clone)]
struct Happened(&'static str);

impl Event for Happened {
    fn name(&self) -> &'static str {
        self.0
    }

    fn encode(&self, bounds: &Bounds) -> Result<Json, JsonError> {
        Json::parse("{}", bounds)
    }

    fn decode(name: &str, _: &Json) -> Option<Result<Self, JsonError>> {
        let names = ["BILL_SENT", "BILL_PAID"].into_iter();
        names.filter(|known| *known == name).map(|known| Ok(Self(known))).next()
    }
}

const fn text(text: &'static str) -> Text {
    Text::Borrowed(text)
}

const fn role(name: &'static str) -> Role {
    Role { domain: text("crooked"), name: text(name), kind: ActorKind::Human }
}

const CLERK: Role = role("clerk");
const CHIEF: Role = role("chief");

const PARAMETERS: &[Parameter] = &[Parameter {
    name: text("amount"),
    type_name: text("u8"),
    documentation: text(""),
    optional: false,
    rules: List::Borrowed(&[Rule::Range { min: Some(1), max: Some(9) }]),
}];

fn permission(name: &'static str, roles: &[Role]) -> Permission {
    Permission { name: text(name), roles: roles.to_vec().into() }
}

static PAY: LazyLock<Contract> = LazyLock::new(|| Contract {
    name: text("PAY"),
    documentation: text(""),
    risk: Risk::High,
    effect: Effect::Outside,
    permission: permission("pay", &[CLERK]),
    approval: ApprovalRule::By(permission("approve", &[CHIEF])),
    emits: vec![text("BILL_PAID")].into(),
    allowed_in: vec![text("OPEN")].into(),
    parameters: PARAMETERS.into(),
});

static UNAPPROVED: LazyLock<Contract> = LazyLock::new(|| Contract { approval: ApprovalRule::None, ..PAY.clone() });

static BY_ANYBODY: LazyLock<Contract> =
    LazyLock::new(|| Contract { permission: permission("pay", &[CLERK, CHIEF]), ..PAY.clone() });

static SCHEMA: LazyLock<Schema> = LazyLock::new(|| {
    let role = |role: Role| RoleSchema { name: role.name, kind: role.kind, documentation: text("") };
    let state = |name, is_final| StateSchema { name: text(name), is_final, documentation: text("") };
    let event = |name, reporters: &[Role]| EventSchema {
        name: text(name),
        documentation: text(""),
        fields: List::default(),
        report: permission("report", reporters),
    };
    Schema {
        domain: text("crooked"),
        entity_type: text("Bill"),
        documentation: text(""),
        roles: [CLERK, CHIEF].map(role).to_vec().into(),
        states: vec![state("OPEN", false), state("PAID", true)].into(),
        events: vec![event("BILL_SENT", &[CLERK]), event("BILL_PAID", &[])].into(),
        transitions: vec![
            Transition { event: text("BILL_SENT"), from: None, to: text("OPEN") },
            Transition { event: text("BILL_PAID"), from: Some(text("OPEN")), to: text("PAID") },
        ]
        .into(),
        actions: vec![PAY.clone()].into(),
        never: List::default(),
    }
});

impl<const FAULT: u8> Domain for Crooked<FAULT> {
    type State = Bill;
    type Event = Happened;
    type Services = ();

    fn schema() -> &'static Schema {
        &SCHEMA
    }

    fn from_name(name: &str) -> Option<Self> {
        (name == "PAY").then_some(Self)
    }

    fn contract(self) -> &'static Contract {
        match FAULT {
            NEEDS_NO_APPROVAL => &UNAPPROVED,
            ANYBODY_MAY => &BY_ANYBODY,
            _ => &PAY,
        }
    }

    fn allowed_in(self, state: Bill) -> bool {
        state == Bill::Open || FAULT == ALLOWED_ANYWHERE
    }

    fn transition(from: Option<Bill>, event: &str) -> Option<Bill> {
        match (from, event) {
            (None, "BILL_SENT") if FAULT == LEADS_ELSEWHERE => Some(Bill::Paid),
            (None, "BILL_SENT") => Some(Bill::Open),
            (Some(Bill::Open), "BILL_PAID") => Some(Bill::Paid),
            (Some(_), "BILL_SENT") if FAULT == LEADS_FROM_ANYWHERE => Some(Bill::Open),
            _ => None,
        }
    }

    fn actions() -> &'static [Self] {
        &[Self]
    }
}

impl<const FAULT: u8> Executable for Crooked<FAULT> {
    fn entry(self) -> &'static Entry<Self> {
        const { &<Self as Executor<Self>>::ENTRY }
    }
}

impl<const FAULT: u8> Declared for Crooked<FAULT> {
    type Domain = Self;
    type Emits = Happened;
    type Name = ();
    const ACTION: Self = Self;
}

impl<const FAULT: u8> Emitted<Crooked<FAULT>> for Happened {
    fn into_event(self) -> Option<Self> {
        Some(self)
    }
}

impl<const FAULT: u8> Executes<Self, ()> for Crooked<FAULT> {
    type Action = Pay<FAULT>;

    async fn run<'a>(
        permit: Permit<'a, Self>,
        _: Pay<FAULT>,
        (): &'a (),
        _: &'a Execution,
    ) -> Result<Happened, Failure> {
        drop(permit);
        Ok(Happened("BILL_PAID"))
    }
}

#[derive(Debug)]
struct Pay<const FAULT: u8>(u8);

impl<const FAULT: u8> Governed<Crooked<FAULT>> for Pay<FAULT> {
    type Declared = Crooked<FAULT>;
}

impl<const FAULT: u8> Action for Pay<FAULT> {
    const PARAMETERS: &'static [Parameter] = PARAMETERS;

    fn decode(parameters: &Json) -> Result<Self, ParameterFault> {
        let mut fields = Fields::read(parameters, PARAMETERS);
        let amount = fields.required("amount");
        fields.finish(amount.map(Self))
    }

    fn write(&self, members: &mut Members) {
        members.put("amount", &self.0);
    }

    fn check(&self) -> Result<(), ParameterFault> {
        if FAULT == KEEPS_NO_RULE || (1..=9).contains(&self.0) {
            return Ok(());
        }
        Err(ParameterFault::invalid("amount", "the value must be from 1 to 9"))
    }
}

/// What is said of a domain with a fault.
#[track_caller]
fn check<const FAULT: u8>(parts: &[&str]) {
    let panic = catch_unwind(|| obeys_its_schema(&histories::<Crooked<FAULT>>(), || ()));
    let panic = panic.expect_err("the fault is not found");
    let message = panic.downcast_ref::<String>().expect("a message");
    assert!(message.starts_with("the domain `crooked` does not obey its schema\n\n  1. "), "{message}");
    for part in parts {
        assert!(message.contains(part), "`{part}` is not in: {message}");
    }
}

#[test]
fn a_domain_without_a_fault_obeys_its_schema() {
    obeys_its_schema(&histories::<Crooked<NOTHING>>(), || ());
}

#[test]
fn p3_an_action_that_runs_without_its_approval_is_found() {
    check::<NEEDS_NO_APPROVAL>(&["  2. ", "by the schema it is "]);
}

#[test]
fn an_action_that_runs_in_another_state_is_found() {
    check::<ALLOWED_ANYWHERE>(&["by the schema it is blocked: state_not_allowed, but it was "]);
}

#[test]
fn p1_a_state_that_moves_past_the_transitions_is_found() {
    check::<LEADS_ELSEWHERE>(&[
        "expected the state OPEN, but the journal records PAID",
        "reports BILL_SENT {}\n\nat step 1",
    ]);
    check::<LEADS_FROM_ANYWHERE>(&["by the schema it is blocked: state_not_allowed, but it was allowed"]);
}

#[test]
fn p4_an_action_that_anybody_may_run_is_found() {
    check::<ANYBODY_MAY>(&["by the schema it is blocked: permission_denied, but it was "]);
}

#[test]
fn parameters_that_break_a_rule_and_pass_are_found() {
    check::<KEEPS_NO_RULE>(&["(invalid_parameter)", "by the schema it is invalid: invalid_parameter, but it was "]);
}

#[test]
fn p3_somebody_with_every_role_tries_to_approve_their_own_wish() {
    let histories = histories::<Crooked<NOTHING>>();
    let mut runner = TestRunner::deterministic();
    let is_tried = |history: &str| {
        let lines: Vec<&str> = history.lines().collect();
        lines.windows(2).any(|lines| {
            lines[0].contains("all-roles-human (human) asks for a sign-off of PAY")
                && lines[1].contains("all-roles-human (human) grants the request")
        })
    };
    let tried = (0..256).any(|_| {
        let tree = histories.new_tree(&mut runner).expect("a history");
        is_tried(&tree.current().to_string())
    });
    assert!(tried, "no history tries it");
}
