"""A context has its README and its door, and no file whose name means nothing in the house."""

import ast
import re
from pathlib import Path

import pytest

from tests.house.tree import SOURCE, contexts, parsed

FILES = frozenset(
    {
        "__init__.py",
        "actions.py",
        "commands.py",
        "consumers.py",
        "errors.py",
        "events.py",
        "http.py",
        "jobs.py",
        "model.py",
        "public.py",
        "queries.py",
        "README.md",
        "rules.py",
        "states.py",
        "store.py",
        "wire.py",
    }
)
FOLDERS = frozenset({"actions", "rules"})
HEADINGS = ["Owns", "Words", "States", "Invariants", "Announces", "Tables", "Not here"]

each_context = pytest.mark.parametrize("context", contexts(), ids=lambda folder: folder.name)


def test_the_root_of_the_package_holds_folders_only() -> None:
    loose = {path.name for path in SOURCE.iterdir() if path.is_file()}
    assert loose <= {"__init__.py", "py.typed"}


@each_context
def test_a_context_holds_only_files_with_a_meaning(context: Path) -> None:
    entries = [path for path in context.iterdir() if path.name != "__pycache__"]
    strange = {path.name for path in entries if path.is_file()} - FILES
    strange |= {path.name for path in entries if path.is_dir()} - FOLDERS
    assert not strange, f"{context.name}: STYLE.md lists the file names a context may have"


@each_context
def test_a_verb_is_a_file_or_a_folder_and_not_both(context: Path) -> None:
    for folder in FOLDERS:
        assert not ((context / folder).is_dir() and (context / f"{folder}.py").is_file())


@each_context
def test_a_context_has_a_readme_and_a_door(context: Path) -> None:
    for name in ("README.md", "public.py"):
        assert (context / name).is_file(), f"{context.name} has no {name}"


@each_context
def test_importing_a_context_runs_nothing(context: Path) -> None:
    statements = parsed(context / "__init__.py").body
    assert all(
        isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant) for node in statements
    ), f"{context.name}/__init__.py holds more than its docstring"


@each_context
def test_a_readme_has_the_fixed_headings_in_order(context: Path) -> None:
    text = (context / "README.md").read_text(encoding="utf-8")
    assert re.findall(r"^## (.+?)\s*$", text, re.MULTILINE) == HEADINGS


@each_context
def test_no_section_of_a_readme_is_empty(context: Path) -> None:
    text = (context / "README.md").read_text(encoding="utf-8")
    sections = re.split(r"^## .+$", text, flags=re.MULTILINE)[1:]
    assert all(section.strip() for section in sections)
