//! The tables, as Diesel sees them. Kept by hand beside the migrations, which describe the columns.

#![allow(missing_docs, reason = "the macro writes public items without docs")]

diesel::table! {
    account (id) {
        id -> Text,
        name -> Text,
        currency -> Text,
        timezone -> Text,
        clock_offset_ms -> BigInt,
        created_ms -> BigInt,
    }
}

diesel::table! {
    clock_lease (id) {
        id -> Text,
        holder -> Text,
        until_ms -> BigInt,
    }
}

diesel::table! {
    application (id) {
        id -> Text,
        account_id -> Text,
        name -> Text,
        secret_hash -> Binary,
        scopes -> Text,
        listings -> Nullable<Text>,
        created_ms -> BigInt,
    }
}

diesel::table! {
    idempotency_key (id) {
        id -> Text,
        account_id -> Text,
        key -> Text,
        fingerprint -> Text,
        holder -> Text,
        held_until_ms -> BigInt,
        is_begun -> Bool,
        status -> Nullable<BigInt>,
        content_type -> Nullable<Text>,
        reply -> Nullable<Text>,
    }
}

diesel::table! {
    issued_token (id) {
        id -> Text,
        application_id -> Text,
        issued_ms -> BigInt,
    }
}

diesel::table! {
    sealed_secret (id) {
        id -> Text,
        kind -> Text,
        sealed -> Binary,
        created_ms -> BigInt,
    }
}

diesel::table! {
    provider (id) {
        id -> Text,
        account_id -> Text,
        name -> Text,
        method -> Text,
        processor -> Text,
        merchant -> Nullable<Text>,
        status -> Text,
        is_default -> Bool,
        created_ms -> BigInt,
    }
}

diesel::table! {
    listing (id) {
        id -> Text,
        account_id -> Text,
        title -> Text,
        nickname -> Nullable<Text>,
        is_active -> Bool,
        is_listed -> Bool,
        currency -> Text,
        timezone -> Text,
        provider_id -> Nullable<Text>,
        city -> Nullable<Text>,
        tags -> Text,
        search -> Text,
        body -> Text,
        created_ms -> BigInt,
        updated_ms -> BigInt,
        removed_ms -> Nullable<BigInt>,
    }
}

diesel::table! {
    guest (id) {
        id -> Text,
        account_id -> Text,
        full_name -> Text,
        first_name -> Nullable<Text>,
        last_name -> Nullable<Text>,
        email -> Nullable<Text>,
        phone -> Nullable<Text>,
        body -> Text,
        created_ms -> BigInt,
        updated_ms -> BigInt,
    }
}

diesel::table! {
    reservation (id) {
        id -> Text,
        account_id -> Text,
        listing_id -> Text,
        guest_id -> Text,
        status -> Text,
        confirmation_code -> Text,
        source -> Text,
        check_in -> Date,
        check_out -> Date,
        check_in_ms -> BigInt,
        check_out_ms -> BigInt,
        guests_count -> BigInt,
        currency -> Text,
        amount_scale -> BigInt,
        total_minor -> BigInt,
        paid_minor -> BigInt,
        refunded_minor -> BigInt,
        is_touched -> Bool,
        body -> Text,
        is_priced -> Bool,
        snapshot -> Nullable<Text>,
        canceled_by -> Nullable<Text>,
        cancellation_reason -> Nullable<Text>,
        created_ms -> BigInt,
        updated_ms -> BigInt,
        confirmed_ms -> Nullable<BigInt>,
        canceled_ms -> Nullable<BigInt>,
        auto_payments -> Nullable<Text>,
    }
}

diesel::table! {
    invoice_item (id) {
        id -> Text,
        reservation_id -> Text,
        position -> BigInt,
        title -> Text,
        description -> Nullable<Text>,
        amount_minor -> BigInt,
        normal_type -> Text,
        second_identifier -> Nullable<Text>,
        is_locked -> Bool,
        origin_id -> Nullable<Text>,
    }
}

