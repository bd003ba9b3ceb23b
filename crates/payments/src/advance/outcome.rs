//! What came of letting time pass: the beginning of it one by one, all of it counted.

use contract::Timestamp;
use contract::id::{AccountId, PaymentId, RefundId, ReservationId};
use money::Money;
use processors::{Step, StepKind};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::model::Occasion;
use crate::store::agenda::Due;

/// So much is told one by one; a year can bring more than anybody reads.
const TOLD_MAX: usize = 100;

/// What came of letting time pass.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Advanced {
    /// Whose time it is.
    pub account: AccountId,
    /// Business time before.
    pub from: Timestamp,
    /// Business time after.
    pub now: Timestamp,
    /// What happened, in its order; the first hundred.
    pub happened: Vec<Happened>,
    /// So much more happened.
    pub more: u64,
    /// How often what happened, all of it counted.
    pub totals: Vec<Total>,
}

/// Something whose time came.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Happened {
    /// When, in business time.
    pub at: Timestamp,
    /// What the matter was.
    pub kind: Kind,
    /// The reservation, if it was about one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reservation: Option<ReservationId>,
    /// Its payment.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub payment: Option<PaymentId>,
    /// The payment's refund, if it was about one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub refund: Option<RefundId>,
    /// The processor's sub-account, if it was the processor's matter.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sub_account: Option<String>,
    /// How many transactions were settled.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub settled: Option<usize>,
    /// How much of the reserve was released, with its currency.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub released: Option<String>,
    /// The payout that was sent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub payout: Option<String>,
    /// The processor's transaction: the chargeback, of a dispute.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub transaction: Option<String>,
    /// The payout's, or the chargeback's, amount with its currency.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub amount: Option<String>,
    /// What came of it: the status of the payment, or of the refund, after it.
    pub result: String,
    /// Why nothing could be done, if so; it stays due.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
}

/// Of what kind something is that happened.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum Kind {
    /// A payment's date had come.
    Payment,
    /// A refund's date had come.
    Refund,
    /// A hold lapsed.
    Hold,
    /// A processor's answer was overdue.
    Attempt,
    /// The processor closed a day.
    Settlement,
    /// The processor sent a payout.
    Payout,
    /// A card holder disputed a sale, or nobody resolved the dispute in time.
    Dispute,
}

impl Kind {
    /// The name on the wire.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Payment => "payment",
            Self::Refund => "refund",
            Self::Hold => "hold",
            Self::Attempt => "attempt",
            Self::Settlement => "settlement",
            Self::Payout => "payout",
            Self::Dispute => "dispute",
        }
    }
}

impl From<Occasion> for Kind {
    fn from(occasion: Occasion) -> Self {
        match occasion {
            Occasion::Payment => Self::Payment,
            Occasion::Refund => Self::Refund,
            Occasion::Hold => Self::Hold,
            Occasion::Attempt => Self::Attempt,
        }
    }
}

/// How often something of a kind came to the same result.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Total {
    /// The kind.
    pub kind: Kind,
    /// The result.
    pub result: String,
    /// How often.
    pub count: u64,
}

impl Happened {
    /// Something of the platform's own agenda.
    pub(super) fn due(at: Timestamp, due: &Due, result: &str, reason: Option<String>) -> Self {
        Self {
            reservation: Some(due.reservation),
            payment: Some(due.payment),
            refund: due.refund,
            reason,
            ..Self::new(at, due.occasion.into(), result)
        }
    }

    /// What a step of a processor's time brought about.
    pub(super) fn step(step: Step) -> Vec<Self> {
        let sub_account = Some(step.sub_account.to_string());
        let new = |kind, result| Self {
            sub_account: sub_account.clone(),
            ..Self::new(step.at, kind, result)
        };
        match step.kind {
            StepKind::DayClosed { settled, released } => vec![Self {
                settled: Some(settled),
                released: Some(released)
                    .filter(|released| *released != Money::zero(released.currency()))
                    .map(|released| released.to_string()),
                ..new(Kind::Settlement, "SETTLED")
            }],
            StepKind::PayoutsSent(sent) => sent
                .into_iter()
                .map(|payout| Self {
                    payout: Some(payout.id.to_string()),
                    amount: Some(payout.amount.to_string()),
                    ..new(Kind::Payout, "SENT")
                })
                .collect(),
            StepKind::DisputeOpened { chargeback, amount } => vec![Self {
                transaction: Some(chargeback.to_string()),
                amount: Some(amount.to_string()),
                ..new(Kind::Dispute, "OPENED")
            }],
            StepKind::DisputeLost { chargeback } => vec![Self {
                transaction: Some(chargeback.to_string()),
                ..new(Kind::Dispute, "LOST")
            }],
        }
    }

    fn new(at: Timestamp, kind: Kind, result: &str) -> Self {
        Self {
            at,
            kind,
            reservation: None,
            payment: None,
            refund: None,
            sub_account: None,
            settled: None,
            released: None,
            payout: None,
            transaction: None,
            amount: None,
            result: result.to_owned(),
            reason: None,
        }
    }
}

/// What happens, as it is collected.
#[derive(Debug, Default)]
pub(super) struct Diary {
    told: Vec<Happened>,
    more: u64,
    totals: Vec<Total>,
}

impl Diary {
    pub(super) fn add(&mut self, happened: Happened) {
        let same =
            |total: &&mut Total| total.kind == happened.kind && total.result == happened.result;
        match self.totals.iter_mut().find(same) {
            Some(total) => total.count += 1,
            None => self.totals.push(Total {
                kind: happened.kind,
                result: happened.result.clone(),
                count: 1,
            }),
        }
        if self.told.len() < TOLD_MAX {
            self.told.push(happened);
        } else {
            self.more += 1;
        }
    }

    pub(super) fn close(self, account: AccountId, from: Timestamp, now: Timestamp) -> Advanced {
        Advanced {
            account,
            from,
            now,
            happened: self.told,
            more: self.more,
            totals: self.totals,
        }
    }
}
