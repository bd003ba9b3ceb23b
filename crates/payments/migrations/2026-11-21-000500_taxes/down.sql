ALTER TABLE invoice_item DROP COLUMN origin_id;
ALTER TABLE reservation DROP COLUMN snapshot;
ALTER TABLE reservation DROP COLUMN is_priced;
DROP TABLE additional_fee;
DROP TABLE tax_level;
DROP TABLE tax;
