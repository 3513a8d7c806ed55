//! `kiff check`: a crate's governance, and what changed of it.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use super::{ROOT, Ran, folder, kiff, no_room};
use crate::programs::{Program, packages};

/// A project that `kiff new` wrote, built with the versions of the workspace.
fn project(name: &str) -> PathBuf {
    let folder = folder(name);
    kiff(&folder, &["new", "desk", "--path", ROOT]).well();
    fs::copy(Path::new(ROOT).join("Cargo.lock"), folder.join("desk/Cargo.lock")).unwrap();
    folder
}

/// Runs `kiff check` where what is built is shared with the other tests.
fn check(folder: &Path, arguments: &[&str]) -> Ran {
    let mut command = Command::new(Program::CommandLine.path());
    command.arg("check").args(arguments).current_dir(folder).stdin(Stdio::null());
    command.env("CARGO_TARGET_DIR", packages());
    Ran::of(&command.output().unwrap())
}

const OVERVIEW: &str = "
roles   agent (agent), operator (human), inbox (system)
states  OPEN, ANSWERED, REFUNDED (final)

action         risk  by     approval  allowed in      emits
ANSWER_TICKET  low   agent  -         OPEN            TICKET_ANSWERED
REFUND_TICKET  high  agent  operator  OPEN, ANSWERED  TICKET_REFUNDED

event            from      to        made by
TICKET_OPENED    new       OPEN      inbox reports it
TICKET_ANSWERED  OPEN      ANSWERED  ANSWER_TICKET
TICKET_REFUNDED  OPEN      REFUNDED  REFUND_TICKET
TICKET_REFUNDED  ANSWERED  REFUNDED  REFUND_TICKET

proved, never
  REFUNDED without operator
  agent alone from OPEN to REFUNDED

nothing to look at
";

/// What is told of a bound that is another.
const RAISED: &str = "
nothing to look at

the governance is NOT the one that was saved
  the parameter `amount` of `REFUND_TICKET` is Cents, range(min = 1, max = 100001), and was Cents, range(min = 1, max = 100000)
  the contract of `REFUND_TICKET` is another
    approvals of it that were asked for before, granted or not, count no more: they are to be asked for again
";

#[test]
fn a_crate_is_explained_drawn_and_compared() {
    let folder = project("check");
    let said = check(&folder, &["desk", "--diagram", "desk.svg", "--save", "reviewed.json", "--strict"]).well();
    let begins = "domain `support` governs `Ticket`\ndeclared in desk/src/domain.rs\nfingerprint ";
    assert!(said.starts_with(begins) && said.ends_with(OVERVIEW), "{said}");
    assert!(fs::read_to_string(folder.join("desk.svg")).unwrap().starts_with("<svg"));
    check(&folder, &["desk", "--diagram", "desk.mmd"]).well();
    assert!(fs::read_to_string(folder.join("desk.mmd")).unwrap().starts_with("stateDiagram-v2"));
    let same = check(&folder, &["desk", "--against", "reviewed.json"]).well();
    assert!(same.ends_with("\nthe governance is the one that was saved\n"), "{same}");

    let domain = folder.join("desk/src/domain.rs");
    let text = fs::read_to_string(&domain).unwrap();
    fs::write(&domain, text.replace("max = 100_000", "max = 100_001")).unwrap();
    let other = check(&folder, &["desk", "--against", "reviewed.json"]).ended_with(1);
    assert!(other.ends_with(RAISED), "{other}");

    let unbounded = text.replace("#[param(range(min = 1, max = 100_000))]", "").replace("low,  by", "medium, by");
    fs::write(&domain, unbounded).unwrap();
    let looked = check(&folder, &["desk", "--strict", "--json"]).ended_with(1);
    let answer: serde_json::Value = serde_json::from_str(&looked).unwrap();
    let codes: Vec<&str> =
        answer[0]["findings"].as_array().unwrap().iter().map(|finding| finding["code"].as_str().unwrap()).collect();
    assert_eq!(codes, ["unwatched_effect", "unbounded_amount"]);
    assert_eq!(answer[0]["schema"]["domain"], "support");

    // What does not compile is told in the compiler's own words, at the user's own line.
    let line = text.lines().position(|line| line.contains("risk: high")).unwrap() + 1;
    fs::write(&domain, text.replace(", approval: Operator", "")).unwrap();
    let told = check(&folder, &["desk"]).not_done();
    let place = format!("\n  --> src/domain.rs:{line}:");
    assert!(told.starts_with("error: ") && told.contains(&place), "{told}");
    assert!(
        told.contains("has high risk and nobody has to") && told.contains("\nerror: `desk` does not build\n"),
        "{told}"
    );
}

