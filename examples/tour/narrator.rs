//! A story told step by step: chapters, who does what, and what the runtime answers.

use std::io::{self, Write};
use std::thread;
use std::time::Duration;

use kiff::{BrokenJournal, Domain, Rebuilt, State, Timeline, Verdict};

use crate::report::{self, Answer};

/// Tells a story, with a pause after each step.
pub struct Narrator<'o> {
    out: &'o mut dyn Write,
    pause: Duration,
    chapters: u32,
}

impl<'o> Narrator<'o> {
    /// A narrator who writes to `out`.
    pub fn new(out: &'o mut dyn Write, pause: Duration) -> Self {
        Self { out, pause, chapters: 0 }
    }

    /// Begins a chapter.
    pub fn chapter(&mut self, title: &str) -> io::Result<()> {
        self.chapters += 1;
        report::heading(self.out, &format!("{}  {title}", self.chapters))?;
        self.rest()
    }

    /// Somebody does or says something.
    pub fn tell(&mut self, who: &str, what: &str) -> io::Result<()> {
        report::entry(self.out, who, what)?;
        self.rest()
    }

    /// The runtime answers.
    pub fn answer(&mut self, answer: &Answer) -> io::Result<()> {
        report::answer(self.out, "kiff", answer)?;
        self.rest()
    }

    /// Every record, whether the events alone lead to the recorded state, and whether the chain of hashes holds.
    pub fn record<D: Domain>(&mut self, timeline: &Timeline, rebuilt: &Verdict<Rebuilt<D>>) -> io::Result<()> {
        report::timeline(self.out, timeline)?;
        let firsts = timeline.records().filter(|record| record.id().place == 1);
        let verified: Result<Vec<()>, BrokenJournal> = firsts.map(|record| record.commit().verify()).collect();
        let chain = match verified {
            Ok(commits) => Answer::done("intact", format!("{} commits, each with a hash that fits", commits.len())),
            Err(broken) => Answer::refused("broken", "error", broken.to_string(), None),
        };
        report::answer(self.out, "chain", &chain)?;
        let replay = Answer::verdict(rebuilt, |rebuilt| {
            let fits = if rebuilt.matches { "as recorded" } else { "NOT as recorded" };
            format!("{} events alone lead to {}, {fits}", rebuilt.events, rebuilt.state.name())
        });
        report::answer(self.out, "replay", &replay)?;
        self.rest()
    }

    fn rest(&mut self) -> io::Result<()> {
        self.out.flush()?;
        thread::sleep(self.pause);
        Ok(())
    }
}
