-- The agenda in its whole order: much that is due at one instant is taken piece by piece, without
-- being sorted for each.
DROP INDEX payment_agenda;
DROP INDEX refund_agenda;
CREATE INDEX payment_agenda ON payment (agenda_ms, id) WHERE agenda_ms IS NOT NULL;
CREATE INDEX refund_agenda ON refund (agenda_ms, id) WHERE agenda_ms IS NOT NULL;
