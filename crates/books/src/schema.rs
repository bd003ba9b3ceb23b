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

diesel::table! {
    mirror (id) {
        id -> BigInt,
        chain_id -> Text,
        is_current -> Bool,
        active_ms -> Nullable<BigInt>,
        is_leaving -> Bool,
    }
}

diesel::table! {
    object (mirror_id, kind, id) {
        mirror_id -> BigInt,
        kind -> Text,
        id -> Text,
        record -> BigInt,
        is_removed -> Bool,
        is_flagged -> Bool,
        code -> Nullable<Text>,
        parent -> Nullable<Text>,
        day -> Nullable<Text>,
        scope -> Nullable<Text>,
        state -> Text,
    }
}

diesel::table! {
    version (mirror_id, kind, id, record) {
        mirror_id -> BigInt,
        kind -> Text,
        id -> Text,
        record -> BigInt,
        until_record -> BigInt,
        is_removed -> Bool,
        state -> Text,
    }
}

diesel::table! {
    sync_place (chain_id, list) {
        chain_id -> Text,
        list -> Text,
        begun_ms -> BigInt,
        done -> BigInt,
        read_ms -> Nullable<BigInt>,
        mark_ms -> Nullable<BigInt>,
        last_id -> Nullable<Text>,
    }
}

diesel::table! {
    sync_run (id) {
        id -> Text,
        chain_id -> Text,
        parts -> Text,
        changed_only -> Bool,
        from_day -> Nullable<Text>,
        to_day -> Nullable<Text>,
        began_ms -> BigInt,
        until_ms -> BigInt,
        ended_ms -> Nullable<BigInt>,
        summary -> Nullable<Text>,
        stop_ms -> Nullable<BigInt>,
    }
}

diesel::table! {
    portfolio (id) {
        id -> Text,
        name -> Text,
        made_ms -> BigInt,
    }
}

diesel::table! {
    connection (id) {
        id -> Text,
        portfolio_id -> Text,
        base_url -> Text,
        client_id -> Text,
        sealed_secret -> Nullable<Binary>,
        saved_ms -> BigInt,
        account_id -> Nullable<Text>,
        webhook_base -> Nullable<Text>,
        lights -> Nullable<Text>,
        looked_ms -> Nullable<BigInt>,
        told_account_id -> Nullable<Text>,
    }
}

diesel::table! {
    webhook (id) {
        id -> Text,
        webhook_id -> Nullable<Text>,
        url -> Nullable<Text>,
        sealed_secret -> Nullable<Binary>,
        holder -> Nullable<Text>,
        until_ms -> Nullable<BigInt>,
    }
}

diesel::table! {
    access_token (id) {
        id -> Text,
        sealed -> Nullable<Binary>,
        holder -> Nullable<Text>,
        until_ms -> Nullable<BigInt>,
    }
}

diesel::table! {
    read_mark (chain_id, number) {
        chain_id -> Text,
        number -> BigInt,
        reader -> Text,
        kind -> Text,
        first_id -> Text,
        last_id -> Text,
    }
}

diesel::table! {
    inbox_message (connection_id, message_id) {
        connection_id -> Text,
        message_id -> Text,
        arrived_ms -> BigInt,
        is_unknown -> Bool,
    }
}

diesel::table! {
    inbox_hint (connection_id, kind, object_id) {
        connection_id -> Text,
        kind -> Text,
        object_id -> Text,
        told -> BigInt,
        since_ms -> BigInt,
        due_ms -> BigInt,
        is_claimed -> Bool,
        tries -> BigInt,
        problem -> Nullable<Text>,
    }
}

diesel::table! {
    inbox_sweep (id) {
        id -> Text,
        due_ms -> BigInt,
    }
}

diesel::allow_tables_to_appear_in_same_query!(connection, inbox_hint, inbox_sweep);
