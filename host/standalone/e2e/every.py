"""Serves one set that answers whatever the peers fire, and puts it behind both of them."""

import shutil
from contextlib import suppress
from pathlib import Path

import around
import claims
import passwordless
import peers
from cognito_local import cognito_local
from invoke import POLICIES
from peers import step
from proxied import function
from server import Server

SET = """
schema = 1
[set]
name = "every"
[[policy]]
name = "short"
component = "deny-short-username.wasm"
[[policy]]
name = "confirm"
component = "auto-confirm-domain.wasm"
settings = { domains = "example.com" }
[[policy]]
name = "device"
component = "device-key.wasm"
capabilities = ["random"]
settings = { attempts = 2 }
[[policy]]
name = "claims"
component = "token-claims.wasm"
[policy.settings]
claims = "tenant=custom:tenant"
groups-claim = "teams"
suppress = "email"
group-scopes = "finance=ledger/read ledger/write, ops=ops/all"
[[policy]]
name = "import"
component = "import-users.wasm"
settings = { users = { env = "COGWIT_SECRET_USERS" } }
limits = { memory = "32 MiB", fuel = 500_000_000, deadline = "1 s" }
[[policy]]
name = "messages"
component = "branded-messages.wasm"
[policy.settings]
email = "Your code is {code}"
"email.nb" = "Koden din er {code}"
"subject.SignUp.nb" = "Velkommen"
"email.AdminCreateUser" = "Hello {username}, begin with {code}"
[[policy]]
name = "audit"
component = "audit-trail.wasm"
"""


def run(cogwit: Path, node: Path, ministack: str, folder: Path) -> None:
    print("== a set for every trigger that the peers fire")
    with step("the server and cognito-local start, and ministack has a function", needed=True):
        policies = folder / "every"
        shutil.copytree(POLICIES, policies, ignore=lambda _, names: [name for name in names if not name.endswith(".wasm")])
        (policies / "policies.toml").write_text(SET)
        server = Server(cogwit, folder, "--policies", str(policies), COGWIT_SECRET_USERS=around.users())
        endpoint = cognito_local(node, folder, {"endpoint": server.endpoint})
        arn = function(ministack, "every", f"{server.endpoint}/decide")
    with server:
        for trials, *given in (
            (passwordless.run, ministack, arn),
            (claims.by_ministack, ministack, arn),
            (claims.by_cognito_local, endpoint),
            (around.run, endpoint, folder),
        ):
            with suppress(peers.Stop):
                trials(server, *given)
