//! What becomes of a run of which nobody knows how it ended.

use kiff::{Actor, Bounds, Event, Executable, ExecutionId, Fact, Inquiry, Json, Settlement};

use crate::histories::Word;
use crate::model::Doubt;
use crate::wait::block_on;

use super::{Found, Trial, broke, compare};

impl<D: Executable> Trial<D> {
    /// Whether there is somebody to ask, and what they know, is for the domain to say: whatever comes of it must be on the record.
    pub(super) fn reconcile(&mut self, by: &Actor) -> Found {
        let inquiry = broke(block_on(self.runtime.reconcile(by, &self.key)))?;
        match (self.model.doubt.clone(), inquiry) {
            (Some(doubt), Inquiry::Settled { .. }) => self.reconciled(&doubt),
            (Some(_), Inquiry::StillUnknown { .. } | Inquiry::NobodyToAsk(_)) | (None, Inquiry::NothingInDoubt) => {
                self.recorded(&[])
            }
            (Some(doubt), other) => Err(format!("`{}` is in doubt, but asking came to {other:?}", doubt.action)),
            (None, other) => Err(format!("nothing is in doubt, but asking came to {other:?}")),
        }
    }

    fn reconciled(&mut self, doubt: &Doubt) -> Found {
        self.model.doubt = None;
        let facts = self.unseen()?;
        if !matches!(facts.first(), Some(Fact::ActionExecuted(_))) {
            return self.recorded(&["action_failed"]);
        }
        let event = facts.iter().find_map(|fact| match fact {
            Fact::EventIngested(ingested) => Some(&*ingested.event),
            _ => None,
        });
        self.made_happen(doubt, event)
    }

    pub(super) fn settle(&mut self, by: &Actor, word: &Word) -> Found {
        let expected = self.model.settle(by, word);
        let doubt = self.model.doubt.clone();
        let none = ExecutionId::new("execution-0").map_err(|error| error.to_string())?;
        let execution = doubt.as_ref().map_or(&none, |doubt| &doubt.execution);
        let settled = self.runtime.settle(by, &self.key, execution, settlement::<D>(word)?);
        let is_settled = compare(&expected, &broke(block_on(settled))?)?;
        let Some(doubt) = doubt.filter(|_| is_settled) else {
            return self.refused(&expected);
        };
        self.model.doubt = None;
        match word {
            Word::Happened { event, .. } => self.made_happen(&doubt, Some(event)),
            Word::HappenedWithoutEvent => self.made_happen(&doubt, None),
            Word::DidNotHappen => self.recorded(&["action_failed"]),
        }
    }

    fn made_happen(&mut self, doubt: &Doubt, event: Option<&str>) -> Found {
        let contract = self.model.schema.action(&doubt.action);
        let contract = contract.ok_or_else(|| format!("`{}` was settled, which is no action", doubt.action))?;
        self.happened(contract, event, &[])
    }
}

fn settlement<D: Executable>(word: &Word) -> Found<Settlement<D>> {
    let reason = "somebody has looked";
    let (name, payload) = match word {
        Word::DidNotHappen => return Ok(Settlement::did_not_happen(reason)),
        Word::HappenedWithoutEvent => return Ok(Settlement::event(None, reason)),
        Word::Happened { event, payload } => (event, payload),
    };
    let json = Json::parse(&payload.text, &Bounds::DEFAULT).map_err(|error| format!("the kit erred: {error}"))?;
    let event = <D::Event as Event>::decode(name, &json).ok_or_else(|| format!("there is no event `{name}`"))?;
    let event = event.map_err(|error| format!("`{name}` does not read {payload}: {error}"))?;
    Ok(Settlement::event(Some(event), reason))
}
