//! Payment providers: an account's connections to processors.

use contract::id::{AccountId, PaymentProviderId};
use contract::provider::Provider;
use diesel::dsl::count_star;
use diesel::prelude::*;
use store::Connection;

use super::payment_method::ACTIVE;
use super::scope::Scope;
use crate::Error;
use crate::schema::{listing, payment_method, provider};

#[derive(Debug, Clone, Queryable, Selectable)]
#[diesel(table_name = provider)]
struct Row {
    id: PaymentProviderId,
    name: String,
    status: String,
    is_default: bool,
}

/// A page of the account's providers, oldest first, and how many there are in all.
pub(crate) fn list(
    connection: &mut Connection,
    scope: &Scope,
    limit: i64,
    skip: i64,
) -> Result<(Vec<Provider>, i64), Error> {
    let count = provider::table
        .filter(provider::account_id.eq(scope.account))
        .count()
        .get_result(connection)?;
    let rows: Vec<Row> = provider::table
        .filter(provider::account_id.eq(scope.account))
        .order((provider::created_ms, provider::id))
        .limit(limit)
        .offset(skip)
        .select(Row::as_select())
        .load(connection)?;
    let providers = rows
        .into_iter()
        .map(|row| row.with_counts(connection, scope))
        .collect::<Result<_, _>>()?;
    Ok((providers, count))
}

/// How many of the account's providers take payments.
pub(crate) fn count_active(connection: &mut Connection, account: AccountId) -> Result<i64, Error> {
    Ok(provider::table
        .filter(provider::account_id.eq(account))
        .filter(provider::status.eq(ACTIVE))
        .count()
        .get_result(connection)?)
}

/// The provider that serves the listings that name no other: of the active ones the default, else
/// the oldest.
pub(crate) fn default_of(
    connection: &mut Connection,
    account: AccountId,
) -> Result<Option<PaymentProviderId>, Error> {
    Ok(provider::table
        .filter(provider::account_id.eq(account))
        .filter(provider::status.eq(ACTIVE))
        .order((provider::is_default.desc(), provider::created_ms))
        .select(provider::id)
        .first(connection)
        .optional()?)
}

/// A provider of the account, active or not.
pub(crate) fn find(
    connection: &mut Connection,
    scope: &Scope,
    id: PaymentProviderId,
) -> Result<Option<Provider>, Error> {
    let row: Option<Row> = provider::table
        .find(id)
        .filter(provider::account_id.eq(scope.account))
        .select(Row::as_select())
        .first(connection)
        .optional()?;
    row.map(|row| row.with_counts(connection, scope))
        .transpose()
}

impl Row {
    fn with_counts(self, connection: &mut Connection, scope: &Scope) -> Result<Provider, Error> {
        let serves_others = default_of(connection, scope.account)? == Some(self.id);
        let mut listings = listing::table
            .filter(listing::account_id.eq(scope.account))
            .filter(listing::removed_ms.is_null())
            .select(count_star())
            .into_boxed();
        listings = if serves_others {
            listings.filter(
                listing::provider_id
                    .eq(self.id)
                    .or(listing::provider_id.is_null()),
            )
        } else {
            listings.filter(listing::provider_id.eq(self.id))
        };
        if let Some(only) = scope.only() {
            listings = listings.filter(listing::id.eq_any(only));
        }
        let listings_count = listings.first(connection)?;
        let payment_methods_count = payment_method::table
            .filter(payment_method::provider_id.eq(self.id))
            .count()
            .get_result(connection)?;
        Ok(Provider {
            id: self.id,
            account_name: self.name,
            status: self.status,
            is_default: self.is_default,
            listings_count,
            payment_methods_count,
        })
    }
}
