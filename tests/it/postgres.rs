//! The store in PostgreSQL, over a real server.

use kiff::journal::{Content, StateChanged};
use kiff::{Actor, Appended, Commit, Cursor, Digest, EntityKey, Fact, PostgresStore, Query, Sealed, Store, Timestamp};
use kiff_test::block_on;

use crate::cluster::{self, Cluster};

mod cost;
mod crash;
mod doubt;
mod order;
mod pooler;
mod proxy;
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
    Sealed::new(key.clone(), last + 1, hash, content).unwrap()
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
        let said = cluster.try_sql("owner", "postgres", change).unwrap_err();
        assert!(said.contains("the journal is append-only"), "{change}: {said}");
    }
    let forged = format!(
        "INSERT INTO {schema}.commits SELECT tenant, entity_type, entity_id, 2, previous, hash, body, at, actor, trace, \
         kinds, idempotency_key, stamp FROM {schema}.commits"
    );
    assert!(cluster.try_sql("writer", "postgres", &forged).unwrap_err().contains("permission denied"));
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
