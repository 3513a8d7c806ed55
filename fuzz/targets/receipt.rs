//! The text of a receipt, as anybody may send it.

#![no_main]

#[allow(dead_code, reason = "each target calls one of them")]
#[path = "../entries.rs"]
mod entries;

libfuzzer_sys::fuzz_target!(|data: &[u8]| entries::receipt(data));
