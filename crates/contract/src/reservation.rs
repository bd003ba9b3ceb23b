//! Reservations on the wire, with their money.
