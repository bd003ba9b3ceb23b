-- What the books do not understand is counted and listed, however much else there is.
CREATE INDEX object_flagged ON object (mirror_id, kind, id) WHERE is_flagged AND NOT is_removed;
