//! The refund example with one fault of governance at a time: none of them builds, and the compiler says why and where.

use std::fs;
use std::path::PathBuf;
use std::process::Command;

use crate::programs::packages;

const DOMAIN: &str = include_str!("../../../examples/refund/domain.rs");

/// A change to the domain that must not build.
struct Fault {
    name: &'static str,
    source: String,
    /// The line that is to blame, by a part of it, and the token in it.
    blames: (&'static str, &'static str),
    sentence: &'static str,
}

fn faults() -> [Fault; 5] {
    [
        Fault {
            name: "no_executor_for_mark_paid",
            source: without_fn("/// Captures the payment."),
            blames: ("Created => [MarkPaid]", "MarkPaid"),
            sentence: "action `MarkPaid` of `Refund` is allowed but has no executor",
        },
        Fault {
            name: "no_executor_for_refund_order",
            source: without_fn("/// Pays the customer back."),
            blames: ("Paid    => [RefundOrder]", "RefundOrder"),
            sentence: "action `RefundOrder` of `Refund` is allowed but has no executor",
        },
        Fault {
            name: "allowed_where_its_event_leads_nowhere",
            source: replaced("Created => [MarkPaid];", "Created => [MarkPaid, RefundOrder];"),
            blames: ("emits: OrderRefunded", "OrderRefunded"),
            sentence: "the action `RefundOrder` is allowed in `Created`, from which its event `OrderRefunded` has no \
                       transition",
        },
        Fault {
            name: "approves_its_own_action",
            source: replaced("high, by: Agent,", "high, by: Operator,"),
            blames: ("approval: Operator", "Operator"),
            sentence: "`Operator` may run `RefundOrder` and also approve it",
        },
        Fault {
            name: "high_risk_without_approval",
            source: replaced(", approval: Operator", ""),
            blames: ("risk: high", "high"),
            sentence: "the action `RefundOrder` has high risk and nobody has to approve it",
        },
    ]
}

fn replaced(old: &str, new: &str) -> String {
    assert_eq!(DOMAIN.matches(old).count(), 1, "`{old}` stands once in the domain");
    DOMAIN.replace(old, new)
}

/// The domain without the fn that begins with this comment.
fn without_fn(comment: &str) -> String {
    let start = DOMAIN.find(comment).unwrap();
    let end = start + DOMAIN[start..].find("\n}\n").unwrap() + 3;
    [&DOMAIN[..start], &DOMAIN[end..]].concat()
}

/// A crate of its own with one program for each fault and one for the domain as it is.
fn write_crate(faults: &[Fault]) -> PathBuf {
    let root = PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/.."));
    let folder = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("faults");
    fs::create_dir_all(folder.join("src/bin")).unwrap();
    let manifest = format!(
        "[workspace]\n\n[package]\nname = \"faults\"\nversion = \"0.0.0\"\nedition = \"2024\"\n\n\
         [dependencies]\nkiff = {{ path = '{}' }}\n",
        root.join("kiff").display()
    );
    fs::write(folder.join("Cargo.toml"), manifest).unwrap();
    fs::copy(root.join("Cargo.lock"), folder.join("Cargo.lock")).unwrap();
    let sound = ("sound", DOMAIN);
    for (name, source) in faults.iter().map(|fault| (fault.name, fault.source.as_str())).chain([sound]) {
        let program = format!("{source}\nfn main() {{}}\n");
        fs::write(folder.join("src/bin").join(name).with_extension("rs"), program).unwrap();
    }
    folder
}

/// What the compiler says to one program: each error as `line:column: error: sentence`.
fn errors(folder: &PathBuf, name: &str) -> Vec<String> {
    let output = Command::new(env!("CARGO"))
        .args(["build", "--quiet", "--offline", "--message-format", "short", "--bin", name])
        .current_dir(folder)
        .env("CARGO_TARGET_DIR", packages())
        .env_remove("RUSTFLAGS")
        .output()
        .unwrap();
    let told = String::from_utf8(output.stderr).unwrap();
    let place = format!("src/bin/{name}.rs:");
    let errors: Vec<_> =
        told.lines().filter(|line| line.contains(": error")).map(|line| line.replace(&place, "")).collect();
    assert_eq!(output.status.success(), errors.is_empty(), "{told}");
    errors
}

#[test]
fn a_fault_of_governance_does_not_build() {
    let faults = faults();
    let folder = write_crate(&faults);
    assert_eq!(errors(&folder, "sound"), Vec::<String>::new());
    for fault in &faults {
        let (part, token) = fault.blames;
        let (number, line) = (1..).zip(fault.source.lines()).find(|(_, line)| line.contains(part)).unwrap();
        let column = line.find(part).unwrap() + part.find(token).unwrap() + 1;
        let errors = errors(&folder, fault.name);
        assert_eq!(errors.len(), 1, "{}: {errors:?}", fault.name);
        assert!(errors[0].starts_with(&format!("{number}:{column}: error")), "{number}:{column} {errors:?}");
        assert!(errors[0].contains(fault.sentence), "{errors:?}");
    }
}
