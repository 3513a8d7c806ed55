//! Where JSON is written before it is checked and kept.

use std::cell::Cell;
use std::mem;

use serde::ser;

use super::JsonError;

/// A buffer to write JSON into before it is checked: each thread keeps one, so that what is only read once costs no memory.
#[derive(Debug)]
pub(crate) struct Scratch(Vec<u8>);

thread_local! {
    static SCRATCH: Cell<Vec<u8>> = const { Cell::new(Vec::new()) };
}

impl Scratch {
    /// The empty buffer of this thread, or another one while that is in use.
    pub(crate) fn take() -> Self {
        Self(SCRATCH.take())
    }

    /// Where to write.
    pub(crate) const fn out(&mut self) -> &mut Vec<u8> {
        &mut self.0
    }

    /// What was written.
    pub(crate) fn text(&self) -> Result<&str, JsonError> {
        str::from_utf8(&self.0).map_err(|error| JsonError::syntax(ser::Error::custom(error)))
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        /// A larger buffer is not kept: few texts need it.
        const KEPT: usize = 1 << 16;
        let mut buffer = mem::take(&mut self.0);
        if buffer.capacity() <= KEPT {
            buffer.clear();
            // A thread that ends has no place for it any more.
            let _ = SCRATCH.try_with(|scratch| scratch.set(buffer));
        }
    }
}
