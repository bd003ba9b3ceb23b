//! Domain events: what happened, written with the change itself.
