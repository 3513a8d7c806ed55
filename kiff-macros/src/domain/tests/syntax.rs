//! Typing errors around the sections and in what they declare: one error each, at its token.

use super::{check, each, refund};

#[test]
fn the_first_line_is_mended_token_by_token() {
    each(&[
        ("pub domain", "pub «domian»", "expected `domain`, found `domian`"),
        (
            "pub domain Refund",
            "pub «Refund»",
            "expected `domain` before `Refund`, as in `domain Refund governs Order;`",
        ),
        ("governs", "«govern»", "expected `governs` after the domain's name, found `govern`"),
        ("governs Order", "«Order»", "expected `governs` before `Order`, as in `domain Refund governs Order;`"),
        (
            "governs Order;",
            "«;»",
            "expected `governs` and what the domain governs, as in `domain Refund governs Order;`, found `;`",
        ),
        ("governs Order;", "governs «Order»", "expected `;` after `Order`"),
        (
            "pub domain Refund governs Order;\n    services",
            "\n    «services»",
            "expected the domain's first line, as in `domain Refund governs Order;`, found `services`",
        ),
        (
            "Refund governs Order;\n    services RefundDesk;\n\n    roles { Agent: agent, Operator: human, System: system }\n\n    states { Created, Paid, final Refunded }",
            "«Refund» governs Order;\n    services RefundDesk;\n\n    roles { Agent: agent, Operator: human, System: system }\n\n    ",
            "the section `states` is missing: write `states { … }`",
        ),
    ]);
}

#[test]
fn sections_are_recognised_even_when_mistyped() {
    each(&[
        ("RefundDesk;", "«RefundDesk»", "expected `;` after `RefundDesk`"),
        (
            "services RefundDesk;",
            "services «;»",
            "expected a type after `services`, as in `services RefundDesk;`, found `;`",
        ),
        ("services RefundDesk;", "«servces» RefundDesk;", "unknown section `servces`: did you mean `services`?"),
        ("roles {", "«role» {", "unknown section `role`: did you mean `roles`?"),
        (
            "roles {",
            "«people» {",
            "unknown section `people`: the sections are `roles`, `states`, `events`, `transitions`, `actions`, `allow`, `never` and `services`",
        ),
        (
            "roles { Agent: agent, Operator: human, System: system }",
            "roles «Agent»: agent, Operator: human, System: system",
            "expected `{` after `roles`, found `Agent`",
        ),
        (
            "roles { Agent: agent, Operator: human, System: system }",
            "roles «(» Agent: agent, Operator: human, System: system )",
            "expected `{` after `roles`, found `(`",
        ),
        (
            "Refunded without Operator }",
            "Refunded without Operator } «never» { Paid without Agent }",
            "`never` is written twice: put both into one",
        ),
        ("Refunded without Operator }", "Refunded without Operator }«,» ", "expected a section, found `,`"),
        (
            "Refunded without Operator }",
            "Refunded without Operator } «sttes» { }",
            "unknown section `sttes`: did you mean `states`?",
        ),
    ]);
}

#[test]
fn a_role_is_a_name_and_a_kind() {
    each(&[
        ("Agent: agent", "Agent «agent»", "expected `:` after the role `Agent`, as in `Agent: agent`, found `agent`"),
        ("Agent: agent", "Agent: «agnt»", "unknown kind of actor `agnt`: did you mean `agent`?"),
        (
            "Agent: agent",
            "Agent: «robot»",
            "unknown kind of actor `robot`: the kinds are `agent`, `human`, `service`, `system` and `external`",
        ),
        ("Agent: agent,", "Agent«,»", "expected `:` after the role `Agent`, as in `Agent: agent`, found `,`"),
        (
            "Agent: agent,",
            "Agent:«,»",
            "expected the kind of actor (`agent`, `human`, `service`, `system` or `external`), found `,`",
        ),
        ("Agent: agent", "«:» agent", "expected a role, as in `Operator: human`, found `:`"),
        ("Agent: agent", "«final» Agent: agent", "`final` belongs before a state in `states`"),
        ("Agent: agent", "«type»: agent", "`type` is a word of Rust: write `r#type` or another name"),
    ]);
}

