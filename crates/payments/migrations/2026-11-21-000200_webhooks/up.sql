-- Who is told of what.
CREATE TABLE webhook (
    id TEXT PRIMARY KEY NOT NULL,
    account_id TEXT NOT NULL REFERENCES account (id),
    url TEXT NOT NULL,
    -- The events' names, with blanks between.
    events TEXT NOT NULL,
    -- What signs: one for all of the account's subscriptions of a url.
    secret_id TEXT NOT NULL REFERENCES sealed_secret (id),
    -- Since when nothing arrives there; null: what was sent last did.
    failing_ms BIGINT,
    -- When it was given up.
    disabled_ms BIGINT,
    created_ms BIGINT NOT NULL,
    updated_ms BIGINT NOT NULL
);
CREATE INDEX webhook_by_account ON webhook (account_id, id);

-- What is told: one row for each event and name of it that somebody subscribes to.
CREATE TABLE webhook_message (
    id TEXT PRIMARY KEY NOT NULL,
    account_id TEXT NOT NULL,
    -- The webhook's name for it.
    event TEXT NOT NULL,
    -- The domain event that it follows from, and what that said.
    event_id TEXT NOT NULL,
    reservation_id TEXT,
    subject_id TEXT NOT NULL,
    facts TEXT NOT NULL,
    -- As it is sent, the same each time; null: not written yet.
    body TEXT,
    -- Whether what happens next belongs to it, too.
    is_open BOOLEAN NOT NULL,
    created_ms BIGINT NOT NULL
);
CREATE UNIQUE INDEX webhook_message_open ON webhook_message (reservation_id) WHERE is_open;
CREATE INDEX webhook_message_by_age ON webhook_message (created_ms);

-- To whom a message goes.
CREATE TABLE webhook_delivery (
    message_id TEXT NOT NULL,
    webhook_id TEXT NOT NULL,
    -- PENDING, SUCCEEDED, FAILED.
    state TEXT NOT NULL,
    tries BIGINT NOT NULL,
    -- When to send it, in wall time; null: never again. Whoever sends it puts that off, so that
    -- others do so only if nothing more is heard of it.
    due_ms BIGINT,
    PRIMARY KEY (message_id, webhook_id)
);
CREATE INDEX webhook_delivery_due
    ON webhook_delivery (webhook_id, due_ms, message_id) WHERE due_ms IS NOT NULL;

-- Every time that a message was sent, and what came of it.
CREATE TABLE webhook_attempt (
    id TEXT PRIMARY KEY NOT NULL,
    webhook_id TEXT NOT NULL,
    message_id TEXT NOT NULL,
    at_ms BIGINT NOT NULL,
    latency_ms BIGINT NOT NULL,
    -- The receiver's answer, if it gave one.
    status BIGINT,
    error TEXT,
    response TEXT
);
CREATE INDEX webhook_attempt_by_webhook ON webhook_attempt (webhook_id, id);
CREATE INDEX webhook_attempt_by_message ON webhook_attempt (message_id);
