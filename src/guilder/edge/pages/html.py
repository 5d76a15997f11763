"""HTML by hand: the whole of a page, tables and links, with everything escaped."""

from collections.abc import Sequence
from html import escape

Html = str


def page(title: str, *parts: Html) -> bytes:
    """A whole page with the way to the others."""
    text = f"""<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>{escape(title)}</title>
<link rel="stylesheet" href="/docs/docs.css">
</head>
<body>
<nav><a href="/docs">Endpoints</a><a href="/docs/errors">Errors</a>
<a href="/docs/swagger">Try it</a><a href="/openapi.json">OpenAPI</a></nav>
<h1>{escape(title)}</h1>
{"".join(parts)}
</body>
</html>
"""
    return text.encode()


def paragraph(text: str) -> Html:
    """Text with its `words of code` marked."""
    return f"<p>{marked(text)}</p>\n"


def heading(level: int, text: Html, *, anchor: str) -> Html:
    """A heading that can be linked to; `text` is HTML already."""
    return f'<h{level} id="{escape(anchor)}">{text}</h{level}>\n'


def table(columns: Sequence[str], rows: Sequence[Sequence[Html]]) -> Html:
    """A table; the cells are HTML already. Nothing where there are no rows."""
    if not rows:
        return ""
    head = "".join(f"<th>{escape(column)}</th>" for column in columns)
    body = "".join("<tr>" + "".join(f"<td>{cell}</td>" for cell in row) + "</tr>\n" for row in rows)
    return f"<table><thead><tr>{head}</tr></thead><tbody>\n{body}</tbody></table>\n"


def code(text: str) -> Html:
    """A word of code."""
    return f"<code>{escape(text)}</code>"


def block(text: str) -> Html:
    """Lines of code."""
    return f"<pre>{escape(text)}</pre>\n"


def link(address: str, text: Html) -> Html:
    """A link; `text` is HTML already."""
    return f'<a href="{escape(address)}">{text}</a>'


def marked(text: str) -> Html:
    """Plain text in which back quotes enclose code."""
    parts = escape(text).split("`")
    return "".join(f"<code>{part}</code>" if n % 2 else part for n, part in enumerate(parts))
