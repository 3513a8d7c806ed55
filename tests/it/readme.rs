//! The code of the README, which must compile and run as it stands there.

mod page {
    pub(super) fn run() -> Result<(), String> {
        main().map_err(|error| error.to_string())
    }

    // from the README: the domain
    use kiff::{Cents, Failure, action, domain};

    /// What executors may touch: clients, credentials.
    pub struct RefundDesk;

    domain! {
        /// Orders, their payments and their refunds.
        pub domain Refund governs Order;
        services RefundDesk;

        roles { Agent: agent, Operator: human, System: system }

        states { Created, Paid, final Refunded }

        events {
            OrderPlaced   { total: Cents } reported by System;    // a fact from outside, and who may report it
            OrderPaid     { payment_id: String };                 // only an action can make it happen
            OrderRefunded { amount: Cents, reason: String };
        }

        transitions {
            OrderPlaced:   new     => Created;
            OrderPaid:     Created => Paid;
            OrderRefunded: Paid    => Refunded;
        }

        actions {
            MarkPaid    { risk: low,  by: Agent, emits: OrderPaid };
            RefundOrder { risk: high, by: Agent, emits: OrderRefunded, approval: Operator };
        }

        allow {
            Created => [MarkPaid];
            Paid    => [RefundOrder];
        }

        never { Refunded without Operator }
    }

    /// Captures the payment.
    #[action(Refund::MarkPaid)]
    async fn mark_paid(_desk: &RefundDesk, payment_id: String) -> Result<OrderPaid, Failure> {
        Ok(OrderPaid { payment_id })
    }

    /// Pays the customer back.
    #[action(Refund::RefundOrder)]
    async fn refund_order(
        _desk: &RefundDesk,
        #[param(range(min = 1, max = 1_000_000))] amount: Cents,
        #[param(length(min = 1, max = 500))] reason: String,
    ) -> Result<OrderRefunded, Failure> {
        Ok(OrderRefunded { amount, reason })
    }
    // from the README: the loop
    use kiff::{Actor, Call, Domain, MemoryStore, Review, RolePolicy, Runtime, Verdict};

    async fn a_refund() -> Result<(), Box<dyn std::error::Error>> {
        let (agent, nora, shop) = (Actor::agent("agent-7")?, Actor::human("nora")?, Actor::system("shop")?);
        let policy = RolePolicy::new()
            .assign(&agent, RefundRole::Agent)
            .assign(&nora, RefundRole::Operator)
            .assign(&shop, RefundRole::System);
        let runtime = Runtime::<Refund>::new(MemoryStore::new(), policy, RefundDesk);
        let order = Refund::entity("ord-1")?;

        let placed = runtime.ingest(&shop, &order, OrderPlaced { total: Cents(99_900) }).await?;
        assert!(placed.is_allowed());
        let paid = runtime.execute(&agent, &order, MarkPaid { payment_id: "pay-1".into() }).await?;
        assert_eq!(paid.outcome(), "executed");

        // A model's tool call, as it came. Nothing runs: a human has to see it first.
        let refund = Call::new("REFUND_ORDER", r#"{"amount": 99900, "reason": "damaged"}"#);
        let held = runtime.execute(&agent, &order, refund.clone()).await?;
        assert_eq!(held.outcome(), "approval_required");

        let Verdict::Allowed(asked) = runtime.request_approval(&agent, &order, refund.clone()).await? else {
            return Err("nobody could be asked".into());
        };
        let granted = runtime.review(&nora, &order, &asked.id, Review::grant().because("it arrived broken")).await?;
        assert!(granted.is_allowed());

        let done = runtime.execute(&agent, &order, refund).await?;
        assert_eq!(done.outcome(), "executed"); // once: the approval is spent
        println!("{}", runtime.timeline(&order).await?);
        Ok(())
    }

    fn main() -> Result<(), Box<dyn std::error::Error>> {
        pollster::block_on(a_refund())
    }
    // from the README: the tests
    #[cfg(test)]
    mod tests {
        use kiff::ReasonCode;
        use kiff_test::given;

        use super::*;

        fn refund() -> RefundOrder {
            RefundOrder { amount: Cents(99_900), reason: "damaged".into() }
        }

        #[test]
        fn an_approved_refund_is_paid() {
            let paid = given::<Refund>(RefundDesk)
                .event(OrderPlaced { total: Cents(99_900) })
                .event(OrderPaid { payment_id: "pay-1".into() })
                .when(RefundRole::Agent, refund())
                .then();
            let refunded = paid.approval_required().approved_by(RefundRole::Operator);
            refunded
                .executed(OrderRefunded { amount: Cents(99_900), reason: "damaged".into() })
                .state(OrderState::Refunded);
        }

        #[test]
        fn nothing_is_refunded_before_it_is_paid() {
            let placed = given::<Refund>(RefundDesk).event(OrderPlaced { total: Cents(99_900) });
            placed.when(RefundRole::Agent, refund()).then().blocked(ReasonCode::StateNotAllowed);
        }

        #[test]
        fn the_events_alone_lead_to_the_same_state() {
            let placed = given::<Refund>(RefundDesk).event(OrderPlaced { total: Cents(99_900) });
            let paid = placed.when(RefundRole::Agent, MarkPaid { payment_id: "pay-1".into() }).then();
            paid.state(OrderState::Paid).replays();
        }
    }
    // to here
}

#[test]
fn the_loop_of_the_readme_runs() {
    page::run().unwrap();
}

#[test]
fn the_readme_shows_this_code() {
    let readme = include_str!("../../README.md");
    let own = include_str!("readme.rs");
    let markers = ["from the README: the domain", "from the README: the loop", "from the README: the tests", "to here"];
    let markers = markers.map(|marker| format!("    // {marker}\n"));
    let places: Vec<usize> = markers.iter().map(|marker| own.find(marker.as_str()).unwrap()).collect();
    for ((part, marker), kind) in places.windows(2).zip(&markers).zip(["rust", "rust,ignore", "rust,ignore"]) {
        let lines = own[part[0] + marker.len()..part[1]].lines();
        let code: String = lines.flat_map(|line| [line.strip_prefix("    ").unwrap_or(line), "\n"]).collect();
        assert!(readme.contains(&format!("```{kind}\n{code}```\n")), "the README does not show:\n{code}");
    }
}

#[test]
fn the_message_in_the_readme_stands_where_its_clause_does() {
    let readme = include_str!("../../README.md");
    let (_, block) = readme.split_once("```rust\n").unwrap();
    let clause = "    never { Refunded without Operator }";
    // The action that somebody has added is a line of its own.
    let line = 1 + block.lines().position(|line| line == clause).unwrap() + 1;
    let shown = format!("  --> src/domain.rs:{line}:13\n   |\n{line} | {clause}\n");
    assert!(readme.contains(&shown), "the README does not show:\n{shown}");
}
