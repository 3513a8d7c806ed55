//! A log that follows its store while a server runs.

use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use futures_util::future::join;
use tokio::runtime::Handle;
use tokio::sync::oneshot;
use tokio::task::spawn_blocking;
use tokio::time::timeout;

use crate::journal::{Cursor, Query};
use crate::proof::{LogError, Sequencer};
use crate::store::Store;

impl Sequencer {
    /// Appends what is new in the store and signs it, again and again while a server works, so that it has receipts for what it does;
    /// and a last time when the work is over, so that nothing of it is left unsigned. The answer is that of the work.
    ///
    /// What cannot be appended is in the log of the process and counted, and is tried again; at the end it is left to the next start.
    ///
    /// ```no_run
    /// # use std::sync::Arc;
    /// # use std::time::Duration;
    /// # use kiff::MemoryStore;
    /// use kiff::http::{Api, Limits, serve, until_stopped};
    /// use kiff::proof::{Sequencer, SigningKey};
    ///
    /// # async fn run(store: Arc<MemoryStore>, listener: tokio::net::TcpListener) -> Result<(), Box<dyn std::error::Error>> {
    /// let key = SigningKey::read_or_generate("shop.key", "example.com/refunds")?;
    /// let sequencer = Sequencer::open("shop.log", key)?;
    /// let api = Api::new().log("shop.log");
    /// let serving = serve(listener, api.router(), Limits::DEFAULT, until_stopped());
    /// sequencer.follow(store, Duration::from_secs(1), serving).await?;
    /// # Ok(())
    /// # }
    /// ```
    pub async fn follow<S: Store, W: Future>(self, store: Arc<S>, every: Duration, work: W) -> W::Output {
        let (over, is_over) = oneshot::channel::<()>();
        let working = async move {
            let worked = work.await;
            drop(over);
            worked
        };
        join(working, self.follow_until(store, every, is_over)).await.0
    }

    /// The same until nobody holds the other end any more.
    async fn follow_until<S: Store>(self, store: Arc<S>, every: Duration, mut is_over: oneshot::Receiver<()>) {
        let (mut sequencer, mut is_last) = (self, false);
        let origin = sequencer.origin().to_owned();
        let failed = |times| metrics::counter!("kiff_log_failures_total", "log" => origin.clone()).increment(times);
        loop {
            let (handle, advancing) = (Handle::current(), Arc::clone(&store));
            // It reads and writes files.
            let advanced = spawn_blocking(move || {
                let advanced = handle.block_on(sequencer.advance(&*advancing));
                (sequencer, advanced)
            });
            let Ok((back, advanced)) = advanced.await else {
                tracing::error!(target: "kiff::log", "the log is not followed any more");
                failed(1);
                return;
            };
            sequencer = back;
            match advanced {
                Ok(advanced) => {
                    shows("kiff_log_signed_position", &origin, advanced.size);
                    // So that the first one is seen as one more, whenever the counts were taken up.
                    failed(0);
                }
                Err(error) => {
                    tracing::error!(target: "kiff::log", %error, "the log could not be advanced");
                    failed(1);
                    if let LogError::RolledBack { signed } = error {
                        shows("kiff_log_signed_position", &origin, signed);
                    }
                }
            }
            if let Ok(newest) = store.search(&Query::default(), Cursor::LAST, 1).await {
                shows("kiff_store_position", &origin, newest.first().map_or(0, |(position, _)| *position));
            }
            if is_last {
                return;
            }
            is_last = timeout(every, &mut is_over).await.is_ok();
        }
    }
}

/// Shows a position beside the name of the log that it belongs to.
#[expect(clippy::cast_precision_loss, reason = "a gauge has no other numbers; up to 2^53 commits this one is exact")]
fn shows(gauge: &'static str, log: &str, position: u64) {
    metrics::gauge!(gauge, "log" => log.to_owned()).set(position as f64);
}
