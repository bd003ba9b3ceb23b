//! Stripe's `SetupIntent` of 2023: how a card is verified and kept, with the method that it made inside.

use serde_json::{Value, json};

use super::stripe::Scene;
use crate::DeclineClass;

pub(super) fn render(scene: &Scene<'_>) -> Value {
    let id = scene.setup_id();
    let decline = scene.transaction.decline();
    let asks = decline.is_some_and(|decline| decline.class == DeclineClass::NeedsCardholder);
    let error = decline.filter(|_| !asks);
    let status = match decline {
        None => "succeeded",
        Some(_) if asks => "requires_action",
        Some(_) => "requires_payment_method",
    };
    let next_action =
        asks.then(|| Scene::redirect(&super::authentication_url(scene.transaction.id)));
    json!({
        "id": id,
        "object": "setup_intent",
        "application": scene.application_id(),
        "automatic_payment_methods": null,
        "cancellation_reason": null,
        "client_secret": scene.client_secret(&id),
        "created": scene.transaction.merchant_at.seconds(),
        "customer": scene.customer_id(),
        "description": scene.transaction.confirmation_code,
        "flow_directions": null,
        "last_setup_error": error.map(|decline| scene.error(decline, None)),
        "latest_attempt": null,
        "livemode": false,
        "mandate": null,
        "metadata": {},
        "next_action": next_action,
        "on_behalf_of": null,
        "payment_method": error.is_none().then(|| scene.payment_method()),
        "payment_method_options": {"card": {"request_three_d_secure": "automatic"}},
        "payment_method_types": ["card"],
        "single_use_mandate": null,
        "status": status,
        "usage": "off_session",
    })
}
