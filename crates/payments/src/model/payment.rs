//! A payment and its refunds, as the rules see them.

use chrono::Duration;
use contract::Timestamp;
use contract::id::{AttemptId, GuestId, PaymentId, PaymentMethodId, RefundId};
use money::Money;

/// A payment on a reservation, planned or made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Payment {
    pub(crate) id: PaymentId,
    pub(crate) source: Source,
    /// As posted; of a hold, what is held.
    pub(crate) amount: Money,
    pub(crate) state: State,
    pub(crate) is_hold: bool,
    /// When it is to be charged, or was.
    pub(crate) due: Option<Timestamp>,
    /// When the money came in.
    pub(crate) paid: Option<Timestamp>,
    /// When a hold lapses.
    pub(crate) expires: Option<Timestamp>,
    /// What was captured of a hold.
    pub(crate) captured: Option<Money>,
    pub(crate) note: Option<String>,
    /// What the processor calls it, once it has gone through.
    pub(crate) reference: Option<Reference>,
    /// Where the guest confirms with their bank, while that is needed.
    pub(crate) authentication_url: Option<String>,
    /// The processor call under way, or unanswered, on the payment itself.
    pub(crate) attempt: Option<Attempt>,
    /// Of an automatic payment: what it is for the policy that made it.
    pub(crate) auto: Option<Auto>,
    pub(crate) created: Timestamp,
    pub(crate) refunds: Vec<Refund>,
}

/// A payment that a policy made, as long as nobody has changed it by hand.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Auto {
    /// Its instalment's place in the policy.
    pub(crate) place: usize,
    /// How often the card may still be tried.
    pub(crate) tries_left: u8,
}

impl Auto {
    /// How often a card is tried (facts: Guesty's help centre).
    pub(crate) const TRIES: u8 = 3;
    /// How long after a decline it is tried again.
    pub(crate) const TRY_AGAIN_AFTER: Duration = Duration::hours(1);

    /// The payment of an instalment, not yet tried.
    pub(crate) const fn new(place: usize) -> Self {
        Self {
            place,
            tries_left: Self::TRIES,
        }
    }
}

/// A processor's names for what it did.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Reference {
    /// The transaction that a capture or refund must refer to.
    pub(crate) transaction: String,
    /// The id that people are shown.
    pub(crate) confirmation: String,
}

/// Where the money comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Source {
    /// A stored method, charged through a processor. The name is `STRIPE` or `AMARYLLIS`.
    Card {
        method: PaymentMethodId,
        name: String,
    },
    /// Received elsewhere and recorded here: `CHECK`, `BANK_TRANSFER`, …
    Recorded { name: String },
}

/// Where a payment stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum State {
    /// Waits for its date.
    Scheduled,
    /// A charge or hold is under way, or unanswered.
    Processing,
    /// The guest must confirm with their bank.
    AwaitingGuest,
    /// The amount is held.
    Held,
    /// A capture of the hold is under way, or unanswered.
    Capturing,
    /// A release of the hold is under way, or unanswered.
    Releasing,
    /// The money came in.
    Succeeded,
    /// It did not.
    Failed,
    /// Called off, or a hold released.
    Cancelled,
    /// A hold that nobody captured in time.
    Expired,
}

impl State {
    /// Every state.
    pub(crate) const ALL: [Self; 10] = [
        Self::Scheduled,
        Self::Processing,
        Self::AwaitingGuest,
        Self::Held,
        Self::Capturing,
        Self::Releasing,
        Self::Succeeded,
        Self::Failed,
        Self::Cancelled,
        Self::Expired,
    ];

    /// The name in the database.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Scheduled => "SCHEDULED",
            Self::Processing => "PROCESSING",
            Self::AwaitingGuest => "AWAITING_GUEST",
            Self::Held => "HELD",
            Self::Capturing => "CAPTURING",
            Self::Releasing => "RELEASING",
            Self::Succeeded => "SUCCEEDED",
            Self::Failed => "FAILED",
            Self::Cancelled => "CANCELLED",
            Self::Expired => "EXPIRED",
        }
    }

    /// The Open API's name: it has fewer, and none for what is under way.
    pub(crate) const fn public_name(self) -> &'static str {
        match self {
            Self::Scheduled | Self::Processing => "PENDING",
            Self::AwaitingGuest => "PENDING_AUTH",
            Self::Held | Self::Capturing | Self::Releasing => "AUTHORIZATION_HOLD_SUCCEEDED",
            Self::Succeeded => "SUCCEEDED",
            Self::Failed => "FAILED",
            Self::Cancelled | Self::Expired => "CANCELLED",
        }
    }
}

/// A processor call that has no final answer yet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Attempt {
    pub(crate) id: AttemptId,
    pub(crate) started: Timestamp,
    /// When to ask the processor what became of it.
    pub(crate) ask_again: Timestamp,
}

impl Attempt {
    /// How long an attempt may go without an answer before the processor is asked.
    const ANSWER_OVERDUE: Duration = Duration::minutes(2);

