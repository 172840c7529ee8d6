"""Calls the server as whatever speaks HTTP does: curl in its ways, a scraper of metrics, somebody without the token."""

import json
import subprocess
from pathlib import Path

from clients import Python, refusal
from cognito_local import Pool, cognito_local
from events import TOO_SHORT
from invoke import ALLOWED, DENIED, run_of
from peers import step
from prometheus_client.openmetrics.parser import text_string_to_metric_families
from server import Server

TOKEN = "a-token-of-this-test-alone"


def curl(server: Server, path: str, *arguments: str | Path) -> tuple[int, bytes, str]:
    """The status, the body, and what curl tells of the exchange."""
    command = ["curl", "--silent", "--show-error", "--verbose", "--write-out", "%{http_code}", *arguments]
    done = subprocess.run([*command, server.endpoint + path], capture_output=True, check=True, timeout=30)
    return int(done.stdout[-3:]), done.stdout[:-3], done.stderr.decode()


def by_curl(cogwit: Path, server: Server, folder: Path) -> None:
    print(f"== curl at {server.endpoint}")
    path = "/2015-03-31/functions/cogwit-fn%3Alive/invocations"
    allowed, denied, large = folder / "allowed.json", folder / "denied.json", folder / "large.json"
    allowed.write_bytes(ALLOWED)
    denied.write_bytes(DENIED)
    large.write_bytes(ALLOWED.replace(b'"new"', b'"clientMetadata": {"large": "%b"}, "new"' % (b"x" * 1_500_000)))
    for name, arguments, spoken in [
        ("as it is", [], "> Content-Type: application/x-www-form-urlencoded"),
        ("without a type", ["--header", "Content-Type:"], "< HTTP/1.1 200 OK"),
        ("HTTP/1.0", ["--http1.0"], "> POST /2015-03-31/functions/cogwit-fn%3Alive/invocations HTTP/1.0"),
        ("in chunks", ["--header", "Transfer-Encoding: chunked"], "> Transfer-Encoding: chunked"),
        ("one request for each connection", ["--header", "Connection: close"], "< connection: close"),
    ]:
        with step(f"{name}: the very bytes of `cogwit run`"):
            status, body, told = curl(server, path, *arguments, "--data-binary", f"@{allowed}")
            assert (status, body) == (200, run_of(cogwit, ALLOWED)) and spoken.lower() in told.lower(), (status, body, told)
    with step("a large event, once the server says that it may come"):
        wait = ["--header", "Expect: 100-continue", "--expect100-timeout", "20"]
        status, body, told = curl(server, path, *wait, "--data-binary", f"@{large}")
        assert (status, body) == (200, run_of(cogwit, large.read_bytes())), (status, body[:300])
        assert "< HTTP/1.1 100 Continue" in told, told
    with step("two requests over one connection"):
        twice = ["--data-binary", f"@{denied}", server.endpoint + path]
        status, body, told = curl(server, path, *twice)
        assert status == 200 and "Re-using existing connection" in told, told
        assert body == run_of(cogwit, DENIED) + b"200" + run_of(cogwit, DENIED), body
    with step("where only the status counts: 200, 403, 400, 404"):
        for at, sent, expected in [
            ("/decide", allowed, (200, run_of(cogwit, ALLOWED))),
            ("/decide", denied, (403, run_of(cogwit, DENIED))),
            ("/decide/deny-short-username", denied, (403, run_of(cogwit, DENIED))),
        ]:
            assert curl(server, at, "--data-binary", f"@{sent}")[:2] == expected, at
        assert curl(server, "/decide", "--data", "{]")[0] == 400
        assert curl(server, "/decide/nothing", "--data-binary", f"@{allowed}")[0] == 404


def metrics(server: Server) -> dict[str, float]:
    """Every sample by its name and labels, as an independent parser reads it."""
    status, kind, text = server.get("/metrics", Accept="application/openmetrics-text; version=1.0.0")
    assert status == 200 and kind.startswith("application/openmetrics-text; version=1.0.0"), (status, kind)
    samples = {}
    for family in text_string_to_metric_families(text):
        for sample in family.samples:
            labels = ",".join(f"{key}={value}" for key, value in sorted(sample.labels.items()))
            samples[f"{sample.name}{{{labels}}}"] = sample.value
    return samples


