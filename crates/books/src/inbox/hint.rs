//! What a message hints at.
//!
//! Payloads are read as tolerantly as can be: the first generation's and the second's, at the top or
//! inside `data`. Of all that they say, only the event's name and the id of what it is about count.

use std::collections::HashMap;

use contract::ObjectId;
use serde_json::value::RawValue;

use crate::mirror::Kind;

const EVENT_CHARACTERS_MAX: usize = 100;

/// What a message means for the books.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Hint {
    /// This one may have changed: read it again.
    Reread(Kind, ObjectId),
    /// Something of this kind may have changed, and the message does not say which.
    Sweep(Kind),
    /// Nothing that is mirrored: what payments did is read from their reservation, of which other
    /// messages tell.
    Acknowledged,
    /// An event that the books do not know.
    Unknown,
}

/// The name of a message's event, and what it hints at.
pub(super) fn read(body: &[u8]) -> (String, Hint) {
    let top = std::str::from_utf8(body).map_or_else(|_| HashMap::new(), fields);
    let name = ["event", "type", "eventType"];
    let Some(event) = name.iter().find_map(|name| text(top.get(*name)?)) else {
        return ("none".to_owned(), Hint::Unknown);
    };
    let hint = hint(&event, &top);
    // Not all databases keep a NUL in a text.
    let printable = event.chars().filter(|c| !c.is_control());
    (printable.take(EVENT_CHARACTERS_MAX).collect(), hint)
}

fn hint(event: &str, top: &Fields<'_>) -> Hint {
    if ["payments.", "guest.", "task.", "calendar."]
        .iter()
        .any(|family| event.starts_with(family))
    {
        return Hint::Acknowledged;
    }
    // The calendar and what is written to guests are not mirrored.
    if event.starts_with("listing.calendar") || event.starts_with("reservation.message") {
        return Hint::Acknowledged;
    }
    let Some(subject) = Subject::of(event) else {
        return Hint::Unknown;
    };
    match subject.find(top) {
        Some(id) => Hint::Reread(subject.kind, id),
        None => Hint::Sweep(subject.kind),
    }
}

/// Where the id of what an event is about is found.
struct Subject {
    kind: Kind,
    /// What holds it.
    holders: &'static [&'static str],
    /// What it is called there, and beside the holders.
    names: &'static [&'static str],
}

impl Subject {
    fn of(event: &str) -> Option<Self> {
        let family = event.split(['.', '_']).next()?;
        match family {
            "listing" => Some(Self {
                kind: Kind::Property,
                holders: &["listing"],
                names: &["listingId", "_id", "id"],
            }),
            "reservation" => Some(Self {
                kind: Kind::Reservation,
                holders: &["reservation"],
                names: &["reservationId", "_id", "id"],
            }),
            // A folio has an id of its own, too.
            "guest-folio" => Some(Self {
                kind: Kind::Reservation,
                holders: &["guestFolio", "folio"],
                names: &["reservationId"],
            }),
            _ => None,
        }
    }

    fn find(&self, top: &Fields<'_>) -> Option<ObjectId> {
        self.find_in(top)
            .or_else(|| self.find_in(&fields(top.get("data")?.get())))
    }

    fn find_in(&self, scope: &Fields<'_>) -> Option<ObjectId> {
        let held = self.holders.iter().find_map(|holder| {
            let held = fields(scope.get(*holder)?.get());
            self.id_in(&held)
        });
        held.or_else(|| self.id_in(scope))
    }

    fn id_in(&self, scope: &Fields<'_>) -> Option<ObjectId> {
        let mut names = self.names.iter();
        names.find_map(|name| text(scope.get(*name)?)?.parse().ok())
    }
}

type Fields<'a> = HashMap<String, &'a RawValue>;

/// The fields of an object; none if it is none.
fn fields(json: &str) -> Fields<'_> {
    serde_json::from_str(json).unwrap_or_default()
}

