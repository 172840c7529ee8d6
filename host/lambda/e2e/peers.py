"""Starts peers and sees to it that nothing of them is left, and counts what passed."""

import ctypes
import os
import signal
import socket
import subprocess
import sys
import time
import traceback
from contextlib import contextmanager, suppress
from pathlib import Path

passed = 0
# The names of what failed.
failed: list[str] = []


class Stop(Exception):
    """What failed is needed by everything that follows."""


@contextmanager
def step(name: str, needed: bool = False):
    """One thing that is tried: says how it went and how long it took. A failure keeps others from running only if they need
    it."""
    global passed
    since = time.monotonic()
    try:
        yield
        passed += 1
        print(f"ok      {time.monotonic() - since:6.2f} s  {name}", flush=True)
    except Exception:
        failed.append(name)
        print(f"FAILED  {time.monotonic() - since:6.2f} s  {name}\n{traceback.format_exc()}", flush=True)
        if needed:
            raise Stop from None


def free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


def start(command: list, log: Path, port: int | None = None, **options) -> None:
    """Starts a peer, and waits until it listens."""
    with log.open("wb") as out:
        process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=out, stderr=out, **options)
    until = time.monotonic() + 60
    while port:
        with suppress(OSError):
            return socket.create_connection(("127.0.0.1", port), 1).close()
        if process.poll() is not None or time.monotonic() > until:
            raise RuntimeError(f"{command[0]} does not listen")
        time.sleep(0.05)


def adopt_orphans() -> None:
    """What a peer leaves behind when it ends becomes a child of this process, which can then end it. Signals end it all."""
    pr_set_child_subreaper = 36
    if ctypes.CDLL(None).prctl(pr_set_child_subreaper, 1, 0, 0, 0) != 0:
        raise OSError("this system does not hand orphans over")
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        signal.signal(number, lambda number, _: sys.exit(128 + number))


def children() -> list[int]:
    found = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                # The name of the program may hold spaces; what follows it does not.
                _, parent = (entry / "stat").read_text().rpartition(")")[2].split()[:2]
            except (FileNotFoundError, ProcessLookupError):
                continue
            if int(parent) == os.getpid():
                found.append(int(entry.name))
    return found


def end_all() -> None:
    """Ends every child, and then what those leave, until none is left."""
    patience = time.monotonic() + 5
    while pids := children():
        for pid in pids:
            os.kill(pid, signal.SIGTERM if time.monotonic() < patience else signal.SIGKILL)
        time.sleep(0.1)
        with suppress(ChildProcessError):
            while os.waitpid(-1, os.WNOHANG) != (0, 0):
                pass


def show_logs(folder: Path) -> None:
    for log in sorted(folder.glob("*.log")):
        print(f"== the end of {log.name}")
        print("\n".join(log.read_text(errors="replace").splitlines()[-40:]))


def close(since: float) -> int:
    """Says how it went, with the names of what failed last: the logs before them are long. Gives the exit code."""
    print(f"{time.monotonic() - since:.1f} s in all")
    for name in failed:
        print(f"FAILED  {name}")
    print(f"{passed} passed, {len(failed)} failed")
    return 0 if passed and not failed else 1
