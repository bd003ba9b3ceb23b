//! Emptying an account: its portfolio goes, and all that was done with it.

use contract::id::AccountId;
use diesel::prelude::*;
use store::Connection;

use crate::Error;
use crate::schema::{
    additional_fee, attempt, auto_payments_policy, domain_event, feed_cursor, guest,
    idempotency_key, invoice_item, listing, payment, payment_method, payout, payout_line,
    portfolio as given, processor_transaction, refund, report_run, reservation, tax, tax_level,
    webhook_attempt, webhook_delivery, webhook_message,
};

/// Takes away everything that hangs on an account's listings and guests, and what processors have
/// reported. The account stays, with its applications, providers and webhooks; its feeds are read
/// again from their beginning.
pub(crate) fn empty(connection: &mut Connection, account: AccountId) -> Result<(), Error> {
    diesel::delete(idempotency_key::table.filter(idempotency_key::account_id.eq(account)))
        .execute(connection)?;
    payments(connection, account)?;
    portfolio(connection, account)?;
    reports(connection, account)?;
    messages(connection, account)
}

fn payments(c: &mut Connection, account: AccountId) -> Result<(), Error> {
    let payments = || {
        payment::table
            .filter(payment::account_id.eq(account))
            .select(payment::id)
    };
    diesel::delete(attempt::table.filter(attempt::payment_id.eq_any(payments()))).execute(c)?;
    diesel::delete(refund::table.filter(refund::payment_id.eq_any(payments()))).execute(c)?;
    diesel::delete(payment::table.filter(payment::account_id.eq(account))).execute(c)?;
    diesel::delete(payment_method::table.filter(payment_method::account_id.eq(account)))
        .execute(c)?;
    Ok(())
}

fn portfolio(c: &mut Connection, account: AccountId) -> Result<(), Error> {
    let reservations = reservation::table
        .filter(reservation::account_id.eq(account))
        .select(reservation::id);
    let listings = listing::table
        .filter(listing::account_id.eq(account))
        .select(listing::id);
    diesel::delete(invoice_item::table.filter(invoice_item::reservation_id.eq_any(reservations)))
        .execute(c)?;
    diesel::delete(reservation::table.filter(reservation::account_id.eq(account))).execute(c)?;
    diesel::delete(tax::table.filter(tax::account_id.eq(account))).execute(c)?;
    diesel::delete(tax_level::table.filter(tax_level::listing_id.eq_any(listings))).execute(c)?;
    diesel::delete(additional_fee::table.filter(additional_fee::account_id.eq(account)))
        .execute(c)?;
    let of_account = auto_payments_policy::account_id.eq(account);
    diesel::delete(auto_payments_policy::table.filter(of_account)).execute(c)?;
    diesel::delete(guest::table.filter(guest::account_id.eq(account))).execute(c)?;
    diesel::delete(listing::table.filter(listing::account_id.eq(account))).execute(c)?;
    diesel::delete(given::table.find(account)).execute(c)?;
    Ok(())
}

fn reports(c: &mut Connection, account: AccountId) -> Result<(), Error> {
    let of_account = processor_transaction::account_id.eq(account);
    diesel::delete(processor_transaction::table.filter(of_account)).execute(c)?;
    diesel::delete(payout_line::table.filter(payout_line::account_id.eq(account))).execute(c)?;
    diesel::delete(payout::table.filter(payout::account_id.eq(account))).execute(c)?;
    // Every scope begins with the account's id, and all ids are of one length.
    let scopes = format!("{account}%");
    diesel::delete(report_run::table.filter(report_run::scope.like(scopes))).execute(c)?;
    diesel::update(feed_cursor::table.filter(feed_cursor::account_id.eq(account)))
        .set((
            feed_cursor::position.eq(0),
            feed_cursor::payout_position.eq(0),
            feed_cursor::payout_under_way.eq(0),
        ))
        .execute(c)?;
    Ok(())
}

fn messages(c: &mut Connection, account: AccountId) -> Result<(), Error> {
    let messages = || {
        webhook_message::table
            .filter(webhook_message::account_id.eq(account))
            .select(webhook_message::id)
    };
    diesel::delete(domain_event::table.filter(domain_event::account_id.eq(account))).execute(c)?;
    diesel::delete(webhook_attempt::table.filter(webhook_attempt::message_id.eq_any(messages())))
        .execute(c)?;
    diesel::delete(webhook_delivery::table.filter(webhook_delivery::message_id.eq_any(messages())))
        .execute(c)?;
    diesel::delete(webhook_message::table.filter(webhook_message::account_id.eq(account)))
        .execute(c)?;
    Ok(())
}
