-- When somebody asked a run to end, whichever process it is in.
ALTER TABLE sync_run ADD COLUMN stop_ms BIGINT;
