//! Keys, the signed log, and receipts that are checked with the public key alone.

use std::fs;
use std::os::unix::fs::{MetadataExt, chown, symlink};
use std::path::Path;
use std::process::Command;

use kiff::http::Keys;
use kiff::{Runtime, SqliteStore};
use kiff_test::block_on;

use super::journal::{exported, restored};
use super::{Ran, kiff, no_room};
use crate::programs::Program;
use crate::proof::witness::Witness;
use crate::shop::{Desk, MarkPaid, Refund, paid, people, policy};

/// A folder with a journal, a key, and a signed log.
fn signed(name: &str) -> std::path::PathBuf {
    let folder = exported(name);
    let made = kiff(&folder, &["keys", "generate", "example.com/refunds", "--out", "log.key"]).well();
    assert!(made.starts_with("wrote the secret key to log.key and the public key to log.key.pub\n"), "{made}");
    let advanced = kiff(&folder, &["log", "advance", "day.jsonl", "log", "--key", "log.key"]).well();
    assert!(advanced.starts_with("14 commits appended, 14 signed\n\nexample.com/refunds\n14\n"), "{advanced}");
    folder
}

#[test]
fn a_receipt_is_believed_with_the_public_key_alone() {
    let folder = signed("proof-receipt");
    let receipt = ["receipt", "day.jsonl", "Order/ord-1", "--execution", "execution-2", "--log", "log"];
    let written = kiff(&folder, &[&receipt[..], &["--out", "refund.receipt"]].concat()).well();
    assert_eq!(written, "wrote the receipt of commit 7 of `Order/ord-1` to refund.receipt\n");
    let text = fs::read_to_string(folder.join("refund.receipt")).unwrap();
    assert_eq!(kiff(&folder, &receipt).well(), text);
    let no_room = no_room(&folder, 0, &[&receipt[..], &["--out", "part.receipt"]].concat()).not_done();
    assert!(no_room.starts_with("error: cannot write `part.receipt`: "), "{no_room}");
    assert!(!folder.join("part.receipt").exists(), "it is no receipt");

    // By its event, which is not the last that happened.
    let of_event = |event| kiff(&folder, &["receipt", "day.jsonl", "Order/ord-1", "--event", event, "--log", "log"]);
    assert!(of_event("ORDER_PAID").well().contains("MARK_PAID"));
    let told = of_event("ORDER_PIAD").not_done();
    assert!(
        told.contains("`Order/ord-1` has no such commit") && told.contains("`kiff timeline STORE Order/ord-1`"),
        "{told}"
    );
    assert!(!told.contains("day.jsonl"), "a URL in its place may hold a password: {told}");

    // Elsewhere.
    let elsewhere = super::folder("proof-elsewhere");
    fs::copy(folder.join("refund.receipt"), elsewhere.join("refund.receipt")).unwrap();
    let key = fs::read_to_string(folder.join("log.key.pub")).unwrap();
    let verify = |file: &str| kiff(&elsewhere, &["receipt", "verify", file, "--key", key.trim()]);
    let verified = verify("refund.receipt").well();
    let first = "this is commit 7 of `Order/ord-1`, at position 7 of the log `example.com/refunds`, which had 14 commits when it \
                 was signed\n";
    assert!(verified.starts_with(first) && verified.contains("ORDER_REFUNDED {\"amount\":4900"), "{verified}");

    fs::write(elsewhere.join("forged.receipt"), text.replace("4900", "9900")).unwrap();
    let Ran { code, complained, .. } = verify("forged.receipt");
    assert_eq!(code, Some(1));
    assert!(complained.contains("its hash does not fit what it says"), "{complained}");
    kiff(&elsewhere, &["keys", "generate", "example.com/refunds", "--out", "other.key"]).well();
    let other = kiff(&elsewhere, &["receipt", "verify", "refund.receipt", "--key", "other.key.pub"]);
    assert_eq!(other.code, Some(1), "{}", other.complained);
}

