//! A reservation's invoice: its lines, and what they come to.

use contract::ObjectId;
use contract::id::InvoiceItemId;
use contract::invoice::{ADDITIONAL_FEES, MoneyFields, NORMAL_TYPES, NewInvoiceItem};
use money::{Currency, Decimal, Money};

use super::Rejection;
use super::amount::{MINOR_MAX, in_currency};
use super::text::check_length;

const ITEMS_MAX: usize = 200;
const TITLE_MAX: usize = 255;
const DESCRIPTION_MAX: usize = 2000;

/// The accommodation fare and the cleaning fee, which `fareAccommodation` and `fareCleaning` set.
pub(crate) const FARE: &str = "AF";
pub(crate) const CLEANING: &str = "CF";

/// An additional fee, which its `secondIdentifier` tells from others.
pub(crate) const ADDITIONAL_FEE: &str = "AFE";
/// What is put on the fare or, below zero, taken out of it.
pub(crate) const ADJUSTMENT: &str = "AFA";

/// What is put on the fare, and what is taken off it: adjustments; the discounts of the length of
/// the stay, promotions and coupons.
const ADJUSTMENTS: [&str; 3] = [ADJUSTMENT, "AFO", "ARC"];
const DISCOUNTS: [&str; 5] = ["AFD", "LOSD", "PRO", "CO", "GCD"];

/// What is a tax.
pub(crate) const TAXES: [&str; 19] = [
    "LT", "CT", "TT", "GST", "VAT", "ST", "COT", "OCT", "TOT", "HSHAT", "HST", "MAT", "TRT", "LGT",
    "HT", "TAF", "RT", "OT", "TAX",
];

/// What can be added to an invoice line by line.
pub(crate) const ADDABLE: [&str; 17] = [
    CLEANING,
    "CFE",
    "PCM",
    "LT",
    "CT",
    "VAT",
    "GST",
    "TT",
    "TAX",
    "ST",
    "COT",
    "OCT",
    "TOT",
    "HSHAT",
    "HST",
    "MAT",
    ADDITIONAL_FEE,
];

/// Whether it is the fare, or part of what the fare comes to.
pub(crate) fn is_fare(normal_type: &str) -> bool {
    normal_type == FARE || ADJUSTMENTS.contains(&normal_type) || DISCOUNTS.contains(&normal_type)
}

/// A line of an invoice.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Item {
    pub(crate) id: InvoiceItemId,
    pub(crate) title: String,
    pub(crate) description: Option<String>,
    pub(crate) amount: Money,
    pub(crate) normal_type: String,
    pub(crate) second_identifier: Option<String>,
    /// Set by `fareAccommodation` or `fareCleaning`, and changed by nothing else.
    pub(crate) is_locked: bool,
    /// The fee or tax of the catalog that it comes from, if it does.
    pub(crate) origin: Option<ObjectId>,
}

impl Item {
    /// Whether it is a tax.
    pub(crate) fn is_tax(&self) -> bool {
        TAXES.contains(&self.normal_type.as_str())
    }

    /// Whether it is a fee of the catalog.
    pub(crate) fn is_automatic_fee(&self) -> bool {
        self.origin.is_some() && self.normal_type == ADDITIONAL_FEE
    }

    /// What kind it is, in words.
    pub(crate) fn kind(&self) -> &'static str {
        match self.normal_type.as_str() {
            FARE => "ACCOMMODATION_FARE",
            CLEANING => "CLEANING_FEE",
            _ if self.is_tax() => "TAX",
            _ => "MANUAL",
        }
    }

    /// Whether a client that was shown one of them could have written the other.
    fn says_the_same_as(&self, other: &Self) -> bool {
        Self {
            id: other.id,
            origin: other.origin,
            ..self.clone()
        } == *other
    }
}

/// What an invoice comes to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Totals {
    pub(crate) fare: Money,
    pub(crate) adjustment: Money,
    pub(crate) discount: Money,
    /// The fare with both.
    pub(crate) adjusted: Money,
    pub(crate) cleaning: Money,
    /// Everything but taxes.
    pub(crate) subtotal: Money,
    pub(crate) taxes: Money,
    /// What the guest is to pay.
    pub(crate) total: Money,
}

