//! Every way to change a store behind kiff's back is found, and told by its name.

use kiff::proof::{Log, Sequencer, SigningKey};
use kiff::{Commit, Fault, Report, Sealed, TreeHead, Verification};
use pollster::block_on;
use tempfile::TempDir;

use super::ledger::{Ledger, Row, content, order};

/// A ledger of five orders with sixty commits, its log, and what was signed when it was whole.
struct Scene {
    ledger: Ledger,
    folder: TempDir,
    head: TreeHead,
}

const COMMITS: u64 = 60;
const ORDERS: u64 = 5;

fn scene() -> Scene {
    let (ledger, folder) = (Ledger::of(COMMITS, ORDERS), TempDir::new().unwrap());
    let key = SigningKey::generate("example.com/refunds").unwrap();
    let advanced = block_on(Sequencer::open(folder.path(), key.clone()).unwrap().advance(&ledger)).unwrap();
    let head = advanced.checkpoint.verify(&[key.verifying_key().clone()]).unwrap().head();
    Scene { ledger, folder, head }
}

impl Scene {
    /// Changes the rows and checks what is left, with the log.
    fn after(&self, change: impl FnOnce(&mut Vec<Row>)) -> Vec<Fault> {
        change(&mut self.ledger.rows());
        self.report().faults
    }

    fn report(&self) -> Report {
        let log = Log::open(self.folder.path()).unwrap();
        self.check(Verification::of(&self.ledger).log(self.head, log.leaves()))
    }

    /// Checks with the head alone, as somebody who has only a checkpoint.
    fn by_head(&self) -> Vec<Fault> {
        self.check(Verification::of(&self.ledger).signed(self.head)).faults
    }

    /// Checks the chains alone.
    fn by_chain(&self) -> Vec<Fault> {
        self.check(Verification::of(&self.ledger)).faults
    }

    fn check(&self, verification: Verification<'_, Ledger>) -> Report {
        let report = block_on(verification.run(|_| ())).unwrap();
        let listed: Keys =
            self.ledger.rows().iter().filter(|row| row.number == 1).map(|row| row.shelf.clone()).collect();
        assert_eq!(report.entities, listed.len() as u64);
        report
    }
}

type Keys = std::collections::BTreeSet<kiff::EntityKey>;

fn at(rows: &mut [Row], order: u64, number: u64) -> &mut Row {
    let key = super::ledger::order(order);
    rows.iter_mut().find(|row| row.key == key && row.number == number).unwrap()
}

#[test]
fn p8_a_whole_store_is_sound() {
    let scene = scene();
    let report = scene.report();
    assert!(report.is_sound(), "{report}");
    assert_eq!((report.entities, report.commits, report.positions), (ORDERS, COMMITS, COMMITS));
    assert_eq!((report.head, report.confirmed.as_slice()), (Some(scene.head), [scene.head].as_slice()));
    assert!(report.to_string().contains("60 commits of 5 entities are what was written"), "{report}");
}

#[test]
fn what_was_signed_before_the_first_commit_is_whole() {
    let (ledger, folder) = (Ledger::default(), TempDir::new().unwrap());
    let key = SigningKey::generate("example.com/refunds").unwrap();
    let advanced = block_on(Sequencer::open(folder.path(), key.clone()).unwrap().advance(&ledger)).unwrap();
    let head = advanced.checkpoint.verify(&[key.verifying_key().clone()]).unwrap().head();
    let log = Log::open(folder.path()).unwrap();
    let report = block_on(Verification::of(&ledger).log(head, log.leaves()).run(|_| ())).unwrap();
    assert!(report.is_sound(), "{report}");
    assert_eq!(report.confirmed, [head]);
}

