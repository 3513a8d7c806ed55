//! Why something was refused, as programs read it.

use std::fmt;

use serde::{Deserialize, Serialize};

macro_rules! reason_codes {
    ($($(#[$documentation:meta])* $variant:ident = $text:literal,)*) => {
        /// Why something was refused, as programs read it.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
        #[serde(rename_all = "snake_case")]
        #[non_exhaustive]
        pub enum ReasonCode {
            $($(#[$documentation])* $variant,)*
        }

        impl ReasonCode {
            /// The code on the wire.
            #[must_use]
            pub const fn as_str(self) -> &'static str {
                match self {
                    $(Self::$variant => $text,)*
                }
            }

            /// Counts a refusal under its code, through the `metrics` facade.
            pub(crate) fn count(self) {
                match self {
                    $(Self::$variant => metrics::counter!("kiff_refusals_total", "reason" => $text).increment(1),)*
                }
            }
        }
    };
}

reason_codes! {
    /// The entity's state does not allow the action, or has no transition for the event.
    StateNotAllowed = "state_not_allowed",
    /// The actor does not have the permission.
    PermissionDenied = "permission_denied",
    /// A parameter is not there.
    MissingParameter = "missing_parameter",
    /// A parameter has a value that it cannot have, or there is one too many.
    InvalidParameter = "invalid_parameter",
    /// The domain has no such action.
    UnknownAction = "unknown_action",
    /// There is no such entity, or no such approval of it.
    UnknownEntity = "unknown_entity",
    /// The action has no executor. Kept for the wire: such a domain does not compile, and nothing answers this.
    ExecutorMissing = "executor_missing",
    /// Something beside the parameters is over a bound, or a settlement does not fit its action.
    InvalidContract = "invalid_contract",
    /// A human has to sign it off.
    ApprovalRequired = "approval_required",
    /// The rules for approvals do not allow the review.
    ApprovalPolicyError = "approval_policy_error",
    /// The idempotency key was used before, by another actor or for something else.
    IdempotencyKeyReused = "idempotency_key_reused",
    /// Another action of the entity has started and not ended.
    ActionInProgress = "action_in_progress",
    /// It could not be decided.
    Error = "error",
}

impl fmt::Display for ReasonCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}
