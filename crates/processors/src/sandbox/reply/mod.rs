//! Answers, computed from the books whenever they are asked for.

mod amaryllis;
mod payment_intent;
mod refund;
mod setup_intent;
mod stripe;

use serde_json::Value;

use self::stripe::Scene;
use super::account::Account;
use super::declines::Decline;
use super::operation::Posted;
use super::rules;
use crate::{Answer, DeclineClass, Failure, Shape, TransactionKind, Verdict};

/// What the caller is told of a transaction.
pub(crate) fn answer(account: &Account, posted: &Posted) -> Result<Answer, Failure> {
    let Posted {
        transaction,
        method,
        ..
    } = posted;
    let (confirmation, raw) = match method.shape {
        Shape::Amaryllis => (
            transaction.id.to_string(),
            amaryllis::reply(account, posted),
        ),
        Shape::PaymentIntent => {
            let scene = Scene::new(account, posted).map_err(|error| {
                tracing::error!(%error, transaction = transaction.id, "an order cannot be read");
                Failure::Unanswered
            })?;
            stripe_reply(&scene, posted.asked())
        }
    };
    let holds = transaction.kind == TransactionKind::Authorization && transaction.is_approved();
    Ok(Answer {
        transaction_id: transaction.public_id(),
        confirmation,
        method: method.token.clone(),
        amount: transaction.amount(account),
        verdict: verdict(posted),
        card: method.card.clone(),
        hold_expires_at: holds
            .then(|| rules::hold_expires_at(&method.card.brand, transaction.system_at)),
        processed_at: transaction.system_at,
        raw,
    })
}

fn stripe_reply(scene: &Scene<'_>, asked: TransactionKind) -> (String, Value) {
    match asked {
        TransactionKind::Verify => (scene.setup_id(), setup_intent::render(scene)),
        TransactionKind::Refund => (scene.refund_id(), refund::render(scene)),
        _ => (scene.intent_id(), payment_intent::render(scene)),
    }
}

fn verdict(posted: &Posted) -> Verdict {
    let Posted {
        transaction,
        method,
        ..
    } = posted;
    match transaction.decline() {
        None => Verdict::Approved {
            authorization_code: transaction.authorization_or_error_code.clone(),
        },
        Some(Decline {
            class: DeclineClass::NeedsCardholder,
            ..
        }) => Verdict::AuthenticationRequired {
            url: authentication_url(transaction.id),
        },
        Some(decline) => {
            let (code, reason) = match method.shape {
                Shape::PaymentIntent => (decline.reason_code, decline.message),
                Shape::Amaryllis => (decline.error_id, decline.text),
            };
            Verdict::Declined {
                code: code.to_owned(),
                reason: reason.to_owned(),
                class: decline.class,
            }
        }
    }
}

/// Where the card holder would confirm. The sandbox serves no pages: whoever serves it does.
fn authentication_url(transaction: i64) -> String {
    format!("/sandbox/authenticate/{transaction}")
}
