//! How to reach a journal in a server: where, how many connections, whom to trust, how long to wait.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use tokio_postgres::config::SslMode;
use tokio_postgres::{Client, Config};
use tokio_postgres_rustls::MakeRustlsConnect;

use super::engine::Engine;
use super::error::{PostgresError, Problem};
use super::link::{Fault, Link, Statement};
use super::schema::{Migrated, Names};
use super::{PostgresStore, tls};

/// How to reach a journal in PostgreSQL; made by [`PostgresStore::options`].
///
/// ```no_run
/// use std::time::Duration;
/// use kiff::PostgresStore;
///
/// # async fn open() -> Result<(), Box<dyn std::error::Error>> {
/// let store = PostgresStore::options("postgres://writer@db.example/shop?sslmode=verify-full")
///     .schema("refunds")
///     .root_certificates(std::fs::read("ca.pem")?)
///     .connections(16)
///     .patience(Duration::from_secs(10))
///     .connect()
///     .await?;
/// # drop(store);
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
#[must_use]
pub struct PostgresOptions {
    url: String,
    schema: String,
    lanes: usize,
    connections: usize,
    patience: Duration,
    roots: Vec<u8>,
}

impl fmt::Debug for PostgresOptions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Not the URL, which holds a password.
        f.debug_struct("PostgresOptions")
            .field("schema", &self.schema)
            .field("lanes", &self.lanes)
            .field("connections", &self.connections)
            .field("patience", &self.patience)
            .finish_non_exhaustive()
    }
}

impl PostgresOptions {
    const SCHEMA: &'static str = "kiff";
    const LANES: usize = 2;
    const CONNECTIONS: usize = 8;
    const PATIENCE: Duration = Duration::from_secs(30);

    pub(super) fn new(url: &str) -> Self {
        Self {
            url: url.to_owned(),
            schema: Self::SCHEMA.to_owned(),
            lanes: Self::LANES,
            connections: Self::CONNECTIONS,
            patience: Self::PATIENCE,
            roots: Vec::new(),
        }
    }

    /// The schema that the journal is in, of small letters, digits and `_`; `kiff` unless said otherwise.
    pub fn schema(mut self, schema: impl Into<String>) -> Self {
        self.schema = schema.into();
        self
    }

    /// How many groups of commits may be on their way at once; 2 unless said otherwise.
    ///
    /// More lanes help where the server is far away, and make groups smaller where it is near.
    pub fn lanes(mut self, lanes: usize) -> Self {
        self.lanes = lanes;
        self
    }

    /// How many connections there may be at once, those of the lanes included; 8 unless said otherwise.
    pub fn connections(mut self, connections: usize) -> Self {
        self.connections = connections;
        self
    }

    /// For how long an answer is waited for, and something is tried again when the server cannot be reached, before it fails;
    /// 30 seconds unless said otherwise, and at most a year. The time of a commit runs from when it is sent, which it is when those
    /// before it were answered.
    pub fn patience(mut self, patience: Duration) -> Self {
        // However long is meant, a clock can say it.
        self.patience = patience.min(Duration::from_hours(365 * 24));
        self
    }

    /// Certificates, in PEM, of who may sign the server's, beside the file that `sslrootcert` in the URL names.
    ///
    /// Without any, `sslmode=verify-full` trusts whom the operating system trusts.
    pub fn root_certificates(mut self, pem: impl Into<Vec<u8>>) -> Self {
        self.roots = pem.into();
        self
    }

    /// Opens the journal. It has to be there: see [`PostgresOptions::migrate`]. Where nobody listens, or a server is just starting, it
    /// is not tried again: the URL may be wrong.
    ///
    /// # Errors
    /// [`PostgresError`] when the server cannot be reached, when the journal is not there or of another version, and when
    /// the server or the role is set up so that what was acknowledged could be lost.
    pub async fn connect(&self) -> Result<PostgresStore, PostgresError> {
        if self.lanes == 0 {
            let problem = "there has to be one at least".to_owned();
            return Err(Problem::Option { option: "number of lanes", problem }.into());
        }
        let (config, tls) = self.config()?;
        let role = config.get_user().unwrap_or_default().to_owned();
        let connections = self.connections.max(1);
        let link = Arc::new(Link::new(config, tls, connections, Names::new(&self.schema)?, self.patience)?);
        let engine = Engine::start()?;
        let checked = Arc::clone(&link);
        engine.run(async move { check(&checked, &role).await }).await??;
        Ok(PostgresStore::start(engine, link, self.lanes))
    }

    /// Makes the journal's tables, or brings them up to the version of this kiff, in one transaction; does nothing where
    /// they are. The role of the URL becomes their owner.
    ///
    /// # Errors
    /// [`PostgresError`] when the role may not do that, and when the journal is of a later version.
    pub async fn migrate(&self) -> Result<Migrated, PostgresError> {
        let names = Names::new(&self.schema)?;
        let engine = Engine::start()?;
        let mut client = self.client(&engine).await?;
        engine.run(async move { names.migrate(&mut client).await }).await?
    }

