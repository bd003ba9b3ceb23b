//! Secrets of the platform itself, sealed: the key that signs tokens, and the check value by which
//! a wrong vault key is noticed at the start rather than at the first secret.

use contract::{ObjectId, Timestamp};
use diesel::prelude::*;
use store::{Connection, Lock, Store};
use vault::Vault;
use zeroize::Zeroizing;

use crate::Error;
use crate::schema::sealed_secret;

/// What a secret is for.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Kind {
    /// Signs access tokens.
    TokenSigningKey,
}

impl Kind {
    fn name(self) -> &'static str {
        match self {
            Self::TokenSigningKey => "token_signing_key",
        }
    }
}

/// The id of the row with the vault's check value.
const CHECK: &str = "vault_check";

/// A secret, opened.
pub(crate) struct Opened {
    pub(crate) id: String,
    pub(crate) plaintext: Zeroizing<Vec<u8>>,
}

#[derive(Queryable, Selectable, Insertable)]
#[diesel(table_name = sealed_secret)]
struct Row {
    id: String,
    kind: String,
    sealed: Vec<u8>,
    created_ms: Timestamp,
}

/// Refuses a vault whose key is not the one that sealed this database's secrets.
pub(crate) async fn check_vault_key(
    store: &Store,
    vault: &Vault,
    now: Timestamp,
) -> Result<(), Error> {
    let sealed = vault.check_value()?;
    let row = move || Row {
        id: CHECK.to_owned(),
        kind: CHECK.to_owned(),
        sealed: sealed.clone(),
        created_ms: now,
    };
    let kept = store
        .write(Lock::none(), move |c| keep_first(c, CHECK, row()))
        .await?;
    Ok(vault.verify_check_value(&kept.sealed)?)
}

/// The newest secret of a kind; a fresh one is kept when there is none yet.
pub(crate) async fn find_or_create(
    store: &Store,
    vault: &Vault,
    kind: Kind,
    fresh_id: ObjectId,
    fresh: Vec<u8>,
    now: Timestamp,
) -> Result<Opened, Error> {
    let context = |id: &str| format!("payments.sealed_secret/{}/{id}", kind.name());
    let sealed = vault.seal(&context(fresh_id.as_str()), &fresh)?;
    let row = move || Row {
        id: fresh_id.to_string(),
        kind: kind.name().to_owned(),
        sealed: sealed.clone(),
        created_ms: now,
    };
    let kept = store
        .write(Lock::none(), move |c| keep_first(c, kind.name(), row()))
        .await?;
    let plaintext = vault.open(&context(&kept.id), &kept.sealed)?;
    Ok(Opened {
        id: kept.id,
        plaintext,
    })
}

/// The newest row of a kind, or `fresh`, kept now.
fn keep_first(connection: &mut Connection, kind: &str, fresh: Row) -> Result<Row, Error> {
    let found = sealed_secret::table
        .filter(sealed_secret::kind.eq(kind))
        .order(sealed_secret::created_ms.desc())
        .select(Row::as_select())
        .first(connection)
        .optional()?;
    if let Some(row) = found {
        return Ok(row);
    }
    diesel::insert_into(sealed_secret::table)
        .values(&fresh)
        .execute(connection)?;
    Ok(fresh)
}
