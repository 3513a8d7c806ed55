//! P8: what was changed is found, and what was signed is believed by others.

mod fuzzed;
mod interoperation;
mod key;
mod ledger;
mod log;
mod page;
mod receipt;
mod silent;
mod tampering;
pub(crate) mod witness;
