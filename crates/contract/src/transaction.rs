//! The payment transactions report on the wire.