/// A domain of one state and one action, which nobody outside of its module sees.
fn block(domain: &str, entity: &str) -> String {
    format!(
        "use kiff::{{Failure, action, domain}};

domain! {{
    /** One state, [and one action. */
    #[doc = \"see [Close]\"]
    domain {domain} governs {entity};

    roles {{ Agent: agent, Shop: system }}
    states {{ Open, final Closed }}
    events {{ Opened reported by Shop; ClosedUp; }}
    transitions {{ Opened: new => Open; ClosedUp: Open => Closed; }}
    actions {{ Close {{ risk: low, by: Agent, emits: ClosedUp, effect: none }}; }}
    allow {{ Open => [Close]; }}
}}

#[action({domain}::Close)]
async fn close() -> Result<ClosedUp, Failure> {{
    Ok(ClosedUp {{}})
}}
"
    )
}

/// A workspace of a program, of a library with a program beside it, and of a package without a domain.
fn workspace() -> PathBuf {
    let folder = folder("check-workspace");
    let write = |path: &str, text: &str| {
        fs::create_dir_all(folder.join(path).parent().unwrap()).unwrap();
        fs::write(folder.join(path), text).unwrap();
    };
    let manifest = |name: &str| {
        // As a checkout beside the workspace is named, from the root and from the package.
        let kiff = "kiff = { workspace = true }";
        format!("[package]\nname = \"{name}\"\nversion = \"0.1.0\"\nedition = \"2024\"\n\n[dependencies]\n{kiff}\n")
    };
    let above = "../".repeat(folder.components().count());
    let root = fs::canonicalize(ROOT).unwrap();
    let members =
        "[workspace]\nmembers = [\"door\", \"desk\", \"plain\"]\nresolver = \"3\"\n\n[workspace.dependencies]\n";
    write(
        "Cargo.toml",
        &format!(
            "{members}kiff = {{ path = \"{above}{}/kiff\" }}\n",
            root.display().to_string().trim_start_matches('/')
        ),
    );
    fs::copy(Path::new(ROOT).join("Cargo.lock"), folder.join("Cargo.lock")).unwrap();
    // A program alone, whose domain stands in its root beside an asynchronous `main` of its own kind.
    write("door/Cargo.toml", &manifest("door"));
    write(
        "door/src/main.rs",
        &format!(
            "//! The door.\n#![deny(warnings)]\n\n{}\nfn main() {{\n    println!(\"{{}}\", Door::schema().domain);\n}}\n",
            block("Door", "Lock")
        ),
    );
    // A library with a domain two private modules down, and a program that uses it and has one of its own.
    write("desk/Cargo.toml", &manifest("desk"));
    write(
        "desk/src/lib.rs",
        "//! The desk.\n\nmod inner;\n\n/// Its name.\npub fn name() -> &'static str {\n    inner::name()\n}\n",
    );
    write(
        "desk/src/inner.rs",
        "//! Inside.\n\nmod ticket;\n\npub(crate) fn name() -> &'static str {\n    ticket::name()\n}\n",
    );
    let named = "\npub(super) fn name() -> &'static str {\n    &Tickets::schema().domain\n}\n";
    write("desk/src/inner/ticket.rs", &format!("{}{named}", block("Tickets", "Ticket")));
    write(
        "desk/src/bin/till.rs",
        &format!(
            "{}\nfn main() {{\n    println!(\"{{}} {{}}\", desk::name(), Till::schema().domain);\n}}\n",
            block("Till", "Sale")
        ),
    );
    // Its sources stand beside its tests, where a block is nobody's governance.
    write("plain/Cargo.toml", &format!("{}\n[lib]\npath = \"lib.rs\"\n", manifest("plain")));
    write("plain/lib.rs", "//! No domain.\n");
    write("plain/tests/ui/wrong.rs", &block("Wrong", "Sign"));
    folder
}

