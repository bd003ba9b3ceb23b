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
        reserve_on_refund -> Text,
        fee_dispute_minor -> BigInt,
        reserve_on_chargeback -> Text,
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
        refused_kind -> Nullable<Text>,
        refused_code -> Nullable<Text>,
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
        open_ms -> Nullable<BigInt>,
        case_id -> Nullable<Text>,
    }
}

diesel::table! {
    settlement (id) {
        id -> Text,
        stepped_ms -> BigInt,
        last_activity -> BigInt,
        last_payout -> BigInt,
        last_payout_position -> BigInt,
        settled_minor -> BigInt,
        fees_minor -> BigInt,
        adjusted_minor -> BigInt,
        reserve_minor -> BigInt,
        paid_minor -> BigInt,
    }
}

diesel::table! {
    activity (sub_account, number) {
        sub_account -> Text,
        number -> BigInt,
        kind -> Text,
        amount_minor -> BigInt,
        settled_ms -> BigInt,
        due_ms -> BigInt,
        transaction_id -> Nullable<BigInt>,
        reserve_ms -> Nullable<BigInt>,
        held_minor -> Nullable<BigInt>,
        adjustment_id -> Nullable<Text>,
        adjustment_category -> Nullable<Text>,
        payout -> Nullable<BigInt>,
    }
}

diesel::table! {
    deadline (transaction_id) {
        transaction_id -> BigInt,
        sub_account -> Text,
        kind -> Text,
        due_ms -> BigInt,
    }
}

diesel::table! {
    payout (id) {
        id -> BigInt,
        sub_account -> Text,
        position -> BigInt,
        root -> BigInt,
        reissue_of -> Nullable<BigInt>,
        amount_minor -> BigInt,
        status -> Text,
        process_ms -> BigInt,
        rejected_ms -> Nullable<BigInt>,
        code -> Text,
    }
}

diesel::allow_tables_to_appear_in_same_query!(activity, method, transaction);
