"""Where a home keeps its server: in the home, or where the server's account can reach it."""

import contextlib
import hashlib
import os
import secrets
import shutil
import tempfile
from pathlib import Path

import msgspec
import structlog

from guilder.kernel.secret import Secret
from guilder.plumbing.postgres.account import Account
from guilder.plumbing.postgres.configuration import PORT
from guilder.plumbing.postgres.errors import OTHER_SERVER, EmbeddedPostgresError

SHARED = Path("/var/lib/guilder/clusters")
SOCKET_PATH_BYTES_MAX = 103  # The address of a socket holds 107 bytes on Linux, 103 on macOS.
_RECORD = "postgres.json"
_log = structlog.get_logger(__name__)


class Record(msgspec.Struct, frozen=True):
    """What `postgres.json` in the home says: where the cluster and its socket are, and whose."""

    cluster: str
    socket: str
    account: str


def make_home(home: Path, account: Account) -> None:
    """Creates a missing home; an existing one, and every folder above it, keeps its modes."""
    if home.is_dir():
        return
    home.parent.mkdir(parents=True, exist_ok=True)
    home.mkdir()
    # Another account must pass through to its cluster, and may still list nothing.
    home.chmod(0o711 if account.is_other else 0o700)


def read_record(home: Path) -> Record | None:
    file = home / _RECORD
    if not file.exists():
        return None
    try:
        return msgspec.json.decode(file.read_bytes(), type=Record)
    except msgspec.MsgspecError as error:
        raise EmbeddedPostgresError(
            f"{file} is damaged. Write into it again where the cluster is, or restore it."
        ) from error


def write_record(home: Path, record: Record) -> None:
    write_file(home / _RECORD, msgspec.json.format(msgspec.json.encode(record)), mode=0o600)


def secret_in(home: Path, name: str) -> Secret:
    """The password kept in `<home>/<name>.password` (0600), made up when it is not there yet."""
    file = home / f"{name}.password"
    if not file.exists():
        write_file(file, secrets.token_urlsafe(32).encode(), mode=0o600)
    return Secret(file.read_text())


def cluster_folder(home: Path, account: Account, *, password: Secret) -> Path:
    """The folder of this home's cluster: the recorded one, or the one a new home will get.

    A home made anew under an old name has a new password, and so never adopts an old cluster.
    """
    record = read_record(home)
    if record is not None:
        return _recorded_folder(home, Path(record.cluster), account)
    if account.can_enter(home):
        folder = home / "postgres"
        _make_open(folder, account)
        return folder
    digest = hashlib.sha256(f"{home.resolve()}\n{password.reveal()}".encode()).hexdigest()[:20]
    folder = SHARED / digest
    for each in (SHARED.parent, SHARED, folder):
        _make_open(each, account)
    write_file(folder / "home", f"{home.resolve()}\n".encode(), mode=0o644)
    if not account.can_enter(folder):
        raise EmbeddedPostgresError(
            f"The account {account.name} can reach neither {home} nor {folder}."
            f" Set GUILDER_HOME to a folder it can reach, or {OTHER_SERVER}."
        )
    _log.info("postgres.cluster_outside_home", home=str(home), cluster=str(folder))
    return folder


def socket_folder(home: Path, folder: Path, account: Account) -> Path:
    """A private folder for the socket: in the cluster's folder, if clients can name that path."""
    own = folder / "socket"
    if _fits(own):
        own.mkdir(mode=0o700, exist_ok=True)
        account.take_over(own)
        return own
    record = read_record(home)
    if record is not None and _is_private(Path(record.socket), account):
        return Path(record.socket)
    for base in dict.fromkeys((tempfile.gettempdir(), "/tmp", "/var/tmp")):  # noqa: S108
        short = Path(tempfile.mkdtemp(prefix="guilder-", dir=base))
        account.take_over(short)
        if _fits(short) and account.can_enter(short):
            return short
        short.rmdir()
    raise EmbeddedPostgresError(
        f"The path {own} is too long (or has a comma) for a socket, and no short private folder"
        f" could be made. Set GUILDER_HOME to a shorter path, or {OTHER_SERVER}."
    )


def left_behind() -> list[Path]:
    """Clusters in the shared folder whose home is gone or has another cluster now; root's view."""
    left: list[Path] = []
    for note in sorted(SHARED.glob("*/home")):
        # Others come and go while we look, and what cannot be read is not ours to judge.
        with contextlib.suppress(OSError, EmbeddedPostgresError):
            record = read_record(Path(note.read_text().rstrip("\n")))
            is_known = record is not None and Path(record.cluster) == note.parent
            if not is_known and (note.parent / "data").is_dir():
                left.append(note.parent)
    return left


def remove_cluster(home: Path) -> None:
    """Deletes a stopped server with everything in it, wherever it is; the home itself stays."""
    record = read_record(home)
    if record is not None:
        shutil.rmtree(record.socket, ignore_errors=True)
        shutil.rmtree(record.cluster)
    for file in [home / _RECORD, *home.glob("postgres.log*"), *home.glob("*.password")]:
        file.unlink(missing_ok=True)


def write_file(path: Path, content: bytes, *, mode: int) -> None:
    """Writes a file whole, durable, and with its mode from the first moment on."""
    making = path.with_name(f"{path.name}.making")
    making.unlink(missing_ok=True)
    with os.fdopen(os.open(making, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
        file.write(content)
        file.flush()
        os.fchmod(file.fileno(), mode)
        os.fsync(file.fileno())
    making.replace(path)


def _recorded_folder(home: Path, folder: Path, account: Account) -> Path:
    if not account.can_enter(folder.parent):
        raise EmbeddedPostgresError(
            f"The account {account.name} can no longer reach {folder.parent}, where the cluster of"
            f" {home} is. Give it the right to pass through again."
        )
    if not (folder / "data").is_dir():
        raise EmbeddedPostgresError(
            f"{home} says that its cluster is in {folder}, and it is not there. Restore it; or, to"
            f" begin empty, remove {home / _RECORD}."
        )
    return folder


def _make_open(folder: Path, account: Account) -> None:
    """Creates a folder that holds only what others may pass through; an existing one is kept."""
    if not folder.is_dir():
        folder.mkdir(parents=True)
        folder.chmod(0o755 if account.is_other else 0o700)


def _fits(folder: Path) -> bool:
    """Whether clients can name a socket in it: not too long, and no list of hosts to them."""
    return (
        "," not in str(folder)
        and len(os.fsencode(folder / f".s.PGSQL.{PORT}.lock")) <= SOCKET_PATH_BYTES_MAX
    )


def _is_private(folder: Path, account: Account) -> bool:
    """A recorded folder may have been swept away and made again by someone else."""
    if folder.is_symlink() or not folder.is_dir():
        return False
    return account.owns(folder) and folder.stat().st_mode & 0o077 == 0
