"""The page of all endpoints: a list by resource, then each one with what it takes and gives."""

import json
from collections.abc import Iterator
from typing import Any

from guilder.edge.pages.html import (
    Html,
    block,
    code,
    heading,
    link,
    marked,
    page,
    paragraph,
    table,
)

Node = dict[str, Any]


def render(document: Node) -> bytes:
    """The page, from the OpenAPI document."""
    parts = [paragraph(document["info"]["description"]), heading(2, "Resources", anchor="top")]
    parts.append(table(["Endpoint", "", "Scope"], [_line(*one) for one in _operations(document)]))
    for tag in document["tags"]:
        parts.append(heading(2, marked(tag["name"]), anchor=tag["name"]))
        parts += [
            _section(document, *one)
            for one in _operations(document)
            if tag["name"] in one[2]["tags"]
        ]
    parts.append(_events(document))
    return page(document["info"]["title"] + " API", *parts)


def _operations(document: Node) -> Iterator[tuple[str, str, Node]]:
    """Each (method, path, operation), by tag and then as written."""
    found = [
        (method.upper(), path, operation)
        for path, methods in document["paths"].items()
        for method, operation in methods.items()
    ]
    yield from sorted(found, key=lambda one: one[2]["tags"][0])


def _line(method: str, path: str, operation: Node) -> list[Html]:
    name = f'<span class="method">{method}</span> {code(path)}'
    return [
        link(f"#{operation['operationId']}", name),
        marked(operation["summary"]),
        _last_sentence(operation),
    ]


def _last_sentence(operation: Node) -> Html:
    return marked(operation["description"].rpartition("\n")[2])


def _section(document: Node, method: str, path: str, operation: Node) -> Html:
    name = f'<span class="method">{method}</span> {code(path)}'
    parts = [heading(3, name, anchor=operation["operationId"]), paragraph(operation["summary"])]
    parts += [paragraph(text) for text in operation["description"].split("\n\n")]
    parts.append(table(["Parameter", "In", "Meaning"], _parameters(document, operation)))
    for body in _bodies(operation.get("requestBody")):
        parts.append(table(["Field", "Type", "Meaning"], _fields(document, body["schema"])))
        parts.append(block(json.dumps(body["example"], indent=2, ensure_ascii=False)))
    parts.append(table(["Answer", "What"], _answers(document, operation)))
    return "".join(parts)


def _bodies(request: Node | None) -> list[Node]:
    return [body for body in (request or {"content": {}})["content"].values() if "schema" in body]


def _parameters(document: Node, operation: Node) -> list[list[Html]]:
    rows: list[list[Html]] = []
    for given in operation["parameters"]:
        one = _resolved(document, given)
        needed = ", required" if one.get("required") else ""
        rows.append([code(one["name"]), one["in"] + needed, marked(one.get("description", ""))])
    return rows


def _fields(document: Node, schema: Node) -> list[list[Html]]:
    whole = _resolved(document, schema)
    required = whole.get("required", [])
    return [
        [
            code(name) + (", required" if name in required else ""),
            code(type_name(document, field)),
            marked(field.get("description", "")),
        ]
        for name, field in whole.get("properties", {}).items()
    ]


def type_name(document: Node, schema: Node) -> str:
    """A schema in a few words."""
    whole = _resolved(document, schema)
    if "anyOf" in whole:
        names = [type_name(document, one) for one in whole["anyOf"]]
        return " or ".join(name for name in names if name != "null")
    if "enum" in whole and len(whole["enum"]) <= 12:
        return " | ".join(str(one) for one in whole["enum"])
    if whole.get("type") == "array":
        return f"list of {type_name(document, whole.get('items', {}))}"
    if whole.get("type") == "object" and "title" in whole:
        return whole["title"]
    return str(whole.get("type", "any"))


def _answers(document: Node, operation: Node) -> list[list[Html]]:
    rows: list[list[Html]] = []
    for status, answer in operation["responses"].items():
        rows.append([code(status), _linked(_resolved(document, answer))])
    return rows


def _linked(answer: Node) -> Html:
    codes = [name for content in answer["content"].values() for name in content.get("examples", {})]
    if not codes:
        return marked(answer["description"])
    return ", ".join(link(f"/docs/errors#{name}", code(name)) for name in codes)


def _events(document: Node) -> Html:
    rows = [
        [code(topic), marked(methods["post"]["summary"])]
        for topic, methods in document["webhooks"].items()
    ]
    title = heading(2, "Events", anchor="events") if rows else ""
    return title + table(["Event", "Meaning"], rows)


def _resolved(document: Node, node: Node) -> Node:
    while "$ref" in node:
        found: Any = document
        for name in node["$ref"].removeprefix("#/").split("/"):
            found = found[name]
        node = found
    return node
