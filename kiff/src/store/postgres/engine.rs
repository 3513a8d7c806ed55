//! The thread on which a store talks to its server, so that its callers need no runtime of their own.

use std::thread;

use tokio::runtime::{Builder, Handle};
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

use super::error::Problem;

/// A thread with a runtime, until this is dropped.
pub(super) struct Engine {
    handle: Handle,
    stop: Option<oneshot::Sender<Vec<JoinHandle<()>>>>,
}

impl Engine {
    pub(super) fn start() -> Result<Self, Problem> {
        let runtime = Builder::new_current_thread().enable_all().build().map_err(Problem::Runtime)?;
        let handle = runtime.handle().clone();
        let (stop, stopped) = oneshot::channel::<Vec<JoinHandle<()>>>();
        let run = move || {
            runtime.block_on(async {
                for last in stopped.await.unwrap_or_default() {
                    // A task that panicked has ended as well.
                    let _ = last.await;
                }
            });
        };
        thread::Builder::new().name("kiff-postgres".to_owned()).spawn(run).map_err(Problem::Runtime)?;
        Ok(Self { handle, stop: Some(stop) })
    }

    pub(super) fn spawn(&self, task: impl Future<Output = ()> + Send + 'static) -> JoinHandle<()> {
        self.handle.spawn(task)
    }

    /// Runs `task` there, and waits for its answer here, wherever that is.
    pub(super) async fn run<T: Send + 'static>(
        &self,
        task: impl Future<Output = T> + Send + 'static,
    ) -> Result<T, Problem> {
        self.handle.spawn(task).await.map_err(|_| Problem::Closed)
    }

    /// Ends the thread once these tasks have ended.
    pub(super) fn stop_after(&mut self, tasks: Vec<JoinHandle<()>>) {
        if let Some(stop) = self.stop.take() {
            // The thread waits for this as long as it lives.
            let _ = stop.send(tasks);
        }
    }
}