    /// An attempt that is about to be made.
    pub(crate) fn starting(id: AttemptId, now: Timestamp) -> Self {
        Self {
            id,
            started: now,
            ask_again: now + Self::ANSWER_OVERDUE,
        }
    }

    /// Asked in vain: after twice the time that has gone by already, ask again.
    pub(crate) fn asked(self, now: Timestamp) -> Self {
        let waited = (now - self.started).max(Self::ANSWER_OVERDUE);
        Self {
            ask_again: now + waited,
            ..self
        }
    }
}

/// A refund of a payment, planned or made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Refund {
    pub(crate) id: RefundId,
    pub(crate) amount: Money,
    pub(crate) state: RefundState,
    pub(crate) due: Option<Timestamp>,
    /// When the money went back.
    pub(crate) paid: Option<Timestamp>,
    pub(crate) note: Option<String>,
    /// The processor's id of it.
    pub(crate) confirmation: Option<String>,
    /// Why it failed.
    pub(crate) error: Option<String>,
    pub(crate) attempt: Option<Attempt>,
    pub(crate) created: Timestamp,
}

/// Where a refund stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum RefundState {
    /// Waits for its date.
    Scheduled,
    /// Under way, or unanswered.
    Processing,
    /// The money went back.
    Succeeded,
    /// It did not.
    Failed,
    /// Called off before its date.
    Cancelled,
}

impl RefundState {
    /// Every state.
    pub(crate) const ALL: [Self; 5] = [
        Self::Scheduled,
        Self::Processing,
        Self::Succeeded,
        Self::Failed,
        Self::Cancelled,
    ];

    /// The name in the database.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Scheduled => "SCHEDULED",
            Self::Processing => "PROCESSING",
            Self::Succeeded => "SUCCEEDED",
            Self::Failed => "FAILED",
            Self::Cancelled => "CANCELLED",
        }
    }

    /// The Open API's name. `PROCESSING` is documented; a planned refund reads like a planned
    /// payment.
    pub(crate) const fn public_name(self) -> &'static str {
        match self {
            Self::Scheduled => "PENDING",
            other => other.name(),
        }
    }

    /// Whether its amount is spoken for: gone, going, or to go.
    const fn counts(self) -> bool {
        !matches!(self, Self::Failed | Self::Cancelled)
    }
}

/// A stored payment method, as far as the rules ask.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Method {
    pub(crate) id: PaymentMethodId,
    pub(crate) guest: GuestId,
    /// `STRIPE` or `AMARYLLIS`.
    pub(crate) name: String,
    pub(crate) is_active: bool,
    /// Made for one payment, and used by it.
    pub(crate) is_spent: bool,
}

impl Payment {
    /// What came in: the captured part of a hold, else the amount, once it succeeded.
    pub(crate) fn collected(&self) -> Money {
        match self.state {
            State::Succeeded => self.captured.unwrap_or(self.amount),
            _ => Money::zero(self.amount.currency()),
        }
    }

    /// What went back.
    pub(crate) fn refunded(&self) -> Money {
        self.sum_of_refunds(|state| state == RefundState::Succeeded)
    }

    /// What can still go back: collected, less every refund that has not failed.
    pub(crate) fn refundable(&self) -> Money {
        let spoken_for = self.sum_of_refunds(RefundState::counts);
        Money::from_minor(
            self.collected().minor() - spoken_for.minor(),
            self.amount.currency(),
        )
    }

    /// Its instalment's place in the policy that made it.
    pub(crate) fn place(&self) -> Option<usize> {
        Some(self.auto?.place)
    }

    /// Whether it is an automatic payment whose card was tried already.
    pub(crate) fn was_tried(&self) -> bool {
        self.auto.is_some_and(|auto| auto.tries_left < Auto::TRIES)
    }

    /// Whether a declined charge is to be made again.
    pub(crate) fn may_be_tried_again(&self) -> bool {
        self.auto.is_some_and(|auto| auto.tries_left > 0)
    }

    /// Whether it is an automatic payment that failed with a try left over: its card is lost, stolen,
    /// expired or wrong.
    pub(crate) fn was_declined_for_good(&self) -> bool {
        self.state == State::Failed && self.was_tried() && self.may_be_tried_again()
    }

    /// The payment itself, its refunds left out.
    pub(crate) fn without_refunds(&self) -> Self {
        Self {
            refunds: Vec::new(),
            ..self.clone()
        }
    }

    /// A refund by its id.
    pub(crate) fn refund(&self, id: RefundId) -> Option<&Refund> {
        self.refunds.iter().find(|refund| refund.id == id)
    }

    fn sum_of_refunds(&self, counts: impl Fn(RefundState) -> bool) -> Money {
        let minor = self.refunds.iter().filter(|refund| counts(refund.state));
        Money::from_minor(
            minor.map(|refund| refund.amount.minor()).sum(),
            self.amount.currency(),
        )
    }
}
