//! The rules of the house that no compiler knows.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use kiff::ReasonCode;
use serde_json::Value;

/// The house measure is about 400; what is far beyond it has to be cut.
const LINES: usize = 450;

fn root() -> PathBuf {
    PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/.."))
}

/// Every Rust file below a folder, with its text.
fn sources(folder: &str) -> BTreeMap<PathBuf, String> {
    let mut found = BTreeMap::new();
    let mut folders = vec![root().join(folder)];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display())) {
            let path = entry.unwrap().path();
            if path.is_dir() && !path.ends_with("node_modules") {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                found.insert(path.strip_prefix(root()).unwrap().to_owned(), fs::read_to_string(&path).unwrap());
            }
        }
    }
    found
}

fn house() -> BTreeMap<PathBuf, String> {
    let crates =
        ["kiff/src", "kiff/benches", "kiff-macros/src", "kiff-macros/benches", "kiff-test/src", "kiff-test/tests"];
    let others = ["examples", "tests/browser", "tests/it", "tests/language", "tests/load"];
    crates.into_iter().chain(others).flat_map(sources).collect()
}

/// The top module that a file of `kiff/src` belongs to.
fn top_module(path: &Path) -> String {
    let inside = path.strip_prefix("kiff/src").unwrap();
    inside.iter().next().unwrap().to_string_lossy().trim_end_matches(".rs").to_owned()
}