#[test]
fn p8_any_flipped_byte_of_any_body_is_found_in_its_commit() {
    let scene = scene();
    let length = scene.ledger.rows()[7].body.len();
    for place in 0..length {
        let faults = scene.after(|rows| rows[7].body[place] ^= 1);
        let [Fault::Edited { key, number: 2, .. }] = faults.as_slice() else { panic!("{faults:?}") };
        assert_eq!(key, &order(3));
        scene.ledger.rows()[7].body[place] ^= 1;
    }
    assert!(scene.report().is_sound());
}

#[test]
fn p8_any_changed_part_of_a_row_is_found() {
    type Change = fn(&mut Row);
    let changes: [(Change, &str); 4] = [
        (|row| row.hash = row.previous, "edited"),
        (|row| row.previous = row.hash, "edited"),
        (|row| row.number = 1_000, "edited"),
        (|row| row.key = order(4), "edited"),
    ];
    for (change, word) in changes {
        let scene = scene();
        let faults = scene.after(|rows| change(&mut rows[22]));
        let told: Vec<_> = faults.iter().map(ToString::to_string).collect();
        assert!(told.iter().any(|told| told.starts_with(word)), "{told:?}");
    }
}

#[test]
fn p8_a_deleted_commit_is_missing_and_leaves_a_gap() {
    let scene = scene();
    let faults = scene.after(|rows| drop(rows.remove(31)));
    let missing = Fault::Missing { key: order(2), number: 7 };
    assert_eq!(faults, [missing.clone(), Fault::Removed { from: 32, to: 32 }]);
    assert_eq!(scene.by_chain(), [missing, Fault::Removed { from: 32, to: 32 }]);
}

#[test]
fn p8_two_commits_that_were_swapped_are_found() {
    // The bodies, with and without what belongs to them.
    let swapped = scene();
    let faults = swapped.after(|rows| {
        let (one, two) = (at(rows, 3, 4).body.clone(), at(rows, 3, 5).body.clone());
        (at(rows, 3, 4).body, at(rows, 3, 5).body) = (two, one);
    });
    let (key, other_key) = (order(3), order(3));
    assert_eq!(faults, [Fault::Swapped { key, number: 4, other_key, other_number: 5 }]);
    // Everything but the places, and of two entities, one of which has another fault before it.
    let whole = scene();
    let faults = whole.after(|rows| {
        at(rows, 5, 2).body[9] ^= 1;
        let (one, two) = (at(rows, 3, 4).clone(), at(rows, 5, 7).clone());
        (at(rows, 3, 4).body, at(rows, 3, 4).hash, at(rows, 3, 4).previous) = (two.body, two.hash, two.previous);
        (at(rows, 5, 7).body, at(rows, 5, 7).hash, at(rows, 5, 7).previous) = (one.body, one.hash, one.previous);
    });
    let (key, other_key) = (order(3), order(5));
    assert_eq!(faults[0], Fault::Swapped { key, number: 4, other_key, other_number: 7 });
    assert!(matches!(&faults[1..], [Fault::Edited { number: 2, .. }]), "{faults:?}");
    // The places in the one order, each row otherwise as it was.
    let moved = scene();
    let faults = moved.after(|rows| {
        let (one, two) = (at(rows, 3, 4).position, at(rows, 4, 4).position);
        (at(rows, 3, 4).position, at(rows, 4, 4).position) = (two, one);
    });
    let moved_to =
        |order: u64, position, logged| Fault::Moved { key: super::ledger::order(order), number: 4, position, logged };
    assert_eq!(faults, [moved_to(3, 19, 18), moved_to(4, 18, 19)]);
    assert!(matches!(&moved.by_head()[..], [Fault::Diverged { size: COMMITS, .. }]));
    assert!(moved.by_chain().is_empty(), "the chains do not know the order of the others");
}

#[test]
fn p8_a_commit_in_the_journal_of_another_entity_is_misplaced() {
    let scene = scene();
    let faults = scene.after(|rows| {
        let theirs = at(rows, 5, 4).clone();
        let ours = at(rows, 3, 4);
        *ours = Row { shelf: ours.shelf.clone(), position: ours.position, ..theirs };
    });
    assert_eq!(faults[0], Fault::Misplaced { key: order(3), number: 4, found: order(5) });
}

