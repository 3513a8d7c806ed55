//! Events from outside.

use std::pin::Pin;

use crate::actor::Actor;
use crate::bounds::Bounds;
use crate::domain::{Domain, Event, State};
use crate::event::{Envelope, Reported, Trace};
use crate::executor::Executable;
use crate::identifier::{EntityKey, EventId, TraceId};
use crate::journal::{EventIngested, Fact, RecordId, StateChanged};
use crate::json::{Json, JsonError};
use crate::schema::Text;
use crate::store::Store;
use crate::time::Timestamp;
use crate::verdict::{self, Refused, Verdict};

use super::{Batch, Error, Runtime, TRIES};

/// An event that was accepted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Ingested<D: Domain> {
    /// What the entity is now.
    pub state: D::State,
    /// The record of the event.
    pub record: RecordId,
}

/// What can be ingested: the struct of an event that somebody may report, alone or [`Reported`] with what its source says beside, or
/// an [`Envelope`] that an adapter made.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is no event of `{D}` that anybody may report",
    label = "cannot be reported",
    note = "an event without `reported by` happens only by an action that emits it"
)]
pub trait Incoming<D: Domain>: Send {
    /// The event as it is looked at.
    #[doc(hidden)]
    fn arrive(self, bounds: &Bounds) -> Arrival;
}

/// An event as it is looked at.
pub struct Arrival {
    name: Text,
    /// What it says; none when the domain has no such event.
    payload: Option<Result<Json, JsonError>>,
    id: Option<EventId>,
    source: Option<TraceId>,
    occurred_at: Option<Timestamp>,
    trace: Trace,
}

impl Arrival {
    /// A typed event that happens now.
    #[doc(hidden)]
    pub fn typed(event: &impl Event, bounds: &Bounds) -> Self {
        Self {
            name: Text::Borrowed(event.name()),
            payload: Some(event.encode(bounds)),
            id: None,
            source: None,
            occurred_at: None,
            trace: Trace::default(),
        }
    }
}

impl<D: Domain> Incoming<D> for Envelope {
    fn arrive(self, bounds: &Bounds) -> Arrival {
        // Written again from what was understood, so that nothing enters the journal that nobody has checked.
        let decoded = D::Event::decode(&self.event, &self.payload);
        Arrival {
            name: self.event,
            payload: decoded.map(|decoded| decoded.and_then(|event| event.encode(bounds))),
            id: self.id,
            source: self.source,
            occurred_at: self.occurred_at,
            trace: self.trace,
        }
    }
}

impl<D: Domain, E: Incoming<D>> Incoming<D> for Reported<E> {
    fn arrive(self, bounds: &Bounds) -> Arrival {
        let Self { event, id, source, occurred_at, trace } = self;
        let arrival = event.arrive(bounds);
        Arrival {
            id: id.or(arrival.id),
            source: source.or(arrival.source),
            occurred_at: occurred_at.or(arrival.occurred_at),
            trace: if trace.is_empty() { arrival.trace } else { trace },
            ..arrival
        }
    }
}

/// The answer to an event from outside.
type IngestedLater<'a, D> = Pin<Box<dyn Future<Output = Result<Verdict<Ingested<D>>, Error>> + Send + 'a>>;

impl<D: Executable, S: Store> Runtime<D, S> {
    /// Takes an event from outside into the entity's journal, together with the state that it leads to.
    ///
    /// An event that its entity's state does not allow, or that `actor` may not report, leaves no trace in the
    /// journal.
    ///
    /// # Errors
    /// [`Error`] when the store fails or the journal is broken.
    // The answer is boxed because of what rustc says of an event that nobody may report: of a boxed one it says so once, at the
    // event, and of an `async fn` it does at the call and at the `await` as well.
    pub fn ingest<'a>(&'a self, actor: &'a Actor, key: &'a EntityKey, event: impl Incoming<D>) -> IngestedLater<'a, D> {
        let arrival = event.arrive(&self.bounds);
        Box::pin(self.admit(actor, key, arrival))
    }

    async fn admit(&self, actor: &Actor, key: &EntityKey, arrival: Arrival) -> Result<Verdict<Ingested<D>>, Error> {
        if let Err(refused) = Self::governed(key) {
            return Ok(Self::told(refused).into());
        }
        let (Some(schema), Some(payload)) = (D::schema().event(&arrival.name), &arrival.payload) else {
            return Ok(Self::told(Refused::invalid(verdict::unknown_event(D::schema(), &arrival.name))).into());
        };
        for tried in 0..TRIES {
            let entity = self.presumed(key, tried).await?;
            let admitted = verdict::admit(&entity, schema, payload.as_ref(), actor, &*self.policy);
            let (to, payload) = match admitted {
                Ok(admitted) => admitted,
                Err(_) if tried == 0 => {
                    self.entities.forget_unless_kept(&self.store, &entity).await?;
                    continue;
                }
                Err(refused) => return Ok(Self::told(self.advised(&entity, refused)).into()),
            };
            let ingested = EventIngested {
                event: schema.name.clone(),
                payload: payload.clone(),
                id: arrival.id.clone(),
                source: arrival.source.clone(),
                occurred_at: arrival.occurred_at,
            };
            let facts = Box::new(happened::<D>(entity.state(), ingested, to));
            let batch = Batch { at: self.now(), actor, trace: &arrival.trace, cause: None, facts };
            if let Some(moved) = self.commit(entity, batch).await? {
                let record = RecordId { commit: moved.number(), place: 1 };
                return Ok(Verdict::Allowed(Ingested { state: to, record }));
            }
        }
        Err(Error::Contended(key.clone()))
    }
}

/// What goes on the record when an event happens.
pub(super) fn happened<D: Domain>(from: Option<D::State>, event: EventIngested, to: D::State) -> [Fact; 2] {
    let from = from.map(|state| Text::Borrowed(state.name()));
    [event.into(), StateChanged { from, to: Text::Borrowed(to.name()) }.into()]
}
