//! What a sandbox lets happen on order: bookings, declines, disputes, payouts that come back. Each
//! is a real change of state, made by the rules that everybody else's changes go through.

mod bank;
mod cards;
mod catalogue;
mod stays;

use std::sync::Arc;

use contract::Timestamp;
use contract::id::{
    AccountId, GuestId, ListingId, PaymentId, PaymentMethodId, RefundId, ReservationId,
};
use money::Decimal;
use processors::MerchantId;
use processors::sandbox::Sandbox;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

pub use self::catalogue::{TRIGGERS, Trigger, UnknownTrigger};

use self::catalogue::Kind;
use crate::model::Rejection;
use crate::store::account::{self, Account};
use crate::store::feed;
use crate::store::scope::Scope;
use crate::{Error, Platform, SetupError};

/// What is to happen, to what.
#[derive(Debug, Clone, Default, Serialize, Deserialize, ToSchema)]
#[serde(default, deny_unknown_fields, expecting = "an object")]
#[schema(example = json!({"name": "late-fee"}))]
pub struct TriggerRequest {
    /// The trigger's name.
    pub name: String,
    /// Where is booked.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub listing: Option<ListingId>,
    /// The reservation that changes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reservation: Option<ReservationId>,
    /// The payment that it happens to.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub payment: Option<PaymentId>,
    /// The processor's transaction that it happens to.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub transaction: Option<String>,
    /// The processor's payout that it happens to.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub payout: Option<String>,
    /// How much.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub amount: Option<Decimal>,
    /// Why, as banks and processors number it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub code: Option<String>,
}

/// A trigger, ordered by an operator.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TriggerOrder {
    /// Whose; `None`: the only account's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub account: Option<AccountId>,
    /// What.
    pub request: TriggerRequest,
}

/// What a trigger has brought about, and the ids of all that it touched.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct Triggered {
    /// The trigger's name.
    pub name: String,
    /// Whose.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub account: Option<AccountId>,
    /// When, in business time.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub at: Option<Timestamp>,
    /// What happened, in words.
    pub happened: String,
    /// The listing.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub listing: Option<ListingId>,
    /// The reservation.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reservation: Option<ReservationId>,
    /// Its code.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub confirmation_code: Option<String>,
    /// Its guest.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub guest: Option<GuestId>,
    /// The stored method.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub payment_method: Option<PaymentMethodId>,
    /// The payment.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub payment: Option<PaymentId>,
    /// The refunds.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub refunds: Vec<RefundId>,
    /// The processor's transaction that it happened to.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub transaction: Option<String>,
    /// The transaction that it made.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub new_transaction: Option<String>,
    /// The payout that it happened to.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub payout: Option<String>,
    /// The payout that is sent in its place.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub new_payout: Option<String>,
    /// The dispute's case, or the adjustment's id.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub case_id: Option<String>,
    /// How much, with its currency.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub amount: Option<String>,
    /// Where the payment, or its refund, stands now.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub status: Option<String>,
}

/// Why nothing was triggered.
#[derive(Debug, thiserror::Error)]
pub enum TriggerError {
    /// Elsewhere than in a sandbox, things happen by themselves.
    #[error("things can be triggered in a sandbox only, and this platform is none")]
    NotASandbox,
    /// A name of no trigger.
    #[error(transparent)]
    Unknown(#[from] UnknownTrigger),
    /// An option that the trigger has no use for.
    #[error("{trigger} does not take \"{option}\": it takes {}", list(.trigger.takes))]
    NotTaken {
        /// The trigger.
        trigger: Trigger,
        /// The option.
        option: &'static str,
    },
    /// Nothing is there that it could happen to.
    #[error("{0}")]
    NothingFits(String),
    /// There is no account.
    #[error("there is no account yet: make one first")]
    NoAccount,
    /// The account cannot be told.
    #[error(transparent)]
    Account(SetupError),
    /// The rules refuse it, or something went wrong inside.
    #[error(transparent)]
    Failed(#[from] Error),
}

fn list(options: &[&str]) -> String {
    format!("account, {}", options.join(", "))
}

impl From<SetupError> for TriggerError {
    fn from(error: SetupError) -> Self {
        match error {
            SetupError::Failed(error) => Self::Failed(error),
            refused => Self::Account(refused),
        }
    }
}

/// Whatever a `?` may meet on its way to the platform's own error.
macro_rules! fails_as_error {
    ($($kind:ty),+) => {$(
        impl From<$kind> for TriggerError {
            fn from(error: $kind) -> Self {
                Self::Failed(error.into())
            }
        }
    )+};
}

fails_as_error!(Rejection, store::Error, processors::Failure);

fn nothing_fits(what: impl Into<String>) -> TriggerError {
    TriggerError::NothingFits(what.into())
}

impl TriggerRequest {
    /// Refuses what the trigger has no use for.
    fn check(&self, trigger: Trigger) -> Result<(), TriggerError> {
        for (option, is_given) in [
            ("listing", self.listing.is_some()),
            ("reservation", self.reservation.is_some()),
            ("payment", self.payment.is_some()),
            ("transaction", self.transaction.is_some()),
            ("payout", self.payout.is_some()),
            ("amount", self.amount.is_some()),
            ("code", self.code.is_some()),
        ] {
            if is_given && !trigger.takes.contains(&option) {
                return Err(TriggerError::NotTaken { trigger, option });
            }
        }
        Ok(())
    }
}

/// Where something happens, and when.
struct Scene<'a> {
    platform: &'a Arc<Platform>,
    account: Account,
    request: TriggerRequest,
    merchants: Vec<MerchantId>,
    now: Timestamp,
}

impl Scene<'_> {
    fn scope(&self) -> Scope {
        Scope {
            account: self.account.id,
            listings: None,
        }
    }

