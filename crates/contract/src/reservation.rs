//! Reservations: stays, as they are asked for and shown. Their money is in [`crate::invoice`].

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use utoipa::ToSchema;

use crate::Timestamp;
use crate::id::{AccountId, GuestId, ListingId, ReservationId};
use crate::invoice::{MoneyFields, ReservationMoney};
use crate::local::{LocalDate, LocalTime};
use crate::tax::Tax;

/// Where a reservation stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Status {
    /// Asked about.
    Inquiry,
    /// Kept free for the guest.
    Reserved,
    /// Kept free until the guest pays.
    AwaitingPayment,
    /// Agreed.
    Confirmed,
    /// Called off after it was agreed or kept free.
    Canceled,
    /// An inquiry that led nowhere.
    Closed,
    /// An inquiry that the host turned down.
    Declined,
    /// Kept free, and not taken up in time.
    Expired,
}

impl Status {
    /// Every status.
    pub const ALL: [Self; 8] = [
        Self::Inquiry,
        Self::Reserved,
        Self::AwaitingPayment,
        Self::Confirmed,
        Self::Canceled,
        Self::Closed,
        Self::Declined,
        Self::Expired,
    ];

    /// The name on the wire and in the database.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Inquiry => "inquiry",
            Self::Reserved => "reserved",
            Self::AwaitingPayment => "awaiting_payment",
            Self::Confirmed => "confirmed",
            Self::Canceled => "canceled",
            Self::Closed => "closed",
            Self::Declined => "declined",
            Self::Expired => "expired",
        }
    }

    /// The status of this name.
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|status| status.name() == name)
    }
}

/// Who called a reservation off.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum CanceledBy {
    /// The owner of the property.
    Owner,
    /// The guest.
    Guest,
    /// Somebody of the house.
    TeamMember,
}

impl CanceledBy {
    /// The one of this name.
    pub fn named(name: &str) -> Option<Self> {
        [Self::Owner, Self::Guest, Self::TeamMember]
            .into_iter()
            .find(|who| who.name() == name)
    }

    /// The name on the wire and in the database.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Owner => "OWNER",
            Self::Guest => "GUEST",
            Self::TeamMember => "TEAM_MEMBER",
        }
    }
}

/// The body of `POST /v1/reservations` and `PUT /v1/reservations/{id}`: the first needs a listing,
/// a guest, dates and a status; of the second, what is left out stays as it is.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", expecting = "an object")]
#[schema(example = json!({"listingId": "64da223eb3de7a002a462fcc", "guestId": "64da2084867c12ee0c2ca47f", "checkInDateLocalized": "2023-10-01", "checkOutDateLocalized": "2023-10-04", "status": "confirmed", "money": {"fareAccommodation": 600, "fareCleaning": 50}}))]
pub struct ReservationFields {
    /// The property.
    pub listing_id: Option<ListingId>,
    /// The guest, if known already.
    pub guest_id: Option<GuestId>,
    /// A guest to make known with the reservation.
    pub guest: Option<NewGuest>,
    /// Where it stands.
    pub status: Option<Status>,
    /// Who calls it off; needs the status `canceled`.
    pub canceled_by: Option<CanceledBy>,
    /// Why it is called off; needs the status `canceled`.
    pub cancellation_reason: Option<String>,
    /// The first day, by the property's calendar.
    pub check_in_date_localized: Option<LocalDate>,
    /// The last day, by the property's calendar.
    pub check_out_date_localized: Option<LocalDate>,
    /// The first day as an instant, when it is not given by the property's calendar.
    pub check_in: Option<Timestamp>,
    /// The last day as an instant, when it is not given by the property's calendar.
    pub check_out: Option<Timestamp>,
    /// When the guest means to come; otherwise the listing's time.
    pub planned_arrival: Option<LocalTime>,
    /// When the guest means to leave; otherwise the listing's time.
    pub planned_departure: Option<LocalTime>,
    /// How many stay.
    pub guests_count: Option<u16>,
    /// Where the booking came from.
    pub source: Option<String>,
    /// What it costs.
    pub money: Option<MoneyFields>,
    /// Every other field, as it was given.
    #[serde(flatten)]
    pub rest: Map<String, Value>,
}

/// A guest made known with a reservation.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", expecting = "an object")]
pub struct NewGuest {
    /// Given name.
    pub first_name: Option<String>,
    /// Family name.
    pub last_name: Option<String>,
    /// Mail address.
    pub email: Option<String>,
    /// Telephone number.
    pub phone: Option<String>,
}

