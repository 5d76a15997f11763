"""Run alone (`python -I -S launch.py …`): become the account, tie our life to the parent, exec."""

import ctypes
import os
import select
import signal
import sys

PR_SET_PDEATHSIG = 1

# Nothing of the caller's environment reaches the server: no PG* settings, no preloaded libraries.
ENVIRONMENT = {"PATH": "/usr/bin:/bin:/usr/sbin:/sbin", "LC_ALL": "C", "TZ": "UTC"}


# Arguments: the parent's process id, the user id and group id to become (-1 to stay who we are),
# the descriptor of a watchdog pipe (-1 for none), then the program and its arguments. Everything
# is imported before the rights are dropped: afterwards Python's own folder may be out of reach.


def main() -> None:
    parent, uid, gid, pipe = (int(argument) for argument in sys.argv[1:5])
    program = sys.argv[5:]
    libc = ctypes.CDLL(None, use_errno=True)
    os.umask(0o077)
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    signal.pthread_sigmask(signal.SIG_SETMASK, [])
    try:
        if uid >= 0:
            os.setgroups([gid])
            os.setgid(gid)
            os.setuid(uid)
        if sys.platform == "linux":
            # A change of user clears the setting, so this must come after the drop.
            if libc.prctl(PR_SET_PDEATHSIG, int(signal.SIGINT), 0, 0, 0) != 0:
                raise OSError(ctypes.get_errno(), "no parent-death signal on this system")
        if pipe >= 0:
            _leave_a_watchdog(pipe)
        if os.getppid() != parent:
            _give_up("the process that asked for the server is gone")
        os.execve(program[0], program, ENVIRONMENT)  # noqa: S606 - no shell is the point.
    except OSError as error:
        _give_up(f"cannot run {program[0]}: {error.strerror}")


def _leave_a_watchdog(pipe: int) -> None:
    """For systems without a parent-death signal: an orphan that waits for the pipe to close.

    One byte means an orderly end; a bare end of file means that the parent died.
    """
    server = os.getpid()
    child = os.fork()
    if child > 0:
        os.waitpid(child, 0)
        os.close(pipe)
        return
    if os.fork() > 0:
        os._exit(0)
    os.closerange(3, pipe)
    os.closerange(pipe + 1, 4096)
    while not select.select([pipe], [], [], 1.0)[0]:
        if not _is_alive(server):
            os._exit(0)
    if os.read(pipe, 1) == b"" and _is_alive(server):
        os.kill(server, signal.SIGINT)
    os._exit(0)


def _is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except OSError:
        return False
    return True


def _give_up(reason: str) -> None:
    os.write(2, f"FATAL:  {reason}\n".encode())
    os._exit(127)


if __name__ == "__main__":
    main()