#[test]
fn a_module_uses_only_modules_declared_above_it() {
    let library = fs::read_to_string(root().join("kiff/src/lib.rs")).unwrap();
    let order: Vec<&str> = library
        .lines()
        .filter_map(|line| line.trim_start_matches("pub ").strip_prefix("mod ")?.strip_suffix(';'))
        .collect();
    assert!(order.len() > 20, "the list of modules was not found: {order:?}");
    let place = |module: &str| order.iter().position(|known| *known == module);
    let mut wrong = Vec::new();
    for (path, text) in sources("kiff/src") {
        let module = top_module(&path);
        let Some(own) = place(&module) else { continue };
        for used in text.split("crate::").skip(1) {
            let used: String = used.chars().take_while(|letter| letter.is_alphanumeric() || *letter == '_').collect();
            if place(&used).is_some_and(|used| used > own) {
                wrong.push(format!("{} uses `{used}`, which is declared below `{module}`", path.display()));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn a_file_says_what_it_is_for_and_is_not_too_long() {
    let mut wrong = Vec::new();
    for (path, text) in house() {
        let first = text.lines().next().unwrap_or_default();
        // What documentation includes cannot begin so.
        let is_included = path == Path::new("kiff-test/tests/it/refund.rs") && first.starts_with("// ");
        if !first.starts_with("//! ") && !is_included {
            wrong.push(format!("{} does not open with a `//!` sentence", path.display()));
        }
        let lines = text.lines().count();
        if lines > LINES {
            wrong.push(format!("{} has {lines} lines", path.display()));
        }
        let name = path.file_stem().unwrap().to_string_lossy().into_owned();
        let says_nothing = ["mod", "utils", "util", "common", "helpers", "helper", "support", "misc"];
        if says_nothing.contains(&name.as_str()) && path != Path::new("tests/it/main.rs") {
            wrong.push(format!("{} has a name that says nothing", path.display()));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn the_house_has_no_loose_ends() {
    // Written in two halves, so that this file does not find itself.
    let banned = [
        (["#[all", "ow("].concat(), "say `#[expect(…, reason = \"…\")]`"),
        (["to", "do!("].concat(), "finish it"),
        (["unimple", "mented!("].concat(), "finish it"),
        (["#[ign", "ore"].concat(), "a test that never runs proves nothing"),
        (["thread::", "sleep"].concat(), "wait for the thing, not for the time"),
        (["use super", "::*"].concat(), "name what you use"),
    ];
    let mut wrong = Vec::new();
    for (path, text) in house() {
        let test = path.components().any(|part| part.as_os_str() == "tests" || part.as_os_str() == "tests.rs");
        for (number, line) in text.lines().enumerate() {
            for (word, instead) in &banned {
                let in_generated_code = word.contains("all")
                    && (path.starts_with("kiff-macros") || path.starts_with("kiff/src/bin/kiff/check/probe"));
                let is_pause = path == Path::new("examples/tour/narrator.rs") || path.starts_with("kiff/benches");
                let pause_for_a_reader_or_a_rate = word.contains("sleep") && is_pause;
                let in_test_module = word.contains("super") && (test || text.contains("#[cfg(test)]"));
                let is_meant = in_generated_code || in_test_module || pause_for_a_reader_or_a_rate;
                if line.contains(word.as_str()) && !is_meant {
                    wrong.push(format!("{}:{}: {instead}", path.display(), number + 1));
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// All examples of a crate are compiled as one program, in another folder; where one does not find its file there, each is compiled
/// by itself.
#[test]
fn an_example_names_a_file_by_its_whole_path() {
    let mut wrong = Vec::new();
    for (path, text) in house() {
        for (number, line) in text.lines().enumerate() {
            let is_documentation = ["///", "//!"].iter().any(|begin| line.trim_start().starts_with(begin));
            let is_relative =
                ["include!(\"", "include_str!(\"", "include_bytes!(\""].iter().any(|start| line.contains(start));
            if is_documentation && is_relative {
                wrong.push(format!(
                    "{}:{}: say `concat!(env!(\"CARGO_MANIFEST_DIR\"), …)`",
                    path.display(),
                    number + 1
                ));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn every_test_of_the_workspace_is_run() {
    let mut command = Command::new(env!("CARGO"));
    command.args(["metadata", "--no-deps", "--format-version", "1"]).current_dir(root());
    let told = command.output().unwrap();
    assert!(told.status.success(), "{}", String::from_utf8_lossy(&told.stderr));
    let workspace: Value = serde_json::from_slice(&told.stdout).unwrap();
    let script = fs::read_to_string(root().join("tests/run")).unwrap();
    let lists = script.lines().filter(|line| line.starts_with("tests=(") || line.starts_with("language=("));
    let named: Vec<&str> = lists.flat_map(|line| line.split(['(', ' ', ')'])).collect();
    let mut wrong = Vec::new();
    for package in workspace["packages"].as_array().unwrap() {
        for target in package["targets"].as_array().unwrap().iter().filter(|target| target["test"] == true) {
            let name = target["name"].as_str().unwrap();
            let is_named = match target["kind"][0].as_str().unwrap() {
                "lib" | "proc-macro" => named.contains(&"--lib"),
                "bin" => named.contains(&"--bins"),
                "test" => named.windows(2).any(|words| words == ["--test", name]),
                _ => false,
            };
            if !is_named {
                wrong.push(format!("tests/run does not run `{name}` of {}: name it in its lists", package["name"]));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// What users match to the last variant: whatever came to it would ask them for another answer.
const CLOSED: [&str; 10] =
    ["ActorKind", "Appended", "Change", "Cursor", "Effect", "Outcome", "Reconciled", "Risk", "Unexecuted", "Verdict"];

#[test]
fn what_a_later_version_may_add_to_is_matched_with_a_wildcard() {
    let mut wrong = Vec::new();
    for (path, text) in sources("kiff/src") {
        let lines: Vec<&str> = text.lines().map(str::trim_start).collect();
        for (number, line) in lines.iter().enumerate() {
            let Some(rest) = line.strip_prefix("pub enum ") else { continue };
            let name: String = rest.chars().take_while(|letter| letter.is_alphanumeric()).collect();
            let mut attributes = lines[..number].iter().rev().take_while(|line| line.starts_with("#["));
            if attributes.any(|line| *line == "#[non_exhaustive]") == CLOSED.contains(&name.as_str()) {
                wrong.push(format!(
                    "{}: `{name}` has to be `#[non_exhaustive]`, or else named among the closed ones",
                    path.display()
                ));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn generated_code_names_only_the_private_module() {
    let mut wrong = Vec::new();
    for (path, text) in sources("kiff-macros/src") {
        for (number, line) in text.lines().enumerate() {
            let mut rest = line;
            while let Some(at) = rest.find("::kiff::") {
                rest = &rest[at + "::kiff::".len()..];
                if !rest.starts_with("__private") && !line.trim_start().starts_with("//") {
                    wrong.push(format!("{}:{}: {}", path.display(), number + 1, line.trim()));
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// The pages that people read.
fn pages() -> Vec<PathBuf> {
    let docs = fs::read_dir(root().join("docs")).unwrap().map(|entry| entry.unwrap().path());
    let pages = docs.filter(|path| path.extension().is_some_and(|extension| extension == "md"));
    pages.chain([root().join("README.md")]).collect()
}

/// The page without its code.
fn prose(page: &Path) -> String {
    let text = fs::read_to_string(page).unwrap();
    text.split("\n```").step_by(2).collect::<Vec<_>>().join("\n")
}

/// What the headings of a page are called in links.
fn anchors(page: &Path) -> Vec<String> {
    let is_kept = |letter: &char| letter.is_alphanumeric() || " -_".contains(*letter);
    let anchor =
        |title: &str| title.trim().to_lowercase().chars().filter(is_kept).collect::<String>().replace(' ', "-");
    prose(page).lines().filter(|line| line.starts_with('#')).map(|line| anchor(line.trim_start_matches('#'))).collect()
}

#[test]
fn a_promise_has_the_same_words_on_both_pages() {
    let words = |text: &str| text.split_whitespace().collect::<Vec<_>>().join(" ");
    let read = |page: &str| fs::read_to_string(root().join(page)).unwrap();
    let (readme, architecture) = (read("README.md"), words(&read("docs/architecture.md")));
    let promises = readme.split("\n\n").find(|part| part.starts_with("- **P1** ")).unwrap();
    let promises: Vec<_> = promises.split("- **").skip(1).map(|promise| promise.split_once("** ").unwrap()).collect();
    assert_eq!(promises.len(), 10);
    for (number, promise) in promises {
        let row = format!("| {number} | {} |", words(promise));
        assert!(architecture.contains(&row), "docs/architecture.md does not promise: {row}");
    }
}

#[test]
fn the_page_says_of_each_code_what_it_means_and_of_no_other() {
    let page = fs::read_to_string(root().join("docs/dsl.md")).unwrap();
    let (_, rest) = page.split_once("\n### What a code says\n").unwrap();
    let tables = rest.split("\n### ").next().unwrap().split("\n|---|---|---|\n").skip(1);
    let codes = |table: &str| -> BTreeSet<String> {
        let codes = table.lines().filter_map(|line| line.strip_prefix("| `")?.split('`').next());
        codes.map(str::to_owned).collect()
    };
    let [refusals, failures]: [_; 2] = tables.map(codes).collect::<Vec<_>>().try_into().unwrap();
    // Whoever asks for a code that there is not is told those that there are.
    let unknown = serde_json::from_str::<ReasonCode>("\"\"").unwrap_err().to_string();
    let of_the_gate = unknown.split('`').skip(3).step_by(2);
    let known: BTreeSet<String> = of_the_gate.chain(["too_many_waits"]).map(str::to_owned).collect();
    assert_eq!(refusals, known);
    let of_executors = ["action_in_progress", "did_not_begin", "did_not_happen", "error", "too_late"];
    assert_eq!(failures, BTreeSet::from(of_executors.map(str::to_owned)));
}

#[test]
fn links_in_the_pages_lead_somewhere() {
    let mut wrong = Vec::new();
    for page in pages() {
        let prose = prose(&page);
        for link in prose.split("](").skip(1).filter_map(|rest| rest.split(')').next()) {
            if link.contains("://") {
                continue;
            }
            let (file, anchor) = link.split_once('#').unwrap_or((link, ""));
            let target = if file.is_empty() { page.clone() } else { page.parent().unwrap().join(file) };
            let is_there = target.exists() && (anchor.is_empty() || anchors(&target).iter().any(|own| own == anchor));
            if !is_there {
                wrong.push(format!("{}: {link}", page.strip_prefix(root()).unwrap().display()));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
