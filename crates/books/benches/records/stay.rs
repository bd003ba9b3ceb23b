//! Reservations of an ordinary size, as the source prints them.

/// A reservation's id: in an order that is not the one in which they become known.
pub(crate) fn id(number: usize) -> String {
    let scattered = (number as u64).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    format!("{scattered:016x}{number:08x}")
}

/// A reservation, of which more is paid with each round.
pub(crate) fn stay(number: usize, round: usize) -> String {
    let id = id(number);
    let (listing, month, day) = (number % 500, 1 + number % 12, 1 + number % 23);
    let (cents, paid) = (number % 100, 100 * round);
    let nights: Vec<String> = (day..day + 5)
        .map(|day| format!(r#"{{"date":"2026-{month:02}-{day:02}","amount":162.51}}"#))
        .collect();
    let nights = nights.join(",");
    let last = day + 5;
    format!(
        r#"{{"_id":"{id}","accountId":"64da246c7a5a2d00331a5b1c","listingId":"{listing:024x}",
"guestId":"{id}","status":"confirmed","confirmationCode":"GY-{id}","source":"BookingCom",
"integration":{{"platform":"bookingCom"}},"checkIn":"2026-{month:02}-{day:02}T15:00:00.000Z",
"checkOut":"2026-{month:02}-{last:02}T10:00:00.000Z","checkInDateLocalized":"2026-{month:02}-{day:02}",
"checkOutDateLocalized":"2026-{month:02}-{last:02}","nightsCount":5,"guestsCount":2,
"guest":{{"_id":"{id}","fullName":"Ada Lovelace","email":"ada.{number}@example.com"}},
"listing":{{"_id":"{listing:024x}","title":"House {listing}","nickname":"H{listing}"}},
"createdAt":"2025-11-14T13:05:00.263Z","confirmedAt":"2025-11-14T13:05:00.263Z",
"lastUpdatedAt":"2026-01-14T13:05:{round:02}.263Z",
"money":{{"currency":"USD","fareAccommodation":812.55,"fareCleaning":60,"subTotalPrice":872.55,
"totalTaxes":61.{cents:02},"hostPayout":933.{cents:02},"totalPaid":{paid},"balanceDue":833.{cents:02},
"isFullyPaid":false,"netIncome":933.{cents:02},"commission":0,"ownerRevenue":933.{cents:02},
"invoiceItems":[
{{"_id":"{id}","title":"Accommodation fare","amount":812.55,"currency":"USD","type":"ACCOMMODATION_FARE",
"normalType":"AF","isTax":false,"nightsBreakdown":[{nights}]}},
{{"_id":"{id}","title":"Cleaning fee","amount":60,"currency":"USD","type":"CLEANING_FEE","normalType":"CF","isTax":false}},
{{"_id":"{id}","title":"Local tax","amount":61.{cents:02},"currency":"USD","type":"TAX","normalType":"LT","isTax":true}}],
"payments":[{{"_id":"{id}","status":"SUCCEEDED","amount":{paid},"currency":"USD",
"paymentMethod":{{"_id":"{id}","method":"STRIPE","last4":"4242","brand":"visa"}},
"paidAt":"2026-01-14T13:05:00.263Z","confirmationCode":"ch_{number}",
"attempts":[{{"_id":"{id}","status":"SUCCEEDED","createdAt":"2026-01-14T13:05:00.263Z"}}]}}]}},
"atTimeOfConfirmation":{{"taxes":[{{"_id":"64da246c7a5a2d00331a5b1d","type":"LOCAL_TAX","name":"Local tax",
"units":"PERCENTAGE","amount":7,"quantifier":"PER_STAY","appliedToAllFees":true}}]}}}}"#
    )
}
