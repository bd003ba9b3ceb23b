//! What the source's replies hold, field by field as it is met. Nothing is computed here, and no
//! field is required: one that is missing is [`Field::Absent`](crate::Field::Absent), and one that
//! cannot be read is kept as its text. Fields that the books have no use for are passed over; they
//! are still in the reply's bytes.
//!
//! What was read can be written as JSON again, and read from that as it was: each value as a text,
//! what could not be read as `{"?": text}`, what is absent as null.

pub mod account;
pub mod fee;
pub mod listing;
pub mod money;
pub mod payment;
pub mod payment_method;
pub mod payout;
pub mod report_time;
pub mod reservation;
pub mod reservation_v3;
pub mod tax;
pub mod transaction;
pub mod webhook;
