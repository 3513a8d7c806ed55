//! The catalogue in docs/dsl.md: every rule with its reason, wrong lines, what rustc says, and right lines.
//!
//! All of it is in the program that breaks the rule, `ui/<macro>/<rule>.rs`, and in what rustc says about that. The program
//! ends with a comment: one sentence after `why:`, and below `right:` the parts (a section of the block, an executor)
//! that are to stand in place of those of the same name.
//!
//! `KIFF_BLESS=1 cargo test -p kiff-language catalogue` writes the catalogue down anew.

mod lesson;
mod message;

use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};

use self::lesson::Lesson;
use crate::ROOT;
use crate::crates::run_in;

const PAGE: &str = "docs/dsl.md";
const BEGIN: &str = "<!-- catalogue -->\n";
const END: &str = "<!-- /catalogue -->";

/// What must not compile, in the order in which a block is read.
const RULES: [(&str, &[&str]); 3] = [
    (
        "domain",
        &[
            "unknown_name",
            "duplicate_name",
            "no_initial_transition",
            "two_targets",
            "unreachable_state",
            "barred_state",
            "dead_end",
            "barred_way_out",
            "final_state_moves",
            "unused_event",
            "event_without_source",
            "emitted_and_reported",
            "action_allowed_nowhere",
            "illegal_emit",
            "missing_executor",
            "unapproved_risk",
            "permission_without_approval",
            "approves_own_action",
            "approver_not_human",
            "role_without_duty",
            "nobody_may",
            "never_violated",
            "never_vacuous",
        ],
    ),
    ("action", &["parameter_rule_mismatch", "float_parameter", "executor_signature"]),
    ("reconcile", &["reconcile_signature", "nothing_to_reconcile"]),
];

#[test]
fn every_rule_has_a_program_that_breaks_it_and_its_words() {
    let mut wrong = Vec::new();
    for (group, rules) in RULES {
        for rule in rules {
            let path = root().join("tests/language/ui").join(group).join(rule);
            if !path.with_extension("rs").is_file() || !path.with_extension("stderr").is_file() {
                wrong.push(format!("tests/language/ui/{group}/{rule}: the program or its `.stderr` is missing"));
            } else if Lesson::read(group, rule).right.is_empty() {
                wrong.push(format!("tests/language/ui/{group}/{rule}.rs: no `// right:` at its end"));
            }
        }
    }
    for lesson in ["domain", "action", "reconcile"].into_iter().flat_map(lessons) {
        if lesson.why.is_empty() {
            wrong.push(format!("tests/language/ui/{}/{}.rs: no `// why: …` at its end", lesson.group, lesson.rule));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn the_catalogue_is_what_the_programs_say() {
    let path = root().join(PAGE);
    let page = fs::read_to_string(&path).unwrap();
    let (before, rest) = page.split_once(BEGIN).expect("docs/dsl.md has no `<!-- catalogue -->`");
    let (_, after) = rest.split_once(END).expect("docs/dsl.md has no `<!-- /catalogue -->`");
    let fresh = format!("{before}{BEGIN}{}{END}{after}", catalogue());
    if fresh == page {
        return;
    }
    if std::env::var_os("KIFF_BLESS").is_some() {
        fs::write(&path, fresh).unwrap();
        return;
    }
    let line = page.lines().zip(fresh.lines()).position(|(old, new)| old != new).unwrap_or_default() + 1;
    panic!(
        "the catalogue is stale from {PAGE}:{line} on; write it anew with \
         `KIFF_BLESS=1 cargo test -p kiff-language catalogue` and read what has changed"
    );
}

#[test]
fn what_the_catalogue_calls_right_builds() {
    let lessons =
        ["domain", "action", "reconcile"].into_iter().flat_map(lessons).filter(|lesson| !lesson.right.is_empty());
    // For everybody to use, so that all of it is built.
    let modules = lessons.map(|lesson| format!("pub mod {}_{} {{\n{}}}\n", lesson.group, lesson.rule, lesson.mended()));
    let library = format!("#![allow(warnings)]\n{}", modules.collect::<String>());
    let manifest = format!(
        "[package]\nname = \"right\"\nversion = \"0.0.0\"\nedition = \"2024\"\n\n[dependencies]\nkiff = {{ path = \
         '{ROOT}/kiff' }}\nserde = {{ version = \"1\", default-features = false, features = [\"derive\"] \
         }}\n\n[workspace]\n"
    );
    let package = Path::new(env!("CARGO_TARGET_TMPDIR")).join("right");
    fs::create_dir_all(package.join("src")).unwrap();
    fs::write(package.join("Cargo.toml"), manifest).unwrap();
    fs::write(package.join("src/lib.rs"), library).unwrap();
    let (is_built, said) = run_in(&package, &["build", "--quiet"]);
    assert!(is_built, "{said}");
}

fn root() -> PathBuf {
    PathBuf::from(ROOT)
}

/// The whole of the catalogue.
fn catalogue() -> String {
    let mut text = String::from(
        "\nEach rule is broken by a program below [tests/language/ui](../tests/language/ui), which the tests compile: what stands here \
         is what rustc prints, without the `help` and `note` that it adds about the inside of kiff. After the reason come the wrong lines, the \
         message, and the right lines.\n\n",
    );
    contents(&mut text);
    let faults = [
        ("domain", "Faults of the block\n"),
        ("action", "Faults of executors\n"),
        ("reconcile", "Faults of reconcile fns\n"),
        ("handle", "Faults with typed handles\n\nWhat the block does not allow, a program cannot ask for either.\n"),
    ];
    for (group, title) in faults {
        let _ = write!(text, "\n### {title}");
        for lesson in lessons(group) {
            lesson.write(&mut text);
        }
    }
    permits(&mut text);
    text
}

/// A table of the rules, with links.
fn contents(text: &mut String) {
    text.push_str("| Rule | Why |\n|---|---|\n");
    for (group, rules) in RULES {
        for rule in rules {
            let _ = writeln!(text, "| [`{rule}`](#{rule}) | {} |", Lesson::read(group, rule).why);
        }
    }
}

/// Each way to come by a permit that is none, with what rustc says to it.
fn permits(text: &mut String) {
    text.push_str("\n### Tricks with permits\n\nNo program outside of kiff makes, copies or keeps what an executor runs with.\n\n");
    text.push_str("| Tried | Why it fails | rustc says |\n|---|---|---|\n");
    for Lesson { group, rule, about, message, .. } in lessons("permit") {
        let says = message.lines().next().unwrap_or_default().replace('|', "\\|");
        let _ = writeln!(text, "| [`{rule}`](../tests/language/ui/{group}/{rule}.rs) | {about} | {says} |");
    }
}

/// The lessons of one folder: the rules in their order, then all others by name.
fn lessons(group: &str) -> Vec<Lesson> {
    let folder = root().join("tests/language/ui").join(group);
    let paths = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let programs = paths.filter(|path| path.extension().is_some_and(|extension| extension == "rs"));
    let mut names: Vec<String> = programs.map(|path| stem(&path)).collect();
    let known = RULES.iter().find(|(own, _)| *own == group).map_or(&[][..], |(_, rules)| rules);
    let place = |name: &str| known.iter().position(|rule| *rule == name).unwrap_or(known.len());
    names.sort_by(|one, other| (place(one), one).cmp(&(place(other), other)));
    names.iter().map(|rule| Lesson::read(group, rule)).collect()
}

fn stem(path: &Path) -> String {
    path.file_stem().unwrap().to_string_lossy().into_owned()
}
