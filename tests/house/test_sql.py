"""A context's SQL lives in its store and queries, and touches no schema but its own."""

import ast
import re
from pathlib import Path

import pytest

from tests.house.tree import ROOT, SOURCE, accepted, contexts, functions, short, texts

OTHERS = frozenset({"plumbing", "kernel", "procrastinate", "public"})
"""Schemas that belong to machinery: reached through its modules, never by name."""

VERB = re.compile(r"^\s*(select|insert|update|delete|with|merge|call|truncate|lock)\b")
QUALIFIED = re.compile(r"(?<![\w.$'\"])([a-z_][a-z0-9_]*)\.[a-z_\"]")
NAMES_A_TABLE = re.compile(
    r"\b(?:insert\s+into|delete\s+from|truncate|merge\s+into)\s+(?:only\s+)?([a-z_]\w*)(?![\w.])"
)
INEXACT = re.compile(r"\b(double precision|float[48]?|real|money)\b(?!\s*\()")

each_context = pytest.mark.parametrize("context", contexts(), ids=lambda folder: folder.name)


def statements(path: Path) -> list[tuple[int, str]]:
    """The SQL of a module with its lines: constants that begin with a verb of SQL, lower case."""
    return [(line, without_literals(text)) for line, text in texts(path) if VERB.match(text)]


def without_literals(sql: str) -> str:
    return re.sub(r"'[^']*'|--[^\n]*", "''", sql)


def strangers(sql: str, *, own: str, schemas: frozenset[str]) -> set[str]:
    """The schemas named by a statement that are not the context's own."""
    named = {schema for schema in QUALIFIED.findall(sql) if schema in schemas}
    return (named - {own}) | {f"{table} without a schema" for table in NAMES_A_TABLE.findall(sql)}


def schemas() -> frozenset[str]:
    return OTHERS | {context.name for context in contexts()}


@each_context
def test_a_context_touches_only_its_own_schema(context: Path) -> None:
    for path in sorted(context.rglob("*.py")):
        for line, sql in statements(path):
            found = strangers(sql, own=context.name, schemas=schemas())
            assert not found, f"{short(path)}:{line} reaches into {sorted(found)}"


@each_context
def test_sql_is_written_in_the_store_and_the_queries(context: Path) -> None:
    for path in sorted(context.rglob("*.py")):
        if path.name not in {"store.py", "queries.py"}:
            lines = [line for line, sql in statements(path) if re.search(r"\s\S+\s", sql)]
            assert not lines, f"{short(path)} holds SQL at {lines}"


@each_context
def test_queries_only_read(context: Path) -> None:
    for path in context.glob("queries.py"):
        for line, sql in statements(path):
            assert not re.search(r"\b(insert|update|delete|truncate)\b", sql), (
                f"{short(path)}:{line} writes"
            )


def test_every_query_is_told_whose_rows_to_read() -> None:
    """The tenant's scope is the first argument after the transaction."""
    unscoped: set[str] = set()
    for context in contexts():
        for path in context.glob("queries.py"):
            for function in functions(path):
                if not function.name.startswith("_") and not takes_scope(function):
                    unscoped.add(f"{short(path)}:{function.name}")
    assert unscoped == accepted("tenant scope")


def takes_scope(function: ast.FunctionDef | ast.AsyncFunctionDef) -> bool:
    arguments = [argument.arg for argument in function.args.args]
    return arguments[:2] in (["tx", "scope"], ["db", "scope"])


def test_no_column_holds_an_inexact_number() -> None:
    schema = without_literals((ROOT / "db" / "schema.sql").read_text(encoding="utf-8"))
    assert not INEXACT.findall(schema)


def test_no_foreign_key_leaves_its_schema() -> None:
    schema = without_literals((ROOT / "db" / "schema.sql").read_text(encoding="utf-8")).lower()
    for statement in schema.split(";"):
        table = re.search(r"\b(?:create|alter) table (?:if not exists |only )*(\w+)\.", statement)
        for target in re.findall(r"\breferences (\w+)\.", statement):
            assert table is not None
            assert target == table[1], f"{table[1]} refers to {target}: keep the id only"


def test_the_rule_sees_what_it_must_see() -> None:
    known = frozenset({"ledger", "payments", "plumbing"})
    for sql in (
        "select id from ledger.account",
        "select p.id from payments.payment p join ledger.entry e on e.id = p.id",
        "insert into ledger.entry values ($1)",
        "update ledger.account set debits = 0",
        "select ledger.post($1)",
        "delete from payment",
    ):
        assert strangers(sql, own="payments", schemas=known), sql
    innocent = "select p.id, extract(epoch from p.made_at) from payments.payment p for update of p"
    assert not strangers(innocent, own="payments", schemas=known)


def test_machinery_keeps_its_hands_off_business_tables() -> None:
    business = frozenset(context.name for context in contexts())
    for floor in ("kernel", "plumbing", "connectors", "edge"):
        for path in sorted((SOURCE / floor).rglob("*.py")):
            for line, sql in statements(path):
                found = strangers(sql, own="", schemas=business) & business
                assert not found, f"{short(path)}:{line} reaches into {sorted(found)}"
