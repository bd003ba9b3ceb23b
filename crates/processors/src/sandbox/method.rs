//! Stored methods: cards in the sandbox's vault.

use contract::ObjectId;
use diesel::prelude::*;
use store::{Connection, both};

use super::declines::{self, Decline};
use super::halt::Halt;
use super::names;
use super::refusal::Refusal;
use super::tables::method;
use super::tokens::{self, Token};
use crate::{Billing, CardFacts, MethodToken, Shape, TransactionKind};

/// A stored method.
#[derive(Debug, Clone)]
pub(crate) struct Method {
    pub(crate) token: MethodToken,
    pub(crate) merchant: i64,
    pub(crate) shape: Shape,
    pub(crate) behaviour: &'static Token,
    pub(crate) card: CardFacts,
    pub(crate) billing: Billing,
    /// Whether it may be charged: it is kept, but may not, when it could not be verified.
    pub(crate) usable: bool,
    /// Whether it has declined a payment, if it declines the first only.
    pub(crate) declined_once: bool,
    /// What it will decline next, once, and why.
    pub(crate) refuses: Option<(TransactionKind, &'static Decline)>,
}

#[derive(Queryable, Insertable)]
#[diesel(table_name = method)]
struct Row {
    token: String,
    merchant: i64,
    shape: String,
    behaviour: String,
    brand: String,
    funding: String,
    country: String,
    bin: String,
    last4: String,
    exp_month: i32,
    exp_year: i32,
    billing_json: String,
    usable: bool,
    declined_once: bool,
    refused_kind: Option<TransactionKind>,
    refused_code: Option<String>,
}

/// What a card of the table tells of itself.
pub(crate) fn card_facts(token: &Token, exp_month: u8, exp_year: u16) -> CardFacts {
    CardFacts {
        brand: token.card.brand.to_owned(),
        last4: token.card.last4.to_owned(),
        bin: token.card.bin.to_owned(),
        exp_month,
        exp_year,
        funding: token.card.funding.to_owned(),
        country: token.card.country.to_owned(),
    }
}

/// A token that nobody has.
pub(crate) fn new_token(shape: Shape) -> MethodToken {
    match shape {
        Shape::PaymentIntent => {
            MethodToken::new(names::stripe("pm_1", &store::random_bytes::<32>()))
        }
        Shape::Amaryllis => MethodToken::new(store::new_id::<ObjectId>().to_string()),
    }
}

/// Reads a method by its token.
pub(crate) fn find(c: &mut Connection, token: &str) -> Result<Option<Method>, Halt> {
    let row = both!(c, c => method::table.find(token).first::<Row>(c));
    row.optional()?.map(read).transpose()
}

fn read(row: Row) -> Result<Method, Halt> {
    let shape = SHAPES.iter().find(|(_, name)| *name == row.shape);
    let (shape, _) = *shape.ok_or_else(|| Halt::corrupt(row.shape))?;
    let refuses = row.refused_kind.zip(row.refused_code.as_deref());
    Ok(Method {
        token: MethodToken::new(row.token),
        merchant: row.merchant,
        shape,
        behaviour: tokens::by_name(&row.behaviour).ok_or_else(|| Halt::corrupt(row.behaviour))?,
        card: CardFacts {
            brand: row.brand,
            last4: row.last4,
            bin: row.bin,
            exp_month: row.exp_month.try_into().map_err(Halt::corrupt)?,
            exp_year: row.exp_year.try_into().map_err(Halt::corrupt)?,
            funding: row.funding,
            country: row.country,
        },
        billing: serde_json::from_str(&row.billing_json).map_err(Halt::corrupt)?,
        usable: row.usable,
        declined_once: row.declined_once,
        refuses: refuses.and_then(|(kind, code)| Some((kind, declines::by_error_id(code)?))),
    })
}

/// Writes a new method.
pub(crate) fn insert(c: &mut Connection, new: &Method) -> Result<(), Halt> {
    let row = Row {
        token: new.token.to_string(),
        merchant: new.merchant,
        shape: shape_name(new.shape).to_owned(),
        behaviour: new.behaviour.name.to_owned(),
        brand: new.card.brand.clone(),
        funding: new.card.funding.clone(),
        country: new.card.country.clone(),
        bin: new.card.bin.clone(),
        last4: new.card.last4.clone(),
        exp_month: new.card.exp_month.into(),
        exp_year: new.card.exp_year.into(),
        billing_json: serde_json::to_string(&new.billing).map_err(Halt::corrupt)?,
        usable: new.usable,
        declined_once: new.declined_once,
        refused_kind: None,
        refused_code: None,
    };
    diesel::insert_into(method::table).values(row).execute(c)?;
    Ok(())
}

/// Remembers that the method has declined its first payment.
pub(crate) fn mark_declined(c: &mut Connection, token: &MethodToken) -> Result<(), Halt> {
    diesel::update(method::table.find(token.as_str()))
        .set(method::declined_once.eq(true))
        .execute(c)?;
    Ok(())
}

/// Remembers what the method will decline next, or that there is nothing.
pub(crate) fn refuse(
    c: &mut Connection,
    token: &MethodToken,
    refused: Option<(TransactionKind, &'static Decline)>,
) -> Result<(), Halt> {
    let (kind, decline) = refused.unzip();
    let changed = diesel::update(method::table.find(token.as_str()))
        .set((
            method::refused_kind.eq(kind),
            method::refused_code.eq(decline.map(|decline| decline.error_id)),
        ))
        .execute(c)?;
    if changed == 0 {
        return Err(Refusal::UnknownMethod(token.to_string()).into());
    }
    Ok(())
}

const SHAPES: [(Shape, &str); 2] = [
    (Shape::PaymentIntent, "payment_intent"),
    (Shape::Amaryllis, "amaryllis"),
];

const fn shape_name(shape: Shape) -> &'static str {
    match shape {
        Shape::PaymentIntent => SHAPES[0].1,
        Shape::Amaryllis => SHAPES[1].1,
    }
}
