//! A private PostgreSQL server for the tests: made from the server's binaries, gone with the process.

use std::env;
use std::fs;
use std::io::{BufRead, BufReader, Lines, Write};
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdout, Command, Stdio};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU32, Ordering};

use kiff::{PostgresOptions, PostgresStore};
use pollster::block_on;

/// A server of its own, with a superuser `owner` and a role `writer`.
pub(crate) struct Cluster {
    folder: PathBuf,
    binaries: PathBuf,
    port: u16,
    /// Stops the server and removes its folder when this process is gone, however it went: it waits for the end of its input.
    keeper: Child,
}

/// Who may run a server: root may not.
fn servant() -> Option<&'static str> {
    let id = Command::new("id").arg("-u").output().expect("`id` is on every system");
    if String::from_utf8_lossy(&id.stdout).trim() != "0" {
        return None;
    }
    let is_known = |user: &&str| Command::new("id").arg(user).output().is_ok_and(|output| output.status.success());
    let known = ["postgres", "nobody"].into_iter().find(is_known);
    Some(known.expect("root cannot run PostgreSQL: there has to be a user `postgres` or `nobody`"))
}

/// The folder of `initdb` and `postgres`.
pub(crate) fn binaries() -> PathBuf {
    let versions = fs::read_dir("/usr/lib/postgresql").into_iter().flatten().flatten();
    let mut versions: Vec<PathBuf> = versions.map(|entry| entry.path().join("bin")).collect();
    versions.sort();
    let in_path = env::var_os("PATH").map(|path| env::split_paths(&path).collect::<Vec<_>>()).unwrap_or_default();
    // A link in PATH leads to where the others are.
    let mut folders = in_path.into_iter().chain(versions.into_iter().rev());
    let found = folders.find_map(|folder| folder.join("initdb").canonicalize().ok());
    let found = found.and_then(|initdb| initdb.parent().map(Path::to_owned));
    found.expect(
        "PostgreSQL is missing, and these tests run a real one: install it with `apt-get install postgresql`, or put the \
         folder of its `initdb` into PATH",
    )
}

/// A command, as the user who may run it.
pub(crate) fn command(program: impl AsRef<Path>) -> Command {
    match servant() {
        Some(user) => {
            let mut command = Command::new("runuser");
            command.args(["-u", user, "--"]).arg(program.as_ref());
            command.current_dir("/");
            command
        }
        None => Command::new(program.as_ref()),
    }
}

fn run(mut command: Command) -> String {
    let output = command.stdin(Stdio::null()).output().unwrap_or_else(|error| panic!("{command:?}: {error}"));
    let said = [output.stdout, output.stderr].map(|bytes| String::from_utf8_lossy(&bytes).into_owned()).concat();
    assert!(output.status.success(), "{command:?} failed: {said}");
    said
}

/// A port that nobody listens on.
pub(crate) fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

/// A new folder of whoever runs the server.
pub(crate) fn new_folder() -> PathBuf {
    static COUNT: AtomicU32 = AtomicU32::new(0);
    let count = COUNT.fetch_add(1, Ordering::Relaxed);
    let folder = env::temp_dir().join(format!("kiff-{}-{count}", std::process::id()));
    let mut make = command("mkdir");
    make.arg(&folder);
    run(make);
    folder
}

/// Writes a file that only whoever runs the server may read.
pub(crate) fn write(file: &str, text: &str) {
    let mut write = command("sh");
    write.args(["-c", &format!("umask 077; cat > {file}")]).stdin(Stdio::piped());
    let mut write = write.spawn().unwrap();
    write.stdin.take().unwrap().write_all(text.as_bytes()).unwrap();
    assert!(write.wait().unwrap().success());
}

/// One connection of the owner, statement by statement.
pub(crate) struct Session {
    psql: Child,
    answers: Lines<BufReader<ChildStdout>>,
}

impl Session {
    /// Runs a statement, and waits until it is done.
    pub(crate) fn run(&mut self, statement: &str) {
        let mut input = self.psql.stdin.as_ref().unwrap();
        writeln!(input, "{statement};\n\\echo done").unwrap();
        let done = self.answers.find(|line| line.as_ref().is_ok_and(|line| line == "done"));
        assert!(done.is_some(), "{statement} failed");
    }
}

impl Drop for Session {
    fn drop(&mut self) {
        drop(self.psql.stdin.take());
        let _ = self.psql.wait();
    }
}

