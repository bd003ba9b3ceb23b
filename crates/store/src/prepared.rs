//! Updates that a connection prepares once.
//!
//! Diesel keeps prepared reads and inserts, and finds them again by their type. An update it builds
//! and prepares anew each time, because its columns may differ from one use to the next; that costs
//! more than running it.

use std::marker::PhantomData;

use diesel::backend::Backend;
use diesel::query_builder::{AstPass, QueryFragment, QueryId};
use diesel::{QueryResult, RunQueryDsl};

/// A statement with a name of its own, which says that its SQL never changes. See
/// [`prepared!`](crate::prepared).
pub struct Prepared<Name, Statement> {
    statement: Statement,
    name: PhantomData<Name>,
}

impl<Name, Statement> Prepared<Name, Statement> {
    /// Gives a statement a name that no other has.
    pub fn new(statement: Statement) -> Self {
        Self {
            statement,
            name: PhantomData,
        }
    }
}

impl<Name: 'static, Statement> QueryId for Prepared<Name, Statement> {
    type QueryId = Name;
    const HAS_STATIC_QUERY_ID: bool = true;
}

impl<DB: Backend, Name, Statement: QueryFragment<DB>> QueryFragment<DB>
    for Prepared<Name, Statement>
{
    fn walk_ast<'b>(&'b self, pass: AstPass<'_, 'b, DB>) -> QueryResult<()> {
        self.statement.walk_ast(pass)
    }

    fn is_safe_to_cache_prepared(&self, _: &DB) -> QueryResult<bool> {
        Ok(true)
    }
}

impl<Connection, Name, Statement> RunQueryDsl<Connection> for Prepared<Name, Statement> {}

/// Executes an update that is prepared once for each connection.
///
/// Only for one whose SQL is the same for all values: a changeset with optional fields needs
/// `treat_none_as_null`, and lists (`eq_any`) do not belong in it. Not inside a generic function,
/// whose instances would share the statement.
///
/// ```ignore
/// prepared!(connection, diesel::update(t::table.find(id)).set(t::name.eq(name)))?;
/// ```
#[macro_export]
macro_rules! prepared {
    ($connection:expr, $statement:expr) => {{
        enum ThisStatement {}
        $crate::both!($connection, connection => {
            let statement = $crate::Prepared::<ThisStatement, _>::new($statement);
            diesel::RunQueryDsl::execute(statement, connection)
        })
    }};
}