#[test]
fn every_package_of_a_workspace_is_explained_its_programs_and_private_modules_too() {
    let folder = workspace();
    let ticket = fs::read_to_string(folder.join("desk/src/inner/ticket.rs")).unwrap();
    let said = check(&folder, &[]).well();
    assert_eq!(
        fs::read_to_string(folder.join("desk/src/inner/ticket.rs")).unwrap(),
        ticket,
        "the user's files are the user's"
    );
    assert!(
        !folder.join("desk/src/bin/kiff_check_till.rs").exists() && !folder.join("desk/kiff-check-desk.rs").exists()
    );
    for (domain, file) in [
        ("`door` governs `Lock`", "door/src/main.rs"),
        ("`tickets` governs `Ticket`", "desk/src/inner/ticket.rs"),
        ("`till` governs `Sale`", "desk/src/bin/till.rs"),
    ] {
        assert!(said.contains(&format!("domain {domain}\ndeclared in {file}\n")), "{said}");
    }
    assert_eq!(said.matches("to look at\n").count(), 3, "each promises nothing:\n{said}");
    let one = check(&folder, &["door", "--diagram", "door.svg"]).well();
    assert!(one.contains("domain `door`") && !one.contains("`tickets`"), "{one}");
    assert!(fs::read_to_string(folder.join("door.svg")).unwrap().starts_with("<svg"));
    let told = check(&folder, &["plain"]).not_done();
    assert!(told.starts_with("error: there is no `domain!` block in `plain`\n"), "{told}");
    // A template is a text, and no source of the package that writes it.
    fs::create_dir(folder.join("door/src/templates")).unwrap();
    fs::write(folder.join("door/src/templates/gate.rs"), block("Gate", "Bolt")).unwrap();
    let main = fs::read_to_string(folder.join("door/src/main.rs")).unwrap();
    let template = "const _: &str = include_str!(\"templates/gate.rs\");\n";
    fs::write(folder.join("door/src/main.rs"), format!("{main}\n{template}")).unwrap();
    let place = Path::new("src/templates/gate.rs").display();
    let note = format!("the `domain!` block at `door/{place}:3` is not looked at: no `mod` line leads to it");
    let ran = check(&folder, &["door"]);
    assert_eq!((ran.code, ran.complained), (Some(0), format!("note: {note}\n")), "{}", ran.said);
    assert!(ran.said.contains("domain `door`") && !ran.said.contains("`gate`"), "{}", ran.said);
    let ran = check(&folder, &["door", "--json"]);
    assert_eq!((ran.code, ran.complained), (Some(0), format!("{{\"note\":\"{note}\"}}\n")), "{}", ran.said);
    // A block that cannot be asked is told of.
    fs::write(folder.join("plain/lib.rs"), format!("mod inner {{\n{}}}\n", block("Nested", "Nest"))).unwrap();
    let told = check(&folder, &["plain"]).not_done();
    let place = Path::new("plain/lib.rs").display();
    let begins = format!("error: the type of the `domain!` block at `{place}:4` is not found\n");
    assert!(told.starts_with(&begins), "{told}");
}

/// A package of a library with these sources, built with the versions of the workspace.
fn library(name: &str, kind: &str, sources: &[(&str, String)]) -> PathBuf {
    let folder = folder(&format!("check-{name}"));
    let kiff = Path::new(ROOT).join("kiff");
    let manifest = format!(
        "[package]\nname = \"{name}\"\nversion = \"0.1.0\"\nedition = \"2024\"\n\n[lib]\ncrate-type = [\n    \"{kind}\",\n]\n\n\
         [dependencies]\nkiff = {{ path = '{}' }}\n\n[workspace]\n",
        kiff.display()
    );
    fs::create_dir_all(folder.join("src/inner")).unwrap();
    fs::write(folder.join("Cargo.toml"), manifest).unwrap();
    fs::copy(Path::new(ROOT).join("Cargo.lock"), folder.join("Cargo.lock")).unwrap();
    for (file, text) in sources {
        fs::write(folder.join("src").join(file), text).unwrap();
    }
    folder
}

