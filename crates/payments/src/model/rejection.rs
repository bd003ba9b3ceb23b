//! Commands that the rules refuse: stable names, and texts that say what is wrong and what to do.

use contract::Timestamp;
use money::Currency;

/// A refused command. Nothing was changed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Rejection {
    /// No such reservation for the caller. The Open API's own text.
    #[error("Reservation Not Found")]
    ReservationNotFound,
    /// No such listing in the account.
    #[error("Listing not found")]
    ListingNotFound,
    /// No such tax in the account.
    #[error("Tax not found")]
    TaxNotFound,
    /// No such additional fee in the account.
    #[error("Additional fee not found")]
    FeeNotFound,
    /// A field whose value cannot be.
    #[error("{field}: {reason}")]
    Invalid {
        /// The field, by its dotted path.
        field: String,
        /// What is wrong with it, and what to do.
        reason: String,
    },
    /// No such payment on the reservation. The Open API's own text.
    #[error("Payment not found")]
    PaymentNotFound,
    /// No such refund of the payment.
    #[error("Refund not found")]
    RefundNotFound,
    /// No such guest in the account.
    #[error("Guest not found")]
    GuestNotFound,
    /// No such provider, or none that is active.
    #[error("Payment provider not found: the account has no active payment provider for this")]
    ProviderNotFound,
    /// The provider is not connected to its processor.
    #[error("Payment provider has no account or sub account")]
    ProviderNotSetUp,
    /// A status that a payment cannot be given by hand.
    #[error(
        "status cannot be set to {0}: CANCELLED cancels the payment, other states follow from what \
         happens to it"
    )]
    StatusNotSettable(String),
    /// No method was named. The Open API's own text.
    #[error("Method is required")]
    MethodRequired,
    /// The method's name is none of the documented ones.
    #[error(
        "paymentMethod.method \"{0}\" is not known: use STRIPE or AMARYLLIS with the id of a guest's \
         payment method, or one of {known} for money received elsewhere", known = RECORDED_METHODS.join(", ")
    )]
    UnknownMethodName(String),
    /// A card name without a stored method.
    #[error(
        "paymentMethod.id is required with {0}: list the guest's with GET /v1/guests/{{id}}/payment-methods"
    )]
    MethodIdRequired(String),
    /// A stored method together with a name for money received elsewhere.
    #[error("paymentMethod.id goes with STRIPE or AMARYLLIS only, not with {0}")]
    MethodIdNotExpected(String),
    /// No such stored method for the reservation's guest.
    #[error("Payment method not found: the reservation's guest has no payment method with this id")]
    MethodNotFound,
    /// The processor does not make a method of the card, for this reason.
    #[error("{0}. No payment method was made")]
    MethodNotMade(String),
    /// The stored method was removed or invalidated.
    #[error("This payment method is not active: use another of the guest's payment methods")]
    MethodInactive,
    /// The stored method was made for one payment and has taken it.
    #[error(
        "This payment method was saved for one payment only (saveForFutureUse is false) and has been used"
    )]
    MethodSpent,
    /// The amount cannot be one: wrong digits, too large.
    #[error("amount: {0}")]
    BadAmount(String),
    /// The provider's processor has no sub-account in the reservation's currency.
    #[error(
        "The payment provider has no sub-account in {0}: open one with the processor, or use a \
         provider that takes {0}"
    )]
    NoSubAccount(Currency),
    /// Zero or less on a payment.
    #[error(
        "amount must be more than 0; to return money, POST to /v1/reservations/{{id}}/payments/{{paymentId}}/refund"
    )]
    AmountNotPositive,
    /// Zero or less on a refund or capture.
    #[error("amount must be more than 0")]
    NothingToMove,
    /// A hold above what the guest owes.
    #[error(
        "A hold cannot be larger than the outstanding balance of the reservation, which is {balance}"
    )]
    HoldAboveBalance {
        /// What is outstanding, with its currency.
        balance: String,
    },
    /// A hold of money that was received elsewhere.
    #[error("isAuthorizationHold needs a card: use STRIPE or AMARYLLIS")]
    HoldWithoutCard,
    /// A hold for a later day.
    #[error("A hold is placed at once: leave out shouldBePaidAt, or isAuthorizationHold")]
    HoldCannotWait,
    /// A date of receipt on a card payment.
    #[error("paidAt is for money received elsewhere: a card payment gets its date from the charge")]
    PaidAtOfCard,
    /// Money received elsewhere, in the future.
    #[error("A recorded payment is money already received: paidAt cannot be in the future")]
    PaidInFuture,
    /// Money received elsewhere, to be charged later.
    #[error(
        "A recorded payment cannot be scheduled: give paidAt once the money is received, or use a card"
    )]
    RecordedCannotWait,
    /// The note is longer than the Open API takes.
    #[error("note is longer than 500 characters")]
    NoteTooLong,
    /// The payment is not one that waits for its date.
    #[error("Only a scheduled payment can be changed: this one is {0}")]
    NotScheduled(&'static str),
    /// The payment is neither scheduled nor a hold.
    #[error("Only a scheduled payment or a hold waits for its time: this one is {0}")]
    NotWaiting(&'static str),
    /// The payment is past cancelling.
    #[error("This payment is {0} and cannot be cancelled{hint}", hint = cancel_hint(.0))]
    CannotCancel(&'static str),
    /// A recorded payment, parts of which went back.
    #[error("This payment has refunds and cannot be cancelled")]
    CancelWithRefunds,
    /// The payment holds nothing.
    #[error("Only an authorization hold can be captured: this payment is {0}")]
    NotHeld(&'static str),
    /// The hold lapsed.
    #[error("The hold expired at {0}: post a new payment")]
    HoldExpired(Timestamp),
    /// More than is held.
    #[error("The hold is {held}: no more than that can be captured")]
    CaptureTooLarge {
        /// What is held, with its currency.
        held: String,
    },
    /// The payment brought nothing in.
    #[error("Only a payment that succeeded can be refunded: this one is {0}")]
    NotRefundable(&'static str),
    /// More than is left.
    #[error("The refund is larger than what is left to refund of this payment, which is {left}")]
    RefundTooLarge {
        /// What is left, with its currency.
        left: String,
    },
    /// The refund is past cancelling.
    #[error("Only a refund that waits for its date can be cancelled: this one is {0}")]
    RefundNotScheduled(&'static str),
    /// A call of the processor for this payment has not been answered yet.
    #[error("The processor is still working on this payment: try again in a moment")]
    InProgress,
    /// No such subscription in the account.
    #[error("Webhook not found")]
    WebhookNotFound,
    /// Nobody in the account subscribes with this url.
    #[error("Webhook not found: no webhook of the account has exactly this url")]
    WebhookUrlNotFound,
    /// No such attempt of the subscription, or no longer.
    #[error("Webhook attempt not found: it is not one of this webhook's, or its time is over")]
    WebhookAttemptNotFound,
    /// As many subscriptions as an account may have.
    #[error(
        "An account may have {0} webhooks, and this one has no room for another: delete one, or change the events of one"
    )]
    TooManyWebhooks(u32),
    /// A subscription that was given up.
    #[error("This webhook is disabled: PUT its events to enable it again")]
    WebhookDisabled,
    /// The answer or the date concerns an attempt that has ended.
    #[error("this attempt has ended")]
    AttemptEnded,
}

/// How money can be received elsewhere (facts: the Open API's enum, and `RECORDED_CASH`, which
/// took the place of `CASH` in March 2026).
pub(crate) const RECORDED_METHODS: [&str; 11] = [
    "CASH",
    "RECORDED_CASH",
    "CREDIT",
    "DEBIT",
    "ECHECK",
    "AIRBNB",
    "BANK_TRANSFER",
    "CREDIT_NOTE",
    "VOUCHER",
    "CHECK",
    "OTHER",
];

fn cancel_hint(state: &str) -> &'static str {
    if state == "SUCCEEDED" {
        ": refund it instead"
    } else {
        ""
    }
}

impl Rejection {
    /// A field whose value cannot be.
    pub(crate) fn invalid(field: impl Into<String>, reason: impl Into<String>) -> Self {
        Self::Invalid {
            field: field.into(),
            reason: reason.into(),
        }
    }

    /// Whether the command named something that does not exist.
    pub fn is_missing(&self) -> bool {
        matches!(
            self,
            Self::ReservationNotFound
                | Self::PaymentNotFound
                | Self::RefundNotFound
                | Self::GuestNotFound
                | Self::ListingNotFound
                | Self::WebhookNotFound
                | Self::WebhookUrlNotFound
                | Self::WebhookAttemptNotFound
                | Self::TaxNotFound
                | Self::FeeNotFound
        )
    }
}
