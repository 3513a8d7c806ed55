//! What the macros cost to build: domains of three sizes beside the same written by hand, and a first build from nothing.
//!
//! `cargo bench --package kiff-macros --bench cost` prints CPU seconds, user and system together, of `cargo check` of the one
//! crate, its dependencies being built. `-- cold` adds the first build of a crate that has `kiff` as its only dependency.

#![expect(clippy::expect_used, reason = "a bench that cannot measure must say so")]

#[path = "cost"]
mod cost {
    //! What is measured.

    pub(crate) mod by_hand;
    pub(crate) mod domain;
}

use std::env;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

/// How many states and actions, how many seconds of CPU the macros may cost more than what is written by hand, and how many
/// builds make one measurement: the kernel counts in hundredths of a second.
const SIZES: [(usize, usize, f64, u32); 3] = [(10, 12, 0.03, 8), (30, 60, 0.1, 2), (60, 200, 0.4, 1)];
/// The median of so many measurements counts.
const ROUNDS: usize = 5;
/// A first build may take so many seconds of CPU, and so many crates.
const COLD: (f64, usize) = (15.0, 40);

fn main() {
    let workspace = Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("the workspace is around this package");
    let folder = env::temp_dir().join("kiff-cost");
    println!(
        "{:>8} {:>8} {:>9} {:>9} {:>9} {:>7} {:>9}",
        "states", "actions", "by hand", "kiff", "extra", "ratio", "goal"
    );
    for (states, actions, goal, builds) in SIZES {
        let by_hand = Package::write(&folder, workspace, "by-hand", &cost::by_hand::source(states, actions));
        let governed = Package::write(&folder, workspace, "governed", &cost::domain::source(states, actions));
        let (by_hand, governed) = (&by_hand, &governed);
        let (mut one, mut other) = (Vec::new(), Vec::new());
        by_hand.check();
        governed.check();
        // By turns, so that what else the machine does meets both.
        for _ in 0..ROUNDS {
            one.push(by_hand.measure(builds));
            other.push(governed.measure(builds));
        }
        let (one, other) = (median(one), median(other));
        let (extra, ratio) = (other - one, other / one);
        println!("{states:>8} {actions:>8} {one:>8.3}s {other:>8.3}s {extra:>8.3}s {ratio:>7.1} {goal:>8.2}s");
    }
    if env::args().any(|argument| argument == "cold") {
        let (seconds, crates) = cold(&folder, workspace);
        println!("first build: {seconds:.1} s, {crates} crates; goal: {:.0} s, {} crates", COLD.0, COLD.1);
    }
}

/// A crate that is generated to be measured.
struct Package {
    folder: PathBuf,
    target: PathBuf,
}

impl Package {
    fn write(folder: &Path, workspace: &Path, name: &str, source: &str) -> Self {
        let package = Self { folder: folder.join(name), target: folder.join("target") };
        fs::create_dir_all(package.folder.join("src")).expect("the temporary folder can be written");
        let kiff = workspace.join("kiff");
        let manifest = format!(
            "[package]\nname = \"{name}\"\nedition = \"2024\"\n\n[workspace]\n\n[dependencies]\nkiff = {{ path = \"{}\" }}\n\
             serde = {{ version = \"1\", features = [\"derive\"] }}\nserde_json = \"1\"\n",
            kiff.display()
        );
        // A package of its own has no `kiff` beside it; the versions are those of the workspace.
        fs::copy(workspace.join("Cargo.lock"), package.folder.join("Cargo.lock")).expect("the workspace has a lock");
        fs::write(package.folder.join("Cargo.toml"), manifest).expect("the manifest can be written");
        fs::write(package.folder.join("src/lib.rs"), source).expect("the source can be written");
        package
    }

    /// `cargo`, without what the cargo around this bench tells its children.
    fn cargo(&self, arguments: &[&str]) -> Output {
        let mut command = Command::new(env!("CARGO"));
        command.args(arguments).args(["--offline"]).current_dir(&self.folder);
        command.env("CARGO_TARGET_DIR", &self.target).env("CARGO_INCREMENTAL", "0");
        let output = command.output().expect("cargo runs");
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "cargo {arguments:?}:\n{said}");
        output
    }

    fn check(&self) {
        self.cargo(&["check", "--quiet"]);
    }

    /// CPU seconds of one check of this crate alone.
    fn measure(&self, builds: u32) -> f64 {
        let source = self.folder.join("src/lib.rs");
        let text = fs::read_to_string(&source).expect("the source was written");
        let before = cpu_of_children();
        for _ in 0..builds {
            fs::write(&source, &text).expect("the source can be written");
            self.check();
        }
        (cpu_of_children() - before) / f64::from(builds)
    }
}

/// CPU seconds and number of crates of the first build.
fn cold(folder: &Path, workspace: &Path) -> (f64, usize) {
    let mut package = Package::write(folder, workspace, "newcomer", "//! A newcomer's crate.\n");
    let manifest = fs::read_to_string(package.folder.join("Cargo.toml")).expect("the manifest was written");
    let only_kiff: String =
        manifest.lines().filter(|line| !line.starts_with("serde")).fold(String::new(), |all, line| all + line + "\n");
    fs::write(package.folder.join("Cargo.toml"), only_kiff).expect("the manifest can be written");
    package.target = folder.join("cold");
    if package.target.exists() {
        fs::remove_dir_all(&package.target).expect("the temporary folder can be emptied");
    }
    let before = cpu_of_children();
    let output = package.cargo(&["build"]);
    let crates = String::from_utf8_lossy(&output.stderr).lines().filter(|line| line.contains("Compiling")).count();
    (cpu_of_children() - before, crates)
}

/// User and system time of all processes that ended below this one, as the kernel counts it.
fn cpu_of_children() -> f64 {
    let stat = fs::read_to_string("/proc/self/stat").expect("this bench needs Linux");
    // The name of the program may hold anything; behind it the fields are numbers.
    let fields = stat.rsplit(')').next().unwrap_or_default();
    let ticks: u32 = fields.split_whitespace().skip(13).take(2).filter_map(|field| field.parse::<u32>().ok()).sum();
    f64::from(ticks) / 100.0
}

fn median(mut seconds: Vec<f64>) -> f64 {
    seconds.sort_by(f64::total_cmp);
    seconds.get(seconds.len() / 2).copied().unwrap_or_default()
}
