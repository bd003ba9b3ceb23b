-- Instants are milliseconds since 1970, UTC; amounts are minor units of the row's currency.

CREATE TABLE account (
    id TEXT PRIMARY KEY NOT NULL,
    name TEXT NOT NULL,
    currency TEXT NOT NULL,
    timezone TEXT NOT NULL,
    -- Business time = wall time + this. Only a sandbox account's may differ from 0.
    clock_offset_ms BIGINT NOT NULL,
    created_ms BIGINT NOT NULL
);

-- Who moves an account's clock. It is a server's until an instant of wall time, which it puts off as
-- it goes on.
CREATE TABLE clock_lease (
    -- The account's id.
    id TEXT PRIMARY KEY NOT NULL REFERENCES account (id),
    holder TEXT NOT NULL,
    until_ms BIGINT NOT NULL
);

CREATE TABLE application (
    -- The client id.
    id TEXT PRIMARY KEY NOT NULL,
    account_id TEXT NOT NULL REFERENCES account (id),
    name TEXT NOT NULL,
    secret_hash BYTEA NOT NULL,
    scopes TEXT NOT NULL,
    -- Listing ids it may see, separated by spaces; null: all.
    listings TEXT,
    created_ms BIGINT NOT NULL
);
CREATE INDEX application_by_account ON application (account_id);

-- What the daily quota counts. The tokens themselves are not kept.
CREATE TABLE issued_token (
    id TEXT PRIMARY KEY NOT NULL,
    application_id TEXT NOT NULL REFERENCES application (id),
    issued_ms BIGINT NOT NULL
);
CREATE INDEX issued_token_by_application ON issued_token (application_id, issued_ms);

-- Secrets of the platform itself, sealed by the vault: the keys that sign tokens, and the check
-- value that tells a wrong vault key.
CREATE TABLE sealed_secret (
    id TEXT PRIMARY KEY NOT NULL,
    kind TEXT NOT NULL,
    sealed BYTEA NOT NULL,
    created_ms BIGINT NOT NULL
);

CREATE TABLE provider (
    id TEXT PRIMARY KEY NOT NULL,
    account_id TEXT NOT NULL REFERENCES account (id),
    name TEXT NOT NULL,
    -- The public name of its methods, and so the shape of its payloads: STRIPE or AMARYLLIS.
    method TEXT NOT NULL,
    -- Which processor answers: SANDBOX.
    processor TEXT NOT NULL,
    -- The account at the processor ("1387"); null: not set up there.
    merchant TEXT,
    status TEXT NOT NULL,
    is_default BOOLEAN NOT NULL,
    created_ms BIGINT NOT NULL
);
CREATE INDEX provider_by_account ON provider (account_id);

CREATE TABLE listing (
    id TEXT PRIMARY KEY NOT NULL,
    account_id TEXT NOT NULL REFERENCES account (id),
    title TEXT NOT NULL,
    nickname TEXT,
    is_active BOOLEAN NOT NULL,
    is_listed BOOLEAN NOT NULL,
    currency TEXT NOT NULL,
    timezone TEXT NOT NULL,
    -- The provider that takes its payments; null: the account's default.
    provider_id TEXT REFERENCES provider (id),
    -- For filters, in lower case: the city; tags, each between line feeds; title, internal note and
    -- address in one.
    city TEXT,
    tags TEXT NOT NULL,
    search TEXT NOT NULL,
    -- The other fields that clients wrote, as they were given: a JSON object.
    body TEXT NOT NULL,
    created_ms BIGINT NOT NULL,
    updated_ms BIGINT NOT NULL,
    removed_ms BIGINT
);
CREATE INDEX listing_by_account ON listing (account_id, title);

CREATE TABLE guest (
    id TEXT PRIMARY KEY NOT NULL,
    account_id TEXT NOT NULL REFERENCES account (id),
    full_name TEXT NOT NULL,
    first_name TEXT,
    last_name TEXT,
    email TEXT,
    phone TEXT,
    body TEXT NOT NULL,
    created_ms BIGINT NOT NULL,
    updated_ms BIGINT NOT NULL
);
CREATE INDEX guest_by_account ON guest (account_id, id);

