DROP INDEX refund_agenda_of_account;
DROP INDEX payment_agenda_of_account;
ALTER TABLE refund DROP COLUMN account_id;
