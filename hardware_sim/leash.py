"""Runs one program that must not outlive whoever started it: `python -m hardware_sim.leash FD -- PROGRAM ARGUMENT…`

FD is the reading end of a pipe whose writing end only the parent holds: when it ends, the parent is gone, however it
ended. On Linux the kernel is asked to kill the program with its parent, and this process becomes the program; so the
program has the process id the parent knows. Elsewhere, or with `--watch`, this process stays beside the program and
kills it at the end of the pipe. A program that changes its user loses the kernel's promise and must be told not to.

It is not a supervisor: it starts nothing again. The rule that must not be broken: it is started from the parent's main
thread, because the kernel's promise is tied to the thread.
"""

import contextlib
import ctypes
import os
import select
import signal
import subprocess
import sys
from types import FrameType

PR_SET_PDEATHSIG = 1
"""prctl(2)."""

POLL_MS = 200
"""How soon the end of the watched program is noticed."""

STOP_TIMEOUT_S = 3.0
WRONG_USE = 2


def main(arguments: list[str]) -> int:
    """Run the program; returns its status, or 2 for wrong use. On Linux without `--watch` it does not return."""
    watch = arguments[:1] == ["--watch"]
    words = arguments[1:] if watch else arguments
    if len(words) < 3 or words[1] != "--" or not words[0].isdecimal():
        print("leash: expected [--watch] FD -- PROGRAM ARGUMENT…", file=sys.stderr)
        return WRONG_USE
    pipe, program = int(words[0]), words[2:]
    if watch or not _die_with_parent():
        return _watch(pipe, program)
    if select.select([pipe], [], [], 0)[0]:
        return 0  # the parent ended before the kernel was asked
    os.set_inheritable(pipe, False)
    try:
        os.execvp(program[0], program)
    except OSError as error:
        print(f"{program[0]}: expected a program that runs; {error.strerror}", file=sys.stderr)
        return 1


def _die_with_parent() -> bool:
    """Ask the kernel to kill this process, whatever it becomes, when the parent's thread ends; False if it cannot."""
    if not sys.platform.startswith("linux"):
        return False
    return bool(ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0) == 0)


def _watch(pipe: int, program: list[str]) -> int:
    try:
        child = subprocess.Popen(program)
    except OSError as error:
        print(f"{program[0]}: expected a program that runs; {error.strerror}", file=sys.stderr)
        return 1

    def end(_number: int, _frame: FrameType | None) -> None:
        child.terminate()

    signal.signal(signal.SIGTERM, end)
    poll = select.poll()
    poll.register(pipe, select.POLLIN | select.POLLHUP)
    while child.poll() is None:
        if poll.poll(POLL_MS):
            _stop(child)
    return child.returncode


def _stop(child: subprocess.Popen[bytes]) -> None:
    child.terminate()
    with contextlib.suppress(subprocess.TimeoutExpired):
        child.wait(STOP_TIMEOUT_S)
        return
    child.kill()
    child.wait()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
