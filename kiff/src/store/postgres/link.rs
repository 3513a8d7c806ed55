//! The way to the server: a pool of connections, and what is tried again when one is lost.

use std::time::Duration;

use deadpool_postgres::{ClientWrapper, Manager, ManagerConfig, Object, Pool, PoolError, RecyclingMethod};
use tokio::time::{Instant, sleep, timeout, timeout_at};
use tokio_postgres::error::SqlState;
use tokio_postgres::types::{ToSql, Type};
use tokio_postgres::{Config, Row};
use tokio_postgres_rustls::MakeRustlsConnect;

use super::error::Problem;
use super::schema::Names;

/// One statement without a name, so that it may run on any connection, also behind a pooler that lends one for a
/// transaction at a time.
pub(super) struct Statement {
    text: String,
    parameters: Vec<(Box<dyn ToSql + Sync + Send>, Type)>,
}

impl Statement {
    pub(super) fn new(text: impl Into<String>) -> Self {
        Self { text: text.into(), parameters: Vec::new() }
    }

    /// Adds the next parameter; its place in the text, as in `$1`.
    pub(super) fn bind(&mut self, value: impl ToSql + Sync + Send + 'static, of: Type) -> String {
        self.parameters.push((Box::new(value), of));
        format!("${}", self.parameters.len())
    }

    pub(super) fn push(&mut self, text: &str) {
        self.text.push_str(text);
    }

    /// The same, with the schema's name in it.
    pub(super) fn filled(self, names: &Names) -> Self {
        Self { text: names.fill(&self.text), ..self }
    }

    async fn run(&self, client: &ClientWrapper) -> Result<Vec<Row>, tokio_postgres::Error> {
        let parameters: Vec<(&(dyn ToSql + Sync), Type)> = self
            .parameters
            .iter()
            .map(|(value, of)| {
                let value: &(dyn ToSql + Sync) = &**value;
                (value, of.clone())
            })
            .collect();
        client.query_typed(&self.text, &parameters).await
    }
}

/// What follows from an error.
pub(super) enum Fault {
    /// Nothing was sent.
    Unreachable(tokio_postgres::Error),
    /// Nobody knows what became of what was sent.
    Lost(tokio_postgres::Error),
    /// There was no answer in time, and nobody knows what became of what was sent.
    Late,
    /// It was not done, and may be tried again.
    Again(tokio_postgres::Error),
    /// It was not done, and trying again would not help.
    Refused(Problem),
}

impl Fault {
    /// What an error means that came for something that was sent.
    pub(super) fn sent(error: tokio_postgres::Error) -> Self {
        match Kind::of(&error) {
            Kind::Connection => Self::Lost(error),
            Kind::Passing => Self::Again(error),
            Kind::Lasting => Self::Refused(Problem::Server(error)),
        }
    }

    fn unsent(error: tokio_postgres::Error) -> Self {
        match Kind::of(&error) {
            Kind::Connection | Kind::Passing => Self::Unreachable(error),
            Kind::Lasting => Self::Refused(Problem::Server(error)),
        }
    }
}

enum Kind {
    Connection,
    Passing,
    Lasting,
}

impl Kind {
    fn of(error: &tokio_postgres::Error) -> Self {
        let Some(said) = error.as_db_error() else {
            let of_this_side = error.source_is::<rustls::Error>();
            return if of_this_side { Self::Lasting } else { Self::Connection };
        };
        let code = said.code();
        let passing = [SqlState::T_R_SERIALIZATION_FAILURE, SqlState::T_R_DEADLOCK_DETECTED];
        let going = [
            SqlState::ADMIN_SHUTDOWN,
            SqlState::CRASH_SHUTDOWN,
            SqlState::CANNOT_CONNECT_NOW,
            SqlState::TOO_MANY_CONNECTIONS,
            // A primary that has become a standby.
            SqlState::READ_ONLY_SQL_TRANSACTION,
        ];
        if passing.contains(code) {
            return Self::Passing;
        }
        // Class 08: connection exceptions, which a pooler answers with when its server is away.
        if going.contains(code) || code.code().starts_with("08") {
            return Self::Connection;
        }
        Self::Lasting
    }
}

/// Looks for the cause of an error among its sources.
trait Caused {
    fn source_is<E: std::error::Error + 'static>(&self) -> bool;
}

