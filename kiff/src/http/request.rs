//! What a request asks for: its path, its query, its headers and its body, each within bounds.

use std::time::Duration;

use axum::body::Bytes;
use axum::extract::rejection::{PathRejection, QueryRejection};
use axum::extract::{FromRequest, FromRequestParts, Path, Query, Request};
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderName, StatusCode, header};
use futures_util::StreamExt;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::value::RawValue;

use crate::actor::{Actor, ActorKind};
use crate::decision::{Call, Evidence, Proposal};
use crate::event::Trace;
use crate::identifier::{ActorId, ApprovalId, EntityKey, IdempotencyKey, TraceId, check_address};
use crate::journal::Open;
use crate::json::{Json, JsonError, visible};
use crate::served::Served;

use super::Shared;
use super::guard::Working;
use super::identity::Principal;
use super::open::Wanted;
use super::problem::{About, Problem};

/// Whoever sends a request: the principal that the guard has let in, and what the headers say beside.
#[derive(Debug, Clone)]
pub(crate) struct Caller {
    pub(crate) principal: Principal,
    pub(crate) trace: Trace,
    pub(crate) working: Working,
    pub(crate) idempotency_key: Option<String>,
}

/// Whether something that stands in a list is shown to whoever asks for it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Sight {
    /// It is.
    Shown,
    /// It is not.
    Hidden,
    /// It is not, because a policy cannot say whether it may be. So nothing of the others is hidden.
    Undecided,
}

impl Caller {
    /// Whether the caller may see an entity that stands in a list.
    pub(crate) fn sight(&self, served: &dyn Served, key: &EntityKey) -> Sight {
        match self.may_read(served, self.principal.actor(), key) {
            Ok(true) => Sight::Shown,
            Ok(false) => Sight::Hidden,
            Err(_) => Sight::Undecided,
        }
    }

    /// The same caller, for work that a server does not wait for when it stops.
    pub(super) fn unawaited(&self) -> Self {
        Self { working: Working::default(), ..self.clone() }
    }

    /// Whether an actor, for whom this caller asks, may see an entity.
    pub(crate) fn may_read(&self, served: &dyn Served, actor: &Actor, key: &EntityKey) -> Result<bool, Problem> {
        if key.tenant() != self.principal.tenant() {
            return Ok(false);
        }
        Ok(self.principal.is_anybody() || served.may_read(actor, key).map_err(|_| Problem::undecided())?)
    }

    /// Refuses an actor who may not see the entity, whether or not there is one.
    pub(crate) fn check_access(&self, served: &dyn Served, actor: &Actor, key: &EntityKey) -> Result<(), Problem> {
        if self.may_read(served, actor, key)? {
            return Ok(());
        }
        let schema = served.schema();
        let problem = format!("`{}` holds no role of `{}` on `{}`", actor.id(), schema.domain, key.id());
        tracing::warn!(target: "kiff::http", domain = &*schema.domain, entity = %key, actor_id = actor.id().as_str(),
            "an actor without a role was refused");
        Err(Problem::forbidden(&About::entity(key), problem))
    }
}

static IDEMPOTENCY_KEY: HeaderName = HeaderName::from_static("idempotency-key");
static TRACEPARENT: HeaderName = HeaderName::from_static("traceparent");

impl<S: Sync> FromRequestParts<S> for Caller {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        // INVARIANT: the guard puts the principal there; a route that it does not guard has no caller.
        let principal = parts.extensions.get::<Principal>().cloned().ok_or_else(Problem::unauthenticated)?;
        let working = parts.extensions.get::<Working>().cloned().unwrap_or_default();
        let idempotency_key = idempotency_key(&parts.headers)?;
        Ok(Self { principal, trace: trace(&parts.headers), working, idempotency_key })
    }
}

/// The key that the header says, with the quotes that belong to a header of this sort or without.
fn idempotency_key(headers: &HeaderMap) -> Result<Option<String>, Problem> {
    let mut keys = headers.get_all(&IDEMPOTENCY_KEY).iter();
    let Some(key) = keys.next() else { return Ok(None) };
    if keys.next().is_some() {
        return Err(Problem::bad_request("the header `Idempotency-Key` stands there twice: send one"));
    }
    let key = key.to_str().map_err(|_| Problem::bad_request("the header `Idempotency-Key` is no plain text"))?;
    let inner = key.strip_prefix('"').and_then(|key| key.strip_suffix('"'));
    let key = inner.unwrap_or(key);
    if key.contains('"') {
        return Err(Problem::bad_request("the header `Idempotency-Key` has a quote within: send a key without"));
    }
    Ok(Some(key.to_owned()))
}

