//! The replay: each incident's state from its events alone, compared with what is on the record.

use std::error::Error;
use std::path::Path;

use kiff::{State, Store, Verdict};

use crate::{People, journal};

pub async fn run(data: &Path) -> Result<(), Box<dyn Error>> {
    let people = People::new()?;
    let store = journal(data)?;
    let runtime = people.runtime(&store);
    for incident in store.entities(None, 1000).await? {
        let Verdict::Allowed(rebuilt) = runtime.rebuild(&people.monitor, &incident).await? else {
            return Err(format!("{incident} cannot be replayed").into());
        };
        let (events, state) = (rebuilt.events, rebuilt.state.name());
        if !rebuilt.matches {
            return Err(format!("{incident}: {events} events lead to {state}, and the record says otherwise").into());
        }
        println!("{incident}: {events} events alone lead to {state}, as recorded");
    }
    Ok(())
}
