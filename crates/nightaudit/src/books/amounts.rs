//! Amounts in all the digits of their currency. Which fields are amounts, the Open API says.

use std::collections::HashMap;

use books::mirror::Value;
use money::{Currency, Decimal, Money};

/// The last parts of their paths, as people are to read them: `money.payments.0.amount`.
const AMOUNTS: [&str; 37] = [
    "activityAmount",
    "adjustmentAmount",
    "amount",
    "amountLimit",
    "amountLimitAdjustmentValue",
    "balanceDue",
    "baseAmount",
    "basePrice",
    "cleaningFee",
    "commission",
    "commissionIncTax",
    "commissionTax",
    "fareAccommodation",
    "fareAccommodationAdjusted",
    "fareAccommodationAdjustment",
    "fareAccommodationDiscount",
    "fareCleaning",
    "extraPersonFee",
    "feeAmount",
    "guestTotalPrice",
    "hostPayout",
    "hostServiceFee",
    "hostServiceFeeIncTax",
    "hostServiceFeeTax",
    "netIncome",
    "ownerRevenue",
    "paymentsDue",
    "payoutAmount",
    "payoutValue",
    "percentageLimitAdjustmentValue",
    "reserveReleaseAmount",
    "securityDepositFee",
    "subTotalPrice",
    "totalPaid",
    "totalRefunded",
    "totalTaxes",
    "transactionAmount",
];

/// What an object's values are at some time, by their paths.
#[derive(Default)]
pub(crate) struct Amounts(HashMap<String, String>);

impl Amounts {
    /// Takes in what changed, and tells it with amounts in all their digits.
    pub(crate) fn go_on(&mut self, changes: &[Value]) -> Vec<Value> {
        let was: Vec<_> = changes
            .iter()
            .map(|value| self.text(value, value.before.as_ref()))
            .collect();
        for value in changes {
            match &value.after {
                Some(after) => self.0.insert(value.field.clone(), after.clone()),
                None => self.0.remove(&value.field),
            };
        }
        let told = changes.iter().zip(was).map(|(value, before)| Value {
            field: value.field.clone(),
            before,
            after: self.text(value, value.after.as_ref()),
        });
        told.collect()
    }

    fn text(&self, value: &Value, text: Option<&String>) -> Option<String> {
        let text = text?;
        let fixed = self.fixed(&value.field, text);
        Some(fixed.unwrap_or_else(|| text.clone()))
    }

    /// None: it is no amount, or has more digits than its currency.
    fn fixed(&self, field: &str, text: &str) -> Option<String> {
        let (above, name) = field.rsplit_once('.').unwrap_or(("", field));
        if !AMOUNTS.contains(&name) {
            return None;
        }
        let amount: Decimal = text.parse().ok()?;
        let amount = Money::from_decimal(&amount, self.currency(above)?);
        amount.ok().map(Money::fixed)
    }

    /// The currency that stands beside an amount, or around it.
    fn currency(&self, above: &str) -> Option<Currency> {
        let around = std::iter::successors(Some(above), |path| match path.rsplit_once('.') {
            Some((outer, _)) => Some(outer),
            None => (!path.is_empty()).then_some(""),
        });
        let mut known = around.filter_map(|path| match path {
            "" => self.0.get("currency"),
            path => self.0.get(&format!("{path}.currency")),
        });
        known.next()?.parse().ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn value(field: &str, before: Option<&str>, after: Option<&str>) -> Value {
        Value {
            field: field.to_owned(),
            before: before.map(ToOwned::to_owned),
            after: after.map(ToOwned::to_owned),
        }
    }

    #[test]
    fn amounts_have_the_digits_of_the_nearest_currency_and_nothing_else_is_touched() {
        let mut amounts = Amounts::default();
        let first = [
            value("currency", None, Some("USD")),
            value("money.currency", None, Some("KWD")),
            value("money.totalPaid", None, Some("5.1")),
            value("money.payments.0.currency", None, Some("JPY")),
            value("money.payments.0.amount", None, Some("500")),
            value("money.payments.0.paymentMethod.last4", None, Some("42")),
            value("money.invoiceItems.0.evaluatedPercent", None, Some("7.5")),
            value("money.invoiceItems.0.amount", None, Some("0.12345")),
            value("payoutAmount", None, Some("-2")),
            value("amount", None, Some("twelve")),
        ];
        let told = amounts.go_on(&first);
        let after: Vec<_> = told
            .iter()
            .map(|value| value.after.as_deref().unwrap())
            .collect();
        assert_eq!(
            after,
            [
                "USD", "KWD", "5.100", "JPY", "500", "42", "7.5", "0.12345", "-2.00", "twelve"
            ]
        );
    }

    #[test]
    fn an_amount_that_was_has_the_currency_that_was() {
        let mut amounts = Amounts::default();
        amounts.go_on(&[
            value("currency", None, Some("USD")),
            value("amount", None, Some("500")),
        ]);
        let told = amounts.go_on(&[
            value("currency", Some("USD"), Some("KWD")),
            value("amount", Some("500"), Some("500")),
        ]);
        assert_eq!(told[1], value("amount", Some("500.00"), Some("500.000")));
    }

    #[test]
    fn an_amount_without_a_currency_stays_as_it_is() {
        let told = Amounts::default().go_on(&[value("money.totalPaid", None, Some("5.1"))]);
        assert_eq!(told, [value("money.totalPaid", None, Some("5.1"))]);
    }
}
