//! A process that is killed at any moment while it works: what it was told is there, and what it did is on the record or in doubt.

use std::collections::BTreeSet;
use std::fs::{self, File, OpenOptions};
use std::io::{BufRead as _, BufReader, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::Mutex;

use kiff::{
    Actor, ActorId, Cents, Domain, EntityKey, Execution, Failure, Proposal, RolePolicy, Runtime, SqliteStore,
    Verification, action, domain,
};
use kiff_test::block_on;

use super::{folder, path_of};

domain! {
    /// Orders and their payments.
    domain Till governs Sale;
    services Drawer;
    roles { Agent: agent, Shop: system }
    states { Placed, final Paid }
    events {
        SalePlaced { total: Cents } reported by Shop;
        SalePaid   { total: Cents };
    }
    transitions {
        SalePlaced: new    => Placed;
        SalePaid:   Placed => Paid;
    }
    actions { TakeMoney { risk: low, by: Agent, emits: SalePaid }; }
    allow { Placed => [TakeMoney]; }
}

/// Takes the money, which is seen outside.
#[action(Till::TakeMoney)]
async fn take_money(drawer: &Drawer, execution: &Execution, total: Cents) -> Result<SalePaid, Failure> {
    drawer.write(execution.entity().id());
    Ok(SalePaid { total })
}

/// The outside world: a file that gets a line for each sale that was paid.
struct Drawer(Mutex<File>);

impl Drawer {
    fn write(&self, sale: &str) {
        // One write, so that a line is there whole or not at all.
        self.0.lock().unwrap().write_all(format!("{sale}\n").as_bytes()).unwrap();
    }
}

fn runtime(path: &Path) -> Runtime<Till, SqliteStore> {
    let policy = RolePolicy::new()
        .assign(ActorId::new("agent-7").unwrap(), TillRole::Agent)
        .assign(ActorId::new("shop").unwrap(), TillRole::Shop);
    let drawer = OpenOptions::new().append(true).create(true).open(drawer_of(path)).unwrap();
    Runtime::new(SqliteStore::open(path).unwrap(), policy, Drawer(Mutex::new(drawer)))
}

fn drawer_of(path: &Path) -> PathBuf {
    path.with_extension("drawer")
}

/// Sells one thing and says each step when it is answered.
fn sell(runtime: &Runtime<Till, SqliteStore>, sale: &EntityKey) {
    let (agent, shop) = (Actor::agent("agent-7").unwrap(), Actor::system("shop").unwrap());
    let placed = block_on(runtime.ingest(&shop, sale, SalePlaced { total: Cents(100) })).unwrap();
    assert!(placed.is_allowed());
    say("placed", sale);
    let proposal = Proposal::new(TakeMoney { total: Cents(100) }).idempotency_key("the-money".parse().unwrap());
    assert_eq!(block_on(runtime.execute(&agent, sale, proposal)).unwrap().outcome(), "executed");
    say("paid", sale);
}

fn say(what: &str, sale: &EntityKey) {
    // Past the test harness, which may keep what is printed.
    std::io::stdout().write_all(format!("said {what} {}\n", sale.id()).as_bytes()).unwrap();
}

/// Where the process that is to be killed works, and for how many sales a thread.
const FILE: &str = "KIFF_KILLED_FILE";
const RUN: &str = "KIFF_KILLED_RUN";

/// The process that is killed runs this one with a file and without an end; by itself it sells a few things.
#[test]
fn what_was_said_is_on_the_record() {
    let own = folder();
    let given = std::env::var_os(FILE).map(PathBuf::from);
    let path = given.clone().unwrap_or_else(|| path_of(own.path()));
    let run = std::env::var(RUN).unwrap_or_default();
    let sales = if given.is_some() { usize::MAX } else { 5 };
    let runtime = runtime(&path);
    std::thread::scope(|scope| {
        for thread in 0..3 {
            let (runtime, run) = (&runtime, &run);
            scope.spawn(move || {
                for number in 0..sales {
                    sell(runtime, &Till::entity(&format!("sale-{run}-{thread}-{number}")).unwrap());
                }
            });
        }
    });
    drop(runtime);
    let paid = states(&path).into_iter().filter(|(_, state)| *state == Some(SaleState::Paid)).count();
    assert_eq!(paid, 15);
}

/// Every sale of the file, with its state.
fn states(path: &Path) -> Vec<(String, Option<SaleState>)> {
    let runtime = runtime(path);
    let keys = block_on(kiff::Store::entities(runtime.store(), None, usize::MAX)).unwrap();
    keys.iter().map(|key| (key.id().to_owned(), block_on(runtime.entity(key)).unwrap().state())).collect()
}

/// Starts the worker, lets it say `lines` lines, and kills it; all that it said.
fn killed(path: &Path, run: usize, lines: usize) -> Vec<String> {
    let mut worker = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "sqlite::killed::what_was_said_is_on_the_record", "--nocapture"])
        .env(FILE, path)
        .env(RUN, run.to_string())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let mut output = BufReader::new(worker.stdout.take().unwrap());
    let mut said = Vec::new();
    let mut line = String::new();
    while output.read_line(&mut line).unwrap() > 0 {
        if let Some(line) = line.strip_prefix("said ").filter(|line| line.ends_with('\n')) {
            said.push(line.trim_end().to_owned());
        }
        line.clear();
        if said.len() == lines {
            // The rest of what it has said by then is still read.
            worker.kill().unwrap();
        }
    }
    worker.wait().unwrap();
    assert!(said.len() >= lines, "the worker ended by itself after {said:?}");
    said
}

#[test]
fn p7_a_killed_process_loses_nothing_that_it_was_told_and_does_nothing_unseen() {
    let kills: usize = std::env::var("KIFF_KILLS").map_or(60, |kills| kills.parse().unwrap());
    let folder = folder();
    let path = path_of(folder.path());
    let mut said = Vec::new();
    for run in 0..kills {
        said.extend(killed(&path, run, 1 + run * 7 % 40));
    }
    let states = states(&path);
    let in_state = |state| -> BTreeSet<&str> {
        states.iter().filter(|(_, known)| *known == Some(state)).map(|(sale, _)| &**sale).collect()
    };
    let (placed, paid) = (in_state(SaleState::Placed), in_state(SaleState::Paid));
    for line in &said {
        let (what, sale) = line.split_once(' ').unwrap();
        assert!(paid.contains(sale) || what == "placed" && placed.contains(sale), "`{line}` was said, and is not so");
    }
    let drawer = fs::read_to_string(drawer_of(&path)).unwrap();
    let taken: BTreeSet<&str> = drawer.lines().collect();
    assert_eq!(taken.len(), drawer.lines().count(), "money was taken twice");
    let runtime = runtime(&path);
    let doubts = block_on(runtime.in_doubt(None, usize::MAX)).unwrap();
    let in_doubt: BTreeSet<&str> = doubts.iter().map(|doubt| doubt.open.key.id()).collect();
    assert!(paid.is_subset(&taken), "a payment is on the record that never was");
    assert!(taken.iter().all(|sale| paid.contains(sale) || in_doubt.contains(sale)), "money was taken unseen");
    let report = block_on(Verification::of(runtime.store()).run(|_| ())).unwrap();
    assert!(report.is_sound() && report.entities >= kills as u64, "{report}");
}
