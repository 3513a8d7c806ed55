//! What a user writes above an item of the block, or inside of it, lands on what the item becomes.

#![deny(missing_docs, warnings)]

use kiff::{Cents, Failure, action, domain};

domain! {
    /// Orders and their refunds.
    #[doc(alias = "repayment")]
    #[must_use]
    pub domain Refund governs Order;

    roles {
        /// Asks for everything.
        Agent: agent,
        #[deprecated = "ask the shop"]
        Operator: human,
        Shop: system,
    }

    states {
        /// Nobody has paid yet.
        Created,
        #[deprecated = "an order is paid or it is not"]
        Paid,
        #[doc(alias = "the end")]
        final Refunded,
    }

    events {
        /// Somebody ordered something.
        #[serde(rename_all = "camelCase", deny_unknown_fields)]
        #[derive(PartialEq, Eq)]
        OrderPlaced {
            /// What it costs.
            total_amount: Cents,
            #[serde(rename = "why", default, skip_serializing_if = "Option::is_none")]
            reason: Option<String>,
        } reported by Shop;

        #[deprecated = "orders are paid when they are placed"]
        OrderPaid;

        #[derive(Default)]
        OrderRefunded {
            #[serde(with = "crate::text")]
            amount: u64,
            #[serde(skip)]
            #[deprecated = "nobody knows"]
            by: Option<u8>,
        };
    }

    transitions {
        OrderPlaced:   new     => Created;
        OrderPaid:     Created => Paid;
        OrderRefunded: Paid    => Refunded;
    }

    actions {
        /// Says that an order is paid.
        #[deprecated = "orders are paid when they are placed"]
        MarkPaid    { risk: low,  by: Operator, emits: OrderPaid };
        /// Pays the customer back.
        RefundOrder { risk: high, by: Agent, emits: OrderRefunded, approval: Operator };
    }

    allow {
        Created => [MarkPaid];
        Paid    => [RefundOrder];
    }

    never { Refunded without Operator }
}

#[expect(deprecated, reason = "what the block deprecates is deprecated here too")]
mod executors {
    use super::{Failure, OrderPaid, OrderRefunded, Refund, action};

    #[action(Refund::MarkPaid)]
    async fn mark_paid() -> Result<OrderPaid, Failure> {
        Ok(OrderPaid)
    }

    /// Pays back what `cents` says.
    ///
    /// All of it.
    #[action(Refund::RefundOrder)]
    #[expect(clippy::no_effect_underscore_binding, reason = "a lint level of the fn stays on the fn")]
    async fn refund_order(
        /// How much.
        #[param(range(min = 1))]
        #[expect(unused_variables, reason = "a lint level of a parameter stays on it")]
        cents: u64,
    ) -> Result<OrderRefunded, Failure> {
        let _nothing = 1;
        Ok(OrderRefunded::default())
    }

    #[action(Refund::RefundOrder)]
    #[cfg(any())]
    async fn another() -> Result<OrderRefunded, Failure> {
        Err(Failure::refused("a condition below `#[action]` takes away all of it"))
    }
}

mod text {
    use kiff::__private::serde::{Deserialize, Deserializer, Serializer, de::Error};

    pub(crate) fn serialize<S: Serializer>(number: &u64, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(number)
    }

    pub(crate) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<u64, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(D::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::executors::RefundOrder;
    use super::{Cents, OrderPlaced, OrderRefunded, Refund};
    use kiff::{Domain, Executable};

    /// The derives of the block are those of the struct, and its serde attributes shape the JSON.
    #[test]
    fn serde_attributes_change_the_json() {
        let placed = OrderPlaced { total_amount: Cents(5), reason: None };
        let text = serde_json::to_string(&placed).unwrap();
        assert_eq!(text, r#"{"totalAmount":5}"#);
        assert_eq!(serde_json::from_str::<OrderPlaced>(&text).unwrap(), placed);
        let named = serde_json::from_str::<OrderPlaced>(r#"{"totalAmount":5,"why":"late"}"#).unwrap();
        assert_eq!(named.reason.as_deref(), Some("late"));
        assert!(serde_json::from_str::<OrderPlaced>(r#"{"totalAmount":5,"more":1}"#).is_err());
        let refunded = OrderRefunded { amount: 7, ..OrderRefunded::default() };
        assert_eq!(serde_json::to_string(&refunded).unwrap(), r#"{"amount":"7"}"#);
    }

    /// The doc comments are in the schema, those of the parameters too.
    #[test]
    fn doc_comments_are_data() {
        let schema = Refund::schema();
        assert_eq!(schema.documentation, "Orders and their refunds.");
        assert_eq!(schema.roles[0].documentation, "Asks for everything.");
        assert_eq!(schema.states[0].documentation, "Nobody has paid yet.");
        assert_eq!(schema.events[0].documentation, "Somebody ordered something.");
        assert_eq!(schema.events[0].fields[0].documentation, "What it costs.");
        let names: Vec<&str> = schema.events[0].fields.iter().map(|field| &*field.name).collect();
        assert_eq!(names, ["totalAmount", "why"]);
        let names: Vec<&str> = schema.events[2].fields.iter().map(|field| &*field.name).collect();
        assert_eq!(names, ["amount"]);
        assert_eq!(Refund::RefundOrder.contract().documentation, "Pays the customer back.");
        assert_eq!(Refund::RefundOrder.entry().parameters()[0].documentation, "How much.");
        assert_eq!(RefundOrder { cents: 3 }.cents, 3);
    }
}
