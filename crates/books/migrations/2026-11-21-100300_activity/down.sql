ALTER TABLE mirror DROP COLUMN active_ms;