/// What the lines come to. Their number and amounts are bounded, so no sum overflows.
pub(crate) fn totals(items: &[Item], currency: Currency) -> Totals {
    let sum = |counts: &dyn Fn(&Item) -> bool| {
        let minor = items.iter().filter(|item| counts(item));
        Money::from_minor(minor.map(|item| item.amount.minor()).sum(), currency)
    };
    let is = |names: &'static [&str]| move |item: &Item| names.contains(&item.normal_type.as_str());
    Totals {
        fare: sum(&is(&[FARE])),
        adjustment: sum(&is(&ADJUSTMENTS)),
        discount: sum(&is(&DISCOUNTS)),
        adjusted: sum(&|item| is_fare(&item.normal_type)),
        cleaning: sum(&is(&[CLEANING])),
        subtotal: sum(&|item| !item.is_tax()),
        taxes: sum(&Item::is_tax),
        total: sum(&|_| true),
    }
}

/// The lines after a client wrote: a fare replaces the fare, items replace the items, and what it
/// left out stays. A client may write back what it was shown: a line that it names by its id, or
/// that says what it said, stays that line. `ids` gives the new ones.
///
/// Lines of the catalog stay as long as the client writes no tax of its own and none of them
/// otherwise than it is. Once it does, what it wrote are all the lines, and none is the catalog's.
pub(crate) fn write(
    items: &[Item],
    written: &MoneyFields,
    currency: Currency,
    ids: &mut dyn FnMut() -> InvoiceItemId,
) -> Result<Written, Rejection> {
    let mut new = items.to_vec();
    let mut replaces_catalog = false;
    if let Some(items) = &written.invoice_items {
        (new, replaces_catalog) = replaced(items, new, currency, ids)?;
    }
    if let Some(cleaning) = &written.fare_cleaning {
        let amount = fee("money.fareCleaning", cleaning, currency)?;
        set_fee(&mut new, items, CLEANING, "Cleaning fee", amount, ids);
    }
    if let Some(fare) = &written.fare_accommodation {
        let amount = fee("money.fareAccommodation", fare, currency)?;
        set_fee(&mut new, items, FARE, "Accommodation fare", amount, ids);
    }
    new.sort_by_key(|item| (!item.is_locked, item.normal_type != FARE && item.is_locked));
    check_total(&new, currency)?;
    Ok(Written {
        items: new,
        replaces_catalog,
    })
}

/// An invoice that a client wrote.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Written {
    pub(crate) items: Vec<Item>,
    /// Whether it wrote taxes of its own, or a line of the catalog otherwise.
    pub(crate) replaces_catalog: bool,
}

/// The lines with one more, before those of the catalog.
pub(crate) fn add(
    items: &[Item],
    line: &NewInvoiceItem,
    currency: Currency,
    id: InvoiceItemId,
) -> Result<Vec<Item>, Rejection> {
    if !ADDABLE.contains(&line.normal_type.as_str()) {
        return Err(Rejection::invalid(
            "normalType",
            format!("not one to add; to add are {}", ADDABLE.join(", ")),
        ));
    }
    if line.normal_type != ADDITIONAL_FEE && line.second_identifier.is_some() {
        return Err(Rejection::invalid(
            "secondIdentifier",
            "it goes with AFE only",
        ));
    }
    let (mut new, catalog): (Vec<Item>, Vec<Item>) =
        (items.iter().cloned()).partition(|item| item.origin.is_none());
    if new.len() >= ITEMS_MAX {
        return Err(Rejection::invalid(
            "money.invoiceItems",
            format!("the invoice has {ITEMS_MAX} lines already"),
        ));
    }
    new.push(read("", line, currency, id)?);
    new.extend(catalog);
    check_total(&new, currency)?;
    Ok(new)
}

fn fee(field: &str, amount: &Decimal, currency: Currency) -> Result<Money, Rejection> {
    let amount = in_currency(field, amount, currency)?;
    if amount.is_negative() {
        return Err(Rejection::invalid(field, "it cannot be less than 0"));
    }
    Ok(amount)
}

