DROP INDEX object_flagged;