diesel::table! {
    tax (id) {
        id -> Text,
        account_id -> Text,
        listing_id -> Nullable<Text>,
        level_id -> Text,
        kind -> Text,
        name -> Nullable<Text>,
        terms -> Text,
        created_ms -> BigInt,
        updated_ms -> BigInt,
    }
}

diesel::table! {
    tax_level (listing_id) {
        listing_id -> Text,
        level -> Text,
    }
}

diesel::table! {
    additional_fee (id) {
        id -> Text,
        account_id -> Text,
        listing_id -> Nullable<Text>,
        terms -> Text,
        created_ms -> BigInt,
        updated_ms -> BigInt,
    }
}

diesel::table! {
    payment_method (id) {
        id -> Text,
        account_id -> Text,
        guest_id -> Text,
        provider_id -> Text,
        reservation_id -> Nullable<Text>,
        method -> Text,
        token -> Text,
        payload -> Text,
        brand -> Text,
        last4 -> Text,
        status -> Text,
        save_for_future_use -> Bool,
        is_reusable -> Bool,
        created_ms -> BigInt,
        updated_ms -> BigInt,
    }
}

diesel::table! {
    payment (id) {
        id -> Text,
        account_id -> Text,
        reservation_id -> Text,
        guest_id -> Text,
        method -> Text,
        payment_method_id -> Nullable<Text>,
        amount_minor -> BigInt,
        currency -> Text,
        state -> Text,
        is_hold -> Bool,
        note -> Nullable<Text>,
        due_ms -> Nullable<BigInt>,
        paid_ms -> Nullable<BigInt>,
        expires_ms -> Nullable<BigInt>,
        captured_minor -> Nullable<BigInt>,
        transaction_id -> Nullable<Text>,
        confirmation -> Nullable<Text>,
        authentication_url -> Nullable<Text>,
        attempt_id -> Nullable<Text>,
        attempt_ms -> Nullable<BigInt>,
        created_ms -> BigInt,
        agenda_ms -> Nullable<BigInt>,
        instalment -> Nullable<BigInt>,
        tries_left -> Nullable<BigInt>,
    }
}

diesel::table! {
    auto_payments_policy (id) {
        id -> Text,
        account_id -> Text,
        terms -> Text,
        updated_ms -> BigInt,
    }
}

diesel::table! {
    attempt (id) {
        id -> Text,
        payment_id -> Text,
        refund_id -> Nullable<Text>,
        kind -> Text,
        amount_minor -> BigInt,
        state -> Text,
        error -> Nullable<Text>,
        payload -> Nullable<Text>,
        created_ms -> BigInt,
        ended_ms -> Nullable<BigInt>,
    }
}

diesel::table! {
    refund (id) {
        id -> Text,
        payment_id -> Text,
        amount_minor -> BigInt,
        state -> Text,
        note -> Nullable<Text>,
        due_ms -> Nullable<BigInt>,
        paid_ms -> Nullable<BigInt>,
        transaction_id -> Nullable<Text>,
        error -> Nullable<Text>,
        attempt_id -> Nullable<Text>,
        attempt_ms -> Nullable<BigInt>,
        created_ms -> BigInt,
        agenda_ms -> Nullable<BigInt>,
        account_id -> Text,
    }
}

diesel::table! {
    feed_cursor (account_id, sub_account_id) {
        account_id -> Text,
        sub_account_id -> Text,
        label -> Text,
        provider_id -> Text,
        position -> BigInt,
        payout_position -> BigInt,
        payout_under_way -> BigInt,
    }
}

diesel::table! {
    payout (account_id, id) {
        account_id -> Text,
        id -> Text,
        first_place -> BigInt,
        sub_account_id -> Text,
        first_sub_account_place -> BigInt,
        line_count -> BigInt,
        amount_minor -> BigInt,
        currency -> Text,
        status -> Text,
        process_ms -> BigInt,
        rejected_ms -> Nullable<BigInt>,
        code -> Text,
        reissue_of -> Nullable<Text>,
        descriptor -> Text,
    }
}

