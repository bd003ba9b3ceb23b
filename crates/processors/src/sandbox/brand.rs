//! Card networks, by Stripe's code and by the name that reports print.

const NAMES: [(&str, &str); 7] = [
    ("visa", "Visa"),
    ("mastercard", "Mastercard"),
    ("amex", "American Express"),
    ("discover", "Discover"),
    ("diners", "Diners Club"),
    ("jcb", "JCB"),
    ("unionpay", "UnionPay"),
];

/// The name for a code; a code that is not known stands for itself.
pub(crate) fn name(code: &str) -> &str {
    NAMES
        .iter()
        .find(|(known, _)| *known == code)
        .map_or(code, |(_, name)| name)
}
