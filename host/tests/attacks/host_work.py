"""Attacks the host's own work for a policy: merging, checking, comparing, masking, lowering."""

import json
import shutil
from pathlib import Path

from attack import POLICIES, Tools, attack

# What a set may ask for under the default caps of a host.
LIMITS = 'fuel = 500_000_000\ndeadline = "1 s"\nmemory = "128 MiB"\noutput = "6 MiB"\nchain-deadline = "2 s"\n'


def scripted(folder: Path, *policies: dict, more: str = "") -> Path:
    """A set of policies that answer what their settings say, under the largest limits."""
    shutil.copy(POLICIES / "scripted.wasm", folder)
    text = f'schema = 1\n[set]\nname = "attacked"\n[limits]\n{LIMITS}'
    for number, settings in enumerate(policies):
        lines = "".join(f"{json.dumps(key)} = {json.dumps(value)}\n" for key, value in settings.items())
        text += f'[[policy]]\nname = "p{number}"\ncomponent = "scripted.wasm"\n{more if number else ""}[policy.settings]\n{lines}'
    (folder / "policies.toml").write_text(text)
    return folder


def event(source: str, request: dict | None = None, response: str = "{}", **members: str) -> bytes:
    start = {"triggerSource": source, "userName": "kaia.holm", "request": request or {}} | members
    return (json.dumps(start)[:-1] + f',"response":{response}}}').encode()


def names(prefix: str, count: int) -> str:
    return ",".join(f"{prefix}{number}" for number in range(count))


TOKEN = event("TokenGeneration_Authentication", version="2", callerContext={"clientId": "app"})


@attack("scopes that are added and suppressed by the ten thousand are decided within the chain's deadline", seconds=4)
def scopes(tools: Tools) -> None:
    lists = {
        "accessTokenGeneration.scopesToAdd": names("s", 40_000),
        "accessTokenGeneration.scopesToSuppress": names("t", 40_000),
    }
    tools.run("run", "-", "--policies", str(scripted(tools.folder, lists)), code=0, stdin=TOKEN)


@attack("suppressed claims of several policies are merged within the chain's deadline", seconds=4)
def suppressed(tools: Tools) -> None:
    lists = [{"idTokenGeneration.claimsToSuppress": names(prefix, 60_000)} for prefix in ("a", "b")]
    roles = {"idTokenGeneration.claimsToSuppress": ",".join(["cognito:roles"] * 60_000)}
    tools.run("run", "-", "--policies", str(scripted(tools.folder, *lists, roles)), code=0, stdin=TOKEN)


@attack("tens of thousands of claims that deserve a warning leave a report that can be read", seconds=4)
def warnings(tools: Tools) -> None:
    claims = {f"idTokenGeneration.claimsToAddOrOverride.dev:{number}": "x" for number in range(8_000)}
    done = tools.run("run", "-", "--policies", str(scripted(tools.folder, claims)), code=0, stdin=TOKEN)
    assert 0 < done.stderr.count("protected-claim") <= 101, done.stderr[-2000:]


@attack("maps of thousands are merged in time at every trigger that takes one", seconds=6)
def maps(tools: Tools) -> None:
    for source, member in (
        ("CreateAuthChallenge_Authentication", "publicChallengeParameters"),
        ("CreateAuthChallenge_Authentication", "privateChallengeParameters"),
        ("UserMigration_Authentication", "userAttributes"),
        ("InboundFederation_ExternalProvider", "userAttributesToMap"),
        ("TokenGeneration_Authentication", "claimsToAddOrOverride"),
    ):
        folder = tools.folder / f"{source}-{member}"
        folder.mkdir()
        entries = {f"{member}.key{number}": "value" for number in range(6_000)}
        tools.run("run", "-", "--policies", str(scripted(folder, entries, entries)), code=0, stdin=event(source))


@attack("a shadow's long list is compared with the answer's in time", seconds=5)
def shadow(tools: Tools) -> None:
    claim = "idTokenGeneration.claimsToAddOrOverride.numbers"
    lists = [{claim: f"json:[{','.join(str(start + number) for number in range(100_000))}]"} for start in (0, 50_000)]
    done = tools.run("run", "-", "--policies", str(scripted(tools.folder, *lists, more='mode = "shadow"\n')), stdin=TOKEN)
    assert "differs: claimsAndScopeOverrideDetails" in done.stderr, done.stderr[-2000:]