/// What somebody has sent whom nobody knows, as a line of the log may say it: it does not end the line, nor go on without end.
pub(super) fn logged(sent: &str) -> String {
    const SHOWN: usize = 256;
    match sent.char_indices().nth(SHOWN) {
        Some((end, _)) => format!("{}…", visible(sent.get(..end).unwrap_or_default())),
        None => visible(sent),
    }
}

/// The trace that the W3C header `traceparent` says; a header that is none says nothing.
pub(super) fn trace(headers: &HeaderMap) -> Trace {
    let parts = headers.get(&TRACEPARENT).and_then(|value| value.to_str().ok()).and_then(traceparent);
    let Some((trace, parent)) = parts else {
        return Trace::default();
    };
    Trace { trace_id: TraceId::new(trace).ok(), correlation_id: None, causation_id: TraceId::new(parent).ok() }
}

/// The trace's and the parent's number in a `traceparent`.
fn traceparent(text: &str) -> Option<(&str, &str)> {
    let mut parts = text.trim().split('-');
    let (version, trace, parent, flags) = (parts.next()?, parts.next()?, parts.next()?, parts.next()?);
    let is_hex = |text: &str, digits: usize| {
        text.len() == digits && text.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
    };
    let is_some = |text: &str| text.bytes().any(|byte| byte != b'0');
    // A later version may have more parts; version 00 has these four.
    let is_known = is_hex(version, 2) && version != "ff" && (version != "00" || parts.next().is_none());
    let is_good = is_known && is_hex(trace, 32) && is_hex(parent, 16) && is_hex(flags, 2);
    (is_good && is_some(trace) && is_some(parent)).then_some((trace, parent))
}

/// The parts of the path that a route names.
pub(crate) struct Named<T>(pub(crate) T);

impl<T: DeserializeOwned + Send, S: Send + Sync> FromRequestParts<S> for Named<T> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        let path = Path::<T>::from_request_parts(parts, state).await;
        path.map(|Path(named)| Self(named)).map_err(|error: PathRejection| Problem::bad_request(error.body_text()))
    }
}

/// What the query string says.
pub(crate) struct Said<T>(pub(crate) T);

impl<T: DeserializeOwned, S: Send + Sync> FromRequestParts<S> for Said<T> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        let query = Query::<T>::from_request_parts(parts, state).await;
        // It may say again what it was sent, as the name of a parameter that there is not.
        let unfit = |error: QueryRejection| Problem::bad_request(visible(&error.body_text()));
        query.map(|Query(said)| Self(said)).map_err(unfit)
    }
}

/// Which sort of entity, where several domains are served.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Sort {
    pub(crate) entity_type: Option<String>,
}

/// How much of a list to show.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Page {
    /// Which sort of entity, where several domains are served.
    pub(crate) entity_type: Option<String>,
    /// Behind which item.
    pub(crate) after: Option<String>,
    limit: Option<Limit>,
}

/// A number of items that an answer can have.
#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(try_from = "usize")]
struct Limit(usize);

impl TryFrom<usize> for Limit {
    type Error = String;

    fn try_from(limit: usize) -> Result<Self, String> {
        if (1..=Page::MOST).contains(&limit) { Ok(Self(limit)) } else { Err(format!("it is from 1 to {}", Page::MOST)) }
    }
}

impl Page {
    /// The most items that one answer has, and as many as it has unless fewer are asked for.
    pub(crate) const MOST: usize = 1000;

    /// How many bytes the items of an answer take together, unless one alone takes more.
    pub(crate) const ROOM: usize = 1024 * 1024;

    pub(crate) fn limit(&self) -> usize {
        self.limit.map_or(Self::MOST, |limit| limit.0)
    }

    /// The part of what is open that it asks for.
    pub(crate) fn open<'a>(&'a self, after: Option<&'a Open>) -> Wanted<'a> {
        // A client asks on by itself.
        let patience = Duration::ZERO;
        Wanted { entity_type: self.entity_type.as_deref(), after, limit: self.limit(), room: Self::ROOM, patience }
    }
}

