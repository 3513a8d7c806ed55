-- The journal. All texts are compared byte by byte (COLLATE "C"), as keys are outside of the database.

CREATE TABLE {schema}.commits (
    tenant          text COLLATE "C" NOT NULL,
    entity_type     text COLLATE "C" NOT NULL,
    entity_id       text COLLATE "C" NOT NULL,
    number          bigint NOT NULL CHECK (number > 0),
    previous        bytea NOT NULL,
    hash            bytea NOT NULL,
    body            bytea NOT NULL,
    at              timestamptz NOT NULL,
    actor           text COLLATE "C" NOT NULL,
    trace           text COLLATE "C",
    kinds           bigint NOT NULL,
    idempotency_key text COLLATE "C",
    stamp           bigint NOT NULL,
    -- The part that tells most entities apart comes first: comparing keys is a good part of what an insert costs.
    PRIMARY KEY (entity_id, entity_type, tenant, number)
);
CREATE INDEX entities ON {schema}.commits (tenant, entity_type, entity_id) WHERE number = 1;
CREATE INDEX commits_by_idempotency_key
    ON {schema}.commits (entity_id, entity_type, tenant, idempotency_key, number)
    WHERE idempotency_key IS NOT NULL;
CREATE INDEX commits_by_stamp ON {schema}.commits (stamp);

COMMENT ON TABLE {schema}.commits IS 'one batch of records of one entity a row; never changed, never removed';
COMMENT ON COLUMN {schema}.commits.body IS 'the records as JSON text, kept and hashed verbatim: convert_from(body, ''UTF8'')';
COMMENT ON COLUMN {schema}.commits.kinds IS 'one bit for each kind of record in it';
COMMENT ON COLUMN {schema}.commits.stamp IS 'the transaction that wrote it, plus era.ahead';

-- What is open: requests for a sign-off (1) and executions (2).
CREATE TABLE {schema}.matters (
    tenant      text COLLATE "C" NOT NULL,
    entity_type text COLLATE "C" NOT NULL,
    entity_id   text COLLATE "C" NOT NULL,
    matter      smallint NOT NULL,
    name        text COLLATE "C" NOT NULL,
    number      bigint NOT NULL,
    since       timestamptz NOT NULL,
    until       timestamptz,
    PRIMARY KEY (matter, entity_id, entity_type, tenant, name, number)
);
-- Executions come and go with each action and are few at a time, so that one index has to be enough for them.
CREATE INDEX reviews_by_age ON {schema}.matters (since, tenant, entity_type, entity_id, name, number) WHERE matter = 1;
CREATE INDEX reviews_of_tenant ON {schema}.matters (tenant, since, entity_type, entity_id, name, number) WHERE matter = 1;
CREATE INDEX reviews_by_end ON {schema}.matters (until) WHERE matter = 1;

-- The requests for a sign-off, by their numbers.
CREATE TABLE {schema}.approvals (
    approval    text COLLATE "C" NOT NULL,
    tenant      text COLLATE "C" NOT NULL,
    entity_type text COLLATE "C" NOT NULL,
    entity_id   text COLLATE "C" NOT NULL,
    number      bigint NOT NULL,
    PRIMARY KEY (approval, tenant, entity_type, entity_id, number)
);

-- The last fold that was kept of an entity.
CREATE TABLE {schema}.snapshots (
    tenant      text COLLATE "C" NOT NULL,
    entity_type text COLLATE "C" NOT NULL,
    entity_id   text COLLATE "C" NOT NULL,
    number      bigint NOT NULL,
    body        bytea NOT NULL,
    PRIMARY KEY (tenant, entity_type, entity_id)
);

