//! What a tax of the catalog must be. What it comes to on a reservation is [`super::pricing`]'s.

use std::collections::HashSet;

use contract::invoice::{ADDITIONAL_FEES, NORMAL_TYPES};
use contract::tax::{
    Channel, ConditionalOverrides, Quantifier, Rule, Tax, TaxFields, TaxTerms, Units, ViewType,
};
use money::{Currency, Decimal};

use super::Rejection;
use super::amount::{check_percentage, in_currency};
use super::invoice::TAXES;
use super::text::check_length;

const NAME_MAX: usize = 40;
const FEES_MAX: usize = 200;
const RULES_MAX: usize = 100;
const SELECTION_MAX: usize = 100;

/// The terms that a client wrote; of `old` ones, what it left out stays. A fixed amount must be one
/// in `currency`, that of the tax's level.
pub(crate) fn terms(
    written: &TaxFields,
    old: Option<&TaxTerms>,
    currency: Currency,
) -> Result<TaxTerms, Rejection> {
    let written = written.clone();
    let missing = |field: &str| Rejection::invalid(field, "it is required");
    let name = match written.name {
        Some(name) => Some(name).filter(|name| !name.is_empty()),
        None => old.and_then(|old| old.name.clone()),
    };
    let terms = TaxTerms {
        kind: written
            .kind
            .or_else(|| Some(old?.kind))
            .ok_or_else(|| missing("type"))?,
        name,
        units: written
            .units
            .or_else(|| Some(old?.units))
            .ok_or_else(|| missing("units"))?,
        amount: written
            .amount
            .or_else(|| Some(old?.amount))
            .ok_or_else(|| missing("amount"))?,
        quantifier: written
            .quantifier
            .or_else(|| Some(old?.quantifier))
            .ok_or_else(|| missing("quantifier"))?,
        applied_to_all_fees: written
            .applied_to_all_fees
            .or_else(|| Some(old?.applied_to_all_fees))
            .unwrap_or_default(),
        applied_on_fees: written
            .applied_on_fees
            .or_else(|| Some(old?.applied_on_fees.clone()))
            .unwrap_or_default(),
        is_applied_by_default: written
            .is_applied_by_default
            .or_else(|| Some(old?.is_applied_by_default))
            .unwrap_or_default(),
        applied_by_default_on_channels: written
            .applied_by_default_on_channels
            .or_else(|| Some(old?.applied_by_default_on_channels.clone()))
            .unwrap_or_default(),
        is_inclusive: written
            .is_inclusive
            .or_else(|| Some(old?.is_inclusive))
            .unwrap_or_default(),
        conditional_overrides: written
            .conditional_overrides
            .or_else(|| Some(old?.conditional_overrides.clone()))
            .flatten(),
        channel_config: written
            .channel_config
            .or_else(|| Some(old?.channel_config.clone()))
            .unwrap_or_default(),
        channel_overrides: written
            .channel_overrides
            .or_else(|| Some(old?.channel_overrides.clone()))
            .unwrap_or_default(),
    };
    check(&terms, currency)?;
    Ok(terms)
}

fn check(terms: &TaxTerms, currency: Currency) -> Result<(), Rejection> {
    if terms.amount.is_zero() {
        return Err(Rejection::invalid("amount", "it must be more than 0"));
    }
    check_amount("amount", terms.units, &terms.amount, currency)?;
    if let Some(name) = &terms.name {
        check_name("name", name)?;
    }
    check_fees(&terms.applied_on_fees)?;
    check_defaults(terms)?;
    if let Some(conditions) = &terms.conditional_overrides {
        check_conditions(terms, conditions, currency)?;
    }
    check_channels(terms)
}

fn check_amount(
    field: &str,
    units: Units,
    amount: &Decimal,
    currency: Currency,
) -> Result<(), Rejection> {
    if amount.is_negative() {
        return Err(Rejection::invalid(field, "it cannot be less than 0"));
    }
    match units {
        Units::Percentage => check_percentage(field, amount),
        Units::Fixed => in_currency(field, amount, currency).map(|_| ()),
    }
}

fn check_name(field: &str, name: &str) -> Result<(), Rejection> {
    if name.trim().is_empty() {
        return Err(Rejection::invalid(field, "it is blank"));
    }
    check_length(field, name, NAME_MAX)
}

fn check_fees(codes: &[String]) -> Result<(), Rejection> {
    let field = "appliedOnFees";
    if codes.len() > FEES_MAX {
        return Err(Rejection::invalid(
            field,
            format!("at most {FEES_MAX} of them"),
        ));
    }
    let is_known = |code: &str| {
        !TAXES.contains(&code) && (NORMAL_TYPES.contains(&code) || ADDITIONAL_FEES.contains(&code))
    };
    match codes.iter().find(|code| !is_known(code)) {
        Some(code) => Err(Rejection::invalid(
            field,
            format!(
                "{code:?} is no fee: give normalTypes of invoice items that are not taxes, such as \
                 AF and CF, or types of additional fees, such as PET"
            ),
        )),
        None => Ok(()),
    }
}

fn check_defaults(terms: &TaxTerms) -> Result<(), Rejection> {
    let has_channels = !terms.applied_by_default_on_channels.is_empty();
    match (terms.is_applied_by_default, has_channels) {
        (true, false) => Err(Rejection::invalid(
            "isAppliedByDefault",
            "it cannot be true while appliedByDefaultOnChannels is empty",
        )),
        (false, true) => Err(Rejection::invalid(
            "appliedByDefaultOnChannels",
            "it must be empty unless isAppliedByDefault is true",
        )),
        _ => Ok(()),
    }
}

