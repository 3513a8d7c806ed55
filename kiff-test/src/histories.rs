//! Histories of any domain, legal and illegal, made up from its schema.

use std::cell::RefCell;
use std::fmt;
use std::marker::PhantomData;
use std::sync::Arc;

use kiff::{Domain, Executable, Schema};
use proptest::strategy::{BoxedStrategy, NewTree, Strategy};
use proptest::test_runner::{TestError, TestRunner};
use serde_json::Value;

use crate::failure::fail;
use crate::tally::Tally;
use crate::trial::Trial;

mod object;
mod step;
mod tree;
mod value;
mod walk;

pub(crate) use object::Draft;
pub use object::Field;
pub(crate) use step::{Answer, How, Step, Word};
pub use tree::HistoryTree;

/// Who knows values for a field; none where it does not.
type Values = Arc<dyn Fn(&Field<'_>) -> Option<BoxedStrategy<Value>> + Send + Sync>;

/// Who knows whether an event of that name reads such a payload.
type Reads = fn(event: &str, payload: &str) -> bool;

/// Who knows how often executors have run.
pub(crate) type Runs<D> = Arc<dyn Fn(&<D as Domain>::Services) -> usize + Send + Sync>;

/// A source of histories of a domain, as a proptest [`Strategy`].
///
/// About half of the steps of a history are legal where they stand, so that it gets through the whole domain: events are
/// reported by who may, approvals are asked for, granted and used. The others are anything: events and actions out of
/// place, by anybody, with parameters that break their rules. What services leave in doubt is asked about, and settled by people. A history that breaks a promise is shrunk to the steps
/// that are needed for it.
pub struct Histories<D: Domain> {
    longest: usize,
    values: Values,
    runs: Option<Runs<D>>,
    /// The actions whose executors may fail each time.
    failing: Vec<String>,
}

/// Histories of a domain; see [`Histories`].
///
/// ```
/// # include!(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/it/refund.rs"));
/// # fn main() {
/// use kiff_test::{histories, obeys_its_schema};
///
/// let histories = histories::<Refund>().longest(20).counting(|desk| desk.bank.count());
/// obeys_its_schema(&histories, RefundDesk::default);
/// # }
/// ```
#[must_use]
pub fn histories<D: Domain>() -> Histories<D> {
    Histories { longest: 30, values: Arc::new(|_| None), runs: None, failing: Vec::new() }
}

impl<D: Domain> Histories<D> {
    /// The same histories, of at most so many steps; 30 unless told otherwise.
    #[must_use]
    pub fn longest(mut self, steps: usize) -> Self {
        self.longest = steps;
        self
    }

    /// The same histories with values of the domain's own types: for each field of an event and each parameter of an
    /// action `values` may give valid values.
    ///
    /// Values of booleans, integers, floats, `Cents`, `String`, `Timestamp`, and options and lists of these, are
    /// known without it.
    ///
    /// ```
    /// # include!(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/it/refund.rs"));
    /// # fn main() {
    /// use kiff_test::proptest::prelude::{Just, Strategy};
    /// use kiff_test::{histories, obeys_its_schema};
    ///
    /// let histories = histories::<Refund>().values(|field| match (field.owner, field.name) {
    ///     ("MARK_PAID", "payment_id") => Some(Just("pay-1".into()).boxed()),
    ///     _ => None,
    /// });
    /// obeys_its_schema(&histories, RefundDesk::default);
    /// # }
    /// ```
    #[must_use]
    pub fn values(
        mut self,
        values: impl Fn(&Field<'_>) -> Option<BoxedStrategy<Value>> + Send + Sync + 'static,
    ) -> Self {
        self.values = Arc::new(values);
        self
    }

    /// The same histories, for services that can tell how often an executor has run, so that
    /// [`obeys_its_schema`] sees a run that the journal does not show. That a `#[reconcile]` fn was asked is none.
    #[must_use]
    pub fn counting(mut self, runs: impl Fn(&D::Services) -> usize + Send + Sync + 'static) -> Self {
        self.runs = Some(Arc::new(runs));
        self
    }

    /// The same histories, for services with which the executor of that action fails each time, as one whose client cannot be had
    /// in a test.
    ///
    /// ```
    /// # include!(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/it/refund.rs"));
    /// # fn main() {
    /// use kiff_test::{histories, obeys_its_schema};
    ///
    /// let histories = histories::<Refund>().longest(3).failing("MARK_PAID");
    /// obeys_its_schema(&histories, || {
    ///     let desk = RefundDesk::default();
    ///     (0..3).for_each(|_| desk.bank.refuse_next("there is no bank here"));
    ///     desk
    /// });
    /// # }
    /// ```
    ///
    /// # Panics
    /// When the domain has no action of that wire name.
    #[must_use]
    #[track_caller]
    pub fn failing(mut self, action: &str) -> Self {
        if D::from_name(action).is_none() {
            fail(format_args!("the domain `{}` has no action `{action}`", D::schema().domain));
        }
        self.failing.push(action.to_owned());
        self
    }
}

impl<D: Domain> Clone for Histories<D> {
    fn clone(&self) -> Self {
        let (values, runs, failing) = (Arc::clone(&self.values), self.runs.clone(), self.failing.clone());
        Self { longest: self.longest, values, runs, failing }
    }
}

impl<D: Domain> fmt::Debug for Histories<D> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Histories").field("longest", &self.longest).finish_non_exhaustive()
    }
}

