//! Making a stored method of a processor's token.

use contract::Timestamp;
use contract::id::{AccountId, GuestId, PaymentMethodId, PaymentProviderId, ReservationId};
use processors::{Answer, AttemptKey, Billing, MerchantId, Shape, Verdict, Verify};
use serde_json::json;
use store::{Lock, new_id};

use crate::idempotency::Claim;
use crate::model::Rejection;
use crate::store::event::{self, DomainEvent};
use crate::store::payment_method::{self, NewMethodContext, PaymentMethod};
use crate::store::scope::Scope;
use crate::{Error, Platform, auto_payments};

/// A method to be made.
#[derive(Debug, Clone)]
pub(crate) struct NewMethod {
    /// What the guest's browser got for the card from the processor.
    pub(crate) token: String,
    pub(crate) shape: Shape,
    /// Without one, that of the reservation's listing, else the account's default.
    pub(crate) provider: Option<PaymentProviderId>,
    pub(crate) reservation: Option<ReservationId>,
    pub(crate) save_for_future_use: bool,
    pub(crate) is_reusable: bool,
    /// Under which it is made, if a client gave a key.
    pub(crate) claim: Option<Claim>,
}

/// Has the processor make a method of a token, and keeps it.
pub(crate) async fn make_method(
    platform: &Platform,
    scope: Scope,
    guest: GuestId,
    new: NewMethod,
    now: Timestamp,
) -> Result<PaymentMethod, Error> {
    let account = scope.account;
    let claim = new.claim;
    let id: PaymentMethodId = claim.as_ref().map_or_else(new_id, Claim::id_to_make);
    if claim.is_some_and(|claim| claim.is_begun()) {
        let made = platform
            .store
            .read(move |c| payment_method::of_id(c, account, id))
            .await?;
        return made.ok_or_else(|| Error::Corrupt(format!("payment method {id} is gone")));
    }
    let (provider, reservation) = (new.provider, new.reservation);
    let context = platform
        .store
        .read(move |c| payment_method::new_method_context(c, &scope, guest, provider, reservation))
        .await?;
    let answer = verify(platform, id, &context, &new, now).await?;
    if let Some(why_not) = why_not(&answer.verdict) {
        return Err(Rejection::MethodNotMade(why_not).into());
    }
    let method = made(id, account, guest, &context, &new, &answer, now);
    let kept = method.clone();
    platform
        .store
        .write(Lock::none(), move |connection| {
            if let Some(claim) = claim {
                claim.begin(connection)?;
            }
            payment_method::insert(connection, &kept)?;
            let received = DomainEvent {
                kind: "payments.method.received",
                reservation: kept.reservation_id,
                subject: kept.id.0,
                body: json!({ "guestId": kept.guest_id }),
            };
            event::record(connection, account, &received, now)?;
            auto_payments::cards_changed(connection, account, guest, now)
        })
        .await?;
    Ok(method)
}

async fn verify(
    platform: &Platform,
    id: PaymentMethodId,
    context: &NewMethodContext,
    new: &NewMethod,
    at: Timestamp,
) -> Result<Answer, Error> {
    let request = Verify {
        key: AttemptKey::new(id.as_str()),
        merchant: MerchantId::new(context.merchant.clone()),
        shape: new.shape,
        token: new.token.clone(),
        currency: context.currency,
        confirmation_code: context.confirmation_code.clone(),
        billing: Billing {
            name: Some(context.guest_name.clone()),
            ..Billing::default()
        },
        at,
    };
    Ok(platform.sandbox.verify(request).await?)
}

fn why_not(verdict: &Verdict) -> Option<String> {
    match verdict {
        Verdict::Approved { .. } => None,
        Verdict::Declined { code, reason, .. } => Some(format!(
            "The processor declined the card: {reason} ({code})"
        )),
        // Such a method could not be charged, and there is no way yet to come back and confirm.
        Verdict::AuthenticationRequired { .. } => {
            Some("The card holder's bank must confirm this card first".to_owned())
        }
    }
}

fn made(
    id: PaymentMethodId,
    account: AccountId,
    guest: GuestId,
    context: &NewMethodContext,
    new: &NewMethod,
    answer: &Answer,
    now: Timestamp,
) -> PaymentMethod {
    let name = match new.shape {
        Shape::PaymentIntent => "STRIPE",
        Shape::Amaryllis => "AMARYLLIS",
    };
    PaymentMethod {
        id,
        account_id: account,
        guest_id: guest,
        provider_id: context.provider,
        reservation_id: new.reservation,
        method: name.to_owned(),
        token: answer.method.to_string(),
        payload: answer.raw.to_string(),
        brand: answer.card.brand.clone(),
        last4: answer.card.last4.clone(),
        status: payment_method::ACTIVE.to_owned(),
        save_for_future_use: new.save_for_future_use,
        is_reusable: new.is_reusable,
        created_ms: now,
        updated_ms: now,
    }
}
