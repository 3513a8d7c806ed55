//! `kiff new`: from an empty folder to a governed project.

use std::fs;
use std::io::{BufRead, BufReader, Read};
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdout, Command, Stdio};

use super::{ROOT, Ran, building, cargo, folder, kiff};
use crate::programs::packages;
use crate::wait::until;
use crate::wire;

/// The program of a project that was built.
fn built(name: &str) -> PathBuf {
    packages().join(format!("debug/{name}{}", std::env::consts::EXE_SUFFIX))
}

#[test]
fn an_empty_folder_becomes_a_server_that_holds_an_agent_until_a_person_says_yes() {
    let folder = folder("new");
    let said = kiff(&folder, &["new", "support-desk", "--path", ROOT]).well();
    assert!(said.starts_with("created `support-desk` in `support-desk`\n"), "{said}");
    let package = folder.join("support-desk");
    cargo(&package, &["fmt", "--check"]);
    assert!(cargo(&package, &["test"]).contains("3 passed"));
    cargo(&package, &["build", "--quiet"]);
    let program = built("support-desk");
    let server = Running::start(&package, &program, &["127.0.0.1:0", "--sign-in-link"], "/timeline");
    assert!(!server.told.contains(TLS), "{}", server.told);
    let (execute, approvals) = (server.call("/execute"), server.call("/approvals"));
    assert!(server.curl(&execute).starts_with("HTTP/1.1 409"), "the agent is held");
    assert!(server.curl(&approvals).starts_with("HTTP/1.1 201"), "it asks for a sign-off");

    // A person opens the link that signs her in, finds the card, and says yes.
    let link = server.told.lines().find_map(|line| line.trim().split_once("/admin")).unwrap().1;
    let form = "content-type: application/x-www-form-urlencoded";
    let token = link.split_once("link=").unwrap().1;
    let signed = server.ask("POST", "/admin/sign-in", &[form], &format!("link={token}"));
    let cookie = format!("cookie: {}", between(&signed, "set-cookie: ", ";"));
    let inbox = server.ask("GET", "/admin", &[&cookie], "");
    let card = format!("/admin/approvals/{}", between(&inbox, "href=\"/admin/approvals/", "\""));
    let csrf = between(&inbox, "name=\"csrf\" value=\"", "\"");
    let yes = format!("csrf={csrf}&answer=grant&reason=the+photo+shows+it");
    assert!(server.ask("POST", &card, &[&cookie, form], &yes).starts_with("HTTP/1.1 303"));

    assert!(server.curl(&execute).starts_with("HTTP/1.1 200"), "it is paid");
    assert!(server.curl(&execute).starts_with("HTTP/1.1 400"), "and paid once");
    let timeline =
        kiff(&package, &["timeline", "support-desk.db", "Ticket/ticket-1", "--kind", "approval_granted"]).well();
    assert!(timeline.contains("nora") && timeline.contains("the photo shows it"), "{timeline}");

    // The receipt is there as soon as the log has followed.
    let key = between(&server.told, "Receipts are signed with ", "\n");
    until(|| {
        let answer = server.ask("GET", "/admin/entities/Ticket/ticket-1/receipt", &[&cookie], "");
        let status = &answer[9..12];
        assert!(["200", "404", "429"].contains(&status), "{answer}");
        status == "200"
    });
    // What the README says of proof, while the server runs.
    let readme = fs::read_to_string(package.join("README.md")).unwrap();
    let proofs = readme.lines().filter_map(|line| line.trim().strip_prefix("$ kiff "));
    let said: Vec<String> = proofs
        .map(|line| {
            let words = line.split(' ').map(|word| if word.starts_with('\'') { key } else { word });
            kiff(&package, &words.collect::<Vec<_>>()).well()
        })
        .collect();
    let [.., receipt] = said.as_slice() else { panic!("{readme}") };
    assert!(
        receipt.contains("TICKET_REFUNDED") && receipt.contains("of the log `example.com/support-desk`"),
        "{receipt}"
    );

    // A second server is told who has the file; a journal that is not the one that was signed is not served.
    let again = || complaint(&package, &program, &["127.0.0.1:0"]);
    let told = again();
    assert!(told.starts_with("error: ") && told.contains(&format!("process {}", server.process.id())), "{told}");
    assert_eq!(server.ended().1, "");
    let told = Running::start(&package, &program, &["0.0.0.0:0"], "http://").turns_a_stranger_away();
    assert!(told.contains(TLS) && told.contains("with\n`--sign-in-link`"), "{told}");
    // What a log may keep lets nobody in.
    assert!(!told.contains("link=") && !told.contains("Bearer"), "{told}");
    let (_taken, address) = taken();
    let told = complaint(&package, &program, &[&address]);
    assert!(told.starts_with(&format!("error: the server cannot listen at {address}: ")), "{told}");
    assert!(told.ends_with("as in `cargo run -- 127.0.0.1:8081`\n"), "{told}");
    // A key that was lost is replaced by no other.
    fs::rename(package.join("support-desk.log.key"), package.join("safe.key")).unwrap();
    let told = again();
    assert!(told.starts_with("error: the log in `support-desk.log` is signed with another key"), "{told}");
    fs::rename(package.join("safe.key"), package.join("support-desk.log.key")).unwrap();
    fs::remove_file(package.join("support-desk.db")).unwrap();
    let told = again();
    assert!(told.starts_with("error: support-desk.log does not fit support-desk.db: "), "{told}");
}

