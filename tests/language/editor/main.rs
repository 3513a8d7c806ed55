//! What an editor offers while a domain is being typed, asked of rust-analyzer over the language server protocol.
//!
//! It needs rust-analyzer and so is no part of `cargo test`: `tests/editor` gets one and runs it, and so does, where there is one,
//! `cargo test -p kiff-language --test editor`.

#![expect(clippy::panic, clippy::unwrap_used, reason = "what the tests share fails as loudly as a test")]

mod server;

use std::path::Path;

use self::server::Server;

const ROLES: &[&str] = &["Agent", "Operator", "System"];
const STATES: &[&str] = &["Created", "Paid", "Refunded"];
const EVENTS: &[&str] = &["OrderPaid", "OrderPlaced", "OrderRefunded"];
const ACTIONS: &[&str] = &["MarkPaid", "RefundOrder"];

/// What is typed in place of what, with the cursor at the `|`, and all that may be offered there.
const OFFERS: [(&str, &str, &[&str]); 20] = [
    ("Paid => [RefundOrder];", "Paid => [|];", ACTIONS),
    ("Paid => [RefundOrder];", "Paid => [Ref|];", ACTIONS),
    ("Paid => [RefundOrder];", "Paid => [RefundOrder, |];", ACTIONS),
    ("Paid => [RefundOrder];", "Paid => [RefundOrder, M|", ACTIONS),
    ("Paid => [RefundOrder];", "P| => [RefundOrder];", STATES),
    ("Paid => Refunded;", "Paid => |;", STATES),
    ("Paid => Refunded;", "Paid => Ref|", STATES),
    ("OrderRefunded: Paid => Refunded;", "OrderRefunded: P| => Refunded;", STATES),
    ("OrderRefunded: Paid => Refunded;", "Order|: Paid => Refunded;", EVENTS),
    ("by: Agent, emits: OrderRefunded", "by: |, emits: OrderRefunded", ROLES),
    ("by: Agent, emits: OrderRefunded", "by: A|, emits: OrderRefunded", ROLES),
    ("by: Agent, emits: OrderRefunded", "by: Agent | |, emits: OrderRefunded", ROLES),
    ("emits: OrderRefunded", "emits: |", EVENTS),
    ("emits: OrderRefunded", "emits: Or|", EVENTS),
    ("approval: Operator", "approval: |", ROLES),
    ("approval: Operator", "approval: Op|", ROLES),
    ("reported by System", "reported by S|", ROLES),
    ("Refunded without Operator", "Refunded without O|", ROLES),
    ("#[action(Refund::RefundOrder)]", "#[action(Refund::|)]", ACTIONS),
    ("#[action(Refund::RefundOrder)]", "#[action(Refund::Ref|)]", ACTIONS),
];

/// Lines that are still being typed somewhere else.
const HALF_TYPED: [(&str, &str); 3] = [
    ("OrderPaid: Created => Paid;", "OrderPaid: Cre"),
    ("MarkPaid { risk: low, by: Agent, emits: OrderPaid };", "MarkPaid { risk: low, by: };"),
    ("Ok(OrderPaid { payment_id })", "desk."),
];

#[test]
fn an_editor_knows_the_names_of_a_block() {
    let mut server = Server::open(Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../crates/edited")));
    let sound = server.text().to_owned();
    offers_what_is_legal(&mut server, &sound);
    server.change(&sound);
    leads_to_declarations(&mut server);
    renames_everywhere(&mut server, &sound);
    shows_what_is_documented(&mut server);
}

/// The legal names and nothing else, also while another line is half typed.
fn offers_what_is_legal(server: &mut Server, sound: &str) {
    let mut wrong = Vec::new();
    for (old, new, legal) in OFFERS {
        let cursor = new.rfind('|').unwrap();
        let typed = [&new[..cursor], &new[cursor + 1..]].concat();
        assert_eq!(sound.matches(old).count(), 1, "`{old}` stands once in the domain");
        let text = sound.replace(old, &typed);
        let others = HALF_TYPED.map(|(whole, half)| text.replace(whole, half));
        for text in [&text].into_iter().chain(&others) {
            server.change(text);
            let offered = server.completions(text.find(&typed).unwrap() + cursor);
            if offered != legal {
                wrong.push(format!("`{new}` offers {offered:?} in\n{text}"));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n\n"));
}

/// From each place that names something to the one where the block declares it.
fn leads_to_declarations(server: &mut Server) {
    for (used, declared) in [
        ("Paid => [Refund|Order];", "|RefundOrder { risk"),
        ("OrderPaid: Cre|ated => Paid;", "|Created,"),
        ("OrderP|aid: Created => Paid;", "|OrderPaid { payment_id: String };"),
        ("emits: OrderP|aid", "|OrderPaid { payment_id: String };"),
        ("risk: high, by: Ag|ent", "|Agent: agent"),
        ("approval: Oper|ator", "|Operator: human"),
        ("without Oper|ator", "|Operator: human"),
        ("#[action(Refund::Mark|Paid)]", "|MarkPaid { risk"),
        ("#[action(Ref|und::MarkPaid)]", "|Refund governs Order"),
        ("-> Result<OrderP|aid, Failure>", "|OrderPaid { payment_id: String };"),
    ] {
        assert_eq!(server.definitions(used), [server.position(declared)], "{used}");
    }
}

fn renames_everywhere(server: &mut Server, sound: &str) {
    for (used, name, new) in [
        ("|Created,", "Created", "Opened"),
        ("OrderPaid: |Created", "Created", "Opened"),
        ("Created => [|MarkPaid]", "MarkPaid", "Capture"),
        ("approval: |Operator", "Operator", "Supervisor"),
        ("emits: |OrderPaid", "OrderPaid", "Captured"),
    ] {
        assert_eq!(server.renamed(used, new), sound.replace(name, new), "{used}");
    }
}

fn shows_what_is_documented(server: &mut Server) {
    for (used, documentation) in [
        ("OrderPaid: Cre|ated", "Nobody has paid yet."),
        ("OrderP|aid: Created", "The provider has the money."),
        ("Paid => [Refund|Order]", "Pays the customer back."),
        ("#[action(Refund::Refund|Order)]", "Pays the customer back."),
        ("#[action(Ref|und::MarkPaid)]", "Orders, their payments and their refunds."),
    ] {
        let shown = server.hover(used);
        assert!(shown.contains(documentation), "{used}: {shown}");
    }
}
