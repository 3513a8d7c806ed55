//! A test that nothing else in its process may disturb.

use std::env;
use std::process::Command;

/// Runs a test in a process of its own. Whether somebody listens to the log is said once for a whole process, and changes what a
/// step allocates.
pub(crate) fn alone(name: &str, test: impl FnOnce()) {
    const ALONE: &str = "KIFF_TEST_ALONE";
    if env::var_os(ALONE).is_some() {
        return test();
    }
    let run = Command::new(env::current_exe().unwrap()).args(["--exact", name]).env(ALONE, "1").output().unwrap();
    let said = String::from_utf8_lossy(&run.stdout);
    assert!(run.status.success() && said.contains("1 passed"), "{said}{}", String::from_utf8_lossy(&run.stderr));
}
