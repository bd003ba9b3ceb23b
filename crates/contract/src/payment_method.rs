//! Guests' payment methods on the wire.
