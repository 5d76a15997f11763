"""The server's settings: honest about durability, modest about memory, reachable by socket only."""

from dataclasses import dataclass
from pathlib import Path

PORT = 5432  # Part of the socket's file name; no TCP port is opened.

ACCESS = """\
# Written at every start. One way in: the socket, with a password.
local all all scram-sha-256
local replication all scram-sha-256
"""


@dataclass(frozen=True, slots=True)
class Sizing:
    """How much the server may use; the defaults suit a laptop or a small shop."""

    shared_buffers_mb: int = 64
    work_mem_mb: int = 4
    max_wal_mb: int = 512
    max_connections: int = 60


def settings_text(sizing: Sizing, *, major: int, socket_folder: Path) -> str:
    """The whole postgresql.conf; what is not named here keeps PostgreSQL's default."""
    settings = _REACH | _DURABILITY | _MEMORY | _LOG
    settings |= {
        "port": str(PORT),
        "unix_socket_directories": '"' + str(socket_folder).replace('"', '""') + '"',
        "max_connections": str(sizing.max_connections),
        "shared_buffers": f"{sizing.shared_buffers_mb}MB",
        "work_mem": f"{sizing.work_mem_mb}MB",
        "max_wal_size": f"{sizing.max_wal_mb}MB",
    }
    if major >= 18:
        settings["io_method"] = "sync"  # Saves three helpers; our reads fit in the page cache.
    lines = [f"{name} = '{_escaped(value)}'" for name, value in sorted(settings.items())]
    return "# Written at every start; changes here are lost.\n" + "\n".join(lines) + "\n"


def _escaped(value: str) -> str:
    return value.replace("\\", "\\\\").replace("'", "''")


_REACH = {
    "listen_addresses": "",
    "unix_socket_permissions": "0700",
    "password_encryption": "scram-sha-256",
}

_DURABILITY = {
    "fsync": "on",
    "synchronous_commit": "on",
    "full_page_writes": "on",
    "wal_level": "replica",  # So that a base backup and its log can be taken.
    "max_wal_senders": "4",
    "max_replication_slots": "4",
}

_MEMORY = {
    "autovacuum": "on",
    "autovacuum_max_workers": "2",
    "huge_pages": "off",
    "jit": "off",
    "maintenance_work_mem": "32MB",
    "max_parallel_workers_per_gather": "0",
    "max_worker_processes": "4",
    "max_logical_replication_workers": "0",  # No launcher beside the server.
    "min_wal_size": "80MB",
}

# Values stay out of the log: no statements, no details of rows, no parameters.
_LOG = {
    "logging_collector": "off",
    "log_checkpoints": "off",
    "log_error_verbosity": "terse",
    "log_line_prefix": "%m [%p] ",
    "log_min_error_statement": "panic",
    "log_parameter_max_length_on_error": "0",
    "log_timezone": "UTC",
    "timezone": "UTC",
    "lc_messages": "C",
}
