//! What must not compile, and the words in which it does not: one program for each rule, below `ui`.
//!
//! `TRYBUILD=overwrite cargo test -p kiff-language ui` writes the words down anew; read them before you commit them.

/// Every rule of the design's table, P2 (`permit`), and what a typed handle does not allow.
#[test]
fn what_must_not_compile_does_not_and_says_why() {
    trybuild::TestCases::new().compile_fail("ui/*/*.rs");
}
