//! `kiff scaffold`: from a descriptor to a domain that compiles and passes its tests.

use std::fs;
use std::path::{Path, PathBuf};

use super::{ROOT, cargo, folder, kiff};

fn descriptor(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("it/cli/descriptors").join(name)
}

/// Gives the tests of a package what a project of `kiff new` has, for which the test kit is built in any case.
fn test_as_a_project(manifest: &Path) {
    let starter = include_str!("../../../kiff/src/bin/kiff/new/starter/manifest.toml");
    let dependencies = starter.split_once("[dependencies]\n").unwrap().1.split_once("\n[").unwrap().0;
    let text = fs::read_to_string(manifest).unwrap();
    let plain = text.lines().find_map(|line| line.strip_prefix("kiff = ")?.strip_suffix(" }")).unwrap();
    let kiff = format!("{plain}, features = [\"http\", \"proof\", \"sqlite\"] }}");
    let dependencies = format!("[dev-dependencies]\n{}", dependencies.replace("@KIFF@", &kiff));
    assert!(text.contains("[dev-dependencies]\n"), "{text}");
    fs::write(manifest, text.replace("[dev-dependencies]\n", &dependencies)).unwrap();
}

/// Scaffolds a descriptor, and holds what is written to the compiler, the lints and its own tests.
fn scaffolded(name: &str) -> (String, String) {
    let folder = folder(&format!("scaffold-{name}"));
    let source = descriptor(&format!("{name}.json"));
    let arguments = ["scaffold", source.to_str().unwrap(), "--path", ROOT, "--out", name];
    let said = kiff(&folder, &arguments).well();
    let package = folder.join(name);
    cargo(&package, &["fmt", "--check"]);
    cargo(&package, &["build", "--quiet"]);
    test_as_a_project(&package.join("Cargo.toml"));
    cargo(&package, &["test", "--quiet"]);
    (said, fs::read_to_string(package.join("src/lib.rs")).unwrap())
}

#[test]
fn a_domain_has_only_its_executors_left_to_fill() {
    let (said, library) = scaffolded("claim");
    assert!(
        said.starts_with("wrote the domain `Claims` to `claim`: 3 states, 3 events, 2 actions, 3 roles\n"),
        "{said}"
    );
    for line in [
        "    pub domain Claims governs Claim;",
        "    roles { Agent: agent, Adjuster: human, System: system }",
        "    states { Filed, Assessed, final Paid }",
        "        ClaimAssessed: Filed    => Assessed;",
        "        PayClaim    { risk: critical, by: Agent, emits: ClaimPaid, approval: Adjuster, permission: \"claims.pay\" };",
        "    never { Paid without Adjuster; }",
        "    #[param(range(min = 1, max = 1_000_000))] amount: Cents,",
        "    unwritten(ClaimPaid { amount, iban })",
    ] {
        assert!(library.lines().any(|own| own == line), "no `{line}` in:\n{library}");
    }
}

#[test]
fn the_name_of_a_descriptor_is_no_line_of_code() {
    let folder = folder("scaffold-name");
    let name = "claim\npub fn smuggled() {}\n.json";
    fs::copy(descriptor("claim.json"), folder.join(name)).unwrap();
    kiff(&folder, &["scaffold", name, "--path", ROOT, "--out", "claim"]).well();
    for file in ["src/lib.rs", "DECISIONS.md"] {
        let text = fs::read_to_string(folder.join("claim").join(file)).unwrap();
        let first = text.lines().next().unwrap();
        assert!(first.contains("`claim\\u{a}pub fn smuggled() {}\\u{a}.json`"), "{first}");
    }
}

#[test]
fn what_the_descriptor_allows_and_kiff_does_not_is_told_by_its_rule() {
    let (said, library) = scaffolded("parcel");
    for rule in [
        "duplicate_name",
        "two_targets",
        "unreachable_state",
        "barred_state",
        "dead_end",
        "barred_way_out",
        "final_state_moves",
        "unused_event",
        "illegal_emit",
        "action_allowed_nowhere",
        "nobody_may",
        "unapproved_risk",
        "approves_own_action",
        "approver_not_human",
        "emitted_and_reported",
        "event_without_source",
        "role_without_duty",
    ] {
        assert!(said.contains(&format!("\n- `{rule}`: ")), "no `{rule}` in:\n{said}");
        // Each is a rule of the language and stands in its catalogue.
        let catalogue = fs::read_to_string(Path::new(ROOT).join("docs/dsl.md")).unwrap();
        assert!(catalogue.contains(rule), "{rule} is no rule");
    }
    assert!(said.contains("- `unapproved_risk`: `SETTLE` has high risk and nobody has to approve it.\n"), "{said}");
    assert!(said.contains("the parameters `carrier` and `Carrier` are both `carrier` here.\n"), "{said}");
    for line in [
        "    pub domain ParcelDesk as \"parcel.desk\" governs Parcel as \"parcel\";",
        "        PaidEvent as \"PAID\" { amount_cents: Cents };",
        "        ParcelSentReported: new    => Sent;",
        "    never { Paid without Operator; }",
    ] {
        assert!(library.lines().any(|own| own == line), "no `{line}` in:\n{library}");
    }
}

