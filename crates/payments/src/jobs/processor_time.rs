//! Lets the processors' time pass: days are closed, payouts sent, when an account's business time
//! has come so far.

use contract::Timestamp;
use contract::id::AccountId;
use processors::{Failure, MerchantId, Step};

use crate::store::{account, feed};
use crate::{Error, Platform};

/// An account's merchants.
pub(crate) async fn merchants(
    platform: &Platform,
    account: AccountId,
) -> Result<Vec<MerchantId>, Error> {
    let sources = platform
        .store
        .read(move |c| feed::sources(c, Some(account)))
        .await?;
    Ok(feed::merchants(&sources))
}

/// When time will next bring something about for one of the merchants.
pub(crate) async fn next_due(
    platform: &Platform,
    merchants: &[MerchantId],
) -> Result<Option<Timestamp>, Error> {
    let mut first = None;
    for merchant in merchants {
        let next = match platform.sandbox.next_due(merchant).await {
            // Not set up there: nothing can be due.
            Err(Failure::Refused { .. }) => None,
            next => next?,
        };
        first = first.into_iter().chain(next).min();
    }
    Ok(first)
}

/// Lets time pass for the merchants until an instant, and says what it has brought about.
pub(crate) async fn run_until(
    platform: &Platform,
    merchants: &[MerchantId],
    until: Timestamp,
) -> Result<Vec<Step>, Error> {
    let mut steps = Vec::new();
    for merchant in merchants {
        match platform.sandbox.run_until(merchant, until).await {
            Err(Failure::Refused { message, .. }) => {
                tracing::warn!(%merchant, message, "a processor's time does not pass");
            }
            taken => steps.extend(taken?),
        }
    }
    steps.sort_by_key(|step| step.at);
    Ok(steps)
}

/// Lets time pass for all merchants, until the present of their accounts; says how many steps that
/// took. What fails is logged, and must not keep others waiting.
pub(crate) async fn run_due(platform: &Platform) -> Result<usize, Error> {
    let sources = platform.store.read(|c| feed::sources(c, None)).await?;
    let mut taken = 0;
    for source in sources {
        let Some(merchant) = source.merchant.map(MerchantId::new) else {
            continue;
        };
        match bring_to_present(platform, source.account_id, merchant).await {
            Ok(steps) => taken += steps,
            Err(error) => {
                tracing::warn!(provider = %source.provider_id, %error, "a processor's time stands still");
            }
        }
    }
    Ok(taken)
}

async fn bring_to_present(
    platform: &Platform,
    account: AccountId,
    merchant: MerchantId,
) -> Result<usize, Error> {
    let row = platform
        .store
        .read(move |c| account::find(c, account))
        .await?;
    let Some(row) = row else { return Ok(0) };
    let now = row.business_time(platform.clock.now());
    let merchants = [merchant];
    if next_due(platform, &merchants)
        .await?
        .is_none_or(|due| due > now)
    {
        return Ok(0);
    }
    Ok(run_until(platform, &merchants, now).await?.len())
}
