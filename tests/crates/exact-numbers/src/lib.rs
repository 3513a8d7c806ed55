//! A program in which some other crate has turned on `serde_json`'s feature `arbitrary_precision`, which is then on for all.

#![cfg(test)]

use kiff::{Binding, Bounds, Cents, EntityKey, Failure, Json, Rationale, action, domain};

domain! {
    domain Shop governs Order;
    roles { Agent: agent, Till: system }
    states { Placed, final Paid }
    events { OrderPlaced { total: Cents } reported by Till; OrderPaid; }
    transitions { OrderPlaced: new => Placed; OrderPaid: Placed => Paid; }
    actions { Pay { risk: low, by: Agent, emits: OrderPaid }; }
    allow { Placed => [Pay]; }
}

/// Pays.
#[action(Shop::Pay)]
async fn pay() -> Result<OrderPaid, Failure> {
    Ok(OrderPaid)
}

/// What is accepted here has to be readable where the feature is off.
#[test]
fn p10_numbers_are_held_to_the_same_bounds() {
    let parse = |text: &str| Json::parse(text, &Bounds { json_depth: 1, ..Bounds::DEFAULT });
    for text in ["1.5", "-0", "2.50", "9007199254740991", "-9007199254740991", r#"{"a":1.5,"b":-7}"#] {
        assert!(parse(text).is_ok(), "{text}");
    }
    for text in [
        "1e300",
        "9007199254740992",
        "-9007199254740992",
        "18446744073709551616",
        "123456789012345678901234567890",
        "[1e16]",
    ] {
        assert!(parse(text).unwrap_err().to_string().contains("write one within that range"), "{text}");
    }
    for text in [r#"{"$serde_json::private::Number":"5"}"#, r#"{"\u0024serde_json::private::Number":"5"}"#] {
        assert!(parse(text).unwrap_err().to_string().contains("is read in two ways"), "{text}");
    }
}

#[test]
fn p3_one_number_is_bound_to_one_digest_however_it_is_written() {
    let (key, reasons) = (EntityKey::new("Order", "ord-1").unwrap(), Rationale::default());
    let digest = |text: &str| {
        let parameters = Json::parse(text, &Bounds::DEFAULT).unwrap();
        Binding::of(&key, Shop::schema(), "PAY", &parameters, &reasons).unwrap().parameters
    };
    assert_eq!(digest(r#"{"rate":2.50}"#), digest(r#"{"rate":2.5}"#));
    assert_eq!(digest(r#"{"rate":-0}"#), digest(r#"{"rate":-0.0}"#));
    assert_ne!(digest(r#"{"rate":2.5}"#), digest(r#"{"rate":2.51}"#));
}
