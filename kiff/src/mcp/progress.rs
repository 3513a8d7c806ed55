//! Notes to a client that wants to hear of it that its call still goes on, so that it does not give up.

use std::time::Duration;

use rmcp::RoleServer;
use rmcp::model::{ProgressNotificationParam, ProgressToken};
use rmcp::service::RequestContext;
use tokio::time::Instant;

/// After how long it is told so, again and again.
const STILL: Duration = Duration::from_secs(5);

/// How long a call goes on, and what its client was told of that.
pub(super) struct Progress<'a> {
    context: &'a RequestContext<RoleServer>,
    token: Option<ProgressToken>,
    /// Since when the call goes on.
    pub(super) since: Instant,
    /// When the next note is due.
    pub(super) next: Instant,
}

impl<'a> Progress<'a> {
    pub(super) fn of(context: &'a RequestContext<RoleServer>) -> Self {
        let since = Instant::now();
        Self { context, token: context.meta.get_progress_token(), since, next: since + STILL }
    }

    /// Tells it where a note is due: what goes on, and for how many seconds at most where that is known.
    pub(super) async fn tell(&mut self, what: &str, seconds: Option<u64>) {
        let now = Instant::now();
        if now < self.next {
            return;
        }
        self.next = now + STILL;
        let Some(token) = self.token.clone() else {
            return;
        };
        let mut note = ProgressNotificationParam::new(token, (now - self.since).as_secs_f64()).with_message(what);
        #[expect(clippy::cast_precision_loss, reason = "it is at most ten minutes")]
        let total = seconds.map(|seconds| seconds as f64);
        note.total = total;
        // A client that is gone needs no note.
        let _ = self.context.peer.notify_progress(note).await;
    }
}
