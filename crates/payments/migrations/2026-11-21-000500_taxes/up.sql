-- The catalog of taxes and additional fees, and what reservations are priced with.

CREATE TABLE tax (
    id TEXT PRIMARY KEY NOT NULL,
    account_id TEXT NOT NULL REFERENCES account (id),
    -- The listing whose tax it is; null: the account's.
    listing_id TEXT REFERENCES listing (id),
    -- The one or the other, so that the types of a level can be unique.
    level_id TEXT NOT NULL,
    kind TEXT NOT NULL,
    name TEXT,
    -- All of what the client wrote: a JSON object.
    terms TEXT NOT NULL,
    created_ms BIGINT NOT NULL,
    updated_ms BIGINT NOT NULL
);
CREATE UNIQUE INDEX tax_by_level ON tax (level_id, kind);
CREATE UNIQUE INDEX tax_by_name ON tax (account_id, name);

-- Where a listing's taxes come from; a listing without a row: from its account.
CREATE TABLE tax_level (
    listing_id TEXT PRIMARY KEY NOT NULL REFERENCES listing (id),
    level TEXT NOT NULL
);

CREATE TABLE additional_fee (
    id TEXT PRIMARY KEY NOT NULL,
    account_id TEXT NOT NULL REFERENCES account (id),
    -- The listing whose fee it is; null: the account's.
    listing_id TEXT REFERENCES listing (id),
    terms TEXT NOT NULL,
    created_ms BIGINT NOT NULL,
    updated_ms BIGINT NOT NULL
);
CREATE INDEX additional_fee_by_level ON additional_fee (account_id, listing_id);

-- Whether the catalog's fees and taxes are among its invoice items. Reservations of before keep
-- what they have.
ALTER TABLE reservation ADD COLUMN is_priced BOOLEAN NOT NULL DEFAULT FALSE;
-- The catalog when it was confirmed: {"taxes": […], "fees": […]}.
ALTER TABLE reservation ADD COLUMN snapshot TEXT;
-- The tax or fee that it comes from.
ALTER TABLE invoice_item ADD COLUMN origin_id TEXT;
