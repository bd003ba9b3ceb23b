//! Reservations and their invoice items.
