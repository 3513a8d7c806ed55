//! `kiff new`: from an empty folder to a governed project.

use std::fs;

use super::{ROOT, cargo, folder, kiff};

#[test]
fn an_empty_folder_becomes_a_project_that_runs_and_passes_its_tests() {
    let folder = folder("new");
    let said = kiff(&folder, &["new", "support-desk", "--path", ROOT]).well();
    assert!(said.starts_with("created `support-desk` in `support-desk`\n"), "{said}");
    let package = folder.join("support-desk");
    cargo(&package, &["fmt", "--check"]);
    cargo(&package, &["clippy", "--quiet", "--all-targets"]);
    assert!(cargo(&package, &["test"]).contains("3 passed"));
    let demo = cargo(&package, &["run", "--quiet"]);
    let outcomes: Vec<&str> =
        demo.lines().take_while(|line| !line.is_empty()).filter_map(|line| line.split_whitespace().last()).collect();
    assert_eq!(outcomes, ["executed", "approval_required", "granted", "executed", "blocked"], "{demo}");
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
    assert!(manifest.contains(&format!("kiff = {{ version = \"{version}\" }}")), "{manifest}");
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
