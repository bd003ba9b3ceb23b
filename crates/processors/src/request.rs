//! What a processor is asked to do.

use contract::Timestamp;
use money::{Currency, Money};
use serde::{Deserialize, Serialize};

use crate::{AttemptKey, MerchantId, MethodToken, TransactionId};

/// The protocol in which a stored method is kept, and so the form of each raw reply about it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Shape {
    /// Stripe's objects; on the Open API the method is called `STRIPE`.
    PaymentIntent,
    /// GuestyPay's; on the Open API the method is called `AMARYLLIS`.
    Amaryllis,
}

/// Makes a stored method of a processor's token, by a transaction of nothing.
#[derive(Debug, Clone)]
pub struct Verify {
    /// Names the attempt.
    pub key: AttemptKey,
    /// Who asks.
    pub merchant: MerchantId,
    /// The form in which to keep the method.
    pub shape: Shape,
    /// What the guest's browser got for the card from the processor.
    pub token: String,
    /// Whose sub-account to verify in; without one, the merchant's first.
    pub currency: Option<Currency>,
    /// The reservation for which the card is kept, if any.
    pub confirmation_code: Option<String>,
    /// The card holder as the card's bank knows them.
    pub billing: Billing,
    /// Business time.
    pub at: Timestamp,
}

/// Charges a stored method, or holds an amount on it. The stored method decides the form of the
/// reply.
#[derive(Debug, Clone)]
pub struct Charge {
    /// Names the attempt.
    pub key: AttemptKey,
    /// Who asks.
    pub merchant: MerchantId,
    /// The method to charge.
    pub method: MethodToken,
    /// How much; more than nothing.
    pub amount: Money,
    /// What for.
    pub order: Order,
    /// Business time.
    pub at: Timestamp,
}

/// Captures or releases a hold, or refunds a charge or a capture.
#[derive(Debug, Clone)]
pub struct FollowUp {
    /// Names the attempt.
    pub key: AttemptKey,
    /// Who asks.
    pub merchant: MerchantId,
    /// The hold to capture or release; the charge, or the capture, to refund.
    pub original: TransactionId,
    /// How much; without one, all that is left. A release is always of the whole.
    pub amount: Option<Money>,
    /// Business time.
    pub at: Timestamp,
}

/// Something that moves money, or holds it.
#[derive(Debug, Clone)]
pub enum Request {
    /// Takes an amount at once.
    Charge(Charge),
    /// Holds an amount, to be captured before the hold expires.
    Hold(Charge),
    /// Takes a held amount, whole or in part, once; the rest is released.
    Capture(FollowUp),
    /// Releases a hold.
    Void(FollowUp),
    /// Returns what was charged or captured, whole or in part.
    Refund(FollowUp),
}

impl Request {
    /// Names the attempt.
    pub fn key(&self) -> &AttemptKey {
        match self {
            Self::Charge(request) | Self::Hold(request) => &request.key,
            Self::Capture(request) | Self::Void(request) | Self::Refund(request) => &request.key,
        }
    }

    /// Who asks.
    pub fn merchant(&self) -> &MerchantId {
        match self {
            Self::Charge(request) | Self::Hold(request) => &request.merchant,
            Self::Capture(request) | Self::Void(request) | Self::Refund(request) => {
                &request.merchant
            }
        }
    }
}

/// What a processor is told of the reason for a charge. It shows in its reports and replies.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Order {
    /// Where the reservation was made, such as `Manual`.
    #[serde(rename = "OTA")]
    pub ota: String,
    /// The account whose reservation it is.
    pub account_id: String,
    /// The reservation's code.
    pub confirmation_code: String,
    /// The guest's full name.
    pub guest_name: String,
    /// The guest's telephone number.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub guest_phone: Option<String>,
    /// The guest's address.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub guest_address: Option<Address>,
    /// The listing that is stayed in.
    pub listing_id: String,
    /// The payment that this is an attempt of.
    pub payment_id: String,
    /// The stored method, by its id on the Open API.
    pub payment_method_id: String,
    /// The reservation.
    pub reservation_id: String,
}

/// The holder of a card.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Billing {
    /// Name on the card.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// Where statements are sent.
    #[serde(default)]
    pub address: Address,
}

/// A postal address, printed as processors do, with a null for each part that is not known.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Address {
    /// City.
    pub city: Option<String>,
    /// Country, by its two letters.
    pub country: Option<String>,
    /// Street and number.
    pub line1: Option<String>,
    /// Flat or floor.
    pub line2: Option<String>,
    /// Postal code.
    pub postal_code: Option<String>,
    /// State or province.
    pub state: Option<String>,
}
