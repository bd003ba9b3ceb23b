//! The cards of the sandbox, and what each of them does: one table. `docs/sandbox.md` prints it.

use super::declines::{self, Decline};
use crate::TransactionKind;

/// What happens when a card is asked for something.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Outcome {
    Approved,
    Declined(&'static Decline),
    /// Declined the first time, approved from then on.
    DeclinedOnce(&'static Decline),
    AuthenticationRequired,
    /// Executed, but the answer never arrives. It can be looked up.
    AnswerLost,
    /// Neither executed nor answered.
    RequestLost,
    /// The processor says that it cannot serve now, and executes nothing.
    Unavailable,
}

/// A test card under the name of its token.
#[derive(Debug)]
pub(crate) struct Token {
    pub(crate) name: &'static str,
    pub(crate) card: Card,
    verify: Outcome,
    charge: Outcome,
    hold: Outcome,
    capture: Outcome,
    void: Outcome,
    refund: Outcome,
    /// Whether the card holder disputes what was taken, once it is settled.
    pub(crate) disputes: bool,
}

/// A card, without its number.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Card {
    pub(crate) brand: &'static str,
    pub(crate) funding: &'static str,
    pub(crate) country: &'static str,
    pub(crate) bin: &'static str,
    pub(crate) last4: &'static str,
}

impl Token {
    /// A card that approves everything, but for what the functions below change.
    const fn new(name: &'static str, card: Card) -> Self {
        use Outcome::Approved;
        Self {
            name,
            card,
            verify: Approved,
            charge: Approved,
            hold: Approved,
            capture: Approved,
            void: Approved,
            refund: Approved,
            disputes: false,
        }
    }

    const fn on_verify(self, outcome: Outcome) -> Self {
        Self {
            verify: outcome,
            ..self
        }
    }

    const fn on_hold(self, outcome: Outcome) -> Self {
        Self {
            hold: outcome,
            ..self
        }
    }

    const fn on_refund(self, outcome: Outcome) -> Self {
        Self {
            refund: outcome,
            ..self
        }
    }

    const fn disputed(self) -> Self {
        Self {
            disputes: true,
            ..self
        }
    }

    /// Charges and holds alike.
    const fn on_payment(self, outcome: Outcome) -> Self {
        Self {
            charge: outcome,
            hold: outcome,
            ..self
        }
    }

    /// Everything but making the method.
    const fn on_everything(self, outcome: Outcome) -> Self {
        Self {
            capture: outcome,
            void: outcome,
            refund: outcome,
            ..self
        }
        .on_payment(outcome)
    }

    /// What this card does when it is asked for a transaction of this kind. A refund is asked for as
    /// one, whether it becomes a refund or a void.
    pub(crate) const fn outcome(&self, asked: TransactionKind) -> Outcome {
        match asked.whole() {
            TransactionKind::Verify => self.verify,
            TransactionKind::Charge => self.charge,
            TransactionKind::Authorization => self.hold,
            TransactionKind::Capture => self.capture,
            TransactionKind::Void => self.void,
            TransactionKind::Refund | TransactionKind::Credit => self.refund,
            // Nobody asks the card.
            _ => Outcome::Approved,
        }
    }
}

/// The card of that name. Stripe's names of cards that decline are known with and without `visa_`.
pub(crate) fn by_name(name: &str) -> Option<&'static Token> {
    let short = name
        .strip_prefix("pm_card_visa_")
        .filter(|rest| rest.starts_with("chargeDeclined"))
        .map(|rest| format!("pm_card_{rest}"));
    let name = short.as_deref().unwrap_or(name);
    TOKENS.iter().find(|token| token.name == name)
}

const fn card(
    brand: &'static str,
    funding: &'static str,
    country: &'static str,
    bin: &'static str,
    last4: &'static str,
) -> Card {
    Card {
        brand,
        funding,
        country,
        bin,
        last4,
    }
}

const fn visa(last4: &'static str) -> Card {
    card("visa", "credit", "US", "400000", last4)
}

