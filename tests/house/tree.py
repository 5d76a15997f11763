"""The tree as these tests see it: files, contexts, parsed modules, accepted exceptions."""

import ast
import subprocess
from collections.abc import Iterator
from functools import cache
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
SOURCE = ROOT / "src" / "guilder"
SANDBOX = ROOT / "src" / "guilder_sandbox"
MACHINERY = frozenset({"kernel", "plumbing", "connectors", "edge", "portals", "roles"})


def contexts() -> list[Path]:
    """Every folder of the package root that is not machinery; a new one is seen at once."""
    return sorted(
        folder
        for folder in SOURCE.iterdir()
        if folder.is_dir() and folder.name not in MACHINERY and folder.name != "__pycache__"
    )


def modules(*folders: str) -> Iterator[Path]:
    """Every Python file below these folders of the root, in a stable order."""
    for folder in folders:
        yield from sorted((ROOT / folder).rglob("*.py"))


@cache
def parsed(path: Path) -> ast.Module:
    """The syntax tree of one module."""
    return ast.parse(path.read_text(encoding="utf-8"), filename=str(path))


def short(path: Path) -> str:
    """A path as people write it, from the root."""
    return path.relative_to(ROOT).as_posix()


def functions(path: Path) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
    """Every function and method of a module, nested ones included."""
    for node in ast.walk(parsed(path)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield node


def texts(path: Path) -> Iterator[tuple[int, str]]:
    """Every string constant of a module with its line, docstrings left out."""
    documents = _docstrings(path)
    for node in ast.walk(parsed(path)):
        match node:
            case ast.Constant(value=str() as text) if id(node) not in documents:
                yield node.lineno, text
            case _:
                pass


def _docstrings(path: Path) -> set[int]:
    found: set[int] = set()
    for node in ast.walk(parsed(path)):
        match getattr(node, "body", None):
            case [ast.Expr(value=ast.Constant(value=str()) as document), *_]:
                found.add(id(document))
            case _:
                pass
    return found


def kept_files() -> list[Path]:
    """Every file that is or would be committed: what git knows, and what it would add."""
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    names = sorted({name for name in listed.stdout.split("\0") if name})
    return [ROOT / name for name in names if (ROOT / name).is_file()]


def accepted(rule: str) -> set[str]:
    """What accepted.txt excuses from a rule; its lines are `rule | subject | reason`."""
    return {subject for name, subject, _ in accepted_lines() if name == rule}


def accepted_lines() -> list[tuple[str, str, str]]:
    """Every accepted exception as (rule, subject, reason)."""
    lines: list[tuple[str, str, str]] = []
    for line in (Path(__file__).parent / "accepted.txt").read_text(encoding="utf-8").splitlines():
        if line.strip() and not line.startswith("#"):
            rule, subject, reason = (part.strip() for part in line.split("|", maxsplit=2))
            lines.append((rule, subject, reason))
    return lines
