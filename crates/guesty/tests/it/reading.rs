//! Documented replies, read field by field.

use futures_util::TryStreamExt;
use guesty::{Field, Filter, ReportQuery, ReservationQuery};

use crate::server::{Server, json};

/// A reservation as the published schema has it, with what no schema has.
const RESERVATION: &str = r#"{
  "_id": "64da254383ad1500284bd0c0", "accountId": "5213a2d206112710005d96ff",
  "listingId": null, "status": "teleported", "confirmationCode": "GY-8ydrVnr8",
  "checkInDateLocalized": "2023-09-01", "checkOutDateLocalized": "2023-09-05",
  "checkIn": "2023-09-01T15:00:00.000Z", "nightsCount": 4, "guestsCount": "3",
  "guest": {"_id": "64da2084867c12ee0c2ca47f", "fullName": "Ada L"}, "listing": null,
  "integration": {"platform": "airbnb2", "nobodyKnows": {"a": [1]}},
  "money": {
    "currency": "XQQ", "fareAccommodation": 1000.10, "fareCleaning": "20.05",
    "hostPayout": 563000000000000.29, "totalPaid": null, "balanceDue": "n/a",
    "invoiceItems": [
      {"title": "Cleaning fee", "amount": 20, "currency": "USD", "type": "CLEANING_FEE",
       "isLocked": true, "normalType": "CF"}],
    "payments": [
      {"_id": "64da246c7a5a2d00331a5b1c", "status": "SUCCEEDED", "amount": 500, "currency": "USD",
       "paymentMethod": {"method": "STRIPE", "last4": "0042"}, "refunds": null,
       "chargebacksData": {"chargebacks": []}}]
  },
  "atTimeOfConfirmation": {"taxes": [{"type": "VAT", "amount": 7.7, "units": "PERCENTAGE"}]}
}"#;

#[tokio::test]
async fn a_reservation_is_read_exactly_and_what_is_odd_is_kept() {
    let server = Server::start(|_| json(200, RESERVATION)).await;
    let id = "64da254383ad1500284bd0c0".parse().unwrap();
    let answer = server.reader().reservation(id).await.unwrap();
    let reservation = answer.value;
    assert_eq!(reservation.id.get(), Some(id));
    assert!(reservation.listing_id.is_absent());
    assert_eq!(reservation.status.text(), "teleported");
    assert_eq!(reservation.guests_count.get(), Some(3));
    assert_eq!(reservation.guest.full_name.text(), "Ada L");
    assert_eq!(reservation.integration.platform.text(), "airbnb2");
    assert_eq!(
        reservation
            .check_in_date_localized
            .get()
            .unwrap()
            .to_string(),
        "2023-09-01"
    );
    let money = reservation.money;
    assert_eq!(money.currency, Field::Odd("XQQ".to_owned()));
    assert_eq!(
        money.fare_accommodation.get().unwrap().to_string(),
        "1000.1"
    );
    assert_eq!(money.fare_cleaning.get().unwrap().to_string(), "20.05");
    assert_eq!(
        money.host_payout.get().unwrap().to_string(),
        "563000000000000.29"
    );
    assert!(money.total_paid.is_absent() && money.total_refunded.is_absent());
    assert_eq!(money.balance_due.odd(), Some("n/a"));
    assert_eq!(money.invoice_items[0].normal_type.text(), "CF");
    assert_eq!(money.invoice_items[0].kind.text(), "CLEANING_FEE");
    let payment = &money.payments[0];
    assert_eq!(payment.payment_method.last4.text(), "0042");
    assert!(payment.refunds.is_empty());
    let tax = &reservation.at_time_of_confirmation.taxes[0];
    assert_eq!(tax.amount.get().unwrap().to_string(), "7.7");
    // The evidence is what came, to the letter.
    assert_eq!(&answer.reply.body[..], RESERVATION.as_bytes());
    assert!(
        answer
            .reply
            .request
            .starts_with("/v1/reservations/64da254383ad1500284bd0c0?fields=")
    );
}

