//! Reasons to decline, each with its number at GuestyPay and its codes at Stripe.

use crate::DeclineClass::{self, Hard, NeedsCardholder, Soft};

/// A reason to decline. Its `error_id` alone is kept in the books.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Decline {
    /// GuestyPay's number, unique in this table.
    pub(crate) error_id: &'static str,
    /// GuestyPay's words.
    pub(crate) text: &'static str,
    /// Stripe's error code.
    pub(crate) code: &'static str,
    /// Stripe's `decline_code`, which says more.
    pub(crate) reason_code: &'static str,
    /// Stripe's words.
    pub(crate) message: &'static str,
    /// Whether trying again can help.
    pub(crate) class: DeclineClass,
}

macro_rules! declines {
    ($($name:ident: $error_id:literal $text:literal, $code:literal $reason_code:literal $message:literal, $class:ident;)+) => {
        $(pub(crate) static $name: Decline = Decline {
            error_id: $error_id,
            text: $text,
            code: $code,
            reason_code: $reason_code,
            message: $message,
            class: $class,
        };)+
        static ALL: &[&Decline] = &[$(&$name),+];
    };
}

declines! {
    GENERIC: "10004" "General refusal - issuer response",
        "card_declined" "generic_decline" "Your card was declined.", Soft;
    INSUFFICIENT_FUNDS: "10308" "Insufficient funds",
        "card_declined" "insufficient_funds" "Your card has insufficient funds.", Soft;
    LOST_CARD: "10001" "Blocked - issuer response",
        "card_declined" "lost_card" "Your card was declined.", Hard;
    STOLEN_CARD: "10002" "Stolen - issuer response",
        "card_declined" "stolen_card" "Your card was declined.", Hard;
    EXPIRED_CARD: "10011" "Card expired",
        "expired_card" "expired_card" "Your card has expired.", Hard;
    INCORRECT_CVC: "10006" "CVV2 value invalid",
        "incorrect_cvc" "incorrect_cvc" "Your card's security code is incorrect.", Hard;
    PROCESSING_ERROR: "20200" "Transaction rejected by clearing system",
        "processing_error" "processing_error"
        "An error occurred while processing your card. Try again in a little bit.", Soft;
    VELOCITY_EXCEEDED: "10306" "Exceeds withdrawal limit",
        "card_declined" "card_velocity_exceeded" "Your card was declined for making repeated attempts too frequently.", Soft;
    HOLD_NOT_ALLOWED: "10029" "Transaction type not allowed for this type of card",
        "card_declined" "transaction_not_allowed" "Your card does not support this type of purchase.", Hard;
    NOT_VERIFIED: "20400" "Transaction declined",
        "card_declined" "do_not_honor" "Your card was declined.", Soft;
    REFUND_DENIED: "10329" "Refund denied",
        "card_declined" "service_not_allowed" "Your card does not accept refunds.", Hard;
    AUTHENTICATION_REQUIRED: "20300" "Transaction rejected by ThreeDSecure",
        "authentication_required" "authentication_required"
        "Your card was declined. This transaction requires authentication.", NeedsCardholder;
}

/// The decline of this number.
pub(crate) fn by_error_id(error_id: &str) -> Option<&'static Decline> {
    ALL.iter()
        .copied()
        .find(|decline| decline.error_id == error_id)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_names_one_decline() {
        for decline in ALL {
            assert_eq!(by_error_id(decline.error_id), Some(*decline));
        }
    }

    #[test]
    fn no_authorization_code_can_be_taken_for_a_decline() {
        // Authorization codes have six digits.
        assert!(ALL.iter().all(|decline| decline.error_id.len() == 5));
    }
}
