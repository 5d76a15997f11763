"""Every refusal an endpoint can answer: what its table names, and what follows from its shape."""

from collections.abc import Iterator, Sequence

import msgspec

from guilder.edge.endpoint import Contract, Endpoint, Key
from guilder.edge.errors import (
    BodyTooLarge,
    BodyTooSlow,
    FieldInvalid,
    FieldMissing,
    FieldUnknown,
    KeyMalformed,
    KeyMissing,
    MalformedJson,
    MalformedRequest,
    MethodNotAllowed,
    RouteNotFound,
    ScopeMissing,
    Unauthenticated,
    UnsupportedMediaType,
)
from guilder.kernel.errors import Refusal
from guilder.kernel.ids import Id, MalformedId
from guilder.kernel.money import Currency, UnknownCurrency
from guilder.plumbing.db import DatabaseAway, DatabaseBusy, OutcomeUnknown
from guilder.plumbing.idempotency import KeyInProgress, KeyReused


def refusals_of(contract: Contract) -> list[type[Refusal]]:
    """Without repetition, in the order in which the checks are made."""
    return list(dict.fromkeys(_in_order(contract)))


def all_refusals(endpoints: Sequence[Endpoint]) -> list[type[Refusal]]:
    """What any of these endpoints can answer, and what a path can before them, by code."""
    found = {refusal for endpoint in endpoints for refusal in refusals_of(endpoint.contract)}
    return sorted(found | {RouteNotFound, MethodNotAllowed}, key=lambda refusal: refusal.code)


def _in_order(contract: Contract) -> Iterator[type[Refusal]]:
    if "{" in contract.path:
        yield RouteNotFound
    yield from (MalformedRequest, BodyTooLarge, BodyTooSlow)
    if contract.scope is not None:
        yield from (Unauthenticated, ScopeMissing, DatabaseAway, DatabaseBusy)
    if contract.key is Key.REQUIRED:
        yield from (KeyMissing, KeyMalformed)
    yield from _about_fields(contract)
    if "_id}" in contract.path:
        yield MalformedId
    if contract.key is Key.REQUIRED:
        yield from (KeyReused, KeyInProgress)
    if contract.scope is not None and contract.method != "GET":
        yield OutcomeUnknown
    yield from contract.refuses


def _about_fields(contract: Contract) -> Iterator[type[Refusal]]:
    reads_json = contract.takes is not None or (
        contract.scope is not None and contract.method in {"POST", "PATCH"}
    )
    if reads_json:
        yield from (UnsupportedMediaType, MalformedJson, FieldUnknown)
    elif contract.scope is not None or contract.query is not None:
        yield FieldUnknown
    for struct in (contract.takes, contract.query):
        if struct is None:
            continue
        fields = msgspec.structs.fields(struct)
        if fields:
            yield FieldInvalid
        if any(field.required for field in fields):
            yield FieldMissing
        kinds = set(_own_types(msgspec.inspect.type_info(struct)))
        if contract.query is struct or any(issubclass(kind, Id) for kind in kinds):
            yield MalformedId
        if Currency in kinds:
            yield UnknownCurrency


def _own_types(declared: msgspec.inspect.Type) -> Iterator[type]:
    """The types of ours inside a declared type: ids and currencies, however deep."""
    match declared:
        case msgspec.inspect.Metadata():
            yield from _own_types(declared.type)
        case msgspec.inspect.CustomType():
            yield declared.cls
        case msgspec.inspect.StructType():
            for field in declared.fields:
                yield from _own_types(field.type)
        case msgspec.inspect.UnionType():
            for one in declared.types:
                yield from _own_types(one)
        case msgspec.inspect.ListType() | msgspec.inspect.VarTupleType():
            yield from _own_types(declared.item_type)
        case msgspec.inspect.DictType():
            yield from _own_types(declared.value_type)
        case _:
            return
