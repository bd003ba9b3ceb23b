"""Lets libraries that are not ours verify webhooks.

Reads a JSON list of webhooks, each with `secret`, `headers` and `body`. Prints a JSON list with
what each library says of each: null where it takes it, else why not.
"""

import json
import sys

import standardwebhooks
import svix.webhooks


def verdict(library, name, webhook):
    headers = {f"{name}-{part}": text for part, text in webhook["headers"].items()}
    try:
        library.Webhook(webhook["secret"]).verify(webhook["body"], headers)
    except standardwebhooks.WebhookVerificationError as refused:
        return str(refused)
    return None


def verdicts(webhook):
    return {
        "standardwebhooks": verdict(standardwebhooks, "webhook", webhook),
        "svix": verdict(svix.webhooks, "svix", webhook),
    }


json.dump([verdicts(webhook) for webhook in json.load(sys.stdin)], sys.stdout)
