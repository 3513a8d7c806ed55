//! Asking a human, and the human's answer.

use std::sync::Arc;

use crate::actor::Actor;
use crate::approval::{Answer, Approval, ApprovalStatus, Review};
use crate::bounds::{Bounds, OverBound};
use crate::entity::Entity;
use crate::executor::Executable;
use crate::identifier::{ApprovalId, EntityKey};
use crate::journal::{ApprovalRecorded, ApprovalReviewRejected, ApprovalReviewed, Cursor, Fact, Matter, Open, Query};
use crate::store::Store;
use crate::time::Timestamp;
use crate::verdict::{self, Objection, ReasonCode, Refusal, Refused, Verdict};

use super::attempt::{Attempt, Propose};
use super::{Batch, Error, Runtime, TRIES, readable};

impl<D: Executable, S: Store> Runtime<D, S> {
    /// Asks for a human's sign-off of exactly this proposal; an approval that the proposal names becomes its number.
    ///
    /// Asking again for what already waits answers the request that waits, also without the evidence that it shows.
    ///
    /// # Errors
    /// [`Error`] when the store fails or the journal is broken.
    pub async fn request_approval(
        &self,
        actor: &Actor,
        key: &EntityKey,
        proposal: impl Propose<D>,
    ) -> Result<Verdict<Approval>, Error> {
        self.request_for_attempt(actor, key, &mut proposal.attempt(&self.bounds)).await
    }

    pub(crate) async fn request_for_attempt(
        &self,
        actor: &Actor,
        key: &EntityKey,
        attempt: &mut Attempt<D>,
    ) -> Result<Verdict<Approval>, Error> {
        // The number that the proposal names is the one that it is to get, and no approval to be looked for.
        let wanted = attempt.approval.take();
        let attempt = &*attempt;
        for tried in 0..TRIES {
            let entity = self.presumed(key, tried).await?;
            let now = self.now();
            let case = self.case(&entity, actor, attempt, &*self.policy, now).map_err(Objection::Refused);
            let asked = match case.and_then(|case| verdict::weigh(&entity, &case)) {
                Ok(permit) => Err(needless(attempt, permit.approval())),
                Err(Objection::Unapproved { .. }) => self.ask(&entity, actor, attempt, now, wanted.as_ref())?,
                Err(Objection::Refused(refused)) => Err(self.advised(&entity, refused)),
            };
            let asked = match asked {
                Ok(Asked::New(approval)) if self.is_taken(&entity, wanted.as_ref()).await? => Err(taken(&approval.id)),
                asked => asked,
            };
            let approval = match asked {
                Ok(Asked::Waits(_)) if tried == 0 => continue,
                Ok(Asked::Waits(approval)) => return Ok(Verdict::Allowed(approval)),
                Ok(Asked::New(approval)) => approval,
                Err(refused) => match self.refuse(entity, actor, attempt, now, refused).await? {
                    Some(refused) => return Ok(refused.into()),
                    None => continue,
                },
            };
            let facts: Box<[Fact]> = Box::new([recorded(&approval).into()]);
            let batch = Batch { at: now, actor, trace: &attempt.trace, cause: None, facts };
            if let Some(moved) = self.commit(entity, batch).await? {
                return Ok(Verdict::Allowed(moved.approval(&approval.id).cloned().unwrap_or(approval)));
            }
        }
        Err(Error::Contended(key.clone()))
    }

    /// Whether a request of the entity that is no longer remembered had the number that is wanted: whoever still holds an old
    /// link must not answer another request by it.
    async fn is_taken(&self, entity: &Entity<D>, wanted: Option<&ApprovalId>) -> Result<bool, Error> {
        let Some(wanted) = wanted.filter(|_| entity.has_forgotten_approvals()) else {
            return Ok(false);
        };
        let query = Query::default().entity(entity.key().clone()).approval(wanted.clone());
        Ok(!Box::pin(self.store.search(&query, Cursor::LAST, 1)).await?.is_empty())
    }

