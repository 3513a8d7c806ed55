//! The macros of kiff: `domain!` declares what is governed. Use them through the `kiff` crate.

mod action;
mod documentation;
mod domain;
mod errors;
mod executors;
#[cfg(test)]
mod marks;
mod number;
mod reason;
mod renamed;
mod suggest;

use proc_macro::TokenStream;

use self::action::Duty;
use self::errors::Diagnostics;

/// Declares a governed domain in one block: roles, states, events, transitions, actions, allowances and promises.
///
/// Whatever the block forbids does not build; all faults of a block are reported at once, each at its own token.
///
/// ```text
/// domain! {
///     /// Orders, their payments and their refunds.
///     pub domain Refund governs Order;
///     services RefundDesk;                                   // what executors may touch
///
///     roles { Agent: agent, Operator: human, System: system }
///     states { Created, Paid, final Refunded }
///     events {
///         OrderPlaced { total: Cents } reported by System;   // a fact from outside, and who may report it
///         OrderPaid { payment_id: String };                  // only an action can make it happen
///         OrderRefunded { amount: Cents, reason: String };
///     }
///     transitions {
///         OrderPlaced: new => Created;
///         OrderPaid: Created => Paid;
///         OrderRefunded: Paid => Refunded;
///     }
///     actions {
///         MarkPaid { risk: low, by: Agent, emits: OrderPaid };
///         RefundOrder { risk: high, by: Agent, emits: OrderRefunded, approval: Operator };
///     }
///     allow { Created => [MarkPaid]; Paid => [RefundOrder]; }
///     never { Refunded without Operator }
/// }
/// ```
///
/// From this block come, beside it:
///
/// - `Refund`, the enum of its actions, which is the type of the domain; `RefundRole`, `OrderState` and `OrderEvent`;
/// - one struct for each event, and `ReviewOrderEvent` for an action `ReviewOrder` that emits one of several events;
/// - `Order<S>`, the handle on one entity, on which an action that the state `S` does not allow does not compile;
/// - the module `refund` with one type for each state and each action, as in `Order<refund::Paid>`.
///
/// Each action that is allowed somewhere needs an executor: an async fn under `#[action(Refund::MarkPaid)]`.
#[proc_macro]
pub fn domain(input: TokenStream) -> TokenStream {
    with_errors(domain::domain2(&input.into()))
}

/// Makes a domain run whose block is in another crate, with executors and services that are in this one.
///
/// The block says `executors elsewhere;` and no services. What it declares is used from there; here come, beside this line, its
/// name as the enum of its actions, its handle, and the module of its states and actions. So `#[action(Refund::MarkPaid)]` and
/// `Runtime::<Refund>` read as they do where the block stands.
///
/// ```text
/// use contracts::{OrderPaid, OrderRefunded};
///
/// kiff::executors!(contracts::Refund => RefundDesk);    // and `, crate = trust` where kiff has another name
///
/// #[action(Refund::MarkPaid)]
/// async fn mark_paid(desk: &RefundDesk, payment_id: String) -> Result<OrderPaid, Failure> { … }
/// ```
#[proc_macro]
pub fn executors(input: TokenStream) -> TokenStream {
    with_errors(executors::executors2(input.into()))
}

/// What `executors!` becomes in the end; nobody writes it by hand.
#[doc(hidden)]
#[proc_macro]
pub fn runnable(input: TokenStream) -> TokenStream {
    with_errors(executors::runnable2(input.into()))
}

/// Makes an async fn the executor of an action that a `domain!` block declares.
///
/// Its parameters become a struct of the action's name; the fn itself disappears into the executor, where only the gate
/// can call it.
///
/// ```ignore
/// /// Pays the customer back.
/// #[action(Refund::RefundOrder)]
/// async fn refund_order(
///     desk: &RefundDesk,                                       // what the block says under `services`; may be left out
///     execution: &Execution,                                   // who asked, of which entity, the run's id; may be left out
///     #[param(range(min = 1, max = 1_000_000))] amount: Cents, // all others are what an agent has to send
///     #[param(length(min = 1, max = 500))] reason: String,
/// ) -> Result<OrderRefunded, Failure> {
///     desk.pay_back(execution.id().as_str(), amount).await.map_err(Failure::unknown)?;
///     Ok(OrderRefunded { amount, reason })
/// }
/// ```
///
/// It answers with its event (with `ReviewOrderEvent` where the action `ReviewOrder` emits one of several, with `()` where it emits
/// none), with `Failure::refused` when nothing happened, or with `Failure::unknown` when it may have happened. Where kiff has another
/// name, the attribute says so: `#[action(Refund::RefundOrder, crate = trust)]`.
///
/// `#[param(..)]` holds the rules of a parameter, divided by commas and each once. They are in the schema and are checked whenever
/// the action is judged; on an `Option` they hold for the value that is there.
///
/// | Rule | Fits |
/// |---|---|
/// | `range(min = 1, max = 100)`, or one of both | integers of up to 64 bits, `Cents`, floats, types with `kiff::Ranged` |
/// | `length(min = 1, max = 500)`, or one of both | `String`, `Box<str>` and `Cow<'static, str>` (characters), `Vec` (items), types with `kiff::Measured` |
/// | `pattern("[A-Z]{2}[0-9]+")`, which the whole text matches | `String`, `Box<str>`, `Cow<'static, str>`, types with `kiff::Textual` |
/// | `float("it is a temperature")`, which says why this is no money | `f32`, `f64`, and types that hold one |
#[proc_macro_attribute]
pub fn action(attribute: TokenStream, item: TokenStream) -> TokenStream {
    with_errors(action::action2(Duty::Execute, attribute.into(), item.into()))
}

/// Makes an async fn ask the outside world what became of a run of which nobody knows how it ended.
///
/// It stands beside the executor of an action that touches something outside, takes what it needs of that action's
/// parameters, and answers with a `Reconciled` event. The fn itself disappears, so that only the runtime can call it.
///
/// ```ignore
/// /// Asks the bank what became of a refund.
/// #[reconcile(Refund::RefundOrder)]
/// async fn find_refund(
///     desk: &RefundDesk,
///     execution: &Execution,  // of the run in doubt: the id that its executor handed on
///     amount: Cents,          // as it was recorded when the run started; parameters have no rules here
///     reason: String,
/// ) -> Result<Reconciled<OrderRefunded>, Failure> {
///     Ok(match desk.refund_by_key(execution.id().as_str()).await {
///         Ok(Some(_)) => Reconciled::Happened(OrderRefunded { amount, reason }),
///         Ok(None) => Reconciled::DidNotHappen,
///         Err(_) => Reconciled::Unknown,
///     })
/// }
/// ```
///
/// `Unknown` and every `Failure` leave the run in doubt. `Runtime::reconcile` and `Runtime::recover` call it, and nothing else does.
#[proc_macro_attribute]
pub fn reconcile(attribute: TokenStream, item: TokenStream) -> TokenStream {
    with_errors(action::action2(Duty::Reconcile, attribute.into(), item.into()))
}

/// The expansion, and beside it whatever is wrong.
fn with_errors((mut expansion, diagnostics): (proc_macro2::TokenStream, Diagnostics)) -> TokenStream {
    expansion.extend(diagnostics.into_compile_errors());
    expansion.into()
}
