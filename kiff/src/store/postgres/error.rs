//! What goes wrong between a store and its server, in sentences.

use std::error::Error;
use std::fmt;
use std::io;
use std::path::PathBuf;

use crate::store::StoreError;

/// The store cannot be opened, or its schema cannot be made.
pub struct PostgresError(Box<Problem>);

#[derive(Debug)]
pub(super) enum Problem {
    /// The URL, or a name in the options.
    Option { option: &'static str, problem: String },
    /// The certificates of who is trusted.
    Roots { file: Option<PathBuf>, problem: String },
    /// No thread or socket for the store's own runtime.
    Runtime(io::Error),
    /// The server, or the way there.
    Server(tokio_postgres::Error),
    /// It did not answer in time.
    Patience(Option<tokio_postgres::Error>),
    /// There is no journal in this schema.
    Missing { schema: String },
    /// The journal's schema is of another version of kiff.
    Version { schema: String, found: i32, needed: i32 },
    /// Its commits have come into tables that were there before.
    Mixed { schema: String },
    /// The role has no right to it.
    Forbidden { role: String, schema: String, cause: tokio_postgres::Error },
    /// The server or the role is set up so that a promise could not be kept.
    Setting { name: &'static str, value: String, instead: &'static str },
    /// The store is gone.
    Closed,
}

impl From<Problem> for PostgresError {
    fn from(problem: Problem) -> Self {
        Self(Box::new(problem))
    }
}

impl From<tokio_postgres::Error> for PostgresError {
    fn from(error: tokio_postgres::Error) -> Self {
        Problem::Server(error).into()
    }
}

impl From<PostgresError> for StoreError {
    fn from(error: PostgresError) -> Self {
        Self::new(error)
    }
}

impl From<Problem> for StoreError {
    fn from(problem: Problem) -> Self {
        PostgresError::from(problem).into()
    }
}

impl From<tokio_postgres::Error> for StoreError {
    fn from(error: tokio_postgres::Error) -> Self {
        Problem::Server(error).into()
    }
}

/// What the server says, or what keeps it from saying anything.
struct Sentence<'e>(&'e tokio_postgres::Error);

impl fmt::Display for Sentence<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(said) = self.0.as_db_error() {
            write!(f, "{} ({})", said.message(), said.code().code())?;
            return said.hint().map_or(Ok(()), |hint| write!(f, "; {hint}"));
        }
        // The error's own text names a step of the protocol; what happened is its cause.
        match self.0.source() {
            Some(cause) => fmt::Display::fmt(cause, f),
            None => fmt::Display::fmt(self.0, f),
        }
    }
}

impl fmt::Display for PostgresError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &*self.0 {
            Problem::Option { option, problem } => write!(f, "the {option} cannot be used: {problem}"),
            Problem::Roots { file: Some(file), problem } => {
                write!(f, "the certificates in `{}` cannot be used: {problem}", file.display())
            }
            Problem::Roots { file: None, problem } => write!(f, "the root certificates cannot be used: {problem}"),
            Problem::Runtime(error) => write!(f, "the store's thread cannot be started: {error}"),
            Problem::Server(error) => write!(f, "postgres: {}", Sentence(error)),
            Problem::Patience(None) => f.write_str(
                "postgres has not answered in time: it is stalled or overloaded, or somebody holds a lock on the journal's tables",
            ),
            Problem::Patience(Some(error)) => write!(f, "postgres has been away for too long: {}", Sentence(error)),
            Problem::Missing { schema } => write!(
                f,
                "there is no journal in the schema `{schema}`: make one with `PostgresStore::migrate` or `kiff migrate`, \
                 and the URL of the schema's owner"
            ),
            Problem::Version { schema, found, needed } if found < needed => write!(
                f,
                "the journal in the schema `{schema}` has version {found}, this kiff needs version {needed}: run \
                 `PostgresStore::migrate` or `kiff migrate` with the URL of the schema's owner"
            ),
            Problem::Version { schema, found, needed } => write!(
                f,
                "the journal in the schema `{schema}` has version {found}, this kiff knows versions up to {needed}: \
                 use the kiff that migrated it, or a later one"
            ),
            Problem::Mixed { schema } => write!(
                f,
                "the journal in the schema `{schema}` was restored into tables that were there already, and does not know its own \
                 order: drop the schema, and restore into a database without it"
            ),
            Problem::Forbidden { role, schema, cause } => write!(
                f,
                "the role `{role}` has no right to the journal in the schema `{schema}`: run `PostgresOptions::grant` or \
                 `kiff migrate URL --grant {role}` with the URL of the schema's owner, or, where it is only to read, \
                 `grant_reader` or `--grant-reader` ({})",
                Sentence(cause)
            ),
            Problem::Setting { name, value, instead } => write!(f, "`{name}` is `{value}`: {instead}"),
            Problem::Closed => f.write_str("the store has been closed"),
        }
    }
}

crate::debug::debug_as_message!(PostgresError);

impl Error for PostgresError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match &*self.0 {
            Problem::Runtime(error) => error.source(),
            // What is told of it is its cause, as `Sentence` has it.
            Problem::Server(error) | Problem::Forbidden { cause: error, .. } | Problem::Patience(Some(error)) => {
                error.source().and_then(Error::source)
            }
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_stands_behind_an_error_is_told_once() {
        let unread = "host".parse::<tokio_postgres::Config>().unwrap_err();
        let cause = unread.source().unwrap().to_string();
        let error = PostgresError::from(unread);
        assert_eq!(error.to_string(), format!("postgres: {cause}"));
        assert!(error.source().is_none());
    }
}