diesel::table! {
    payout_line (account_id, payout_id, number) {
        account_id -> Text,
        payout_id -> Text,
        number -> BigInt,
        activity -> Text,
        detail -> Nullable<Text>,
        amount_minor -> BigInt,
        settled_ms -> BigInt,
        transaction_id -> Nullable<Text>,
        reserve_ms -> Nullable<BigInt>,
        adjustment_id -> Nullable<Text>,
        adjustment_category -> Nullable<Text>,
    }
}

diesel::table! {
    processor_transaction (account_id, id) {
        account_id -> Text,
        id -> Text,
        place -> BigInt,
        sub_account_id -> Text,
        sub_account_place -> BigInt,
        confirmation_code -> Text,
        amount_minor -> BigInt,
        currency -> Text,
        last4 -> Text,
        bin -> Text,
        merchant_ms -> BigInt,
        system_ms -> BigInt,
        settlement_ms -> Nullable<BigInt>,
        payment_method -> Text,
        arn -> Nullable<Text>,
        descriptor -> Text,
        status -> Text,
        kind -> Text,
        code -> Text,
        attempt_key -> Text,
        case_id -> Nullable<Text>,
    }
}

diesel::table! {
    report_run (scope, first_place) {
        scope -> Text,
        first_place -> BigInt,
        day -> BigInt,
        row_count -> BigInt,
    }
}

diesel::table! {
    domain_event (id) {
        id -> Text,
        account_id -> Text,
        kind -> Text,
        reservation_id -> Nullable<Text>,
        subject_id -> Text,
        at_ms -> BigInt,
        body -> Text,
    }
}

diesel::table! {
    webhook (id) {
        id -> Text,
        account_id -> Text,
        url -> Text,
        events -> Text,
        secret_id -> Text,
        failing_ms -> Nullable<BigInt>,
        disabled_ms -> Nullable<BigInt>,
        created_ms -> BigInt,
        updated_ms -> BigInt,
    }
}

diesel::table! {
    webhook_message (id) {
        id -> Text,
        account_id -> Text,
        event -> Text,
        event_id -> Text,
        reservation_id -> Nullable<Text>,
        subject_id -> Text,
        facts -> Text,
        body -> Nullable<Text>,
        is_open -> Bool,
        created_ms -> BigInt,
    }
}

diesel::table! {
    webhook_delivery (message_id, webhook_id) {
        message_id -> Text,
        webhook_id -> Text,
        state -> Text,
        tries -> BigInt,
        due_ms -> Nullable<BigInt>,
    }
}

diesel::table! {
    webhook_attempt (id) {
        id -> Text,
        webhook_id -> Text,
        message_id -> Text,
        at_ms -> BigInt,
        latency_ms -> BigInt,
        status -> Nullable<BigInt>,
        error -> Nullable<Text>,
        response -> Nullable<Text>,
    }
}

diesel::table! {
    portfolio (account_id) {
        account_id -> Text,
        seed -> Text,
        listings -> BigInt,
        reservations -> BigInt,
        from_ms -> BigInt,
        until_ms -> BigInt,
        is_finished -> Bool,
    }
}

diesel::allow_tables_to_appear_in_same_query!(
    account,
    application,
    clock_lease,
    idempotency_key,
    issued_token,
    sealed_secret,
    provider,
    listing,
    guest,
    reservation,
    invoice_item,
    tax,
    tax_level,
    additional_fee,
    payment_method,
    payment,
    attempt,
    refund,
    feed_cursor,
    payout,
    payout_line,
    processor_transaction,
    report_run,
    domain_event,
    webhook,
    webhook_message,
    webhook_delivery,
    webhook_attempt,
);
