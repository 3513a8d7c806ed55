//! Writes to a journal in PostgreSQL from four threads until it is killed, and says which commits were acknowledged.
//! Usage: `load URL SCHEMA`.

use std::error::Error;
use std::io::Write;
use std::thread;

use kiff::journal::{Content, StateChanged};
use kiff::{Actor, Appended, Commit, EntityKey, PostgresStore, Sealed, Store, Timestamp};
use kiff_test::block_on;

fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = std::env::args().skip(1);
    let (Some(url), Some(schema)) = (arguments.next(), arguments.next()) else {
        return Err("usage: load URL SCHEMA".into());
    };
    let store = &block_on(PostgresStore::options(&url).schema(schema).connect())?;
    thread::scope(|scope| {
        for writer in 0..4 {
            scope.spawn(move || {
                if let Err(error) = write(store, &format!("ord-{writer}")) {
                    eprintln!("{error}");
                }
            });
        }
    });
    Ok(())
}

/// Goes on with a journal, for ever.
fn write(store: &PostgresStore, name: &str) -> Result<(), Box<dyn Error>> {
    let key = EntityKey::new("Order", name)?;
    let commits = block_on(store.read(&key, 0, usize::MAX))?;
    let mut last = commits.last().map_or((0, Commit::GENESIS), |last| (last.number(), last.hash()));
    loop {
        let content = Content {
            at: Timestamp::from_microseconds(last.0),
            actor: Actor::system("shop")?,
            trace: None,
            cause: None,
            fold: None,
            facts: Box::new([StateChanged { from: None, to: "PAID".into() }.into()]),
        };
        let next = Sealed::new(key.clone(), last.0 + 1, last.1, content);
        last = (next.commit().number(), next.commit().hash());
        if block_on(store.append(next))? != Appended::Written {
            return Err(format!("{key} is written by somebody else").into());
        }
        let line = format!("{key} {} {}\n", last.0, last.1);
        std::io::stdout().lock().write_all(line.as_bytes())?;
    }
}
