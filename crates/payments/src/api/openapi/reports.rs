//! What the reports ask for and refuse, as it is described.

use std::collections::BTreeMap;

use serde_json::{Value, json};
use utoipa::IntoResponses;
use utoipa::openapi::content::ContentBuilder;
use utoipa::openapi::example::ExampleBuilder;
use utoipa::openapi::response::ResponseBuilder;
use utoipa::openapi::schema::{ObjectBuilder, OneOfBuilder, Schema, Type};
use utoipa::openapi::{Ref, RefOr, Response};

use super::super::error::INTERNAL;
use super::super::report_error::ReportError;
use super::parameters::{optional, parameters, text, whole_number};
use crate::model::report::{ReportRefusal, TAKE_DEFAULT, TAKE_MAX, Terms};

/// Which rows of a report.
pub(crate) struct ReportSpan;

/// `payoutId`, which only one report knows.
pub(crate) struct OnePayout;

parameters! {
    ReportSpan [
        optional(
            "startDate",
            "The first day or instant, both ends included. With `endDate`, at most 31 days before it.",
            text().examples(["2023-08-14"]),
        ),
        optional("endDate", "The last day or instant.", text().examples(["2023-08-31"])),
        optional(
            "reservationConfirmationCode",
            "A reservation's code, in place of dates.",
            text().examples(["HMABCDEF"]),
        ),
        optional(
            "subAccountId",
            "One sub-account's rows.",
            text().pattern(Some(r"^\d+\.\d+$")).examples(["1387.1"]),
        ),
        optional(
            "skip",
            "How many rows to pass over.",
            ObjectBuilder::new()
                .schema_type(Type::Integer)
                .minimum(Some(0))
                .default(Some(0.into())),
        ),
        optional(
            "take",
            "The largest number of rows.",
            whole_number(1, TAKE_MAX).default(Some(TAKE_DEFAULT.into())),
        ),
    ]
    OnePayout [optional("payoutId", "One payout's rows.", text())]
}

/// What the payment transactions report refuses.
pub(crate) struct TransactionsRefused;

/// What the payouts reconciliation report refuses.
pub(crate) struct PayoutsRefused;

impl IntoResponses for TransactionsRefused {
    fn responses() -> BTreeMap<String, RefOr<Response>> {
        refusals(&Terms::TRANSACTIONS)
    }
}

impl IntoResponses for PayoutsRefused {
    fn responses() -> BTreeMap<String, RefOr<Response>> {
        refusals(&Terms::PAYOUTS)
    }
}

fn refusals(terms: &Terms) -> BTreeMap<String, RefOr<Response>> {
    let refused = [
        ("Skip", ReportRefusal::Skip),
        ("Take", ReportRefusal::Take),
        ("DateFormat", ReportRefusal::DateFormat),
        ("Repeated", ReportRefusal::Repeated("take")),
        ("EndBeforeStart", ReportRefusal::EndBeforeStart),
        ("TooLong", ReportRefusal::TooLong),
        ("NoProvider", ReportRefusal::NoProvider),
        (
            "SubAccountFormat",
            ReportRefusal::Worded(terms.sub_account_format),
        ),
        (
            "CodeWithFilter",
            ReportRefusal::Worded(terms.code_with_filter),
        ),
        (
            "CodeWithDates",
            ReportRefusal::Worded(terms.code_with_dates),
        ),
        ("NothingAsked", ReportRefusal::Worded(terms.nothing_asked)),
    ];
    let refused = refused.map(|(name, refusal)| (name, ReportError::refused(&refusal)));
    let report_error = || RefOr::from(Ref::from_schema_name("ReportError"));
    let either = OneOfBuilder::new()
        .item(report_error())
        .item(Ref::from_schema_name("Message"));
    let response = |about: &str, schema: RefOr<Schema>, examples: Vec<(&str, Value)>| {
        let examples = examples
            .into_iter()
            .map(|(name, value)| (name, ExampleBuilder::new().value(Some(value)).build()));
        let content = ContentBuilder::new()
            .schema(Some(schema))
            .examples_from_iter(examples)
            .build();
        ResponseBuilder::new()
            .description(about)
            .content("application/json", content)
            .build()
            .into()
    };
    BTreeMap::from([
        (
            "400".to_owned(),
            response(
                "What is asked is refused.",
                report_error(),
                refused.to_vec(),
            ),
        ),
        (
            "401".to_owned(),
            response(
                "No token, or none of this server.",
                report_error(),
                vec![("Unauthorized", ReportError::unauthorized())],
            ),
        ),
        (
            "500".to_owned(),
            response(
                "A provider without account at its processor, as documented; or something went wrong \
                 inside.",
                either.into(),
                vec![
                    ("NotSetUp", ReportError::not_set_up()),
                    ("Internal", json!(INTERNAL)),
                ],
            ),
        ),
    ])
}
