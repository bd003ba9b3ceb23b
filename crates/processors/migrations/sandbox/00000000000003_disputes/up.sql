-- When it was processed, until its day is closed. A void is closed with its sale.
ALTER TABLE "transaction" ADD COLUMN open_ms BIGINT;
-- The dispute that a chargeback, or its reversal, belongs to.
ALTER TABLE "transaction" ADD COLUMN case_id TEXT;

UPDATE "transaction" SET open_ms = system_ms
WHERE settlement_ms IS NULL
    AND NOT EXISTS (SELECT 1 FROM settlement
        WHERE settlement.id = "transaction".sub_account
            AND settlement.seen_position >= "transaction".position)
    AND NOT EXISTS (SELECT 1 FROM activity
        WHERE activity.transaction_id = "transaction".id);

CREATE INDEX transaction_open ON "transaction" (sub_account, open_ms) WHERE open_ms IS NOT NULL;
ALTER TABLE settlement DROP COLUMN seen_position;

ALTER TABLE sub_account ADD COLUMN fee_dispute_minor BIGINT NOT NULL DEFAULT 1500;
UPDATE sub_account SET fee_dispute_minor = 5000 WHERE fee_fixed_minor = 100;
-- What a chargeback does to the reserve that was held of its sale.
ALTER TABLE sub_account ADD COLUMN reserve_on_chargeback TEXT NOT NULL DEFAULT 'Kept';

-- What time brings about besides settlement and payouts: of a sale, a dispute; of a chargeback,
-- that it is lost.
CREATE TABLE deadline (
    transaction_id BIGINT PRIMARY KEY NOT NULL,
    sub_account TEXT NOT NULL,
    kind TEXT NOT NULL,
    due_ms BIGINT NOT NULL
);

CREATE INDEX deadline_by_due ON deadline (sub_account, due_ms);

-- What the method declines next, and why.
ALTER TABLE method ADD COLUMN refused_kind TEXT;
ALTER TABLE method ADD COLUMN refused_code TEXT;

DROP INDEX payout_standing;
CREATE UNIQUE INDEX payout_standing ON payout (root)
    WHERE status IN ('Processed', 'Pending Due Date');
