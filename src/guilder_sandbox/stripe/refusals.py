"""Stripe's errors: the types, codes and statuses that callers act upon; the sentences are ours."""

import msgspec

from guilder_sandbox.trouble import Trouble
from guilder_sandbox.wire import Answer

DOCS = "https://docs.stripe.com/error-codes#"


class Refused(Trouble):
    """An error to answer. `remembered` ones are the stored answer of their idempotency key.

    Stripe keeps answers from the moment that execution begins; what fails before, on the form of
    the request, may be repaired and sent again under the same key.
    """

    def __init__(self, status: int, error: dict[str, object], *, remembered: bool) -> None:
        super().__init__(str(error.get("message")))
        self.status = status
        self.error = error
        self.remembered = remembered

    def answer(self) -> Answer:
        return Answer(self.status, msgspec.json.encode({"error": self.error}))


def invalid(
    message: str, *, param: str | None = None, code: str | None = None, status: int = 400
) -> Refused:
    """A request whose form is wrong; nothing was executed."""
    return Refused(status, _error(message, param, code), remembered=False)


def refused(
    message: str,
    *,
    param: str | None = None,
    code: str | None = None,
    about: dict[str, object] | None = None,
    status: int = 400,
) -> Refused:
    """A well-formed request that the state of things forbids; `about` is the payment intent."""
    error = _error(message, param, code)
    if about is not None:
        error["payment_intent"] = about
    return Refused(status, error, remembered=True)


def missing(what: str, id: str, *, param: str, status: int) -> Refused:
    return Refused(
        status,
        _error(f"No such {what}: '{id}'", param, "resource_missing"),
        remembered=False,
    )


def unauthorized(message: str) -> Refused:
    return Refused(401, _error(message, None, None), remembered=False)


def key_reused(key: str) -> Refused:
    message = f"The idempotency key '{key}' was first used with other parameters."
    error: dict[str, object] = {"message": message, "type": "idempotency_error"}
    return Refused(400, error, remembered=False)


def key_in_use(key: str) -> Refused:
    error: dict[str, object] = {
        "code": "idempotency_key_in_use",
        "doc_url": DOCS + "idempotency-key-in-use",
        "message": f"Another request with the idempotency key '{key}' is still under way.",
        "type": "idempotency_error",
    }
    return Refused(409, error, remembered=False)


def _error(message: str, param: str | None, code: str | None) -> dict[str, object]:
    error: dict[str, object] = {}
    if code is not None:
        error["code"] = code
        error["doc_url"] = DOCS + code.replace("_", "-")
    error["message"] = message
    if param is not None:
        error["param"] = param
    error["type"] = "invalid_request_error"
    return error
