//! The store in PostgreSQL, over a real server.

use kiff::journal::{Content, StateChanged};
use kiff::{
    Actor, Appended, Commit, Cursor, Digest, EntityKey, Fact, Matter, PostgresStore, Query, Sealed, Store, Timestamp,
    Verification,
};
use kiff_test::block_on;

use crate::cluster::{self, Cluster};

mod cost;
mod crash;
mod doubt;
mod order;
mod pooler;
mod proxy;
mod stalled;
mod tls;

/// A commit behind the one with this number and hash; `seed` stands in it.
fn commit(key: &EntityKey, last: u64, hash: Digest, seed: u64) -> Sealed {
    let fact: Fact = StateChanged { from: None, to: format!("STATE_{seed}").into() }.into();
    let content = Content {
        at: Timestamp::from_microseconds(seed),
        actor: Actor::system("shop").unwrap(),
        trace: None,
        cause: None,
        fold: None,
        facts: Box::new([fact]),
    };
    Sealed::new(key.clone(), last + 1, hash, content)
}

fn entity(name: &str) -> EntityKey {
    EntityKey::new("Order", name).unwrap()
}

/// Appends a first commit.
fn begin(store: &PostgresStore, name: &str) -> Sealed {
    let first = commit(&entity(name), 0, Commit::GENESIS, 1);
    assert_eq!(block_on(store.append(first.clone())).unwrap(), Appended::Written);
    first
}

#[test]
fn what_is_printed_of_options_holds_no_password() {
    let options = PostgresStore::options("postgres://writer:a-secret@db.example/shop").schema("refunds");
    let printed = format!("{options:?}");
    assert!(printed.contains("refunds") && !printed.contains("a-secret"), "{printed}");
}

#[test]
fn postgres_obeys_the_laws_of_a_store() {
    kiff_test::store::laws_in(40, || cluster::shared().store());
}

#[test]
fn a_journal_that_is_not_there_or_of_another_version_is_refused_with_what_to_run() {
    let cluster = cluster::shared();
    let owner = PostgresStore::options(&cluster.url("owner", "postgres")).schema("versions");
    let refused = || block_on(owner.connect()).unwrap_err().to_string();
    assert!(refused().contains("there is no journal in the schema `versions`: make one with `PostgresStore::migrate`"));

    let migrated = block_on(owner.migrate()).unwrap();
    assert_eq!(migrated.from, 0);
    let again = block_on(owner.migrate()).unwrap();
    assert_eq!((again.from, again.to), (migrated.to, migrated.to));
    drop(block_on(owner.connect()).unwrap());

    let writer = PostgresStore::options(&cluster.url("writer", "postgres")).schema("versions");
    let forbidden = block_on(writer.connect()).unwrap_err().to_string();
    assert!(forbidden.contains("`writer` has no right") && forbidden.contains("PostgresOptions::grant"), "{forbidden}");

    let note =
        |version| cluster.sql("postgres", &format!("INSERT INTO versions.migrations VALUES ({version}, 'later')"));
    note(1000);
    assert!(refused().contains("has version 1000, this kiff knows versions up to"), "{}", refused());
    assert!(block_on(owner.migrate()).unwrap_err().to_string().contains("has version 1000"));
    cluster.sql("postgres", "DELETE FROM versions.migrations");
    note(-1);
    assert!(refused().contains("run `PostgresStore::migrate`"), "{}", refused());
}