impl<D: Domain> Strategy for Histories<D> {
    type Tree = HistoryTree<D>;
    type Value = History<D>;

    fn new_tree(&self, runner: &mut TestRunner) -> NewTree<Self> {
        let steps = walk::steps::<D>(runner, self.longest, &self.values)?;
        Ok(HistoryTree::new(steps))
    }
}

/// One history: what somebody tried to do with an entity, step by step.
#[derive(Clone)]
pub struct History<D> {
    steps: Vec<Step>,
    of: PhantomData<D>,
}

impl<D> History<D> {
    pub(crate) const fn new(steps: Vec<Step>) -> Self {
        Self { steps, of: PhantomData }
    }

    pub(crate) fn steps(&self) -> &[Step] {
        &self.steps
    }

    /// How many steps it has.
    #[must_use]
    pub const fn len(&self) -> usize {
        self.steps.len()
    }

    /// Whether it has no steps.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.steps.is_empty()
    }
}

impl<D: Executable> History<D> {
    /// Plays the history and compares each answer, each record and each state with what the schema says.
    ///
    /// # Errors
    /// What does not fit, with the timeline.
    pub fn play(&self, histories: &Histories<D>, services: D::Services) -> Result<(), String> {
        self.tallied(histories, services).map(drop)
    }

    /// Plays the history, and says what came of the runs in it.
    fn tallied(&self, histories: &Histories<D>, services: D::Services) -> Result<Tally, String> {
        Trial::<D>::new(services, histories.runs.clone()).play(self.steps())
    }
}

impl<D> fmt::Display for History<D> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        (1..).zip(&self.steps).try_for_each(|(number, step)| writeln!(f, "{number:>3}. {step}"))
    }
}

impl<D> fmt::Debug for History<D> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.steps.iter().map(ToString::to_string)).finish()
    }
}

/// Plays histories on fresh entities and holds every answer to a plain model of the domain's schema:
///
/// - an event that may not happen, or that its reporter may not report, leaves no trace in the journal;
/// - the state moves only along the transitions, and each move is on the record beside its event;
/// - an executor runs only in an allowed state, with parameters that keep their rules, for an actor who holds the
///   permission and, where the action needs one, under an approval of exactly this, granted by another human who may,
///   not expired, and not used before;
/// - a run in doubt holds up everything else until it is settled, by its `#[reconcile]` fn or by a human who may and did not ask for it;
/// - whatever is refused is refused with the right reason code and is on the record;
/// - the hashes of the journal fit, and its events alone lead to the recorded state.
///
/// Whatever an executor answers is taken for an answer, also that it fails or panics. But an action that was started eight
/// times or more over all histories and that its executor never answered is not tested, and fails the test: see
/// [`Histories::failing`]. What was started fewer times may have failed by chance.
///
/// `services` makes the services for one history. How many histories there are is proptest's to say: 256, or the
/// environment variable `PROPTEST_CASES`.
///
/// # Panics
/// When a history breaks one of these, with the shortest such history that was found, or when an executor always fails.
#[track_caller]
pub fn obeys_its_schema<D: Executable>(histories: &Histories<D>, services: impl Fn() -> D::Services) {
    let config = proptest::test_runner::Config { failure_persistence: None, ..Default::default() };
    let tally = RefCell::new(Tally::default());
    let played = TestRunner::new(config).run(histories, |history| {
        let played = history.tallied(histories, services()).map_err(proptest::test_runner::TestCaseError::fail)?;
        tally.borrow_mut().add(played);
        Ok(())
    });
    match played {
        Ok(()) => answered(D::schema(), &tally.into_inner().unanswered(&histories.failing)),
        Err(TestError::Abort(reason)) => fail(format_args!("no histories could be made up: {reason}")),
        Err(TestError::Fail(reason, history)) => fail(format_args!(
            "the domain `{}` does not obey its schema\n\n{history}\n{}",
            D::schema().domain,
            reason.message()
        )),
    }
}

/// Fails the test where there are actions that no executor answered, each in a sentence.
#[track_caller]
fn answered(schema: &Schema, unanswered: &[String]) {
    if unanswered.is_empty() {
        return;
    }
    fail(format_args!(
        "not every executor of the domain `{}` is tested\n\n{}\n\nmake services with which it answers, or say that it fails: \
        `histories().failing(\"..\")`",
        schema.domain,
        unanswered.join("\n")
    ));
}
