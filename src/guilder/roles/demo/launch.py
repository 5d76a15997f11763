"""Run alone (`python -I -S launch.py …`): tie our life to the parent's, then become the command."""

import ctypes
import os
import signal
import sys

PR_SET_PDEATHSIG = 1  # Linux: the signal a process gets when the thread that started it ends.


# Arguments: the parent's process id, then NAME=VALUE for the environment, then `--`, then the
# program and its arguments. The signal outlives the exec, so the command ends with its parent
# even when that is killed, and ends as it does when asked to stop.


def main() -> None:
    parent = int(sys.argv[1])
    split = sys.argv.index("--")
    given = dict(pair.split("=", 1) for pair in sys.argv[2:split])
    program = sys.argv[split + 1 :]
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, int(signal.SIGTERM), 0, 0, 0)
    if os.getppid() != parent:
        sys.exit("the process that asked for this one is gone")
    environment = {**os.environ, **given}  # noqa: TID251 - handed on, not read.
    os.execve(program[0], program, environment)  # noqa: S606 - no shell is the point.


if __name__ == "__main__":
    main()
