//! The tables, as the migrations make them.

#![allow(missing_docs, reason = "the macro writes public items without docs")]

diesel::table! {
    chain (id) {
        id -> Text,
        sealed_key -> Binary,
        length -> BigInt,
        head -> Binary,
        last_ms -> BigInt,
    }
}

diesel::table! {
    evidence (chain_id, number) {
        chain_id -> Text,
        number -> BigInt,
        kind -> Text,
        subject -> Text,
        status -> Integer,
        page -> Integer,
        pages -> Integer,
        at_ms -> BigInt,
        body -> Binary,
        signature -> Binary,
    }
}