#[test]
fn p8_who_appends_can_neither_change_nor_remove_nor_forge_and_the_owner_not_by_accident() {
    let cluster = cluster::shared();
    let (schema, writer) = cluster.journal();
    let store = block_on(writer.connect()).unwrap();
    begin(&store, "ord-1");
    let changes = [
        format!("UPDATE {schema}.commits SET number = 2"),
        format!("DELETE FROM {schema}.commits"),
        format!("TRUNCATE {schema}.commits"),
        format!("DELETE FROM {schema}.positions"),
    ];
    block_on(store.search(&Query::default(), Cursor::FIRST, 1)).unwrap();
    let said = cluster.try_sql("writer", "postgres", &format!("SELECT position, body FROM {schema}.journal")).unwrap();
    assert!(said.starts_with("1|{\"at\":"), "{said}");
    for change in &changes {
        let said = cluster.try_sql("writer", "postgres", change).unwrap_err();
        assert!(said.contains("permission denied"), "{change}: {said}");
        // Nor as a replica does, which fires no other trigger.
        for change in [change, &format!("SET session_replication_role = replica; {change}")] {
            let said = cluster.try_sql("owner", "postgres", change).unwrap_err();
            assert!(said.contains("the journal is append-only"), "{change}: {said}");
        }
    }
    // Who may only read gives no position either.
    let read = format!(
        "CREATE ROLE reader_of_{schema} LOGIN; GRANT USAGE ON SCHEMA {schema} TO reader_of_{schema};
         GRANT SELECT ON ALL TABLES IN SCHEMA {schema} TO reader_of_{schema}"
    );
    cluster.sql("postgres", &read);
    let reader = format!("reader_of_{schema}");
    assert!(cluster.try_sql(&reader, "postgres", &format!("SELECT FROM {schema}.journal")).is_ok());
    let said = cluster.try_sql(&reader, "postgres", &format!("SELECT {schema}.sequence()")).unwrap_err();
    assert!(said.contains("permission denied"), "{said}");
    let forged = format!(
        "INSERT INTO {schema}.commits SELECT tenant, entity_type, entity_id, 2, previous, hash, body, at, actor, trace, \
         kinds, idempotency_key, stamp FROM {schema}.commits"
    );
    assert!(cluster.try_sql("writer", "postgres", &forged).unwrap_err().contains("permission denied"));
}

#[test]
fn who_looks_after_a_journal_reads_it_and_can_append_nothing() {
    let cluster = cluster::shared();
    let (schema, writer) = cluster.journal();
    let store = block_on(writer.connect()).unwrap();
    let first = begin(&store, "ord-1");
    let auditor = format!("auditor_of_{schema}");
    cluster.sql("postgres", &format!("CREATE ROLE {auditor} LOGIN"));
    let reading = PostgresStore::options(&cluster.url(&auditor, "postgres")).schema(&schema);
    let told = block_on(reading.connect()).unwrap_err().to_string();
    assert!(told.contains("has no right to the journal") && told.contains("--grant-reader"), "{told}");
    let owner = PostgresStore::options(&cluster.url("owner", "postgres")).schema(&schema);
    block_on(owner.grant_reader(&auditor)).unwrap();
    let reader = block_on(reading.connect()).unwrap();
    let found = block_on(reader.search(&Query::default(), Cursor::FIRST, 9)).unwrap();
    assert_eq!(found.len(), 1);
    assert!(block_on(Verification::of(&reader).run(|_| ())).unwrap().is_sound());
    let second = commit(&entity("ord-1"), 1, first.commit().hash(), 2);
    let told = block_on(reader.append(second.clone())).unwrap_err().to_string();
    assert!(told.contains("permission denied"), "{told}");
    // Who becomes a writer and a reader again is no writer any more; a writer is one all the while that it is granted again.
    assert!(!owner.grants(&auditor).unwrap().contains("REVOKE EXECUTE"));
    assert!(owner.reader_grants(&auditor).unwrap().contains("REVOKE EXECUTE"));
    block_on(owner.grant(&auditor)).unwrap();
    assert_eq!(block_on(reader.append(second.clone())).unwrap(), Appended::Written);
    block_on(owner.grant_reader(&auditor)).unwrap();
    let third = commit(&entity("ord-1"), 2, second.commit().hash(), 3);
    let told = block_on(reader.append(third)).unwrap_err().to_string();
    assert!(told.contains("permission denied"), "{told}");
    assert_eq!(block_on(reader.read(&entity("ord-1"), 0, 9)).unwrap().len(), 2);
}

#[test]
fn a_copy_that_follows_another_server_is_read_as_far_as_it_has_come() {
    let cluster = cluster::shared();
    let (schema, writer) = cluster.journal();
    let store = block_on(writer.connect()).unwrap();
    // A standby lets nobody write; so does a session that says so.
    let url = format!("{}?options=-c%20default_transaction_read_only%3Don", cluster.url("writer", "postgres"));
    let standby = block_on(PostgresStore::options(&url).schema(&schema).connect()).unwrap();
    let count = |store: &PostgresStore| block_on(store.search(&Query::default(), Cursor::FIRST, 9)).unwrap().len();
    // Nobody gives positions meanwhile, as the store does by itself after a moment.
    let mut other = cluster.session();
    other.run(&format!(
        "BEGIN; SELECT pg_advisory_xact_lock('{schema}.positions'::regclass::oid::bigint + (x'6b696666'::bigint << 32))"
    ));
    begin(&store, "ord-1");
    assert_eq!(count(&standby), 0);
    other.run("COMMIT");
    assert_eq!((count(&store), count(&standby)), (1, 1));
    assert_eq!(block_on(standby.read(&entity("ord-1"), 0, 9)).unwrap().len(), 1);
}

