//! Guests on the wire.