fn text(value: &RawValue) -> Option<String> {
    serde_json::from_str(value.get()).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    const ID: &str = "64da254383ad1500284bd0c0";

    fn hint_of(body: &str) -> Hint {
        read(body.replace("ID", ID).as_bytes()).1
    }

    fn reread(kind: Kind) -> Hint {
        Hint::Reread(kind, ID.parse().unwrap())
    }

    #[test]
    fn both_generations_say_what_to_read_again() {
        for (kind, body) in [
            (
                Kind::Property,
                r#"{"event":"listing.new","listing":{"_id":"ID"},"meta":{"eventId":"e"}}"#,
            ),
            (
                Kind::Property,
                r#"{"event":"listing.removed","listing":{"_id":"ID"}}"#,
            ),
            (
                Kind::Property,
                r#"{"event":"listing.updated","listingId":"ID"}"#,
            ),
            (
                Kind::Reservation,
                r#"{"reservation":{"money":{"totalPaid":1e999},"_id":"ID","listingId":"x"},"event":"reservation.new"}"#,
            ),
            (
                Kind::Reservation,
                r#"{"event":"reservation.updated.v2","publishedAt":"2026-11-21T00:00:00Z","reservationId":"ID","unitId":"7"}"#,
            ),
            (
                Kind::Reservation,
                r#"{"event":"reservation.created.v2","data":{"reservationId":"ID"}}"#,
            ),
            (
                Kind::Reservation,
                r#"{"type":"reservation.created.v2","data":{"reservation":{"id":"ID"}}}"#,
            ),
            (
                Kind::Reservation,
                r#"{"event":"reservation_update_shortlist","reservation":{"_id":"ID"}}"#,
            ),
            (
                Kind::Reservation,
                r#"{"event":"guest-folio.updated","guestFolio":{"id":"folio","reservationId":"ID"}}"#,
            ),
            (
                Kind::Reservation,
                r#"{"event":"guest-folio.created","reservationId":"ID"}"#,
            ),
        ] {
            assert_eq!(hint_of(body), reread(kind), "{body}");
        }
    }

    #[test]
    fn what_is_not_mirrored_is_acknowledged_only() {
        for event in [
            "payments.received",
            "payments.refunded",
            "payments.somethingNew",
            "guest.updated",
            "calendar.updated.v2",
            "listing.calendar.updated",
            "reservation.messageSent",
        ] {
            let body = format!(r#"{{"event":"{event}","payment":{{"reservationId":"ID"}}}}"#);
            assert_eq!(hint_of(&body), Hint::Acknowledged, "{event}");
        }
    }

    #[test]
    fn a_known_event_without_an_id_means_that_something_changed() {
        for (kind, body) in [
            (Kind::Reservation, r#"{"event":"reservation.updated"}"#),
            (
                Kind::Reservation,
                r#"{"event":"reservation.updated","reservation":{"_id":"../../etc"}}"#,
            ),
            (
                Kind::Reservation,
                r#"{"event":"guest-folio.updated","guestFolio":{"_id":"ID"}}"#,
            ),
            (
                Kind::Property,
                r#"{"event":"listing.updated","listing":[1,2]}"#,
            ),
            (
                Kind::Property,
                r#"{"event":"listing.updated","listing":{"_id":null}}"#,
            ),
        ] {
            assert_eq!(hint_of(body), Hint::Sweep(kind), "{body}");
        }
    }

    #[test]
    fn what_nobody_understands_is_unknown_and_no_error() {
        for body in [
            "",
            "null",
            "[]",
            "7",
            "{",
            r#"{"event":7}"#,
            r#"{"event":"owner.created"}"#,
            r#"{"listing":{"_id":"ID"}}"#,
            "<html>",
            r#"{"event":"listings"}"#,
        ] {
            assert_eq!(hint_of(body), Hint::Unknown, "{body}");
        }
        assert_eq!(read(&[0xff, 0xfe]).1, Hint::Unknown);
        let long = format!(r#"{{"event":"{}"}}"#, "x".repeat(5_000));
        assert_eq!(read(long.as_bytes()).0.len(), EVENT_CHARACTERS_MAX);
        let odd = br#"{"event":"owner.\u0000\ncreated"}"#;
        assert_eq!(read(odd), ("owner.created".to_owned(), Hint::Unknown));
    }

    #[test]
    fn a_field_that_comes_twice_counts_as_it_came_last() {
        let body =
            r#"{"event":"listing.new","event":"reservation.new","reservation":{"_id":"ID"}}"#;
        assert_eq!(hint_of(body), reread(Kind::Reservation));
    }
}
