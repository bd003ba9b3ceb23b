//! A line that is put on an invoice by itself: of fewer kinds than an invoice has.

use contract::invoice::NewInvoiceItem;
use utoipa::openapi::schema::{AllOfBuilder, ObjectBuilder, Schema};
use utoipa::openapi::{Ref, RefOr};
use utoipa::{PartialSchema, ToSchema};

use super::parameters::text;
use crate::model::invoice::ADDABLE;

/// A line to put on an invoice by itself.
pub(crate) struct AddedInvoiceItem;

impl PartialSchema for AddedInvoiceItem {
    fn schema() -> RefOr<Schema> {
        let kinds = text()
            .description(Some("What kind it is, of those that can be added."))
            .enum_values(Some(ADDABLE));
        AllOfBuilder::new()
            .item(Ref::from_schema_name(NewInvoiceItem::name()))
            .item(ObjectBuilder::new().property("normalType", kinds))
            .into()
    }
}

impl ToSchema for AddedInvoiceItem {
    fn schemas(schemas: &mut Vec<(String, RefOr<Schema>)>) {
        schemas.push((
            NewInvoiceItem::name().into_owned(),
            NewInvoiceItem::schema(),
        ));
        NewInvoiceItem::schemas(schemas);
    }
}
