//! Money as whole minor units.

use std::fmt;

use serde::{Deserialize, Serialize};

/// An amount in the currency's minor unit: 999 is 9.99 of whatever is paid in. On the wire a plain integer.
///
/// It is an integer because a binary float cannot hold 0.10, and a newtype because a quantity is no amount.
///
/// ```
/// use kiff::Cents;
///
/// assert_eq!(Cents(99_900).to_string(), "999.00");
/// assert_eq!(Cents(-5).to_string(), "-0.05");
/// assert_eq!(serde_json::to_string(&Cents(99_900))?, "99900");
/// # Ok::<(), serde_json::Error>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Cents(pub i64);

impl fmt::Display for Cents {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let sign = if self.0 < 0 { "-" } else { "" };
        let amount = self.0.unsigned_abs();
        write!(f, "{sign}{}.{:02}", amount / 100, amount % 100)
    }
}
