//! For demonstrations on one's own machine: whoever asks is whoever they say.

use std::fmt;
use std::io;
use std::net::SocketAddr;

use tokio::net::TcpListener;

use crate::actor::Actor;
use crate::identifier::IdentifierError;

use super::identity::{Authenticate, Credentials, Principal, Unauthenticated};
use super::origin::{is_foreign, names_another_origin};

/// Takes every request for one of the actor that its body names, without any proof.
///
/// It is for demonstrations: whoever reaches the port can do everything as anybody. So it can be had only with a listener on a
/// loopback address, says on standard error that it is on, and refuses requests that come from elsewhere, through a
/// proxy that says so, or from a page of another origin in a browser, as is that of another port.
///
/// A proxy on the same machine that adds no header of its own, as nginx does unless it is told to, cannot be told from a client there:
/// whoever reaches it can act as anybody. Never put one before it.
///
/// ```no_run
/// # use kiff::http::{Api, TrustBody};
/// # async fn open(api: Api) -> Result<(), Box<dyn std::error::Error>> {
/// let listener = tokio::net::TcpListener::bind("127.0.0.1:8080").await?;
/// let api = api.authenticate(TrustBody::on(&listener)?);
/// # Ok(())
/// # }
/// ```
#[derive(Debug)]
pub struct TrustBody {
    nobody: Actor,
}

impl TrustBody {
    /// Trusts whoever comes to `listener`.
    ///
    /// # Errors
    /// [`TrustError`] when the listener can be reached from another machine.
    pub fn on(listener: &TcpListener) -> Result<Self, TrustError> {
        let address = listener.local_addr().map_err(TrustError::Address)?;
        if !address.ip().is_loopback() {
            return Err(TrustError::Reachable(address));
        }
        let nobody = Actor::system("whoever-asks").map_err(TrustError::Identifier)?;
        eprintln!("NO AUTHENTICATION on {address}: every request is believed to be of the actor that its body names");
        tracing::warn!(target: "kiff::http", %address, "no authentication: every body is believed");
        Ok(Self { nobody })
    }
}

/// Each of them is a header that a proxy adds, and no client that asks by itself; and so is whatever begins with the last.
const PROXIED: [&str; 3] = ["forwarded", "via", "x-real-ip"];
const FORWARDED: &str = "x-forwarded-";

impl Authenticate for TrustBody {
    async fn authenticate(&self, credentials: Credentials<'_>) -> Result<Option<Principal>, Unauthenticated> {
        if credentials.peer().is_none_or(|peer| !peer.is_loopback()) {
            return Err(Unauthenticated::new("the request does not come from this machine"));
        }
        if PROXIED.iter().any(|name| credentials.has(name)) || credentials.has_like(FORWARDED) {
            return Err(Unauthenticated::new("the request comes through a proxy"));
        }
        if credentials.header("host").is_none_or(|host| !is_local(host)) {
            return Err(Unauthenticated::new("the request is for another host"));
        }
        // Another port of this machine is another origin: whoever serves pages there speaks for nobody here. No proxy may have changed
        // the `Host`, and so an `Origin` has to fit it whatever else a browser says.
        if is_foreign(credentials) || names_another_origin(credentials) {
            return Err(Unauthenticated::new("the request is of a page of another origin"));
        }
        Ok(Some(Principal::anybody(self.nobody.clone())))
    }
}

/// Whether a host, with or without a port, is this machine.
fn is_local(host: &str) -> bool {
    let name = match host.rsplit_once(':') {
        Some((name, port)) if port.bytes().all(|byte| byte.is_ascii_digit()) => name,
        _ => host,
    };
    ["localhost", "127.0.0.1", "[::1]"].contains(&name)
}

/// Whoever asks cannot be trusted there.
#[non_exhaustive]
pub enum TrustError {
    /// The listener can be reached from other machines.
    Reachable(SocketAddr),
    /// The listener does not say where it listens.
    Address(io::Error),
    /// The name for whoever asks is none.
    Identifier(IdentifierError),
}

impl fmt::Display for TrustError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Reachable(address) => write!(
                f,
                "{address} can be reached from other machines, and whoever does could act as anybody: listen on 127.0.0.1, or \
                 authenticate"
            ),
            Self::Address(error) => write!(f, "the listener does not say where it listens: {error}"),
            Self::Identifier(error) => error.fmt(f),
        }
    }
}

crate::debug::debug_as_message!(TrustError);

impl std::error::Error for TrustError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Address(error) => error.source(),
            Self::Reachable(_) | Self::Identifier(_) => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use axum::http::{HeaderMap, HeaderValue, header};

    use super::*;

    /// Whether a request from there is believed that names these hosts.
    fn is_believed(peer: &str, hosts: &[&'static str]) -> bool {
        is_believed_of(peer, hosts, &[])
    }

    /// Whether a request from there is believed that names these hosts, and that pages of these origins have sent.
    fn is_believed_of(peer: &str, hosts: &[&'static str], origins: &[&'static str]) -> bool {
        let tokio = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        tokio.block_on(async {
            let trust = TrustBody::on(&TcpListener::bind("127.0.0.1:0").await.unwrap()).unwrap();
            let mut headers = HeaderMap::new();
            for &host in hosts {
                headers.append(header::HOST, HeaderValue::from_static(host));
            }
            for &origin in origins {
                headers.append(header::ORIGIN, HeaderValue::from_static(origin));
            }
            trust.authenticate(Credentials::new(&headers, peer.parse().ok())).await.is_ok()
        })
    }

    #[test]
    fn p4_nobody_is_believed_of_whom_it_is_not_known_that_they_are_on_this_machine() {
        for (peer, expected) in [("127.0.0.1:1", true), ("192.0.2.1:1", false), ("", false)] {
            assert_eq!(is_believed(peer, &["localhost"]), expected, "{peer}");
        }
    }

    #[test]
    fn p4_nobody_is_believed_who_asks_for_another_host() {
        for host in ["localhost", "localhost:80", "127.0.0.1:80", "[::1]", "[::1]:80"] {
            assert!(is_believed("127.0.0.1:1", &[host]), "{host}");
        }
        for host in ["evil.example", "evil.example:80", "127.0.0.1.evil.example:80", "localhost.evil.example"] {
            assert!(!is_believed("127.0.0.1:1", &[host]), "{host}");
        }
        // Where there are none or two, nobody knows which one is meant.
        assert!(!is_believed("127.0.0.1:1", &[]));
        assert!(!is_believed("127.0.0.1:1", &["localhost", "localhost"]));
    }

    #[test]
    fn p4_nobody_is_believed_whom_a_page_of_another_origin_has_ask() {
        let is_believed = |host, origins: &[&'static str]| is_believed_of("127.0.0.1:1", &[host], origins);
        for (host, origin) in [
            ("localhost", "http://localhost"),
            ("localhost:8080", "http://localhost:8080"),
            ("localhost:8080", "http://LOCALHOST:8080"),
            ("127.0.0.1:8080", "http://127.0.0.1:8080"),
            ("[::1]:8080", "http://[::1]:8080"),
        ] {
            assert!(is_believed(host, &[origin]), "{origin} at {host}");
        }
        for origin in [
            "http://localhost:3000",
            "http://localhost",
            "http://127.0.0.1:8080",
            "http://evil.example",
            "http://localhost:8080.evil.example",
            "localhost:8080",
            "null",
            "",
        ] {
            assert!(!is_believed("localhost:8080", &[origin]), "{origin}");
        }
        // Where there are two, nobody knows which one is meant.
        assert!(!is_believed("localhost:8080", &["http://localhost:8080", "http://localhost:8080"]));
    }
}
