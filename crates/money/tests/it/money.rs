use std::cmp::Ordering;

use money::{Money, MoneyError, Rounding};
use proptest::prelude::*;

use crate::{amount, currency, decimal};

#[test]
fn a_decimal_becomes_minor_units_by_the_currency() {
    let table = [
        ("500", "JPY", 500),
        ("500", "USD", 50_000),
        ("10.500", "USD", 1_050),
        ("5.120", "KWD", 5_120),
        ("5.124", "KWD", 5_124),
        ("500", "ISK", 500),
        ("500", "UGX", 500),
        ("300", "ILS", 30_000),
        ("-0.0001", "CLF", -1),
        ("92233720368547758.07", "USD", i64::MAX),
        ("-92233720368547758.08", "USD", i64::MIN),
    ];
    for (text, code, minor) in table {
        assert_eq!(amount(text, code).minor(), minor, "{text} {code}");
    }
}

#[test]
fn more_decimal_places_than_the_currency_has_are_refused() {
    for (text, code) in [
        ("10.005", "USD"),
        ("0.5", "JPY"),
        ("5.1234", "KWD"),
        ("500.5", "ISK"),
    ] {
        assert_eq!(
            Money::from_decimal(&decimal(text), currency(code)),
            Err(MoneyError::TooPrecise {
                amount: text.to_owned(),
                currency: currency(code)
            })
        );
    }
    assert_eq!(
        Money::from_decimal(&decimal("10.005"), currency("USD"))
            .unwrap_err()
            .to_string(),
        "10.005 has more decimal places than USD, which has 2: it would have to be rounded"
    );
}

#[test]
fn an_amount_beyond_64_bits_is_refused_and_named() {
    for text in [
        "92233720368547758.08",
        "-92233720368547758.09",
        &"9".repeat(38),
    ] {
        assert_eq!(
            Money::from_decimal(&decimal(text), currency("USD")),
            Err(MoneyError::OutOfRange {
                what: format!("{text} USD")
            })
        );
    }
}

#[test]
fn prints_fixed_shortest_and_with_its_currency() {
    let table = [
        (100_000, "USD", "1000.00", "1000", "1000.00 USD"),
        (10_050, "USD", "100.50", "100.5", "100.50 USD"),
        (-5, "USD", "-0.05", "-0.05", "-0.05 USD"),
        (0, "USD", "0.00", "0", "0.00 USD"),
        (5_120, "KWD", "5.120", "5.12", "5.120 KWD"),
        (500, "JPY", "500", "500", "500 JPY"),
        (
            i64::MIN,
            "USD",
            "-92233720368547758.08",
            "-92233720368547758.08",
            "-92233720368547758.08 USD",
        ),
    ];
    for (minor, code, fixed, shortest, shown) in table {
        let money = Money::from_minor(minor, currency(code));
        assert_eq!(money.fixed(), fixed);
        assert_eq!(money.shortest(), shortest);
        assert_eq!(money.to_string(), shown);
    }
}

#[test]
fn amounts_of_two_currencies_do_not_mix() {
    let (dollars, euros) = (amount("5", "USD"), amount("5", "EUR"));
    let refusal = MoneyError::CurrencyMismatch {
        left: currency("USD"),
        right: currency("EUR"),
    };
    assert_eq!(dollars.checked_add(euros), Err(refusal.clone()));
    assert_eq!(dollars.checked_sub(euros), Err(refusal.clone()));
    assert_eq!(dollars.compare(euros), Err(refusal));
    assert_ne!(dollars, euros);
}

#[test]
fn results_beyond_64_bits_are_refused_and_named() {
    let [most, least] = [i64::MAX, i64::MIN].map(|minor| Money::from_minor(minor, currency("USD")));
    let cent = amount("0.01", "USD");
    let refusals = [
        most.checked_add(cent),
        least.checked_sub(cent),
        least.negated(),
        least.checked_add(least),
    ];
    for refusal in refusals {
        assert!(
            matches!(refusal, Err(MoneyError::OutOfRange { .. })),
            "{refusal:?}"
        );
    }
    assert_eq!(
        most.checked_add(cent).unwrap_err().to_string(),
        "92233720368547758.07 USD plus 0.01 USD is too large: amounts hold 64 bits of minor units"
    );
}

#[test]
fn signs_and_order() {
    let (debt, nothing, credit) = (
        amount("-1", "USD"),
        Money::zero(currency("USD")),
        amount("1", "USD"),
    );
    assert!(debt.is_negative() && !debt.is_positive() && !debt.is_zero());
    assert!(nothing.is_zero() && !nothing.is_positive() && !nothing.is_negative());
    assert!(credit.is_positive() && !credit.is_negative() && !credit.is_zero());
    assert_eq!(debt.compare(credit), Ok(Ordering::Less));
    assert_eq!(debt.negated(), Ok(credit));
}

#[test]
fn a_split_gives_left_over_units_to_the_largest_remainders() {
    let table: [(i64, &[u64], &[i64]); 8] = [
        // 33⅓ each: all lose the same, so the earliest gets the unit left over.
        (100, &[1, 1, 1], &[34, 33, 33]),
        (-100, &[1, 1, 1], &[-34, -33, -33]),
        // 7.14, 21.42, 21.42: the unit left over goes to the first of the two that lose .42…
        (50, &[1, 3, 3], &[7, 22, 21]),
        // 2.5, 7.5.
        (10, &[1, 3], &[3, 7]),
        (5, &[0, 1, 0], &[0, 5, 0]),
        (1, &[1, 1, 1], &[1, 0, 0]),
        (0, &[1, 2], &[0, 0]),
        (i64::MIN, &[u64::MAX, 0], &[i64::MIN, 0]),
    ];
    for (whole, weights, shares) in table {
        let split = Money::from_minor(whole, currency("USD"))
            .allocate(weights)
            .unwrap();
        let split: Vec<i64> = split.iter().map(|share| share.minor()).collect();
        assert_eq!(split, shares, "{whole} by {weights:?}");
    }
}