#[test]
fn p8_what_runs_with_the_owners_rights_calls_nothing_of_the_callers() {
    let cluster = cluster::shared();
    let (schema, _) = cluster.journal();
    let role =
        "CREATE ROLE sly LOGIN; CREATE SCHEMA sly AUTHORIZATION sly; ALTER ROLE sly SET search_path TO sly, pg_catalog";
    cluster.sql("postgres", role);
    let own = "CREATE FUNCTION sly.pg_current_xact_id() RETURNS xid8 LANGUAGE plpgsql \
               AS $$ BEGIN RAISE EXCEPTION 'called as %', current_user; END $$";
    cluster.try_sql("sly", "postgres", own).unwrap();
    block_on(PostgresStore::options(&cluster.url("owner", "postgres")).schema(schema.clone()).grant("sly")).unwrap();
    let sly = PostgresStore::options(&cluster.url("sly", "postgres")).schema(schema);
    begin(&block_on(sly.connect()).unwrap(), "ord-1");
}

#[test]
fn p7_a_server_a_database_or_a_role_that_could_lose_or_mix_up_commits_is_refused() {
    let cluster = cluster::shared();
    let (schema, _) = cluster.journal();
    let (owner, hasty) = (cluster.url("owner", "postgres"), cluster.url("hasty", "postgres"));
    cluster.sql("postgres", "CREATE ROLE hasty LOGIN");
    block_on(PostgresStore::options(&owner).schema(schema.clone()).grant("hasty")).unwrap();
    let hasty = PostgresStore::options(&hasty).schema(schema);
    for (setting, value) in [("synchronous_commit", "off"), ("default_transaction_isolation", "repeatable read")] {
        cluster.sql("postgres", &format!("ALTER ROLE hasty SET {setting} TO '{value}'"));
        let refused = block_on(hasty.connect()).unwrap_err().to_string();
        assert!(refused.contains(setting) && refused.contains("ALTER ROLE"), "{refused}");
        cluster.sql("postgres", "ALTER ROLE hasty RESET ALL");
    }
    let store = block_on(hasty.connect()).unwrap();
    // Others may append as well, so that what they have started is left in peace for a while.
    assert!(store.is_shared());

    cluster.sql("postgres", "CREATE DATABASE latin ENCODING 'LATIN1' LC_COLLATE 'C' LC_CTYPE 'C' TEMPLATE template0");
    let refused = block_on(PostgresStore::connect(&cluster.url("owner", "latin"))).unwrap_err().to_string();
    assert!(refused.contains("server_encoding"), "{refused}");
    let careless = Cluster::start("fsync = off");
    let (_, writer) = careless.journal();
    let refused = block_on(writer.connect()).unwrap_err().to_string();
    assert!(refused.contains("fsync") && refused.contains("power failure"), "{refused}");
}

#[test]
fn a_column_that_cannot_be_read_is_what_is_told() {
    let cluster = cluster::shared();
    let (schema, writer) = cluster.journal();
    let store = block_on(writer.connect()).unwrap();
    // As a tool may leave it that copies tables.
    let copied = format!(
        "INSERT INTO {schema}.matters VALUES ('default', 'Order', 'ord-1', 1, 'app-1', 1, now(), NULL);
         ALTER TABLE {schema}.matters ALTER COLUMN tenant TYPE bytea USING convert_to(tenant, 'UTF8')"
    );
    cluster.sql("postgres", &copied);
    let told = block_on(store.open(Matter::Review, None, Timestamp::default(), None, 9)).unwrap_err().to_string();
    assert!(told.contains("the Postgres type `bytea`"), "{told}");
}

#[test]
fn a_store_goes_on_when_its_server_has_come_back() {
    let cluster = Cluster::start("");
    let (_, writer) = cluster.journal();
    let store = block_on(writer.connect()).unwrap();
    let first = begin(&store, "ord-1");
    cluster.crash();
    cluster.boot();
    let second = commit(&entity("ord-1"), 1, first.commit().hash(), 2);
    assert_eq!(block_on(store.append(second)).unwrap(), Appended::Written);
    assert_eq!(block_on(store.read(&entity("ord-1"), 0, 9)).unwrap().len(), 2);
}