#[test]
fn where_nothing_says_which_a_receipt_is_of_what_led_to_where_the_entity_stands() {
    let folder = super::folder("proof-standing");
    let store = SqliteStore::open(folder.join("day.db")).unwrap();
    let runtime = Runtime::<Refund, _>::new(store, policy(), Desk::default());
    block_on(async {
        let key = paid(&runtime, "ord-1").await;
        let again = MarkPaid { payment_id: "pay-2".into() };
        assert_eq!(runtime.execute(&people().agent, &key, again).await.unwrap().outcome(), "blocked");
    });
    kiff(&folder, &["keys", "generate", "example.com/refunds", "--out", "log.key"]).well();
    kiff(&folder, &["log", "advance", "day.db", "log", "--key", "log.key"]).well();
    let receipt = |more: &[&str]| {
        let asked = ["receipt", "day.db", "Order/ord-1", "--log", "log", "--json"];
        let told = kiff(&folder, &[&asked[..], more].concat()).well();
        serde_json::from_str::<serde_json::Value>(&told).unwrap()["commit"].clone()
    };
    assert_eq!(receipt(&[]), 3, "the payment");
    assert_eq!(receipt(&["--commit", "4"]), 4, "the refusal");
}

#[test]
fn a_receipt_tells_which_witnesses_have_seen_it() {
    let folder = signed("proof-witness");
    let witness = Witness::new("witness.example/w1");
    let checkpoint = fs::read_to_string(folder.join("log/checkpoint")).unwrap();
    let (text, _) = checkpoint.rsplit_once("\n\n").unwrap();
    let line = witness.line(&format!("{text}\n"), 1_764_324_000);
    fs::write(folder.join("log/checkpoint"), format!("{checkpoint}{line}")).unwrap();
    fs::write(folder.join("w1.pub"), format!("{}\n", witness.key())).unwrap();
    kiff(&folder, &["receipt", "day.jsonl", "Order/ord-1", "--log", "log", "--out", "last.receipt"]).well();
    let verify = ["receipt", "verify", "last.receipt", "--key", "log.key.pub", "--witness"];
    let told = kiff(&folder, &[&verify[..], &["w1.pub"]].concat()).well();
    assert!(told.contains("\nseen by the witness `witness.example/w1` at 2025-11-28T10:00:00"), "{told}");
    let other = Witness::new("witness.example/w2").key();
    let Ran { code, complained, .. } = kiff(&folder, &[&verify[..], &[&other]].concat());
    assert_eq!(code, Some(1));
    assert!(complained.contains("the witness `witness.example/w2` has not signed the checkpoint"), "{complained}");
}

#[test]
fn p8_what_was_cut_off_is_found_against_a_checkpoint() {
    let folder = signed("proof-cut");
    let checkpoint = kiff(&folder, &["log", "checkpoint", "log"]).well();
    fs::write(folder.join("kept"), checkpoint).unwrap();
    let against = ["--checkpoint", "kept", "--log", "log", "--key", "log.key.pub"];
    let whole = kiff(&folder, &[&["verify", "day.jsonl"], &against[..]].concat()).well();
    assert!(whole.starts_with("what was signed is whole: 14 commits"), "{whole}");

    let lines = fs::read_to_string(folder.join("day.jsonl")).unwrap();
    let cut: Vec<&str> = lines.lines().take(13).collect();
    fs::write(folder.join("day.jsonl"), cut.join("\n")).unwrap();
    assert!(kiff(&folder, &["verify", "day.jsonl"]).well().starts_with("13 commits"));
    let told = kiff(&folder, &[&["verify", "day.jsonl"], &against[..]].concat()).ended_with(1);
    assert!(told.contains("14"), "{told}");
}

