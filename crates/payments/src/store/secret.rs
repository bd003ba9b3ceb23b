//! Secrets of the platform itself, sealed: the keys that sign tokens and webhooks, and the check
//! value by which a wrong vault key is noticed at the start rather than at the first secret.

use contract::{ObjectId, Timestamp};
use diesel::prelude::*;
use store::{Connection, Lock, Store, both, new_id};
use vault::Vault;
use zeroize::Zeroizing;

use crate::Error;
use crate::schema::sealed_secret;

/// What a secret is for.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Kind {
    /// Signs access tokens.
    TokenSigningKey,
    /// Signs what is sent to a url.
    Webhook,
}

impl Kind {
    fn name(self) -> &'static str {
        match self {
            Self::TokenSigningKey => "token_signing_key",
            Self::Webhook => "webhook",
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

#[derive(Clone, Queryable, Selectable, Insertable)]
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
    let fresh = Row {
        id: CHECK.to_owned(),
        kind: CHECK.to_owned(),
        sealed: vault.check_value()?,
        created_ms: now,
    };
    let kept = store
        .write(Lock::none(), move |c| {
            // Programs that start at once all see the row that came first.
            let insert = diesel::insert_into(sealed_secret::table).values(&fresh);
            both!(c, c => insert.on_conflict_do_nothing().execute(c))?;
            newest(c, CHECK)?.ok_or_else(|| Error::Corrupt("no check value of the vault".into()))
        })
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
    let fresh = Row {
        id: fresh_id.to_string(),
        kind: kind.name().to_owned(),
        sealed: vault.seal(&context(kind.name(), fresh_id.as_str()), &fresh)?,
        created_ms: now,
    };
    // The check value is there by now, and serves as the lock: of programs that start at once, one
    // makes the secret and all use it.
    let kept = store
        .write(Lock::row("sealed_secret", &CHECK), move |c| {
            if let Some(kept) = newest(c, &fresh.kind)? {
                return Ok::<_, Error>(kept);
            }
            diesel::insert_into(sealed_secret::table)
                .values(&fresh)
                .execute(c)?;
            Ok(fresh.clone())
        })
        .await?;
    let plaintext = vault.open(&context(&kept.kind, &kept.id), &kept.sealed)?;
    Ok(Opened {
        id: kept.id,
        plaintext,
    })
}

/// A secret, sealed: to be kept, or as it was kept.
#[derive(Clone)]
pub(crate) struct Sealed(Row);

impl Sealed {
    /// Seals a new secret.
    pub(crate) fn new(
        vault: &Vault,
        kind: Kind,
        plaintext: &[u8],
        now: Timestamp,
    ) -> Result<Self, Error> {
        let id: ObjectId = new_id();
        Ok(Self(Row {
            sealed: vault.seal(&context(kind.name(), id.as_str()), plaintext)?,
            id: id.to_string(),
            kind: kind.name().to_owned(),
            created_ms: now,
        }))
    }

    pub(crate) fn id(&self) -> &str {
        &self.0.id
    }

    pub(crate) fn open(&self, vault: &Vault) -> Result<Zeroizing<Vec<u8>>, Error> {
        let row = &self.0;
        Ok(vault.open(&context(&row.kind, &row.id), &row.sealed)?)
    }
}

pub(crate) fn insert(connection: &mut Connection, secret: &Sealed) -> Result<(), Error> {
    diesel::insert_into(sealed_secret::table)
        .values(&secret.0)
        .execute(connection)?;
    Ok(())
}

pub(crate) fn find(connection: &mut Connection, id: &str) -> Result<Sealed, Error> {
    let row = sealed_secret::table.find(id).select(Row::as_select());
    Ok(Sealed(row.first(connection)?))
}

pub(crate) fn remove(connection: &mut Connection, id: &str) -> Result<(), Error> {
    diesel::delete(sealed_secret::table.find(id)).execute(connection)?;
    Ok(())
}

/// Seals anew what is not under the vault's primary key yet, all of it or nothing; says how many
/// rows that were. Afterwards the former keys open nothing here any more.
pub(crate) async fn reseal(store: &Store, vault: &Vault) -> Result<usize, Error> {
    let rows: Vec<Row> = store
        .read(|c| Ok::<_, Error>(sealed_secret::table.select(Row::as_select()).load(c)?))
        .await?;
    let mut resealed = Vec::new();
    for row in rows {
        if vault.needs_rotation(&row.sealed) {
            let sealed = if row.kind == CHECK {
                vault.verify_check_value(&row.sealed)?;
                vault.check_value()?
            } else {
                vault.rotate(&context(&row.kind, &row.id), &row.sealed)?
            };
            resealed.push((row.id, sealed));
        }
    }
    let count = resealed.len();
    store
        .write(Lock::none(), move |c| {
            for (id, sealed) in &resealed {
                diesel::update(sealed_secret::table.find(id))
                    .set(sealed_secret::sealed.eq(sealed))
                    .execute(c)?;
            }
            Ok::<_, Error>(())
        })
        .await?;
    Ok(count)
}

/// What binds a secret to its row.
fn context(kind: &str, id: &str) -> String {
    format!("payments.sealed_secret/{kind}/{id}")
}

fn newest(connection: &mut Connection, kind: &str) -> Result<Option<Row>, Error> {
    Ok(sealed_secret::table
        .filter(sealed_secret::kind.eq(kind))
        .order(sealed_secret::created_ms.desc())
        .select(Row::as_select())
        .first(connection)
        .optional()?)
}
