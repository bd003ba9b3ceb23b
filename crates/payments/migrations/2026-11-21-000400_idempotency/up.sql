-- The keys that clients gave their requests, so that none is done twice, with the replies.
CREATE TABLE idempotency_key (
    -- Also the id of what the request makes: whoever takes it over finds, or makes, the same.
    id TEXT PRIMARY KEY NOT NULL,
    account_id TEXT NOT NULL REFERENCES account (id),
    key TEXT NOT NULL,
    -- A hash of what was asked: another request under the same key is a mistake.
    fingerprint TEXT NOT NULL,
    -- Who is at it, and until when nobody else may be, in wall time. Once it is answered: since when
    -- the reply is kept.
    holder TEXT NOT NULL,
    held_until_ms BIGINT NOT NULL,
    -- Whether what was asked is committed; set in that same transaction.
    is_begun BOOLEAN NOT NULL,
    -- The reply; null: there is none yet.
    status BIGINT,
    content_type TEXT,
    reply TEXT,
    UNIQUE (account_id, key)
);
CREATE INDEX idempotency_key_by_age ON idempotency_key (held_until_ms);
