-- What the source tells unasked, and what is to be read again because of it.

-- The messages that were accepted of late: one that comes twice is worked once.
CREATE TABLE inbox_message (
    connection_id TEXT NOT NULL REFERENCES chain (id),
    message_id TEXT NOT NULL,
    arrived_ms BIGINT NOT NULL,
    -- Whether it tells something that the books do not understand.
    is_unknown BOOLEAN NOT NULL,
    PRIMARY KEY (connection_id, message_id)
);
CREATE INDEX inbox_message_by_time ON inbox_message (arrived_ms);

-- What is to be read again, once for however many messages told of it.
CREATE TABLE inbox_hint (
    connection_id TEXT NOT NULL REFERENCES chain (id),
    kind TEXT NOT NULL,
    object_id TEXT NOT NULL,
    -- The record of the last message that told of it.
    told BIGINT NOT NULL,
    -- When the first came that was not worked yet.
    since_ms BIGINT NOT NULL,
    -- When it is to be read, or to be read by somebody else if its reader died.
    due_ms BIGINT NOT NULL,
    is_claimed BOOLEAN NOT NULL,
    tries BIGINT NOT NULL,
    -- Why it cannot be read, as far as the source says so for good.
    problem TEXT,
    PRIMARY KEY (connection_id, kind, object_id)
);
CREATE INDEX inbox_hint_by_due ON inbox_hint (connection_id, due_ms);

-- When a connection is to be swept for what no message told.
CREATE TABLE inbox_sweep (
    -- The connection's id.
    id TEXT PRIMARY KEY NOT NULL REFERENCES connection (id),
    due_ms BIGINT NOT NULL
);
