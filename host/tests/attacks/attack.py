"""Defines what an attack is: a function with a name, a bound on time and a bound on memory."""

import os
import subprocess
import tempfile
import threading
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Callable

ROOT = Path(__file__).parents[3]
POLICIES = ROOT / "policies-wasm"


@dataclass
class Attack:
    """One attack. `run` raises AssertionError where it succeeds."""

    name: str
    run: Callable
    seconds: float
    mib: int


ATTACKS: list[Attack] = []


def attack(name: str, seconds: float = 10, mib: int = 300):
    """Registers a function as an attack. Each program that it starts has `seconds` (release build) and `mib` MiB."""

    def register(function):
        ATTACKS.append(Attack(name, function, seconds, mib))
        return function

    return register


@dataclass
class Tools:
    """What an attack works with: the programs, an empty folder, and the cost of the programs that it ran."""

    cogwit: Path
    bootstrap: Path
    folder: Path
    # The debug build is this much slower than the release build for which the bounds are stated.
    slack: float
    limit: Attack
    seconds: float = field(default=0.0)
    mib: float = field(default=0.0)

    def run(self, *command, code: int | None = None, stdin: bytes = b"", **environment: str) -> subprocess.CompletedProcess:
        """Runs `cogwit` with arguments to its end. A program that exceeds its time or memory fails the attack."""
        return self.program([self.cogwit, *command], code, stdin, environment)

    def program(self, command: list, code: int | None, stdin: bytes, environment: dict) -> subprocess.CompletedProcess:
        since = time.monotonic()
        most = self.limit.seconds * self.slack
        out, err = tempfile.TemporaryFile(), tempfile.TemporaryFile()
        process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=out, stderr=err, cwd=self.folder, env=os.environ | environment
        )
        timer = threading.Timer(most, process.kill)
        timer.start()
        try:
            try:
                process.stdin.write(stdin)
                process.stdin.close()
            except BrokenPipeError:
                pass
            _, status, usage = os.wait4(process.pid, 0)
        finally:
            timer.cancel()
        process.returncode = os.waitstatus_to_exitcode(status)
        self.cost(time.monotonic() - since, usage.ru_maxrss / 1024)
        out.seek(0), err.seek(0)
        done = subprocess.CompletedProcess(
            command, process.returncode, out.read().decode(errors="replace"), err.read().decode(errors="replace")
        )
        assert code is None or done.returncode == code, (command, done.returncode, done.stdout[-2000:], done.stderr[-2000:])
        return done

    def cost(self, seconds: float, mib: float) -> None:
        """Counts what a program took, and fails the attack where that is too much."""
        self.seconds, self.mib = max(self.seconds, seconds), max(self.mib, mib)
        assert seconds < self.limit.seconds * self.slack, f"took {seconds:.1f} s"
        assert mib < self.limit.mib, f"took {mib:.0f} MiB"
