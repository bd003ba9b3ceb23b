//! What an additional fee of the catalog must be. What it comes to on a reservation is
//! [`super::pricing`]'s.

use contract::fee::{FeeFields, FeeTerms};
use contract::invoice::ADDITIONAL_FEES;
use contract::tax::Channel;
use money::Currency;

use super::Rejection;
use super::amount::{check_percentage, in_currency};
use super::text::check_length;

const NAME_MAX: usize = 200;
const SOURCES_MAX: usize = 100;
/// The most fees of a level: with an invoice's own lines they stay within what it can hold.
const FEES_MAX: usize = 50;

/// The terms that a client wrote; of `old` ones, what it left out stays. A fixed value must be one
/// in `currency`, that of the fee's level.
pub(crate) fn terms(
    written: &FeeFields,
    old: Option<&FeeTerms>,
    currency: Currency,
) -> Result<FeeTerms, Rejection> {
    let written = written.clone();
    let missing = |field: &str| Rejection::invalid(field, "it is required");
    let flag = |written: Option<bool>, old: Option<bool>| written.or(old).unwrap_or_default();
    let terms = FeeTerms {
        name: written
            .name
            .or_else(|| Some(old?.name.clone()))
            .ok_or_else(|| missing("name"))?,
        kind: written
            .kind
            .or_else(|| Some(old?.kind.clone()))
            .ok_or_else(|| missing("type"))?,
        value: written
            .value
            .or_else(|| Some(old?.value))
            .ok_or_else(|| missing("value"))?,
        is_percentage: written
            .is_percentage
            .or_else(|| Some(old?.is_percentage))
            .ok_or_else(|| missing("isPercentage"))?,
        target_fee: written.target_fee.or_else(|| old?.target_fee),
        multiplier: written.multiplier.or_else(|| old?.multiplier),
        is_sync_to_supported_channels_enabled: flag(
            written.is_sync_to_supported_channels_enabled,
            old.map(|old| old.is_sync_to_supported_channels_enabled),
        ),
        is_automated: flag(written.is_automated, old.map(|old| old.is_automated)),
        all_platforms: flag(written.all_platforms, old.map(|old| old.all_platforms)),
        automation_platforms: written
            .automation_platforms
            .or_else(|| Some(old?.automation_platforms.clone()))
            .unwrap_or_default(),
        all_sources: flag(written.all_sources, old.map(|old| old.all_sources)),
        automation_sources: written
            .automation_sources
            .or_else(|| Some(old?.automation_sources.clone()))
            .unwrap_or_default(),
        all_ru_sources: flag(written.all_ru_sources, old.map(|old| old.all_ru_sources)),
        ru_sources: written
            .ru_sources
            .or_else(|| Some(old?.ru_sources.clone()))
            .unwrap_or_default(),
        is_deducted: flag(written.is_deducted, old.map(|old| old.is_deducted)),
        is_bundled: flag(written.is_bundled, old.map(|old| old.is_bundled)),
    };
    check_value(&terms, currency)?;
    check_automation(&terms)?;
    Ok(terms)
}

/// Refuses one more fee on a level that has as many as it can.
pub(crate) fn check_count(count: usize) -> Result<(), Rejection> {
    if count >= FEES_MAX {
        return Err(Rejection::invalid(
            "The body",
            format!("there are {FEES_MAX} fees on this level already: delete one"),
        ));
    }
    Ok(())
}

fn check_value(terms: &FeeTerms, currency: Currency) -> Result<(), Rejection> {
    if terms.name.trim().is_empty() {
        return Err(Rejection::invalid("name", "it is empty"));
    }
    check_length("name", &terms.name, NAME_MAX)?;
    if !ADDITIONAL_FEES.contains(&terms.kind.as_str()) {
        return Err(Rejection::invalid(
            "type",
            format!("not known; known are {}", ADDITIONAL_FEES.join(", ")),
        ));
    }
    if terms.value.is_zero() || terms.value.is_negative() {
        return Err(Rejection::invalid("value", "it must be more than 0"));
    }
    if terms.is_percentage {
        check_percentage("value", &terms.value)?;
        if terms.target_fee.is_none() {
            return Err(Rejection::invalid(
                "targetFee",
                "it is required while isPercentage is true",
            ));
        }
        return Ok(());
    }
    in_currency("value", &terms.value, currency)?;
    if terms.multiplier.is_none() {
        return Err(Rejection::invalid(
            "multiplier",
            "it is required while isPercentage is false",
        ));
    }
    Ok(())
}

/// Each list with the flag that stands for all of it.
fn check_automation(terms: &FeeTerms) -> Result<(), Rejection> {
    if terms.automation_sources.len() > SOURCES_MAX {
        return Err(Rejection::invalid(
            "automationSources",
            format!("at most {SOURCES_MAX} of them"),
        ));
    }
    for source in &terms.automation_sources {
        check_length("automationSources", source, SOURCES_MAX)?;
    }
    let choices = [
        (
            "allPlatforms",
            terms.all_platforms,
            "automationPlatforms",
            !terms.automation_platforms.is_empty(),
        ),
        (
            "allSources",
            terms.all_sources,
            "automationSources",
            !terms.automation_sources.is_empty(),
        ),
        (
            "allRUSources",
            terms.all_ru_sources,
            "RUSources",
            !terms.ru_sources.is_empty(),
        ),
    ];
    for (all, is_all, some, has_some) in choices {
        if is_all && has_some {
            return Err(Rejection::invalid(
                all,
                format!("it cannot be true while {some} has values"),
            ));
        }
        let named = if is_all { all } else { some };
        if !terms.is_automated && (is_all || has_some) {
            return Err(Rejection::invalid(
                named,
                "it goes with isAutomated: true; otherwise give false or no values",
            ));
        }
    }
    let is_chosen = choices.iter().any(|(_, all, _, some)| *all || *some);
    if terms.is_automated && !is_chosen {
        return Err(Rejection::invalid(
            "isAutomated",
            "it needs one of allSources, automationSources, allPlatforms, automationPlatforms, \
             allRUSources, RUSources",
        ));
    }
    let has_rentals_united =
        terms.all_platforms || terms.automation_platforms.contains(&Channel::RentalsUnited);
    if (terms.all_ru_sources || !terms.ru_sources.is_empty()) && !has_rentals_united {
        return Err(Rejection::invalid(
            "automationPlatforms",
            "it must have rentalsUnited while allRUSources or RUSources is given",
        ));
    }
    let is_by_itself = terms.is_automated || terms.is_sync_to_supported_channels_enabled;
    if terms.is_deducted && !terms.is_bundled && is_by_itself {
        return Err(Rejection::invalid(
            "isDeducted",
            "it cannot be true without isBundled while isAutomated or \
             isSyncToSupportedChannelsEnabled is true",
        ));
    }
    Ok(())
}