#[test]
fn p8_two_commits_at_one_position_are_found() {
    let scene = scene();
    let faults = scene.after(|rows| rows[12].position = 12);
    let twice = Fault::Reordered { key: order(3), number: 3 };
    assert!(faults.contains(&twice) && faults.contains(&Fault::Removed { from: 13, to: 13 }), "{faults:?}");
}

#[test]
fn p8_a_commit_without_a_position_is_found() {
    let scene = scene();
    scene.ledger.note(&order(2), "put in");
    let faults = scene.after(|rows| rows.last_mut().unwrap().position = 0);
    assert_eq!(faults, [Fault::Inserted { commits: COMMITS + 1, positions: COMMITS }]);
}

#[test]
fn p8_a_cut_tail_is_found_against_a_checkpoint() {
    for left in [0, 1, 30, 59] {
        let scene = scene();
        let faults = scene.after(|rows| rows.truncate(left));
        let truncated = [Fault::Truncated { last: left as u64, signed: COMMITS }];
        assert_eq!(faults, truncated);
        assert_eq!(scene.by_head(), truncated);
        assert!(scene.by_chain().is_empty(), "a journal that ends earlier is a journal");
    }
}

#[test]
fn p8_the_cut_tail_of_one_entity_is_found_by_its_positions() {
    let scene = scene();
    let faults = scene.after(|rows| rows.retain(|row| row.key != order(2) || row.number < 11));
    assert_eq!(faults, [Fault::Removed { from: 52, to: 52 }, Fault::Removed { from: 57, to: 57 }]);
}

#[test]
fn p8_a_journal_that_was_written_anew_is_found_by_the_log() {
    let scene = scene();
    scene.ledger.rewrite(&order(3), 2, "never said");
    assert!(scene.by_chain().is_empty(), "a chain that was hashed anew is a chain");
    assert!(matches!(&scene.by_head()[..], [Fault::Diverged { size: COMMITS, .. }]));
    assert_eq!(scene.after(|_| ()), [Fault::Forged { key: order(3), number: 2, position: 8 }]);
}

#[test]
fn p8_one_commit_that_was_written_anew_breaks_its_chain() {
    let scene = scene();
    let before = scene.ledger.rows()[3 + 5].clone();
    scene.ledger.rewrite(&order(4), 2, "never said");
    let forged = scene.ledger.rows()[3 + 5].clone();
    assert_ne!(forged.hash, before.hash);
    // All but that commit as they were.
    let whole = Ledger::of(COMMITS, ORDERS);
    *scene.ledger.rows() = whole.rows().clone();
    let faults = scene.after(|rows| rows[3 + 5] = forged);
    let replaced = Fault::Replaced { key: order(4), number: 3 };
    assert_eq!(faults, [replaced, Fault::Forged { key: order(4), number: 2, position: 9 }]);
}

#[test]
fn p8_what_is_wrong_with_one_entity_hides_nothing_of_the_others() {
    let scene = scene();
    let faults = scene.after(|rows| {
        at(rows, 1, 2).body[9] ^= 1;
        at(rows, 1, 9).body[9] ^= 1;
        at(rows, 5, 12).body[9] ^= 1;
        rows.retain(|row| row.key != order(3) || row.number != 6);
    });
    let told: Vec<_> = faults.iter().map(ToString::to_string).collect();
    let expected = [
        "edited: commit 2 of `Order/ord-1`",
        "missing: commit 6 of `Order/ord-3`",
        "edited: commit 12 of `Order/ord-5`",
    ];
    for (told, expected) in told.iter().zip(expected) {
        assert!(told.starts_with(expected), "{told}");
    }
    assert_eq!(told[3], "removed: there is no commit at position 28");
    assert!(told[4].starts_with("edited: commit 9 of `Order/ord-1`"), "{told:?}");
    assert_eq!(told.len(), 5);
    let report = scene.report();
    assert_eq!(report.head, None, "what cannot be read has no hash");
    // 12 of the second and of the fourth, and what stands before the first fault of the others.
    assert_eq!((report.entities, report.commits, report.positions), (5, 12 + 12 + 1 + 5 + 11, 59));
}

