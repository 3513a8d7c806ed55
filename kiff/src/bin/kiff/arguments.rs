//! What can be asked of `kiff`.

use clap::{Args, CommandFactory, Parser, Subcommand};
use clap_complete::Shell as CompletedShell;

use crate::check::Check;
use crate::failure::Failure;
use crate::fmt::Fmt;
#[cfg(feature = "postgres")]
use crate::journal::migrate::Migrate;
use crate::journal::{Export, InDoubt, ShowTimeline, Verify};
#[cfg(feature = "proof")]
use crate::journal::{log::SignLog, receipt::Receipts};
#[cfg(any(feature = "http", feature = "proof"))]
use crate::keys::Keys;
use crate::new::New;
use crate::scaffold::Scaffold;
#[cfg(feature = "http")]
use crate::serve::Serve;
use crate::shell::{Ended, Shell};

const EXIT_CODES: &str = "\
Start with `kiff new support-desk`, or in a checkout of kiff with
`kiff new ../support-desk --path .`.

Exit codes:
  0  it is done, and the answer is yes
  1  it is done, and the answer is no: something does not verify, is not laid out, is not the governance that
     was saved, or was found and --strict is given
  2  the arguments are wrong
  3  it could not be done: a file is missing, a store does not open, a text is not what it should be";

/// Trust infrastructure for AI-operated systems: agents propose, kiff decides, humans approve, the journal proves.
#[derive(Debug, Parser)]
#[command(name = "kiff", version, after_long_help = EXIT_CODES, after_help = "Start with `kiff new support-desk`, or in a checkout of kiff with\n`kiff new ../support-desk --path .`. `kiff --help` has the exit codes.")]
pub(crate) struct Arguments {
    /// Answer in JSON, errors too
    #[arg(long, global = true)]
    pub(crate) json: bool,
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    New(New),
    Scaffold(Scaffold),
    Check(Check),
    Fmt(Fmt),
    Timeline(ShowTimeline),
    Verify(Verify),
    Export(Export),
    Doubt(InDoubt),
    #[cfg(feature = "http")]
    Serve(Serve),
    #[cfg(feature = "proof")]
    Receipt(Receipts),
    #[cfg(feature = "proof")]
    Log(SignLog),
    #[cfg(any(feature = "http", feature = "proof"))]
    Keys(Keys),
    #[cfg(feature = "postgres")]
    Migrate(Migrate),
    Completions(Completions),
    Man(Man),
}

impl Arguments {
    /// Does what is asked.
    pub(crate) fn run(self, shell: &Shell) -> Result<Ended, Failure> {
        match self.command {
            Command::New(new) => new.run(shell),
            Command::Scaffold(scaffold) => scaffold.run(shell),
            Command::Check(check) => check.run(shell),
            Command::Fmt(fmt) => fmt.run(shell),
            Command::Timeline(timeline) => timeline.run(shell),
            Command::Verify(verify) => verify.run(shell),
            Command::Export(export) => export.run(shell),
            Command::Doubt(doubt) => doubt.run(shell),
            #[cfg(feature = "http")]
            Command::Serve(serve) => serve.run(shell),
            #[cfg(feature = "proof")]
            Command::Receipt(receipts) => receipts.run(shell),
            #[cfg(feature = "proof")]
            Command::Log(log) => log.run(shell),
            #[cfg(any(feature = "http", feature = "proof"))]
            Command::Keys(keys) => keys.run(shell),
            #[cfg(feature = "postgres")]
            Command::Migrate(migrate) => migrate.run(shell),
            Command::Completions(completions) => completions.run(),
            Command::Man(man) => man.run(),
        }
    }
}

/// Print what makes a shell complete the arguments of kiff
#[derive(Debug, Args)]
struct Completions {
    /// For which shell
    shell: CompletedShell,
}

impl Completions {
    fn run(self) -> Result<Ended, Failure> {
        let mut script = Vec::new();
        clap_complete::generate(self.shell, &mut Arguments::command(), "kiff", &mut script);
        Shell::raw(&script)
    }
}

/// Print the manual page, or that of one command
#[derive(Debug, Args)]
struct Man {
    /// The command, as in `verify` or `log advance`
    command: Vec<String>,
}

impl Man {
    fn run(self) -> Result<Ended, Failure> {
        let mut command = Arguments::command();
        // Only then each command has the name that others refer to it by.
        command.build();
        for name in &self.command {
            command = command.find_subcommand(name).cloned().ok_or_else(|| {
                Failure::new(format!("there is no command `{}`", self.command.join(" ")))
                    .help("`kiff --help` shows which there are")
            })?;
        }
        let mut page = Vec::new();
        let rendered = clap_mangen::Man::new(command).render(&mut page);
        rendered.map_err(|error| Failure::new(format!("the manual page cannot be written: {error}")))?;
        Shell::raw(&page)
    }
}
