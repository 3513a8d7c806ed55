//! The parameters of an action: read one by one from JSON, held to their rules, and written for the record.

mod faults;
mod read;
mod rules;
mod write;

use std::borrow::Cow;
use std::fmt;

use crate::json::JsonError;

pub use self::read::Fields;
pub(crate) use self::rules::limits;
pub use self::rules::{Checks, Measured, Pattern, Ranged, Textual};
pub use self::write::Members;
pub(crate) use self::write::RecordedParameters;

/// What is wrong with the parameters of a proposal.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum ParameterFault {
    /// A parameter that the action needs is not there; its name.
    Missing(Cow<'static, str>),
    /// A parameter has a value that it cannot have.
    Invalid {
        /// The parameter.
        name: Cow<'static, str>,
        /// What is wrong with its value.
        problem: String,
    },
    /// There is one that the action does not have; an excerpt of its name.
    Unknown(String),
    /// The parameters cannot be read at all; what is wrong.
    Unreadable(String),
    /// Several of these.
    Several {
        /// The first few of them, in the order in which they are looked for.
        told: Vec<Self>,
        /// How many more there are.
        more: usize,
    },
}

impl ParameterFault {
    /// A value that a parameter cannot have, and why.
    #[must_use]
    pub fn invalid(name: impl Into<Cow<'static, str>>, problem: impl fmt::Display) -> Self {
        Self::Invalid { name: name.into(), problem: problem.to_string() }
    }

    /// The same of parameters as they go on the record, which their own types have written.
    pub(crate) fn of_recorded(self) -> Self {
        const AGAIN: &str = "what its type writes of it cannot be read again";
        match self {
            Self::Invalid { name, problem } => Self::Invalid { name, problem: format!("{AGAIN}: {problem}") },
            Self::Missing(name) => Self::Invalid { name, problem: AGAIN.to_owned() },
            Self::Unknown(_) | Self::Unreadable(_) => self,
            Self::Several { told, more } => {
                Self::Several { told: told.into_iter().map(Self::of_recorded).collect(), more }
            }
        }
    }

    /// What is wrong in one sentence of several, which are not all as long as one may be.
    fn shortened(&self) -> String {
        const SHOWN: usize = 256;
        let mut text = self.to_string();
        let end = text.char_indices().nth(SHOWN).map(|(end, _)| end);
        if let Some(end) = end {
            text.truncate(end);
            text.push('…');
        }
        text
    }
}

impl fmt::Display for ParameterFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Missing(name) => write!(f, "the parameter `{name}` is missing"),
            Self::Invalid { name, problem } => write!(f, "the parameter `{name}` is invalid: {problem}"),
            Self::Unknown(name) => write!(f, "there is no parameter `{name}`"),
            Self::Unreadable(problem) => write!(f, "the parameters cannot be read: {problem}"),
            Self::Several { told, more } => {
                let told: Vec<String> = told.iter().map(Self::shortened).collect();
                f.write_str(&told.join("; "))?;
                if *more > 0 { write!(f, "; and {more} more") } else { Ok(()) }
            }
        }
    }
}

impl std::error::Error for ParameterFault {}

impl From<JsonError> for ParameterFault {
    fn from(error: JsonError) -> Self {
        Self::Unreadable(error.to_string())
    }
}