    /// The processor, which must be the sandbox.
    fn sandbox(&self) -> Result<&Sandbox, TriggerError> {
        let sandbox = self.platform.sandbox.as_sandbox();
        sandbox.ok_or(TriggerError::NotASandbox)
    }
}

impl Platform {
    /// Lets something happen in an account, as an operator orders it.
    ///
    /// # Errors
    /// As [`trigger`](Self::trigger), and when the account cannot be told.
    pub async fn order_trigger(
        self: &Arc<Self>,
        order: TriggerOrder,
    ) -> Result<Triggered, TriggerError> {
        let account = self.account_ordered(order.account).await?;
        let account = account.ok_or(TriggerError::NoAccount)?;
        self.trigger(account, order.request).await
    }

    /// Lets something happen in an account now, in business time. When it is answered, the reports
    /// show it.
    ///
    /// # Errors
    /// A [`TriggerError`] that says what is possible, or what is missing.
    pub async fn trigger(
        self: &Arc<Self>,
        account: AccountId,
        request: TriggerRequest,
    ) -> Result<Triggered, TriggerError> {
        if !self.settings.is_sandbox {
            return Err(TriggerError::NotASandbox);
        }
        let trigger: Trigger = request.name.parse()?;
        request.check(trigger)?;
        let turn = self.turns.of(account);
        let _mine = turn.lock().await;
        let found = self.store.read(move |c| {
            let row = account::find(c, account)?;
            Ok::<_, Error>((row, feed::sources(c, Some(account))?))
        });
        let (row, sources) = found.await?;
        let account = row.ok_or(SetupError::AccountNotFound(account))?;
        let scene = Scene {
            platform: self,
            now: account.business_time(self.clock.now()),
            account,
            request,
            merchants: feed::merchants(&sources),
        };
        let triggered = scene.play(trigger.kind).await?;
        for source in &sources {
            if let Err(error) = self.imports.poll(source).await {
                tracing::warn!(%error, "what was triggered could not be imported yet");
            }
        }
        Ok(Triggered {
            name: trigger.name.to_owned(),
            account: Some(scene.account.id),
            at: Some(scene.now),
            ..triggered
        })
    }
}

impl Scene<'_> {
    async fn play(&self, kind: Kind) -> Result<Triggered, TriggerError> {
        match kind {
            Kind::ChannelBooking => self.channel_booking().await,
            Kind::DirectBooking => self.direct_booking().await,
            Kind::Extension => self.extension().await,
            Kind::LateFee => self.late_fee().await,
            Kind::Cancellation => self.cancellation().await,
            Kind::PaymentFailed => self.payment_failed().await,
            Kind::RefundFailed => self.refund_failed().await,
            Kind::HoldExpired => self.hold_expired().await,
            Kind::Chargeback => self.chargeback().await,
            Kind::ChargebackWon => self.chargeback_won().await,
            Kind::ChargebackLost => self.chargeback_lost().await,
            Kind::PayoutRejected => self.payout_rejected().await,
            Kind::PayoutDeclined => self.payout_declined().await,
            Kind::Adjustment => self.adjustment().await,
        }
    }

    fn amount_or(&self, otherwise: Decimal) -> Decimal {
        self.request.amount.unwrap_or(otherwise)
    }
}
