//! Folios: a reservation with its payments.