#[test]
fn a_split_among_no_one_is_refused() {
    for weights in [&[][..], &[0, 0]] {
        assert_eq!(
            amount("9.99", "USD").allocate(weights),
            Err(MoneyError::NoWeights {
                amount: "9.99 USD".to_owned()
            })
        );
    }
}

proptest! {
    #[test]
    fn shares_sum_to_the_whole_and_are_within_a_unit_of_their_part(
        whole in any::<i64>(),
        mut weights in prop::collection::vec(prop_oneof![Just(0), 1..100_u64, any::<u64>()], 0..12),
        last in 1..=u64::MAX,
    ) {
        weights.push(last);
        let total: i128 = weights.iter().copied().map(i128::from).sum();
        let money = Money::from_minor(whole, currency("USD"));

        let shares = money.allocate(&weights).unwrap();

        prop_assert_eq!(shares.len(), weights.len());
        let sum: i128 = shares.iter().map(|share| i128::from(share.minor())).sum();
        prop_assert_eq!(sum, i128::from(whole));
        for (share, &weight) in shares.iter().zip(&weights) {
            let toward_zero = i128::from(whole) * i128::from(weight) / total;
            let extra = i128::from(share.minor()) - toward_zero;
            prop_assert!(extra == 0 || extra == i128::from(whole.signum()));
            prop_assert!(weight > 0 || share.is_zero());
            prop_assert_eq!(share.currency(), money.currency());
        }
    }

    #[test]
    fn the_share_that_lost_more_is_never_passed_over(
        whole in 0..1_000_000_i64,
        weights in prop::collection::vec(1..1_000_i64, 1..12),
    ) {
        let total: i64 = weights.iter().sum();
        let unsigned: Vec<u64> = weights.iter().map(|weight| weight.unsigned_abs()).collect();
        let shares = Money::from_minor(whole, currency("USD")).allocate(&unsigned).unwrap();

        // Each share with what rounding toward zero cost it, and whether it got a unit back.
        let outcome: Vec<(i64, bool)> = shares
            .iter()
            .zip(&weights)
            .map(|(share, weight)| (whole * weight % total, share.minor() > whole * weight / total))
            .collect();
        for (earlier, first) in outcome.iter().enumerate() {
            for second in &outcome[earlier + 1..] {
                if first.0 >= second.0 {
                    prop_assert!(first.1 || !second.1, "{:?}", outcome);
                } else {
                    prop_assert!(second.1 || !first.1, "{:?}", outcome);
                }
            }
        }
    }

    #[test]
    fn printing_and_reading_an_amount_gives_it_back(
        minor in any::<i64>(),
        code in prop::sample::select(vec!["JPY", "USD", "KWD", "CLF"]),
    ) {
        let money = Money::from_minor(minor, currency(code));
        prop_assert_eq!(amount(&money.fixed(), code), money);
        prop_assert_eq!(amount(&money.shortest(), code), money);
        prop_assert_eq!(Money::from_decimal(&money.to_decimal(), currency(code)), Ok(money));
    }

    #[test]
    fn subtracting_what_was_added_gives_the_amount_back(one in any::<i64>(), two in any::<i64>()) {
        let [left, right] = [one, two].map(|minor| Money::from_minor(minor, currency("EUR")));
        match (left.checked_add(right), one.checked_add(two)) {
            (Ok(sum), Some(minor)) => {
                prop_assert_eq!(sum.minor(), minor);
                prop_assert_eq!(sum.checked_sub(right), Ok(left));
                prop_assert_eq!(sum.checked_sub(left), Ok(right));
            }
            (Err(MoneyError::OutOfRange { .. }), None) => {}
            disagreement => prop_assert!(false, "{disagreement:?}"),
        }
    }
}

proptest! {
    #[test]
    fn a_share_is_the_nearest_to_its_part_of_the_whole(
        minor in -1_000_000_000_i64..1_000_000_000,
        part in 0_u64..1_000_000,
        whole in 1_u64..1_000_000,
    ) {
        let whole = std::num::NonZeroU64::new(whole).unwrap();
        let amount = Money::from_minor(minor, currency("USD"));
        let share = amount.share(part, whole, Rounding::HalfUp).unwrap();
        // Off by no more than half a unit, and by exactly half only away from zero.
        let off = i128::from(share.minor()) * i128::from(whole.get())
            - i128::from(minor) * i128::from(part);
        let twice = 2 * off * i128::from(minor.signum());
        prop_assert!(-i128::from(whole.get()) < twice && twice <= i128::from(whole.get()));
    }
}

#[test]
fn a_share_beyond_64_bits_is_refused() {
    let most = Money::from_minor(i64::MAX, currency("USD"));
    let one = std::num::NonZeroU64::new(1).unwrap();
    assert!(most.share(u64::MAX, one, Rounding::Down).is_err());
    assert_eq!(most.share(1, one, Rounding::Down), Ok(most));
}
