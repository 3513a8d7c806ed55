//! Names: unknown ones, ones that are there twice, and ones that are unfit for the wire.

use super::{check, one, refund};

#[test]
fn unknown_name() {
    for (from, to, message) in [
        ("reported by System", "reported by «Systm»", "unknown role `Systm`: did you mean `System`?"),
        ("OrderPaid: Created", "OrderPaid: «Creatd»", "unknown state `Creatd`: did you mean `Created`?"),
        ("OrderRefunded: Paid", "«OrderRefundd»: Paid", "unknown event `OrderRefundd`: did you mean `OrderRefunded`?"),
        ("[RefundOrder]", "[«RefundOder»]", "unknown action `RefundOder`: did you mean `RefundOrder`?"),
        (
            "OrderPlaced: new",
            "OrderPlaced: «start»",
            "unknown state `start`: the states are `Created`, `Paid` and `Refunded`, and an entity that does not exist yet \
             comes from `new`",
        ),
        ("=> Paid;", "=> «Shipped»;", "unknown state `Shipped`: the states are `Created`, `Paid` and `Refunded`"),
        (
            "by: Agent, emits: OrderPaid",
            "by: «OrderPaid», emits: OrderPaid",
            "`OrderPaid` is an event, not a role: the roles are `Agent`, `Operator` and `System`",
        ),
        (
            "without Operator",
            "without «Supervisor»",
            "unknown role `Supervisor`: the roles are `Agent`, `Operator` and `System`",
        ),
    ] {
        one(from, to, "unknown_name", message);
    }
}

#[test]
fn what_the_block_makes_has_its_name_for_itself() {
    for made in ["OrderState", "OrderEvent"] {
        one(
            "domain Refund governs",
            &format!("domain «{made}» governs"),
            "duplicate_name",
            &format!("`{made}` is a type that the block itself makes: give the domain another name"),
        );
    }
    let action = |name: &str, what: &str| {
        let source = refund(&[("RefundOrder {", &format!("«{name}» {{")), ("[RefundOrder]", &format!("[{name}]"))]);
        let message = format!("`{name}` is {what}: give this action another name");
        check(&source, &[("duplicate_name", &message)]);
    };
    action("SVG", "a diagram that the block itself makes");
    for name in ["schema", "entity"] {
        action(name, "a fn that the domain's type has");
    }
    for name in ["Refund", "RefundRole", "refund", "Order", "OrderState", "OrderEvent"] {
        action(name, "a type that the block itself makes");
    }
}

#[test]
fn an_action_is_not_called_as_what_another_answers_with() {
    let source = refund(&[
        ("emits: OrderPaid }", "emits: OrderPaid | OrderHeld }"),
        ("MarkPaid {", "«Pay» {"),
        ("[MarkPaid]", "[Pay]"),
        ("RefundOrder {", "PayEvent {"),
        ("[RefundOrder]", "[PayEvent]"),
        ("OrderPaid {", "OrderHeld; OrderPaid {"),
        ("OrderPaid: Created => Paid;", "OrderPaid: Created => Paid; OrderHeld: Created => Paid;"),
    ]);
    let message = "what `Pay` emits is one of several events and is called `PayEvent`, which is taken: \
                   give this action another name";
    check(&source, &[("duplicate_name", message)]);
}

#[test]
fn a_name_that_could_not_be_declared_is_not_unknown() {
    one(
        "states { Created, Paid,",
        "states { Created, «=» Paid,",
        "syntax",
        "expected a state, as in `Created`, found `=`",
    );
    one("Agent: agent,", "«:» agent,", "syntax", "expected a role, as in `Operator: human`, found `:`");
}

#[test]
fn a_misspelt_declaration_is_an_error_at_each_use_and_nothing_more() {
    let source = refund(&[
        ("Created, Paid,", "Created, Piad,"),
        ("=> Paid;", "=> «Paid»;"),
        ("Paid => Refunded", "«Paid» => Refunded"),
        ("Paid => [", "«Paid» => ["),
    ]);
    check(&source, &[("unknown_name", "unknown state `Paid`: did you mean `Piad`?"); 3]);
}

#[test]
fn a_declaration_that_begins_small_is_one_error_where_it_stands() {
    one("Created, Paid,", "Created, «paid»,", "unknown_name", "the state `paid` is used as `Paid`: write `Paid` here");
    one(
        "Operator: human",
        "«operator»: human",
        "unknown_name",
        "the role `operator` is used as `Operator`: write `Operator` here",
    );
}

