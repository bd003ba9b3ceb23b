//! Why the sandbox executes nothing: of a refused request there is no trace in its books.

use money::{Currency, Money};

use crate::Failure;

/// A request that the sandbox does not execute.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Refusal {
    #[error("attempt keys have 1 to 255 characters, none of them a control character")]
    InvalidKey,
    #[error("the attempt key was used already, for another request: give each attempt its own key")]
    KeyReused,
    #[error("a merchant's name has 1 to 100 characters")]
    InvalidName,
    #[error("{0} is given twice: a merchant has one sub-account for each currency")]
    CurrencyTwice(Currency),
    #[error("the sandbox has no number left for another merchant")]
    TooManyMerchants,
    #[error("there is no merchant {0}")]
    UnknownMerchant(String),
    #[error("the merchant has no sub-account in {0}: charge in a currency that it has")]
    NoSubAccount(Currency),
    #[error("the merchant has no sub-account")]
    NoSubAccounts,
    #[error("there is no sub-account {0}")]
    UnknownSubAccount(String),
    #[error("\"{0}\" is no token of the sandbox: give one that its documentation lists")]
    UnknownToken(String),
    #[error("the method {0} is stored already")]
    MethodExists(String),
    #[error("the merchant has no stored method {0}")]
    UnknownMethod(String),
    #[error("the merchant has no transaction {0}")]
    UnknownTransaction(String),
    #[error("the amount must be more than nothing, not {0}")]
    InvalidAmount(Money),
    #[error("{0} cannot be charged on this method: {1}")]
    UnsupportedAmount(Money, &'static str),
    #[error("the amount is in {given}, the transaction in {expected}: give it in {expected}")]
    OtherCurrency { given: Currency, expected: Currency },
    #[error("the transaction is not an approved hold")]
    NotAHold,
    #[error("the hold is released already")]
    HoldReleased,
    #[error("the hold has expired")]
    HoldExpired,
    #[error("the hold is captured already, and a hold is captured once")]
    AlreadyCaptured,
    #[error("{asked} is more than the {held} that are held")]
    CaptureTooLarge { asked: Money, held: Money },
    #[error("only an approved charge or a captured hold can be refunded")]
    NotRefundable,
    #[error("{asked} is more than the {left} that are left to refund")]
    RefundTooLarge { asked: Money, left: Money },
    #[error("all of it is refunded already")]
    AlreadyRefunded,
    #[error(
        "the sale is charged back, so there is nothing to refund (30007): win the dispute first"
    )]
    ChargedBack,
    #[error("only an approved charge or a captured hold can be disputed")]
    NotDisputable,
    #[error("nothing is left to dispute: all of it is refunded or charged back")]
    NothingToDispute,
    #[error("the sale is not settled yet, so it cannot be disputed: wait for the end of its day")]
    NotSettled,
    #[error("the case {0} was opened already, for another sale or another reason")]
    DisputeExists(String),
    #[error("a dispute has a case id of 1 to 100 characters and a reason of 1 to 20")]
    InvalidDispute,
    #[error("the merchant has no chargeback {0}")]
    UnknownChargeback(String),
    #[error("the dispute was won already")]
    DisputeWon,
    #[error("the dispute was lost already")]
    DisputeLost,
    #[error("{0} is no method of GuestyPay: only these can be credited without a sale")]
    NoCredit(String),
    #[error("the sub-account has no payout {0}")]
    UnknownPayout(String),
    #[error("only a payout that was processed before can be rejected, and each only once")]
    PayoutNotProcessed,
    #[error("only a payout that is pending or was processed before can be declined")]
    PayoutNotDeclinable,
    #[error(
        "{0} is nothing that a card is asked for: name Charge, Authorization, Capture, Void, Refund or Credit"
    )]
    NotAskedOfCards(&'static str),
    #[error("{0} is no decline of the sandbox: give a number that its documentation lists")]
    UnknownDecline(String),
    #[error("\"{0}\" is no return code of a bank: give one such as R02")]
    InvalidReturnCode(String),
    #[error("an adjustment has an amount other than nothing, in the sub-account's currency")]
    InvalidAdjustment,
    #[error("the adjustment {0} was made already, with another amount or category")]
    AdjustmentExists(String),
    #[error("an adjustment has an id and a category of 1 to 255 characters")]
    InvalidAdjustmentName,
    #[error("the sub-account's sums are more than can be counted")]
    SumTooLarge,
}

impl Refusal {
    /// A stable name.
    pub(crate) const fn code(&self) -> &'static str {
        match self {
            Self::InvalidKey => "invalid_key",
            Self::KeyReused => "key_reused",
            Self::InvalidName => "invalid_name",
            Self::CurrencyTwice(_) => "currency_twice",
            Self::TooManyMerchants => "too_many_merchants",
            Self::UnknownMerchant(_) => "unknown_merchant",
            Self::NoSubAccount(_) | Self::NoSubAccounts => "no_sub_account",
            Self::UnknownSubAccount(_) => "unknown_sub_account",
            Self::UnknownToken(_) => "unknown_token",
            Self::MethodExists(_) => "method_exists",
            Self::UnknownMethod(_) => "unknown_method",
            Self::UnknownTransaction(_) => "unknown_transaction",
            Self::InvalidAmount(_) => "invalid_amount",
            Self::UnsupportedAmount(..) => "unsupported_amount",
            Self::OtherCurrency { .. } => "other_currency",
            Self::NotAHold => "not_a_hold",
            Self::HoldReleased => "hold_released",
            Self::HoldExpired => "hold_expired",
            Self::AlreadyCaptured => "already_captured",
            Self::CaptureTooLarge { .. } => "capture_too_large",
            Self::NotRefundable => "not_refundable",
            Self::RefundTooLarge { .. } => "refund_too_large",
            Self::AlreadyRefunded => "already_refunded",
            Self::ChargedBack => "charged_back",
            Self::NotDisputable => "not_disputable",
            Self::NothingToDispute => "nothing_to_dispute",
            Self::NotSettled => "not_settled",
            Self::DisputeExists(_) => "dispute_exists",
            Self::InvalidDispute => "invalid_dispute",
            Self::UnknownChargeback(_) => "unknown_chargeback",
            Self::DisputeWon => "dispute_won",
            Self::DisputeLost => "dispute_lost",
            Self::NoCredit(_) => "no_credit",
            Self::UnknownPayout(_) => "unknown_payout",
            Self::PayoutNotProcessed => "payout_not_processed",
            Self::PayoutNotDeclinable => "payout_not_declinable",
            Self::NotAskedOfCards(_) => "not_asked_of_cards",
            Self::UnknownDecline(_) => "unknown_decline",
            Self::InvalidReturnCode(_) => "invalid_return_code",
            Self::InvalidAdjustment | Self::InvalidAdjustmentName => "invalid_adjustment",
            Self::AdjustmentExists(_) => "adjustment_exists",
            Self::SumTooLarge => "sum_too_large",
        }
    }
}

impl From<Refusal> for Failure {
    fn from(refusal: Refusal) -> Self {
        Self::Refused {
            code: refusal.code(),
            message: refusal.to_string(),
        }
    }
}
