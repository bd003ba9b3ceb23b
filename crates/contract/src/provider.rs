//! Payment providers on the wire.
