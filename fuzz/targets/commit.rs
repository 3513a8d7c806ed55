//! The body of a commit, as a store may hand it out.

#![no_main]

#[allow(dead_code, reason = "each target calls one of them")]
#[path = "../entries.rs"]
mod entries;

libfuzzer_sys::fuzz_target!(|data: &[u8]| entries::commit(data));
