//! What a guest must be.

use contract::guest::GuestFields;
use contract::reservation::NewGuest;

use super::Rejection;
use super::text::check_length;

/// Names that the platform gives and clients cannot.
const COMPUTED: [&str; 7] = [
    "_id",
    "id",
    "accountId",
    "fullName",
    "returningGuest",
    "createdAt",
    "lastUpdatedAt",
];

const TEXT_MAX: usize = 255;

/// Checks what a client wrote, and makes the main address and number the first of their lists.
pub(crate) fn check(fields: &mut GuestFields) -> Result<(), Rejection> {
    fields
        .rest
        .retain(|name, _| !COMPUTED.contains(&name.as_str()));
    for (field, text) in [
        ("firstName", &fields.first_name),
        ("lastName", &fields.last_name),
        ("email", &fields.email),
        ("phone", &fields.phone),
    ] {
        check_length(field, text.as_deref().unwrap_or_default(), TEXT_MAX)?;
    }
    if full_name(fields).is_empty() {
        return Err(Rejection::invalid(
            "firstName",
            "a guest needs a first or last name",
        ));
    }
    put_first(&mut fields.email, &mut fields.emails);
    put_first(&mut fields.phone, &mut fields.phones);
    Ok(())
}

/// First and last name.
pub(crate) fn full_name(fields: &GuestFields) -> String {
    [&fields.first_name, &fields.last_name]
        .into_iter()
        .flatten()
        .map(|name| name.trim())
        .filter(|name| !name.is_empty())
        .collect::<Vec<_>>()
        .join(" ")
}

/// A guest made known with a reservation.
pub(crate) fn from_reservation(guest: &NewGuest) -> Result<GuestFields, Rejection> {
    let mut fields = GuestFields {
        first_name: guest.first_name.clone(),
        last_name: guest.last_name.clone(),
        email: guest.email.clone(),
        phone: guest.phone.clone(),
        ..GuestFields::default()
    };
    check(&mut fields)?;
    Ok(fields)
}

fn put_first(main: &mut Option<String>, all: &mut Vec<String>) {
    match main {
        Some(main) if !all.contains(main) => all.insert(0, main.clone()),
        Some(_) => {}
        None => *main = all.first().cloned(),
    }
}