/// A body of JSON. An empty one says as much as an object without members.
pub(crate) struct Body<T>(pub(crate) T);

impl NamedActor {
    pub(crate) const fn new(id: String, kind: Option<String>) -> Self {
        Self { id, kind }
    }
}

impl<T: DeserializeOwned> FromRequest<Shared> for Body<T> {
    type Rejection = Problem;

    /// It is no async function: what waits for the body would keep the whole request, twice.
    fn from_request(request: Request, shared: &Shared) -> impl Future<Output = Result<Self, Problem>> {
        let length =
            request.headers().get(header::CONTENT_LENGTH).and_then(|length| length.to_str().ok()?.parse().ok());
        let asks = request.uri().query().is_some_and(|query| !query.is_empty());
        let body = request.into_body();
        async move {
            if asks {
                return Err(Problem::bad_request(
                    "this takes no parameters in its query: say in the body what it is to know",
                ));
            }
            let bytes = read(body, length, shared.limits.body).await?;
            let text = std::str::from_utf8(&bytes).map_err(|_| Problem::no_text())?;
            let text = if text.is_empty() { "{}" } else { text };
            Json::check(text, &shared.body_bounds()).map_err(|error| Problem::no_json(&error))?;
            // serde reads a struct from a list as well.
            if !text.trim_start().starts_with('{') {
                return Err(Problem::no_object());
            }
            serde_json::from_str(text).map(Self).map_err(|error| Problem::no_json(&JsonError::syntax(error)))
        }
    }
}

/// The bytes of a body that is `length` bytes long, where its sender says so, and may be `most`.
pub(super) async fn read(body: axum::body::Body, length: Option<u64>, most: usize) -> Result<Bytes, Problem> {
    let too_large =
        || Problem::new(StatusCode::PAYLOAD_TOO_LARGE, format!("the body is larger than the bound of {most} bytes"));
    if length.is_some_and(|length| length > most as u64) {
        return Err(too_large());
    }
    let mut parts = body.into_data_stream();
    let mut whole = Bytes::new();
    while let Some(part) = parts.next().await {
        let part = part.map_err(|_| Problem::bad_request("the body ended before it was whole"))?;
        if whole.len() + part.len() > most {
            return Err(too_large());
        }
        whole = if whole.is_empty() { part } else { joined(whole, &part) };
    }
    Ok(whole)
}

fn joined(whole: Bytes, part: &[u8]) -> Bytes {
    let mut joined = Vec::from(whole);
    joined.extend_from_slice(part);
    joined.into()
}

/// The actor that a body names.
#[derive(Debug, Clone, Deserialize)]
pub(crate) struct NamedActor {
    #[serde(default)]
    id: String,
    #[serde(default, rename = "type")]
    kind: Option<String>,
}

/// What the routes of an action take, and nothing else: an agent that writes `params` must not believe that it was heard.
#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct ActionBody {
    pub(crate) entity_type: Option<String>,
    pub(crate) actor: Option<NamedActor>,
    pub(crate) approval_id: Option<String>,
    parameters: Option<Box<RawValue>>,
    reason: Option<String>,
    confidence: Option<f64>,
    evidence: Vec<Evidence>,
    idempotency_key: Option<String>,
}

impl ActionBody {
    /// The proposal that the body makes of an action.
    pub(crate) fn proposal(self, action: &str, caller: &Caller) -> Result<Proposal<Call>, Problem> {
        let parameters = self.parameters.map_or_else(|| "{}".into(), Box::<str>::from);
        let call = Call::new(action, parameters);
        let mut proposal = Proposal::new(call).trace(caller.trace.clone());
        if let Some(reason) = self.reason.filter(|reason| !reason.is_empty()) {
            proposal = proposal.because(reason);
        }
        if let Some(confidence) = self.confidence {
            proposal = proposal.confidence(confidence).map_err(|error| Problem::bad_request(error.to_string()))?;
        }
        proposal = self.evidence.into_iter().fold(proposal, Proposal::evidence);
        if let Some(approval) = self.approval_id.filter(|approval| !approval.is_empty()) {
            proposal = proposal.approval(approval_id("approval_id", &approval)?);
        }
        Ok(proposal)
    }

