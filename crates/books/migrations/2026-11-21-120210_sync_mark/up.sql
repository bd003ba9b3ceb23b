-- The source's own time when the reading of a list began that is under way: all that changed before
-- is in when it ends.
ALTER TABLE sync_place ADD COLUMN mark_ms BIGINT;
