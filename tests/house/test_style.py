"""Names, sizes and docstrings, as STYLE.md has them."""

import ast
import re
from pathlib import Path

from tests.house.tree import ROOT, accepted, functions, kept_files, modules, parsed, short

BANNED = frozenset(
    {"util", "common", "helper", "misc", "base", "core", "manager", "handler", "processor"}
    | {"service", "impl", "data", "info", "object", "do", "process"}
)
FUNCTION_LINES_MAX = 50
FILE_LINES_MAX = 400
ALL = ("src", "tools", "tests", "bench")


def words(name: str) -> set[str]:
    """The words of a name, however written: `PaymentInfo` and `payment_infos` both say info."""
    spaced = re.sub(r"([a-z0-9])([A-Z])", r"\1_\2", name).lower()
    found = {word for word in re.split(r"[^a-z0-9]+", spaced) if word}
    return found | {word.removesuffix("s") for word in found}


def python_files() -> list[Path]:
    return list(modules(*(folder for folder in ALL if (ROOT / folder).is_dir())))


def names(path: Path) -> list[str]:
    """The names a module gives: its own, its classes' and its functions'; tests are sentences."""
    found = [path.stem]
    found += [
        node.name
        for node in ast.walk(parsed(path))
        if isinstance(node, ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef)
    ]
    return [name for name in found if not name.startswith("test_")]


def test_no_name_hides_a_better_word() -> None:
    bad = {
        f"{short(path)}:{name}"
        for path in python_files()
        for name in names(path)
        if words(name) & BANNED
    }
    assert bad == accepted("banned word")


def test_every_function_fits_on_a_screen() -> None:
    long = {
        f"{short(path)}:{function.name}"
        for path in python_files()
        for function in functions(path)
        if (function.end_lineno or 0) - function.lineno + 1 > FUNCTION_LINES_MAX
    }
    assert long == accepted("function size")


def test_every_file_can_be_read_in_one_sitting() -> None:
    long = {
        short(path)
        for path in python_files()
        if len(path.read_text(encoding="utf-8").splitlines()) > FILE_LINES_MAX
    }
    assert long == accepted("file size")


def test_every_module_says_in_one_line_what_it_is() -> None:
    silent = [
        short(path)
        for path in python_files()
        if parsed(path).body and len((ast.get_docstring(parsed(path)) or "").splitlines()) != 1
    ]
    assert not silent


def test_every_script_in_bin_is_short_and_can_be_run() -> None:
    scripts = [path for path in kept_files() if path.parent == ROOT / "bin"]
    assert scripts
    for script in scripts:
        lines = script.read_text(encoding="utf-8").splitlines()
        assert lines[0].startswith("#!"), short(script)
        assert len(lines) < 20, f"{short(script)}: what is longer is a module in tools/"
        assert script.stat().st_mode & 0o111, f"{short(script)} is not executable"


def test_nothing_is_left_for_later() -> None:
    marks = re.compile(r"\b(" + "|".join(("TO" + "DO", "FIX" + "ME")) + r")\b")
    left = [
        f"{short(path)}:{number}"
        for path in python_files()
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), start=1)
        if marks.search(line)
    ]
    assert not left
