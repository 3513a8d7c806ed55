//! The runtime of tokio that drives the timers and sockets of executors, wherever a test waits for them.

use std::sync::LazyLock;

use tokio::runtime::{Builder, EnterGuard, Runtime};
use tokio::task::coop::{Unconstrained, unconstrained};

use crate::failure::must;

/// One thread for the timers and the sockets while another runs what was spawned.
static RUNTIME: LazyLock<Runtime> =
    LazyLock::new(|| must(Builder::new_multi_thread().worker_threads(2).thread_name("kiff-test").enable_all().build()));

/// The same future, driven by that runtime until the guard is dropped, also where another is around it.
pub(crate) fn within<F: Future>(future: F) -> (EnterGuard<'static>, Unconstrained<F>) {
    // A runtime around it would after so many steps have it wait until others had their turn, which do not get one meanwhile.
    (RUNTIME.enter(), unconstrained(future))
}
