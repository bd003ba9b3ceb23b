//! What a transaction does to the merchant's balance when its day is closed. Pure.

use money::{Money, MoneyError, Rate, Rounding};

use crate::{TransactionKind, TransactionStatus};

/// What the processor takes and keeps back.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Terms {
    pub(crate) fee_rate: Rate,
    pub(crate) fee_fixed: Money,
    pub(crate) fee_dispute: Money,
    pub(crate) reserve_rate: Rate,
}

/// A transaction's effects.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Effects {
    /// Whether it gets a settlement date.
    pub(crate) settles: bool,
    /// What it adds to the balance, or takes from it.
    pub(crate) moved: Money,
    pub(crate) fee_percentage: Money,
    pub(crate) fee_fixed: Money,
    pub(crate) fee_dispute: Money,
    pub(crate) reserve: Money,
}

/// What a transaction does. Holds never settle, nor does what was declined; their fees are due all
/// the same. `left_of_sale` is what voids have left of the sale that it is or voids, none if there is
/// no such sale: of what is voided whole, neither the sale nor the voids settle.
pub(crate) fn effects(
    kind: TransactionKind,
    status: TransactionStatus,
    amount: Money,
    left_of_sale: Option<Money>,
    terms: &Terms,
) -> Result<Effects, MoneyError> {
    use TransactionKind::{
        Authorization, Capture, Charge, Chargeback, Credit, PartialCapture, PartialRefund,
        PartialVoid, Refund, ReversalChargeback, Verify, Void,
    };

    let nothing = Money::zero(amount.currency());
    let back = Money::from_minor(-amount.minor(), amount.currency());
    let when = |applies: bool, amount: Money| if applies { amount } else { nothing };
    let processed = status == TransactionStatus::Processed;
    let left = left_of_sale.unwrap_or(nothing);
    let (settles, moved, has_fixed_fee) = match kind {
        Charge => (!left.is_zero(), amount, true),
        Capture | PartialCapture => (!left.is_zero(), amount, false),
        Void | PartialVoid if left_of_sale.is_some() => (!left.is_zero(), back, false),
        Refund | PartialRefund | Credit => (true, back, true),
        Chargeback => (true, back, false),
        ReversalChargeback => (true, amount, false),
        Authorization => (false, nothing, true),
        Verify | Void | PartialVoid => (true, nothing, false),
    };
    let settles = settles && processed;
    let is_sale = matches!(kind.whole(), Charge | Capture);
    let sold = when(settles && is_sale, left);
    Ok(Effects {
        settles,
        moved: when(settles, moved),
        fee_percentage: sold.times(&terms.fee_rate, Rounding::HalfUp)?,
        fee_fixed: when(has_fixed_fee, terms.fee_fixed),
        fee_dispute: when(kind == Chargeback, terms.fee_dispute),
        reserve: sold.times(&terms.reserve_rate, Rounding::HalfUp)?,
    })
}

#[cfg(test)]
mod tests {
    use TransactionKind::{
        Authorization, Capture, Charge, Chargeback, Credit, PartialCapture, PartialRefund,
        PartialVoid, Refund, ReversalChargeback, Verify, Void,
    };
    use TransactionStatus::{Declined, Processed};

    use super::*;

    fn of(
        kind: TransactionKind,
        status: TransactionStatus,
        minor: i64,
        left: Option<i64>,
        code: &str,
    ) -> (bool, [i64; 4]) {
        let currency = code.parse().unwrap();
        let fixed = if code == "KWD" { 100 } else { 30 };
        let money = |minor| Money::from_minor(minor, currency);
        let terms = Terms {
            fee_rate: Rate::from_percent("2.9").unwrap(),
            fee_fixed: money(fixed),
            fee_dispute: money(50 * fixed),
            reserve_rate: Rate::from_percent("10").unwrap(),
        };
        let e = effects(kind, status, money(minor), left.map(money), &terms).unwrap();
        let amounts = [e.moved, e.fee_percentage, e.fee_fixed, e.reserve];
        assert_eq!(e.fee_dispute.is_positive(), kind == Chargeback);
        (e.settles, amounts.map(Money::minor))
    }

