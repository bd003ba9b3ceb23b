use money::{Currency, MoneyError};

use crate::currency;

#[test]
fn exponents_are_those_of_the_standard() {
    let table = [
        (
            0,
            "BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX UYI VND VUV XAF XOF XPF",
        ),
        (
            2,
            "AUD BRL CHF CZK EUR GBP HUF ILS MGA MRU MXN TWD USD XCD ZAR",
        ),
        (3, "BHD IQD JOD KWD LYD OMR TND"),
        (4, "CLF UYW"),
    ];
    for (exponent, codes) in table {
        for code in codes.split(' ') {
            assert_eq!(currency(code).exponent(), exponent, "{code}");
            assert_eq!(currency(code).code(), code);
            assert_eq!(currency(code).to_string(), code);
        }
    }
}

#[test]
fn a_currency_without_a_minor_unit_is_refused() {
    let codes = "XAG XAU XBA XBB XBC XBD XDR XPD XPT XSU XTS XUA XXX";
    for code in codes.split(' ') {
        assert_eq!(
            code.parse::<Currency>(),
            Err(MoneyError::NoMinorUnit { code })
        );
    }
}

#[test]
fn a_code_that_is_not_upper_case_iso_4217_is_refused_and_named() {
    for code in ["usd", "Usd", "US", "USDT", " USD", "ABC", "", "€"] {
        let error = Currency::try_from(code).unwrap_err();
        assert_eq!(
            error,
            MoneyError::UnknownCurrency {
                code: code.to_owned()
            }
        );
    }
    assert_eq!(
        Currency::try_from("usd").unwrap_err().to_string(),
        "\"usd\" is not a currency: write its ISO 4217 code in three capital letters, such as USD"
    );
}

#[test]
fn a_huge_code_is_cut_in_the_message() {
    let message = Currency::try_from("ß".repeat(100_000).as_str())
        .unwrap_err()
        .to_string();
    assert!(message.chars().count() < 200, "{message}");
    assert!(message.contains("ßßß…\""), "{message}");
}

#[test]
fn currencies_sort_by_code() {
    let mut codes: Vec<Currency> = ["XCG", "USD", "AED", "ZAR", "AOA"].map(currency).into();
    codes.sort();
    let sorted: Vec<&str> = codes.iter().map(|currency| currency.code()).collect();
    assert_eq!(sorted, ["AED", "AOA", "USD", "XCG", "ZAR"]);
}

#[test]
fn a_currency_is_its_code_in_json() {
    assert_eq!(serde_json::to_string(&currency("KWD")).unwrap(), "\"KWD\"");
    assert_eq!(
        serde_json::from_str::<Currency>("\"KWD\"").unwrap(),
        currency("KWD")
    );

    let refusal = serde_json::from_str::<Currency>("\"kwd\"")
        .unwrap_err()
        .to_string();
    assert!(refusal.contains("\"kwd\" is not a currency"), "{refusal}");
}
