//! The triggers there are: their names, what they do, and what they can be told.

use std::fmt;
use std::str::FromStr;

use serde::{Serialize, Serializer};
use utoipa::ToSchema;

/// Something that a sandbox lets happen.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ToSchema)]
pub struct Trigger {
    /// Its name.
    pub name: &'static str,
    /// What happens, and to what if nothing is named.
    pub about: &'static str,
    /// The options that it can be told, beside the account.
    pub takes: &'static [&'static str],
    #[schema(ignore)]
    pub(super) kind: Kind,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    ChannelBooking,
    DirectBooking,
    Extension,
    LateFee,
    Cancellation,
    PaymentFailed,
    RefundFailed,
    HoldExpired,
    Chargeback,
    ChargebackWon,
    ChargebackLost,
    PayoutRejected,
    PayoutDeclined,
    Adjustment,
}

macro_rules! triggers {
    ($($kind:ident $name:literal [$($takes:literal),*] $about:literal;)+) => {
        /// Every trigger.
        pub const TRIGGERS: &[Trigger] = &[$(Trigger {
            name: $name,
            about: $about,
            takes: &[$($takes),*],
            kind: Kind::$kind,
        }),+];
    };
}

triggers! {
    ChannelBooking "channel-booking" ["listing", "amount"]
        "a guest books through Airbnb, which collects the money: a confirmed reservation of 3 nights, and its payment recorded. At the listing named, else at the active one that comes first by title";
    DirectBooking "direct-booking" ["listing", "amount"]
        "a guest books directly: a confirmed reservation of 3 nights, a stored card, and all of it scheduled to be charged in 7 days, or as the listing's auto payments policy says. At the listing named, else at the active one that comes first by title";
    Extension "extension" ["reservation", "amount"]
        "the guest stays 2 nights longer, at the fare of the other nights or for the amount given. Of the reservation named, else of the confirmed one made last whose guest has not left";
    LateFee "late-fee" ["reservation", "amount"]
        "a fee for a late check-out is put on the invoice. Of the reservation named, else of the confirmed one made last";
    Cancellation "cancellation" ["reservation", "amount"]
        "the guest calls the stay off: half of the total, or the amount given, is kept as a fee, what waits is called off, and what was paid beyond the fee goes back. Of the reservation named, else of the confirmed one made last that has not begun";
    PaymentFailed "payment-failed" ["payment", "code"]
        "a scheduled payment is charged now and its card is declined. The payment named, else the one that falls due first";
    RefundFailed "refund-failed" ["payment", "amount", "code"]
        "a refund of all that is left, or of the amount given, is declined. Of the payment named, else of the card payment made last of which something is left";
    HoldExpired "hold-expired" ["payment"]
        "an authorization hold lapses now. The payment named, else the hold placed last";
    Chargeback "chargeback" ["transaction", "payment", "code"]
        "a card holder disputes a settled sale, and their bank charges it back. The transaction or payment named, else the sale that was settled last";
    ChargebackWon "chargeback-won" ["transaction"]
        "a dispute is won: the chargeback is given back. The chargeback named, else the one of the dispute opened last";
    ChargebackLost "chargeback-lost" ["transaction"]
        "a dispute is lost: the chargeback stays. The chargeback named, else the one of the dispute opened last";
    PayoutRejected "payout-rejected" ["payout", "code"]
        "the bank sends a payout back, with the return code given or R02, and it is sent again under a new id. The payout named, else the one that was sent last";
    PayoutDeclined "payout-declined" ["payout"]
        "the processor declines a payout, and it is sent again under a new id. The payout named, else the one that was, or will be, sent last";
    Adjustment "adjustment" ["amount", "code"]
        "the processor puts the balance right by an amount in the account's currency, less than 0 for what the merchant owes; the code is its category";
}

/// A name of no trigger.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("there is no trigger \"{name}\"{}: there are {}", nearest(.name), names())]
pub struct UnknownTrigger {
    name: String,
}

impl FromStr for Trigger {
    type Err = UnknownTrigger;

    fn from_str(name: &str) -> Result<Self, UnknownTrigger> {
        let found = TRIGGERS.iter().find(|trigger| trigger.name == name);
        found.copied().ok_or_else(|| UnknownTrigger {
            name: name.chars().take(40).collect(),
        })
    }
}

impl fmt::Display for Trigger {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name)
    }
}

impl Serialize for Trigger {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        #[derive(Serialize)]
        struct Shown<'a> {
            name: &'a str,
            about: &'a str,
            takes: &'a [&'a str],
        }
        Shown {
            name: self.name,
            about: self.about,
            takes: self.takes,
        }
        .serialize(serializer)
    }
}

fn names() -> String {
    let names: Vec<_> = TRIGGERS.iter().map(|trigger| trigger.name).collect();
    names.join(", ")
}

/// What was probably meant, if anything comes near.
fn nearest(name: &str) -> String {
    let name = name.to_lowercase().replace(['_', ' '], "-");
    let distance = |trigger: &&Trigger| edits(&name, trigger.name);
    match TRIGGERS.iter().min_by_key(distance) {
        Some(near) if distance(&near) <= 4 => format!(", did you mean {}?", near.name),
        _ => String::new(),
    }
}

/// How many letters must be put in, left out or changed to make one text of the other.
fn edits(one: &str, other: &str) -> usize {
    let mut row: Vec<usize> = (0..=other.chars().count()).collect();
    for (i, a) in one.chars().enumerate() {
        let mut diagonal = row[0];
        row[0] = i + 1;
        for (j, b) in other.chars().enumerate() {
            let changed = diagonal + usize::from(a != b);
            diagonal = row[j + 1];
            row[j + 1] = changed.min(row[j] + 1).min(row[j + 1] + 1);
        }
    }
    row.last().copied().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_that_is_nearly_right_is_told_the_right_one() {
        for (written, meant) in [
            ("chargback", "did you mean chargeback?"),
            ("hold_expired", "did you mean hold-expired?"),
            ("Late-Fee", "did you mean late-fee?"),
            ("payout-reject", "did you mean payout-rejected?"),
        ] {
            let told = written.parse::<Trigger>().unwrap_err().to_string();
            assert!(told.contains(meant), "{told}");
        }
        let told = "explode-everything-now"
            .parse::<Trigger>()
            .unwrap_err()
            .to_string();
        assert!(
            !told.contains("did you mean") && told.contains("late-fee"),
            "{told}"
        );
    }

    #[test]
    fn edits_are_counted_as_in_the_textbook() {
        assert_eq!(edits("kitten", "sitting"), 3);
        assert_eq!(edits("", "abc"), 3);
        assert_eq!(edits("same", "same"), 0);
    }

    #[test]
    fn the_documentation_lists_every_trigger() {
        let page = include_str!("../../../../docs/sandbox.md");
        for trigger in TRIGGERS {
            let takes: Vec<_> = trigger
                .takes
                .iter()
                .map(|name| format!("`{name}`"))
                .collect();
            let row = format!(
                "| `{}` | {} | {} |",
                trigger.name,
                takes.join(", "),
                trigger.about
            );
            assert!(
                page.contains(&row),
                "docs/sandbox.md should have the line\n{row}"
            );
        }
    }
}