    /// The key under which the action may be asked for again: the header's or the body's.
    pub(crate) fn key(&self, caller: &Caller) -> Result<Option<IdempotencyKey>, Problem> {
        let in_body = self.idempotency_key.as_deref().filter(|key| !key.is_empty());
        let key = match (caller.idempotency_key.as_deref(), in_body) {
            (Some(header), Some(body)) if header != body => {
                return Err(Problem::bad_request("`Idempotency-Key` and `idempotency_key` are two keys: send one"));
            }
            (header, body) => header.or(body),
        };
        key.map(|key| identifier("idempotency_key", key)).transpose()
    }
}

/// An identifier that a client sends, or a word of which there are few.
pub(crate) fn identifier<T>(name: &str, text: &str) -> Result<T, Problem>
where
    T: std::str::FromStr,
    T::Err: std::fmt::Display,
{
    text.parse().map_err(|error| Problem::bad_request(format!("`{name}`: {error}")))
}

/// The number of an approval that a client sends.
pub(crate) fn approval_id(name: &str, text: &str) -> Result<ApprovalId, Problem> {
    check_address(text).map_err(|error| Problem::bad_request(format!("`{name}`: {error}")))?;
    identifier(name, text)
}

/// Who acts: the principal, or the actor that the body names where the principal may act for others. An actor of no
/// kind is taken for one of `otherwise`.
pub(crate) fn acting(
    principal: &Principal,
    named: Option<&NamedActor>,
    otherwise: ActorKind,
    about: &About<'_>,
) -> Result<Actor, Problem> {
    let named = named.filter(|named| !named.id.is_empty());
    let own = principal.actor();
    let Some(named) = named else {
        return if principal.is_anybody() {
            Err(Problem::bad_request("actor id is required"))
        } else {
            Ok(own.clone())
        };
    };
    let kind = named.kind.as_deref().filter(|kind| !kind.is_empty());
    let kind = kind.map(|kind| identifier::<ActorKind>("actor.type", kind)).transpose()?;
    if !principal.is_anybody() && named.id == own.id().as_str() && kind.is_none_or(|kind| kind == own.kind()) {
        return Ok(own.clone());
    }
    if !principal.acts_for_others() {
        let problem = format!("the request is of `{}`, who may not act as another actor", own.id());
        return Err(Problem::forbidden(about, problem));
    }
    let id = identifier::<ActorId>("actor.id", &named.id)?;
    Ok(Actor::new(id, kind.unwrap_or(otherwise)))
}

/// The key of an entity of the principal's tenant.
pub(crate) fn entity_key(principal: &Principal, entity_type: &str, id: &str) -> Result<EntityKey, Problem> {
    principal.key(entity_type, id).map_err(|error| Problem::bad_request(error.to_string()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn p6_two_keys_are_never_taken_for_one() {
        let key = |values: &[&'static str]| {
            let headers =
                values.iter().map(|value| (IDEMPOTENCY_KEY.clone(), axum::http::HeaderValue::from_static(value)));
            let mut all = HeaderMap::new();
            for (name, value) in headers {
                all.append(name, value);
            }
            idempotency_key(&all).ok()
        };
        assert_eq!(key(&[]), Some(None));
        for (value, expected) in [("pipe-5", "pipe-5"), ("\"pipe-5\"", "pipe-5")] {
            assert_eq!(key(&[value]), Some(Some(expected.to_owned())));
        }
        for bad in [&["pipe-5\""][..], &["\"\"a\"\""], &["\""], &["a", "a"], &["a", "b"]] {
            assert_eq!(key(bad), None, "{bad:?}");
        }
    }

    #[test]
    fn a_traceparent_is_read_and_whatever_else_says_nothing() {
        let good = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
        assert_eq!(traceparent(good), Some(("4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7")));
        assert!(traceparent(&good.replacen("00", "cc", 1)).is_some());
        assert!(traceparent(&good.replacen("00", "ff", 1)).is_none());
        for bad in [
            "",
            "00",
            "00-4BF92F3577B34DA6A3CE929D0E0E4736-00f067aa0ba902b7-01",
            "00-00000000000000000000000000000000-00f067aa0ba902b7-01",
            "00-4bf92f3577b34da6a3ce929d0e0e4736-0000000000000000-01",
            "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01-more",
        ] {
            assert_eq!(traceparent(bad), None, "{bad}");
        }
    }
}
