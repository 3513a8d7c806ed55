//! A pooler in between, which lends a connection for one transaction at a time.

use std::path::Path;
use std::process::{Child, Stdio};

use kiff::PostgresStore;
use kiff_test::block_on;

use crate::cluster::{Cluster, command, free_port, new_folder, shared, write};
use crate::wait::until;

/// A running pooler.
struct Pooler {
    child: Child,
    port: u16,
}

impl Pooler {
    fn start(cluster: &Cluster) -> Self {
        // Somebody else may take the port before the pooler does.
        (0..10).find_map(|_| Self::at(free_port(), cluster)).expect("pgbouncer does not start")
    }

    /// One that listens at this port; none when it cannot.
    fn at(port: u16, cluster: &Cluster) -> Option<Self> {
        let program = ["/usr/sbin/pgbouncer", "/usr/bin/pgbouncer", "/usr/local/bin/pgbouncer"];
        let program = program.into_iter().find(|program| Path::new(program).exists());
        let program = program.expect("pgbouncer is missing: install it with `apt-get install pgbouncer`");
        let folder = new_folder();
        let (file, listens) = (folder.join("pgbouncer.ini"), folder.join("listens"));
        // Three connections for all, so that they go from hand to hand; everybody is the user of the database's line.
        let settings = format!(
            "[databases]\npostgres = host=127.0.0.1 port={} user=writer\n[pgbouncer]\nlisten_addr = \
             127.0.0.1\nlisten_port = {port}\nunix_socket_dir =\nauth_type = any\npool_mode = \
             transaction\ndefault_pool_size = 3\npidfile = {}\n",
            cluster.port(),
            listens.display()
        );
        write(&file.display().to_string(), &settings);
        // It ends with the end of its keeper's input: when this process has gone, however it went.
        let keep = format!(
            "exec 3<&0; {program} -q {0} & pooler=$!; (cat <&3; kill $pooler) & wait $pooler; rm -rf {1}",
            file.display(),
            folder.display()
        );
        let mut start = command("sh");
        let child = start.args(["-c", &keep]).stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::null());
        let child = child.spawn().unwrap();
        let mut pooler = Self { child, port };
        // Who answers at the port may be somebody else; this file it writes when the port is its own.
        let mut is_over = false;
        until(|| {
            is_over = pooler.child.try_wait().unwrap().is_some();
            is_over || listens.exists()
        });
        (!is_over).then_some(pooler)
    }
}

impl Drop for Pooler {
    fn drop(&mut self) {
        drop(self.child.stdin.take());
        let _ = self.child.wait();
    }
}

#[test]
fn postgres_obeys_the_laws_behind_a_pooler_that_lends_connections_by_the_transaction() {
    let cluster = shared();
    let pooler = Pooler::start(cluster);
    let url = format!("postgres://writer@127.0.0.1:{}/postgres", pooler.port);
    kiff_test::store::laws_in(4, || {
        let (schema, _) = cluster.journal();
        block_on(PostgresStore::options(&url).schema(schema).connect()).unwrap()
    });
}