/// Every card there is. Names, once shipped, stay: stored methods carry them.
pub(crate) static TOKENS: &[Token] = &[
    // Stripe's: approved.
    Token::new(
        "pm_card_visa",
        card("visa", "credit", "US", "424242", "4242"),
    ),
    Token::new(
        "pm_card_visa_debit",
        card("visa", "debit", "US", "400005", "5556"),
    ),
    Token::new(
        "pm_card_mastercard",
        card("mastercard", "credit", "US", "555555", "4444"),
    ),
    Token::new(
        "pm_card_mastercard_debit",
        card("mastercard", "debit", "US", "520082", "8210"),
    ),
    Token::new(
        "pm_card_mastercard_prepaid",
        card("mastercard", "prepaid", "US", "510510", "5100"),
    ),
    Token::new(
        "pm_card_amex",
        card("amex", "credit", "US", "378282", "0005"),
    ),
    Token::new(
        "pm_card_discover",
        card("discover", "credit", "US", "601111", "1117"),
    ),
    Token::new(
        "pm_card_diners",
        card("diners", "credit", "US", "305693", "0004"),
    ),
    Token::new("pm_card_jcb", card("jcb", "credit", "JP", "356600", "0505")),
    Token::new(
        "pm_card_unionpay",
        card("unionpay", "credit", "CN", "620000", "0005"),
    ),
    // Stripe's: declined.
    Token::new("pm_card_chargeDeclined", visa("0002"))
        .on_payment(Outcome::Declined(&declines::GENERIC)),
    Token::new("pm_card_chargeDeclinedInsufficientFunds", visa("9995"))
        .on_payment(Outcome::Declined(&declines::INSUFFICIENT_FUNDS)),
    Token::new("pm_card_chargeDeclinedLostCard", visa("9987"))
        .on_payment(Outcome::Declined(&declines::LOST_CARD)),
    Token::new("pm_card_chargeDeclinedStolenCard", visa("9979"))
        .on_payment(Outcome::Declined(&declines::STOLEN_CARD)),
    Token::new("pm_card_chargeDeclinedExpiredCard", visa("0069"))
        .on_payment(Outcome::Declined(&declines::EXPIRED_CARD)),
    Token::new("pm_card_chargeDeclinedIncorrectCvc", visa("0127"))
        .on_payment(Outcome::Declined(&declines::INCORRECT_CVC)),
    Token::new("pm_card_chargeDeclinedProcessingError", visa("0119"))
        .on_payment(Outcome::Declined(&declines::PROCESSING_ERROR)),
    Token::new("pm_card_chargeDeclinedVelocityLimitExceeded", visa("6975"))
        .on_payment(Outcome::Declined(&declines::VELOCITY_EXCEEDED)),
    Token::new("pm_card_chargeCustomerFail", visa("0341"))
        .on_payment(Outcome::Declined(&declines::GENERIC)),
    // Stripe's: the card holder's bank wants to ask them.
    Token::new(
        "pm_card_authenticationRequired",
        card("visa", "credit", "DE", "400000", "3184"),
    )
    .on_payment(Outcome::AuthenticationRequired),
    Token::new(
        "pm_card_authenticationRequiredOnSetup",
        card("visa", "credit", "FR", "400000", "3155"),
    )
    .on_verify(Outcome::AuthenticationRequired),
    // Asks only when it was not set up, and making a stored method sets it up.
    Token::new(
        "pm_card_authenticationRequiredSetupForOffSession",
        card("visa", "credit", "FR", "400000", "3155"),
    ),
    // Stripe's: trouble after the charge.
    Token::new("pm_card_createDispute", visa("0259")).disputed(),
    Token::new("pm_card_refundFail", visa("5126"))
        .on_refund(Outcome::Declined(&declines::REFUND_DENIED)),
    Token::new("pm_card_pendingRefund", visa("7726")).on_refund(Outcome::AnswerLost),
    // Ours.
    Token::new("pm_card_insufficientFundsThenApproved", visa("1308"))
        .on_payment(Outcome::DeclinedOnce(&declines::INSUFFICIENT_FUNDS)),
    Token::new("pm_card_noAnswer", visa("1001")).on_everything(Outcome::AnswerLost),
    Token::new("pm_card_noAnswerNotExecuted", visa("1002")).on_payment(Outcome::RequestLost),
    Token::new("pm_card_processorUnavailable", visa("1003")).on_payment(Outcome::Unavailable),
    Token::new(
        "pm_card_holdNotAllowed",
        card("mastercard", "prepaid", "US", "510510", "1029"),
    )
    .on_hold(Outcome::Declined(&declines::HOLD_NOT_ALLOWED)),
    Token::new("pm_card_verifyDeclined", visa("1400"))
        .on_verify(Outcome::Declined(&declines::NOT_VERIFIED)),
];

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;
    use crate::DeclineClass;

    fn told(outcome: Outcome) -> String {
        let why = |decline: &Decline| {
            let class = match decline.class {
                DeclineClass::Hard => "hard",
                DeclineClass::Soft => "soft",
                DeclineClass::NeedsCardholder => "needs the card holder",
            };
            format!("`{}` / {}, {class}", decline.reason_code, decline.error_id)
        };
        match outcome {
            Outcome::Approved => "approved".to_owned(),
            Outcome::Declined(decline) => format!("declined: {}", why(decline)),
            Outcome::DeclinedOnce(decline) => {
                format!("declined once: {}; then approved", why(decline))
            }
            Outcome::AuthenticationRequired => "asks the card holder".to_owned(),
            Outcome::AnswerLost => "executed, no answer".to_owned(),
            Outcome::RequestLost => "not executed, no answer".to_owned(),
            Outcome::Unavailable => "not executed, unavailable".to_owned(),
        }
    }

    fn documented(token: &Token) -> String {
        let Token { name, card, .. } = token;
        let card = format!("{} {} ••{}", card.brand, card.funding, card.last4);
        let [verify, charge, hold, capture, refund] = [
            token.verify,
            token.charge,
            token.hold,
            token.capture,
            token.refund,
        ]
        .map(told);
        format!("| `{name}` | {card} | {verify} | {charge} | {hold} | {capture} | {refund} |")
    }

    #[test]
    fn the_documentation_lists_every_card_with_all_that_it_does() {
        let page = include_str!("../../../../docs/sandbox.md");
        let listed: Vec<_> = page
            .lines()
            .filter(|line| line.starts_with("| `pm_"))
            .collect();
        let table: Vec<_> = TOKENS.iter().map(documented).collect();
        assert_eq!(
            listed,
            table,
            "docs/sandbox.md should read:\n{}",
            table.join("\n")
        );
    }

    #[test]
    fn what_a_card_does_on_capture_it_does_on_release() {
        // So the documentation has one column for both.
        assert!(TOKENS.iter().all(|token| token.capture == token.void));
    }

    #[test]
    fn a_name_names_one_card() {
        let names: HashSet<_> = TOKENS.iter().map(|token| token.name).collect();
        assert_eq!(names.len(), TOKENS.len());
    }
}
