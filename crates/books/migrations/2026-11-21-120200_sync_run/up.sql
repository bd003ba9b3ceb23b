-- Runs of reading: what was to be read, what came of it, and which one is under way.

CREATE TABLE sync_run (
    id TEXT PRIMARY KEY NOT NULL,
    chain_id TEXT NOT NULL REFERENCES chain (id),
    -- What was to be read: names with blanks between them, whether only what changed, and dates
    -- from one to another if not all.
    parts TEXT NOT NULL,
    changed_only BOOLEAN NOT NULL,
    from_day TEXT,
    to_day TEXT,
    began_ms BIGINT NOT NULL,
    -- Until when it counts as alive if nobody renews that.
    until_ms BIGINT NOT NULL,
    -- None while it is under way.
    ended_ms BIGINT,
    -- What came of it, as a JSON object; none if it was interrupted.
    summary TEXT
);
CREATE INDEX sync_run_by_chain ON sync_run (chain_id, began_ms);
-- One run at a time.
CREATE UNIQUE INDEX sync_run_under_way ON sync_run (chain_id) WHERE ended_ms IS NULL;
