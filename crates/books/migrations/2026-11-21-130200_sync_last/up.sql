-- The id of the last row that is in, of a list whose reading is under way: what comes next must begin
-- with it, however many rows came and went before it meanwhile.
ALTER TABLE sync_place ADD COLUMN last_id TEXT;
ALTER TABLE sync_place DROP COLUMN total;