/// What the server of a project complains of, which cannot begin.
#[track_caller]
fn complaint(package: &Path, program: &Path, arguments: &[&str]) -> String {
    let ended = Command::new(program).args(arguments).current_dir(package).output().unwrap();
    assert!(!ended.status.success());
    String::from_utf8(ended.stderr).unwrap()
}

/// A port that somebody else has, for as long as they hold it.
fn taken() -> (TcpListener, String) {
    let holder = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = holder.local_addr().unwrap().to_string();
    (holder, address)
}

/// What a server that listens beyond this machine says that it needs.
const TLS: &str = "a proxy that ends TLS in front of it";

/// The server of a project, and what it told when it began.
struct Running {
    process: Child,
    told: String,
    address: String,
    /// What it may still tell: whoever writes into a pipe that nobody holds dies of it.
    out: BufReader<ChildStdout>,
}

impl Running {
    /// Starts it, and listens until it has told the last thing.
    fn start(package: &Path, program: &Path, arguments: &[&str], last: &str) -> Self {
        let mut command = Command::new(program);
        command.args(arguments).current_dir(package).env_remove("RUST_LOG");
        command.stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut process = command.spawn().unwrap();
        let mut told = String::new();
        let mut out = BufReader::new(process.stdout.take().unwrap());
        while !told.contains(last) && out.read_line(&mut told).unwrap() > 0 {}
        let (_, address) = told.split_once("http://").unwrap();
        let address = address.split(['/', ';']).next().unwrap().to_owned();
        Self { process, told, address, out }
    }

    /// The line with which to call an action's route.
    fn call(&self, route: &str) -> String {
        let is_it = |line: &&str| line.contains("curl") && line.contains(&format!("{route} "));
        self.told.lines().find(is_it).unwrap().to_owned()
    }

    /// Sends what a `curl` line of the server's own sends.
    fn curl(&self, line: &str) -> String {
        let path = between(line, &self.address, " ");
        let key = format!("authorization: {}", between(line, "authorization: ", "'"));
        self.ask("POST", path, &[&key, "content-type: application/json"], between(line, "-d '", "'"))
    }

    fn ask(&self, method: &str, path: &str, headers: &[&str], body: &str) -> String {
        wire::ask(&self.address, method, path, headers, body)
    }
}

impl Running {
    /// Refuses somebody whom it does not know, and tells its log of that; here is all else that it has told.
    fn turns_a_stranger_away(self) -> String {
        assert!(self.ask("GET", "/entities", &[], "").starts_with("HTTP/1.1 401"));
        let (told, log) = self.ended();
        assert!(log.contains(" WARN kiff::http: a request was refused") && log.lines().count() == 1, "{log}");
        told
    }

    /// Ends it, for all that it has told and what it has said of its work.
    fn ended(mut self) -> (String, String) {
        self.process.kill().unwrap();
        let (mut told, mut log) = (std::mem::take(&mut self.told), String::new());
        self.out.read_to_string(&mut told).unwrap();
        self.process.stderr.take().unwrap().read_to_string(&mut log).unwrap();
        (told, log)
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

#[track_caller]
fn between<'t>(text: &'t str, before: &str, after: &str) -> &'t str {
    let (_, rest) = text.split_once(before).unwrap_or_else(|| panic!("`{before}` is not in {text}"));
    rest.split_once(after).unwrap().0
}

