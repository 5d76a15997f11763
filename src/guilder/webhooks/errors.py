"""What webhooks refuse."""

from guilder.kernel.errors import Kind, Refusal


class WebhookUrlRefused(Refusal):
    """The URL is malformed, not https in live mode, or names a place we do not send to."""

    code = "webhook_url_refused"
    kind = Kind.UNPROCESSABLE


class WebhookTopicsRefused(Refusal):
    """A topic is not one we announce, is there twice, or stands beside the star for all."""

    code = "webhook_topics_refused"
    kind = Kind.UNPROCESSABLE


class TooManyWebhookEndpoints(Refusal):
    """The merchant has as many endpoints in this mode as it may have."""

    code = "too_many_webhook_endpoints"
    kind = Kind.CONFLICT


class WebhookEndpointNotFound(Refusal):
    """No webhook endpoint of the caller's has this id."""

    code = "webhook_endpoint_not_found"
    kind = Kind.NOT_FOUND


class WebhookEndpointNotEnabled(Refusal):
    """The endpoint of this delivery is disabled or deleted, so nothing is sent to it."""

    code = "webhook_endpoint_not_enabled"
    kind = Kind.CONFLICT


class WebhookDeliveryNotFound(Refusal):
    """No webhook delivery of the caller's has this id."""

    code = "webhook_delivery_not_found"
    kind = Kind.NOT_FOUND
