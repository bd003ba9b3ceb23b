//! Amounts as Stripe writes them: minor units, though for some currencies not those of ISO 4217.

use money::Money;

use super::refusal::Refusal;

/// Whether Stripe can charge this amount.
pub(crate) fn check(amount: Money) -> Result<(), Refusal> {
    match amount.currency().code() {
        "BHD" | "JOD" | "KWD" | "OMR" | "TND" if amount.minor() % 10 != 0 => Err(
            Refusal::UnsupportedAmount(amount, "in this currency, its last digit must be 0"),
        ),
        "MGA" if amount.minor() % 100 != 0 => Err(Refusal::UnsupportedAmount(
            amount,
            "in this currency, it must be whole",
        )),
        "ISK" | "UGX" if amount.minor() > i64::MAX / 100 => {
            Err(Refusal::UnsupportedAmount(amount, "it is too large"))
        }
        _ => Ok(()),
    }
}

/// The amount in Stripe's units; exact for whatever passed [`check`], and for its parts that did.
pub(crate) fn minor(amount: Money) -> i64 {
    match amount.currency().code() {
        "MGA" => amount.minor() / 100,
        "ISK" | "UGX" => amount.minor().saturating_mul(100),
        _ => amount.minor(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn money(minor: i64, currency: &str) -> Money {
        Money::from_minor(minor, currency.parse().unwrap())
    }

    #[test]
    fn amounts_are_written_as_stripe_wants_them() {
        for (given, written) in [
            (money(500, "JPY"), 500),
            (money(50_000, "USD"), 50_000),
            (money(5_120, "KWD"), 5_120),
            // Stripe keeps two digits for two currencies that have none.
            (money(500, "ISK"), 50_000),
            (money(500, "UGX"), 50_000),
            // The ariary has fifths in theory, none at Stripe.
            (money(50_000, "MGA"), 500),
        ] {
            assert_eq!(check(given), Ok(()), "{given}");
            assert_eq!(minor(given), written, "{given}");
        }
    }

    #[test]
    fn amounts_that_stripe_cannot_write_are_refused() {
        for refused in [
            money(5_124, "KWD"),
            money(50_050, "MGA"),
            money(i64::MAX, "ISK"),
        ] {
            assert_eq!(
                check(refused).unwrap_err().code(),
                "unsupported_amount",
                "{refused}"
            );
        }
    }
}
