use money::{Decimal, Fixed, FixedText, Money, number_or_text};
use proptest::prelude::*;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::{currency, decimal};

#[derive(Debug, Deserialize, Serialize, PartialEq)]
struct Payment {
    id: String,
    #[serde(flatten)]
    money: Amounts,
}

#[derive(Debug, Deserialize, Serialize, PartialEq)]
struct Amounts {
    amount: Decimal,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    fee: Option<Decimal>,
}

#[derive(Debug, Deserialize, PartialEq)]
#[serde(untagged)]
enum Body {
    Many { amounts: Vec<Decimal> },
    One(Payment),
}

/// Texts that a float, or a detour through one, would spoil.
const DELICATE: [&str; 8] = [
    "0.1",
    "-0.05",
    "100.5",
    "0.0000001",
    "92233720368547758.07",
    "9007199254740993",
    "0.30000000000000000001",
    "99999999999999999999999999999999999999",
];

#[test]
fn every_digit_of_a_json_number_is_kept() {
    for text in DELICATE {
        let number: Decimal = serde_json::from_str(text).unwrap();
        assert_eq!(number, decimal(text));
        assert_eq!(serde_json::to_string(&number).unwrap(), text);
        assert_eq!(serde_json::to_value(number).unwrap().to_string(), text);
    }
}

