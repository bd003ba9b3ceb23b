//! Conditions and orders that are known only when a request is read, as SQL.
//!
//! Texts compare by their bytes and ignore case in ASCII letters only, on both engines alike:
//! PostgreSQL would otherwise follow the language that its database was made for.

use std::borrow::Cow;

use chrono::NaiveDate;
use diesel::expression::{
    AppearsOnTable, Expression, SelectableExpression, ValidGrouping, is_aggregate,
};
use diesel::prelude::*;
use diesel::query_builder::{AstPass, QueryFragment, QueryId};
use diesel::sql_types::{BigInt, Bool, Date, Text};
use store::Connection;

use crate::model::search::{Condition, Kind, Operand, Order, Test};

/// The backend that stands for both engines.
pub(crate) type Backend = <Connection as diesel::Connection>::Backend;

/// How a field is written in SQL.
pub(crate) type Columns = fn(field: &str) -> &'static str;

/// A condition, or a thing to sort by, as pieces of SQL and bound values.
#[derive(Debug)]
pub(crate) struct Fragment(Vec<Piece>);

#[derive(Debug)]
enum Piece {
    Sql(Cow<'static, str>),
    Text(String),
    Number(i64),
    Date(NaiveDate),
    Flag(bool),
}

/// What an engine needs said that the other takes for granted.
struct Dialect {
    by_bytes: &'static str,
    like: &'static str,
}

impl Dialect {
    fn of(connection: &Connection) -> Self {
        match connection {
            Connection::Sqlite(_) => Self {
                by_bytes: "",
                like: " LIKE ",
            },
            Connection::Postgres(_) => Self {
                by_bytes: " COLLATE \"C\"",
                like: " COLLATE \"C\" ILIKE ",
            },
        }
    }

    fn comparable(&self, column: &'static str, kind: Kind) -> Cow<'static, str> {
        match kind {
            Kind::Id | Kind::Text if !self.by_bytes.is_empty() => {
                Cow::Owned(format!("{column}{}", self.by_bytes))
            }
            _ => Cow::Borrowed(column),
        }
    }
}

/// The condition in the engine's SQL.
pub(crate) fn condition(
    connection: &Connection,
    condition: &Condition,
    columns: Columns,
) -> Fragment {
    let dialect = Dialect::of(connection);
    let column = columns(condition.field);
    let compared = |operator: &'static str, operand: &Operand| {
        vec![
            Piece::Sql(dialect.comparable(column, condition.kind)),
            Piece::Sql(Cow::Borrowed(operator)),
            bound(operand),
        ]
    };
    Fragment(match &condition.test {
        Test::Is(None) => vec![sql(column), sql(" IS NULL")],
        Test::IsNot(None) => vec![sql(column), sql(" IS NOT NULL")],
        Test::Is(Some(operand)) => vec![sql(column), sql(" = "), bound(operand)],
        Test::IsNot(Some(operand)) => {
            let mut pieces = vec![sql("("), sql(column), sql(" IS NULL OR ")];
            pieces.extend([sql(column), sql(" <> "), bound(operand), sql(")")]);
            pieces
        }
        Test::Contains(text) => like(&dialect, column, text),
        Test::NotContains(text) => {
            let mut pieces = vec![sql("("), sql(column), sql(" IS NULL OR NOT ")];
            pieces.extend(like(&dialect, column, text));
            pieces.push(sql(")"));
            pieces
        }
        Test::Above(operand) => compared(" > ", operand),
        Test::AtLeast(operand) => compared(" >= ", operand),
        Test::Below(operand) => compared(" < ", operand),
        Test::AtMost(operand) => compared(" <= ", operand),
        Test::OneOf(operands) => one_of(column, operands),
    })
}

/// An order in the engine's SQL: what is not there comes before all that is.
pub(crate) fn order(connection: &Connection, order: Order, columns: Columns) -> Fragment {
    let column = Dialect::of(connection).comparable(columns(order.field), order.kind);
    let direction = if order.descending {
        " DESC NULLS LAST"
    } else {
        " ASC NULLS FIRST"
    };
    Fragment(vec![Piece::Sql(column), sql(direction)])
}

/// Whether a text that is kept in lower case holds another, whatever its case.
pub(crate) fn holding(text: &str) -> String {
    format!("%{}%", escaped(&text.to_lowercase()))
}

fn sql(text: &'static str) -> Piece {
    Piece::Sql(Cow::Borrowed(text))
}

fn bound(operand: &Operand) -> Piece {
    match operand {
        Operand::Text(text) => Piece::Text(text.clone()),
        Operand::Number(number) => Piece::Number(*number),
        Operand::Date(date) => Piece::Date(*date),
        Operand::Flag(flag) => Piece::Flag(*flag),
    }
}

fn like(dialect: &Dialect, column: &'static str, text: &str) -> Vec<Piece> {
    vec![
        sql("("),
        sql(column),
        sql(dialect.like),
        Piece::Text(format!("%{}%", escaped(text))),
        sql(" ESCAPE '\\')"),
    ]
}

fn one_of(column: &'static str, operands: &[Operand]) -> Vec<Piece> {
    if operands.is_empty() {
        return vec![sql("1 = 0")];
    }
    let mut pieces = vec![sql(column), sql(" IN (")];
    for (place, operand) in operands.iter().enumerate() {
        if place > 0 {
            pieces.push(sql(", "));
        }
        pieces.push(bound(operand));
    }
    pieces.push(sql(")"));
    pieces
}

/// The text with what `LIKE` reads as a pattern escaped.
fn escaped(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for c in text.chars() {
        if matches!(c, '%' | '_' | '\\') {
            escaped.push('\\');
        }
        escaped.push(c);
    }
    escaped
}

impl Expression for Fragment {
    type SqlType = Bool;
}

impl<Source> AppearsOnTable<Source> for Fragment {}
impl<Source> SelectableExpression<Source> for Fragment {}

impl ValidGrouping<()> for Fragment {
    type IsAggregate = is_aggregate::Never;
}

impl QueryId for Fragment {
    type QueryId = ();
    const HAS_STATIC_QUERY_ID: bool = false;
}

impl QueryFragment<Backend> for Fragment {
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, Backend>) -> QueryResult<()> {
        for piece in &self.0 {
            match piece {
                Piece::Sql(text) => out.push_sql(text),
                Piece::Text(text) => out.push_bind_param::<Text, _>(text)?,
                Piece::Number(number) => out.push_bind_param::<BigInt, _>(number)?,
                Piece::Date(date) => out.push_bind_param::<Date, _>(date)?,
                Piece::Flag(flag) => out.push_bind_param::<Bool, _>(flag)?,
            }
        }
        Ok(())
    }
}
