//! Reservations of an ordinary size, as the source prints them.

use std::fmt::Write;

pub(super) const ACCOUNT: &str = "64da246c7a5a2d00331a5b1c";

/// The charges besides the fare: what they are called, their codes, and whether they are taxes.
const CHARGES: [(&str, &str, bool); 8] = [
    ("Cleaning fee", "CF", false),
    ("Resort fee", "AFE", false),
    ("Pet fee", "AFE", false),
    ("Linen fee", "AFE", false),
    ("Local tax", "LT", true),
    ("City tax", "CT", true),
    ("VAT", "VAT", true),
    ("State tax", "ST", true),
];
const NIGHTS: usize = 7;

/// A property in use.
pub(super) fn listing(number: usize) -> String {
    format!(
        r#"{{"_id":"{number:024x}","title":"House {number}","nickname":"H{number}","active":true,"bedrooms":2,"bathrooms":1.5,"accommodates":4,"prices":{{"currency":"USD","cleaningFee":60}}}}"#
    )
}

/// A reservation. Their ids ascend with their numbers; their codes do not.
pub(super) fn stay(number: usize) -> String {
    let id = format!("65{number:022x}");
    let code = (number as u64).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    let (listing, cents) = (number % 500, number % 100);
    let (month, day) = (1 + number % 12, 1 + number % 20);
    let last = day + NIGHTS;
    let items = items(&id, month, day, cents);
    let payments = payments(&id, number);
    format!(
        r#"{{"_id":"{id}","accountId":"{ACCOUNT}","listingId":"{listing:024x}","guestId":"{id}","status":"confirmed","confirmationCode":"GY-{code:016x}","source":"BookingCom","integration":{{"platform":"bookingCom"}},"checkIn":"2026-{month:02}-{day:02}T15:00:00.000Z","checkOut":"2026-{month:02}-{last:02}T10:00:00.000Z","checkInDateLocalized":"2026-{month:02}-{day:02}","checkOutDateLocalized":"2026-{month:02}-{last:02}","nightsCount":{NIGHTS},"guestsCount":2,"guest":{{"_id":"{id}","fullName":"Ada Lovelace","email":"ada.{number}@example.com"}},"listing":{{"_id":"{listing:024x}","title":"House {listing}","nickname":"H{listing}"}},"createdAt":"2025-11-14T13:05:00.263Z","confirmedAt":"2025-11-14T13:05:00.263Z","lastUpdatedAt":"2026-01-14T13:05:00.263Z","money":{{"currency":"USD","fareAccommodation":1137.57,"fareCleaning":60,"subTotalPrice":1257.57,"totalTaxes":61.{cents:02},"hostPayout":1318.{cents:02},"totalPaid":1000,"balanceDue":318.{cents:02},"isFullyPaid":false,"netIncome":1318.{cents:02},"commission":0,"ownerRevenue":1318.{cents:02},"invoiceItems":[{items}],"payments":[{payments}]}},"atTimeOfConfirmation":{{"taxes":[{{"_id":"{ACCOUNT}","type":"LOCAL_TAX","name":"Local tax","units":"PERCENTAGE","amount":7,"quantifier":"PER_STAY","appliedToAllFees":true}}]}}}}"#
    )
}

fn items(id: &str, month: usize, day: usize, cents: usize) -> String {
    let nights: Vec<String> = (day..day + NIGHTS)
        .map(|day| format!(r#"{{"date":"2026-{month:02}-{day:02}","amount":162.51}}"#))
        .collect();
    let nights = nights.join(",");
    let mut items = format!(
        r#"{{"_id":"{id}","title":"Accommodation fare","amount":1137.57,"currency":"USD","type":"ACCOMMODATION_FARE","normalType":"AF","isTax":false,"nightsBreakdown":[{nights}]}}"#
    );
    for (title, code, is_tax) in CHARGES {
        // Writing to a string does not fail.
        let _ = write!(
            items,
            r#",{{"_id":"{id}","title":"{title}","amount":15.{cents:02},"currency":"USD","normalType":"{code}","isTax":{is_tax}}}"#
        );
    }
    items
}

fn payments(id: &str, number: usize) -> String {
    let payment = |place: usize| {
        format!(
            r#"{{"_id":"{id}","status":"SUCCEEDED","amount":500,"currency":"USD","paymentMethod":{{"_id":"{id}","method":"STRIPE","last4":"4242","brand":"visa"}},"paidAt":"2026-01-14T13:05:00.263Z","confirmationCode":"ch_{number}_{place}","attempts":[{{"_id":"{id}","status":"SUCCEEDED","createdAt":"2026-01-14T13:05:00.263Z"}}]}}"#
        )
    };
    format!("{},{}", payment(1), payment(2))
}