CREATE TABLE reservation (
    id TEXT PRIMARY KEY NOT NULL,
    account_id TEXT NOT NULL REFERENCES account (id),
    listing_id TEXT NOT NULL REFERENCES listing (id),
    guest_id TEXT NOT NULL REFERENCES guest (id),
    status TEXT NOT NULL,
    confirmation_code TEXT NOT NULL,
    source TEXT NOT NULL,
    -- Local dates of the listing.
    check_in DATE NOT NULL,
    check_out DATE NOT NULL,
    -- The instants of arrival and departure, by the listing's clock when the dates were set.
    check_in_ms BIGINT NOT NULL,
    check_out_ms BIGINT NOT NULL,
    guests_count BIGINT NOT NULL,
    currency TEXT NOT NULL,
    -- Minor units times this are ten-thousandths of the currency, so that amounts of currencies
    -- with different decimal places compare as numbers.
    amount_scale BIGINT NOT NULL,
    -- The sum of the invoice items; what the guest has paid; what went back. All from the folio's
    -- rows, kept here for filters and lists.
    total_minor BIGINT NOT NULL,
    paid_minor BIGINT NOT NULL,
    refunded_minor BIGINT NOT NULL,
    is_touched BOOLEAN NOT NULL,
    body TEXT NOT NULL,
    canceled_by TEXT,
    cancellation_reason TEXT,
    created_ms BIGINT NOT NULL,
    updated_ms BIGINT NOT NULL,
    confirmed_ms BIGINT,
    canceled_ms BIGINT
);
CREATE UNIQUE INDEX reservation_by_code ON reservation (account_id, confirmation_code);
CREATE INDEX reservation_by_account ON reservation (account_id, id);
CREATE INDEX reservation_by_listing ON reservation (listing_id);
CREATE INDEX reservation_by_guest ON reservation (guest_id);

CREATE TABLE invoice_item (
    id TEXT PRIMARY KEY NOT NULL,
    reservation_id TEXT NOT NULL REFERENCES reservation (id),
    position BIGINT NOT NULL,
    title TEXT NOT NULL,
    description TEXT,
    amount_minor BIGINT NOT NULL,
    normal_type TEXT NOT NULL,
    second_identifier TEXT,
    is_locked BOOLEAN NOT NULL
);
CREATE INDEX invoice_item_by_reservation ON invoice_item (reservation_id);

CREATE TABLE payment_method (
    id TEXT PRIMARY KEY NOT NULL,
    account_id TEXT NOT NULL REFERENCES account (id),
    guest_id TEXT NOT NULL REFERENCES guest (id),
    provider_id TEXT NOT NULL REFERENCES provider (id),
    -- Set when it was made for one reservation alone.
    reservation_id TEXT REFERENCES reservation (id),
    -- STRIPE or AMARYLLIS.
    method TEXT NOT NULL,
    -- The processor's name for it.
    token TEXT NOT NULL,
    -- The processor's reply when it was made.
    payload TEXT NOT NULL,
    brand TEXT NOT NULL,
    last4 TEXT NOT NULL,
    status TEXT NOT NULL,
    save_for_future_use BOOLEAN NOT NULL,
    is_reusable BOOLEAN NOT NULL,
    created_ms BIGINT NOT NULL,
    updated_ms BIGINT NOT NULL
);
CREATE INDEX payment_method_by_guest ON payment_method (guest_id);
CREATE INDEX payment_method_by_provider ON payment_method (provider_id);

CREATE TABLE payment (
    id TEXT PRIMARY KEY NOT NULL,
    account_id TEXT NOT NULL,
    reservation_id TEXT NOT NULL REFERENCES reservation (id),
    guest_id TEXT NOT NULL,
    -- STRIPE, AMARYLLIS, or how a recorded payment was made: CASH, CHECK, …
    method TEXT NOT NULL,
    payment_method_id TEXT REFERENCES payment_method (id),
    amount_minor BIGINT NOT NULL,
    currency TEXT NOT NULL,
    state TEXT NOT NULL,
    is_hold BOOLEAN NOT NULL,
    note TEXT,
    due_ms BIGINT,
    paid_ms BIGINT,
    expires_ms BIGINT,
    -- What was captured of a hold.
    captured_minor BIGINT,
    -- The processor's transaction that a capture or refund refers to, and the id shown to people.
    transaction_id TEXT,
    confirmation TEXT,
    authentication_url TEXT,
    -- The call of the processor that has no final answer yet.
    attempt_id TEXT,
    attempt_ms BIGINT,
    created_ms BIGINT NOT NULL,
    -- When the agenda must look at it, in business time; null: never again.
    agenda_ms BIGINT
);
CREATE INDEX payment_by_reservation ON payment (reservation_id);
CREATE INDEX payment_by_method ON payment (payment_method_id);
CREATE INDEX payment_agenda ON payment (agenda_ms) WHERE agenda_ms IS NOT NULL;