#[test]
fn p8_a_gap_before_a_broken_commit_is_told_apart_from_it() {
    let scene = scene();
    let faults = scene.after(|rows| {
        rows[40].body[9] ^= 1;
        rows.drain(30..40);
    });
    let gap = faults.iter().find(|fault| matches!(fault, Fault::Removed { .. })).unwrap();
    assert_eq!(gap, &Fault::Removed { from: 31, to: 40 });
    assert!(faults.iter().any(|fault| matches!(fault, Fault::Missing { number: 7, .. })), "{faults:?}");
}

#[test]
fn p8_a_row_that_stands_twice_is_found() {
    let scene = scene();
    let faults = scene.after(|rows| {
        let mut again = rows[12].clone();
        again.position = COMMITS + 1;
        rows.push(again);
    });
    assert_eq!(faults, [Fault::Reordered { key: order(3), number: 4 }]);
}

#[test]
fn p8_a_commit_of_an_entity_that_is_not_listed_is_found() {
    let scene = scene();
    let sealed = Sealed::new(order(9), 2, scene.head.root, content("put in"));
    let (hash, body) = (sealed.commit().hash(), sealed.body().to_vec());
    scene.ledger.rows().push(Row {
        position: COMMITS + 1,
        shelf: order(9),
        key: order(9),
        number: 2,
        previous: scene.head.root,
        hash,
        body,
    });
    assert_eq!(scene.by_chain(), [Fault::Missing { key: order(9), number: 1 }]);
}

#[test]
fn p8_a_position_that_leads_to_the_commit_of_another_is_found() {
    let scene = scene();
    {
        let mut rows = scene.ledger.rows();
        let position = rows[59].position;
        rows[59].position = 0;
        // No journal has it: it is the same commit, met again.
        let again = Row { position, shelf: order(9), ..rows[57].clone() };
        rows.push(again);
    }
    assert_eq!(scene.by_chain(), [Fault::Reordered { key: order(3), number: 12 }]);
}

#[test]
fn p8_a_log_that_was_changed_accuses_nobody() {
    let scene = scene();
    let log = Log::open(scene.folder.path()).unwrap();
    let changed = log.leaves().enumerate().map(|(at, leaf)| if at == 9 { Ok(kiff::Digest::default()) } else { leaf });
    let report = scene.check(Verification::of(&scene.ledger).log(scene.head, changed));
    assert!(matches!(&report.faults[..], [Fault::Log { size: COMMITS, .. }]), "{report}");
    let cut = log.leaves().take(20);
    let report = scene.check(Verification::of(&scene.ledger).log(scene.head, cut));
    assert!(matches!(&report.faults[..], [Fault::Log { size: COMMITS, .. }]), "{report}");
}

#[test]
fn p8_a_head_that_is_newer_than_the_log_accuses_nobody() {
    let scene = scene();
    scene.ledger.grow(10, ORDERS);
    let newer = scene.check(Verification::of(&scene.ledger)).head.unwrap();
    let log = Log::open(scene.folder.path()).unwrap();
    let report = scene.check(Verification::of(&scene.ledger).signed(newer).log(scene.head, log.leaves()));
    assert!(report.is_sound(), "{report}");
    assert_eq!(report.confirmed, [scene.head, newer]);
}

