//! A log that follows its store while a server runs.

use std::sync::Arc;
use std::time::Duration;

use tokio::runtime::Handle;
use tokio::task::spawn_blocking;
use tokio::time::sleep;

use crate::proof::Sequencer;
use crate::store::Store;

impl Sequencer {
    /// Appends what is new in the store and signs it, again and again, so that a server has receipts for what it does.
    ///
    /// It ends with the task that it runs in. What cannot be appended is in the log of the process, and is tried again.
    ///
    /// ```no_run
    /// # use std::sync::Arc;
    /// # use std::time::Duration;
    /// # use kiff::MemoryStore;
    /// use kiff::http::Api;
    /// use kiff::proof::{Sequencer, SigningKey};
    ///
    /// # async fn serve(store: Arc<MemoryStore>) -> Result<(), Box<dyn std::error::Error>> {
    /// let key = SigningKey::read_or_generate("shop.key", "example.com/refunds")?;
    /// tokio::spawn(Sequencer::open("shop.log", key)?.follow(store, Duration::from_secs(1)));
    /// let api = Api::new().log("shop.log");
    /// # Ok(())
    /// # }
    /// ```
    pub async fn follow<S: Store>(self, store: Arc<S>, every: Duration) {
        let mut sequencer = self;
        loop {
            let (handle, store) = (Handle::current(), Arc::clone(&store));
            // It reads and writes files.
            let advanced = spawn_blocking(move || {
                let advanced = handle.block_on(sequencer.advance(&*store));
                (sequencer, advanced)
            });
            let Ok((back, advanced)) = advanced.await else {
                tracing::error!(target: "kiff::log", "the log is not followed any more");
                return;
            };
            sequencer = back;
            if let Err(error) = advanced {
                tracing::error!(target: "kiff::log", %error, "the log could not be advanced");
            }
            sleep(every).await;
        }
    }
}
