//! Typing errors in the lines of the sections: one error each, at its token.

use super::each;

#[test]
fn separators_are_missed() {
    each(&[
        ("Agent: agent,", "Agent: «agent»", "expected `,` after `agent`"),
        ("Created, Paid", "«Created» Paid", "expected `,` after `Created`"),
        ("reported by System;", "reported by «System»", "expected `;` after `System`"),
        ("amount: Cents,", "amount: «Cents»", "expected `,` after `Cents`"),
        ("Created => Paid;", "Created => «Paid»", "expected `;` after `Paid`"),
        ("risk: low,", "risk: «low»", "expected `,` after `low`"),
        (
            "MarkPaid { risk: low, by: Agent, emits: OrderPaid };",
            "MarkPaid { risk: low, by: Agent, emits: OrderPaid «}»",
            "expected `;` after `}`",
        ),
        ("[MarkPaid];", "[MarkPaid«]»", "expected `;` after `]`"),
    ]);
}

#[test]
fn stray_and_mistaken_separators_are_found() {
    each(&[
        ("Agent: agent,", "Agent: agent,«,»", "nothing stands before this `,`: remove it"),
        ("Agent: agent,", "Agent: agent«;»", "expected `,`, found `;`"),
        ("Agent: agent", "«,» Agent: agent", "nothing stands before this `,`: remove it"),
        ("reported by System", "«System»", "expected `;`, found `System`"),
        ("reported by System", "reported by System«,» Agent", "expected `|` between names, found `,`"),
        ("reported by System", "reported by System «Agent»", "expected `;`, found `Agent`"),
        ("payment_id: String };", "payment_id: String }«,»", "expected `;`, found `,`"),
        ("Created => Paid;", "Created => Paid«,»", "expected `;`, found `,`"),
        ("Created => Paid;", "Created => Paid;«;»", "nothing stands before this `;`: remove it"),
        ("Created => Paid;", "Created«,» Paid => Paid;", "expected `|` between names, found `,`"),
        ("Created => Paid;", "Created => Paid «Refunded»;", "expected `;`, found `Refunded`"),
        ("risk: low, by: Agent", "risk: low, by: Agent «Operator»", "expected `|` between names, found `Operator`"),
        ("[MarkPaid];", "[MarkPaid,«,»];", "nothing stands before this `,`: remove it"),
        (
            "never { Refunded without Operator",
            "«never» { ",
            "`never` is empty: write a promise, as in `Refunded without Operator`, or remove it",
        ),
    ]);
}

#[test]
fn a_transition_leads_from_somewhere_to_a_state() {
    each(&[
        (
            "OrderPaid: Created",
            "OrderPaid «Created»",
            "expected `:` after the event `OrderPaid`, as in `OrderPaid: Created => Paid`, found `Created`",
        ),
        ("OrderPaid: Created", "OrderPaid«:»: Created", "expected `:` after the event `OrderPaid`, found `::`"),
        ("Created => Paid;", "Created «->» Paid;", "expected `=>`, found `->`"),
        ("Created => Paid;", "Created «=» Paid;", "expected `=>`, found `=`"),
        (
            "Created => Paid;",
            "Created => Paid «|» Refunded;",
            "an event leads to one state: let another event lead to the other, each in its own line",
        ),
        (
            "Created => Paid;",
            "«[»Created, Paid] => Paid;",
            "lists of states take `|` and no brackets: write `Created | Paid`",
        ),
        ("Created => Paid;", "Created => «;»", "expected the state that the event leads to, found `;`"),
        ("Created => Paid;", "Created =«>»", "expected the state that the event leads to after `>`"),
        ("Created => Paid;", "Created «Paid»;", "expected `=>`, as in `OrderPaid: Created => Paid`, found `Paid`"),
        ("Created => Paid;", "«=»> Paid;", "expected a state or `new`, found `=>`"),
        (
            "Created => Paid;",
            "Created => «new»;",
            "expected the state that the event leads to: `new` is only where an entity comes from",
        ),
        (
            "OrderPaid: Created => Paid;",
            "OrderPaid«;»",
            "expected `:` after the event `OrderPaid`, as in `OrderPaid: Created => Paid`, found `;`",
        ),
    ]);
}