#[test]
fn each_domain_is_explained_however_its_module_and_its_library_are_spelt() {
    let modules = "mod r#type;\n#[path = \"grown.rs\"]\nmod größe;\nmod one; mod two;\n#[cfg(test)]\nmod tried;\n\n";
    let sources = [
        ("lib.rs", format!("{modules}{}", block("Root", "Tree"))),
        ("type.rs", block("Typed", "Paper")),
        ("grown.rs", block("Grown", "Size")),
        ("one.rs", block("One", "First")),
        ("two.rs", block("Two", "Second")),
        ("tried.rs", block("Tried", "Trial")),
    ];
    let folder = library("spelt", "cdylib", &sources);
    let said = check(&folder, &[]).well();
    for domain in ["`root`", "`typed`", "`grown`", "`one`", "`two`"] {
        assert!(said.contains(&format!("domain {domain} governs ")), "{domain} is not in:\n{said}");
    }
    assert!(!said.contains("`tried`"), "{said}");

    // What is found by no `mod` line, or may be closed to those who ask, is told of.
    let lib = |line: &str| fs::write(folder.join("src/lib.rs"), format!("{line}\n{}", block("Root", "Tree"))).unwrap();
    fs::write(folder.join("src/inner/hidden.rs"), block("Hidden", "Secret")).unwrap();
    for file in ["type.rs", "grown.rs", "one.rs", "two.rs", "tried.rs"] {
        fs::remove_file(folder.join("src").join(file)).unwrap();
    }
    lib("mod inner {\n    pub mod hidden;\n}");
    let told = check(&folder, &[]).not_done();
    let place = Path::new("src/inner/hidden.rs").display();
    assert!(
        told.starts_with(&format!("error: the type of the `domain!` block at `{place}:3` is not found\n")),
        "{told}"
    );
    lib("mod included {\n    include!(\"inner/hidden.rs\");\n}");
    let told = check(&folder, &[]).not_done();
    let begins = format!("error: no `mod` line is found that leads to the `domain!` block at `{place}:3`\n");
    assert!(told.starts_with(&begins), "{told}");
    assert!(told.contains("help: check its package by itself with `--domain PATH`, or take the block out"), "{told}");
}