-- Every call of a processor, kept before it is made.
CREATE TABLE attempt (
    id TEXT PRIMARY KEY NOT NULL,
    payment_id TEXT NOT NULL REFERENCES payment (id),
    -- The refund that it is for.
    refund_id TEXT,
    -- CHARGE, HOLD, CAPTURE, VOID or REFUND.
    kind TEXT NOT NULL,
    amount_minor BIGINT NOT NULL,
    -- STARTED, UNKNOWN, SUCCEEDED, FAILED.
    state TEXT NOT NULL,
    error TEXT,
    -- The processor's reply, as it came.
    payload TEXT,
    created_ms BIGINT NOT NULL,
    ended_ms BIGINT
);
CREATE INDEX attempt_by_payment ON attempt (payment_id);

CREATE TABLE refund (
    id TEXT PRIMARY KEY NOT NULL,
    payment_id TEXT NOT NULL REFERENCES payment (id),
    amount_minor BIGINT NOT NULL,
    -- SCHEDULED, PROCESSING, SUCCEEDED, FAILED, CANCELLED.
    state TEXT NOT NULL,
    note TEXT,
    due_ms BIGINT,
    paid_ms BIGINT,
    transaction_id TEXT,
    error TEXT,
    attempt_id TEXT,
    attempt_ms BIGINT,
    created_ms BIGINT NOT NULL,
    agenda_ms BIGINT
);
CREATE INDEX refund_by_payment ON refund (payment_id);
CREATE INDEX refund_agenda ON refund (agenda_ms) WHERE agenda_ms IS NOT NULL;

-- The sub-accounts whose feeds are read, and how far.
CREATE TABLE feed_cursor (
    account_id TEXT NOT NULL REFERENCES account (id),
    -- "1387.2", and as the reports print it: "1387.2 - My Company - GBP".
    sub_account_id TEXT NOT NULL,
    label TEXT NOT NULL,
    provider_id TEXT NOT NULL REFERENCES provider (id),
    position BIGINT NOT NULL,
    PRIMARY KEY (account_id, sub_account_id)
);

-- What a processor reported, for the reports.
CREATE TABLE processor_transaction (
    account_id TEXT NOT NULL,
    id TEXT NOT NULL,
    -- Ordinals without gaps, in the order in which the rows became known: among the account's, and
    -- among the sub-account's. They never change.
    place BIGINT NOT NULL,
    sub_account_id TEXT NOT NULL,
    sub_account_place BIGINT NOT NULL,
    confirmation_code TEXT NOT NULL,
    amount_minor BIGINT NOT NULL,
    currency TEXT NOT NULL,
    last4 TEXT NOT NULL,
    bin TEXT NOT NULL,
    merchant_ms BIGINT NOT NULL,
    system_ms BIGINT NOT NULL,
    settlement_ms BIGINT,
    payment_method TEXT NOT NULL,
    arn TEXT,
    descriptor TEXT NOT NULL,
    status TEXT NOT NULL,
    kind TEXT NOT NULL,
    code TEXT NOT NULL,
    PRIMARY KEY (account_id, id)
);
-- With the date, so that counting a part of a day reads no row.
CREATE INDEX processor_transaction_by_place
    ON processor_transaction (account_id, place, merchant_ms);
CREATE INDEX processor_transaction_by_sub_account
    ON processor_transaction (account_id, sub_account_id, sub_account_place, merchant_ms);
CREATE INDEX processor_transaction_by_code
    ON processor_transaction (account_id, confirmation_code, place);

-- The same ordinals by day, run-length encoded: so many rows in a row are of that day. Rows come
-- nearly in the order of their days, so a month has about as many runs as days, and the row that so
-- many others of a month precede is found by adding up a few counts.
CREATE TABLE transaction_run (
    -- Whose ordinals: "ACCOUNT", or "ACCOUNT/SUB-ACCOUNT".
    scope TEXT NOT NULL,
    first_place BIGINT NOT NULL,
    -- The merchant date in UTC, in days since 1970.
    day BIGINT NOT NULL,
    row_count BIGINT NOT NULL,
    PRIMARY KEY (scope, first_place)
);
CREATE INDEX transaction_run_by_day ON transaction_run (scope, day);

-- What happened, once each, written with the change itself.
CREATE TABLE domain_event (
    id TEXT PRIMARY KEY NOT NULL,
    account_id TEXT NOT NULL,
    -- The webhook's name for it: payments.received, reservation.new, …
    kind TEXT NOT NULL,
    reservation_id TEXT,
    -- The payment, guest, listing … that it is about.
    subject_id TEXT NOT NULL,
    at_ms BIGINT NOT NULL,
    -- What the subject's present state no longer tells: a JSON object.
    body TEXT NOT NULL
);
