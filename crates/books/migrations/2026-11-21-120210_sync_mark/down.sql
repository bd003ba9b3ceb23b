ALTER TABLE sync_place DROP COLUMN mark_ms;