-- The one order of all commits, and what they are searched by.
CREATE TABLE {schema}.positions (
    position    bigint PRIMARY KEY,
    tenant      text COLLATE "C" NOT NULL,
    entity_type text COLLATE "C" NOT NULL,
    entity_id   text COLLATE "C" NOT NULL,
    number      bigint NOT NULL,
    at          timestamptz NOT NULL,
    actor       text COLLATE "C" NOT NULL,
    trace       text COLLATE "C",
    kinds       bigint NOT NULL
);
CREATE INDEX positions_by_entity ON {schema}.positions (entity_id, entity_type, tenant, position);
CREATE INDEX positions_by_actor ON {schema}.positions (actor, position);
CREATE INDEX positions_by_trace ON {schema}.positions (trace, position) WHERE trace IS NOT NULL;
CREATE INDEX positions_by_time ON {schema}.positions (at, position);

-- For people: a line for each commit.
CREATE VIEW {schema}.journal AS
    SELECT p.position, c.tenant, c.entity_type, c.entity_id, c.number, c.at, c.actor, c.trace,
           encode(c.hash, 'hex') AS hash, convert_from(c.body, 'UTF8') AS body
    FROM {schema}.commits c LEFT JOIN {schema}.positions p USING (tenant, entity_type, entity_id, number);

-- How far the order goes: every commit whose stamp is below `below` has a position, but for those of the transactions in
-- `holes`, which had not ended.
CREATE TABLE {schema}.sequencer (
    one   boolean PRIMARY KEY DEFAULT true CHECK (one),
    last  bigint NOT NULL DEFAULT 0,
    below bigint NOT NULL DEFAULT 0,
    holes bigint[] NOT NULL DEFAULT '{}'
);
INSERT INTO {schema}.sequencer DEFAULT VALUES;

-- What a transaction's number is raised by, so that stamps go on growing where a journal was restored into a server that
-- counts transactions from the beginning.
CREATE TABLE {schema}.era (
    one   boolean PRIMARY KEY DEFAULT true CHECK (one),
    ahead bigint NOT NULL DEFAULT 0
);
INSERT INTO {schema}.era DEFAULT VALUES;

CREATE FUNCTION {schema}.refuse() RETURNS trigger
LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'the journal is append-only: % of % is refused', lower(TG_OP), TG_TABLE_NAME
        USING ERRCODE = 'object_not_in_prerequisite_state';
END
$$;
CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON {schema}.commits
    FOR EACH STATEMENT EXECUTE FUNCTION {schema}.refuse();
CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON {schema}.positions
    FOR EACH STATEMENT EXECUTE FUNCTION {schema}.refuse();
ALTER TABLE {schema}.commits ENABLE ALWAYS TRIGGER append_only;
ALTER TABLE {schema}.positions ENABLE ALWAYS TRIGGER append_only;

-- Appends a group of commits, at most one of an entity, and answers with the hashes of those that are kept. One whose
-- number and hash before do not follow is left out, and so is one that somebody else was faster than. What the commits open,
-- close, ask for and fold says by the place in the group which commit it belongs to.
--
-- It is one statement of one round trip; being a function, it is planned once in a connection and not each time, and its
-- callers need no right to write. The plan is made for good, so that it must not depend on how small the tables were then:
-- what is looked up is looked up by index. Arrays are walked by subscript, because setting up `unnest` over so many of them
-- costs more than appending a commit.
CREATE FUNCTION {schema}.append(
    tenants text[], entity_types text[], entity_ids text[], numbers bigint[],
    previous_hashes bytea[], hashes bytea[], bodies bytea[],
    times timestamptz[], actors text[], traces text[], kinds_of bigint[], idempotency_keys text[],
    opened_by int[], opened_matters smallint[], opened_names text[], opened_until timestamptz[], forgets timestamptz,
    closed_by int[], closed_matters smallint[], closed_names text[],
    asked_by int[], asked_names text[],
    folded_by int[], folded_numbers bigint[], folds bytea[]
) RETURNS bytea[]
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
SET plan_cache_mode = force_generic_plan
SET enable_seqscan = off
SET enable_hashjoin = off
SET enable_mergejoin = off
AS $$
DECLARE
    kept bytea[] := hashes;
    written bigint;
    is_whole boolean;
