DROP TABLE webhook;
DROP INDEX connection_account;
ALTER TABLE connection DROP COLUMN looked_ms;
ALTER TABLE connection DROP COLUMN lights;
ALTER TABLE connection DROP COLUMN webhook_base;
ALTER TABLE connection DROP COLUMN account_id;
