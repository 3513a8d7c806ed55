//! What governs, without anything that runs: the executors are in the crate `executors` beside this one.

#![deny(missing_docs, warnings)]
#![deny(clippy::all, clippy::pedantic, clippy::nursery)]
#![forbid(unsafe_code)]

/// Far from the root of the crate.
pub mod shop {
    use kiff::{Cents, domain};
    use serde::{Deserialize, Serialize};

    /// A line of an order.
    #[derive(Debug, Clone, Serialize, Deserialize)]
    pub struct Line {
        /// What was ordered.
        pub article: String,
    }

    domain! {
        /// Orders, their payments and their refunds.
        pub domain Refund governs Order;
        executors elsewhere;

        roles { Agent: agent, Operator: human, Shop: system }

        states { Created, Paid, Held, final Refunded }

        events {
            OrderPlaced   { total: Cents, lines: Vec<Line> } reported by Shop;
            OrderPaid     { payment_id: String };
            OrderHeld;
            OrderRefunded { amount: Cents };
        }

        transitions {
            OrderPlaced:   new => Created;
            OrderPaid:     Created | Held => Paid;
            OrderHeld:     Paid => Held;
            OrderRefunded: Paid => Refunded;
        }

        actions {
            MarkPaid    { risk: low, by: Agent, emits: OrderPaid };
            ReviewOrder { risk: medium, by: Operator, emits: OrderHeld | OrderRefunded };
            RefundOrder { risk: high, by: Agent, emits: OrderRefunded, approval: Operator };
        }

        allow {
            Created => [MarkPaid];
            Paid    => [ReviewOrder, RefundOrder];
            Held    => [MarkPaid];
        }

        never { Refunded without Operator }
    }
}
