-- How far lists were read.

CREATE TABLE sync_place (
    chain_id TEXT NOT NULL REFERENCES chain (id),
    -- Which list, and which part of it.
    list TEXT NOT NULL,
    -- Of the reading under way: when it began, how many rows are in, and how many there are in all
    -- as far as the source says. None are in: no reading is under way.
    begun_ms BIGINT NOT NULL,
    done BIGINT NOT NULL,
    total BIGINT,
    -- When it was last read to its end.
    read_ms BIGINT,
    PRIMARY KEY (chain_id, list)
);
