//! What a processor says to a request that it has understood: approved or not.

use contract::Timestamp;
use money::Money;
use serde_json::Value;

use crate::{MethodToken, TransactionId};

/// A processor's answer, final for its attempt key.
#[derive(Debug, Clone, PartialEq)]
pub struct Answer {
    /// The transaction that the attempt made.
    pub transaction_id: TransactionId,
    /// What the guest and the host are shown: the PaymentIntent's id, or the transaction's.
    pub confirmation: String,
    /// The stored method that was used, or made.
    pub method: MethodToken,
    /// The amount of this transaction, whatever became of it.
    pub amount: Money,
    /// Whether it went through.
    pub verdict: Verdict,
    /// The card.
    pub card: CardFacts,
    /// From this instant on, an approved hold can no longer be captured.
    pub hold_expires_at: Option<Timestamp>,
    /// When the processor processed it, in business time.
    pub processed_at: Timestamp,
    /// The reply in the processor's own words.
    pub raw: Value,
}

/// What the card's bank, or the processor, decided.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    /// It went through.
    Approved {
        /// The bank's code.
        authorization_code: String,
    },
    /// It did not, and no money moved.
    Declined {
        /// The processor's code, such as `insufficient_funds` or `10308`.
        code: String,
        /// The same in words.
        reason: String,
        /// Whether trying again can help.
        class: DeclineClass,
    },
    /// It did not yet: the bank wants the card holder to confirm first.
    AuthenticationRequired {
        /// Where the card holder confirms.
        url: String,
    },
}

/// What can be done about a decline.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum DeclineClass {
    /// Nothing with this card: never try again.
    Hard,
    /// Try again later.
    Soft,
    /// The card holder must act.
    NeedsCardholder,
}

/// What may be known of a card without its number.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CardFacts {
    /// The network's name in lower case, such as `visa`.
    pub brand: String,
    /// The last four digits.
    pub last4: String,
    /// The first six digits.
    pub bin: String,
    /// Month of expiry, from 1.
    pub exp_month: u8,
    /// Year of expiry, in full.
    pub exp_year: u16,
    /// `credit`, `debit` or `prepaid`.
    pub funding: String,
    /// Where it was issued, by the country's two letters.
    pub country: String,
}