/// Puts one line in place of those of its kind that the invoice had; a fee of nothing has
/// none.
fn set_fee(
    new: &mut Vec<Item>,
    old: &[Item],
    normal_type: &str,
    title: &str,
    amount: Money,
    ids: &mut dyn FnMut() -> InvoiceItemId,
) {
    let had = |item: &Item| item.normal_type == normal_type;
    new.retain(|item| !(had(item) && old.iter().any(|old| old.id == item.id)));
    if amount.is_zero() {
        return;
    }
    let known = old.iter().find(|item| had(item) && item.is_locked);
    let item = Item {
        id: known.map_or_else(ids, |item| item.id),
        title: title.to_owned(),
        description: None,
        amount,
        normal_type: normal_type.to_owned(),
        second_identifier: None,
        is_locked: true,
        origin: None,
    };
    new.push(item);
}

/// The lines that were written, after those that only the fares change and before those of the
/// catalog; and whether they replace these.
fn replaced(
    written: &[NewInvoiceItem],
    old: Vec<Item>,
    currency: Currency,
    ids: &mut dyn FnMut() -> InvoiceItemId,
) -> Result<(Vec<Item>, bool), Rejection> {
    let (mut new, mut old): (Vec<Item>, Vec<Item>) =
        old.into_iter().partition(|item| item.is_locked);
    let locked: Vec<InvoiceItemId> = new.iter().map(|item| item.id).collect();
    let catalog: Vec<Item> = (old.iter().filter(|item| item.origin.is_some()))
        .cloned()
        .collect();
    if written.len() > ITEMS_MAX + catalog.len() {
        return Err(Rejection::invalid(
            "money.invoiceItems",
            format!("at most {ITEMS_MAX} of them"),
        ));
    }
    let mut replaces_catalog = false;
    for (place, line) in written.iter().enumerate() {
        if line.id.is_some_and(|id| locked.contains(&id)) {
            continue;
        }
        let mut item = read(
            &format!("money.invoiceItems[{place}]."),
            line,
            currency,
            ids(),
        )?;
        let same = old
            .iter()
            .position(|old| line.id == Some(old.id))
            .or_else(|| old.iter().position(|old| item.says_the_same_as(old)));
        match same.map(|same| old.remove(same)) {
            Some(same) => {
                item.id = same.id;
                if item.says_the_same_as(&same) {
                    item.origin = same.origin;
                } else {
                    replaces_catalog |= same.origin.is_some();
                }
            }
            None => replaces_catalog |= item.is_tax(),
        }
        new.push(item);
    }
    if replaces_catalog {
        for item in &mut new {
            item.origin = None;
        }
    } else {
        new.retain(|item| item.origin.is_none());
        new.extend(catalog);
    }
    Ok((new, replaces_catalog))
}

/// Reads a line; `prefix` is what stands before the names of its fields.
fn read(
    prefix: &str,
    new: &NewInvoiceItem,
    currency: Currency,
    id: InvoiceItemId,
) -> Result<Item, Rejection> {
    let at = |name: &str| format!("{prefix}{name}");
    if new.title.trim().is_empty() {
        return Err(Rejection::invalid(at("title"), "it is empty"));
    }
    check_length(at("title"), &new.title, TITLE_MAX)?;
    let description = new.description.as_deref().unwrap_or_default();
    check_length(at("description"), description, DESCRIPTION_MAX)?;
    let normal_type = new.normal_type.as_str();
    if !NORMAL_TYPES.contains(&normal_type) {
        return Err(Rejection::invalid(
            at("normalType"),
            format!("not known; known are {}", NORMAL_TYPES.join(", ")),
        ));
    }
    check_second_identifier(&at("secondIdentifier"), new)?;
    let item = Item {
        id,
        title: new.title.clone(),
        description: new.description.clone(),
        amount: in_currency(&at("amount"), &new.amount, currency)?,
        normal_type: normal_type.to_owned(),
        second_identifier: new.second_identifier.clone(),
        is_locked: false,
        origin: None,
    };
    let cannot_be_negative = item.is_tax() || [FARE, CLEANING].contains(&normal_type);
    if cannot_be_negative && item.amount.is_negative() {
        return Err(Rejection::invalid(
            at("amount"),
            "a fare, a cleaning fee or a tax cannot be less than 0",
        ));
    }
    Ok(item)
}

