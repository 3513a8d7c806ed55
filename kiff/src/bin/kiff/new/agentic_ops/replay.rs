//! The replay: each incident's state from its events alone, compared with what is on the record.

use std::error::Error;
use std::path::Path;

use kiff::{EntityKey, State, Store, Verdict};

use crate::{People, journal};

/// How many incidents are listed at a time.
const PAGE: usize = 1000;

pub async fn run(data: &Path) -> Result<(), Box<dyn Error>> {
    let people = People::new()?;
    let store = journal(data)?;
    let runtime = people.runtime(&store);
    let replay = async |incident: EntityKey| -> Result<(), Box<dyn Error>> {
        let Verdict::Allowed(rebuilt) = runtime.rebuild(&people.monitor, &incident).await? else {
            return Err(format!("{incident} cannot be replayed").into());
        };
        let (events, state) = (rebuilt.events, rebuilt.state.name());
        if !rebuilt.matches {
            return Err(format!("{incident}: {events} events lead to {state}, and the record says otherwise").into());
        }
        println!("{incident}: {events} events alone lead to {state}, as recorded");
        Ok(())
    };
    let mut incidents = store.entities(None, PAGE).await?;
    while let Some(last) = incidents.last().cloned() {
        for incident in incidents {
            replay(incident).await?;
        }
        incidents = store.entities(Some(&last), PAGE).await?;
    }
    Ok(())
}
