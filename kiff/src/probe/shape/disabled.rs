//! Without the feature `tools` nobody listens to what types say.

/// Where the types of an action's parameters or an event's fields say what they look like, one after the other.
#[derive(Debug)]
pub struct Shapes(());

impl Shapes {
    #[expect(clippy::unused_self, reason = "with the feature `tools` it is noted")]
    pub(in crate::probe) const fn anything(&mut self) {}
}
