-- The portfolio that an account was given. One that is not finished was interrupted, or is being
-- made.
CREATE TABLE portfolio (
    account_id TEXT PRIMARY KEY NOT NULL REFERENCES account (id),
    seed TEXT NOT NULL,
    listings BIGINT NOT NULL,
    reservations BIGINT NOT NULL,
    from_ms BIGINT NOT NULL,
    until_ms BIGINT NOT NULL,
    is_finished BOOLEAN NOT NULL
);
