//! What a transaction does to the merchant's balance when its day is closed. Pure.

use money::{Money, MoneyError, Rate, Rounding};

use crate::{TransactionKind, TransactionStatus};

/// What the processor takes and keeps back.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Terms {
    pub(crate) fee_rate: Rate,
    pub(crate) fee_fixed: Money,
    pub(crate) reserve_rate: Rate,
}

/// A transaction's effects, none of them less than nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Effects {
    /// Whether it gets a settlement date.
    pub(crate) settles: bool,
    pub(crate) sold: Money,
    pub(crate) refunded: Money,
    pub(crate) fee_percentage: Money,
    pub(crate) fee_fixed: Money,
    pub(crate) reserve: Money,
}

/// What a transaction does. Holds never settle, nor does what was declined; their fees are due all
/// the same.
pub(crate) fn effects(
    kind: TransactionKind,
    status: TransactionStatus,
    amount: Money,
    terms: &Terms,
) -> Result<Effects, MoneyError> {
    use TransactionKind::{
        Authorization, Capture, Charge, PartialCapture, PartialRefund, Refund, Verify, Void,
    };

    let nothing = Money::zero(amount.currency());
    let when = |applies: bool, amount: Money| if applies { amount } else { nothing };
    let processed = status == TransactionStatus::Processed;
    let (is_sale, is_refund, has_fixed_fee) = match kind {
        Charge => (true, false, true),
        Capture | PartialCapture => (true, false, false),
        Refund | PartialRefund => (false, true, true),
        Authorization => (false, false, true),
        Verify | Void => (false, false, false),
    };
    let sold = when(processed && is_sale, amount);
    Ok(Effects {
        settles: processed && kind != Authorization,
        sold,
        refunded: when(processed && is_refund, amount),
        fee_percentage: sold.times(&terms.fee_rate, Rounding::HalfUp)?,
        fee_fixed: when(has_fixed_fee, terms.fee_fixed),
        reserve: sold.times(&terms.reserve_rate, Rounding::HalfUp)?,
    })
}

#[cfg(test)]
mod tests {
    use TransactionKind::{
        Authorization, Capture, Charge, PartialCapture, PartialRefund, Refund, Verify, Void,
    };
    use TransactionStatus::{Declined, Processed};

    use super::*;

    fn of(kind: TransactionKind, status: TransactionStatus, minor: i64, code: &str) -> [i64; 5] {
        let currency = code.parse().unwrap();
        let fixed = if code == "KWD" { 100 } else { 30 };
        let terms = Terms {
            fee_rate: Rate::from_percent("2.9").unwrap(),
            fee_fixed: Money::from_minor(fixed, currency),
            reserve_rate: Rate::from_percent("10").unwrap(),
        };
        let amount = Money::from_minor(minor, currency);
        let e = effects(kind, status, amount, &terms).unwrap();
        [e.sold, e.refunded, e.fee_percentage, e.fee_fixed, e.reserve].map(Money::minor)
    }

    #[test]
    fn the_worked_example_holds_to_the_cent() {
        // 100.00 − 10.00 = 90.00; 90.00 − 2.90 − 0.30 = 86.80.
        let [sold, _, percentage, fixed, reserve] = of(Charge, Processed, 10_000, "USD");
        assert_eq!(sold - reserve, 9_000);
        assert_eq!(sold - reserve - percentage - fixed, 8_680);
    }

    #[test]
    fn each_kind_has_its_fees_processed_or_declined() {
        for (kind, processed, declined) in [
            (Charge, [10_000, 0, 290, 30, 1_000], 30),
            (Capture, [10_000, 0, 290, 0, 1_000], 0),
            (PartialCapture, [10_000, 0, 290, 0, 1_000], 0),
            (Refund, [0, 10_000, 0, 30, 0], 30),
            (PartialRefund, [0, 10_000, 0, 30, 0], 30),
            (Authorization, [0, 0, 0, 30, 0], 30),
            (Verify, [0, 0, 0, 0, 0], 0),
            (Void, [0, 0, 0, 0, 0], 0),
        ] {
            assert_eq!(of(kind, Processed, 10_000, "USD"), processed, "{kind:?}");
            assert_eq!(
                of(kind, Declined, 10_000, "USD"),
                [0, 0, 0, declined, 0],
                "{kind:?}"
            );
        }
    }

    #[test]
    fn halves_go_up_in_the_currencys_own_units() {
        // 2.9 % of 50 yen is 1.45, of 500 yen 14.5; 10 % of 5 yen is 0.5.
        assert_eq!(of(Charge, Processed, 50, "JPY"), [50, 0, 1, 30, 5]);
        assert_eq!(of(Charge, Processed, 500, "JPY"), [500, 0, 15, 30, 50]);
        assert_eq!(of(Charge, Processed, 5, "JPY"), [5, 0, 0, 30, 1]);
        // 2.9 % of 12.345 dinars is 0.358005, 10 % is 1.2345.
        assert_eq!(
            of(Charge, Processed, 12_345, "KWD"),
            [12_345, 0, 358, 100, 1_235]
        );
    }
}
