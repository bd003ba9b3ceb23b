-- Which account a connection leads to, how it looked, and its subscription to webhooks.

-- The account, as its tokens name it; unknown until the first look that succeeds.
ALTER TABLE connection ADD COLUMN account_id TEXT;
-- Under which address the source reaches us; without one, the server's own.
ALTER TABLE connection ADD COLUMN webhook_base TEXT;
-- The lights as JSON, and when they were looked at.
ALTER TABLE connection ADD COLUMN lights TEXT;
ALTER TABLE connection ADD COLUMN looked_ms BIGINT;

-- An account is mirrored once in a portfolio, whichever application asks.
CREATE UNIQUE INDEX connection_account ON connection (portfolio_id, base_url, account_id);

-- The subscription of a connection.
CREATE TABLE webhook (
    -- The connection's id.
    id TEXT PRIMARY KEY NOT NULL REFERENCES connection (id),
    -- The subscription's id at the source and its url; none before the first.
    webhook_id TEXT,
    url TEXT,
    -- What its messages are signed with, sealed.
    sealed_secret BYTEA,
    -- Who may change the subscription at the source, and until when.
    holder TEXT,
    until_ms BIGINT
);
