-- Both reports keep the places of their rows by day in one table.
ALTER TABLE transaction_run RENAME TO report_run;
DROP INDEX transaction_run_by_day;
CREATE INDEX report_run_by_day ON report_run (scope, day);

-- The attempt of ours that made a transaction, or the processor's own name for what made it; and the
-- dispute that it belongs to.
ALTER TABLE processor_transaction ADD COLUMN attempt_key TEXT NOT NULL DEFAULT '';
ALTER TABLE processor_transaction ADD COLUMN case_id TEXT;

-- How far a feed of payouts was read, and the position of the one whose lines are being kept (0: none).
ALTER TABLE feed_cursor ADD COLUMN payout_position BIGINT NOT NULL DEFAULT 0;
ALTER TABLE feed_cursor ADD COLUMN payout_under_way BIGINT NOT NULL DEFAULT 0;

-- What a processor reported that it paid out. The row is written when all of its lines are there.
CREATE TABLE payout (
    account_id TEXT NOT NULL,
    id TEXT NOT NULL,
    -- Where its lines stand among the account's, and among the sub-account's: ordinals without gaps,
    -- in the order in which payouts became known. A line's own is this one plus its number. They
    -- never change.
    first_place BIGINT NOT NULL,
    sub_account_id TEXT NOT NULL,
    first_sub_account_place BIGINT NOT NULL,
    line_count BIGINT NOT NULL,
    amount_minor BIGINT NOT NULL,
    currency TEXT NOT NULL,
    status TEXT NOT NULL,
    process_ms BIGINT NOT NULL,
    rejected_ms BIGINT,
    code TEXT NOT NULL,
    -- The payout that this one is sent again for.
    reissue_of TEXT,
    descriptor TEXT NOT NULL,
    PRIMARY KEY (account_id, id)
);
CREATE INDEX payout_by_place ON payout (account_id, first_place);
CREATE INDEX payout_by_sub_account
    ON payout (account_id, sub_account_id, first_sub_account_place);

-- What payouts are made of.
CREATE TABLE payout_line (
    account_id TEXT NOT NULL,
    payout_id TEXT NOT NULL,
    -- From 0 on, in the processor's order.
    number BIGINT NOT NULL,
    -- Transaction, Fee, Reserve Held, Reserve Released, Adjustment.
    activity TEXT NOT NULL,
    -- Which fee, or why a reserve was released.
    detail TEXT,
    -- Less than nothing for what it takes away.
    amount_minor BIGINT NOT NULL,
    settled_ms BIGINT NOT NULL,
    -- The transaction that it is, or belongs to.
    transaction_id TEXT,
    -- When a reserve that is held will be released, and when one that is released was held.
    reserve_ms BIGINT,
    adjustment_id TEXT,
    adjustment_category TEXT,
    PRIMARY KEY (account_id, payout_id, number)
);
CREATE INDEX payout_line_by_transaction ON payout_line (account_id, transaction_id);
