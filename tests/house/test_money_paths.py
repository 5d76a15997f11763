"""No float comes near money: not as a literal, not by a cast, not by a division."""

import ast
from collections.abc import Iterator
from pathlib import Path

from tests.house.tree import SOURCE, accepted, parsed, short

PATHS = ("kernel/money.py", "ledger", "payments")


def money_modules() -> Iterator[Path]:
    for place in PATHS:
        path = SOURCE / place
        yield from [path] if path.is_file() else sorted(path.rglob("*.py"))


def inexact(tree: ast.Module) -> Iterator[int]:
    """The lines where a float is written, made, or comes out of a division."""
    for node in ast.walk(tree):
        match node:
            case ast.Constant(value=float()):
                yield node.lineno
            case ast.Call(func=ast.Name(id="float" | "round")):
                yield node.lineno
            case ast.BinOp(op=ast.Div()) | ast.AugAssign(op=ast.Div()):
                yield node.lineno
            case ast.Name(id="float"):
                yield node.lineno
            case _:
                pass


def test_no_float_comes_near_money() -> None:
    found = {
        f"{short(path)}:{line}" for path in money_modules() for line in set(inexact(parsed(path)))
    }
    assert found == accepted("float near money")


def test_the_rule_sees_every_way_in() -> None:
    for line in ("x = 1.5", "x = float(y)", "x = a / b", "x /= 2", "x: float", "x = round(y, 2)"):
        assert list(inexact(ast.parse(line))), line
    assert not list(inexact(ast.parse("x = a // b * 100")))


def test_the_money_modules_are_found() -> None:
    assert SOURCE / "kernel" / "money.py" in set(money_modules())
