//! What may be done to money that was charged or held. Pure: the books are arguments, and so is the
//! time.

use chrono::Duration;
use contract::Timestamp;
use money::Money;

use super::refusal::Refusal;
use super::stripe_amount;
use crate::{Shape, TransactionKind};

/// Days that a bank keeps a hold.
const HOLD_DAYS: i64 = 7;
/// Visa's are fewer, when the card holder is not there.
const HOLD_DAYS_VISA: i64 = 5;

/// When a hold on a card of this brand ends.
pub(crate) fn hold_expires_at(brand: &str, held_at: Timestamp) -> Timestamp {
    let days = if brand == "visa" {
        HOLD_DAYS_VISA
    } else {
        HOLD_DAYS
    };
    held_at + Duration::days(days)
}

/// A charge or a hold, with what became of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Chain {
    /// The protocol of the method; not every amount can be written in each.
    pub(crate) shape: Shape,
    /// When the hold ends, if it is one that was approved.
    pub(crate) hold_expires_at: Option<Timestamp>,
    /// How much was charged or held.
    pub(crate) amount: Money,
    /// How much was taken of the card holder, if anything.
    pub(crate) taken: Option<Money>,
    /// Whether a hold was released.
    pub(crate) released: bool,
    /// How much was given back.
    pub(crate) returned: Money,
    /// How much was charged back, and not given back again.
    pub(crate) charged_back: Money,
}

impl Chain {
    /// Whether there is a hold that is still on.
    fn check_hold(&self, at: Timestamp) -> Result<(), Refusal> {
        let expires_at = self.hold_expires_at.ok_or(Refusal::NotAHold)?;
        if self.released {
            return Err(Refusal::HoldReleased);
        }
        if self.taken.is_some() {
            return Err(Refusal::AlreadyCaptured);
        }
        if at >= expires_at {
            return Err(Refusal::HoldExpired);
        }
        Ok(())
    }

    fn left_of(&self, taken: Money) -> Money {
        let gone = self.returned.minor() + self.charged_back.minor();
        Money::from_minor(taken.minor() - gone, taken.currency())
    }

    fn check_amount(&self, asked: Money) -> Result<(), Refusal> {
        if asked.currency() != self.amount.currency() {
            return Err(Refusal::OtherCurrency {
                given: asked.currency(),
                expected: self.amount.currency(),
            });
        }
        check_amount(asked, self.shape)
    }
}

/// Whether an amount can be charged or held on a method, or a part of it be captured or refunded.
pub(crate) fn check_amount(amount: Money, shape: Shape) -> Result<(), Refusal> {
    if !amount.is_positive() {
        return Err(Refusal::InvalidAmount(amount));
    }
    match shape {
        Shape::Amaryllis => Ok(()),
        Shape::PaymentIntent => stripe_amount::check(amount),
    }
}

/// Takes what is held, whole or in part.
pub(crate) fn capture(
    chain: &Chain,
    asked: Option<Money>,
    at: Timestamp,
) -> Result<(TransactionKind, Money), Refusal> {
    chain.check_hold(at)?;
    let held = chain.amount;
    let asked = asked.unwrap_or(held);
    chain.check_amount(asked)?;
    if asked.minor() > held.minor() {
        return Err(Refusal::CaptureTooLarge { asked, held });
    }
    let kind = if asked == held {
        TransactionKind::Capture
    } else {
        TransactionKind::PartialCapture
    };
    Ok((kind, asked))
}

/// Lets go of what is held.
pub(crate) fn void(chain: &Chain, at: Timestamp) -> Result<(TransactionKind, Money), Refusal> {
    chain.check_hold(at)?;
    Ok((TransactionKind::Void, chain.amount))
}

/// Gives back what was taken, or a part of what is left of it: by a void, as long as the sale is not
/// settled.
pub(crate) fn refund(
    chain: &Chain,
    asked: Option<Money>,
    settled: bool,
) -> Result<(TransactionKind, Money), Refusal> {
    use TransactionKind::{PartialRefund, PartialVoid, Refund, Void};

    let taken = chain.taken.ok_or(Refusal::NotRefundable)?;
    if chain.charged_back.is_positive() {
        return Err(Refusal::ChargedBack);
    }
    let left = chain.left_of(taken);
    if left.is_zero() {
        return Err(Refusal::AlreadyRefunded);
    }
    let asked = asked.unwrap_or(left);
    chain.check_amount(asked)?;
    if asked.minor() > left.minor() {
        return Err(Refusal::RefundTooLarge { asked, left });
    }
    let kind = match (settled, asked == taken) {
        (false, true) => Void,
        (false, false) => PartialVoid,
        (true, true) => Refund,
        (true, false) => PartialRefund,
    };
    Ok((kind, asked))
}

/// Charges back what is left of a settled sale.
pub(crate) fn charge_back(chain: &Chain, settled: bool) -> Result<Money, Refusal> {
    let taken = chain.taken.ok_or(Refusal::NotDisputable)?;
    let left = chain.left_of(taken);
    if left.is_zero() {
        return Err(Refusal::NothingToDispute);
    }
    if settled {
        Ok(left)
    } else {
        Err(Refusal::NotSettled)
    }
}