#[test]
fn a_state_may_be_final() {
    each(&[
        ("final Refunded", "«finl» Refunded", "unknown word `finl` before a state: did you mean `final`?"),
        ("final Refunded", "Refunded «final»", "`final` stands before the name: write `final Refunded`"),
        ("final Refunded", "«final»", "expected a state, as in `Created`"),
    ]);
}

#[test]
fn an_event_has_fields_and_reporters() {
    each(&[
        ("reported by", "«reportd» by", "unknown word `reportd`: did you mean `reported by`?"),
        ("reported by System", "reported «System»", "expected `by` after `reported`, found `System`"),
        ("reported by", "reported «bi»", "expected `by` after `reported`, found `bi`"),
        ("reported by System", "«reported_by» System", "write `reported by`, as two words and without `:`"),
        ("reported by System", "«reported_by»: System", "write `reported by`, as two words and without `:`"),
        ("reported by System", "«reported»: System", "write `reported by`, as two words and without `:`"),
        ("reported by System", "«reported»: by System", "write `reported by`, as two words and without `:`"),
        ("reported by System", "reported by«:» System", "no `:` stands after `reported by`: remove it"),
        (
            "reported by System",
            "reported by «[»System, Agent]",
            "lists of roles take `|` and no brackets: write `System | Agent`",
        ),
        ("reported by System;", "reported by«;»", "expected a role, found `;`"),
        ("reported by System;", "reported «by»", "expected a role after `by`"),
        ("total: Cents", "total «Cents»", "expected `:` after the field `total`, as in `total: Cents`, found `Cents`"),
        ("total: Cents", "total«:» ", "expected the type of `total`, as in `total: Cents`"),
        ("total: Cents", "«total»", "expected `:` after the field `total`, as in `total: Cents`"),
        (
            "{ total: Cents }",
            "«(»Cents)",
            "expected the event's fields in braces, as in `OrderPlaced { name: Type }`, found `(`",
        ),
    ]);
}

#[test]
fn what_is_kept_for_later_says_so() {
    each(&[
        ("Created, Paid", "Created, «any», Paid", "`any` is reserved for a later version of kiff"),
        ("Created, Paid", "Created «{» A, B }, Paid", "`Created { … }` is reserved for a later version of kiff"),
        ("Created => Paid;", "Created => Paid «when» rich;", "`when` is reserved for a later version of kiff"),
        ("Created => Paid;", "«any» => Paid;", "`any` is reserved for a later version of kiff"),
        (
            "OrderPaid: Created => Paid;",
            "«after» 3 days: Created => Paid;",
            "`after` is reserved for a later version of kiff",
        ),
        ("approval: Operator", "approval: «2» of Operator", "`2 of …` is reserved for a later version of kiff"),
        ("[MarkPaid];", "[MarkPaid «at» most 10 per day];", "`at most` is reserved for a later version of kiff"),
        ("Created => [MarkPaid];", "«any» => [MarkPaid];", "`any` is reserved for a later version of kiff"),
    ]);
}

#[test]
fn a_word_of_the_language_is_no_name_in_its_raw_form_either() {
    each(&[
        ("Created, Paid,", "Created, «r#new», Paid,", "`new` is a word of the language: choose another name"),
        ("Created, Paid,", "Created, «r#final», Paid,", "`final` is a word of the language: choose another name"),
        ("Created, Paid,", "Created, «r#any», Paid,", "`any` is reserved for a later version of kiff"),
        ("Agent: agent,", "Agent: agent, «r#none»: agent,", "`none` is a word of the language: choose another name"),
    ]);
    check(&refund(&[("{ payment_id: String }", "{ payment_id: String, r#final: bool }")]), &[]);
}

#[test]
fn a_field_may_be_called_as_a_word_that_a_later_version_needs_elsewhere() {
    check(&refund(&[("{ payment_id: String }", "{ when: u64, after: u8, payment_id: String, r#any: u8 }")]), &[]);
    each(&[(
        "{ payment_id: String }",
        "{ «any»: u8, payment_id: String }",
        "`any` is reserved for a later version of kiff",
    )]);
}

#[test]
fn a_type_may_be_an_absolute_path() {
    check(&refund(&[("{ payment_id: String }", "{ payment_id: ::std::string::String }")]), &[]);
}

