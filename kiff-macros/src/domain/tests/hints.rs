//! Hints: what they show is made of the block's own names.

use super::{check, refund};

const LEAVE: &str = r"
    domain Absence governs Leave;

    roles {
        /// Helps.
        Assistant: agent,
        Manager: human,
        Portal: system,
    }

    states { Asked, Granted, final Over }

    events { LeaveAsked reported by Portal; LeaveGranted; LeaveEnded; }

    transitions {
        LeaveAsked: new => Asked;
        LeaveGranted: Asked => Granted;
        LeaveEnded: Granted => Over;
    }

    actions {
        Grant { risk: high, by: Assistant, emits: LeaveGranted, approval: Manager };
        End { risk: low, by: Assistant, emits: LeaveEnded };
    }

    allow { Asked => [Grant]; Granted => [End]; }

    never { Granted without Manager }
";

#[test]
fn hints_are_in_the_names_of_the_block() {
    for (from, to, message) in [
        ("Manager: human,", "Manager«,»", "expected `:` after the role `Manager`, as in `Manager: agent`, found `,`"),
        (
            "LeaveGranted: Asked",
            "LeaveGranted «Asked»",
            "expected `:` after the event `LeaveGranted`, as in `LeaveGranted: Asked => Granted`, found `Asked`",
        ),
        (
            "LeaveEnded: Granted => Over",
            "LeaveEnded: Granted «.» Over",
            "expected `=>`, as in `LeaveGranted: Asked => Granted`, found `.`",
        ),
        ("[Grant]", "«Grant»", "expected `[`, as in `Asked => [Grant]`, found `Grant`"),
        (
            "End { risk: low, by: Assistant, emits: LeaveEnded }",
            "«End» { risk: low, by: Assistant }",
            "the action `End` does not say `emits`: add it, as in `emits: LeaveEnded`",
        ),
        (
            "without Manager",
            "«requires» Manager",
            "expected `without` or `alone`, as in `Over without Manager` or `Assistant alone from Granted to Over`, found `requires`",
        ),
        (
            "LeaveGranted; LeaveEnded",
            "LeaveGranted as «GRANTED»; LeaveEnded",
            "expected a text after `as`, as in `as \"LEAVE_GRANTED\"`, found `GRANTED`",
        ),
        (
            "never { Granted without Manager }",
            "«never» { }",
            "`never` is empty: write a promise, as in `Over without Manager`, or remove it",
        ),
    ] {
        assert_eq!(LEAVE.matches(from).count(), 1, "`{from}`");
        check(&LEAVE.replace(from, to), &[("syntax", message)]);
    }
    let source = LEAVE.replace("LeaveAsked: new => Asked;", "").replace("    transitions", "    «transitions»");
    check(
        &source.replace("LeaveAsked reported by Portal; ", "").replace("Portal: system,", ""),
        &[(
            "no_initial_transition",
            "no transition leads out of `new`: declare `LeaveOpened reported by Manager;`, and let it begin an entity: \
             `LeaveOpened: new => Asked;`",
        )],
    );
}

#[test]
fn the_example_of_a_key_breaks_no_other_rule() {
    let block = |shop: &str, reporter: &str, look: &str| {
        format!(
            "domain Refund governs Order; roles {{ Operator: human{shop} }} states {{ Paid, final Refunded }} \
             events {{ OrderPaid reported by {reporter}; OrderRefunded reported by {reporter}; }} \
             transitions {{ OrderPaid: new => Paid; OrderRefunded: Paid => Refunded; }} \
             actions {{ {look}; }} allow {{ Paid => [Look]; }}"
        )
    };
    let message = "the action `Look` does not say `by` and `emits`: add it, as in `by: Shop, emits: none`";
    let with_shop = |look: &str| block(", Shop: system", "Shop", look);
    check(&with_shop("«Look» { risk: high, approval: Operator }"), &[("syntax", message)]);
    check(&with_shop("Look { risk: high, approval: Operator, by: Shop, emits: none }"), &[]);
    let message = "the action `Look` does not say `by` and `emits`: add it, as in `by: …, emits: none`";
    check(&block("", "Operator", "«Look» { risk: high, approval: Operator }"), &[("syntax", message)]);
}

#[test]
fn the_example_of_an_event_keeps_what_never_promises() {
    let block = |look: &str, clause: &str| {
        refund(&[
            ("RefundOrder {", &format!("{look}; RefundOrder {{")),
            ("[RefundOrder]", "[RefundOrder, Look]"),
            ("Refunded without Operator", clause),
        ])
    };
    let without = "Refunded without Operator";
    let alone = "Agent alone from Paid to Refunded";
    for (keys, clause, event) in [
        ("risk: low, by: Agent", without, "none"),
        ("risk: low, by: Agent, approval: unapproved(\"a trial\")", without, "none"),
        ("risk: low, by: Agent, approval: Operator", without, "OrderRefunded"),
        ("risk: low, by: Operator", without, "OrderRefunded"),
        ("risk: low, by: Agent | Operator", without, "none"),
        ("risk: low, by: Agent", alone, "none"),
        ("risk: low, by: Agent, approval: Operator", alone, "OrderRefunded"),
        ("risk: low, by: System", alone, "OrderRefunded"),
        ("risk: low, by: Agent", "Paid without Agent", "OrderRefunded"),
    ] {
        let message = format!("the action `Look` does not say `emits`: add it, as in `emits: {event}`");
        check(&block(&format!("«Look» {{ {keys} }}"), clause), &[("syntax", &message)]);
        check(&block(&format!("Look {{ {keys}, emits: {event} }}"), clause), &[]);
    }
    let due = "the action `Look` has high risk and nobody has to approve it: add `approval: Operator`, or say why not with \
               `approval: unapproved(\"the reason\")`";
    let message = "the action `Look` does not say `emits`: add it, as in `emits: OrderRefunded`";
    let source = block("«Look» { risk: «high», by: Agent }", without);
    check(&source, &[("syntax", message), ("unapproved_risk", due)]);
}