BEGIN
    -- The number of the transaction is taken after the snapshot that the commit before is looked up in, so that the stamps
    -- of an entity grow with its numbers.
    INSERT INTO {schema}.commits
    SELECT tenants[i], entity_types[i], entity_ids[i], numbers[i], previous_hashes[i], hashes[i], bodies[i],
           times[i], actors[i], traces[i], kinds_of[i], idempotency_keys[i],
           (SELECT pg_current_xact_id()::text::bigint + e.ahead FROM {schema}.era e WHERE e.one)
    FROM generate_series(1, cardinality(hashes)) i
    WHERE previous_hashes[i] = CASE WHEN numbers[i] = 1 THEN decode(repeat('00', 32), 'hex') ELSE (
        SELECT p.hash FROM {schema}.commits p
        WHERE p.tenant = tenants[i] AND p.entity_type = entity_types[i] AND p.entity_id = entity_ids[i]
          AND p.number = numbers[i] - 1
    ) END
    ON CONFLICT DO NOTHING;
    GET DIAGNOSTICS written = ROW_COUNT;
    is_whole := written = cardinality(hashes);
    IF NOT is_whole THEN
        SELECT coalesce(array_agg(c.hash), '{}') INTO kept
        FROM generate_series(1, cardinality(hashes)) i JOIN {schema}.commits c
          ON c.tenant = tenants[i] AND c.entity_type = entity_types[i] AND c.entity_id = entity_ids[i]
         AND c.number = numbers[i] AND c.hash = hashes[i]
        WHERE c.stamp = (SELECT pg_current_xact_id()::text::bigint + e.ahead FROM {schema}.era e WHERE e.one);
    END IF;
    IF cardinality(opened_by) > 0 THEN
        INSERT INTO {schema}.matters (tenant, entity_type, entity_id, number, since, matter, name, until)
        SELECT tenants[opened_by[o]], entity_types[opened_by[o]], entity_ids[opened_by[o]], numbers[opened_by[o]],
               times[opened_by[o]], opened_matters[o], opened_names[o], opened_until[o]
        FROM generate_series(1, cardinality(opened_by)) o
        WHERE is_whole OR hashes[opened_by[o]] = ANY (kept)
        ON CONFLICT DO NOTHING;
    END IF;
    IF cardinality(closed_by) > 0 THEN
        DELETE FROM {schema}.matters m
        USING generate_series(1, cardinality(closed_by)) c
        WHERE (is_whole OR hashes[closed_by[c]] = ANY (kept))
          AND m.tenant = tenants[closed_by[c]] AND m.entity_type = entity_types[closed_by[c]]
          AND m.entity_id = entity_ids[closed_by[c]] AND m.matter = closed_matters[c] AND m.name = closed_names[c];
    END IF;
    IF cardinality(asked_by) > 0 THEN
        INSERT INTO {schema}.approvals (approval, tenant, entity_type, entity_id, number)
        SELECT asked_names[a], tenants[asked_by[a]], entity_types[asked_by[a]], entity_ids[asked_by[a]], numbers[asked_by[a]]
        FROM generate_series(1, cardinality(asked_by)) a
        WHERE is_whole OR hashes[asked_by[a]] = ANY (kept)
        ON CONFLICT DO NOTHING;
    END IF;
    IF cardinality(folded_by) > 0 THEN
        INSERT INTO {schema}.snapshots AS s (tenant, entity_type, entity_id, number, body)
        SELECT tenants[folded_by[f]], entity_types[folded_by[f]], entity_ids[folded_by[f]], folded_numbers[f], folds[f]
        FROM generate_series(1, cardinality(folded_by)) f
        WHERE is_whole OR hashes[folded_by[f]] = ANY (kept)
        ON CONFLICT (tenant, entity_type, entity_id) DO UPDATE SET number = EXCLUDED.number, body = EXCLUDED.body;
    END IF;
    -- Requests that nobody has reviewed do not gather for ever. Nobody waits for somebody else who does this. The clock of a writer
    -- that is ahead is not believed: the requests of all would be gone.
    IF 1 = ANY (opened_matters) THEN
        DELETE FROM {schema}.matters m WHERE m.ctid = ANY (ARRAY(
            SELECT e.ctid FROM {schema}.matters e
            WHERE e.matter = 1 AND e.until <= LEAST(forgets, now() - interval '1 day') FOR UPDATE SKIP LOCKED
        ));
    END IF;
    RETURN kept;
