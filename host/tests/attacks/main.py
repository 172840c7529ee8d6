"""Runs every attack, or those of the modules that are named, and prints what each one cost. `run` starts it."""

import os
import sys
import tempfile
import time
from pathlib import Path

import peers
from attack import ATTACKS, Tools

# Each module registers its attacks when it is imported.
MODULES = ("publisher", "compiling", "host_work", "masking", "web", "files")

# A debug build runs host code this much slower than the release build that the bounds are stated for.
DEBUG_SLACK = 8.0


def main(cogwit: Path, bootstrap: Path, *modules: str) -> int:
    since = time.monotonic()
    peers.adopt_orphans()
    for name in [name for name in os.environ if name.startswith(("AWS_", "COGWIT_"))]:
        del os.environ[name]
    for module in modules or MODULES:
        __import__(module)
    slack = DEBUG_SLACK if "debug" in cogwit.parts else 1.0
    rows = []
    with tempfile.TemporaryDirectory(prefix="cogwit-attacks-") as top:
        try:
            for number, attack in enumerate(ATTACKS):
                folder = Path(top) / str(number)
                folder.mkdir()
                tools = Tools(cogwit, bootstrap, folder, slack, attack)
                with peers.step(attack.name):
                    attack.run(tools)
                rows.append((attack, tools))
        finally:
            peers.end_all()
    print(f"\n| attack | longest program | of | largest program | of |\n| --- | --- | --- | --- | --- |")
    for attack, tools in rows:
        print(f"| {attack.name} | {tools.seconds:.2f} s | {attack.seconds * slack:g} s | {tools.mib:.0f} MiB | {attack.mib} MiB |")
    return peers.close(since)


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1]), Path(sys.argv[2]), *sys.argv[3:]))
