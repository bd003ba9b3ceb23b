//! Portfolios: connections whose books are kept together.

use contract::Timestamp;
use contract::id::PortfolioId;
use diesel::prelude::*;
use store::{Lock, both, new_id};

use crate::schema::portfolio;
use crate::{Books, Error};

const NAME_CHARACTERS_MAX: usize = 100;

/// A portfolio.
#[derive(Debug, Clone, PartialEq, Eq, Queryable)]
pub struct Portfolio {
    /// Its id.
    pub id: PortfolioId,
    /// What people call it; no other has this name.
    pub name: String,
    /// Since when there is one.
    pub made_at: Timestamp,
}

impl Books {
    /// Makes a portfolio.
    pub async fn add_portfolio(&self, name: &str) -> Result<Portfolio, Error> {
        let name = name.trim();
        if name.is_empty() || name.chars().count() > NAME_CHARACTERS_MAX {
            return Err(Error::PortfolioName);
        }
        let made = Portfolio {
            id: new_id(),
            name: name.to_owned(),
            made_at: self.clock().now(),
        };
        let row = made.clone();
        let add = self.store().write(Lock::none(), move |c| {
            let insert = diesel::insert_into(portfolio::table).values((
                portfolio::id.eq(row.id),
                portfolio::name.eq(&row.name),
                portfolio::made_ms.eq(row.made_at),
            ));
            let added = both!(c, c => insert
                .on_conflict(portfolio::name)
                .do_nothing()
                .execute(c))?;
            match added {
                0 => Err(Error::PortfolioTaken(row.name.clone())),
                _ => Ok(()),
            }
        });
        add.await?;
        Ok(made)
    }

    /// Whether the database answers: one row is read.
    pub async fn is_ready(&self) -> Result<(), Error> {
        let any = self.store().read(|c| {
            let any = portfolio::table.select(portfolio::id);
            Ok::<_, Error>(any.first::<PortfolioId>(c).optional()?)
        });
        any.await.map(drop)
    }

    /// All portfolios, by name.
    pub async fn portfolios(&self) -> Result<Vec<Portfolio>, Error> {
        let all = self.store().read(|c| {
            let rows = portfolio::table.order(portfolio::name);
            Ok::<_, Error>(rows.load(c)?)
        });
        all.await
    }
}
