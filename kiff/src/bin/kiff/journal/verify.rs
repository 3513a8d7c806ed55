//! `kiff verify`: whether a journal is what was written, and whether it is the one that was signed.

use std::fmt::Write;
use std::fs;

use clap::Args;
use kiff::{Digest, Fault, Progress, Store, TreeHead, Verification};

use super::AFTER_A_RESTORE;
use super::place::{self, Work};
use crate::failure::Failure;
use crate::shell::{Ended, Shell};

/// Check every commit of a journal: chains, order, and what was signed
///
/// The chain alone finds what was changed in an entity's journal. Given a head that was written down before, or
/// checkpoints with the public key of their log, the check also finds that the journal was cut or written anew since.
#[derive(Debug, Args)]
pub(crate) struct Verify {
    /// A file of SQLite, a URL of PostgreSQL, or an export
    store: String,
    /// A head that an earlier check printed, as in `1200:5f2a…`; may be given several times
    #[arg(long, value_name = "SIZE:ROOT")]
    head: Vec<String>,
    #[cfg(feature = "proof")]
    #[command(flatten)]
    signed: signed::Signed,
}

impl Verify {
    pub(crate) fn run(self, shell: &Shell) -> Result<Ended, Failure> {
        let store = self.store.clone();
        place::read(&store, self, shell)
    }

    /// Whether it is a file without a byte: nothing in it is wrong, and nothing is in it.
    fn is_empty_file(&self) -> bool {
        fs::metadata(&self.store).is_ok_and(|file| file.is_file() && file.len() == 0)
    }
}

impl Work for Verify {
    async fn run<S: Store>(self, store: &S, shell: &Shell) -> Result<Ended, Failure> {
        let mut verification = Verification::of(store);
        for text in &self.head {
            verification = verification.signed(head(text)?);
        }
        #[cfg(feature = "proof")]
        let verification = self.signed.add_to(verification)?;
        let bar = shell.bar();
        let told = |progress| match progress {
            Progress::Chains { commits, of, .. } => bar.at(commits, of.max(commits), "commits in chains"),
            Progress::Order { commits, of } => bar.at(commits, of, "commits in order"),
            _ => {}
        };
        let report = verification.run(told).await?;
        drop(bar);
        let empty = if self.is_empty_file() { ": the file is empty" } else { "" };
        let mut text = format!("{report}{empty}\n");
        if let Some(TreeHead { size, root }) = report.head.filter(|_| report.is_sound()) {
            let _ = writeln!(text, "write this head down elsewhere, to check against it later: {size}:{root}");
        }
        let is_past_what_was_signed =
            |fault: &Fault| matches!(fault, Fault::Truncated { .. } | Fault::Diverged { .. } | Fault::Forged { .. });
        if report.faults.iter().any(is_past_what_was_signed) {
            let _ = writeln!(text, "help: {AFTER_A_RESTORE}");
        }
        shell.answer(&report, &text)?;
        Ok(Ended::if_so(report.is_sound()))
    }
}

/// `1200:5f2a…`
fn head(text: &str) -> Result<TreeHead, Failure> {
    let parts = text.split_once(':').and_then(|(size, root)| Some((size.parse().ok()?, root.parse::<Digest>().ok()?)));
    match parts {
        Some((size, root)) => Ok(TreeHead { size, root }),
        None => Err(Failure::new(format!("`{text}` is no head"))
            .help("write it as `kiff verify` printed it: how many commits, `:`, and the root")),
    }
}

#[cfg(feature = "proof")]
mod signed {
    //! What was signed: checkpoints, and the log that they are of.

    use std::fs;
    use std::path::PathBuf;

    use clap::{ArgGroup, Args};
    use kiff::proof::{CheckpointError, Log, SignedCheckpoint};
    use kiff::{Store, Verification};

    use crate::failure::Failure;
    use crate::keys::signing::trusted;

    /// What was signed, and by whom.
    #[derive(Debug, Args)]
    #[command(group = ArgGroup::new("checked").args(["checkpoint", "log"]).multiple(true))]
    pub(super) struct Signed {
        /// A checkpoint that was kept; may be given several times
        #[arg(long, value_name = "FILE", requires = "key")]
        checkpoint: Vec<PathBuf>,
        /// The folder of the log, to name each commit that is not the one that was logged
        #[arg(long, value_name = "DIR", requires = "key")]
        log: Option<PathBuf>,
        /// The public key of the log, or a file with it; may be given several times
        #[arg(long, value_name = "KEY", requires = "checked")]
        key: Vec<String>,
    }

    impl Signed {
        pub(super) fn add_to<'a, S: Store>(
            &self,
            mut check: Verification<'a, S>,
        ) -> Result<Verification<'a, S>, Failure> {
            let keys = trusted(&self.key)?;
            for path in &self.checkpoint {
                let text = fs::read_to_string(path).map_err(|error| Failure::file("read", path, &error))?;
                let malformed = |error: CheckpointError| Failure::new(format!("`{}`: {error}", path.display()));
                let wrong = |error| malformed(error).being_the_answer();
                let checkpoint: SignedCheckpoint = text.parse().map_err(malformed)?;
                check = check.signed(checkpoint.verify(&keys).map_err(wrong)?.head());
            }
            if let Some(folder) = &self.log {
                let log = Log::open(folder).map_err(|error| Failure::new(error.to_string()))?;
                let wrong = |error| Failure::new(format!("the log's checkpoint: {error}")).being_the_answer();
                let head = log.checkpoint().verify(&keys).map_err(wrong)?.head();
                check = check.log(head, log.leaves());
            }
            Ok(check)
        }
    }
}
