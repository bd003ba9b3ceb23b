//! What a listing must be.

use chrono_tz::Tz;
use contract::listing::ListingFields;
use money::Currency;

use super::Rejection;
use super::text::check_length;

/// Names that the platform gives and clients cannot.
pub(crate) const COMPUTED: [&str; 6] = [
    "_id",
    "accountId",
    "paymentProviderId",
    "createdAt",
    "lastUpdatedAt",
    "id",
];

const TITLE_MAX: usize = 255;
const TAGS_MAX: usize = 100;

/// A listing's currency and zone, both known for certain.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Place {
    pub(crate) currency: Currency,
    pub(crate) timezone: Tz,
}

/// Checks what a client wrote, and fills in what it left to the account.
pub(crate) fn check(fields: &mut ListingFields, account: Place) -> Result<Place, Rejection> {
    fields
        .rest
        .retain(|name, _| !COMPUTED.contains(&name.as_str()));
    if fields.title.trim().is_empty() {
        return Err(Rejection::invalid("title", "it is empty"));
    }
    check_length("title", &fields.title, TITLE_MAX)?;
    check_length(
        "nickname",
        fields.nickname.as_deref().unwrap_or_default(),
        TITLE_MAX,
    )?;
    let city = fields.address.city.as_deref().unwrap_or_default();
    check_length("address.city", city, TITLE_MAX)?;
    if fields.tags.len() > TAGS_MAX {
        return Err(Rejection::invalid("tags", format!("more than {TAGS_MAX}")));
    }
    for tag in &fields.tags {
        check_length("tags", tag, TITLE_MAX)?;
        if tag.contains('\n') {
            return Err(Rejection::invalid("tags", "a tag has more than one line"));
        }
    }
    let timezone = match &fields.timezone {
        Some(name) => zone(name)?,
        None => account.timezone,
    };
    let place = Place {
        currency: fields.prices.currency.unwrap_or(account.currency),
        timezone,
    };
    fields.timezone = Some(place.timezone.name().to_owned());
    fields.prices.currency = Some(place.currency);
    Ok(place)
}

/// The zone of an IANA name.
pub(crate) fn zone(name: &str) -> Result<Tz, Rejection> {
    name.parse().map_err(|_| {
        Rejection::invalid(
            "timezone",
            "not a time zone: give an IANA name, such as Europe/London",
        )
    })
}