    /// The statements that let `role` use the journal: read it, and append to it by way of a function. It gets no right to
    /// insert, update or delete in any table.
    ///
    /// ```
    /// let options = kiff::PostgresStore::options("postgres://owner@localhost/shop");
    /// assert!(options.grants("writer")?.contains("GRANT SELECT ON ALL TABLES IN SCHEMA \"kiff\" TO \"writer\""));
    /// # Ok::<(), kiff::PostgresError>(())
    /// ```
    ///
    /// # Errors
    /// [`PostgresError`] when the role or the schema has no name that the server would keep.
    pub fn grants(&self, role: &str) -> Result<String, PostgresError> {
        Ok(Names::new(&self.schema)?.writer(role)?)
    }

    /// Runs [`PostgresOptions::grants`], with the URL of the owner.
    ///
    /// # Errors
    /// [`PostgresError`] when there is no such role or no journal, and when the role of the URL may not do that.
    pub async fn grant(&self, role: &str) -> Result<(), PostgresError> {
        self.run(self.grants(role)?).await
    }

    /// The statements that let `role` read the journal, and nothing else: for who looks after it. What was granted to it before to
    /// append is taken away; what it may do as a member of another role is not.
    ///
    /// # Errors
    /// [`PostgresError`] when the role or the schema has no name that the server would keep.
    pub fn reader_grants(&self, role: &str) -> Result<String, PostgresError> {
        Ok(Names::new(&self.schema)?.reader(role)?)
    }

    /// Runs [`PostgresOptions::reader_grants`], with the URL of the owner.
    ///
    /// # Errors
    /// [`PostgresError`] when there is no such role or no journal, and when the role of the URL may not do that.
    pub async fn grant_reader(&self, role: &str) -> Result<(), PostgresError> {
        self.run(self.reader_grants(role)?).await
    }

    async fn run(&self, grants: String) -> Result<(), PostgresError> {
        let engine = Engine::start()?;
        let client = self.client(&engine).await?;
        Ok(engine.run(async move { client.batch_execute(&grants).await }).await??)
    }

    fn config(&self) -> Result<(Config, MakeRustlsConnect), Problem> {
        let (url, encryption) = tls::Encryption::take(&self.url);
        // What is wrong is told without the URL, which holds a password.
        let unusable = |error: tokio_postgres::Error| {
            let problem = std::error::Error::source(&error).map_or_else(|| error.to_string(), ToString::to_string);
            Problem::Option { option: "URL", problem }
        };
        let mut config: Config = url.parse().map_err(unusable)?;
        if config.get_hosts().is_empty() && config.get_hostaddrs().is_empty() {
            config.host("localhost");
        }
        // Who says whom to trust is not spoken to by somebody else in the clear.
        let is_particular = !self.roots.is_empty() || encryption.is_particular();
        if is_particular && config.get_ssl_mode() == SslMode::Prefer {
            config.ssl_mode(SslMode::Require);
        }
        if config.get_application_name().is_none() {
            config.application_name("kiff");
        }
        if config.get_connect_timeout().is_none() {
            config.connect_timeout(self.patience);
        }
        if config.get_tcp_user_timeout().is_none() {
            config.tcp_user_timeout(self.patience);
        }
        Ok((config, encryption.connector(&self.roots)?))
    }

    /// A connection of its own.
    async fn client(&self, engine: &Engine) -> Result<Client, PostgresError> {
        let (config, tls) = self.config()?;
        let connected = engine.run(async move {
            let (client, connection) = config.connect(tls).await?;
            // It ends with the client, who is told what goes wrong.
            tokio::spawn(connection);
            Ok(client)
        });
        connected.await?
    }
}

/// Whether the journal is there, and everything as it has to be. Commits that were restored into this server have positions
/// before the first one is appended.
async fn check(link: &Link, role: &str) -> Result<(), Problem> {
    let names = &link.names;
    let end = link.end();
    let once = async |text: String| match link.ask(&Statement::new(text), end).await {
        Ok(rows) => Ok(rows),
        Err(Fault::Refused(problem)) => Err(names.explain(problem, role)),
        Err(Fault::Late) => Err(Problem::Patience(None)),
        Err(Fault::Unreachable(error) | Fault::Lost(error) | Fault::Again(error)) => Err(Problem::Server(error)),
    };
    names.judge(&once(names.check()).await?)?;
    let found = match once(names.version()).await?.first() {
        Some(row) => row.try_get(0)?,
        None => 0,
    };
    names.judge_version(found)?;
    let is_own = once(names.origin()).await?.first().map_or(Ok(false), |row| row.try_get(0))?;
    names.judge_origin(is_own)?;
    once(names.fill("SELECT {schema}.sequence()")).await.map(drop)
}
