//! What a reservation costs, and what became of that.

use contract::id::{InvoiceItemId, PaymentProviderId};
use contract::local::LocalDate;
use money::{Currency, Decimal};
use serde::{Deserialize, Serialize};

use super::payment::Payment;
use crate::field::{Field, list};

/// A reservation's money, in the reservation's currency and in major units.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize, Serialize)]
#[serde(default, rename_all = "camelCase")]
pub struct Money {
    /// The currency of all amounts.
    pub currency: Field<Currency>,
    /// The fare.
    pub fare_accommodation: Field<Decimal>,
    /// What was put on the fare.
    pub fare_accommodation_adjustment: Field<Decimal>,
    /// What was taken off the fare.
    pub fare_accommodation_discount: Field<Decimal>,
    /// The fare with both.
    pub fare_accommodation_adjusted: Field<Decimal>,
    /// The cleaning fee.
    pub fare_cleaning: Field<Decimal>,
    /// Everything but taxes.
    pub sub_total_price: Field<Decimal>,
    /// The taxes.
    pub total_taxes: Field<Decimal>,
    /// The channel's fee.
    pub host_service_fee: Field<Decimal>,
    /// The tax on the channel's fee.
    pub host_service_fee_tax: Field<Decimal>,
    /// The channel's fee with its tax.
    pub host_service_fee_inc_tax: Field<Decimal>,
    /// What the host gets of the guest or the channel.
    pub host_payout: Field<Decimal>,
    /// What the guest pays in all.
    pub guest_total_price: Field<Decimal>,
    /// What came in, refunds not taken off.
    pub total_paid: Field<Decimal>,
    /// What went back.
    pub total_refunded: Field<Decimal>,
    /// The payments that are still to be taken.
    pub payments_due: Field<Decimal>,
    /// What is still owed.
    pub balance_due: Field<Decimal>,
    /// Whether nothing more is owed.
    pub is_fully_paid: Field<bool>,
    /// Whether payments were changed by hand.
    pub is_touched_payments: Field<bool>,
    /// What is left after commissions.
    pub net_income: Field<Decimal>,
    /// The manager's commission.
    pub commission: Field<Decimal>,
    /// The tax on the commission.
    pub commission_tax: Field<Decimal>,
    /// The commission with its tax.
    pub commission_inc_tax: Field<Decimal>,
    /// The owner's part.
    pub owner_revenue: Field<Decimal>,
    /// The providers that take the payments.
    #[serde(deserialize_with = "list")]
    pub payment_provider_ids: Vec<Field<PaymentProviderId>>,
    /// The lines of the invoice.
    #[serde(deserialize_with = "list")]
    pub invoice_items: Vec<InvoiceItem>,
    /// The payments.
    #[serde(deserialize_with = "list")]
    pub payments: Vec<Payment>,
}

/// A line of an invoice.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize, Serialize)]
#[serde(default, rename_all = "camelCase")]
pub struct InvoiceItem {
    /// The line's id.
    #[serde(rename = "_id")]
    pub id: Field<InvoiceItemId>,
    /// What it is called.
    pub title: Field<String>,
    /// What more there is to say.
    pub description: Field<String>,
    /// How much; below zero for what is taken off.
    pub amount: Field<Decimal>,
    /// Its currency.
    pub currency: Field<Currency>,
    /// What kind it is, in words.
    #[serde(rename = "type")]
    pub kind: Field<String>,
    /// What kind it is, as a code: `AF`, `CF`, `LT`, …
    pub normal_type: Field<String>,
    /// Which additional fee it is.
    pub second_identifier: Field<String>,
    /// Whether only the reservation's own fares change it.
    pub is_locked: Field<bool>,
    /// Whether it is a tax.
    pub is_tax: Field<bool>,
    /// Whether it is taken off the host's payout.
    pub is_deducted: Field<bool>,
    /// What a percentage was taken of.
    pub base_amount: Field<Decimal>,
    /// The percentage.
    pub evaluated_percent: Field<Decimal>,
    /// The nights that it is made of.
    #[serde(deserialize_with = "list")]
    pub nights_breakdown: Vec<Night>,
}

/// A night of a line.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize, Serialize)]
#[serde(default, rename_all = "camelCase")]
pub struct Night {
    /// Which.
    pub date: Field<LocalDate>,
    /// How much.
    pub amount: Field<Decimal>,
}
