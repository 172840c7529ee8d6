"""Runs every trial, and leaves no process and no file behind. `run` starts it."""

import os
import sys
import tempfile
import time
from contextlib import suppress
from pathlib import Path

import cargo_lambda
import deployed
import peers
import wired


def main(package: Path) -> int:
    since = time.monotonic()
    peers.adopt_orphans()
    # Nothing of whoever runs this: no account, no endpoint, no setting of a host.
    for name in [name for name in os.environ if name.startswith(("AWS_", "COGWIT_"))]:
        del os.environ[name]
    os.environ |= {"AWS_CONFIG_FILE": os.devnull, "AWS_SHARED_CREDENTIALS_FILE": os.devnull}
    os.environ |= {"AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test", "AWS_DEFAULT_REGION": deployed.REGION}
    with tempfile.TemporaryDirectory(prefix="cogwit-e2e-") as folder:
        try:
            for peer in (cargo_lambda.run, ministack):
                with suppress(peers.Stop):
                    peer(package, Path(folder))
            if peers.failed:
                peers.show_logs(Path(folder))
        finally:
            peers.end_all()
    return peers.close(since)


def ministack(package: Path, folder: Path) -> None:
    wired.run(deployed.run(package, folder), folder)


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
