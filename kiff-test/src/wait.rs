//! Waiting for a future on the test's own thread.

use std::fmt;
use std::future::Future;
use std::io::{self, Write};
use std::panic::Location;
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll, Wake, Waker};
use std::thread::{self, Thread};
use std::time::{Duration, Instant};

/// After this time whoever waits is told what it may be that they wait for.
const PATIENCE: Duration = Duration::from_secs(10);

/// Waits until `future` has an answer; the thread sleeps meanwhile.
///
/// A future that uses tokio's timers or sockets needs the feature `tokio`: it is then driven by a runtime of the kit's own, in a
/// plain `#[test]` as well as inside of any runtime. Without that feature it needs a runtime with threads of its own around it, as
/// `#[tokio::test(flavor = "multi_thread")]` has.
///
/// In a `#[tokio::test]` of one thread, what the test has spawned stands still while this waits: where the future needs an answer
/// of that, it has to be of several threads. A wait of more than ten seconds is told of on standard error.
///
/// A pool or a client that was made there, as the one that a `#[sqlx::test]` is handed, stands still as well: its sockets belong to
/// the runtime of the test. Make it with this function, in a plain `#[test]` and with the feature `tokio`, and it belongs to the
/// runtime of the kit:
///
/// ```
/// # struct Pool;
/// # impl Pool {
/// #     async fn connect(_url: &str) -> Result<Self, std::io::Error> { Ok(Self) }
/// #     async fn ping(&self) -> Result<(), std::io::Error> { Ok(()) }
/// # }
/// use kiff_test::block_on;
///
/// let pool = block_on(Pool::connect("postgres://localhost/refunds_test"))?;
/// block_on(pool.ping())?;
/// # Ok::<(), std::io::Error>(())
/// ```
///
/// ```
/// use kiff_test::block_on;
///
/// assert_eq!(block_on(async { 6 * 7 }), 42);
/// ```
#[track_caller]
pub fn block_on<F: Future>(future: F) -> F::Output {
    #[cfg(feature = "tokio")]
    let (_entered, future) = crate::reactor::within(future);
    let caller = Location::caller();
    let park = |left: Option<Duration>| left.map_or_else(thread::park, thread::park_timeout);
    wait(future, PATIENCE, park, || {
        // Past what the test harness keeps until a test has ended, which this one may never do.
        let _ = writeln!(io::stderr(), "{}", Notice(caller));
    })
}

/// What whoever waits for long is told.
struct Notice<'a>(&'a Location<'a>);

impl fmt::Display for Notice<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "kiff-test: a future that is waited for at {} has no answer yet. What was spawned or connected in a test of one thread, as \
             `#[tokio::test]` and `#[sqlx::test]` make it, stands still meanwhile. Write a plain `#[test]`, make the pool in it with \
             `kiff_test::block_on`, and turn on the feature `tokio` of kiff-test. A `#[tokio::test]` can be of several threads instead: \
             `flavor = \"multi_thread\"`",
            self.0
        )
    }
}

/// Waits for an answer, and calls `tell` once if there is none after a time. `park` lets the thread sleep, for so long at most, and
/// may return at any moment.
fn wait<F: Future>(
    future: F,
    patience: Duration,
    mut park: impl FnMut(Option<Duration>),
    tell: impl FnOnce(),
) -> F::Output {
    let alarm = Arc::new(Alarm { rung: AtomicBool::new(false), sleeper: thread::current() });
    let waker = Waker::from(Arc::clone(&alarm));
    let mut context = Context::from_waker(&waker);
    let mut future = pin!(future);
    let (mut first_asleep, mut tell) = (None, Some(tell));
    loop {
        if let Poll::Ready(answer) = future.as_mut().poll(&mut context) {
            return answer;
        }
        let since = *first_asleep.get_or_insert_with(Instant::now);
        // The future itself may park and unpark this thread, so that only the flag tells whether it was woken.
        while !alarm.rung.swap(false, Ordering::Acquire) {
            let left = patience.saturating_sub(since.elapsed());
            if left.is_zero() {
                match tell.take() {
                    Some(tell) => tell(),
                    None => park(None),
                }
            } else {
                park(Some(left));
            }
        }
    }
}

/// Wakes one thread.
struct Alarm {
    rung: AtomicBool,
    sleeper: Thread,
}

impl Wake for Alarm {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        self.rung.store(true, Ordering::Release);
        self.sleeper.unpark();
    }
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;
    use std::future::poll_fn;
    use std::panic::Location;
    use std::task::{Poll, Waker};
    use std::time::Duration;

    use super::{Notice, wait};

    #[test]
    fn the_notice_says_where_a_pool_is_made() {
        let notice = Notice(Location::caller()).to_string();
        assert!(notice.contains("wait.rs:") && notice.contains("with `kiff_test::block_on`"), "{notice}");
    }

    #[test]
    fn whoever_waits_for_long_is_told_and_waits_on() {
        let (waker, polls) = (Cell::new(None::<Waker>), Cell::new(0));
        let answer = poll_fn(|context| {
            polls.set(polls.get() + 1);
            waker.set(Some(context.waker().clone()));
            if polls.get() == 2 { Poll::Ready("late") } else { Poll::Pending }
        });
        let tell = || waker.take().unwrap().wake();
        assert_eq!((wait(answer, Duration::ZERO, |_| {}, tell), polls.get()), ("late", 2));
    }

    #[test]
    fn a_thread_that_wakes_by_itself_does_not_ask_again() {
        let (waker, polls, parks) = (Cell::new(None::<Waker>), Cell::new(0), Cell::new(0));
        let answer = poll_fn(|context| {
            polls.set(polls.get() + 1);
            waker.set(Some(context.waker().clone()));
            if polls.get() == 2 { Poll::Ready("woken") } else { Poll::Pending }
        });
        let park = |_| {
            parks.set(parks.get() + 1);
            if parks.get() == 3 {
                waker.take().unwrap().wake();
            }
        };
        let answer = wait(answer, Duration::MAX, park, || {});
        assert_eq!((answer, polls.get(), parks.get()), ("woken", 2, 3));
    }
}
