//! The sandbox's tables, and their rows.

diesel::table! {
    merchant (id) {
        id -> BigInt,
        name -> Text,
    }
}

diesel::table! {
    sub_account (id) {
        id -> Text,
        merchant -> BigInt,
        number -> Integer,
        name -> Text,
        currency -> Text,
        descriptor -> Text,
        fee_percent -> Text,
        fee_fixed_minor -> BigInt,
        reserve_percent -> Text,
        reserve_days -> Integer,
        last_position -> BigInt,
    }
}

diesel::table! {
    method (token) {
        token -> Text,
        merchant -> BigInt,
        shape -> Text,
        behaviour -> Text,
        brand -> Text,
        funding -> Text,
        country -> Text,
        bin -> Text,
        last4 -> Text,
        exp_month -> Integer,
        exp_year -> Integer,
        billing_json -> Text,
        usable -> Bool,
        declined_once -> Bool,
    }
}

diesel::table! {
    transaction (id) {
        id -> BigInt,
        merchant -> BigInt,
        sub_account -> Text,
        position -> BigInt,
        attempt_key -> Text,
        original_id -> Nullable<BigInt>,
        kind -> Text,
        status -> Text,
        amount_minor -> BigInt,
        method -> Text,
        authorization_or_error_code -> Text,
        confirmation_code -> Nullable<Text>,
        order_json -> Nullable<Text>,
        merchant_ms -> BigInt,
        system_ms -> BigInt,
        settlement_ms -> Nullable<BigInt>,
    }
}

diesel::allow_tables_to_appear_in_same_query!(method, transaction);
