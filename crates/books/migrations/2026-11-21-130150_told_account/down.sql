ALTER TABLE connection DROP COLUMN told_account_id;
