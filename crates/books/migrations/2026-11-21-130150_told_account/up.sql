-- The account that the source tells the credentials of, which need not be the one that tokens name;
-- none until it was asked after they were saved.
ALTER TABLE connection ADD COLUMN told_account_id TEXT;
