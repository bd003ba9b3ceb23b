use money::{Decimal, Money, MoneyError, Rate, Rounding};
use proptest::prelude::*;

use crate::{amount, currency, decimal};

#[test]
fn a_percentage_is_a_hundredth_of_its_factor() {
    let fee = Rate::from_percent("2.9").unwrap();
    assert_eq!(fee, "0.029".parse().unwrap());
    assert_eq!(fee, Rate::percent(decimal("2.90")).unwrap());
    assert_eq!(fee, Rate::factor(decimal("0.029")).unwrap());
    assert_eq!(fee.to_string(), "0.029");
    assert_eq!(
        Rate::from_percent("100").unwrap().to_decimal(),
        decimal("1")
    );
}

#[test]
fn each_rounding_treats_a_half_and_both_signs_as_it_says() {
    use Rounding::{Down, HalfEven, HalfUp, Up};
    // Half of so many cents, under each rounding.
    let table = [
        (1, [(HalfUp, 1), (HalfEven, 0), (Down, 0), (Up, 1)]),
        (3, [(HalfUp, 2), (HalfEven, 2), (Down, 1), (Up, 2)]),
        (4, [(HalfUp, 2), (HalfEven, 2), (Down, 2), (Up, 2)]),
        (-1, [(HalfUp, -1), (HalfEven, 0), (Down, 0), (Up, -1)]),
        (-3, [(HalfUp, -2), (HalfEven, -2), (Down, -1), (Up, -2)]),
    ];
    for (minor, roundings) in table {
        for (rounding, half) in roundings {
            let money = Money::from_minor(minor, currency("USD"));
            let result = money
                .times(&Rate::from_percent("50").unwrap(), rounding)
                .unwrap();
            assert_eq!(result.minor(), half, "half of {minor}, {rounding:?}");
        }
    }
}

#[test]
fn a_fee_is_the_rate_of_the_amount() {
    let fee = Rate::from_percent("2.9").unwrap();
    // 2.9 % of 500.50 is 14.5145.
    let charge = amount("500.50", "USD");
    assert_eq!(
        charge.times(&fee, Rounding::HalfUp),
        Ok(amount("14.51", "USD"))
    );
    assert_eq!(charge.times(&fee, Rounding::Up), Ok(amount("14.52", "USD")));

    // However little is left over, rounding up counts it.
    let trifle = "0.0001".parse().unwrap();
    let cent = amount("0.01", "USD");
    assert_eq!(cent.times(&trifle, Rounding::Up), Ok(cent));
}

#[test]
fn a_product_beyond_64_bits_is_refused() {
    let most = Money::from_minor(i64::MAX, currency("USD"));
    let refusal = most.times(&"1.1".parse().unwrap(), Rounding::Down);
    assert_eq!(
        refusal.unwrap_err().to_string(),
        "92233720368547758.07 USD times 1.1 is too large: amounts hold 64 bits of minor units"
    );
}

#[test]
fn more_digits_than_a_rate_holds_are_refused() {
    let (fits, tiny) = ("9".repeat(18), format!("0.{}1", "0".repeat(36)));
    assert_eq!(fits.parse::<Rate>().unwrap().to_string(), fits);
    assert!(tiny.parse::<Rate>().is_ok());
    let refusals = [
        format!("{fits}9").parse::<Rate>(),
        Rate::from_percent(&tiny),
    ];
    for refusal in refusals {
        assert!(
            matches!(refusal, Err(MoneyError::TooManyDigits { max: 18, .. })),
            "{refusal:?}"
        );
    }
}

#[test]
fn reads_a_string_or_a_number_and_writes_a_string() {
    for json in ["0.029", "\"0.029\"", "\"0.0290\""] {
        let rate: Rate = serde_json::from_str(json).unwrap();
        assert_eq!(serde_json::to_string(&rate).unwrap(), "\"0.029\"");
    }
    for json in ["2.9e-2", "\"2.9%\"", "null", "\"\"", "true"] {
        assert!(serde_json::from_str::<Rate>(json).is_err(), "{json}");
    }
}

proptest! {
    #[test]
    fn times_agrees_with_naive_integer_arithmetic(
        minor in -1_000_000_000_000_i64..1_000_000_000_000,
        millionths in -5_000_000_i128..5_000_000,
        rounding in prop::sample::select(vec![
            Rounding::HalfUp, Rounding::HalfEven, Rounding::Down, Rounding::Up,
        ]),
    ) {
        let rate = Rate::factor(of_millionths(millionths)).unwrap();
        let product = i128::from(minor) * millionths;
        let (below, above) = (product.div_euclid(1_000_000), -(-product).div_euclid(1_000_000));
        let (to_below, to_above) = (product - below * 1_000_000, above * 1_000_000 - product);
        let (inner, outer) = if product < 0 { (above, below) } else { (below, above) };
        let expected = match (rounding, to_below.cmp(&to_above)) {
            (Rounding::Down, _) => inner,
            (Rounding::Up, _) => outer,
            (_, std::cmp::Ordering::Less) => below,
            (_, std::cmp::Ordering::Greater) => above,
            (Rounding::HalfEven, _) => if below % 2 == 0 { below } else { above },
            (Rounding::HalfUp, _) => outer,
        };

        let result = Money::from_minor(minor, currency("USD")).times(&rate, rounding).unwrap();
        prop_assert_eq!(i128::from(result.minor()), expected);
    }

    #[test]
    fn no_amount_and_rate_overflow_or_panic(
        minor in any::<i64>(), digits in "[0-9]{1,18}", scale in 0_usize..21, negative: bool,
    ) {
        let sign = if negative { "-" } else { "" };
        let factor = match scale {
            0 => format!("{sign}1{}", &digits[1..]),
            zeros => format!("{sign}0.{}{digits}", "0".repeat(zeros - 1)),
        };
        let money = Money::from_minor(minor, currency("USD"));
        let rate: Rate = factor.parse().unwrap();
        for rounding in [Rounding::HalfUp, Rounding::HalfEven, Rounding::Down, Rounding::Up] {
            let result = money.times(&rate, rounding);
            if scale > 0 {
                // Below one, a factor can only shrink an amount.
                let less = result.unwrap().minor().unsigned_abs();
                prop_assert!(less <= minor.unsigned_abs());
            }
        }
    }
}

fn of_millionths(millionths: i128) -> Decimal {
    let sign = if millionths < 0 { "-" } else { "" };
    let magnitude = millionths.unsigned_abs();
    decimal(&format!(
        "{sign}{}.{:06}",
        magnitude / 1_000_000,
        magnitude % 1_000_000
    ))
}
