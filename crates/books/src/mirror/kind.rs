//! What is mirrored.

use std::fmt;

use guesty::seen::account::Account;
use guesty::seen::fee::Fee;
use guesty::seen::listing::Listing;
use guesty::seen::payout::PayoutRow;
use guesty::seen::reservation::Reservation;
use guesty::seen::tax::Tax;
use guesty::seen::transaction::Transaction;
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::canonical::canonical;
use super::flag::Flag;
use super::state::AppliedTaxes;

/// A kind of mirrored object.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Kind {
    /// The account itself.
    Account,
    /// A property for rent.
    Property,
    /// A stay with its money: charges and payments.
    Reservation,
    /// A tax of the catalog.
    Tax,
    /// An additional fee of the catalog.
    Fee,
    /// Which taxes hold for a property.
    AppliedTaxes,
    /// A row of the payment transactions report.
    Transaction,
    /// A row of the payouts reconciliation report.
    PayoutLine,
}

impl Kind {
    /// All of them.
    pub const ALL: [Self; 8] = [
        Self::Account,
        Self::Property,
        Self::Reservation,
        Self::Tax,
        Self::Fee,
        Self::AppliedTaxes,
        Self::Transaction,
        Self::PayoutLine,
    ];

    /// Its name in the database.
    pub fn name(self) -> &'static str {
        match self {
            Self::Account => "account",
            Self::Property => "property",
            Self::Reservation => "reservation",
            Self::Tax => "tax",
            Self::Fee => "fee",
            Self::AppliedTaxes => "applied-taxes",
            Self::Transaction => "transaction",
            Self::PayoutLine => "payout-line",
        }
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// What the state of an object is read as.
pub trait Mirrored: DeserializeOwned + Serialize + Send + 'static {
    /// Its kind.
    const KIND: Kind;
}

macro_rules! mirrored {
    ($($kind:ident: $type:ty),+ $(,)?) => {$(
        impl Mirrored for $type {
            const KIND: Kind = Kind::$kind;
        }
    )+

    impl Kind {
        /// What in a state, as it is kept, the books do not understand.
        pub(super) fn flags(self, state: &str) -> Result<Vec<Flag>, serde_json::Error> {
            match self {$(
                Self::$kind => Ok(canonical(self, &serde_json::from_str::<$type>(state)?)?.1),
            )+}
        }
    }};
}

mirrored! {
    Account: Account,
    Property: Listing,
    Reservation: Reservation,
    Tax: Tax,
    Fee: Fee,
    AppliedTaxes: AppliedTaxes,
    Transaction: Transaction,
    PayoutLine: PayoutRow,
}