#[test]
fn p8_a_commit_that_is_another_than_was_signed_has_no_receipt() {
    let folder = signed("proof-other-commit");
    fs::write(folder.join("restored.jsonl"), restored(13)).unwrap();
    let Ran { code, said, complained } = kiff(&folder, &["receipt", "restored.jsonl", "Order/ord-3", "--log", "log"]);
    assert_eq!((code, said.as_str()), (Some(1), ""), "{complained}");
    assert!(complained.contains("the log holds another commit at position 14"), "{complained}");
}

#[test]
fn a_checkpoint_that_is_none_is_no_answer_and_one_of_a_stranger_is() {
    let folder = signed("proof-no-checkpoint");
    let ends = |arguments: &[&str], code: i32, why: &str| {
        let ran = kiff(&folder, &[&["verify", "day.jsonl"], arguments].concat());
        assert_eq!(ran.code, Some(code), "{}", ran.complained);
        assert!(ran.complained.contains(why), "{}", ran.complained);
    };
    kiff(&folder, &["keys", "generate", "example.com/others", "--out", "others.key"]).well();
    ends(&["--checkpoint", "log/checkpoint", "--key", "others.key.pub"], 1, "no trusted key has signed the checkpoint");
    ends(&["--log", "log", "--key", "others.key.pub"], 1, "no trusted key has signed the checkpoint");
    fs::write(folder.join("log/checkpoint"), "mine\n").unwrap();
    ends(&["--checkpoint", "log/checkpoint", "--key", "log.key.pub"], 3, "this is no checkpoint");
    ends(&["--log", "log", "--key", "log.key.pub"], 3, "this is no checkpoint");
}

#[test]
fn whoever_has_restored_a_backup_is_told_how_to_go_on() {
    let folder = signed("proof-restored");
    let verify = ["verify", "restored.jsonl", "--log", "log", "--key", "log.key.pub"];
    let whole = fs::read_to_string(folder.join("day.jsonl")).unwrap();
    let cut: String = whole.lines().take(13).flat_map(|line| [line, "\n"]).collect();
    for (lines, fault) in [(cut, "truncated: "), (restored(13), "forged: commit 1 of `Order/ord-3`")] {
        fs::write(folder.join("restored.jsonl"), lines).unwrap();
        let told = kiff(&folder, &verify).ended_with(1);
        assert!(told.starts_with(fault), "{told}");
        let advanced = kiff(&folder, &["log", "advance", "restored.jsonl", "log", "--key", "log.key"]);
        assert_eq!(advanced.code, Some(1), "the store does not verify");
        let advanced = advanced.complained;
        for told in [told, advanced] {
            let (_, help) = told.split_once("help: ").unwrap_or_else(|| panic!("{told}"));
            assert!(help.contains("begin a log of another name: docs/operations.md says how"), "{help}");
        }
    }
    kiff(&folder, &["keys", "generate", "example.com/refunds-2", "--out", "second.key"]).well();
    kiff(&folder, &["log", "advance", "restored.jsonl", "second", "--key", "second.key"]).well();
    kiff(&folder, &["verify", "restored.jsonl", "--log", "second", "--key", "second.key.pub"]).well();
}

#[test]
fn a_key_with_nothing_that_it_signed_is_no_check() {
    let folder = signed("proof-key-alone");
    let Ran { code, said, complained } = kiff(&folder, &["verify", "day.jsonl", "--key", "log.key.pub"]);
    assert_eq!((code, said.as_str()), (Some(2), ""), "{complained}");
    assert!(complained.contains("--checkpoint <FILE>|--log <DIR>"), "{complained}");
}

