//! A server that no slow or greedy client holds up, and that stops without losing what has started.

use std::future::{Future, pending};
use std::io;
use std::net::{IpAddr, Ipv6Addr, SocketAddr};
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::extract::{ConnectInfo, Request};
use futures_util::TryFutureExt;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::graceful::GracefulShutdown;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc, watch};
use tokio::time::{sleep, timeout};
use tower_service::Service;

use super::guard::{self, Working};
use super::limits::Limits;
use super::seats::Seats;
use patient::Patient;
use turn::{Answer, Turns};

mod patient;
mod turn;

/// How many bytes the head of a request may have: its path, its query and its headers.
const HEAD: usize = 64 * 1024;

/// Serves a router until `shutdown` is done, and then finishes what has started.
///
/// Beside what `axum::serve` does, it holds clients to [`Limits`]: the time of a request's head, of taking an answer, and the
/// number of connections. A head of more than 64 KiB is answered 431. When it stops, it takes no more connections, ends streams of events, and waits up to
/// [`Limits::grace`] for answers that are on their way and for actions that have started, also where their client has left. For
/// a request whose head is not there yet it waits no longer than half a second.
///
/// # Errors
/// None today: a connection that cannot be accepted is logged, and the next one is.
pub async fn serve(
    listener: TcpListener,
    router: Router,
    limits: Limits,
    shutdown: impl Future<Output = ()>,
) -> io::Result<()> {
    let (close, closing) = watch::channel(false);
    let (held, mut all_done) = mpsc::channel::<()>(1);
    let working = guard::Server { held, closing };
    let server = Server { router, limits, working, peers: Seats::default(), graceful: GracefulShutdown::new() };
    let room = Arc::new(Semaphore::new(limits.connections.min(Semaphore::MAX_PERMITS)));
    let mut shutdown = pin!(shutdown);
    loop {
        let next = async {
            let place = Arc::clone(&room).acquire_owned().await;
            (place, listener.accept().await)
        };
        let accepted = tokio::select! {
            accepted = next => accepted,
            () = &mut shutdown => break,
        };
        match accepted {
            (Ok(place), Ok((stream, peer))) => server.connect(stream, peer, place),
            (_, Err(error)) => rest(&error).await,
            (Err(_), _) => break,
        }
    }
    drop(listener);
    // Whoever streams looks at this; that nobody does is no fault.
    let _ = close.send(true);
    let Server { graceful, working, .. } = server;
    drop(working);
    let finished = async {
        graceful.shutdown().await;
        // Nothing is ever sent: it ends when the last piece of work has let go.
        let _ = all_done.recv().await;
    };
    if timeout(limits.grace, finished).await.is_err() {
        tracing::warn!(target: "kiff::http", grace = ?limits.grace, "stopped before everything was finished");
    }
    Ok(())
}

/// When the process has no more file handles, asking again at once would only burn time.
async fn rest(error: &io::Error) {
    const PAUSE: Duration = Duration::from_millis(100);
    tracing::warn!(target: "kiff::http", %error, "a connection was not accepted");
    sleep(PAUSE).await;
}

struct Server {
    router: Router,
    limits: Limits,
    working: guard::Server,
    /// How many connections each network has.
    peers: Seats<IpAddr>,
    graceful: GracefulShutdown,
}

impl Server {
    fn connect(&self, stream: TcpStream, peer: SocketAddr, place: OwnedSemaphorePermit) {
        let Some(seat) = self.peers.take(network(peer.ip()), self.limits.connections_per_address) else {
            tracing::debug!(target: "kiff::http", %peer, "too many connections of one address");
            return;
        };
        // Answers are small: waiting to fill a packet would only delay them.
        let _ = stream.set_nodelay(true);
        let (router, working, turns) = (self.router.clone(), Working::of(&self.working), Turns::default());
        let taken = Patient::new(stream, self.limits.write_time, turns.clone());
        let begun = turns.clone();
        let service = service_fn(move |request: hyper::Request<Incoming>| {
            let mut request: Request = request.map(Body::new);
            request.extensions_mut().insert(ConnectInfo(peer));
            request.extensions_mut().insert(working.clone());
            let turn = begun.begin();
            router.clone().call(request).map_ok(|response| response.map(|body| Answer::new(body, turn)))
        });
        let connection = http1::Builder::new()
            .timer(TokioTimer::new())
            .header_read_timeout(self.limits.head_time())
            .max_header_size(HEAD)
            .serve_connection(TokioIo::new(taken), service);
        let (connection, closing) = (self.graceful.watch(connection), self.working.closing.clone());
        tokio::spawn(async move {
            tokio::select! {
                biased;
                ended = connection => if let Err(error) = ended {
                    tracing::debug!(target: "kiff::http", %peer, %error, "a connection broke off");
                },
                () = last_call(closing, &turns) => {
                    tracing::debug!(target: "kiff::http", %peer, "a request was not waited for: its head is not there");
                }
            }
            drop((place, seat));
        });
    }
}

/// Waits until the server is told to stop, and a little longer for a request that is on its way; without an end where one is
/// under way, because its connection ends with it.
async fn last_call(mut closing: watch::Receiver<bool>, turns: &Turns) {
    const ON_ITS_WAY: Duration = Duration::from_millis(500);
    // A server that is gone closes as well.
    let _ = closing.wait_for(|closing| *closing).await;
    sleep(ON_ITS_WAY).await;
    if !turns.are_over() {
        pending::<()>().await;
    }
}

/// Whose an address is: its own or, in IPv6, that of the network of 2^64 addresses that a single host is given.
fn network(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(address) => Ipv6Addr::from_bits(address.to_bits() & !u128::from(u64::MAX)).into(),
        address @ IpAddr::V4(_) => address,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn p10_a_host_has_one_share_however_many_addresses_it_takes() {
        let of = |address: &str| network(address.parse().unwrap());
        assert_eq!(of("2001:db8:1:2::1"), of("2001:db8:1:2:ffff:ffff:ffff:ffff"));
        assert_ne!(of("2001:db8:1:2::1"), of("2001:db8:1:3::1"));
        assert_eq!(of("::ffff:192.0.2.7"), of("192.0.2.7"));
        assert_ne!(of("192.0.2.7"), of("192.0.2.8"));
        assert_ne!(of("::ffff:192.0.2.7"), of("::ffff:192.0.2.8"));
    }
}
