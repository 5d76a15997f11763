"""Webhook endpoints: who is told of what, and with which secret it is signed."""

import secrets
from urllib.parse import urlsplit

from guilder_sandbox.stripe import params
from guilder_sandbox.stripe.desk import Call, Desk
from guilder_sandbox.stripe.form import words
from guilder_sandbox.stripe.later import Later
from guilder_sandbox.stripe.model import Endpoint
from guilder_sandbox.stripe.refusals import invalid, missing
from guilder_sandbox.stripe.render import endpoint_shape
from guilder_sandbox.stripe.shown import limit_of, show, show_list
from guilder_sandbox.wire import Answer

ENDPOINTS_MAX = 16
ENDPOINT_PARAMS = words(
    "url enabled_events description metadata api_version connect expand disabled"
)


def create_endpoint(desk: Desk, later: Later, call: Call) -> Answer:
    del later
    params.allow_only(call.form, ENDPOINT_PARAMS)
    url = _checked(params.required_text(call.form, "url"))
    events = params.texts(call.form, "enabled_events")
    if not events:
        raise params.parameter_missing("enabled_events")
    if len(desk.endpoints()) >= ENDPOINTS_MAX:
        raise invalid(f"There are up to {ENDPOINTS_MAX} endpoints in test mode.")
    seq, endpoint_id = desk.new_id("we_", "stripe_endpoint")
    endpoint = Endpoint(
        seq=seq,
        id=endpoint_id,
        created=desk.clock.seconds(),
        url=url,
        secret="whsec_" + secrets.token_hex(16),
        enabled_events=events,
        metadata=params.merge({}, params.metadata(call.form)),
        description=params.text(call.form, "description"),
    )
    desk.save_endpoint(endpoint)
    return show(endpoint_shape(endpoint, with_secret=True))


def update_endpoint(desk: Desk, later: Later, call: Call) -> Answer:
    del later
    params.allow_only(call.form, ENDPOINT_PARAMS)
    endpoint = _endpoint_of(desk, call)
    url, events = params.text(call.form, "url"), params.texts(call.form, "enabled_events")
    if url is not None:
        endpoint.url = _checked(url)
    if events:
        endpoint.enabled_events = events
    if "disabled" in call.form:
        endpoint.disabled = params.boolean(call.form, "disabled")
    desk.save_endpoint(endpoint)
    return show(endpoint_shape(endpoint, with_secret=False))


def retrieve_endpoint(desk: Desk, later: Later, call: Call) -> Answer:
    del later
    return show(endpoint_shape(_endpoint_of(desk, call), with_secret=False))


def list_endpoints(desk: Desk, later: Later, call: Call) -> Answer:
    del later
    shapes = [endpoint_shape(e, with_secret=False) for e in desk.endpoints()]
    return show_list(shapes, url="/v1/webhook_endpoints", limit=limit_of(call.form))


def delete_endpoint(desk: Desk, later: Later, call: Call) -> Answer:
    del later
    endpoint = _endpoint_of(desk, call)
    endpoint.deleted = True
    desk.save_endpoint(endpoint)
    return show({"id": endpoint.id, "object": "webhook_endpoint", "deleted": True})


def _endpoint_of(desk: Desk, call: Call) -> Endpoint:
    endpoint = desk.find_endpoint(call.id)
    if endpoint is None:
        raise missing("webhook endpoint", call.id, param="id", status=404)
    return endpoint


def _checked(url: str) -> str:
    try:
        parts = urlsplit(url)
        good = parts.scheme in {"http", "https"} and bool(parts.hostname) and parts.port != 0
    except ValueError:
        good = False
    if not good:
        raise invalid("Invalid URL: a web address is needed.", param="url", code="url_invalid")
    return url
