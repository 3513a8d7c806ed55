//! The human of the example, played by a script: one rule, stated in the output.

use kiff::{Approval, Cents, Review, visible};
use serde::Deserialize;

/// What Nora signs off at most.
pub const LIMIT: Cents = Cents(50_000);

/// What she sees of a request.
#[derive(Deserialize)]
struct Shown {
    amount: Cents,
    reason: String,
}

/// Her answer.
#[must_use]
pub fn answer(approval: &Approval) -> Review {
    let Ok(shown) = approval.parameters.decode::<Shown>() else {
        return Review::deny().because("this is no refund");
    };
    if visible(&shown.reason) != shown.reason {
        return Review::deny().because("the reason hides characters");
    }
    if shown.amount > LIMIT {
        return Review::deny().because(format!("{} is above my limit of {LIMIT}", shown.amount));
    }
    Review::grant().because(format!("{} is within my limit of {LIMIT}", shown.amount))
}
