use money::{Decimal, MoneyError};
use proptest::prelude::*;

use crate::decimal;

const LARGEST: &str = "99999999999999999999999999999999999999";

#[test]
fn prints_the_shortest_form() {
    let table = [
        ("0", "0"),
        ("-0", "0"),
        ("0.00", "0"),
        ("500", "500"),
        ("500.00", "500"),
        ("100.50", "100.5"),
        ("-0.05", "-0.05"),
        ("10.500", "10.5"),
        ("1000", "1000"),
        (LARGEST, LARGEST),
    ];
    for (text, printed) in table {
        assert_eq!(decimal(text).to_string(), printed);
    }
}

#[test]
fn numbers_that_differ_only_in_zeros_are_equal() {
    assert_eq!(decimal("10.5"), decimal("10.500"));
    assert_eq!(decimal("-0"), Decimal::default());
    assert!(!decimal("-0.0").is_negative());
}

#[test]
fn exponents_are_refused_as_such() {
    for text in ["1e3", "1E3", "-1.5e+2", "5e-1", "0e0"] {
        let refusal = text.parse::<Decimal>();
        assert_eq!(
            refusal,
            Err(MoneyError::Exponent {
                text: text.to_owned()
            })
        );
    }
}

#[test]
fn texts_that_are_not_plain_decimals_are_refused_and_named() {
    let texts = [
        "",
        "-",
        ".",
        "5.",
        ".5",
        "+1",
        "--1",
        "1,5",
        "1 000",
        " 1",
        "1 ",
        "007",
        "-00",
        "1.2.3",
        "NaN",
        "inf",
        "-Infinity",
        "0x10",
        "1_000",
        "١",
        "five",
        "e5",
        "1e",
        "1e1.5",
    ];
    for text in texts {
        let refusal = text.parse::<Decimal>();
        assert_eq!(
            refusal,
            Err(MoneyError::NotADecimal {
                text: text.to_owned()
            })
        );
    }
    assert_eq!(
        "12,50".parse::<Decimal>().unwrap_err().to_string(),
        "\"12,50\" is not a decimal number: write digits, with a minus sign or a decimal point \
         where needed, such as 100.5"
    );
}

#[test]
fn thirty_eight_digits_are_exact_and_one_more_is_refused() {
    let smallest = format!("0.{}1", "0".repeat(37));
    assert_eq!(decimal(&smallest).to_string(), smallest);
    assert_eq!(
        decimal(&format!("-{LARGEST}.000")).to_string(),
        format!("-{LARGEST}")
    );

    for text in [
        format!("1{LARGEST}"),
        format!("{LARGEST}.1"),
        format!("0.0{LARGEST}"),
    ] {
        let refusal = text.parse::<Decimal>().unwrap_err();
        assert!(
            matches!(refusal, MoneyError::TooManyDigits { max: 38, .. }),
            "{refusal}"
        );
    }
}

#[test]
fn orders_by_value_across_scales_and_signs() {
    let largest_negative = format!("-{LARGEST}");
    let tiny = format!("0.{}1", "0".repeat(37));
    let ascending = [
        &largest_negative,
        "-1.5",
        "-1.25",
        "-0.5",
        "0",
        &tiny,
        "0.5",
        "1",
        "1.05",
        "1.5",
        LARGEST,
    ];
    for pair in ascending.windows(2) {
        assert!(decimal(pair[0]) < decimal(pair[1]), "{pair:?}");
    }
}

proptest! {
    #[test]
    fn parsing_what_was_printed_gives_the_same_number(
        text in "-?(0|[1-9][0-9]{0,18})(\\.[0-9]{1,18})?",
    ) {
        let number = decimal(&text);
        prop_assert_eq!(decimal(&number.to_string()), number);
        prop_assert!(number.to_string().len() <= text.len());
    }

    #[test]
    fn orders_as_the_numbers_widened_to_one_scale(
        left in any::<i32>(), left_scale in 0_u32..9,
        right in any::<i32>(), right_scale in 0_u32..9,
    ) {
        let widened = |value: i32, scale: u32| i128::from(value) * 10_i128.pow(9 - scale);
        prop_assert_eq!(
            scaled(left, left_scale).cmp(&scaled(right, right_scale)),
            widened(left, left_scale).cmp(&widened(right, right_scale))
        );
    }

    #[test]
    fn no_text_panics(text in ".*") {
        let _ = text.parse::<Decimal>();
    }
}

/// `value / 10^scale`, put together as text.
fn scaled(value: i32, scale: u32) -> Decimal {
    let sign = if value < 0 { "-" } else { "" };
    let unit = 10_u64.pow(scale);
    let magnitude = u64::from(value.unsigned_abs());
    let fraction = format!("{:0width$}", magnitude % unit, width = scale as usize);
    decimal(&format!("{sign}{}.{fraction}", magnitude / unit))
}

#[test]
fn a_number_is_scaled_to_a_whole_one_or_not_at_all() {
    for (text, places, whole) in [
        ("7.125", 3, Some(7_125)),
        ("7.125", 6, Some(7_125_000)),
        ("-0.5", 1, Some(-5)),
        ("7.125", 2, None),
        ("1", 39, None),
    ] {
        assert_eq!(decimal(text).scaled(places), whole, "{text} {places}");
    }
}