#[test]
fn an_agent_of_python_goes_through_the_whole_governed_loop() {
    let folder = folder("new-agentic-ops");
    // It may be called as one of its own modules.
    kiff(&folder, &["new", "serve", "--template", "agentic-ops", "--path", ROOT]).well();
    let package = folder.join("serve");
    cargo(&package, &["fmt", "--check"]);
    let make = |target: &str| {
        let mut command = building("make", &package);
        // Offline, whatever this machine knows of models.
        command.args(["--silent", target]).env_remove("OPENAI_API_KEY").env_remove("ANTHROPIC_API_KEY");
        let ran = Ran::of(&command.output().expect("make is missing (Debian: apt-get install make)"));
        assert_eq!(ran.code, Some(0), "`make {target}`:\n{}\n{}", ran.complained, ran.said);
        assert!(!ran.complained.contains("warning"), "`make {target}`:\n{}", ran.complained);
        (ran.said, ran.complained)
    };
    // The tests go through the loop with each sort of model, those of an API in front of a server that speaks as it does.
    let (said, complained) = make("test");
    assert!(said.contains("3 passed") && complained.contains("Ran 31 tests"), "{said}\n{complained}");
    let (told, _) = make("demo");
    let facts = [
        "block    state_not_allowed: `ROLL_BACK` is not allowed in state `OPEN`",
        "execute  CAUSE_FOUND: the incident is DIAGNOSED now",
        "block    the agent approves its own wish: permission_denied",
        "denied   nora: only v2.3.9 was well, nothing older",
        "approve  nora: that one ran for weeks",
        "execute  RELEASE_ROLLED_BACK: the incident is MITIGATED now",
        "stop     the server has stopped",
        "replay   Incident/inc-1: 4 events alone lead to CLOSED, as recorded",
    ];
    let found: Vec<Option<usize>> = facts.iter().map(|fact| told.find(fact)).collect();
    assert!(found.iter().all(Option::is_some) && found.is_sorted(), "{found:?} in:\n{told}");

    let program = built("serve");
    for (address, is_told) in [("127.0.0.1:0", false), ("0.0.0.0:0", true)] {
        let arguments = ["--address", address, "--data", "beyond"];
        let told = Running::start(&package, &program, &arguments, "listening on").turns_a_stranger_away();
        assert_eq!(told.contains(TLS), is_told, "{told}");
        // What a log may keep lets nobody in.
        assert!(told.contains("or with `--sign-in-link`") && !told.contains("link="), "{told}");
    }
    let arguments = ["--address", "127.0.0.1:0", "--data", "beyond", "--sign-in-link"];
    assert!(Running::start(&package, &program, &arguments, "link=").told.contains("/admin"));

    // A port that is taken is named, and so is the way to another one, which the agent finds as well.
    let (_taken, address) = taken();
    let told = complaint(&package, &program, &["--address", &address, "--data", "beyond"]);
    assert!(told.starts_with(&format!("error: the server cannot listen at {address}: ")), "{told}");
    assert!(told.contains("as in `make run ADDRESS=127.0.0.1:8081`"), "{told}");
    let mut make = Command::new("make");
    make.args(["--dry-run", "run", "agent", "ADDRESS=127.0.0.1:8081"]).current_dir(&package);
    let said = Ran::of(&make.output().unwrap()).well();
    let lines = ["cargo run -- --address 127.0.0.1:8081", "python3 agent/agent.py --server http://127.0.0.1:8081"];
    assert!(lines.iter().all(|line| said.contains(line)), "{said}");

    // What the README says of proof, after the demo.
    let readme = fs::read_to_string(package.join("README.md")).unwrap();
    let lines = readme.lines().filter_map(|line| line.trim().strip_prefix("$ kiff "));
    let commands = lines.flat_map(|line| line.split(" && kiff "));
    let said: Vec<String> = commands.map(|line| kiff(&package, &line.split(' ').collect::<Vec<_>>()).well()).collect();
    let [.., receipt] = said.as_slice() else { panic!("{readme}") };
    assert!(said.len() == 5 && receipt.contains("RELEASE_ROLLED_BACK"), "{said:?}");
}