#[tokio::test]
async fn reservations_are_asked_for_with_their_money_in_the_order_of_their_ids() {
    let server = Server::start(|_| json(200, r#"{"results":[],"count":0}"#)).await;
    let query = ReservationQuery::matching([
        Filter::from("lastUpdatedAt", "2023-08-14T00:00:00.000Z"),
        Filter::is("status", "confirmed"),
    ]);
    let pages: Vec<_> = server
        .reader()
        .reservations(&query)
        .try_collect()
        .await
        .unwrap();
    assert_eq!(pages.len(), 1);
    let asked = server.asked().pop().unwrap();
    assert_eq!(
        asked.parameter("filters").unwrap(),
        r#"[{"field":"lastUpdatedAt","operator":"$gte","value":"2023-08-14T00:00:00.000Z"},{"field":"status","operator":"$eq","value":"confirmed"}]"#
    );
    assert_eq!(asked.parameter("sort"), Some("_id"));
    assert_eq!(asked.number("limit"), 100);
    let fields: Vec<&str> = asked.parameter("fields").unwrap().split(' ').collect();
    assert!(fields.contains(&"money") && fields.contains(&"status"));
}

#[tokio::test]
async fn a_transaction_is_read_as_the_guide_prints_it_and_as_the_schema_has_it() {
    for (amount, last4) in [("1000.00", "1234"), ("\"1000.00\"", "\"1234\"")] {
        let row = format!(
            r#"{{"transactionId": "1387001358100142998", "reservationConfirmationCode": "HA-123abc",
             "amount": {amount}, "currency": "GBP", "last4": {last4}, "bin": 123456,
             "subAccount": "1387.2 - My Company - GBP", "merchantDate": "2025-09-15T02:20:45",
             "systemDate": "2025-09-15T02:20:48", "settlementDate": null, "paymentMethod": "Visa",
             "processorARN": "ARN", "status": "Processed", "transactionType": "Verify",
             "authorizationOrErrorCode": "275640"}}"#
        );
        let server = Server::start(move |request| match request.number("skip") {
            0 => json(200, format!("[{row}]")),
            _ => json(200, "[]"),
        })
        .await;
        let query = ReportQuery::reservation("HA-123abc");
        let pages: Vec<_> = server
            .reader()
            .transactions(&query)
            .try_collect()
            .await
            .unwrap();
        let row = &pages[0].rows.items[0];
        assert_eq!(row.amount.get().unwrap().to_string(), "1000");
        assert_eq!(row.currency.get().unwrap().code(), "GBP");
        assert_eq!(row.last4.text(), "1234");
        assert_eq!(row.bin.text(), "123456");
        assert_eq!(row.processor_arn.text(), "ARN");
        assert_eq!(
            row.merchant_date.get().unwrap().to_string(),
            "2025-09-15T02:20:45"
        );
        assert!(row.settlement_date.is_absent());
        let asked = server.asked().pop().unwrap();
        assert_eq!(
            asked.parameter("reservationConfirmationCode"),
            Some("HA-123abc")
        );
        assert_eq!(asked.parameter("startDate"), None);
    }
}

#[tokio::test]
async fn a_payout_row_has_the_fields_of_guide_and_schema() {
    let server = Server::start(|request| match request.number("skip") {
        0 => json(
            200,
            r#"[{"payoutId":"77","payoutProcessDate":"2025-09-22T12:00:00","payoutAmount":"86.80",
                "payoutStatus":"Processed","activityType":"Fee","feeAmount":"-0.30",
                "activityAmount":"-0.30","merchantTransactionId":"HA-123abc","currency":"GBP",
                "reservationConfirmationCode":"HA-123abc","last4":42}]"#,
        ),
        _ => json(200, "[]"),
    })
    .await;
    let query = ReportQuery::reservation("HA-123abc");
    let pages: Vec<_> = server.reader().payouts(&query).try_collect().await.unwrap();
    let row = &pages[0].rows.items[0];
    assert_eq!(row.payout_amount.get().unwrap().to_string(), "86.8");
    assert_eq!(row.fee_amount.get().unwrap().to_string(), "-0.3");
    assert_eq!(
        row.merchant_transaction_id,
        row.reservation_confirmation_code
    );
    assert_eq!(
        row.payout_process_date.get().unwrap().to_string(),
        "2025-09-22T12:00:00"
    );
}

