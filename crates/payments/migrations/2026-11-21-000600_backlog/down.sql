DROP INDEX refund_agenda;
DROP INDEX payment_agenda;
CREATE INDEX payment_agenda ON payment (agenda_ms) WHERE agenda_ms IS NOT NULL;
CREATE INDEX refund_agenda ON refund (agenda_ms) WHERE agenda_ms IS NOT NULL;