#[test]
fn a_template_that_there_is_not_is_answered_with_those_that_there_are() {
    let ran = kiff(&folder("new-template"), &["new", "ops", "--template", "agentc-ops"]);
    assert_eq!(ran.code, Some(2));
    for part in ["[possible values: starter, agentic-ops]", "a similar value exists: 'agentic-ops'"] {
        assert!(ran.complained.contains(part), "{}", ran.complained);
    }
}

#[test]
fn a_project_takes_kiff_from_the_registry_unless_told_otherwise() {
    let folder = folder("new-registry");
    let said = kiff(&folder, &["new", "desk", "--json"]).well();
    let answer: serde_json::Value = serde_json::from_str(&said).unwrap();
    assert_eq!(answer["package"], "desk");
    assert!(answer["files"].as_array().unwrap().contains(&"src/domain.rs".into()), "{said}");
    let manifest = fs::read_to_string(folder.join("desk/Cargo.toml")).unwrap();
    let version = env!("CARGO_PKG_VERSION");
    assert!(
        manifest
            .contains(&format!("kiff = {{ version = \"{version}\", features = [\"http\", \"proof\", \"sqlite\"] }}")),
        "{manifest}"
    );
    // Whoever starts before it is there is told what to do.
    let told =
        "kiff comes from the registry. Where that does not have it, begin again with a checkout of it, `--path DIR`.\n";
    assert!(kiff(&folder, &["new", "first"]).well().ends_with(told));
    assert!(!kiff(&folder, &["new", "second", "--path", ROOT]).well().contains("registry"));
    for help in ["-h", "--help"] {
        assert!(kiff(&folder, &[help]).well().contains("`kiff new ../support-desk --path .`"), "{help}");
    }
}

#[test]
fn a_name_under_which_nothing_would_build_is_refused() {
    let folder = folder("new-names");
    let of_cargo = ["build", "deps", "examples", "incremental", "test"];
    let of_rust = ["core", "proc-macro", "proc_macro", "static"];
    let of_dependencies =
        ["kiff", "kiff-macros", "kiff_macros", "kiff-test", "kiff_test", "tokio", "tracing-subscriber"];
    for template in ["starter", "agentic-ops"] {
        for name in of_cargo.iter().chain(&of_rust).chain(&of_dependencies) {
            let told = kiff(&folder, &["new", name, "--template", template]).not_done();
            assert!(told.starts_with(&format!("error: `{name}` means something else already\n")), "{told}");
        }
    }
    assert_eq!(fs::read_dir(&folder).unwrap().count(), 0);
}

#[test]
fn a_folder_may_be_named_as_any_folder_is() {
    let folder = folder("new-here");
    let here = folder.join("it's my/desk");
    fs::create_dir_all(&here).unwrap();
    assert!(kiff(&here, &["new", "."]).well().starts_with("created `desk` in `.`\n\n  cd .\n"));
    let said = kiff(&folder, &["new", "it's my/till"]).well();
    assert!(said.contains("\n  cd 'it'\\''s my/till'\n"), "{said}");
    assert!(kiff(&folder, &["new", "my/till"]).well().contains("\n  cd my/till\n"));
}

#[test]
fn nothing_that_is_there_is_written_over() {
    let folder = folder("new-taken");
    fs::create_dir(folder.join("desk")).unwrap();
    fs::write(folder.join("desk/notes"), "mine").unwrap();
    let told = kiff(&folder, &["new", "desk"]).not_done();
    assert_eq!(
        told,
        "error: there is already something in `desk`\n  = help: name a folder that is not there yet, or an empty one\n"
    );
    assert_eq!(fs::read_dir(folder.join("desk")).unwrap().count(), 1);
    for name in ["Desk", "1desk", "kiff", "fn", "de sk"] {
        let told = kiff(&folder, &["new", name]).not_done();
        assert!(told.starts_with(&format!("error: `{name}` ")), "{told}");
    }
    let told = kiff(&folder, &["new", "other", "--json", "--path", "desk"]).not_done();
    let error: serde_json::Value = serde_json::from_str(&told).unwrap();
    assert_eq!(error["error"]["message"], "`desk` is no checkout of kiff");
    assert_eq!(fs::read_dir(&folder).unwrap().count(), 1);
}
