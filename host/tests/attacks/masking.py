"""Attacks what is written: secrets that stay readable, and callers that make an operator's records unreadable."""

import http.client
import json
import shutil
import time
from pathlib import Path

from attack import POLICIES, Tools, attack
from server import Server

ROTATED, PUBLISHED = "hunter2secret", "pubsecret1"
VARIABLE = "COGWIT_SECRET_X"
SOURCE = '[set]\nname = "attacked"\n'


def sign_up(chosen: dict, name: str = "kaia.holm") -> bytes:
    """A sign-up with metadata and validation data, all of which its caller chose."""
    validation = {"inviteCode": "guessed-1"} | chosen
    request = {"userAttributes": {"email": "kaia@example.com"}, "validationData": validation, "clientMetadata": chosen}
    event = {"triggerSource": "PreSignUp_SignUp", "userName": name, "request": request, "response": {}}
    return json.dumps(event).encode()


def gate(folder: Path) -> Path:
    """A set that asks for an invitation code."""
    shutil.copy(POLICIES / "access-gate.wasm", folder)
    settings = 'settings = { invitation-codes = "spring", invitation-key = "inviteCode" }\n'
    policy = f'[[policy]]\nname = "gate"\ncomponent = "access-gate.wasm"\n{settings}'
    (folder / "policies.toml").write_text(f"schema = 1\n{SOURCE}{policy}")
    return folder


def record_of(server: Server, event: bytes) -> dict:
    """What the server recorded of an event."""
    known = len(server.records())
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=20)
    connection.request("POST", "/decide", event)
    connection.getresponse().read()
    until = time.monotonic() + 10
    while len(records := server.records()) <= known:
        assert time.monotonic() < until, "no record"
        time.sleep(0.02)
    return records[-1]


@attack("a caller's metadata takes no word out of the reason of a denial", seconds=20)
def blanks_the_reason(tools: Tools) -> None:
    letters = {f"ONE_CLICK_{number}": chr(97 + number) for number in range(26)} | {"ONE_CLICK_26": " "}
    words = {"w1": "unknown", "w2": "invitation", "w3": "code", "w4": "unknown invitation code", "w5": " invitation "}
    many = {f"ONE_CLICK_{number}": f"value{number}" for number in range(1_001)}
    chosen = [{"code": "invitation"}, letters, {"password": "unknown"}, words, many, {"code": "unknown invitation code"}]
    with Server(tools.cogwit, tools.folder, "--policies", str(gate(tools.folder))) as server:
        plain = record_of(server, sign_up({}))
        assert plain["decision"] == "deny" and plain["reason"], plain
        for metadata in chosen:
            record = record_of(server, sign_up(metadata))
            assert record["reason"] == plain["reason"], (metadata, record["reason"])
        # A name is the caller's choice too.
        for name in ("unknown", "invitation", "code"):
            assert record_of(server, sign_up({}, name))["reason"] == plain["reason"], name


@attack("a caller's metadata takes no word out of what broke", seconds=20)
def blanks_the_fault(tools: Tools) -> None:
    shutil.copy(POLICIES / "deny-short-username.wasm", tools.folder)
    # Enough to be admitted, and too little to decide.
    policy = '[[policy]]\nname = "short"\ncomponent = "deny-short-username.wasm"\nlimits = { fuel = 1500 }\n'
    (tools.folder / "policies.toml").write_text(f"schema = 1\n{SOURCE}{policy}")
    words = {f"w{number}": word for number, word in enumerate("ran out of fuel used all units raise the limit policy".split())}
    # More than is looked for.
    many = {"value": "policy " * 80_000}
    with Server(tools.cogwit, tools.folder, "--policies", str(tools.folder)) as server:
        plain = record_of(server, sign_up({}))
        assert plain["decision"] == "fault" and "ran out of fuel" in plain["error"], plain
        for metadata in (words, many):
            record = record_of(server, sign_up(metadata))
            assert record["error"] == plain["error"], record["error"]
            assert record["policies"][0]["fault"] == plain["policies"][0]["fault"], record


@attack("what a caller puts into a sentence is removed from records all the same", seconds=20)
def keeps_values_out(tools: Tools) -> None:
    shutil.copy(POLICIES / "audit-trail.wasm", tools.folder)
    policy = '[[policy]]\nname = "audit"\ncomponent = "audit-trail.wasm"\nsettings = { attributes = "email", metadata = "campaign" }\n'
    (tools.folder / "policies.toml").write_text(f"schema = 1\n{SOURCE}{policy}")
    request = {"userAttributes": {"email": "kaia@example.com"}, "clientMetadata": {"campaign": "spring sale"}}
    event = {"triggerSource": "PostConfirmation_ConfirmSignUp", "userName": "kaia.holm", "request": request, "response": {}}
    with Server(tools.cogwit, tools.folder, "--policies", str(tools.folder)) as server:
        record = json.dumps(record_of(server, json.dumps(event).encode()))
    assert '"log"' in record, record
    for value in ("kaia@example.com", "spring sale", "kaia.holm"):
        assert value not in record, (value, record)