#[test]
fn duplicate_name() {
    for (from, to, message) in [
        ("Created, Paid,", "Created, Paid, «Paid»,", "the state `Paid` is declared twice: remove or rename one"),
        ("Created, Paid,", "Created, Paid, final «Agent»,", "`Agent` is already a role: give this state another name"),
        (
            "amount: Cents,",
            "amount: Cents, «amount»: u64,",
            "the field `amount` is declared twice: remove or rename one",
        ),
        (
            "amount: Cents,",
            "#[serde(rename = \"amount\")] gross: Cents, «amount»: u64,",
            "`gross` and `amount` are both `amount` on the wire: give one another name there, as in `#[serde(rename = \"…\")]`",
        ),
        (
            "OrderPaid: Created",
            "OrderPaid: Created | «Created»",
            "the transition `OrderPaid: Created => Paid` is declared twice: remove one",
        ),
        (
            "=> Paid;",
            "=> Paid; OrderPaid: «Created» => Paid;",
            "the transition `OrderPaid: Created => Paid` is declared twice: remove one",
        ),
        ("[MarkPaid]", "[MarkPaid, «MarkPaid»]", "`Created` allows `MarkPaid` twice: remove one"),
        ("approval: Operator", "approval: Operator | «Operator»", "`Operator` is listed twice: remove one"),
        (
            "never { Refunded without Operator }",
            "never { Refunded without Operator; «Refunded without Operator»; }",
            "this clause is written twice: remove one",
        ),
        (
            "governs Order;",
            "governs «Refund»;",
            "`Refund` is what the domain is called: give what it governs another name",
        ),
        (
            "domain Refund",
            "domain «refund»",
            "`refund` is also what the module of the typed states is called: begin the domain's name with a capital",
        ),
        (
            "domain Refund",
            "domain «退款»",
            "`退款` is also what the module of the typed states is called: give the domain a name that begins with a \
             capital, as in `Refund`",
        ),
    ] {
        one(from, to, "duplicate_name", message);
    }
}

#[test]
fn duplicate_name_on_the_wire() {
    let source = refund(&[("Created, Paid,", "Created, PAID, «Paid»,"), ("=> Paid;", "=> PAID | Paid;")]);
    let source = source.replace("=> PAID | Paid;", "=> Paid; OrderHeld: Created => PAID; OrderFreed: PAID => Paid;");
    let source =
        source.replace("OrderPaid {", "OrderHeld reported by System; OrderFreed reported by System; OrderPaid {");
    check(
        &source,
        &[(
            "duplicate_name",
            "`PAID` and `Paid` are both `PAID` on the wire: give one another name there, as in `Paid as \"…\"`",
        )],
    );
    check(&source.replace("«Paid»", "Paid as \"PAID_FOR\""), &[]);
}

#[test]
fn duplicate_name_with_a_type_of_the_block() {
    let source = refund(&[]).replace("OrderPlaced", "OrderState").replace("OrderState {", "«OrderState» {");
    check(
        &source,
        &[("duplicate_name", "`OrderState` is a type that the block itself makes: give this event another name")],
    );
}

#[test]
fn duplicate_permission() {
    for (domain, name, permission, does) in [
        ("Refund", "ApproveRefundOrder", "refund.approve_refund_order", "approve `RefundOrder`"),
        ("Refund", "SettleRefundOrder", "refund.settle_refund_order", "settle `RefundOrder`"),
        ("Refund as \"my.desk\"", "SettleRefundOrder", "my.desk.settle_refund_order", "settle `RefundOrder`"),
        ("Refund", "ReportOrderPlaced", "refund.report_order_placed", "report `OrderPlaced`"),
    ] {
        let (header, declared, allowed) =
            (format!("domain {domain} governs"), format!("«{name}» {{"), format!("[{name}]"));
        let source = refund(&[("domain Refund governs", &header), ("MarkPaid {", &declared), ("[MarkPaid]", &allowed)]);
        let message = format!(
            "the permission `{permission}` would both run `{name}` and {does}: \
             rename one of them, or give the action its own with `permission: \"…\"`"
        );
        check(&source, &[("duplicate_name", &message)]);
    }
}