    fn ask(
        &self,
        entity: &Entity<D>,
        actor: &Actor,
        attempt: &Attempt<D>,
        now: Timestamp,
        wanted: Option<&ApprovalId>,
    ) -> Result<Result<Asked, Refused>, Error> {
        let binding = self.binding(entity, attempt);
        let (Some(binding), Some(parameters)) = (binding.copied(), attempt.parameters().cloned()) else {
            return Ok(Err(needless(attempt, None)));
        };
        let now = entity.present(now);
        let waiting = entity
            .open_approvals()
            .iter()
            .find(|open| verdict::would_cover(open, &binding, now) && wanted.is_none_or(|wanted| *wanted == open.id));
        if let Some(waiting) = waiting {
            return Ok(Ok(Asked::Waits(Approval::clone(waiting))));
        }
        let id = match wanted {
            Some(wanted) => wanted.clone(),
            None => self.next_identifier("approval")?,
        };
        // Also where the source of identifiers repeats itself: an old answer must not be taken for one to this.
        if entity.approval(&id).is_some() {
            return Ok(Err(taken(&id)));
        }
        if let Err(over) = self.has_room(entity, actor, now) {
            return Ok(Err(Refused::invalid(verdict::too_many_open(&over))));
        }
        Ok(Ok(Asked::New(Approval {
            id,
            action: attempt.name().clone(),
            parameters,
            reasons: attempt.reasons.clone(),
            binding,
            requested_by: actor.clone(),
            requested_at: now,
            expires_at: now.after(self.approval_lifetime),
            status: ApprovalStatus::Pending,
        })))
    }

    /// Whether one more request of the actor is within the bounds. Nothing comes of what was asked for under a contract that is no
    /// more, so that it takes no room.
    fn has_room(&self, entity: &Entity<D>, actor: &Actor, now: Timestamp) -> Result<(), OverBound> {
        let stands = |open: &&Arc<Approval>| !open.has_expired(now) && self.is_current(open);
        let (mut all, mut own) = (1, 1);
        for open in entity.open_approvals().iter().filter(stands) {
            all += 1;
            own += usize::from(open.requested_by.id() == actor.id());
        }
        Bounds::check("open approvals of one entity", all, self.bounds.open_approvals)?;
        let most = self.bounds.open_approvals_of_one_actor;
        Bounds::check("open approvals of one entity that one actor asked for", own, most)
    }

    /// Whether an approval is of a contract that still holds.
    pub(crate) fn is_current(&self, approval: &Approval) -> bool {
        let action = D::from_name(&approval.action);
        action.is_some_and(|action| self.fingerprint(action) == approval.binding.contract)
    }

    /// A human's answer to a request: yes or no to one that waits, or the end of a grant that nothing has run by. An answer that
    /// does not count is on the record as well.
    ///
    /// A grant that is withdrawn while the action starts: either nothing runs, or the answer says by which run it is spent.
    ///
    /// # Errors
    /// [`Error`] when the store fails or the journal is broken.
    pub async fn review(
        &self,
        actor: &Actor,
        key: &EntityKey,
        approval: &ApprovalId,
        review: Review,
    ) -> Result<Verdict<Approval>, Error> {
        let within = review.reason.as_ref().map_or(Ok(()), |reason| self.within_text(reason));
        for tried in 0..TRIES {
            let entity = self.presumed(key, tried).await?;
            if let Err(refused) = Self::existing(&entity) {
                return Ok(Self::told(refused).into());
            }
            let now = self.now();
            let answered = match within {
                Ok(()) => {
                    let fingerprint = |action| self.fingerprint(action);
                    verdict::review(&entity, approval, &review, actor, &*self.policy, fingerprint, now).cloned()
                }
                Err(over) => Err(Refused::invalid(verdict::over_bound(&over))),
            };
            let fact = match &answered {
                Ok(_) => answer(approval, &review),
                Err(Refused { refusal, .. }) => rejection(approval, refusal.code, self.short(&refusal.message)).into(),
            };
            let batch = Batch { at: now, actor, trace: &review.trace, cause: None, facts: Box::new([fact]) };
            if let Some(moved) = self.commit(entity, batch).await? {
                let answered = answered.map(|asked| moved.approval(approval).cloned().unwrap_or(asked));
                return Ok(answered.map_err(Self::told).into());
            }
        }
        Err(Error::Contended(key.clone()))
    }

