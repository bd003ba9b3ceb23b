-- The mirror: what the evidence says, folded. It can be dropped and folded again.

CREATE TABLE mirror (
    id BIGINT PRIMARY KEY NOT NULL,
    chain_id TEXT NOT NULL REFERENCES chain (id),
    -- The last record that was folded.
    folded BIGINT NOT NULL,
    -- Whether it is the one to be read; the others are being made, or taken away.
    is_current BOOLEAN NOT NULL
);
CREATE INDEX mirror_by_chain ON mirror (chain_id);

CREATE TABLE object (
    mirror_id BIGINT NOT NULL REFERENCES mirror (id),
    -- property, reservation, tax, …
    kind TEXT NOT NULL,
    -- The source's id of it, or what stands for one.
    id TEXT NOT NULL,
    -- The record that it is so by.
    record BIGINT NOT NULL,
    -- Whether the source has it no more; the state is the last that there was.
    is_removed BOOLEAN NOT NULL,
    -- Whether there is something in it that the books do not understand.
    is_flagged BOOLEAN NOT NULL,
    -- What it is looked for by: a reservation's code, what it belongs to, its date.
    code TEXT,
    parent TEXT,
    day TEXT,
    -- The list that is read as a whole and that it was found in.
    scope TEXT,
    -- All that is known of it: a JSON object.
    state TEXT NOT NULL,
    PRIMARY KEY (mirror_id, kind, id)
);
CREATE INDEX object_by_code ON object (mirror_id, kind, code) WHERE code IS NOT NULL;
CREATE INDEX object_by_parent ON object (mirror_id, kind, parent) WHERE parent IS NOT NULL;
CREATE INDEX object_by_day ON object (mirror_id, kind, day) WHERE day IS NOT NULL;
CREATE INDEX object_by_scope ON object (mirror_id, kind, scope) WHERE scope IS NOT NULL;

-- What objects were before.
CREATE TABLE version (
    mirror_id BIGINT NOT NULL REFERENCES mirror (id),
    kind TEXT NOT NULL,
    id TEXT NOT NULL,
    -- The record that it was so by, and the one by which it no longer was.
    record BIGINT NOT NULL,
    until_record BIGINT NOT NULL,
    is_removed BOOLEAN NOT NULL,
    state TEXT NOT NULL,
    PRIMARY KEY (mirror_id, kind, id, record)
);
