//! The test kit of kiff: say what happened, who proposes what, and what must come of it.
//!
//! A domain's first three tests, for the refund domain of kiff's documentation: the happy path, the blocked path and the
//! replay.
//!
//! ```
//! # include!(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/it/refund.rs"));
//! # fn main() {
//! #     an_approved_refund_is_paid();
//! #     nothing_is_refunded_before_it_is_paid();
//! #     the_events_alone_lead_to_the_same_state();
//! # }
//! use kiff::ReasonCode;
//! use kiff_test::given;
//!
//! fn refund() -> RefundOrder {
//!     RefundOrder { amount: Cents(4_900), reason: "damaged".into() }
//! }
//!
//! # /*
//! #[test]
//! # */
//! fn an_approved_refund_is_paid() {
//!     given::<Refund>(RefundDesk::default())
//!         .event(OrderPlaced { total: Cents(99_900) })
//!         .event(OrderPaid { payment_id: "pay-1".into() })
//!         .when(RefundRole::Agent, refund())
//!         .then()
//!         .approval_required()
//!         .approved_by(RefundRole::Operator)
//!         .executed(OrderRefunded { amount: Cents(4_900), reason: "damaged".into() })
//!         .state(OrderState::Refunded);
//! }
//!
//! # /*
//! #[test]
//! # */
//! fn nothing_is_refunded_before_it_is_paid() {
//!     given::<Refund>(RefundDesk::default())
//!         .event(OrderPlaced { total: Cents(99_900) })
//!         .when(RefundRole::Agent, refund())
//!         .then()
//!         .blocked(ReasonCode::StateNotAllowed);
//! }
//!
//! # /*
//! #[test]
//! # */
//! fn the_events_alone_lead_to_the_same_state() {
//!     given::<Refund>(RefundDesk::default())
//!         .event(OrderPlaced { total: Cents(99_900) })
//!         .action(MarkPaid { payment_id: "pay-1".into() })
//!         .when(RefundRole::Agent, refund())
//!         .approved_by(RefundRole::Operator)
//!         .then()
//!         .state(OrderState::Refunded)
//!         .replays();
//! }
//! ```
//!
//! An expectation that does not hold fails the test at its own line, and shows what was expected, what came of it, and
//! the whole timeline.
//!
//! # Executors that use tokio
//!
//! An executor that waits for a timer or a socket of tokio, as most clients do, needs the feature `tokio`:
//!
//! ```toml
//! kiff-test = { path = "../kiff/kiff-test", features = ["tokio"] }
//! ```
//!
//! Its tests are then plain `#[test]`s, as those above. Without the feature such an executor panics in them ("there is no reactor
//! running"), and its run is in doubt; in a `#[tokio::test]` of one thread it would never get its answer. [`block_on`] says what
//! else there is to know.
//!
//! A pool that executors use is made in the test itself, with [`block_on`], and not taken from a `#[sqlx::test]`, whose runtime stands
//! still while the kit waits. For a store of your own over such a pool, which [`store::laws`] tries, it is the same:
//!
//! ```
//! # include!(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/it/refund.rs"));
//! # struct Pool;
//! # impl Pool {
//! #     async fn connect(_url: &str) -> Result<Self, std::io::Error> { Ok(Self) }
//! # }
//! # impl RefundDesk {
//! #     fn over(_pool: Pool) -> Self { Self::default() }
//! # }
//! # fn main() {
//! #     an_order_is_paid();
//! # }
//! use kiff_test::{block_on, given};
//!
//! # /*
//! #[test]
//! # */
//! fn an_order_is_paid() {
//!     let pool = block_on(Pool::connect("postgres://localhost/refunds_test")).unwrap();
//!     given::<Refund>(RefundDesk::over(pool))
//!         .event(OrderPlaced { total: Cents(99_900) })
//!         .when(RefundRole::Agent, MarkPaid { payment_id: "pay-1".into() })
//!         .then()
//!         .executed(OrderPaid { payment_id: "pay-1".into() });
//! }
//! ```
//!
//! # What else there is
//!
//! - [`Spy`] stands in for the outside world: it notes what executors ask of it, and fails when the test says so.
//! - [`timeline!`] compares a timeline with its snapshot, without the instants and identifiers that kiff makes up in each run.
//! - [`obeys_its_schema`] makes up histories of a domain, legal and illegal, and holds every answer to its schema.
//! - [`replays_exported`] holds yesterday's journals, and what is open in them, to the domain of today.
//! - [`store::laws`] holds a store to the laws of [`kiff::Store`].
//! - [`FixedClock`], [`SequentialIdentifiers`], [`Actors`] and [`block_on`] are what `given` is made of, for tests that
//!   set up a runtime themselves:
//!
//! ```
//! # include!(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/it/refund.rs"));
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! use kiff::{Domain, MemoryStore, Runtime};
//! use kiff_test::{Actors, FixedClock, SequentialIdentifiers, block_on};
//!
//! let (actors, clock) = (Actors::<Refund>::new(), FixedClock::new());
//! let runtime = Runtime::<Refund>::new(MemoryStore::new(), actors.policy(), RefundDesk::default())
//!     .with_clock(clock.clone())
//!     .with_identifiers(SequentialIdentifiers::new());
//! let (shop, order) = (actors.holder(RefundRole::System), Refund::entity("ord-1")?);
//! let placed = runtime.ingest(&shop, &order, OrderPlaced { total: Cents(99_900) });
//! assert!(block_on(placed)?.is_allowed());
//! # Ok(())
//! # }
//! ```

mod actors;
mod clock;
mod failure;
mod histories;
mod identifiers;
mod model;
#[cfg(feature = "tokio")]
mod reactor;
mod replay;
mod scenario;
mod snapshot;
mod spy;
pub mod store;
mod tally;
mod trial;
mod wait;

/// What the macros name, and nobody else: nothing here is stable.
#[doc(hidden)]
pub mod __private {
    pub use insta;
}

pub use actors::{Actors, AsItself, ByRole, Who};
pub use clock::FixedClock;
pub use histories::{Field, Histories, History, HistoryTree, histories, obeys_its_schema};
pub use identifiers::SequentialIdentifiers;
pub use replay::{replays_exported, replays_exported_without_approvals};
pub use scenario::{Given, Then, When, given};
pub use snapshot::stable;
pub use spy::Spy;
pub use wait::block_on;
// Their types are part of what `Histories::values` takes.
pub use {proptest, serde_json};
