DROP TABLE payout;
DROP TABLE activity;
DROP TABLE settlement;
ALTER TABLE sub_account DROP COLUMN reserve_on_refund;