END
$$;

-- Gives every commit that can be seen a position, and answers with the last one. Nothing is written where all have one.
--
-- One step at a time, so that positions have no gaps, and what a reader saw stays before what he did not. New is what can be
-- seen now and could not be seen in the last step; a transaction that takes long holds nobody else up. Of two commits of one
-- step, the one whose transaction is older comes first: it is the one that was acknowledged before the other was sent, if one
-- was, and the one with the smaller number, if both are of one entity.
CREATE FUNCTION {schema}.sequence() RETURNS bigint
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
SET plan_cache_mode = force_custom_plan
SET enable_seqscan = off
SET jit = off
AS $$
DECLARE
    state {schema}.sequencer%ROWTYPE;
    raised bigint;
    highest bigint;
BEGIN
    SELECT s.* INTO STRICT state FROM {schema}.sequencer s WHERE s.one;
    SELECT e.ahead INTO STRICT raised FROM {schema}.era e WHERE e.one;
    IF state.below <= pg_snapshot_xmax(pg_current_snapshot())::text::bigint + raised
        AND NOT EXISTS (SELECT FROM {schema}.commits c WHERE c.stamp >= state.below)
        AND NOT EXISTS (SELECT FROM {schema}.commits c WHERE c.stamp = ANY (state.holes)) THEN
        RETURN state.last;
    END IF;
    -- A copy that only follows another server has the positions that it was sent.
    IF current_setting('transaction_read_only')::boolean THEN
        RETURN state.last;
    END IF;
    -- Whoever has waited here sees what was written meanwhile: each statement has a snapshot of its own.
    PERFORM pg_advisory_xact_lock('{schema}.positions'::regclass::oid::bigint + (x'6b696666'::bigint << 32));
    SELECT s.* INTO STRICT state FROM {schema}.sequencer s WHERE s.one;
    SELECT max(c.stamp) INTO highest FROM {schema}.commits c;
    SELECT e.ahead INTO STRICT raised FROM {schema}.era e WHERE e.one;
    -- No transaction of this server can be seen before it has its number, nor was one of the last step: where the numbers are
    -- behind, the journal comes from another server.
    highest := greatest(highest, state.below - 1);
    IF highest >= pg_snapshot_xmax(pg_current_snapshot())::text::bigint + raised THEN
        UPDATE {schema}.era e SET ahead = highest + 1 WHERE e.one RETURNING e.ahead INTO raised;
    END IF;
    WITH added AS (
        INSERT INTO {schema}.positions
        SELECT state.last + row_number() OVER (ORDER BY c.stamp, c.tenant, c.entity_type, c.entity_id, c.number),
               c.tenant, c.entity_type, c.entity_id, c.number, c.at, c.actor, c.trace, c.kinds
        FROM {schema}.commits c
        WHERE c.stamp >= state.below OR c.stamp = ANY (state.holes)
        RETURNING 1
    )
    -- The snapshot of this statement is the one that the commits were seen in.
    UPDATE {schema}.sequencer s
    SET last = state.last + (SELECT count(*) FROM added),
        below = pg_snapshot_xmax(pg_current_snapshot())::text::bigint + raised,
        holes = ARRAY(SELECT x::text::bigint + raised FROM pg_snapshot_xip(pg_current_snapshot()) x)
    WHERE s.one
    RETURNING s.last INTO STRICT state.last;
    RETURN state.last;
END
$$;

REVOKE ALL ON FUNCTION {schema}.refuse, {schema}.append, {schema}.sequence FROM PUBLIC;
