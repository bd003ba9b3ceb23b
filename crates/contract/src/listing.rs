//! Listings on the wire.
