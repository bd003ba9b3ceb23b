-- When something last happened at the source, as far as the mirror knows: a source's own time may
-- be behind ours.
ALTER TABLE mirror ADD COLUMN active_ms BIGINT;
