ALTER TABLE payment DROP COLUMN tries_left;
ALTER TABLE payment DROP COLUMN instalment;
ALTER TABLE reservation DROP COLUMN auto_payments;
DROP TABLE auto_payments_policy;
