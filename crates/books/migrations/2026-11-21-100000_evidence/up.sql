-- What the books rest on: for each connection a chain of records, which is only ever added to.

CREATE TABLE chain (
    -- The connection's id.
    id TEXT PRIMARY KEY NOT NULL,
    -- What its records are signed with; sealed.
    sealed_key BYTEA NOT NULL,
    -- How many records it has, and the signature and time of the last.
    length BIGINT NOT NULL,
    head BYTEA NOT NULL,
    last_ms BIGINT NOT NULL
);

CREATE TABLE evidence (
    chain_id TEXT NOT NULL REFERENCES chain (id),
    -- From 1, without a gap.
    number BIGINT NOT NULL,
    -- reply, webhook, file, decision or setting.
    kind TEXT NOT NULL,
    -- What it answers: method, path and query of a request.
    subject TEXT NOT NULL,
    -- The status of a reply; 0 where there is none.
    status INTEGER NOT NULL,
    -- Which page of a list it is, from 1, and how many the list has; 0 where that was not known.
    page INTEGER NOT NULL,
    pages INTEGER NOT NULL,
    at_ms BIGINT NOT NULL,
    -- The bytes as they came, compressed.
    body BYTEA NOT NULL,
    signature BYTEA NOT NULL,
    PRIMARY KEY (chain_id, number)
);
CREATE INDEX evidence_by_time ON evidence (chain_id, at_ms, number);
