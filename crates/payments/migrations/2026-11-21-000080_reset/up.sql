-- A reservation that goes is looked for among the methods that were made for one.
CREATE INDEX payment_method_by_reservation ON payment_method (reservation_id)
    WHERE reservation_id IS NOT NULL;
