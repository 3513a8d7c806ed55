//! The governed domain of this project, for its program and its tests.

pub mod domain;
