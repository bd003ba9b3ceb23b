//! The description of the API (OpenAPI 3.1), made of what stands at the handlers and at the wire's
//! types, and the page that shows it. What stands around every route is described once, in
//! [`around`]. It knows no route by itself.

mod around;
mod document;
mod examples;
mod in_part;
mod invoice_item;
mod page;
mod parameters;
mod refusals;
mod reports;

pub(super) use document::Document;
pub(super) use in_part::{
    GuestFieldsInPart, GuestInPart, ListingFieldsInPart, ListingInPart, ProviderOfListingInPart,
    ReservationInPart,
};
pub(super) use invoice_item::AddedInvoiceItem;
pub(super) use page::{described, routes};
pub(super) use parameters::{
    Columns, ListingSearch, OncePerKey, OneFee, OneGuest, OneListing, OnePage, OnePayment,
    OneReservation, OneTax, OneWebhook, Picked, Searched,
};
pub(super) use refusals::*;
pub(super) use reports::{OnePayout, PayoutsRefused, ReportSpan, TransactionsRefused};