fn check_conditions(
    terms: &TaxTerms,
    conditions: &ConditionalOverrides,
    currency: Currency,
) -> Result<(), Rejection> {
    let at = |name: &str| format!("conditionalOverrides.{name}");
    let view = conditions.view_type;
    if view == ViewType::Los {
        if !conditions.rules.is_empty() {
            return Err(Rejection::invalid(at("rules"), "LOS takes none"));
        }
        return match conditions.max_night_count_to_apply_on {
            Some(1..) => Ok(()),
            _ => Err(Rejection::invalid(
                at("maxNightCountToApplyOn"),
                "LOS needs it: give a number from 1",
            )),
        };
    }
    if conditions.max_night_count_to_apply_on.is_some() {
        return Err(Rejection::invalid(
            at("maxNightCountToApplyOn"),
            format!("it goes with LOS, not with {}", view.name()),
        ));
    }
    let is_once = matches!(terms.quantifier, Quantifier::PerStay | Quantifier::PerGuest);
    if view != ViewType::Dates && is_once && terms.units == Units::Fixed {
        return Err(Rejection::invalid(
            at("viewType"),
            format!(
                "{} needs PERCENTAGE, or FIXED with PER_NIGHT or PER_GUEST_PER_NIGHT",
                view.name()
            ),
        ));
    }
    if !(1..=RULES_MAX).contains(&conditions.rules.len()) {
        return Err(Rejection::invalid(
            at("rules"),
            format!("{} needs 1 to {RULES_MAX} of them", view.name()),
        ));
    }
    let mut rules = conditions.rules.iter().enumerate();
    rules.try_for_each(|(place, rule)| {
        check_rule(&at(&format!("rules[{place}]")), terms, view, rule, currency)
    })
}

fn check_rule(
    at: &str,
    terms: &TaxTerms,
    view: ViewType,
    rule: &Rule,
    currency: Currency,
) -> Result<(), Rejection> {
    let refused = |name: &str, reason: &str| {
        Err(Rejection::invalid(
            format!("{at}.{name}"),
            format!("{} {reason}", view.name()),
        ))
    };
    match (view, rule.date_range) {
        (ViewType::Nights, Some(_)) => return refused("dateRange", "takes none"),
        (ViewType::Dates | ViewType::NightsInDates, None) => {
            return refused("dateRange", "needs one");
        }
        _ => {}
    }
    let ranges = &rule.night_ranges;
    if view == ViewType::Dates && !matches!(&ranges[..], [all] if all.from == 1 && all.to.is_none())
    {
        return refused("nightRanges", "takes one alone, from 1 and without to");
    }
    if !(1..=RULES_MAX).contains(&ranges.len()) {
        return refused("nightRanges", &format!("needs 1 to {RULES_MAX} of them"));
    }
    for (place, range) in ranges.iter().enumerate() {
        let at = format!("{at}.nightRanges[{place}]");
        if range.from == 0 || range.to.is_some_and(|to| to < range.from) {
            return Err(Rejection::invalid(
                at,
                "nights are counted from 1, and to is not before from",
            ));
        }
        check_amount(
            &format!("{at}.amount"),
            terms.units,
            &range.amount,
            currency,
        )?;
    }
    Ok(())
}

fn check_channels(terms: &TaxTerms) -> Result<(), Rejection> {
    for config in &terms.channel_config {
        let field = "channelConfig.userConfig.syncSelection";
        check_length(field, &config.user_config.sync_selection, SELECTION_MAX)?;
    }
    let configured = terms.channel_config.iter().map(|config| config.channel);
    check_once("channelConfig", configured)?;
    for name in terms
        .channel_overrides
        .iter()
        .filter_map(|o| o.name.as_ref())
    {
        check_name("channelOverrides.name", name)?;
    }
    let overridden = terms.channel_overrides.iter().map(|other| other.channel);
    check_once("channelOverrides", overridden)
}

fn check_once(field: &str, mut channels: impl Iterator<Item = Channel>) -> Result<(), Rejection> {
    let mut seen = HashSet::new();
    if channels.all(|channel| seen.insert(channel)) {
        return Ok(());
    }
    Err(Rejection::invalid(field, "a channel stands in it twice"))
}

/// Refuses a second tax of a type on a level, and a second one of a name in the account. `others`
/// are those of its level or its name.
pub(crate) fn check_unique(new: &Tax, others: &[Tax]) -> Result<(), Rejection> {
    let mut others = others.iter().filter(|other| other.id != new.id);
    let clash = others.find_map(|other| {
        let is_same_level = other.unit_type_id == new.unit_type_id;
        if is_same_level && other.terms.kind == new.terms.kind {
            return Some(("type", new.terms.kind.name(), other.id, "on this level"));
        }
        let name = new.terms.name.as_deref();
        (name.is_some() && name == other.terms.name.as_deref()).then(|| {
            let name = name.unwrap_or_default();
            ("name", name, other.id, "in this account")
        })
    });
    match clash {
        Some((field, value, other, place)) => Err(Rejection::invalid(
            field,
            format!("there is a tax {value} {place} already: change tax {other}, or delete it"),
        )),
        None => Ok(()),
    }
}