#[test]
fn p8_a_forged_head_does_not_accuse_the_log_that_names_the_commits() {
    let scene = scene();
    let log = Log::open(scene.folder.path()).unwrap();
    let forged = TreeHead { size: 5, root: kiff::Digest::default() };
    let faults = || scene.check(Verification::of(&scene.ledger).signed(forged).log(scene.head, log.leaves())).faults;
    let found = faults();
    assert!(matches!(&found[..], [Fault::Diverged { size: 5, .. }]), "{found:?}");
    scene.ledger.rewrite(&order(3), 2, "never said");
    let found = faults();
    assert!(matches!(&found[0], Fault::Diverged { size: 5, .. }), "{found:?}");
    assert_eq!(found[1..], [Fault::Forged { key: order(3), number: 2, position: 8 }]);
}

#[test]
fn what_a_broken_commit_says_moves_no_terminal() {
    let body = "{\"at\": \"2026-11-23T10:00:00Z\", \"actor\": {\"id\": \"a\", \"kind\": \"\\u001b[2J\u{202e}\"}, \"records\": []}";
    let broken = Sealed::verbatim(order(1), 1, Commit::GENESIS, body.into()).unwrap_err();
    let edited = Fault::Edited { key: order(1), number: 1, problem: broken.problem.clone() };
    for told in [broken.to_string(), edited.to_string()] {
        assert!(told.contains(r"unknown variant `\u{1b}[2J\u{202e}`"), "{told:?}");
    }
}

#[test]
fn a_fault_has_the_same_word_for_people_and_for_machines() {
    let (key, problem, root) = (order(1), "the disk is away".to_owned(), Commit::GENESIS);
    let faults = [
        Fault::Edited { key: key.clone(), number: 2, problem: problem.clone() },
        Fault::Swapped { key: key.clone(), number: 2, other_key: order(2), other_number: 2 },
        Fault::Missing { key: key.clone(), number: 2 },
        Fault::Reordered { key: key.clone(), number: 2 },
        Fault::Misplaced { key: key.clone(), number: 2, found: order(2) },
        Fault::Replaced { key: key.clone(), number: 2 },
        Fault::Unfounded { key: key.clone(), number: 2, problem: problem.clone() },
        Fault::Mislaid { key: key.clone(), number: 2, problem: problem.clone() },
        Fault::Unlisted { problem: problem.clone() },
        Fault::Unreadable { key: key.clone(), number: 2, problem: problem.clone() },
        Fault::Forged { key: key.clone(), number: 2, position: 3 },
        Fault::Moved { key, number: 2, position: 3, logged: 4 },
        Fault::Removed { from: 2, to: 2 },
        Fault::Removed { from: 2, to: 3 },
        Fault::Unwalkable { position: 3, problem: problem.clone() },
        Fault::Truncated { last: 2, signed: 3 },
        Fault::Diverged { size: 3, signed: root, found: root },
        Fault::Log { size: 3, problem },
        Fault::Inserted { commits: 3, positions: 2 },
    ];
    for fault in faults {
        let told = serde_json::to_value(&fault).unwrap();
        let word = told["fault"].as_str().unwrap();
        assert!(fault.to_string().starts_with(&format!("{word}: ")), "{word}: {fault}");
    }
}

#[test]
fn a_report_is_json_for_machines() {
    let scene = scene();
    scene.ledger.rows().truncate(9);
    scene.ledger.rows()[3].body[0] ^= 1;
    let report = serde_json::to_value(scene.report()).unwrap();
    assert_eq!(report["faults"][0]["fault"], "edited");
    assert_eq!(report["faults"][0]["key"]["id"], "ord-4");
    assert_eq!(report["faults"][1]["fault"], "truncated");
    assert_eq!(report["commits"], 7);
}

#[test]
fn p8_what_was_cut_is_found_whichever_head_is_given_first() {
    let scene = scene();
    let part = block_on(Verification::of(&Ledger::of(20, ORDERS)).run(|_| ())).unwrap().head.unwrap();
    scene.ledger.rows().truncate(30);
    for heads in [[part, scene.head], [scene.head, part]] {
        let check = heads.into_iter().fold(Verification::of(&scene.ledger), Verification::signed);
        assert_eq!(scene.check(check).faults, [Fault::Truncated { last: 30, signed: COMMITS }]);
    }
}
