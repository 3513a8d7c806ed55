//! The HTTP face against its own description, by schemathesis: whatever it answers, it says that it may.

use std::fs;
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};

use super::command;
use super::python::python;

/// Entities that are there, so that requests come further than to the answer that there is none.
const PARAMETERS: &str = "[parameters]\n\"path.id\" = \"ord-1001\"\n";

/// The example that serves, and what it tells when it begins.
struct Serving {
    process: Child,
    told: String,
}

impl Serving {
    fn start() -> Self {
        let mut server = command("server");
        // Whom it refuses is what is tried here; what breaks is of interest.
        server.env("RUST_LOG", "error");
        let mut process = server.args(["--address", "127.0.0.1:0"]).stdout(Stdio::piped()).spawn().unwrap();
        let (mut out, mut told) = (BufReader::new(process.stdout.take().unwrap()), String::new());
        while !told.contains("Listening on ") && out.read_line(&mut told).unwrap() > 0 {}
        Self { process, told }
    }

    /// What stands behind a word, up to the end of its line.
    fn after(&self, word: &str) -> &str {
        self.told.split_once(word).unwrap().1.split([';', '\n']).next().unwrap()
    }
}

impl Drop for Serving {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// Begins to try everything as somebody, in a folder of its own.
fn tried(python: &Path, server: &Serving, who: &str) -> Child {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("schemathesis").join(who);
    fs::create_dir_all(&folder).unwrap();
    fs::write(folder.join("schemathesis.toml"), PARAMETERS).unwrap();
    let mut run = Command::new(python.with_file_name("schemathesis"));
    run.args(["--config-file", "schemathesis.toml", "run"]).current_dir(&folder).stdin(Stdio::null());
    run.arg(format!("{}/openapi.json", server.after("Listening on ")));
    run.arg("--header").arg(format!("Authorization: Bearer {}", server.after(&format!("{who}="))));
    // The stream of records does not end; it has tests of its own.
    run.args(["--exclude-path", "/events", "--phases", "coverage,fuzzing", "--max-examples", "5"]);
    let checks = "not_a_server_error,status_code_conformance,content_type_conformance,response_schema_conformance";
    run.args(["--checks", checks, "--continue-on-failure", "--no-color", "--warnings", "off"]);
    run.args(["--seed", "1", "--generation-deterministic"]);
    run.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap()
}

#[test]
fn nothing_is_answered_that_the_description_does_not_say() {
    let python = python();
    let server = Serving::start();
    // An agent and a person at once: what one may not, the other may.
    for (who, run) in ["AGENT", "NORA"].map(|who| (who, tried(python, &server, who))) {
        let output = run.wait_with_output().unwrap();
        let report = String::from_utf8_lossy(&output.stdout);
        let complaint = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "as {who}\n{report}\n{complaint}");
        assert!(report.contains(" passed"), "{report}");
    }
}
