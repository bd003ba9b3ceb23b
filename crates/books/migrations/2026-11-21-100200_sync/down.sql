DROP TABLE sync_place;
