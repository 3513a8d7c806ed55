//! Waiting for what others do: threads, servers and processes.

use std::thread;
use std::time::Duration;

/// How long the core is left to others between two tries.
const PAUSE: Duration = Duration::from_millis(20);

/// Goes on as soon as it is so.
#[track_caller]
pub(crate) fn until(mut is_so: impl FnMut() -> bool) {
    for _ in 0..10_000 {
        if is_so() {
            return;
        }
        thread::park_timeout(PAUSE);
    }
    panic!("it is still not so after minutes");
}