#[test]
fn the_keys_of_an_action_are_mended() {
    each(&[
        ("risk: low,", "risk «low»,", "expected `:` after `risk`, as in `risk: low`, found `low`"),
        ("risk: low,", "«rsk»: low,", "unknown key `rsk`: did you mean `risk`?"),
        (
            "MarkPaid { risk: low,",
            "«MarkPaid» { ",
            "the action `MarkPaid` does not say `risk`: add it, as in `risk: low`",
        ),
        ("risk: low,", "risk: low, «risk»: high,", "`risk` is given twice: remove one"),
        (
            "risk: low,",
            "risk: low, «colour»: red,",
            "unknown key `colour`: the keys are `risk`, `by`, `emits`, `approval`, `effect`, `permission` and `approval_permission`",
        ),
        (
            "risk: low, by: Agent",
            "risk: low, by: Agent, «Operator»",
            "expected a key such as `risk`, found `Operator`: put `|` between several names",
        ),
        ("risk: low, by: Agent", "risk: low, by «Agent»", "expected `:` after `by`, as in `by: Agent`, found `Agent`"),
        (
            "MarkPaid { risk: low, by: Agent, emits: OrderPaid };",
            "«MarkPaid» { };",
            "the action `MarkPaid` does not say `risk`, `by` and `emits`: add it, as in `risk: low, by: Agent, emits: OrderPaid`",
        ),
        (
            "MarkPaid { risk: low, by: Agent, emits: OrderPaid };",
            "MarkPaid«;»",
            "expected `{`, as in `MarkPaid { risk: low, by: Agent, emits: OrderPaid }`, found `;`",
        ),
        (
            "MarkPaid { risk: low, by: Agent, emits: OrderPaid };",
            "MarkPaid «(»risk: low, by: Agent, emits: OrderPaid);",
            "expected `{`, as in `MarkPaid { risk: low, by: Agent, emits: OrderPaid }`, found `(`",
        ),
    ]);
}

#[test]
fn the_values_of_an_action_are_mended() {
    each(&[
        ("risk: low,", "risk: «lo»,", "unknown risk `lo`: did you mean `low`?"),
        ("risk: low,", "risk: «tiny»,", "unknown risk `tiny`: the risks are `low`, `medium`, `high` and `critical`"),
        ("risk: low,", "risk: «,»", "expected the risk (`low`, `medium`, `high` or `critical`), found `,`"),
        ("risk: low, by: Agent,", "risk: low, by: «,»", "expected a role, found `,`"),
        (
            "risk: low, by: Agent,",
            "risk: low, by: «[»Agent, System],",
            "lists of roles take `|` and no brackets: write `Agent | System`",
        ),
        ("emits: OrderPaid ", "emits: «[»OrderPaid] ", "lists of events take `|` and no brackets: write `OrderPaid`"),
        ("risk: low, by: Agent,", "risk: low, by«:» ", "expected a role after `:`"),
        ("risk: low, by: Agent", "risk: low, by: Agent |«|» System", "expected a role, found `|`"),
    ]);
}

#[test]
fn an_approval_is_given_by_roles_or_waived() {
    each(&[
        (
            "approval: Operator",
            "approval: «unapproved»",
            "expected the reason, as in `unapproved(\"read-only export\")`",
        ),
        (
            "approval: Operator",
            "approval: unapproved(«)»",
            "expected the reason, as in `unapproved(\"read-only export\")`",
        ),
        ("approval: Operator", "approval«:» ", "expected a role"),
        ("approval: Operator", "«aproval»: Operator", "unknown key `aproval`: did you mean `approval`?"),
        (
            "approval: Operator",
            "approval «=» Operator",
            "expected `:` after `approval`, as in `approval: Operator`, found `=`",
        ),
    ]);
}

#[test]
fn an_allow_line_lists_actions() {
    each(&[
        ("[MarkPaid];", "«MarkPaid»;", "expected `[`, as in `Created => [MarkPaid]`, found `MarkPaid`"),
        ("[MarkPaid];", "«{» MarkPaid };", "expected `[`, as in `Created => [MarkPaid]`, found `{`"),
        ("[MarkPaid];", "[«]»;", "expected an action in `[ ]`, as in `Created => [MarkPaid]`"),
        ("=> [MarkPaid];", "«[»MarkPaid];", "expected `=>`, as in `Created => [MarkPaid]`, found `[`"),
        ("=> [MarkPaid];", "«;»", "expected `=>`, as in `Created => [MarkPaid]`, found `;`"),
        (
            "Created => [MarkPaid];",
            "«new» => [MarkPaid];",
            "expected a state: `new` is only where an entity comes from",
        ),
    ]);
}

#[test]
fn a_promise_has_two_forms() {
    each(&[
        ("without", "«witout»", "expected `without` after the state, found `witout`"),
        (
            "without",
            "«unless»",
            "expected `without` or `alone`, as in `Refunded without Operator` or `Agent alone from Paid to Refunded`, found `unless`",
        ),
        ("without Operator", "«without»", "expected a role"),
        ("Refunded without Operator", "Agent alone «Paid» to Refunded", "expected `from` after `alone`, found `Paid`"),
        (
            "Refunded without Operator",
            "Agent alone from Paid «Refunded»",
            "expected `to` after the state, found `Refunded`",
        ),
        ("Refunded without Operator", "Agent alone from «to» Refunded", "expected a state or `new`, found `to`"),
    ]);
}
