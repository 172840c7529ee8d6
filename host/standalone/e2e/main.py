"""Runs every trial, and leaves no process and no file behind. `run` starts it."""

import os
import sys
import tempfile
import time
from contextlib import suppress
from pathlib import Path

import channel
import cognito_local
import crossing
import every
import invoke
import peers
import plain
import proxied
from clients import JavaScript, Python
from peers import step
from server import Server


def main(cogwit: Path, node: Path) -> int:
    since = time.monotonic()
    peers.adopt_orphans()
    # Nothing of whoever runs this: no account, no endpoint, no setting of a host.
    for name in [name for name in os.environ if name.startswith(("AWS_", "COGWIT_", "PYTHONPATH"))]:
        del os.environ[name]
    os.environ |= {"AWS_CONFIG_FILE": os.devnull, "AWS_SHARED_CREDENTIALS_FILE": os.devnull, "AWS_REGION": "eu-north-1"}
    os.environ |= {"AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test", "AWS_DEFAULT_REGION": "eu-north-1"}
    with tempfile.TemporaryDirectory(prefix="cogwit-serve-") as top:
        folder = Path(top)
        try:
            with suppress(peers.Stop):
                trials(cogwit, node, folder)
            if peers.failed:
                for place in (folder, *filter(Path.is_dir, folder.iterdir())):
                    peers.show_logs(place)
        finally:
            peers.end_all()
    return peers.close(since)


def trials(cogwit: Path, node: Path, folder: Path) -> None:
    clients = [Python(), JavaScript(node, folder / "client.log")]
    with step("the server starts with the built-in set", needed=True):
        server = Server(cogwit, folder)
    with step("cognito-local starts", needed=True):
        endpoint = cognito_local.cognito_local(node, folder, {"endpoint": server.endpoint})
    for client in clients:
        with suppress(peers.Stop):
            cognito_local.run(server, endpoint, client)
    invoke.command_line(cogwit, server, folder)
    for client in clients:
        invoke.by_sdk(server, client)
    slow = invoke.slow_set(folder)
    invoke.at_once(cogwit, slow, folder, clients)
    plain.by_curl(cogwit, server, folder)
    plain.itself(cogwit, folder)
    plain.with_token(cogwit, node, folder)
    with suppress(peers.Stop):
        with step("ministack starts", needed=True):
            ministack = proxied.ministack(folder)
        with suppress(peers.Stop):
            proxied.run(server, ministack, clients)
        every.run(cogwit, node, ministack, folder)
        with suppress(peers.Stop):
            crossing.run(cogwit, ministack, folder)
    with suppress(peers.Stop):
        channel.run(cogwit, node, slow, folder)


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1]), Path(sys.argv[2])))
