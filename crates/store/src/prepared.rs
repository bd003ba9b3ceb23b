//! Updates that a connection prepares once.
//!
//! Diesel keeps prepared reads and inserts, and finds them again by their type. An update it builds
//! and prepares anew each time, because its columns may differ from one use to the next; that costs
//! more than running it.

use std::marker::PhantomData;

use diesel::associations::HasTable;
use diesel::backend::Backend;
use diesel::query_builder::{
    AsChangeset, AstPass, IntoUpdateTarget, QueryFragment, QueryId, UpdateTarget,
};
use diesel::{QueryResult, QuerySource, RunQueryDsl};

/// An update with a name of its own, which says that its SQL never changes. See
/// [`update_prepared!`](crate::update_prepared).
pub struct PreparedUpdate<Name, Table, Rows, Changes> {
    table: Table,
    rows: Rows,
    changes: Changes,
    name: PhantomData<Name>,
}

impl<Name, From, Rows, Changes> PreparedUpdate<Name, From, Rows, Changes> {
    /// Gives an update a name that no other has.
    pub fn new<Target, Values>(target: Target, values: Values) -> Self
    where
        Target: IntoUpdateTarget<WhereClause = Rows> + HasTable,
        Target::Table: QuerySource<FromClause = From>,
        Values: AsChangeset<Target = Target::Table, Changeset = Changes>,
    {
        let UpdateTarget {
            table,
            where_clause,
        } = target.into_update_target();
        Self {
            table: table.from_clause(),
            rows: where_clause,
            changes: values.as_changeset(),
            name: PhantomData,
        }
    }
}

impl<Name: 'static, From, Rows, Changes> QueryId for PreparedUpdate<Name, From, Rows, Changes> {
    type QueryId = Name;
    const HAS_STATIC_QUERY_ID: bool = true;
}

impl<DB, Name, From, Rows, Changes> QueryFragment<DB> for PreparedUpdate<Name, From, Rows, Changes>
where
    DB: Backend,
    From: QueryFragment<DB>,
    Rows: QueryFragment<DB>,
    Changes: QueryFragment<DB>,
{
    fn walk_ast<'b>(&'b self, mut pass: AstPass<'_, 'b, DB>) -> QueryResult<()> {
        pass.push_sql("UPDATE ");
        self.table.walk_ast(pass.reborrow())?;
        pass.push_sql(" SET ");
        self.changes.walk_ast(pass.reborrow())?;
        self.rows.walk_ast(pass)
    }
}

impl<Connection, Name, From, Rows, Changes> RunQueryDsl<Connection>
    for PreparedUpdate<Name, From, Rows, Changes>
{
}

/// A command of SQL that is prepared once, too. No two have the same number.
pub(crate) struct Command<const NUMBER: u8>(pub(crate) &'static str);

impl<const NUMBER: u8> QueryId for Command<NUMBER> {
    type QueryId = Self;
    const HAS_STATIC_QUERY_ID: bool = true;
}

impl<DB: Backend, const NUMBER: u8> QueryFragment<DB> for Command<NUMBER> {
    fn walk_ast<'b>(&'b self, mut pass: AstPass<'_, 'b, DB>) -> QueryResult<()> {
        pass.push_sql(self.0);
        Ok(())
    }
}

impl<Connection, const NUMBER: u8> RunQueryDsl<Connection> for Command<NUMBER> {}

/// Executes `diesel::update(target).set(values)`, prepared once for each connection.
///
/// Only for an update whose SQL is the same for all values: a changeset with optional fields needs
/// `treat_none_as_null`, and lists (`eq_any`) do not belong in it. Not inside a generic function,
/// whose instances would share the statement.
///
/// ```ignore
/// update_prepared!(connection, t::table.find(id), t::name.eq(name))?;
/// ```
#[macro_export]
macro_rules! update_prepared {
    ($connection:expr, $target:expr, $values:expr) => {{
        enum ThisUpdate {}
        $crate::both!($connection, connection => {
            let update = $crate::PreparedUpdate::<ThisUpdate, _, _, _>::new($target, $values);
            diesel::RunQueryDsl::execute(update, connection)
        })
    }};
}
