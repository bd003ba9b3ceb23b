-- The policies of automatic payments, of accounts and of listings.
CREATE TABLE auto_payments_policy (
    -- The account or the listing whose policy it is.
    id TEXT PRIMARY KEY NOT NULL,
    account_id TEXT NOT NULL REFERENCES account (id),
    -- {"policy": […], "currency": "USD"}
    terms TEXT NOT NULL,
    updated_ms BIGINT NOT NULL
);
CREATE INDEX auto_payments_policy_by_account ON auto_payments_policy (account_id);

-- The policy when the reservation was confirmed; null: no automatic payments.
ALTER TABLE reservation ADD COLUMN auto_payments TEXT;
-- Of a payment that the policy made: its instalment's place in the policy, and how often the card may
-- still be tried.
ALTER TABLE payment ADD COLUMN instalment BIGINT;
ALTER TABLE payment ADD COLUMN tries_left BIGINT;
