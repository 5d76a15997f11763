"""The first run: pip's settings reach uv, and a fresh copy of the tree makes itself ready."""

import os
import shutil
import signal
import subprocess
import time
from pathlib import Path

import pytest
from tools import setup

ROOT = Path(__file__).resolve().parents[2]
SCRIPTS = sorted((ROOT / "bin").iterdir())

PRINTED_BY_PIP = """\
:env:.timeout='30'
global.index-url='https://mirror.example/simple'
global.timeout='5'
install.extra-index-url='https://one.example/simple\\nhttps://two.example/simple'
install.find-links='/nowhere /'
global.cert='/etc/ssl/own.pem'
"""


def test_uv_is_told_what_pip_was_told() -> None:
    environment = setup.uv_environment({"PATH": "/bin"}, setup.pip_settings(PRINTED_BY_PIP))
    assert environment == {
        "PATH": "/bin",
        "UV_DEFAULT_INDEX": "https://mirror.example/simple",
        "UV_INDEX": "https://one.example/simple https://two.example/simple",
        "UV_FIND_LINKS": "/",
        "UV_HTTP_TIMEOUT": "30",
        "SSL_CERT_FILE": "/etc/ssl/own.pem",
    }


def test_what_uv_was_told_itself_wins(tmp_path: Path) -> None:
    settings = setup.pip_settings(PRINTED_BY_PIP)
    ours = {"UV_DEFAULT_INDEX": "https://own.example/simple", "SSL_CERT_FILE": "/etc/ssl/b.pem"}
    environment = setup.uv_environment(ours, settings)
    assert environment == ours | {"UV_HTTP_TIMEOUT": "30"}
    (tmp_path / "uv").mkdir()
    (tmp_path / "uv" / "uv.toml").write_text('index-url = "https://own.example/simple"\n')
    environment = setup.uv_environment({"XDG_CONFIG_HOME": str(tmp_path)}, settings)
    assert "UV_DEFAULT_INDEX" not in environment


def test_pip_is_not_sent_elsewhere() -> None:
    ours = {"PIP_TARGET": "/elsewhere", "PIP_USER": "1", "PIP_INDEX_URL": "https://m.example/"}
    assert setup.pip_environment(ours) == {"PIP_USER": "0", "PIP_INDEX_URL": "https://m.example/"}


def test_uv_itself_is_brought_by_its_hashes() -> None:
    lines = setup.requirement_block("uv", (ROOT / setup.BUILD).read_text()).splitlines()
    assert lines[0].startswith("uv==")
    assert len(lines) > 5
    assert all("--hash=sha256:" in line for line in lines[1:])


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda script: script.name)
def test_a_script_is_short_and_stops_at_the_first_trouble(script: Path) -> None:
    lines = script.read_text().splitlines()
    assert len(lines) < 20
    assert lines[0] == "#!/bin/sh"
    assert lines[2] == "set -eu"
    assert os.access(script, os.X_OK)
    subprocess.run(["/bin/sh", "-n", str(script)], check=True)


def test_no_python_that_will_do_is_said_with_the_remedy(tmp_path: Path) -> None:
    for tool in ("sh", "dirname", "readlink"):
        found = shutil.which(tool)
        assert found
        (tmp_path / tool).symlink_to(found)
    (tmp_path / "tree" / "bin").mkdir(parents=True)
    script = shutil.copy(ROOT / "bin" / "setup", tmp_path / "tree" / "bin")
    outcome = subprocess.run(
        [script], env={"PATH": str(tmp_path)}, capture_output=True, text=True, check=False
    )
    assert outcome.returncode == 1
    assert "Python 3.11 or newer with its venv module" in outcome.stderr
    assert "python3-venv" in outcome.stderr


@pytest.mark.full
def test_a_fresh_copy_makes_itself_ready_even_after_being_killed(tmp_path: Path) -> None:
    """Needs the package registry: everything is downloaded into an empty home folder."""
    tree, home, link = tmp_path / "a tree", tmp_path / "home", tmp_path / "link"
    left_out = shutil.ignore_patterns(".venv", ".git", "__pycache__", "var")
    shutil.copytree(ROOT, tree, ignore=left_out)
    home.mkdir()
    link.symlink_to(tree / "bin" / "setup")
    ours = {name: value for name, value in os.environ.items() if not name.startswith("XDG_")}  # noqa: TID251
    environment = ours | {"HOME": str(home)}

    started = subprocess.Popen([link], cwd=tmp_path, env=environment, start_new_session=True)
    time.sleep(3)
    os.killpg(started.pid, signal.SIGKILL)
    started.wait()

    subprocess.run([link], cwd=tmp_path, env=environment, check=True)
    assert (tree / ".venv" / "bin" / "guilder").exists()
    began = time.monotonic()
    again = subprocess.run([link], env=environment, capture_output=True, text=True, check=True)
    print(f"nothing to do: {time.monotonic() - began:.2f} s")
    assert time.monotonic() - began < 1
    assert again.stdout == f"{tree / '.venv'} is ready\n"
    assert again.stderr == ""

    lock = tree / "requirements.lock"
    lock.write_text(lock.read_text() + "# changed\n")
    changed = subprocess.run([link], env=environment, capture_output=True, text=True, check=True)
    assert "installs requirements.lock" in changed.stderr
