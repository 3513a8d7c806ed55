//! `kiff keys`: the keys that a log is signed with, and the keys of those who may ask over HTTP.

#[cfg(feature = "http")]
mod access;
#[cfg(feature = "proof")]
pub(crate) mod signing;

use clap::{Args, Subcommand};

use crate::failure::Failure;
use crate::shell::{Ended, Shell};

/// Make, show and revoke keys: of a signed log, and of those who may ask over HTTP
#[derive(Debug, Args)]
pub(crate) struct Keys {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    #[cfg(feature = "proof")]
    Generate(signing::Generate),
    #[cfg(feature = "proof")]
    Show(signing::Show),
    #[cfg(feature = "http")]
    Create(access::Create),
    #[cfg(feature = "http")]
    List(access::List),
    #[cfg(feature = "http")]
    Revoke(access::Revoke),
}

impl Keys {
    pub(crate) fn run(self, shell: &Shell) -> Result<Ended, Failure> {
        match self.command {
            #[cfg(feature = "proof")]
            Command::Generate(generate) => generate.run(shell),
            #[cfg(feature = "proof")]
            Command::Show(show) => show.run(shell),
            #[cfg(feature = "http")]
            Command::Create(create) => create.run(shell),
            #[cfg(feature = "http")]
            Command::List(list) => list.run(shell),
            #[cfg(feature = "http")]
            Command::Revoke(revoke) => revoke.run(shell),
        }
    }
}
