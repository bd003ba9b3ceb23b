//! Guests' payment methods.
