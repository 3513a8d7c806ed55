//! The human of the example, played by a script: one rule, stated in the output.

use kiff::{Approval, Cents, Review};
use serde::Deserialize;

use crate::report::visible;

/// What Nora signs off at most.
pub const LIMIT: Cents = Cents(50_000);

/// What she sees of a request.
#[derive(Deserialize)]
struct Shown {
    amount: Cents,
    reason: String,
}

/// Her answer, and the word for it.
pub fn answer(approval: &Approval) -> (&'static str, Review) {
    let Ok(shown) = approval.parameters.decode::<Shown>() else {
        return ("denies", Review::deny().because("this is no refund"));
    };
    if visible(&shown.reason) != shown.reason {
        return ("denies", Review::deny().because("the reason hides characters"));
    }
    if shown.amount > LIMIT {
        return ("denies", Review::deny().because(format!("{} is above my limit of {LIMIT}", shown.amount)));
    }
    ("grants", Review::grant().because(format!("{} is within my limit of {LIMIT}", shown.amount)))
}