#[tokio::test]
async fn the_small_lists_are_read_with_the_rows_that_cannot_be_read_beside_them() {
    let server = Server::start(|request| match request.path.as_str() {
        "/v1/taxes/account" => json(
            200,
            r#"[{"_id":"623892d57f4f56afcb25587c","type":"VAT","amount":7.7,"appliedOnFees":["AF","CF"],
                "conditionalOverrides":{"viewType":"NIGHTS","rules":[{"nightRanges":[{"from":1,"amount":0}]}]}},
               "what is this", {"type":"BRAND_NEW_TAX","units":"PER_MILLE"}]"#,
        ),
        "/v1/additional-fees/account" => json(
            200,
            r#"[{"_id":"5fa02fa358d2db673e17bc2d","isPercentage":false,"name":"AB","type":"EARLY_CHECK_IN","value":5}]"#,
        ),
        path if path.ends_with("/payment-methods") => json(
            200,
            r#"[{"_id":"64da2367d8d9771c02befbb2","method":"STRIPE","payload":{"//":1.5},"last4":"4242","__v":0}]"#,
        ),
        _ => json(404, "\"Not found\""),
    })
    .await;
    let reader = server.reader();
    let taxes = reader.taxes_of_account().await.unwrap().value;
    assert_eq!(taxes.items[0].applied_on_fees[1].text(), "CF");
    let overrides = taxes.items[0].conditional_overrides.as_ref().unwrap();
    assert!(
        overrides.rules[0].night_ranges[0]
            .amount
            .get()
            .unwrap()
            .is_zero()
    );
    assert_eq!(taxes.items[1].kind.text(), "BRAND_NEW_TAX");
    assert_eq!(taxes.unreadable.len(), 1);
    assert_eq!(taxes.unreadable[0].index, 1);
    assert!(taxes.unreadable[0].reason.contains("what is this"));
    let fees = reader.fees_of_account().await.unwrap().value;
    assert_eq!(fees.items[0].kind.text(), "EARLY_CHECK_IN");
    let guest = "64da2084867c12ee0c2ca47f".parse().unwrap();
    let reservation = "64da254383ad1500284bd0c0".parse().unwrap();
    let methods = reader
        .payment_methods(guest, Some(reservation))
        .await
        .unwrap()
        .value;
    assert_eq!(methods.items[0].last4.text(), "4242");
    let asked = server.asked().pop().unwrap();
    assert_eq!(
        asked.parameter("reservationId"),
        Some("64da254383ad1500284bd0c0")
    );
}

#[tokio::test]
async fn reservations_are_asked_for_by_ten_ids_at_once_and_the_missing_are_named() {
    let server = Server::start(|request| {
        let rows: Vec<String> = (request.query.iter())
            .filter(|(_, id)| !id.ends_with('7'))
            .map(|(name, id)| {
                assert_eq!(name, "reservationIds[]");
                format!(r#"{{"_id":"{id}","status":"confirmed","stay":[{{"guestsCount":2}}]}}"#)
            })
            .collect();
        json(200, format!("[{}]", rows.join(",")))
    })
    .await;
    let ids: Vec<_> = (0..12)
        .map(|number| format!("{number:024x}").parse().unwrap())
        .collect();
    let found: Vec<_> = server
        .reader()
        .reservations_v3(&ids)
        .try_collect()
        .await
        .unwrap();
    let counts: Vec<usize> = found
        .iter()
        .map(|answer| answer.value.rows.items.len())
        .collect();
    assert_eq!(counts, [9, 2]);
    assert_eq!(found[0].value.missing, [ids[7]]);
    assert!(found[1].value.missing.is_empty());
}