#[test]
fn two_permissions_of_one_name() {
    let twice = |edits: &[(&str, &str)], permission: &str, does: [&str; 2], instead: &str| {
        let [one, other] = does;
        let message =
            format!("the permission `{permission}` would both {one} and {other}: rename one of them{instead}");
        check(&refund(edits), &[("duplicate_name", &message)]);
    };
    let own = ", or give the action its own with `permission: \"…\"`";
    let alike = |declared: &'static str| [("RefundOrder {", declared), ("[RefundOrder]", "[MarkPAID]")];
    twice(&alike("«MarkPAID» as \"CAPTURE\" {"), "refund.mark_paid", ["run `MarkPaid`", "run `MarkPAID`"], own);
    check(&refund(&alike("MarkPAID as \"CAPTURE\" { permission: \"refund.capture\",")), &[]);
    let both = "«RefundOrder» { permission: \"refund.give\", approval_permission: \"refund.give\",";
    let message = "the permission `refund.give` would both run `RefundOrder` and approve `RefundOrder`: write two different names";
    check(&refund(&[("RefundOrder {", both)]), &[("duplicate_name", message)]);
    twice(
        &[
            ("MarkPaid {", "MarkPaid { permission: \"pay\","),
            ("RefundOrder {", "«RefundOrder» { permission: \"refund.pay\","),
        ],
        "refund.settle_pay",
        ["settle `MarkPaid`", "settle `RefundOrder`"],
        own,
    );
    twice(
        &[("RefundOrder {", "«RefundOrder» { approval_permission: \"refund.report_order_placed\",")],
        "refund.report_order_placed",
        ["approve `RefundOrder`", "report `OrderPlaced`"],
        ", or give the action its own with `approval_permission: \"…\"`",
    );
    twice(
        &[
            ("OrderPaid {", "«order_placed» as \"ORDERED\" reported by System; OrderPaid {"),
            ("OrderPlaced: new => Created;", "OrderPlaced: new => Created; order_placed: new => Created;"),
        ],
        "refund.report_order_placed",
        ["report `OrderPlaced`", "report `order_placed`"],
        "",
    );
}

#[test]
fn a_permission_that_the_runtime_asks_for_itself() {
    for (written, does) in [
        ("permission: \"refund.entity.read\"", "run `RefundOrder` and look at an entity"),
        (
            "approval_permission: \"refund.approval.withdraw\"",
            "approve `RefundOrder` and deny or withdraw what was asked for",
        ),
    ] {
        let source = refund(&[("RefundOrder {", &format!("«RefundOrder» {{ {written},"))]);
        let name = written.split('"').nth(1).unwrap();
        let message = format!("the permission `{name}` would both {does}: write another name");
        check(&source, &[("duplicate_name", &message)]);
    }
    check(&refund(&[("RefundOrder {", "RefundOrder { permission: \"other.entity.read\",")]), &[]);
}

#[test]
fn a_permission_that_two_actions_write_out_is_meant_for_both() {
    let source = refund(&[
        ("MarkPaid {", "MarkPaid { permission: \"refund.money\","),
        ("RefundOrder {", "RefundOrder { permission: \"refund.money\","),
    ]);
    check(&source, &[]);
}

#[test]
fn a_permission_that_different_roles_would_settle_by_is_not_shared() {
    let shared = |by: &str| {
        let pay = format!("by: {by}, permission: \"refund.money\", emits: OrderPaid");
        refund(&[
            ("Operator: human", "Clerk: human, Operator: human"),
            ("by: Agent, emits: OrderPaid", &pay),
            ("RefundOrder {", "«RefundOrder» { permission: \"refund.money\","),
        ])
    };
    let message = "the permission `refund.settle_money` would both settle `MarkPaid` and settle `RefundOrder`: \
                   different roles may do so, so give one of the actions its own with `permission: \"…\"`";
    check(&shared("Agent | Clerk"), &[("duplicate_name", message)]);
    check(&shared("Clerk | Operator"), &[("duplicate_name", message)]);
    check(&shared("Agent | Operator").replace("Clerk: human, ", "").replace(['«', '»'], ""), &[]);
}