#[test]
fn a_key_is_rotated_by_signing_with_both() {
    let folder = signed("proof-rotation");
    kiff(&folder, &["keys", "generate", "example.com/refunds", "--out", "next.key"]).well();
    let both = ["log", "advance", "day.jsonl", "log", "--key", "log.key", "--key", "next.key", "--json"];
    let advanced: serde_json::Value = serde_json::from_str(&kiff(&folder, &both).well()).unwrap();
    assert_eq!((&advanced["appended"], &advanced["size"]), (&0.into(), &14.into()));
    let listed = kiff(&folder, &["keys", "show", "log.key", "next.key.pub"]).well();
    assert!(listed.contains("(secret key in log.key)") && listed.contains("(public key in next.key.pub)"), "{listed}");
    for key in ["log.key.pub", "next.key.pub"] {
        kiff(&folder, &["verify", "day.jsonl", "--log", "log", "--key", key]).well();
    }
}

#[test]
fn a_key_that_is_lost_is_replaced_by_no_other_but_by_another_log() {
    let folder = signed("proof-lost");
    fs::remove_file(folder.join("log.key")).unwrap();
    kiff(&folder, &["keys", "generate", "example.com/refunds", "--out", "new.key"]).well();
    let told = kiff(&folder, &["log", "advance", "day.jsonl", "log", "--key", "new.key"]).not_done();
    assert!(told.contains("where that is lost, keep the folder and begin a log of another name"), "{told}");
    assert!(told.contains("help: ") && told.contains("docs/operations.md"), "{told}");
    kiff(&folder, &["keys", "generate", "example.com/refunds-2", "--out", "second.key"]).well();
    kiff(&folder, &["log", "advance", "day.jsonl", "second", "--key", "second.key"]).well();
}

#[test]
fn whoever_has_lost_a_file_of_a_log_is_told_how_it_is_written_again() {
    let folder = signed("proof-missing");
    let receipt = ["receipt", "day.jsonl", "Order/ord-1", "--log", "log"];
    fs::remove_dir_all(folder.join("log/tile")).unwrap();
    let told = kiff(&folder, &receipt).not_done();
    assert!(told.contains("help: ") && told.contains("remove all of `tile`"), "{told}");
    kiff(&folder, &["log", "advance", "day.jsonl", "log", "--key", "log.key"]).well();
    kiff(&folder, &receipt).well();
}

#[test]
fn a_key_is_never_written_over_nor_mistaken() {
    let folder = signed("proof-keys");
    let before = fs::read(folder.join("log.key")).unwrap();
    kiff(&folder, &["keys", "generate", "example.com/refunds", "--out", "log.key"]).not_done();
    assert_eq!(fs::read(folder.join("log.key")).unwrap(), before);
    let told = kiff(&folder, &["receipt", "verify", "day.jsonl", "--key", "log.key"]).not_done();
    assert!(told.contains("`log.key` is no public key: ") && told.contains("ends with `.pub`"), "{told}");
    assert!(Path::new(&folder).join("log.key.pub").is_file());

    fs::rename(folder.join("log.key.pub"), folder.join("safe.pub")).unwrap();
    let verify = ["verify", "day.jsonl", "--log", "log", "--key"];
    let told = kiff(&folder, &[&verify[..], &["log.key.pub"]].concat()).not_done();
    assert!(told.starts_with("error: there is no file `log.key.pub`"), "{told}");
    let told = kiff(&folder, &[&verify[..], &["example.com/refunds+0+0"]].concat()).not_done();
    assert!(told.starts_with("error: `example.com/refunds+0+0` is no public key: "), "{told}");
    let receipt = ["receipt", "verify", "day.jsonl", "--key", "safe.pub", "--witness", "w1.pub"];
    assert!(kiff(&folder, &receipt).not_done().starts_with("error: there is no file `w1.pub`"));
    let receipt = ["receipt", "verify", "day.jsonl", "--key", "safe.pub", "--witness", "safe.pub"];
    let told = kiff(&folder, &receipt).not_done();
    assert!(told.starts_with("error: `safe.pub` is no key of a witness: ") && told.contains("publishes it"), "{told}");
}

