//! What an action is: a contract that the block declares, parameters that its executor takes, and how it can fail.

use std::borrow::Cow;
use std::fmt;

use crate::bounds::Bounds;
use crate::domain::{Domain, Emitted};
use crate::json::Json;
use crate::parameter::{Members, ParameterFault};
use crate::probe::Shapes;
use crate::schema::Parameter;

/// The parameters of one action, as a struct: what a typed proposal is made of.
///
/// `#[action]` writes the implementation from the executor's signature; nobody writes one by hand.
pub trait Action: Sized + Send + Sync + 'static {
    /// The parameters as data.
    const PARAMETERS: &'static [Parameter];

    /// The doc comment of the executor.
    const DOCUMENTATION: &'static str = "";

    /// Asks the type of each parameter, in their order, what it looks like as JSON.
    #[doc(hidden)]
    fn shapes(_: &mut Shapes) {}

    /// Reads the parameters from a JSON object.
    ///
    /// # Errors
    /// [`ParameterFault`] when one is missing, unknown or of another shape. Where none is, the rules are not looked at here.
    fn decode(parameters: &Json) -> Result<Self, ParameterFault>;

    /// Writes the parameters one by one.
    #[doc(hidden)]
    fn write(&self, members: &mut Members);

    /// Writes the parameters as a JSON object.
    ///
    /// # Errors
    /// [`ParameterFault`] when a value cannot be written, or the whole is over a bound.
    fn encode(&self, bounds: &Bounds) -> Result<Json, ParameterFault> {
        let mut members = Members::default();
        self.write(&mut members);
        Ok(members.finish(bounds)?.json)
    }

    /// Holds the parameters to their rules.
    ///
    /// # Errors
    /// [`ParameterFault`] that names the parameters that break one.
    fn check(&self) -> Result<(), ParameterFault>;
}

/// An action that the domain `D` governs.
///
/// `D` stands here, and is no type of [`Action`], so that a struct can be more visible than its domain is: the executors
/// of a private domain need no visibility of their own.
pub trait Governed<D: Domain>: Action {
    /// What the block declares of it.
    type Declared: Declared<Domain = D>;
}

/// What the block declares of an action, as a type.
pub trait Declared: Send + Sync + 'static {
    /// The domain that declares it.
    type Domain: Domain;
    /// What its executor answers with.
    type Emits: Emitted<Self::Domain>;
    /// Its name as a type.
    type Name;

    /// Its name in the domain.
    const ACTION: Self::Domain;
}

/// The name of an action as a type: a number that is made of its letters.
///
/// Where the path in `#[action(..)]` leads nowhere, rustc does not know of which action the executor is, and would take it for a
/// second one of each. By its name it is told apart from all of them.
#[derive(Debug)]
pub struct Named<const NAME: u64>;

/// The declaration of the action that stands at place `INDEX` of a domain's enum, so that the path `Refund::RefundOrder`
/// in `#[action(..)]` leads to it.
pub trait Declares<const INDEX: usize>: Domain {
    /// The declaration.
    type Declared: Declared<Domain = Self>;
}

/// Why an executor did not answer with its event.
///
/// There are two kinds and no third, because the journal must know whether something may have happened outside.
///
/// ```
/// use kiff::Failure;
///
/// # enum Answer { Declined, Timeout }
/// # let answer = Answer::Timeout;
/// let failure = match answer {
///     Answer::Declined => Failure::refused("the bank declined"), // nothing happened: it may be tried again
///     Answer::Timeout => Failure::unknown("no answer from the bank"), // it may have happened: in doubt
/// };
/// assert!(failure.is_unknown());
/// ```
///
/// No error becomes one by `?` alone, as nobody but the executor knows which of the two it is. It says so in a word:
///
/// ```
/// use kiff::Failure;
///
/// fn pages(answer: &str) -> Result<u32, Failure> {
///     answer.parse().map_err(Failure::refused)
/// }
///
/// assert_eq!(pages("ten"), Err(Failure::refused("invalid digit found in string")));
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Failure {
    outcome: FailureOutcome,
    code: Cow<'static, str>,
    message: String,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum FailureOutcome {
    Refused,
    Unknown,
    /// Only the runtime knows that an answer came too late.
    Late,
}

impl Failure {
    /// Nothing happened, for the reason that `message` gives; the action may be tried again.
    #[must_use]
    pub fn refused(message: impl fmt::Display) -> Self {
        Self { outcome: FailureOutcome::Refused, code: Cow::Borrowed("error"), message: message.to_string() }
    }

    /// It may have happened: the action is in doubt until somebody knows.
    #[must_use]
    pub fn unknown(message: impl fmt::Display) -> Self {
        Self { outcome: FailureOutcome::Unknown, code: Cow::Borrowed("error"), message: message.to_string() }
    }

    /// The same failure with a reason code of the domain's own, such as `consent_missing`.
    #[must_use]
    pub fn with_code(mut self, code: impl Into<Cow<'static, str>>) -> Self {
        self.code = code.into();
        self
    }

    /// The code of an answer that came after somebody had settled what became of the run.
    pub(crate) const TOO_LATE: &str = "too_late";

    /// It came when the run was no longer under way, and changes nothing.
    pub(crate) const fn late(message: String) -> Self {
        Self { outcome: FailureOutcome::Late, code: Cow::Borrowed(Self::TOO_LATE), message }
    }

    /// The same failure where nothing can have happened.
    pub(crate) fn into_refused(self) -> Self {
        Self { outcome: FailureOutcome::Refused, ..self }
    }

    /// Whether it may have happened.
    #[must_use]
    pub const fn is_unknown(&self) -> bool {
        matches!(self.outcome, FailureOutcome::Unknown | FailureOutcome::Late)
    }

    /// Whether it may have happened, and somebody has still to settle what became of it.
    pub(crate) const fn is_doubt(&self) -> bool {
        matches!(self.outcome, FailureOutcome::Unknown)
    }

    /// The reason code.
    #[must_use]
    pub fn code(&self) -> &str {
        &self.code
    }

    /// What went wrong, for people.
    #[must_use]
    pub fn message(&self) -> &str {
        &self.message
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for Failure {}
