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

/// The same name once more, in another module.
pub mod deposits {
    use kiff::domain;

    domain! {
        /// Deposits that are given back.
        pub domain Refund governs Deposit;
        executors elsewhere;

        roles { Clerk: human }
        states { Taken, final Returned }
        events { DepositTaken reported by Clerk; DepositReturned; }
        transitions { DepositTaken: new => Taken; DepositReturned: Taken => Returned; }
        actions { ReturnDeposit { risk: low, by: Clerk, emits: DepositReturned }; }
        allow { Taken => [ReturnDeposit]; }
    }
}

/// Names that are words of the language.
pub mod arena {
    use kiff::domain;

    domain! {
        /// Games, and the moves in them.
        pub domain Match governs Game;
        executors elsewhere;

        roles { Player: agent, Table: system }
        states { Open, final Loop }
        events { Use reported by Table; Move; }
        transitions { Use: new => Open; Move: Open => Loop; }
        actions { Break { risk: low, by: Player, emits: Move }; }
        allow { Open => [Break]; }
    }
}