impl Caused for tokio_postgres::Error {
    fn source_is<E: std::error::Error + 'static>(&self) -> bool {
        let mut source = std::error::Error::source(self);
        while let Some(error) = source {
            // An I/O error shows the source of what it wraps, not what it wraps.
            let wrapped = error.downcast_ref::<std::io::Error>().and_then(std::io::Error::get_ref);
            if error.is::<E>() || wrapped.and_then(|wrapped| wrapped.downcast_ref::<E>()).is_some() {
                return true;
            }
            source = error.source();
        }
        false
    }
}

/// A connection that goes back to the pool only when its answer has come: one whose answer is still to come would give it
/// to somebody else's question.
struct Borrowed(Option<Object>);

impl Borrowed {
    /// How long it may take to say that an answer is not wanted any more.
    const LAST_WORD: Duration = Duration::from_secs(1);

    fn give_back(mut self) {
        drop(self.0.take());
    }

    /// Asks the server to stop what nobody waits for any more, so that it does not gather statements that wait for a lock. A
    /// pooler knows whose statement it is only while its client is there.
    async fn give_up(self, tls: MakeRustlsConnect) {
        if let Some(client) = &self.0 {
            // A server that does not hear this either finds out when it answers.
            let _ = timeout(Self::LAST_WORD, client.cancel_token().cancel_query(tls)).await;
        }
    }
}

impl Drop for Borrowed {
    fn drop(&mut self) {
        if let Some(object) = self.0.take() {
            drop(Object::take(object));
        }
    }
}

/// For how long something is tried again, in growing steps.
pub(super) struct Patience {
    end: Instant,
    pause: Duration,
}

impl Patience {
    const FIRST_PAUSE: Duration = Duration::from_millis(5);
    const LONGEST_PAUSE: Duration = Duration::from_millis(500);

    pub(super) const fn until(end: Instant) -> Self {
        Self { end, pause: Self::FIRST_PAUSE }
    }

    /// Waits before the next try; false when there is no time for one.
    pub(super) async fn pause(&mut self) -> bool {
        if Instant::now() + self.pause >= self.end {
            return false;
        }
        sleep(self.pause).await;
        self.pause = (self.pause * 2).min(Self::LONGEST_PAUSE);
        true
    }
}

/// The pool, and what all who use it have to know.
pub(super) struct Link {
    pool: Pool,
    tls: MakeRustlsConnect,
    pub(super) names: Names,
    patience: Duration,
}

impl Link {
    pub(super) fn new(
        config: Config,
        tls: MakeRustlsConnect,
        connections: usize,
        names: Names,
        patience: Duration,
    ) -> Result<Self, Problem> {
        let recycling = ManagerConfig { recycling_method: RecyclingMethod::Fast };
        let pool = Pool::builder(Manager::from_config(config, tls.clone(), recycling)).max_size(connections).build();
        let pool =
            pool.map_err(|error| Problem::Option { option: "number of connections", problem: error.to_string() })?;
        Ok(Self { pool, tls, names, patience })
    }

    /// Until when an answer to what is asked now is waited for.
    pub(super) fn end(&self) -> Instant {
        Instant::now() + self.patience
    }

    /// Asks once, and waits for a connection and for the answer until this time.
    pub(super) async fn ask(&self, statement: &Statement, end: Instant) -> Result<Vec<Row>, Fault> {
        let object = match timeout_at(end, self.pool.get()).await {
            Ok(Ok(object)) => object,
            Ok(Err(PoolError::Backend(error))) => return Err(Fault::unsent(error)),
            Ok(Err(_)) => return Err(Fault::Refused(Problem::Closed)),
            Err(_) => return Err(Fault::Late),
        };
        let borrowed = Borrowed(Some(object));
        let Some(client) = &borrowed.0 else {
            return Err(Fault::Refused(Problem::Closed));
        };
        let Ok(answer) = timeout_at(end, statement.run(client)).await else {
            borrowed.give_up(self.tls.clone()).await;
            return Err(Fault::Late);
        };
        borrowed.give_back();
        answer.map_err(Fault::sent)
    }

    /// Asks something that changes nothing, again and again until there is an answer or no more patience.
    pub(super) async fn read(&self, statement: &Statement) -> Result<Vec<Row>, Problem> {
        let end = self.end();
        let mut patience = Patience::until(end);
        loop {
            match self.ask(statement, end).await {
                Ok(rows) => return Ok(rows),
                Err(Fault::Refused(problem)) => return Err(problem),
                Err(Fault::Late) => return Err(Problem::Patience(None)),
                Err(Fault::Unreachable(error) | Fault::Lost(error) | Fault::Again(error)) => {
                    if !patience.pause().await {
                        return Err(Problem::Patience(Some(error)));
                    }
                }
            }
        }
    }
}