#[test]
fn a_secret_key_that_is_given_in_place_of_a_file_is_not_shown() {
    let folder = signed("proof-secret");
    let secret = fs::read_to_string(folder.join("log.key")).unwrap();
    let hidden = secret.trim().splitn(5, '+').nth(4).unwrap();
    let receipt = ["receipt", "verify", "day.jsonl", "--key", "log.key.pub", "--witness", secret.trim()];
    let verify = ["receipt", "verify", "day.jsonl", "--key", secret.trim()];
    let advance = ["log", "advance", "day.jsonl", "log", "--key", secret.trim()];
    for arguments in [&verify[..], &receipt[..], &["keys", "show", secret.trim()][..], &advance[..]] {
        let plain = kiff(&folder, arguments);
        let as_json = kiff(&folder, &[arguments, &["--json"]].concat());
        for Ran { code, said, complained } in [plain, as_json] {
            let told = said + &complained;
            assert_eq!(code, Some(3), "{told}");
            assert!(told.contains("keep it to yourself") && !told.contains(hidden), "{told}");
        }
    }
}

#[test]
fn both_halves_of_a_key_are_written_or_neither() {
    let folder = super::folder("proof-halves");
    let generate = ["keys", "generate", "example.com/refunds", "--out", "log.key"];
    kiff(&folder, &generate).well();
    let public = fs::read(folder.join("log.key.pub")).unwrap();
    fs::rename(folder.join("log.key"), folder.join("safe.key")).unwrap();
    let told = kiff(&folder, &generate).not_done();
    assert!(told.contains("`log.key.pub`") && told.contains("a key is never written over"), "{told}");
    assert!(!folder.join("log.key").exists(), "a secret key beside the public half of another");
    assert_eq!(fs::read(folder.join("log.key.pub")).unwrap(), public);

    fs::rename(folder.join("safe.key"), folder.join("log.key")).unwrap();
    fs::remove_file(folder.join("log.key.pub")).unwrap();
    assert!(kiff(&folder, &generate).not_done().contains("`log.key`"));
    assert!(!folder.join("log.key.pub").exists(), "a public key beside another secret one");

    let told = no_room(&folder, 0, &["keys", "generate", "example.com/refunds", "--out", "next.key"]).not_done();
    assert!(told.contains("`next.key.pub`"), "{told}");
    assert!(!folder.join("next.key").exists() && !folder.join("next.key.pub").exists());
}

#[test]
fn an_api_key_is_made_listed_and_revoked() {
    let folder = super::folder("keys-access");
    let made =
        kiff(&folder, &["keys", "create", "keys.json", "agent-7", "--kind", "agent", "--note", "the night shift"]);
    let made = made.well();
    let (secret, rest) = made.split_once('\n').unwrap();
    assert!(secret.starts_with("kiff_") && rest.ends_with(" of `agent-7`. It is shown only now.\n"), "{made}");
    kiff(&folder, &["keys", "create", "keys.json", "nora", "--kind", "human", "--days", "30"]).well();

    // The server that has the file open knows whose key it is.
    let keys = Keys::open(folder.join("keys.json")).unwrap();
    let known: Vec<String> = keys.list().unwrap().iter().map(|key| key.actor.id().to_string()).collect();
    assert_eq!(known, ["agent-7", "nora"]);

    let listed = kiff(&folder, &["keys", "list", "keys.json"]).well();
    let rows: Vec<&str> = listed.lines().collect();
    assert!(rows[0].starts_with("key ") && rows[1].contains("agent-7  agent  default"), "{listed}");
    assert!(rows[1].ends_with("good  the night shift") || rows[1].contains(" good "), "{listed}");
    assert!(rows[2].contains("good until "), "{listed}");
    assert!(!listed.contains(secret), "a secret is never shown again");

    let id = rows[1].split(' ').next().unwrap();
    kiff(&folder, &["keys", "revoke", "keys.json", id]).well();
    assert!(keys.list().unwrap()[0].revoked_at.is_some());
    let listed = kiff(&folder, &["keys", "list", "keys.json", "--json"]).well();
    let first: serde_json::Value = serde_json::from_str(listed.lines().next().unwrap()).unwrap();
    assert!(first["revoked_at"].is_string() && first.get("digest").is_none(), "{first}");
    let told = kiff(&folder, &["keys", "revoke", "keys.json", "0"]).not_done();
    assert!(told.starts_with("error: there is no key `0` in `keys.json`\n"), "{told}");
    let never = kiff(&folder, &["keys", "create", "keys.json", "nora", "--kind", "human", "--days", "0"]);
    assert_eq!((never.code, never.said.as_str()), (Some(2), ""), "a key that is good for no day: {}", never.complained);
    let gateway = ["keys", "create", "keys.json", "portal", "--acts-for-others", "--kind"];
    let told = kiff(&folder, &[&gateway[..], &["agent"]].concat()).not_done();
    assert!(told.contains("`agent` never acts for others: only a service or a system can"), "{told}");
    kiff(&folder, &[&gateway[..], &["service"]].concat()).well();
    let told = kiff(&folder, &["keys", "list", "other.json"]).not_done();
    assert!(told.starts_with("error: there is no file `other.json`\n"), "{told}");
}

