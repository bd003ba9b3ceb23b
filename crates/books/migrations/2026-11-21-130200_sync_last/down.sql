ALTER TABLE sync_place ADD COLUMN total BIGINT;
ALTER TABLE sync_place DROP COLUMN last_id;