    fn of_sale(minor: i64, code: &str) -> [i64; 4] {
        of(Charge, Processed, minor, Some(minor), code).1
    }

    #[test]
    fn the_worked_example_holds_to_the_cent() {
        // 100.00 − 10.00 = 90.00; 90.00 − 2.90 − 0.30 = 86.80.
        let [sold, percentage, fixed, reserve] = of_sale(10_000, "USD");
        assert_eq!(sold - reserve, 9_000);
        assert_eq!(sold - reserve - percentage - fixed, 8_680);
    }

    #[test]
    fn each_kind_has_its_fees_processed_or_declined() {
        for (kind, left, processed, declined) in [
            (Charge, Some(10_000), (true, [10_000, 290, 30, 1_000]), 30),
            (Capture, Some(10_000), (true, [10_000, 290, 0, 1_000]), 0),
            (
                PartialCapture,
                Some(10_000),
                (true, [10_000, 290, 0, 1_000]),
                0,
            ),
            (Refund, None, (true, [-10_000, 0, 30, 0]), 30),
            (PartialRefund, None, (true, [-10_000, 0, 30, 0]), 30),
            (Authorization, None, (false, [0, 0, 30, 0]), 30),
            (Verify, None, (true, [0, 0, 0, 0]), 0),
            (Credit, None, (true, [-10_000, 0, 30, 0]), 30),
            (Chargeback, None, (true, [-10_000, 0, 0, 0]), 0),
            (ReversalChargeback, None, (true, [10_000, 0, 0, 0]), 0),
            // A hold's release.
            (Void, None, (true, [0, 0, 0, 0]), 0),
        ] {
            assert_eq!(
                of(kind, Processed, 10_000, left, "USD"),
                processed,
                "{kind:?}"
            );
            let expected = (false, [0, 0, declined, 0]);
            assert_eq!(
                of(kind, Declined, 10_000, None, "USD"),
                expected,
                "{kind:?}"
            );
        }
    }

    #[test]
    fn a_part_that_is_voided_is_free_of_the_percentage_and_the_reserve() {
        // 100.00, of which 40.00 are voided: 2.9 % and 10 % of 60.00.
        let sale = of(Charge, Processed, 10_000, Some(6_000), "USD");
        assert_eq!(sale, (true, [10_000, 174, 30, 600]));
        let void = of(PartialVoid, Processed, 4_000, Some(6_000), "USD");
        assert_eq!(void, (true, [-4_000, 0, 0, 0]));
        let declined = of(PartialVoid, Declined, 4_000, Some(6_000), "USD");
        assert_eq!(declined, (false, [0, 0, 0, 0]));
    }

    #[test]
    fn what_is_voided_whole_never_settles_but_costs_its_fixed_fee() {
        assert_eq!(
            of(Charge, Processed, 10_000, Some(0), "USD"),
            (false, [0, 0, 30, 0])
        );
        assert_eq!(
            of(Capture, Processed, 10_000, Some(0), "USD"),
            (false, [0, 0, 0, 0])
        );
        for void in [Void, PartialVoid] {
            assert_eq!(
                of(void, Processed, 10_000, Some(0), "USD"),
                (false, [0, 0, 0, 0])
            );
        }
    }

    #[test]
    fn halves_go_up_in_the_currencys_own_units() {
        // 2.9 % of 50 yen is 1.45, of 500 yen 14.5; 10 % of 5 yen is 0.5.
        assert_eq!(of_sale(50, "JPY"), [50, 1, 30, 5]);
        assert_eq!(of_sale(500, "JPY"), [500, 15, 30, 50]);
        assert_eq!(of_sale(5, "JPY"), [5, 0, 30, 1]);
        // 2.9 % of 12.345 dinars is 0.358005, 10 % is 1.2345.
        assert_eq!(of_sale(12_345, "KWD"), [12_345, 358, 100, 1_235]);
    }
}
