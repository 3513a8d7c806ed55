//! The examples that speak Python: the official client of the Model Context Protocol, and the refund agent.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

use super::in_order;
use crate::programs::Program;

/// The official client library that the loop is shown with, schemathesis, and all that they stand on.
const REQUIREMENTS: &str = include_str!("../../python/requirements.txt");

/// A Python that has them: made here once, from the package index.
pub(super) fn python() -> &'static Path {
    static MADE: OnceLock<PathBuf> = OnceLock::new();
    MADE.get_or_init(|| {
        let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("python");
        let (python, has) = (folder.join("bin/python"), folder.join("requirements.txt"));
        if fs::read_to_string(&has).is_ok_and(|has| has == REQUIREMENTS) {
            return python;
        }
        let made = Command::new("python3").args(["-m", "venv", "--clear"]).arg(&folder).output();
        let made = made.expect("python3 is missing: install Python 3.11 or later with its module venv");
        let told = String::from_utf8_lossy(&made.stderr).into_owned();
        assert!(made.status.success(), "python3 -m venv failed (Debian: apt-get install python3-venv):\n{told}");
        let mut install = Command::new(&python);
        install.args(["-m", "pip", "install", "--quiet", "--no-compile", "--require-hashes", "-r"]);
        install.arg(concat!(env!("CARGO_MANIFEST_DIR"), "/python/requirements.txt"));
        let installed = install.output().unwrap();
        let told = String::from_utf8_lossy(&installed.stderr);
        assert!(
            installed.status.success(),
            "pip install failed, it needs the network once and Python 3.11 or later:\n{told}"
        );
        fs::write(has, REQUIREMENTS).unwrap();
        python
    })
}

fn told(command: &mut Command) -> String {
    let output = command.current_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/..")).output().unwrap();
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(output.status.success(), "{text}\n{}", String::from_utf8_lossy(&output.stderr));
    text
}

#[test]
fn the_official_python_client_completes_the_loop() {
    let (python, program) = (python(), Program::Example("mcp").path());
    for modes in [&["auto"][..], &["legacy"]] {
        let text = told(Command::new(python).arg("examples/mcp/client.py").arg(&program).args(modes));
        let loop_facts = ["executed", "approval_required", "granted", "executed", "executed", "REFUNDED"];
        let facts = [&["over the standard streams"][..], &loop_facts, &["over HTTP"], &loop_facts].concat();
        in_order(&text, &facts);
    }
}

#[test]
fn the_same_agent_is_harmless_behind_the_gate() {
    let program = Program::Example("refund_agent").path();
    let text = told(Command::new("python3").arg("examples/refund_agent/agent.py").arg("--binary").arg(program));
    let facts = [
        "bare database",
        "999.00  executed",
        "the shop has paid 1291.00, and nobody was asked",
        "and kiff",
        "ord-1  refund of   42.00  executed",
        "ord-2  refund of  999.00  approval_required",
        "ord-3  refund of  250.00  approval_required",
        "the agent tries to approve for itself: the credentials are missing",
        "ord-2  nora: denied",
        "ord-3  nora: granted",
        "ord-2  tries again: approval_required",
        "ord-3  tries again: executed",
        "ord-3  and once more: blocked, state_not_allowed",
        "the shop has paid 292.00",
        "ord-1, REFUNDED",
        "lead to REFUNDED, as recorded",
        "ord-2, PAID",
        "approval_denied",
        "lead to PAID, as recorded",
        "ord-3, REFUNDED",
        "approval_granted",
        "lead to REFUNDED, as recorded",
    ];
    in_order(&text, &facts);
}
