//! What a reservation costs, and what became of that.

use money::{Currency, Decimal};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::ToSchema;

use crate::auto_payment::Instalment;
use crate::id::{InvoiceItemId, PaymentProviderId};

/// The documented kinds of invoice items (`normalType`).
pub const NORMAL_TYPES: [&str; 37] = [
    "AF", "AFO", "AFD", "AFA", "ARC", "CF", "PRO", "CO", "LOSD", "GCD", "AFE", "LT", "CT", "TT",
    "GST", "VAT", "ST", "COT", "OCT", "TOT", "HSHAT", "HST", "MAT", "TRT", "CFE", "CM", "PCM",
    "PF", "LGT", "HT", "TAF", "RT", "OT", "TAX", "SDC", "ADF", "OTHER",
];

/// The kinds of additional fees: the `type` of a fee, the `secondIdentifier` of an `AFE`. Invoice
/// items are documented without the last six, which fees of these types need.
pub const ADDITIONAL_FEES: [&str; 68] = [
    "ADDITIONAL_BED",
    "AIR_CONDITIONING",
    "EARLY_CHECK_IN",
    "LATE_CHECK_IN",
    "BABY_BED",
    "CLEANING",
    "CLUB_CARD",
    "CONCIERGE",
    "EARLY_CHECKOUT",
    "LATE_CHECKOUT",
    "DEPOSIT",
    "ELECTRICITY",
    "FOOD",
    "HEATING",
    "INTERNET",
    "LAUNDRY",
    "LINENS",
    "TOWELS",
    "MANAGEMENT",
    "OIL",
    "PARKING",
    "PET",
    "POOL",
    "POOL_HEATING",
    "RESORT",
    "SERVICE",
    "TOILETRIES",
    "TOUR",
    "TRANSPORTATION",
    "CAR_RENTAL",
    "WATER",
    "WOOD",
    "TRANSFER",
    "HOUSEKEEPING",
    "INSURANCE",
    "COMMUNITY",
    "CREDIT_CARD_PROCESSING_FEE",
    "DAMAGE_WAIVER",
    "VIP_SERVICES",
    "PAYMENT_FEE",
    "ADDITIONAL_CHARGE",
    "MISCELLANEOUS",
    "SHIPPING",
    "VALET",
    "ACTIVITIES",
    "FLIGHTS",
    "GIFT_BASKET",
    "SPA",
    "CHEF",
    "MEET_AND_GREET",
    "DOCK_FEE",
    "UTILITY_FEE",
    "HOT_TUB",
    "BOOKING_FEE",
    "BREAKFAST",
    "BEVERAGE",
    "MEAL",
    "WELLNESS",
    "MINIBAR",
    "BUSINESS_CENTER",
    "WIFI",
    "GUEST_SERVICE",
    "COMMISSION_CHARGE",
    "EQUIPMENT_RENTAL",
    "RESERVATION_FEE",
    "DAMAGE_CHARGE",
    "HOMEOWNERS_ASSOCIATION",
    "GOLF_CART_RENTAL",
];

/// What a client may write of a reservation's money.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", expecting = "an object")]
pub struct MoneyFields {
    /// The currency of all amounts: the listing's when left out, and fixed from then on.
    pub currency: Option<Currency>,
    /// The fare.
    pub fare_accommodation: Option<Decimal>,
    /// The cleaning fee.
    pub fare_cleaning: Option<Decimal>,
    /// Everything else on the invoice.
    pub invoice_items: Option<Vec<NewInvoiceItem>>,
}

/// A line to put on an invoice.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", expecting = "an object")]
#[schema(example = json!({"title": "Late check-out", "amount": 40, "normalType": "AFE", "secondIdentifier": "LATE_CHECKOUT"}))]
pub struct NewInvoiceItem {
    /// The line that it is already, if it is one.
    #[serde(rename = "_id", skip_serializing_if = "Option::is_none")]
    pub id: Option<InvoiceItemId>,
    /// What it is called.
    pub title: String,
    /// How much; negative for what is taken off.
    pub amount: Decimal,
    /// What kind it is, one of [`NORMAL_TYPES`].
    #[schema(schema_with = crate::schema::normal_type)]
    pub normal_type: String,
    /// What more there is to say.
    pub description: Option<String>,
    /// Which additional fee it is, one of [`ADDITIONAL_FEES`].
    #[schema(schema_with = crate::schema::additional_fee)]
    pub second_identifier: Option<String>,
}

/// The `money` of a reservation. Not modelled, and so left out: commissions, the owner's revenue,
/// net income and their formulas.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct ReservationMoney {
    /// The lines of the invoice.
    pub invoice_items: Vec<InvoiceItem>,
    /// The payments, in the order of their posting.
    #[schema(value_type = Vec<crate::payment::Payment>)]
    pub payments: Vec<Value>,
    /// The rules by which the payments were planned when it was confirmed.
    pub auto_payments_policy: Vec<Instalment>,
    /// The providers that take the payments.
    pub payment_provider_ids: Vec<PaymentProviderId>,
    /// The currency of all amounts.
    pub currency: Currency,
    /// The fare.
    pub fare_accommodation: Decimal,
    /// What was put on the fare.
    pub fare_accommodation_adjustment: Decimal,
    /// What was taken off the fare; zero or less.
    pub fare_accommodation_discount: Decimal,
    /// The fare with adjustment and discount.
    pub fare_accommodation_adjusted: Decimal,
    /// The cleaning fee.
    pub fare_cleaning: Decimal,
    /// Everything but taxes.
    pub sub_total_price: Decimal,
    /// The taxes.
    pub total_taxes: Decimal,
    /// The channel's fee: none, as no channel stands between.
    pub host_service_fee: Decimal,
    /// The tax on the channel's fee.
    pub host_service_fee_tax: Decimal,
    /// The channel's fee with its tax.
    pub host_service_fee_inc_tax: Decimal,
    /// What the guest pays the host: the whole invoice less the channel's fee.
    pub host_payout: Decimal,
    /// The same in US dollars, when it is in US dollars: no exchange rates are known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub host_payout_usd: Option<Decimal>,
    /// What came in, refunds not taken off.
    pub total_paid: Decimal,
    /// What went back.
    pub total_refunded: Decimal,
    /// The payments that are still to be taken.
    pub payments_due: Decimal,
    /// What the guest still owes; negative when more was paid than the invoice.
    pub balance_due: Decimal,
    /// Whether the guest owes nothing more.
    pub is_fully_paid: bool,
    /// Whether somebody changed the payments by hand, which turns automatic payments off.
    pub is_touched_payments: bool,
}

/// A line of an invoice.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct InvoiceItem {
    /// The line's id.
    #[serde(rename = "_id")]
    pub id: InvoiceItemId,
    /// What it is called.
    pub title: String,
    /// What more there is to say.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// How much.
    pub amount: Decimal,
    /// Its currency, the reservation's.
    pub currency: Currency,
    /// What kind it is, in words: `ACCOMMODATION_FARE`, `CLEANING_FEE`, `TAX`, `MANUAL`.
    #[serde(rename = "type")]
    pub kind: String,
    /// What kind it is, as a code.
    pub normal_type: String,
    /// Which additional fee it is.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub second_identifier: Option<String>,
    /// Whether it follows from the reservation's own fares, or from the catalog.
    pub is_locked: bool,
    /// Whether it is a tax.
    pub is_tax: bool,
    /// Whether it is a fee of the catalog; left out of all other lines.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub is_auto_additional_fee: Option<bool>,
}
