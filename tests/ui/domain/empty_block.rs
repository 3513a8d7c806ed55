//! The block is empty.

use kiff::domain;

domain! {}

fn main() {}
