ALTER TABLE sync_run DROP COLUMN stop_ms;
