CREATE TABLE merchant (
    id BIGINT PRIMARY KEY NOT NULL,
    name TEXT NOT NULL
);

-- One for each currency of a merchant. Its row is locked while a transaction is posted, so that
-- positions in its feed commit in order.
CREATE TABLE sub_account (
    id TEXT PRIMARY KEY NOT NULL,
    merchant BIGINT NOT NULL REFERENCES merchant (id),
    number INTEGER NOT NULL,
    name TEXT NOT NULL,
    currency TEXT NOT NULL,
    descriptor TEXT NOT NULL,
    fee_percent TEXT NOT NULL,
    fee_fixed_minor BIGINT NOT NULL,
    reserve_percent TEXT NOT NULL,
    reserve_days INTEGER NOT NULL,
    last_position BIGINT NOT NULL,
    UNIQUE (merchant, number),
    UNIQUE (merchant, currency)
);

CREATE TABLE method (
    token TEXT PRIMARY KEY NOT NULL,
    merchant BIGINT NOT NULL REFERENCES merchant (id),
    shape TEXT NOT NULL,
    behaviour TEXT NOT NULL,
    brand TEXT NOT NULL,
    funding TEXT NOT NULL,
    country TEXT NOT NULL,
    bin TEXT NOT NULL,
    last4 TEXT NOT NULL,
    exp_month INTEGER NOT NULL,
    exp_year INTEGER NOT NULL,
    billing_json TEXT NOT NULL,
    usable BOOLEAN NOT NULL,
    declined_once BOOLEAN NOT NULL
);

-- Written for every charge, so as narrow as it can be: what a reply says beyond these columns is
-- computed from them. No foreign keys either: whoever posts has just read both rows.
CREATE TABLE "transaction" (
    id BIGINT PRIMARY KEY NOT NULL,
    merchant BIGINT NOT NULL,
    sub_account TEXT NOT NULL,
    position BIGINT NOT NULL,
    attempt_key TEXT NOT NULL,
    original_id BIGINT,
    kind TEXT NOT NULL,
    status TEXT NOT NULL,
    amount_minor BIGINT NOT NULL,
    method TEXT NOT NULL,
    authorization_or_error_code TEXT NOT NULL,
    confirmation_code TEXT,
    order_json TEXT,
    merchant_ms BIGINT NOT NULL,
    system_ms BIGINT NOT NULL,
    settlement_ms BIGINT
);

CREATE UNIQUE INDEX transaction_by_key ON "transaction" (merchant, attempt_key);
CREATE UNIQUE INDEX transaction_by_position ON "transaction" (sub_account, position);
CREATE INDEX transaction_by_original ON "transaction" (original_id) WHERE original_id IS NOT NULL;