/// A reservation, as it is shown.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Reservation {
    /// The reservation's id.
    #[serde(rename = "_id")]
    pub id: ReservationId,
    /// The account that it belongs to.
    pub account_id: AccountId,
    /// The property.
    pub listing_id: ListingId,
    /// The guest.
    pub guest_id: GuestId,
    /// Where it stands.
    pub status: Status,
    /// The code that people call it by.
    pub confirmation_code: String,
    /// Where the booking came from.
    pub source: String,
    /// The channel that it came through.
    pub integration: Integration,
    /// The instant of arrival.
    pub check_in: Timestamp,
    /// The instant of departure.
    pub check_out: Timestamp,
    /// The first day, by the property's calendar.
    pub check_in_date_localized: LocalDate,
    /// The last day, by the property's calendar.
    pub check_out_date_localized: LocalDate,
    /// When the guest means to come.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub planned_arrival: Option<LocalTime>,
    /// When the guest means to leave.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub planned_departure: Option<LocalTime>,
    /// How many nights.
    pub nights_count: i64,
    /// How many stay.
    pub guests_count: i64,
    /// The guest in short.
    pub guest: GuestInShort,
    /// The property in short.
    pub listing: ListingInShort,
    /// What it costs, and what became of that.
    pub money: ReservationMoney,
    /// The catalog as it was when it was agreed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub at_time_of_confirmation: Option<AtTimeOfConfirmation>,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it last changed.
    pub last_updated_at: Timestamp,
    /// When it was agreed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub confirmed_at: Option<Timestamp>,
    /// When it was called off.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub canceled_at: Option<Timestamp>,
    /// Who called it off.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub canceled_by: Option<CanceledBy>,
    /// Why it was called off.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cancellation_reason: Option<String>,
    /// The fields that clients wrote and nothing is computed from.
    #[serde(flatten)]
    pub rest: Map<String, Value>,
}

/// What a reservation is priced with once it is agreed, whatever becomes of the catalog.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct AtTimeOfConfirmation {
    /// Always: without a snapshot there is no such object.
    pub snapshot_created: bool,
    /// The taxes that applied to the listing.
    pub taxes: Vec<Tax>,
}

/// The channel that a reservation came through.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Integration {
    /// `manual`: made by the house or through the API.
    pub platform: String,
}

/// A guest, inside a reservation.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct GuestInShort {
    /// The guest's id.
    #[serde(rename = "_id")]
    pub id: GuestId,
    /// First and last name.
    pub full_name: String,
    /// Given name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub first_name: Option<String>,
    /// Family name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last_name: Option<String>,
    /// Mail address.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub email: Option<String>,
    /// Telephone number.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub phone: Option<String>,
}

/// A listing, inside a reservation.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct ListingInShort {
    /// The listing's id.
    #[serde(rename = "_id")]
    pub id: ListingId,
    /// The name that guests see.
    pub title: String,
    /// The name that the house uses.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub nickname: Option<String>,
    /// The zone of its dates and times.
    pub timezone: String,
    /// From when guests may come.
    pub default_check_in_time: LocalTime,
    /// Until when guests must leave.
    pub default_check_out_time: LocalTime,
}

/// A reservation in the shape of `GET /v1/reservations-v3`: without money.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct ReservationV3 {
    /// The reservation's id; the same as in the older shape.
    #[serde(rename = "_id")]
    pub id: ReservationId,
    /// The account that it belongs to.
    pub account_id: AccountId,
    /// The guest.
    pub booker_id: GuestId,
    /// The code that people call it by.
    pub confirmation_code: String,
    /// Where it stands.
    pub status: Status,
    /// The channel that it came through.
    pub platform: String,
    /// Where the booking came from.
    pub source: String,
    /// The stays; one for each reservation.
    pub stay: Vec<Stay>,
    /// When it was agreed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub confirmed_at: Option<Timestamp>,
    /// When it was called off.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub canceled_at: Option<Timestamp>,
    /// Who called it off.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub canceled_by: Option<CanceledBy>,
    /// Why it was called off.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cancellation_reason: Option<String>,
    /// Notes, as they were given.
    pub notes: Value,
    /// Custom fields, as they were given.
    pub custom_fields: Value,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it last changed.
    pub altered_at: Timestamp,
}

/// A stay in one property.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Stay {
    /// The first day, by the property's calendar.
    pub check_in_date_localized: LocalDate,
    /// The last day, by the property's calendar.
    pub check_out_date_localized: LocalDate,
    /// How many stay.
    pub guests_count: i64,
    /// The property.
    pub unit_type_id: ListingId,
    /// The property again: it has no sub-units.
    pub unit_id: ListingId,
    /// The instant of arrival.
    pub eta: Timestamp,
    /// The instant of departure.
    pub etd: Timestamp,
    /// Who stays.
    pub number_of_guests: Value,
}