def with_secret(folder: Path) -> Path:
    """A set that puts a secret of its host into a claim, with a case that expects the value of another host."""
    folder.mkdir(exist_ok=True)
    shutil.copy(POLICIES / "scripted.wasm", folder)
    (folder / "policies.toml").write_text(
        f'schema = 1\n{SOURCE}[[policy]]\nname = "claims"\ncomponent = "scripted.wasm"\ntests = ["cases/*.toml"]\n'
        f'settings = {{ "idTokenGeneration.claimsToAddOrOverride.x" = {{ env = "{VARIABLE}" }} }}\n'
    )
    (folder / "cases").mkdir(exist_ok=True)
    expected = {"claimsAndScopeOverrideDetails": {"idTokenGeneration": {"claimsToAddOrOverride": {"x": PUBLISHED}}}}
    keys = [
        f"response = '{json.dumps(expected)}'",
        f"exact-response = '{json.dumps(expected)}'",
        "reply = '{}'",
        'message = "no"',
        'log = ["nothing"]',
    ]
    cases = [
        f'[[case]]\nname = "case {number}"\nsource = "TokenGeneration_Authentication"\nexpect = {{ decision = "allow", {key} }}\n'
        for number, key in enumerate(keys)
    ]
    (folder / "cases" / "x.toml").write_text("\n".join(cases))
    return folder


@attack("a host's secret stands in no report of a case that fails", seconds=20)
def reports(tools: Tools) -> None:
    folder = with_secret(tools.folder / "set")
    secret = {VARIABLE: ROTATED}
    runs = [("validate", str(folder)), ("validate", str(folder), "--format", "json")]
    tests = ("test", str(folder / "cases"), "--policies", str(folder))
    runs += [tests, (*tests, "--format", "json"), (*tests, "--format", "junit")]
    for run in runs:
        done = tools.run(*run, **secret)
        assert done.returncode != 0 and ROTATED not in done.stdout + done.stderr, (run, done)
    for options in (), ("--format", "json"):
        done = tools.run("simulate", "signin", "--policies", str(folder), *options, code=0, **secret)
        assert ROTATED not in done.stdout + done.stderr, done
    # The reply has it, since Cognito gets it.
    done = tools.run("run", "--policies", str(folder), "--trigger", "pre-token-generation-v2", "-", stdin=b"{}", **secret)
    assert ROTATED in done.stdout and ROTATED not in done.stderr, done
    before = (folder / "cases" / "x.toml").read_text()
    done = tools.run(*tests, "--update", **secret)
    after = (folder / "cases" / "x.toml").read_text()
    assert ROTATED not in done.stdout + done.stderr + after and "***" not in after, (before, after)
    tools.run("keygen", "--no-password", code=0)
    done = tools.run("publish", str(folder), f"file://{tools.folder}/store#prod", "--key", "cogwit.key", **secret)
    assert done.returncode != 0 and ROTATED not in done.stdout + done.stderr, done


@attack("a host's secret stands in no status, log or record of a server that refuses a release", seconds=30)
def status(tools: Tools) -> None:
    folder = with_secret(tools.folder / "set")
    good = (folder / "policies.toml").read_text().replace('tests = ["cases/*.toml"]\n', "")
    tested = (folder / "policies.toml").read_text()
    channel = f"file://{tools.folder}/store#prod"
    tools.run("keygen", "--no-password", code=0)
    key = (tools.folder / "cogwit.pub").read_text().splitlines()[1]
    state = {"COGWIT_STATE": str(tools.folder / "state"), "COGWIT_TRUSTED_KEYS": key}
    (folder / "policies.toml").write_text(good)
    tools.run("publish", str(folder), channel, "--key", "cogwit.key", code=0, **state, **{VARIABLE: PUBLISHED})
    host = {VARIABLE: ROTATED, "COGWIT_REFRESH": "1s", "COGWIT_CACHE": str(tools.folder / "cache")}
    with Server(tools.cogwit, tools.folder, "--policies", channel, **host, **state) as server:
        (folder / "policies.toml").write_text(tested)
        # Only the case that the publisher's value passes.
        cases = (folder / "cases" / "x.toml").read_text().split("\n\n")[0]
        (folder / "cases" / "x.toml").write_text(cases)
        tools.run("publish", str(folder), channel, "--key", "cogwit.key", code=0, **state, **{VARIABLE: PUBLISHED})
        server.said("error: the release", 20)
        status = server.get("/status")[2]
        event = {"version": "2", "triggerSource": "TokenGeneration_Authentication", "userName": "kaia", "response": {}}
        record = record_of(server, json.dumps(event).encode())
        said = status + json.dumps(record) + server.log.read_text() + server.get("/metrics")[2]
        assert "problem" in record["set"] and ROTATED not in said, said
