-- Whose refund it is: what is due of one account is found without walking another's.
ALTER TABLE refund ADD COLUMN account_id TEXT NOT NULL DEFAULT '';
UPDATE refund SET account_id =
    (SELECT payment.account_id FROM payment WHERE payment.id = refund.payment_id);

-- An account's agenda, in its order.
CREATE INDEX payment_agenda_of_account ON payment (account_id, agenda_ms, id)
    WHERE agenda_ms IS NOT NULL;
CREATE INDEX refund_agenda_of_account ON refund (account_id, agenda_ms, id)
    WHERE agenda_ms IS NOT NULL;