#[test]
fn no_part_can_be_left_out_under_a_condition() {
    let message =
        "no part of a domain can be left out or changed under a condition: write `#[cfg(…)]` before `domain!`";
    each(&[
        ("Paid, final", "«#[cfg(test)]» Paid, final", message),
        ("amount: Cents,", "«#[cfg_attr(not(test), cfg(any()))]» amount: Cents,", message),
        ("amount: Cents,", "«#[r#cfg(any())]» amount: Cents,", message),
        ("amount: Cents,", "«#[r#cfg_attr(all(), serde(skip))]» amount: Cents,", message),
        ("RefundOrder {", "«#[cfg(feature = \"refunds\")]» RefundOrder {", message),
    ]);
}

#[test]
fn a_slip_is_one_error_where_it_happened() {
    each(&[
        // Single tokens.
        ("roles {", "«rolls» {", "unknown section `rolls`: did you mean `roles`?"),
        ("Agent: agent", "Agent: «agents»", "unknown kind of actor `agents`: did you mean `agent`?"),
        ("final Refunded", "«fnal» Refunded", "unknown word `fnal` before a state: did you mean `final`?"),
        ("reported by", "reported «buy»", "expected `by` after `reported`, found `buy`"),
        ("total: Cents", "total«:»: Cents", "expected `:` after the field `total`, found `::`"),
        ("Created => Paid;", "Created «==» Paid;", "expected `=>`, found `==`"),
        ("risk: high", "risk: «hihg»", "unknown risk `hihg`: did you mean `high`?"),
        ("emits: OrderPaid ", "«emit»: OrderPaid ", "unknown key `emit`: did you mean `emits`?"),
        ("Created => [MarkPaid]", "Created => «(»MarkPaid)", "expected `[`, as in `Created => [MarkPaid]`, found `(`"),
        ("without Operator", "«witout» Operator", "expected `without` after the state, found `witout`"),
        ("governs", "«govrns»", "expected `governs` after the domain's name, found `govrns`"),
        // Separators.
        ("payment_id: String };", "payment_id: String «}»", "expected `;` after `}`"),
        ("Created, Paid,", "Created, Paid,«,»", "nothing stands before this `,`: remove it"),
        // A word in the wrong section.
        (
            "OrderPaid: Created => Paid;",
            "OrderPaid: Created => Paid «approval» Operator;",
            "expected `;`, found `approval`: `approval` belongs to an action in `actions`",
        ),
        (
            "Paid => [RefundOrder];",
            "Paid => [RefundOrder] «by» Agent;",
            "expected `;`, found `by`: `by` belongs to an action in `actions`",
        ),
        // Nothing at all.
        (
            "allow {\n        Created => [MarkPaid];\n        Paid => [RefundOrder];\n    }",
            "«allow» { }",
            "`allow` is empty: say which state allows which actions, as in `Created => [MarkPaid];`",
        ),
    ]);
}

#[test]
fn lines_before_the_sections_are_mended() {
    each(&[
        (
            "services RefundDesk;",
            "executors «here»;",
            "expected `elsewhere` after `executors`, as in `executors elsewhere;`, found `here`",
        ),
        ("services RefundDesk;", "executors «elsewhere»", "expected `;` after `elsewhere`"),
        (
            "services RefundDesk;",
            "executors elsewhere; «executors» elsewhere;",
            "`executors` is written twice: remove one",
        ),
        (
            "services RefundDesk;",
            "executors elsewhere; services «RefundDesk»;",
            "the services are where the executors are: take this line away, and write \
             `kiff::executors!(… => RefundDesk);` there",
        ),
        (
            "pub domain Refund governs Order;\n    services RefundDesk;",
            "domain Refund governs Order;\n    «executors» elsewhere;",
            "no other crate sees this domain: write `pub domain`",
        ),
        (
            "services RefundDesk;",
            "crate = «;»",
            "expected the name that kiff has in this crate, as in `crate = trust;`, found `;`",
        ),
        ("services RefundDesk;", "crate = trust; «crate» = trust;", "`crate` is written twice: remove one"),
    ]);
    check(&refund(&[("services RefundDesk;", "crate = trust; services RefundDesk;")]), &[]);
    check(&refund(&[("services RefundDesk;", "executors elsewhere;")]), &[]);
}
