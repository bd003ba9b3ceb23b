-- What was read of late, whether it had changed or not: an answer that was longer on its way is
-- older, or may be.
CREATE TABLE read_mark (
    chain_id TEXT NOT NULL REFERENCES chain (id),
    -- From 1, without a gap; only the last of them are kept.
    number BIGINT NOT NULL,
    -- One reader's own marks do not concern it.
    reader TEXT NOT NULL,
    kind TEXT NOT NULL,
    first_id TEXT NOT NULL,
    last_id TEXT NOT NULL,
    PRIMARY KEY (chain_id, number)
);
