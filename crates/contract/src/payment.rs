//! Payments on the wire: requests and replies of posting a guest payment.