impl Cluster {
    /// Makes a server and starts it; `settings` are lines of its configuration.
    pub(crate) fn start(settings: &str) -> Self {
        let (binaries, folder) = (binaries(), new_folder());
        let mut initdb = command(binaries.join("initdb"));
        initdb.args(["--username=owner", "--auth=trust", "--encoding=UTF8", "--no-locale", "--no-sync", "-D"]);
        initdb.arg(folder.join("data"));
        run(initdb);
        let folder_name = folder.display();
        let settings = format!(
            "listen_addresses = '127.0.0.1'\nunix_socket_directories = '{folder_name}'\nmax_connections = \
             200\nshared_buffers = 32MB\n{settings}\n"
        );
        write(&format!("{folder_name}/data/postgresql.auto.conf"), &settings);
        let stop = format!("{}/pg_ctl -D {folder_name}/data -m immediate stop", binaries.display());
        let mut keeper = command("sh");
        keeper.args(["-c", &format!("trap '' INT TERM HUP; cat; {stop}; rm -rf {folder_name}")]);
        let keeper = keeper.stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
        let mut cluster = Self { folder, binaries, port: free_port(), keeper };
        let mut more = 0..9;
        // Somebody else may take the port before the server does.
        while let Err(said) = cluster.try_boot() {
            assert!(more.next().is_some(), "{said}");
            cluster.port = free_port();
        }
        cluster.sql("postgres", "CREATE ROLE writer LOGIN");
        cluster
    }

    /// Starts the server, and waits until it answers.
    pub(crate) fn boot(&self) {
        self.try_boot().unwrap_or_else(|said| panic!("{said}"));
    }

    fn try_boot(&self) -> Result<(), String> {
        self.control(&["start", "-w", "-o", &format!("-p {}", self.port), "-l", &self.file("log")])
    }

    /// Ends the server without letting it finish anything.
    pub(crate) fn crash(&self) {
        self.control(&["stop", "-m", "immediate"]).unwrap_or_else(|said| panic!("{said}"));
    }

    fn control(&self, what: &[&str]) -> Result<(), String> {
        let mut control = command(self.binaries.join("pg_ctl"));
        // Files rather than pipes: the server would keep a pipe open.
        control.args(["-s", "-D", &self.file("data")]).args(what).stdin(Stdio::null());
        control.stdout(Stdio::null()).stderr(Stdio::null());
        let status = control.status().unwrap();
        if status.success() {
            return Ok(());
        }
        Err(format!("{control:?}: {}", fs::read_to_string(self.file("log")).unwrap_or_default()))
    }

    /// A file in the server's folder.
    pub(crate) fn file(&self, name: &str) -> String {
        self.folder.join(name).display().to_string()
    }

    pub(crate) const fn port(&self) -> u16 {
        self.port
    }

    /// Writes a file in the server's folder that only the server may read.
    pub(crate) fn write(&self, name: &str, text: &str) {
        write(&self.file(name), text);
    }

    /// How `role` reaches a database, through a socket in the file system.
    pub(crate) fn url(&self, role: &str, database: &str) -> String {
        let folder = self.folder.display().to_string().replace('/', "%2F");
        format!("postgres://{role}@{folder}:{}/{database}", self.port)
    }

    /// Runs statements as the owner; what they say, without headers.
    pub(crate) fn sql(&self, database: &str, statements: &str) -> String {
        let said = self.try_sql("owner", database, statements);
        said.unwrap_or_else(|said| panic!("{statements}: {said}"))
    }

    /// Runs statements as somebody; what is said against them is an error.
    pub(crate) fn try_sql(&self, role: &str, database: &str, statements: &str) -> Result<String, String> {
        let mut psql = command(self.binaries.join("psql"));
        psql.args(["-qAtX", "-v", "ON_ERROR_STOP=1", "-h"]).arg(&self.folder).args(["-p", &self.port.to_string()]);
        let output = psql.args(["-U", role, "-d", database, "-c", statements]).output().unwrap();
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).trim().to_owned();
        if output.status.success() { Ok(text(&output.stdout)) } else { Err(text(&output.stderr)) }
    }

    /// A connection of the owner that stays open.
    pub(crate) fn session(&self) -> Session {
        let mut psql = command(self.binaries.join("psql"));
        psql.args(["-qAtX", "-v", "ON_ERROR_STOP=1", "-d", &self.url("owner", "postgres")]);
        let mut psql = psql.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
        let answers = BufReader::new(psql.stdout.take().unwrap()).lines();
        Session { psql, answers }
    }

    /// A journal without commits in a new schema of `postgres`, and how the writer reaches it.
    pub(crate) fn journal(&self) -> (String, PostgresOptions) {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let schema = format!("journal_{}", COUNT.fetch_add(1, Ordering::Relaxed));
        let owner = PostgresStore::options(&self.url("owner", "postgres")).schema(&schema);
        block_on(owner.migrate()).unwrap();
        block_on(owner.grant("writer")).unwrap();
        let writer = PostgresStore::options(&self.url("writer", "postgres")).schema(&schema);
        (schema, writer)
    }

    /// A store without commits.
    pub(crate) fn store(&self) -> PostgresStore {
        block_on(self.journal().1.connect()).unwrap()
    }
}

impl Drop for Cluster {
    fn drop(&mut self) {
        // The end of its input is the keeper's sign.
        drop(self.keeper.stdin.take());
        let _ = self.keeper.wait();
    }
}

/// The server that the tests share which do not break it.
pub(crate) fn shared() -> &'static Cluster {
    static SHARED: OnceLock<Cluster> = OnceLock::new();
    SHARED.get_or_init(|| Cluster::start(""))
}