#[test]
fn what_is_named_as_the_language_names_things_compiles_and_passes_its_tests() {
    let (said, library) = scaffolded("refund-desk");
    assert!(said.contains("\n- `duplicate_name`: "), "{said}");
    for part in [
        "\n        PayAction as \"PAY\" ",
        " { risk: low, by: Agent | Manager, emits: PayEvent | PayFailed, ",
        "emits: none, permission: \"refund-desk.run_approve_refund_order\" };\n",
        "\n    never { Closed without Operator; }\n",
        // What the written files use themselves.
        "\nasync fn unwritten_(",
        "\n        ReasonCodeAction as \"REASON_CODE\" { ",
        "\n    unwritten(OrderClosed {",
    ] {
        assert!(library.contains(part), "no `{part}` in:\n{library}");
    }
}

#[test]
fn a_program_gets_the_findings_as_data() {
    let folder = folder("scaffold-json");
    let source = descriptor("claim.json");
    let said = kiff(&folder, &["scaffold", source.to_str().unwrap(), "--json"]).well();
    let answer: serde_json::Value = serde_json::from_str(&said).unwrap();
    assert_eq!(answer["created"], "claims");
    assert_eq!(answer["findings"][0]["said"], "who approves");
    assert_eq!(answer["findings"][1]["rule"], "emitted_and_reported");
    assert!(folder.join("claims/DECISIONS.md").is_file());
}

#[test]
fn a_domain_that_no_package_can_be_called_as_needs_a_folder() {
    let folder = folder("scaffold-core");
    let core = fs::read_to_string(descriptor("claim.json")).unwrap().replace("\"claims\"", "\"core\"");
    fs::write(folder.join("core.json"), core).unwrap();
    let told = kiff(&folder, &["scaffold", "core.json"]).not_done();
    let help = "  = help: name another folder with `--out DIR`, new or empty: the package is called as the folder is\n";
    assert_eq!(told, format!("error: `core` means something else already\n{help}"));
    kiff(&folder, &["scaffold", "core.json", "--out", "core-desk"]).well();

    fs::create_dir_all(folder.join("claims/src")).unwrap();
    let told = kiff(&folder, &["scaffold", descriptor("claim.json").to_str().unwrap()]).not_done();
    assert_eq!(told, format!("error: there is already something in `claims`\n{help}"));
}

#[test]
fn what_is_no_descriptor_is_shown_where_it_is_none() {
    let folder = folder("scaffold-faults");
    let right = fs::read_to_string(descriptor("claim.json")).unwrap();
    let refused = |from: &str, to: &str| {
        let wrong = right.replacen(from, to, 1);
        assert_ne!(wrong, right, "nothing to replace: {from}");
        fs::write(folder.join("claim.json"), wrong).unwrap();
        kiff(&folder, &["scaffold", "claim.json"]).not_done()
    };
    assert_eq!(
        refused("\"approval\": \"required\"", "\"approvel\": \"required\""),
        "error: unknown key `approvel`
  --> claim.json:28:7
   |
28 |       \"approvel\": \"required\",
   |       ^^^^^^^^^^ expected one of `name`, `allowed_states`, `required_parameters`, `required_permissions`, `risk`, `approval`, `follow_up_events`
"
    );
    assert_eq!(
        refused("\"to\": \"PAID\"", "\"to\": \"PAIDD\""),
        "error: unknown state `PAIDD`
  --> claim.json:10:52
   |
10 |     {\"on\": \"CLAIM_PAID\", \"from\": \"ASSESSED\", \"to\": \"PAIDD\"}
   |                                                    ^^^^^^^ did you mean `PAID`?
   = note: rule: unknown_name
"
    );
    assert!(refused("\"risk\": \"critical\"", "\"risk\": \"huge\"").contains("expected low, medium, high, critical"));
    assert!(refused("\"from\": \"\",", "\"from\": \"PAID\",").contains("note: rule: no_initial_transition"));
    assert!(refused("[\"FILED\"]", "[]").contains("no state allows the action `ASSESS_CLAIM`"));
    assert!(refused("\"IBAN\"".to_lowercase().as_str(), "\"the iban\"").contains("rule: malformed_name"));
    assert!(refused("\"domain\": \"claims\",", "").contains("error: missing key `domain`"));
    assert!(refused("{", "").starts_with("error: "));
    let states: Vec<String> = (0..126).map(|number| format!("\"S{number}\", ")).collect();
    let told = refused("\"states\": [", &format!("\"states\": [{}", states.concat()));
    assert!(told.starts_with("error: a domain has at most 128 states, and `PAID` is one more\n"), "{told}");
    assert!(told.ends_with("  = note: rule: too_many\n") && told.lines().all(|line| line.len() < 230), "{told}");
    assert_eq!(fs::read_dir(&folder).unwrap().count(), 1, "nothing but the descriptor is there");
    fs::write(folder.join("bytes.json"), b"\xff\xfe{}").unwrap();
    let told = kiff(&folder, &["scaffold", "bytes.json"]).not_done();
    assert_eq!(told, "error: cannot read `bytes.json`: it is no text in UTF-8\n");
    let told = kiff(&folder, &["scaffold", "none.json"]).not_done();
    assert_eq!(told, "error: cannot read `none.json`: there is none\n");
}
