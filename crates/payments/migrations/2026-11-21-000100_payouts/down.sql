DROP TABLE payout_line;
DROP TABLE payout;
ALTER TABLE feed_cursor DROP COLUMN payout_under_way;
ALTER TABLE feed_cursor DROP COLUMN payout_position;
ALTER TABLE processor_transaction DROP COLUMN case_id;
ALTER TABLE processor_transaction DROP COLUMN attempt_key;
DROP INDEX report_run_by_day;
ALTER TABLE report_run RENAME TO transaction_run;
CREATE INDEX transaction_run_by_day ON transaction_run (scope, day);