def total(samples: dict[str, float], start: str) -> float:
    return sum(value for name, value in samples.items() if name.startswith(start))


def itself(cogwit: Path, folder: Path) -> None:
    print("== what the server tells of itself")
    path = "/2015-03-31/functions/cogwit-fn/invocations"
    with Server(cogwit, folder) as server:
        with step("it lives, it is ready, and says by what it decides"):
            assert server.get("/healthz")[0] == server.get("/readyz")[0] == 200
            status, kind, text = server.get("/status")
            told = json.loads(text)
            assert (status, kind) == (200, "application/json") and told["ready"] is True, text
            assert told["set"]["name"] == "cogwit-default" and len(told["set"]["policies"]) == 3, text
        sent = [ALLOWED] * 3 + [DENIED] * 2 + [b"{]", b"[]"]
        with step("its counters are those of the requests, and of the records"), server.writes(len(sent)):
            for event in sent:
                curl(server, path, "--data-binary", event.decode())
            curl(server, "/2015-03-31/functions/cogwit:nothing/invocations", "--data-binary", ALLOWED.decode())
            counted = metrics(server)
            for name, expected in {
                "cogwit_decisions_total{decision=allow,trigger=pre-sign-up}": 3,
                "cogwit_decisions_total{decision=deny,trigger=pre-sign-up}": 2,
                "cogwit_invocations_total{status=200}": 6,
                "cogwit_invocations_total{status=400}": 1,
                "cogwit_invocations_total{status=404}": 1,
                "cogwit_policy_runs_total{policy=deny-short-username,verdict=deny}": 2,
                "cogwit_decision_seconds_count{trigger=pre-sign-up}": 5,
                "cogwit_ready{}": 1,
            }.items():
                assert counted.get(name) == expected, (name, counted)
            assert total(counted, "cogwit_decisions_total") == len(sent), counted


def with_token(cogwit: Path, node: Path, folder: Path) -> None:
    print("== a server that asks for a token")
    with step("where others could reach it, it does not start without one"):
        command = [cogwit, "serve", "--listen", "0.0.0.0:0"]
        refused = subprocess.run(command, capture_output=True, text=True, stdin=subprocess.DEVNULL, timeout=20)
        assert refused.returncode == 2 and "COGWIT_SERVE_TOKEN" in refused.stderr, refused
    path = "/2015-03-31/functions/cogwit-fn/invocations"
    with Server(cogwit, folder, COGWIT_SERVE_TOKEN=TOKEN) as server:
        with step("without the token, nothing is decided"), server.writes(0):
            for wrong in [[], ["--header", "Authorization: Bearer another-token-than-this"]]:
                assert curl(server, path, *wrong, "--data-binary", ALLOWED.decode())[0] == 401
            assert server.get("/metrics")[0] == server.get("/status")[0] == 401
            assert server.get("/healthz")[0] == server.get("/readyz")[0] == 200
            invoke = {"FunctionName": "cogwit-fn", "Payload": ALLOWED}
            refused = refusal(Python().call, "lambda", server.endpoint, "Invoke", **invoke)
            assert refused.code == "UnrecognizedClientException", refused
        with step("with it: curl, an SDK, and cognito-local"):
            bearer = ["--header", f"Authorization: Bearer {TOKEN}"]
            assert curl(server, path, *bearer, "--data-binary", ALLOWED.decode())[0] == 200
            Python(TOKEN).call("lambda", server.endpoint, "Invoke", **invoke)
            credentials = {"accessKeyId": "local", "secretAccessKey": "local", "sessionToken": TOKEN}
            functions = {"endpoint": server.endpoint, "credentials": credentials}
            pool = Pool(Python(), cognito_local(node, folder, functions))
            assert pool.sign_up("testuser") is True
            assert TOO_SHORT in refusal(pool.sign_up, "rroe").message