    /// The requests of this domain that wait for a review, over all entities: the oldest first, behind `after`, at most
    /// `limit` of them. What has expired does not wait. An entity whose journal is broken is logged and passed over.
    ///
    /// # Errors
    /// [`Error`] when the store fails.
    pub async fn pending_approvals(&self, after: Option<&Open>, limit: usize) -> Result<Vec<Pending>, Error> {
        self.pending_of(None, after, limit).await
    }

    /// The same, of one tenant or of all.
    pub(crate) async fn pending_of(
        &self,
        tenant: Option<&str>,
        after: Option<&Open>,
        limit: usize,
    ) -> Result<Vec<Pending>, Error> {
        let mut pending = Vec::new();
        let mut open = self.open(Matter::Review, tenant, after, limit);
        while pending.len() < limit
            && let Some(open) = open.next().await?
        {
            let approval = readable(self.waiting(&open).await)?.flatten();
            pending.extend(approval.map(|approval| Pending { open, approval }));
        }
        Ok(pending)
    }

    /// The request that the store lists as open, when it waits. What is remembered of it holds as long as the store lists it: a
    /// request never changes, and its review closes it.
    async fn waiting(&self, open: &Open) -> Result<Option<Approval>, Error> {
        let find = |entity: &Entity<D>| {
            let asked = entity.open_approvals().iter().find(|asked| asked.id.as_str() == open.id);
            asked.filter(|asked| asked.status == ApprovalStatus::Pending).map(|asked| Approval::clone(asked))
        };
        match self.entities.get(&open.key).and_then(|remembered| find(&remembered)) {
            Some(waiting) => Ok(Some(waiting)),
            None => Ok(find(&*self.entity(&open.key).await?)),
        }
    }

    fn within_text(&self, text: &str) -> Result<(), OverBound> {
        Bounds::check("bytes in a reason", text.len(), self.bounds.text)
    }
}

/// A request that waits for a review.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pending {
    /// Since when, of which entity, and until when.
    pub open: Open,
    /// What is asked for.
    pub approval: Approval,
}

/// What asking leads to.
enum Asked {
    /// The same was asked before and waits for its review.
    Waits(Approval),
    /// It is a request of its own.
    New(Approval),
}

fn recorded(approval: &Approval) -> ApprovalRecorded {
    ApprovalRecorded {
        approval: approval.id.clone(),
        action: approval.action.clone(),
        parameters: approval.parameters.clone(),
        reasons: approval.reasons.clone(),
        binding: approval.binding,
        expires_at: approval.expires_at,
    }
}

fn answer(approval: &ApprovalId, review: &Review) -> Fact {
    let reviewed = ApprovalReviewed { approval: approval.clone(), reason: review.reason.clone() };
    match review.answer {
        Answer::Grant => Fact::ApprovalGranted(reviewed),
        Answer::Deny => Fact::ApprovalDenied(reviewed),
        Answer::Withdraw => Fact::ApprovalWithdrawn(reviewed),
    }
}

fn rejection(approval: &ApprovalId, code: ReasonCode, message: String) -> ApprovalReviewRejected {
    ApprovalReviewRejected { approval: approval.clone(), code: code.as_str().into(), message }
}

fn needless<D: Executable>(attempt: &Attempt<D>, granted: Option<&ApprovalId>) -> Refused {
    let message = match granted {
        Some(approval) => format!("approval `{approval}` already covers exactly this"),
        None => format!("`{}` needs no approval", attempt.name()),
    };
    let remedy = Some("execute it".to_owned());
    Refused::invalid(Refusal { code: ReasonCode::ApprovalPolicyError, message, remedy })
}

fn taken(approval: &ApprovalId) -> Refused {
    Refused::invalid(Refusal {
        code: ReasonCode::ApprovalPolicyError,
        message: format!("there is already an approval `{approval}` of this entity"),
        remedy: Some("choose another id".to_owned()),
    })
}