#[test]
fn malformed_name() {
    for (from, to, given) in [
        ("Created, Paid,", "Created, Paid as «\"\"»,", ""),
        ("governs Order;", "governs Order as «\"an order\"»;", "an order"),
        ("approval: Operator", "approval: Operator, permission: «\"a\\nb\"»", "a\nb"),
    ] {
        let message = format!(
            "{given:?} cannot be a name on the wire: use letters, digits, `_`, `-`, `.`, `:` and `/`, 128 of them at most"
        );
        one(from, to, "malformed_name", &message);
    }
}

#[test]
fn a_name_that_is_too_long_for_the_wire() {
    let long = format!("L{}g", "o".repeat(127));
    let message = format!(
        "`{long}` would have 129 letters on the wire, and the most is 128: \
         rename it, or give it a shorter name there with `as \"…\"`"
    );
    for (from, to) in [
        ("domain Refund governs", format!("domain «{long}» governs")),
        ("governs Order;", format!("governs «{long}»;")),
    ] {
        one(from, &to, "malformed_name", &message);
        check(&refund(&[(from, &to.replace('«', "").replace('»', " as \"SHORT\""))]), &[]);
    }
    let source = refund(&[("MarkPaid {", &format!("«{long}» {{")), ("[MarkPaid]", &format!("[{long}]"))]);
    check(&source, &[("malformed_name", &message)]);
}

#[test]
fn a_permission_that_would_be_too_long_for_the_wire() {
    let message = |does: &str, name: &str, count: u8, instead: &str| {
        format!(
            "the permission to {does} `{name}` would have {count} letters on the wire, and the most is 128: {instead}"
        )
    };
    let long = format!("L{}g", "o".repeat(120));
    let named = |declared: &str| refund(&[("MarkPaid {", declared), ("[MarkPaid]", &format!("[{long}]"))]);
    let instead = "rename the action, or write a shorter one with `permission: \"…\"`";
    let told = message("run", &long, 129, instead);
    check(&named(&format!("«{long}» {{")), &[("malformed_name", &told)]);
    check(&named(&format!("{long} {{ permission: \"refund.pay\",")), &[]);

    let refunds = |permission: &str, name: &str| {
        let declared = format!("«{name}» {{ permission: \"{permission}\",");
        refund(&[("RefundOrder {", &declared), ("[RefundOrder]", &format!("[{name}]"))])
    };
    let instead = "it is made of that to run the action, so write a shorter one with `permission: \"…\"`";
    let told = message("settle", "Give", 129, instead);
    check(&refunds(&format!("refund.{}", "x".repeat(115)), "Give"), &[("malformed_name", &told)]);

    let long = format!("L{}g", "o".repeat(113));
    let instead = "rename the action, or write a shorter one with `approval_permission: \"…\"`";
    let told = message("approve", &long, 130, instead);
    check(&refunds("refund.give", &long), &[("malformed_name", &told)]);

    let (declared, begins) = (format!("«{long}» {{"), format!("{long}: new"));
    let source = refund(&[("OrderPlaced {", &declared), ("OrderPlaced: new", &begins)]);
    let instead = "rename the event, or give the domain a shorter name on the wire with `as \"…\"`";
    let told = message("report", &long, 129, instead);
    check(&source, &[("malformed_name", &told)]);
}

#[test]
fn names_of_its_own_on_the_wire_are_no_fault() {
    let source = refund(&[
        ("domain Refund", "domain Refund as \"refunds\""),
        ("governs Order", "governs Order as \"order\""),
        ("Created, Paid,", "Created as \"OPEN\", Paid,"),
        ("OrderPaid {", "OrderPaid as \"PAYMENT\" {"),
        ("MarkPaid {", "MarkPaid as \"PAY\" { effect: none, permission: \"refund.pay\","),
        ("Agent: agent", "Agent as \"bot\": agent"),
    ]);
    check(&source, &[]);
}

#[test]
fn too_many() {
    let roles: Vec<String> = (0..62).map(|number| format!("R{number}")).collect();
    let declared: Vec<String> = roles.iter().map(|role| format!("{role}: service")).collect();
    let source = refund(&[
        ("Agent: agent,", &format!("{}, Agent: agent,", declared.join(", "))),
        ("System: system", "«System»: system"),
        ("reported by System", &format!("reported by System | {}", roles.join(" | "))),
    ]);
    check(&source, &[("too_many", "a domain has at most 64 roles, and `System` is one more: split the domain")]);
}
