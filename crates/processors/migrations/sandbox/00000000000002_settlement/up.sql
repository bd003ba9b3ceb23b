-- What a refund does to the reserve that was held of its sale.
ALTER TABLE sub_account ADD COLUMN reserve_on_refund TEXT NOT NULL DEFAULT 'Kept';

-- How far a sub-account's settlement has come, and what it adds up to. Apart from sub_account, whose
-- row is written with every transaction.
CREATE TABLE settlement (
    id TEXT PRIMARY KEY NOT NULL REFERENCES sub_account (id),
    stepped_ms BIGINT NOT NULL,
    seen_position BIGINT NOT NULL,
    last_activity BIGINT NOT NULL,
    last_payout BIGINT NOT NULL,
    last_payout_position BIGINT NOT NULL,
    settled_minor BIGINT NOT NULL,
    fees_minor BIGINT NOT NULL,
    adjusted_minor BIGINT NOT NULL,
    reserve_minor BIGINT NOT NULL,
    paid_minor BIGINT NOT NULL
);

-- What a payout is made of, signed as it moves the merchant's balance.
CREATE TABLE activity (
    sub_account TEXT NOT NULL,
    number BIGINT NOT NULL,
    kind TEXT NOT NULL,
    amount_minor BIGINT NOT NULL,
    settled_ms BIGINT NOT NULL,
    -- From when on it can be paid out.
    due_ms BIGINT NOT NULL,
    transaction_id BIGINT,
    -- A held reserve's release, a released one's collection.
    reserve_ms BIGINT,
    -- What of a reserve is still held, until nothing is.
    held_minor BIGINT,
    adjustment_id TEXT,
    adjustment_category TEXT,
    -- The first payout that it was in; that one's re-issues have the same lines.
    payout BIGINT,
    PRIMARY KEY (sub_account, number)
);

CREATE UNIQUE INDEX activity_once ON activity (transaction_id, kind)
    WHERE transaction_id IS NOT NULL;
CREATE UNIQUE INDEX activity_by_adjustment ON activity (sub_account, adjustment_id)
    WHERE adjustment_id IS NOT NULL;
CREATE INDEX activity_unpaid ON activity (sub_account, due_ms) WHERE payout IS NULL;
CREATE INDEX activity_reserve ON activity (sub_account, reserve_ms) WHERE held_minor IS NOT NULL;
CREATE INDEX activity_by_payout ON activity (payout) WHERE payout IS NOT NULL;

CREATE TABLE payout (
    id BIGINT PRIMARY KEY NOT NULL,
    sub_account TEXT NOT NULL,
    position BIGINT NOT NULL,
    -- Itself, or the first payout that this one is issued again for.
    root BIGINT NOT NULL,
    reissue_of BIGINT,
    amount_minor BIGINT NOT NULL,
    status TEXT NOT NULL,
    process_ms BIGINT NOT NULL,
    rejected_ms BIGINT,
    code TEXT NOT NULL
);

CREATE UNIQUE INDEX payout_by_position ON payout (sub_account, position);
-- Of a payout and its re-issues one stands, so that nothing is paid twice.
CREATE UNIQUE INDEX payout_standing ON payout (root) WHERE status <> 'Rejected by Processor';
CREATE INDEX payout_by_status ON payout (sub_account, status, process_ms);
