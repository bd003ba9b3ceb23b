//! What can be asked of a folio, and what can happen to it.

use contract::Timestamp;
use contract::id::{AttemptId, PaymentId, RefundId};
use money::{Decimal, Money};

use super::auto_payment::Dates;
use super::payment::{Attempt, Auto, Method, Payment, Reference, Refund, Source, State};

/// Something asked of a folio. Ids are given by the caller: the rules make none.
#[derive(Debug, Clone)]
pub(crate) enum Command {
    /// Post a payment.
    Post(PostPayment),
    /// Change a scheduled payment.
    Edit(Edit),
    /// Cancel a scheduled or recorded payment, or release a hold.
    Cancel {
        payment: PaymentId,
        attempt: AttemptId,
    },
    /// Capture a hold, whole or in part.
    Capture(Capture),
    /// Refund a payment, whole or in part, now or later.
    Refund(RefundPayment),
    /// Cancel a refund that waits for its date.
    CancelRefund {
        payment: PaymentId,
        refund: RefundId,
    },
    /// A scheduled payment's date has come.
    PaymentDue {
        payment: PaymentId,
        attempt: AttemptId,
    },
    /// A scheduled refund's date has come.
    RefundDue {
        payment: PaymentId,
        refund: RefundId,
        attempt: AttemptId,
    },
    /// A hold's last instant has come.
    Expire { payment: PaymentId },
    /// A scheduled payment's date, or a hold's last instant, is to come now.
    Hasten { payment: PaymentId },
    /// The reservation was confirmed or changed: automatic payments follow it.
    Arrange(Arrange),
    /// The reservation was cancelled: automatic payments are called off.
    CallOff,
    /// An automatic payment's date has come, and there is no way to charge it.
    Refuse { payment: PaymentId, reason: String },
    /// The processor has not answered an attempt.
    Unanswered {
        payment: PaymentId,
        attempt: AttemptId,
    },
    /// The processor has answered an attempt.
    Answer {
        payment: PaymentId,
        attempt: AttemptId,
        kind: AttemptKind,
        outcome: Outcome,
    },
}

/// A payment to post.
#[derive(Debug, Clone)]
pub(crate) struct PostPayment {
    pub(crate) id: PaymentId,
    pub(crate) attempt: AttemptId,
    /// The name given for the method: `STRIPE`, `AMARYLLIS`, `CASH`, …
    pub(crate) method_name: String,
    /// Whether a method's id was given.
    pub(crate) names_method: bool,
    /// The method, if it exists in the account.
    pub(crate) method: Option<Method>,
    pub(crate) amount: Decimal,
    pub(crate) due: Option<Timestamp>,
    pub(crate) paid: Option<Timestamp>,
    pub(crate) note: Option<String>,
    pub(crate) is_hold: bool,
}

/// A change of a scheduled payment: what is `None` stays.
#[derive(Debug, Clone)]
pub(crate) struct Edit {
    pub(crate) payment: PaymentId,
    pub(crate) attempt: AttemptId,
    pub(crate) amount: Option<Decimal>,
    pub(crate) due: Option<Timestamp>,
    pub(crate) note: Option<String>,
    /// Another stored method: whether one was named, and what it is if it exists.
    pub(crate) names_method: bool,
    pub(crate) method: Option<Method>,
}

/// A capture of a hold; without an amount, of the whole.
#[derive(Debug, Clone)]
pub(crate) struct Capture {
    pub(crate) payment: PaymentId,
    pub(crate) attempt: AttemptId,
    pub(crate) amount: Option<Decimal>,
}

/// A refund to make.
#[derive(Debug, Clone)]
pub(crate) struct RefundPayment {
    pub(crate) payment: PaymentId,
    pub(crate) id: RefundId,
    pub(crate) attempt: AttemptId,
    pub(crate) amount: Decimal,
    pub(crate) due: Option<Timestamp>,
    pub(crate) note: Option<String>,
}

/// What automatic payments follow, beside the folio.
#[derive(Debug, Clone)]
pub(crate) struct Arrange {
    pub(crate) dates: Dates,
    /// The guest's methods that can be charged more than once, the newest first; without those that
    /// were declined for good.
    pub(crate) cards: Vec<Method>,
    /// Ids for new payments: as many as the policy has instalments.
    pub(crate) ids: Vec<PaymentId>,
}

/// What a processor is asked to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum AttemptKind {
    Charge,
    Hold,
    Capture,
    Void,
    Refund,
}

impl AttemptKind {
    /// The name in the database.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Charge => "CHARGE",
            Self::Hold => "HOLD",
            Self::Capture => "CAPTURE",
            Self::Void => "VOID",
            Self::Refund => "REFUND",
        }
    }
}

/// What came of an attempt.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Outcome {
    Approved {
        reference: Reference,
        hold_expires: Option<Timestamp>,
    },
    Declined {
        reason: String,
        /// Whether the card must never be tried again.
        is_hard: bool,
    },
    AuthenticationRequired {
        url: String,
    },
}

impl Outcome {
    pub(crate) fn is_approved(&self) -> bool {
        matches!(self, Self::Approved { .. })
    }
}

/// What happened to a folio.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Event {
    /// A payment was posted.
    Posted(Payment),
    /// Somebody changed the payments by hand.
    Touched,
    /// A scheduled payment was changed; all values are the new ones.
    Edited {
        payment: PaymentId,
        amount: Money,
        due: Option<Timestamp>,
        note: Option<String>,
        source: Source,
        auto: Option<Auto>,
    },
    /// An automatic payment must not be tried again.
    LastTry { payment: PaymentId },
    /// An automatic payment could not be charged when its date came.
    Refused { payment: PaymentId, reason: String },
    /// The processor is about to be asked; the payment enters `state`.
    AttemptStarted {
        payment: PaymentId,
        refund: Option<RefundId>,
        attempt: Attempt,
        kind: AttemptKind,
        amount: Money,
        state: State,
    },
    /// The processor did not answer; the attempt stays open.
    AttemptUnknown {
        payment: PaymentId,
        refund: Option<RefundId>,
        attempt: Attempt,
    },
    /// The processor answered; the payment enters `state`.
    Answered {
        payment: PaymentId,
        refund: Option<RefundId>,
        attempt: AttemptId,
        kind: AttemptKind,
        outcome: Outcome,
        state: State,
        at: Timestamp,
    },
    /// A scheduled or recorded payment was cancelled.
    Cancelled { payment: PaymentId },
    /// A hold ends at another instant than it was to.
    HoldEnds { payment: PaymentId, at: Timestamp },
    /// A hold lapsed.
    Expired { payment: PaymentId },
    /// A refund was asked for.
    RefundPosted { payment: PaymentId, refund: Refund },
    /// A refund of a recorded payment was recorded.
    RefundRecorded {
        payment: PaymentId,
        refund: RefundId,
        at: Timestamp,
    },
    /// A refund could no longer be made when its date came.
    RefundFailed {
        payment: PaymentId,
        refund: RefundId,
        reason: String,
    },
    /// A refund was called off.
    RefundCancelled {
        payment: PaymentId,
        refund: RefundId,
    },
}
