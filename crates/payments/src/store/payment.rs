//! Payments, their attempts and refunds.
