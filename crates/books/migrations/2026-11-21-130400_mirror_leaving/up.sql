-- Nobody reads how far a mirror is folded. Whether it is being taken away, however much is left of it,
-- is a matter of its own.
ALTER TABLE mirror DROP COLUMN folded;
ALTER TABLE mirror ADD COLUMN is_leaving BOOLEAN NOT NULL DEFAULT FALSE;