#[test]
fn p4_a_key_that_is_revoked_through_a_link_is_revoked() {
    let folder = super::folder("keys-link");
    kiff(&folder, &["keys", "create", "keys.json", "agent-7", "--kind", "agent"]).well();
    symlink("keys.json", folder.join("link.json")).unwrap();
    let keys = Keys::open(folder.join("keys.json")).unwrap();
    let id = keys.list().unwrap()[0].id.clone();
    kiff(&folder, &["keys", "revoke", "link.json", &id]).well();
    assert!(keys.list().unwrap()[0].revoked_at.is_some());
    assert!(fs::symlink_metadata(folder.join("link.json")).unwrap().is_symlink());
    assert!(!folder.join("link.json.lock").exists(), "all who write take turns at the file itself");
}

#[test]
fn a_file_of_keys_stays_with_its_owner_whoever_changes_it() {
    let folder = super::folder("keys-owner");
    let create = ["keys", "create", "keys.json", "nora", "--kind", "human"];
    kiff(&folder, &create).well();
    let path = folder.join("keys.json");
    let own = fs::metadata(&path).unwrap().uid();
    // Only root can change what belongs to somebody else.
    let owner = if own == 0 { 65_534 } else { own };
    chown(&path, Some(owner), None).unwrap();
    // The other one is made anew, and by somebody else.
    fs::remove_file(folder.join("keys.json.lock")).unwrap();
    let written = || fs::metadata(&path).map(|file| (file.uid(), file.mode() & 0o777, file.ino())).unwrap();

    kiff(&folder, &create).well();
    let id = Keys::open(&path).unwrap().list().unwrap()[0].id.clone();
    kiff(&folder, &["keys", "revoke", "keys.json", &id]).well();
    let (uid, mode, inode) = written();
    assert_eq!((uid, mode), (owner, 0o600));
    assert_eq!(fs::metadata(folder.join("keys.json.lock")).unwrap().uid(), owner, "the owner takes turns, too");

    // Where nothing changes nothing is written.
    kiff(&folder, &["keys", "revoke", "keys.json", "0"]).not_done();
    kiff(&folder, &["keys", "revoke", "keys.json", &id]).well();
    assert_eq!(written().2, inode);

    if own == 0 {
        // Root in a container may not be let give files away.
        let mut command = Command::new("setpriv");
        command.args(["--inh-caps=-chown", "--bounding-set=-chown"]).arg(Program::CommandLine.path()).args(create);
        let told = Ran::of(&command.current_dir(&folder).output().unwrap()).not_done();
        assert!(told.contains("`keys.json` is left as it is") && told.contains("run this as the owner"), "{told}");
        assert_eq!(written(), (owner, 0o600, inode));
        assert!(!folder.join("keys.json.new").exists());
    }
}
