//! When a server is to stop.

use std::future::pending;

use tokio::signal::ctrl_c;

/// Waits until somebody asks the process to stop: by Ctrl-C, or by the signal `SIGTERM` that service managers and container
/// runtimes send. It is what [`serve`](super::serve) is given last.
///
/// A signal that cannot be waited for ends the process as it always does. That loses nothing that is on the record, but may leave
/// actions in doubt.
///
/// ```no_run
/// use kiff::http::{Limits, serve, until_stopped};
///
/// # async fn run(listener: tokio::net::TcpListener, app: axum::Router) -> std::io::Result<()> {
/// serve(listener, app, Limits::DEFAULT, until_stopped()).await
/// # }
/// ```
pub async fn until_stopped() {
    tokio::select! {
        () = interrupted() => {}
        () = terminated() => {}
    }
}

async fn interrupted() {
    if ctrl_c().await.is_err() {
        pending::<()>().await;
    }
}

#[cfg(unix)]
async fn terminated() {
    use tokio::signal::unix::{SignalKind, signal};
    match signal(SignalKind::terminate()) {
        Ok(mut terminate) => {
            terminate.recv().await;
        }
        Err(_) => pending().await,
    }
}

#[cfg(not(unix))]
async fn terminated() {
    pending().await
}