#[test]
fn every_digit_survives_flatten_and_untagged_enums() {
    for text in DELICATE {
        let body = format!(r#"{{"id":"p1","amount":{text},"fee":{text}}}"#);
        assert_eq!(
            serde_json::from_str::<Payment>(&body).unwrap(),
            payment(text)
        );
        assert_eq!(
            serde_json::from_str::<Body>(&body).unwrap(),
            Body::One(payment(text))
        );
        assert_eq!(serde_json::to_string(&payment(text)).unwrap(), body);

        let amounts = vec![decimal(text)];
        let body = format!(r#"{{"amounts":[{text}]}}"#);
        assert_eq!(
            serde_json::from_str::<Body>(&body).unwrap(),
            Body::Many { amounts }
        );
    }
}

#[test]
fn every_digit_survives_a_value_on_the_way() {
    // Not the largest: serde's buffer refuses a value's whole number beyond 64 bits.
    for text in &DELICATE[..DELICATE.len() - 1] {
        let value: Value =
            serde_json::from_str(&format!(r#"{{"id":"p1","amount":{text},"fee":{text}}}"#))
                .unwrap();
        assert_eq!(
            serde_json::from_value::<Payment>(value.clone()).unwrap(),
            payment(text)
        );
        assert_eq!(
            serde_json::from_value::<Body>(value).unwrap(),
            Body::One(payment(text))
        );
        assert_eq!(
            serde_json::to_value(decimal(text)).unwrap().to_string(),
            *text
        );
    }
}

fn payment(amount: &str) -> Payment {
    let amount = decimal(amount);
    Payment {
        id: "p1".to_owned(),
        money: Amounts {
            amount,
            fee: Some(amount),
        },
    }
}

#[test]
fn an_absent_or_null_amount_is_none() {
    for body in [r#"{"amount":1}"#, r#"{"amount":1,"fee":null}"#] {
        assert_eq!(serde_json::from_str::<Amounts>(body).unwrap().fee, None);
    }
}

#[test]
fn anything_but_a_plain_json_number_is_refused_with_the_reason() {
    let table = [
        (
            r#""12.50""#,
            "string \"12.50\", expected a JSON number without quotes",
        ),
        ("1e3", "\"1e+3\" is written with an exponent"),
        ("-1.5E-2", "is written with an exponent"),
        ("null", "null, expected a JSON number"),
        ("true", "boolean `true`, expected a JSON number"),
        ("[1]", "sequence, expected a JSON number"),
        (r#"{"amount":1}"#, "map, expected a JSON number"),
        ("{}", "map, expected a JSON number"),
        ("NaN", "expected value"),
        ("007", "invalid number"),
        (
            "123456789012345678901234567890123456789",
            "has too many digits: at most 38",
        ),
    ];
    for (json, reason) in table {
        let error = serde_json::from_str::<Decimal>(json)
            .unwrap_err()
            .to_string();
        assert!(error.contains(reason), "{json}: {error}");

        let flattened = format!(r#"{{"id":"p1","amount":{json}}}"#);
        let error = serde_json::from_str::<Payment>(&flattened)
            .unwrap_err()
            .to_string();
        assert!(error.contains(reason), "{flattened}: {error}");
    }
}

#[test]
fn a_lenient_field_reads_numbers_and_texts() {
    #[derive(Deserialize)]
    struct Row {
        #[serde(deserialize_with = "number_or_text")]
        amount: Decimal,
    }
    for json in [
        r#"{"amount":1000.00}"#,
        r#"{"amount":"1000.00"}"#,
        r#"{"amount":1000}"#,
    ] {
        assert_eq!(
            serde_json::from_str::<Row>(json).unwrap().amount,
            decimal("1000")
        );
    }
    for json in [
        r#"{"amount":"1e3"}"#,
        r#"{"amount":""}"#,
        r#"{"amount":null}"#,
    ] {
        assert!(serde_json::from_str::<Row>(json).is_err(), "{json}");
    }
}

#[test]
fn fixed_amounts_print_all_the_digits_of_the_currency() {
    #[derive(Serialize)]
    struct Row {
        amount: Fixed,
        #[serde(rename = "amountText")]
        text: FixedText,
    }
    let table = [
        (
            100_000,
            "USD",
            r#"{"amount":1000.00,"amountText":"1000.00"}"#,
        ),
        (-5, "USD", r#"{"amount":-0.05,"amountText":"-0.05"}"#),
        (5_120, "KWD", r#"{"amount":5.120,"amountText":"5.120"}"#),
        (500, "JPY", r#"{"amount":500,"amountText":"500"}"#),
    ];
    for (minor, code, printed) in table {
        let money = Money::from_minor(minor, currency(code));
        let row = Row {
            amount: Fixed(money),
            text: FixedText(money),
        };
        assert_eq!(serde_json::to_string(&row).unwrap(), printed);
        assert_eq!(serde_json::to_value(&row).unwrap().to_string(), printed);
    }
}

#[test]
fn amounts_written_with_the_json_macro_are_read() {
    let amounts: Amounts = serde_json::from_value(json!({ "amount": 100.5, "fee": 3 })).unwrap();
    assert_eq!(
        amounts,
        Amounts {
            amount: decimal("100.5"),
            fee: Some(decimal("3"))
        }
    );
}

#[test]
fn a_number_that_a_value_could_spoil_is_refused_rather_than_guessed() {
    // One float stands for both, and the two printers of floats in use disagree on which.
    for text in ["563000000000000.2", "563000000000000.3"] {
        assert_eq!(
            serde_json::from_str::<Decimal>(text).unwrap(),
            decimal(text)
        );

        let value: Value = serde_json::from_str(text).unwrap();
        let error = serde_json::from_value::<Decimal>(value)
            .unwrap_err()
            .to_string();
        assert!(
            error.contains("read this one from its JSON text"),
            "{error}"
        );
    }
}

proptest! {
    #[test]
    fn a_number_is_the_same_by_every_road(text in "-?(0|[1-9][0-9]{0,18})(\\.[0-9]{1,18})?") {
        let number = decimal(&text);
        prop_assert_eq!(serde_json::from_str::<Decimal>(&text).unwrap(), number);
        prop_assert_eq!(serde_json::to_string(&number).unwrap(), number.to_string());

        let value: Value = serde_json::from_str(&text).unwrap();
        match serde_json::from_value::<Decimal>(value) {
            Ok(by_value) => prop_assert_eq!(by_value, number),
            Err(_) => prop_assert!(text.bytes().filter(u8::is_ascii_digit).count() > 15),
        }
    }

    #[test]
    fn an_amount_of_fifteen_digits_is_the_same_through_a_value(
        minor in -999_999_999_999_999_i64..=999_999_999_999_999,
        code in prop::sample::select(vec!["JPY", "USD", "KWD", "CLF"]),
    ) {
        let money = Money::from_minor(minor, currency(code));
        for value in [serde_json::to_value(Fixed(money)), serde_json::to_value(money.to_decimal())] {
            let number: Decimal = serde_json::from_value(value.unwrap()).unwrap();
            prop_assert_eq!(Money::from_decimal(&number, currency(code)), Ok(money));
        }
    }
}
