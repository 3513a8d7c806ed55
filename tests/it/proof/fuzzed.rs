//! The fuzz targets, over their corpus and over made-up changes to it: nothing panics, takes much memory or is believed.

use std::fs;
use std::path::Path;

use proptest::collection::vec;
use proptest::prelude::{Just, Strategy, any, prop_oneof};
use proptest::sample::select;
use proptest::test_runner::{Config, TestRunner};

#[path = "../../../fuzz/entries.rs"]
mod entries;

/// The inputs that are kept for a target.
fn corpus(target: &str) -> Vec<Vec<u8>> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../fuzz/corpus").join(target);
    let mut paths: Vec<_> = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    paths.sort();
    assert!(paths.len() > 3, "the corpus of `{target}` was not found: {paths:?}");
    paths.iter().map(|path| fs::read(path).unwrap()).collect()
}

/// One change to a text, at places that are given as shares of its length.
#[derive(Debug, Clone)]
enum Change {
    Flip(u16, u8),
    Insert(u16, Vec<u8>),
    Cut(u16, u16),
    Twice(u16, u16),
    /// The end of another input behind the beginning of this one.
    Splice(u16, usize, u16),
}

/// What the formats are made of, so that a change is not only noise.
const PIECES: &[&str] = &[
    "\n",
    "\n\n",
    "\"",
    "\\u0000",
    "\0",
    ",\"a\":1",
    "{",
    "[[[[[[[[",
    "0",
    "99999999999999999999",
    "— ",
    "+",
    "=",
    "index ",
];

fn change() -> impl Strategy<Value = Change> {
    let place = any::<u16>;
    let piece = prop_oneof![vec(any::<u8>(), 1..4), select(PIECES).prop_map(|piece| piece.as_bytes().to_vec()),];
    prop_oneof![
        (place(), any::<u8>()).prop_map(|(at, bits)| Change::Flip(at, bits)),
        (place(), piece).prop_map(|(at, piece)| Change::Insert(at, piece)),
        (place(), place()).prop_map(|(from, to)| Change::Cut(from, to)),
        (place(), place()).prop_map(|(from, to)| Change::Twice(from, to)),
        (place(), any::<usize>(), place()).prop_map(|(at, other, from)| Change::Splice(at, other, from)),
        Just(Change::Cut(u16::MAX - 400, u16::MAX)),
    ]
}

impl Change {
    fn apply(&self, text: &mut Vec<u8>, others: &[Vec<u8>]) {
        let at = |place: u16, text: &[u8]| usize::from(place) * text.len() / (usize::from(u16::MAX) + 1);
        let range = |from: u16, to: u16, text: &[u8]| at(from.min(to), text)..at(from.max(to), text);
        match self {
            Self::Flip(place, bits) => {
                let place = at(*place, text);
                text.iter_mut().skip(place).take(1).for_each(|byte| *byte ^= bits);
            }
            Self::Insert(place, piece) => {
                let place = at(*place, text);
                text.splice(place..place, piece.iter().copied());
            }
            Self::Cut(from, to) => drop(text.drain(range(*from, *to, text))),
            Self::Twice(from, to) => {
                let range = range(*from, *to, text);
                let again = text[range.clone()].to_vec();
                text.splice(range.end..range.end, again);
            }
            Self::Splice(place, other, from) => {
                let other = &others[other % others.len()];
                text.truncate(at(*place, text));
                text.extend_from_slice(&other[at(*from, other)..]);
            }
        }
    }
}

/// Runs a target over its corpus, over nothing, and over so many changed inputs.
fn run(target: &str, cases: u32, entry: fn(&[u8])) {
    let inputs = corpus(target);
    for input in &inputs {
        entry(input);
    }
    entry(&[]);
    let strategy = (0..inputs.len(), vec(change(), 1..6));
    let config = Config { cases, failure_persistence: None, ..Config::default() };
    let changed = TestRunner::new(config).run(&strategy, |(seed, changes)| {
        let mut input = inputs[seed].clone();
        for change in &changes {
            change.apply(&mut input, &inputs);
        }
        let taken = allocation_counter::measure(|| entry(&input)).bytes_max;
        assert!(taken < 64 * 1024 + 64 * input.len() as u64, "{taken} bytes for an input of {}", input.len());
        Ok(())
    });
    changed.unwrap();
}

#[test]
fn no_body_of_a_commit_breaks_its_reader() {
    run("commit", 2_000, entries::commit);
}

#[test]
fn p8_no_changed_receipt_breaks_its_reader_or_is_believed() {
    run("receipt", 2_000, entries::receipt);
}

#[test]
fn p8_no_changed_checkpoint_or_key_breaks_its_reader_or_is_believed() {
    run("checkpoint", 2_000, entries::checkpoint);
}