#[test]
fn a_document_is_explained_without_its_crate() {
    let folder = folder("check-document");
    let schema = kiff::Schema::from_json(&crate::shop::Refund::schema().to_json()).unwrap();
    fs::write(folder.join("shop.json"), schema.to_json()).unwrap();
    let said = kiff(&folder, &["check", "shop.json"]).well();
    assert!(said.starts_with(&format!("domain `{}` governs", schema.domain)), "{said}");
    let told = kiff(&folder, &["check", "shop.json", "--diagram", "shop.svg"]).not_done();
    assert!(told.starts_with("error: a schema's document has no diagram\n"), "{told}");

    // What was reviewed stays what it was where something fails.
    fs::write(folder.join("README.md"), "# The shop\n").unwrap();
    fs::write(folder.join("reviewed.json"), "reviewed").unwrap();
    let keeping = |arguments: &[&'static str]| [&["check"], arguments, &["--save", "reviewed.json"]].concat();
    for told in [
        kiff(&folder, &keeping(&["README.md"])).not_done(),
        kiff(&folder, &keeping(&["shop.json", "--diagram", "shop.svg"])).not_done(),
        kiff(&folder, &keeping(&["shop.json", "--against", "none.json"])).not_done(),
        no_room(&folder, 0, &keeping(&["shop.json"])).not_done(),
    ] {
        assert_eq!(fs::read_to_string(folder.join("reviewed.json")).unwrap(), "reviewed", "{told}");
    }
    assert_eq!(fs::read_dir(&folder).unwrap().count(), 3, "nothing else is there");
    kiff(&folder, &keeping(&["shop.json"])).well();
    assert_eq!(fs::read_to_string(folder.join("reviewed.json")).unwrap(), schema.to_json());

    fs::write(folder.join("shop.json"), schema.to_json().replacen("low", "high", 1)).unwrap();
    let told = kiff(&folder, &["check", "shop.json"]).not_done();
    assert!(told.contains("the fingerprint is not that of the governance"), "{told}");
}

#[test]
fn each_difference_is_told_to_programs_too() {
    let folder = folder("check-differences");
    let mut schema = crate::shop::Refund::schema().clone();
    fs::write(folder.join("saved.json"), schema.to_json()).unwrap();
    let against = ["check", "shop.json", "--against", "saved.json", "--json"];
    let answer = |said: &str| serde_json::from_str::<serde_json::Value>(said).unwrap()[0].clone();

    schema.documentation = "in other words".into();
    fs::write(folder.join("shop.json"), schema.to_json()).unwrap();
    let same = answer(&kiff(&folder, &against).well());
    assert_eq!(same["unchanged"], true);
    assert_eq!(same["differences"], serde_json::json!([]));

    let note = schema.actions.to_mut().iter_mut().find(|action| action.name == "ADD_NOTE").unwrap();
    note.parameters.to_mut()[0].type_name = "u64".into();
    schema.never.to_mut().clear();
    fs::write(folder.join("shop.json"), schema.to_json()).unwrap();
    let other = answer(&kiff(&folder, &against).ended_with(1));
    assert_eq!(other["unchanged"], false);
    let parameter = &other["differences"][0];
    for (member, expected) in
        [("part", "parameter"), ("action", "ADD_NOTE"), ("parameter", "text"), ("change", "changed")]
    {
        assert_eq!(parameter[member], expected, "{parameter}");
    }
    assert!(parameter["before"].as_str().unwrap().starts_with("String"), "{parameter}");
    assert!(parameter["after"].as_str().unwrap().starts_with("u64"), "{parameter}");
    assert_eq!(parameter["consequence"]["code"], "calls_refused");
    assert_eq!(
        other["differences"][1],
        serde_json::json!({
            "part": "never",
            "clause": {"without": {"state": "REFUNDED", "role": "operator"}},
            "change": "removed",
            "message": "the promise of never `REFUNDED without operator` is gone",
        })
    );
    assert_eq!(other["differences"].as_array().unwrap().len(), 2, "{other}");
}

#[test]
fn what_has_no_bound_is_told_however_its_type_is_written() {
    let folder = folder("check-types");
    for (type_name, expected) in [
        ("String", Some("unbounded_text")),
        ("std::string::String", Some("unbounded_text")),
        ("Option<std::string::String>", Some("unbounded_text")),
        ("std::boxed::Box<str>", Some("unbounded_text")),
        ("Option<std::borrow::Cow<'static, str>>", Some("unbounded_text")),
        ("Box<[u8]>", None),
        ("kiff::Cents", Some("unbounded_amount")),
        ("std::option::Option<kiff::Cents>", Some("unbounded_amount")),
        ("Vec<kiff::Cents>", None),
        ("till::InCents", None),
    ] {
        let mut schema = crate::shop::Refund::schema().clone();
        let note = schema.actions.to_mut().iter_mut().find(|action| action.name == "ADD_NOTE").unwrap();
        note.parameters.to_mut()[0].type_name = type_name.into();
        fs::write(folder.join("shop.json"), schema.to_json()).unwrap();
        let said = kiff(&folder, &["check", "shop.json", "--json"]).well();
        let answer: serde_json::Value = serde_json::from_str(&said).unwrap();
        let findings = answer[0]["findings"].as_array().unwrap().iter();
        let of_note = findings.filter(|finding| finding["about"] == "ADD_NOTE");
        let codes: Vec<&str> = of_note.map(|finding| finding["code"].as_str().unwrap()).collect();
        assert_eq!(codes, expected.as_slice(), "{type_name}");
    }
}

#[cfg(unix)]
#[test]
fn what_is_no_file_is_written_to_and_not_replaced() {
    use std::os::unix::fs::symlink;

    let folder = folder("check-device");
    let schema = crate::shop::Refund::schema().to_json();
    fs::write(folder.join("shop.json"), &schema).unwrap();
    symlink("/dev/null", folder.join("nothing")).unwrap();
    kiff(&folder, &["check", "shop.json", "--save", "nothing"]).well();
    assert!(fs::symlink_metadata(folder.join("nothing")).unwrap().is_symlink());
    // A link to what is not there yet leads to it afterwards.
    symlink("new.json", folder.join("link.json")).unwrap();
    kiff(&folder, &["check", "shop.json", "--save", "link.json"]).well();
    assert!(fs::symlink_metadata(folder.join("link.json")).unwrap().is_symlink());
    assert_eq!(fs::read_to_string(folder.join("new.json")).unwrap(), schema);
}

#[test]
fn what_cannot_be_asked_is_told_in_a_sentence() {
    let folder = folder("check-nothing");
    let told = kiff(&folder, &["check"]).not_done();
    assert!(told.starts_with("error: `.` is no package: there is no Cargo.toml\n"), "{told}");
    let told = kiff(&folder, &["check", &format!("{ROOT}/kiff-test")]).not_done();
    assert!(told.starts_with("error: there is no `domain!` block in `kiff-test`\n"), "{told}");
}