@attack("texts of megabytes are masked in time, whatever values the event has", seconds=5)
def masking(tools: Tools) -> None:
    text = "the quick brown fox " * 180_000
    metadata = {f"ONE_CLICK_{number}": f"{number:03}".ljust(65, "x") for number in range(900)}
    nested = {f"n{number}": "a" * number for number in range(1, 700)}
    parameters = {"privateChallengeParameters": nested | metadata, "challengeAnswer": "fox"}
    for key, code in ("panic", 3), ("deny", 1):
        folder = tools.folder / key
        folder.mkdir()
        attacked = event("VerifyAuthChallengeResponse_Authentication", parameters | {"clientMetadata": metadata})
        tools.run("run", "-", "--policies", str(scripted(folder, {key: text})), code=code, stdin=attacked)


@attack("values that end in one another are masked in time and memory", seconds=3)
def nested_values(tools: Tools) -> None:
    values = {f"k{length}": "a" * length for length in range(4, 300)} | {"long": "b" + "a" * 100_000}
    attacked = event("VerifyAuthChallengeResponse_Authentication", {"privateChallengeParameters": values})
    settings = {"deny": "the answer is " + "a" * 50_000}
    tools.run("run", "-", "--policies", str(scripted(tools.folder, settings)), code=1, stdin=attacked)


@attack("a policy that must not be passed over stops an event that is too large", seconds=3)
def not_passed_over(tools: Tools) -> None:
    shutil.copy(POLICIES / "audit-trail.wasm", tools.folder)
    policy = '[[policy]]\nname = "audit"\ncomponent = "audit-trail.wasm"\non-fault = "deny"\n'
    (tools.folder / "policies.toml").write_text(f'schema = 1\n[set]\nname = "attacked"\n{policy}')
    metadata = {f"k{number}": "v" for number in range(5_001)}
    attacked = event("PostAuthentication_Authentication", {"userAttributes": {}, "clientMetadata": metadata})
    done = tools.run("run", "-", "--policies", str(tools.folder), stdin=attacked)
    assert "errorMessage" in done.stdout, done.stderr[-2000:]


@attack("a response that names a member a hundred thousand times makes no reply of gigabytes", seconds=3)
def amplified(tools: Tools) -> None:
    claims = {"idTokenGeneration.claimsToAddOrOverride.x": "y" * 200_000}
    repeated = ",".join(['"claimsAndScopeOverrideDetails":0'] * 100_000)
    attacked = event("TokenGeneration_Authentication", response=f"{{{repeated}}}", version="2")
    done = tools.run("run", "-", "--policies", str(scripted(tools.folder, claims)), code=3, stdin=attacked)
    assert "the reply would have" in done.stderr, done.stderr[-2000:]


def gate(folder: Path, fuel: int) -> Path:
    """A set that asks for an invitation code, and lets users in where that breaks."""
    shutil.copy(POLICIES / "access-gate.wasm", folder)
    (folder / "policies.toml").write_text(
        'schema = 1\n[set]\nname = "attacked"\n[[policy]]\nname = "gate"\ncomponent = "access-gate.wasm"\non-fault = "allow"\n'
        f'limits = {{ fuel = {fuel} }}\nsettings = {{ invitation-codes = "spring", invitation-key = "inviteCode" }}\n'
    )
    return folder


@attack("no size of an event gets past a policy that lets users in where it breaks", seconds=4)
def too_large(tools: Tools) -> None:
    entries = lambda count: {f"k{number}": "v" for number in range(count)}
    for metadata in (entries(300), entries(4_900), entries(34_000), {"k": "v" * 5_500_000}, entries(34_000) | {"k": "v" * 4_000_000}):
        attacked = event("PreSignUp_SignUp", {"userAttributes": {}, "validationData": {}, "clientMetadata": metadata})
        for fuel in (10_000, 10_000_000):
            done = tools.run("run", "-", "--policies", str(gate(tools.folder, fuel)), stdin=attacked)
            assert done.returncode in (1, 4), (done.returncode, len(metadata), fuel, done.stderr[-2000:])
            assert "errorMessage" in done.stdout, done.stdout[:200]


@attack("a trigger that nothing may stop goes on after an event that no policy can take", seconds=4)
def too_large_afterwards(tools: Tools) -> None:
    shutil.copy(POLICIES / "audit-trail.wasm", tools.folder)
    (tools.folder / "policies.toml").write_text(
        'schema = 1\n[set]\nname = "attacked"\n[[policy]]\nname = "audit"\ncomponent = "audit-trail.wasm"\n'
    )
    metadata = {f"k{number}": "v" for number in range(34_000)}
    attacked = event("PostConfirmation_ConfirmSignUp", {"userAttributes": {}, "clientMetadata": metadata})
    done = tools.run("run", "-", "--policies", str(tools.folder), stdin=attacked)
    assert done.stdout.strip().encode() == attacked and "members and items" in done.stderr, done.stderr[-2000:]