fn check_second_identifier(field: &str, new: &NewInvoiceItem) -> Result<(), Rejection> {
    match new.second_identifier.as_deref() {
        None if new.normal_type == ADDITIONAL_FEE => Err(Rejection::invalid(
            field,
            "an additional fee (AFE) must say which it is",
        )),
        Some(name) if !ADDITIONAL_FEES.contains(&name) => Err(Rejection::invalid(
            field,
            format!("not known; known are {}", ADDITIONAL_FEES.join(", ")),
        )),
        _ => Ok(()),
    }
}

/// Refuses an invoice that comes to less than nothing, or to too much.
pub(crate) fn check_total(items: &[Item], currency: Currency) -> Result<(), Rejection> {
    let total = totals(items, currency).total;
    if total.is_negative() {
        return Err(Rejection::invalid(
            "money",
            format!("the invoice comes to {total}: it cannot be less than 0"),
        ));
    }
    if total.minor() > MINOR_MAX {
        let limit = Money::from_minor(MINOR_MAX, currency);
        return Err(Rejection::invalid(
            "money",
            format!("the invoice comes to {total}, beyond the limit of {limit}"),
        ));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use contract::ObjectId;
    use proptest::prelude::*;
    use serde_json::{Value, json};

    use super::*;

    /// Writes to an invoice in US dollars, with ids counted from what it has.
    fn after(items: &[Item], written: &Value) -> Result<Vec<Item>, String> {
        let written: MoneyFields = serde_json::from_str(&written.to_string()).unwrap();
        let mut count = items.len() as u64 * 100;
        let mut ids = || {
            count += 1;
            let [.., a, b] = count.to_be_bytes();
            ObjectId::from_bytes([0, 0, 0, 0, 0, 0, 0, 0, 0, 0, a, b]).into()
        };
        write(items, &written, "USD".parse().unwrap(), &mut ids)
            .map(|written| written.items)
            .map_err(|error| error.to_string())
    }

    fn lines(items: &[Item]) -> Vec<String> {
        let line = |item: &Item| format!("{} {}", item.normal_type, item.amount.shortest());
        items.iter().map(line).collect()
    }

    fn item(normal_type: &str, amount: &Value) -> Value {
        json!({"title": "A", "normalType": normal_type, "amount": amount})
    }

    #[test]
    fn an_invoice_comes_to_its_lines() {
        let items = after(
            &[],
            &json!({
                "fareAccommodation": 624, "fareCleaning": 197,
                "invoiceItems": [
                    item("GST", &json!(41.05)), item("LT", &json!(81.89)),
                    item("AFA", &json!(10)), item("LOSD", &json!(-24.5)), item("PCM", &json!(5)),
                ]
            }),
        )
        .unwrap();
        let totals = totals(&items, "USD".parse().unwrap());
        assert_eq!(totals.fare.shortest(), "624");
        assert_eq!(totals.adjustment.shortest(), "10");
        assert_eq!(totals.discount.shortest(), "-24.5");
        // 624 + 10 - 24.5
        assert_eq!(totals.adjusted.shortest(), "609.5");
        assert_eq!(totals.cleaning.shortest(), "197");
        // 609.5 + 197 + 5
        assert_eq!(totals.subtotal.shortest(), "811.5");
        // 41.05 + 81.89
        assert_eq!(totals.taxes.shortest(), "122.94");
        assert_eq!(totals.total.shortest(), "934.44");
    }

    #[test]
    fn what_is_left_out_stays() {
        let first = after(
            &[],
            &json!({"fareAccommodation": 100, "fareCleaning": 20, "invoiceItems": [
                item("VAT", &json!(5)), item("CT", &json!(6))]}),
        )
        .unwrap();
        assert_eq!(lines(&first), ["AF 100", "CF 20", "VAT 5", "CT 6"]);
        let dearer = after(&first, &json!({"fareAccommodation": 110})).unwrap();
        assert_eq!(lines(&dearer), ["AF 110", "CF 20", "VAT 5", "CT 6"]);
        assert_eq!(dearer[0].id, first[0].id);
        let uncleaned = after(&dearer, &json!({"fareCleaning": 0})).unwrap();
        assert_eq!(lines(&uncleaned), ["AF 110", "VAT 5", "CT 6"]);
        let untaxed = after(
            &uncleaned,
            &json!({"invoiceItems": [item("CT", &json!(6.00))]}),
        )
        .unwrap();
        assert_eq!(lines(&untaxed), ["AF 110", "CT 6"]);
        assert_eq!(untaxed[1].id, first[3].id);
    }

    #[test]
    fn an_invoice_written_back_as_it_was_shown_stays_as_it_was() {
        let first = after(
            &[],
            &json!({"fareAccommodation": 80, "fareCleaning": 9, "invoiceItems": [
                item("AF", &json!(20)), item("VAT", &json!(5)), item("VAT", &json!(5))]}),
        )
        .unwrap();
        assert_eq!(lines(&first), ["AF 80", "CF 9", "AF 20", "VAT 5", "VAT 5"]);
        let shown: Vec<Value> = first
            .iter()
            .map(|line| {
                json!({"_id": line.id, "title": line.title, "normalType": line.normal_type,
                       "amount": line.amount.to_decimal()})
            })
            .collect();
        assert_eq!(
            after(&first, &json!({"invoiceItems": shown})).unwrap(),
            first
        );
        // The fare that is shown is that of all its lines, and is written back as one.
        let one = after(
            &first,
            &json!({"fareAccommodation": 100, "fareCleaning": 9, "invoiceItems": shown}),
        )
        .unwrap();
        assert_eq!(lines(&one), ["AF 100", "CF 9", "VAT 5", "VAT 5"]);
    }

    #[test]
    fn what_cannot_be_on_an_invoice_is_named() {
        for (written, named) in [
            (json!({"fareAccommodation": -1}), "money.fareAccommodation"),
            (
                json!({"fareAccommodation": 10.001}),
                "money.fareAccommodation",
            ),
            (
                json!({"fareCleaning": 10_000_000_000.01}),
                "money.fareCleaning",
            ),
            (
                json!({"invoiceItems": [item("XX", &json!(1))]}),
                "invoiceItems[0].normalType",
            ),
            (
                json!({"invoiceItems": [item("AFE", &json!(1))]}),
                "invoiceItems[0].secondIdentifier",
            ),
            (
                json!({"invoiceItems": [item("VAT", &json!(-1))]}),
                "invoiceItems[0].amount",
            ),
            (
                json!({"invoiceItems": [item("AFD", &json!(-1))]}),
                "cannot be less than 0",
            ),
            (
                json!({"invoiceItems": [item("AFA", &json!(9_000_000_000_u64)),
                                        item("AFA", &json!(9_000_000_000_u64))]}),
                "beyond the limit",
            ),
        ] {
            let error = after(&[], &written).unwrap_err();
            assert!(error.contains(named), "{written}: {error}");
        }
    }

    proptest! {
        #[test]
        fn subtotal_and_taxes_are_the_whole(
            fare in 0_i64..1_000_000,
            amounts in prop::collection::vec((0..NORMAL_TYPES.len(), 0_i64..1_000_000), 0..20),
        ) {
            let cents = |minor: i64| format!("{}.{:02}", minor / 100, minor % 100);
            let items: Vec<Value> = amounts
                .iter()
                .map(|(kind, minor)| {
                    let mut item = item(
                        NORMAL_TYPES[*kind],
                        &serde_json::from_str(&cents(*minor)).unwrap(),
                    );
                    item["secondIdentifier"] = json!("PET");
                    item
                })
                .collect();
            let fare_given: Value = serde_json::from_str(&cents(fare)).unwrap();
            let items =
                after(&[], &json!({"fareAccommodation": fare_given, "invoiceItems": items})).unwrap();
            let totals = totals(&items, "USD".parse().unwrap());
            let sum: i64 = amounts.iter().map(|(_, minor)| minor).sum();
            prop_assert_eq!(totals.total.minor(), fare + sum);
            prop_assert_eq!(totals.subtotal.minor() + totals.taxes.minor(), totals.total.minor());
            prop_assert_eq!(
                totals.adjusted.minor(),
                totals.fare.minor() + totals.adjustment.minor() + totals.discount.minor()
            );
        }
    }
}
