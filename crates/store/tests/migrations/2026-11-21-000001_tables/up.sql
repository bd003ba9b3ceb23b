CREATE TABLE account (
    id TEXT PRIMARY KEY,
    balance BIGINT NOT NULL
);

CREATE TABLE note (
    id TEXT PRIMARY KEY,
    at BIGINT NOT NULL,
    noted TIMESTAMP,
    stay DATE NOT NULL,
    kept BOOLEAN NOT NULL,
    text TEXT NOT NULL,
    bytes BYTEA NOT NULL
);
