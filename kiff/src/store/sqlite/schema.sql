-- What a journal is kept in. Everything but `entities`, `commits` and `bodies` is looked up by it and follows from the
-- bodies; `snapshots` only save time.

CREATE TABLE entities (
    id          INTEGER PRIMARY KEY,
    tenant      TEXT NOT NULL,
    entity_type TEXT NOT NULL,
    entity_id   TEXT NOT NULL,
    UNIQUE (tenant, entity_type, entity_id)
) STRICT;

CREATE TABLE actors (
    id   INTEGER PRIMARY KEY,
    name TEXT NOT NULL UNIQUE
) STRICT;

-- One row a commit. The position is its place in the one order of all commits: from 1, without gaps.
CREATE TABLE commits (
    position INTEGER PRIMARY KEY,
    entity   INTEGER NOT NULL,  -- entities.id
    number   INTEGER NOT NULL,  -- in the entity's journal, from 1
    at       INTEGER NOT NULL,  -- microseconds since 1970
    actor    INTEGER NOT NULL,  -- actors.id
    kinds    INTEGER NOT NULL,  -- a bit for each kind of record in it; the highest for one that was not known
    UNIQUE (entity, number)
) STRICT;

CREATE INDEX commits_of_actor ON commits (actor);

-- What was hashed, byte for byte. Beside the rows above, so that those who look through many read little.
CREATE TABLE bodies (
    position INTEGER PRIMARY KEY,
    previous BLOB NOT NULL,  -- the hash of the commit before in the entity's journal
    hash     BLOB NOT NULL,  -- SHA-256 over key, number, the hash before, and the body
    body     BLOB NOT NULL
) STRICT;

CREATE TABLE traces (
    trace    TEXT    NOT NULL,
    position INTEGER NOT NULL,
    PRIMARY KEY (trace, position)
) STRICT, WITHOUT ROWID;

CREATE TABLE approvals (
    approval TEXT    NOT NULL,
    position INTEGER NOT NULL,
    PRIMARY KEY (approval, position)
) STRICT, WITHOUT ROWID;

CREATE TABLE keys (
    entity INTEGER NOT NULL,
    key    TEXT    NOT NULL,
    number INTEGER NOT NULL,
    PRIMARY KEY (entity, key)
) STRICT, WITHOUT ROWID;

-- What is open; a row goes when it is closed.
CREATE TABLE open_matters (
    entity  INTEGER NOT NULL,
    tenant  TEXT    NOT NULL,  -- the entity's, to list those of one by
    matter  TEXT    NOT NULL,  -- `review` or `execution`
    id      TEXT    NOT NULL,
    number  INTEGER NOT NULL,
    since   INTEGER NOT NULL,
    expires INTEGER NOT NULL,  -- the largest integer where it never does
    PRIMARY KEY (entity, matter, id, number)
) STRICT, WITHOUT ROWID;

-- Requests that nobody reviews only expire; those that have are passed over, and go a day later with the next request.
CREATE INDEX reviews_open ON open_matters (expires) WHERE matter = 'review';

-- They are listed the oldest first.
CREATE INDEX reviews_by_age ON open_matters (since) WHERE matter = 'review';
CREATE INDEX reviews_of_tenant ON open_matters (tenant, since) WHERE matter = 'review';

CREATE TABLE snapshots (
    entity INTEGER PRIMARY KEY,
    number INTEGER NOT NULL,
    body   BLOB    NOT NULL
) STRICT;

-- For people: one line a commit.
CREATE VIEW journal AS
SELECT commits.position, tenant, entity_type, entity_id, number,
       strftime('%Y-%m-%dT%H:%M:%fZ', at / 1000000.0, 'unixepoch') AS at,
       actors.name AS actor, lower(hex(hash)) AS hash, CAST(body AS TEXT) AS body
FROM commits
JOIN bodies ON bodies.position = commits.position
JOIN entities ON entities.id = commits.entity
JOIN actors ON actors.id = commits.actor
ORDER BY commits.position;
