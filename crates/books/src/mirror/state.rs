//! What a reply says of an object: its state, and what it is looked for by.

use contract::Timestamp;
use guesty::Field;
use guesty::seen::account::Account;
use guesty::seen::fee::Fee;
use guesty::seen::listing::Listing;
use guesty::seen::payout::PayoutRow;
use guesty::seen::report_time::ReportTime;
use guesty::seen::reservation::Reservation;
use guesty::seen::tax::Tax;
use guesty::seen::transaction::Transaction;
use serde::{Deserialize, Serialize};

use super::Kind;
use super::canonical::canonical;
use super::flag::{Flag, Flagged};
use super::key::key;

/// An object, as a reply has it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Seen {
    pub(super) kind: Kind,
    pub(super) id: String,
    /// What in it the books do not understand.
    pub(super) flags: Vec<Flag>,
    pub(super) labels: Labels,
    /// When something last happened to it, by the source's time.
    pub(super) active: Option<Timestamp>,
    pub(super) state: String,
}

/// What an object is looked for by.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Labels {
    pub(super) code: Option<String>,
    pub(super) parent: Option<String>,
    pub(super) day: Option<String>,
    pub(super) scope: Option<String>,
}

/// Which taxes hold for a property, its own or the account's.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct AppliedTaxes {
    /// Their ids.
    pub tax_ids: Vec<String>,
}

impl Seen {
    fn new(
        kind: Kind,
        id: Option<String>,
        labels: Labels,
        value: &impl Serialize,
    ) -> Result<Self, String> {
        let id = id.ok_or_else(|| format!("a {kind} without an id"))?;
        let (state, flags) = canonical(kind, value).map_err(|error| error.to_string())?;
        Ok(Self {
            kind,
            id,
            flags,
            labels,
            active: None,
            state,
        })
    }

    /// What in it the books do not understand, if there is such.
    pub(super) fn flagged(&self) -> Option<Flagged> {
        let (code, flags) = (self.labels.code.clone(), self.flags.clone());
        let is_flagged = !flags.is_empty();
        is_flagged.then(|| Flagged::new(self.kind, &self.id, code, flags))
    }

    fn active_at(self, active: Option<Timestamp>) -> Self {
        Self { active, ..self }
    }

    pub(super) fn account(account: &Account) -> Result<Self, String> {
        // Applications of one account are told different ids of it, and there is only one.
        text(&account.id).ok_or("an account without an id")?;
        Self::new(
            Kind::Account,
            Some("account".to_owned()),
            Labels::default(),
            account,
        )
    }

    pub(super) fn property(listing: &Listing) -> Result<Self, String> {
        let labels = Labels {
            scope: text(&listing.active).map(|active| format!("active={active}")),
            ..Labels::default()
        };
        Self::new(Kind::Property, text(&listing.id), labels, listing)
    }

    pub(super) fn reservation(reservation: &Reservation) -> Result<Self, String> {
        let labels = Labels {
            code: text(&reservation.confirmation_code),
            parent: text(&reservation.listing_id),
            day: text(&reservation.check_in_date_localized),
            scope: None,
        };
        let updated = reservation.last_updated_at.get();
        let active = updated.max(reservation.created_at.get());
        let seen = Self::new(
            Kind::Reservation,
            text(&reservation.id),
            labels,
            reservation,
        )?;
        Ok(seen.active_at(active))
    }

    pub(super) fn tax(tax: &Tax, level: &str) -> Result<Self, String> {
        Self::new(Kind::Tax, text(&tax.id), level_of(level), tax)
    }

    pub(super) fn fee(fee: &Fee, level: &str) -> Result<Self, String> {
        Self::new(Kind::Fee, text(&fee.id), level_of(level), fee)
    }

    pub(super) fn applied_taxes(listing: &str, taxes: &[Tax]) -> Result<Self, String> {
        let tax_ids = taxes.iter().filter_map(|tax| text(&tax.id)).collect();
        let labels = Labels {
            parent: Some(listing.to_owned()),
            ..Labels::default()
        };
        let applied = AppliedTaxes { tax_ids };
        Self::new(
            Kind::AppliedTaxes,
            Some(listing.to_owned()),
            labels,
            &applied,
        )
    }

    pub(super) fn transaction(row: &Transaction, window: &str) -> Result<Self, String> {
        let labels = Labels {
            code: text(&row.reservation_confirmation_code),
            parent: None,
            day: text(&row.merchant_date).map(date),
            scope: Some(window.to_owned()),
        };
        let active = row.merchant_date.get().map(instant);
        let seen = Self::new(Kind::Transaction, text(&row.transaction_id), labels, row)?;
        Ok(seen.active_at(active))
    }

    /// The report gives its rows no ids: what tells the lines of a payout apart stands for one.
    pub(super) fn payout_line(row: &PayoutRow, window: &str) -> Result<Self, String> {
        let labels = Labels {
            code: text(&row.reservation_confirmation_code)
                .or_else(|| text(&row.merchant_transaction_id)),
            parent: text(&row.payout_id),
            day: text(&row.payout_process_date).map(date),
            scope: Some(window.to_owned()),
        };
        let parts = [
            text(&row.activity_type),
            text(&row.transaction_id).or_else(|| text(&row.processor_transaction_id)),
            text(&row.fee_name),
            text(&row.adjustment_id),
            text(&row.reserve_collection_date),
        ];
        let id = text(&row.payout_id).map(|payout| {
            let parts = parts.into_iter().flatten();
            parts.fold(payout, |id, part| format!("{id}/{part}"))
        });
        let active = row.payout_process_date.get().map(instant);
        Ok(Self::new(Kind::PayoutLine, id, labels, row)?.active_at(active))
    }
}

/// Whose catalog a tax or fee is in: a listing's, or the account's.
fn level_of(level: &str) -> Labels {
    Labels {
        parent: Some(level.to_owned()),
        scope: Some(level.to_owned()),
        ..Labels::default()
    }
}

/// The text of a field, as it is looked for.
fn text<T: ToString>(field: &Field<T>) -> Option<String> {
    let text = match field {
        Field::Absent => return None,
        Field::Value(value) => value.to_string(),
        Field::Odd(text) => text.clone(),
    };
    Some(key(text))
}

/// A report's time, taken for UTC.
fn instant(time: ReportTime) -> Timestamp {
    time.0.and_utc().into()
}

/// The date of a report's time.
fn date(time: String) -> String {
    match time.get(..10) {
        Some(date) => date.to_owned(),
        None => time,
    }
}
