-- Which accounts the books mirror, and how to reach them.

CREATE TABLE portfolio (
    id TEXT PRIMARY KEY NOT NULL,
    name TEXT UNIQUE NOT NULL,
    made_ms BIGINT NOT NULL
);

CREATE TABLE connection (
    id TEXT PRIMARY KEY NOT NULL,
    portfolio_id TEXT NOT NULL REFERENCES portfolio (id),
    -- Where the API is, and which application of the account asks.
    base_url TEXT NOT NULL,
    client_id TEXT NOT NULL,
    -- The application's secret, sealed; none while disconnected.
    sealed_secret BYTEA,
    -- When credentials were last saved or removed.
    saved_ms BIGINT NOT NULL,
    UNIQUE (portfolio_id, base_url, client_id)
);

-- The access token of each connection that has credentials.
CREATE TABLE access_token (
    -- The connection's id.
    id TEXT PRIMARY KEY NOT NULL REFERENCES connection (id),
    -- The token with its times, sealed; none before the first.
    sealed BYTEA,
    -- Who may ask for the next one, and until when.
    holder TEXT,
    until_ms BIGINT
);
