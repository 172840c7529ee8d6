"""Attacks through files: sets that name other people's files, special files, and texts that steer a terminal."""

import json
import os
import shutil
import subprocess
import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from attack import POLICIES, ROOT, Tools, attack
from server import Server

SECRET = "aws_access_key_id = AKIAHUSHHUSHHUSHHUSH"
# What steers a terminal, or hides and reorders text, but no line break.
STEERING = "\x07\x0e\x1b\x7f\x85\x8d\x9b\x9c\u061c\u200e\u200f\u2028\u2029\u202a\u202e\u2066\u2069\ufeff\U000e0001\U000e0041\U000e007f"
SET = """schema = 1
[set]
name = "it"
[limits]
deadline = "2 s"
[[policy]]
name = "scripted"
component = {component}
tests = {tests}
[policy.settings]
{settings}
"""
CASE = 'source = "PreSignUp_SignUp"\nexpect.decision = "allow"\n'


def policies(folder: Path, component: str = "it.wasm", tests: list[str] = [], settings: dict[str, str] = {}) -> Path:
    """A set of the policy that answers what its settings say."""
    folder.mkdir(exist_ok=True)
    shutil.copyfile(POLICIES / "scripted.wasm", folder / "it.wasm")
    # JSON of ASCII has no escapes that TOML lacks, but surrogates.
    quoted = lambda text: '"' + "".join(c if c.isalnum() or c in " .:/-_*" else f"\\U{ord(c):08x}" for c in text) + '"'
    lines = "".join(f"{quoted(key)} = {quoted(value)}\n" for key, value in settings.items())
    listed = "[" + ", ".join(map(quoted, tests)) + "]"
    (folder / "policies.toml").write_text(SET.format(component=quoted(component), tests=listed, settings=lines))
    return folder


def everything(tools: Tools, folder: Path) -> str:
    """What every command that reads a set's files says of a set."""
    store = f"file://{tools.folder}/store#prod"
    commands = [["validate", folder], ["publish", folder, store, "--unsigned"]]
    done = [tools.run(*command, COGWIT_ALLOW_UNSIGNED="on") for command in commands]
    # The working directory is the user's own, and holds no other file.
    for format in ("text", "junit"):
        command = [tools.cogwit, "test", ".", "--format", format]
        done.append(subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=60))
    return "".join(it.stdout + it.stderr for it in done)


@attack("a set has a file outside its folder read and printed", seconds=5, mib=250)
def other_files(tools: Tools) -> None:
    secret = tools.folder / "secret"
    secret.write_text(SECRET + "\n")
    ways = {
        "absolute": str(secret), "parent": "../secret", "link": "link", "linked folder": "up/secret", "pattern": "../sec*",
        "linked pattern": "up/se*", "absolute pattern": f"{tools.folder}/*", "twice": "cases/../../secret",
    }
    for number, (way, path) in enumerate(ways.items()):
        folder = policies(tools.folder / str(number), tests=[path, "cases/event.toml", "cases/reply.toml"])
        (folder / "cases").mkdir()
        (folder / "link").symlink_to(secret)
        (folder / "up").symlink_to("..")
        # Relative to the cases' own folder.
        named = path if path.startswith("/") else f"../{path}"
        (folder / "cases/event.toml").write_text(f'event-file = "{named}"\nexpect.decision = "deny"\n')
        (folder / "cases/reply.toml").write_text(f'{CASE}expect.reply-file = "{named}"\n')
        said = tools.run("validate", folder, code=4).stdout
        assert said.count("outside the set's folder") == (1 if "pattern" in way else 3), (way, said)
        # Nor does a pattern tell which files there are.
        assert "AKIA" not in said and ("pattern" not in way or "secret" not in said), (way, said)
        if number < 2:
            assert "AKIA" not in everything(tools, folder), way


@attack("a link in the place of a set's own files, or a set that a case names, has another file printed", seconds=5)
def linked_files(tools: Tools) -> None:
    (tools.folder / "credentials.toml").write_text('token = "AKIAHUSH"\n')
    (tools.folder / "credentials").write_text(SECRET)
    for name, to in [
        ("policies.toml", "credentials.toml"), ("policies.toml", "credentials"),
        ("policies.lock", "credentials.toml"), ("policies.lock", "credentials"),
    ]:
        folder = policies(tools.folder / f"{name}-{to}")
        (folder / name).unlink(missing_ok=True)
        (folder / name).symlink_to(f"../{to}")
        assert "AKIA" not in everything(tools, folder), (name, to)
    # The working directory is not the attacker's to choose, and does not hold the file.
    folder = policies(tools.folder / "cases")
    for key in ['set = "../credentials.toml"\n', 'set = "link.toml"\n', 'components = ["../credentials.toml"]\n']:
        (folder / "link.toml").unlink(missing_ok=True)
        (folder / "link.toml").symlink_to("../credentials.toml")
        (folder / "it.case.toml").write_text(key + CASE)
        done = subprocess.run([tools.cogwit, "test"], cwd=folder, capture_output=True, text=True, timeout=60)
        assert done.returncode == 4 and "AKIA" not in done.stdout + done.stderr, (key, done)
    # Nor is another file written.
    (folder / "it.case.toml").write_text(CASE + 'expect.reply-file = "../credentials"\n')
    subprocess.run([tools.cogwit, "test", "--update"], cwd=folder, capture_output=True, timeout=60)
    assert (tools.folder / "credentials").read_text() == SECRET


@attack("a pipe or a device in the place of a file holds a command up", seconds=3, mib=250)
def special_files(tools: Tools) -> None:
    case = 'event-file = "special"\nexpect.decision = "deny"\n'
    for number, (make, to) in enumerate([(os.mkfifo, None), (None, "/dev/zero")]):
        for place in ["it.wasm", "policies.toml", "policies.lock", "cases.toml", "special"]:
            folder = policies(tools.folder / f"{number}-{place}", tests=["cases.toml"])
            (folder / "cases.toml").write_text(case)
            (folder / place).unlink(missing_ok=True)
            os.mkfifo(folder / place) if make else (folder / place).symlink_to(to)
            tools.run("validate", folder, code=4)
            if number == 0:
                tools.run("test", folder, code=4)


@attack("an error of a set prints a line of 250 KB", seconds=3)
def long_lines(tools: Tools) -> None:
    for mistake in ["mode = 5", "zzz = 1", "x" * 250_000 + " = 1", "= 1"]:
        folder = policies(tools.folder / "set")
        text = (folder / "policies.toml").read_text().replace("[[policy]]", f"[[policy]]\n{mistake} # {'x' * 250_000}\n")
        (folder / "policies.toml").write_text(text)
        done = tools.run("validate", folder, code=4)
        assert len(done.stdout + done.stderr) < 10_000 and "line 7" in done.stdout + done.stderr, done


def plain(text: str, colors: bool = False) -> None:
    """Nothing of a text steers a terminal."""
    found = [c for c in STEERING if c in text]
    assert not found, (found, text[-3000:])


@attack("a claim, an attribute, a message or a file name steers the terminal of whoever reads a text report", seconds=5)
def steering(tools: Tools) -> None:
    fake = "\ndeny: pre-sign-up by the set `other`\n\x1b[2J\x1b[31m"
    text = f"{STEERING}{fake}"
    key = "accessTokenGeneration.claimsToAddOrOverride"
    claims = {f"{key}.x": text, f"{key}.j": 'json:{"a":\n"' + STEERING.replace("\x1b", "").replace("\x07", "").replace("\x0e", "") + '"}'}
    event = json.loads(tools.run("event", "new", "TokenGeneration_Authentication", code=0).stdout)
    (tools.folder / "token.json").write_text(json.dumps(event | {"version": "2", "userName": text}, ensure_ascii=False))
    (tools.folder / "sign-up.json").write_text(json.dumps({"triggerSource": f"PreSignUp_{text}", "response": {}}, ensure_ascii=False))
    sets = [policies(tools.folder / "claims", settings=claims)]
    sets += [policies(tools.folder / key, settings={key: text}) for key in ("deny", "panic")]
    for folder in sets:
        for name in ("token.json", "sign-up.json"):
            said = tools.run("run", "--policies", folder, tools.folder / name).stderr
            plain(said)
            assert "\ndeny: pre-sign-up by the set `other`" not in said, said
        case = f'name = "it\\u009b"\nevent-file = "../token.json"\nexpect.decision = "deny"\nexpect.message = "\\u202e"\n'
        (folder / "it\x9b\u202e.case.toml").write_text(case)
        plain(tools.run("test", folder).stdout)
    plain(tools.run("validate", policies(tools.folder / "named", component=f"no{text}", tests=[f"no{text}"])).stdout)
    with Server(tools.cogwit, tools.folder, "--policies", str(sets[0]), format="text") as server:
        answer = subprocess.run(
            ["curl", "-sS", f"{server.endpoint}/decide", "--data-binary", f"@{tools.folder}/token.json"], capture_output=True, timeout=30
        )
        # JSON stays as it is.
        assert "\x7f" in json.loads(answer.stdout)["userName"], answer
        assert server.end() == 0
        plain(server.out.read_text())
        assert "claimsToAddOrOverride" in server.out.read_text(), server.out.read_text()


@attack("JSON on standard output loses a character")
def json_is_whole(tools: Tools) -> None:
    # JSON escapes only what is below the blank.
    name = "ab" + STEERING.replace("\x07", "").replace("\x0e", "").replace("\x1b", "") + "cd"
    event = {"triggerSource": "PreSignUp_SignUp", "userName": name, "callerContext": {"clientId": name}, "request": {}, "response": {}}
    sent = json.dumps(event, ensure_ascii=False)
    done = tools.run("run", "--format", "json", "-", stdin=sent.encode(), code=0)
    assert json.loads(done.stdout)["reply"]["userName"] == name, done.stdout
    assert json.loads(tools.run("run", "-", stdin=sent.encode(), code=0).stdout)["userName"] == name
    new = tools.run("event", "new", "PreSignUp_SignUp", "--set", f'userName="{name}"', code=0)
    assert json.loads(new.stdout)["userName"] == name, new.stdout
    with Server(tools.cogwit, tools.folder, COGWIT_MASK="off") as server:
        subprocess.run(["curl", "-sS", f"{server.endpoint}/decide", "--data-binary", "@-"], input=sent.encode(), check=True, stdout=subprocess.DEVNULL)
        assert server.end() == 0
        assert "\x7f" in json.loads(server.out.read_text())["client"]


@attack("`cogwit native` writes outside the set's folder", seconds=5)
def native(tools: Tools) -> None:
    top = tools.folder / "other"
    top.mkdir()
    shutil.copyfile(POLICIES / "scripted.wasm", top / "x.wasm")
    (top / "victim").write_text("whole")
    for number, component in enumerate([f"{top}/x.wasm", "../other/x.wasm", "up/other/x.wasm", "it.wasm", "it.wasm"]):
        folder = policies(tools.folder / str(number), component=component)
        (folder / "up").symlink_to("..")
        if number == 3:
            made = next(line for line in tools.run("native", policies(tools.folder / "made"), code=0).stdout.split() if line.endswith(".cwasm"))
            (folder / made).symlink_to(top / "victim")
        if number == 4:
            (folder / "policies.lock").symlink_to(top / "new")
        tools.run("native", folder, code=4)
        assert sorted(it.name for it in top.iterdir()) == ["victim", "x.wasm"], list(top.iterdir())
        assert (top / "victim").read_text() == "whole"


@attack("`cogwit native` prints a file that a set's own files lead to", seconds=5)
def native_reads(tools: Tools) -> None:
    (tools.folder / "credentials").write_text("[default]\naws_access_key_id = AKIAEXAMPLE\n")
    for number, name in enumerate(["policies.lock", "policies.toml"]):
        folder = policies(tools.folder / str(number))
        (folder / name).unlink(missing_ok=True)
        (folder / name).symlink_to(tools.folder / "credentials")
        done = tools.run("native", folder, code=4)
        assert "AKIA" not in done.stdout + done.stderr and "outside" in done.stderr, done.stderr


class RuntimeApi:
    """Lambda's side of a function: hands out one event again and again, and keeps the answers."""

    def __init__(self, event: dict):
        self.answers, self.enough, api = [], threading.Event(), self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def answer(self, body: bytes = b"{}"):
                self.send_response(200)
                for name, value in [
                    ("lambda-runtime-aws-request-id", "8476a536-e9f4-11e8-9739-2dfe598c3fcd"), ("content-length", str(len(body))),
                    ("lambda-runtime-deadline-ms", "4102444800000"),
                    ("lambda-runtime-invoked-function-arn", "arn:aws:lambda:eu-north-1:210987654321:function:cogwit"),
                ]:
                    self.send_header(name, value)
                self.end_headers()
                self.wfile.write(body)

            def do_GET(self):
                if api.enough.is_set():
                    threading.Event().wait(2)
                self.answer(json.dumps(event).encode())

            def do_POST(self):
                api.answers.append((self.path, json.loads(self.rfile.read(int(self.headers["content-length"])))))
                api.enough.set()
                self.answer()

            def log_message(self, *_):
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        # The host ends while its next question is not answered.
        self.server.handle_error = lambda *_: None
        self.address = f"127.0.0.1:{self.server.server_address[1]}"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()


@attack("a set whose candidate has a component of its own is packaged without it", seconds=5)
def candidates_are_packaged(tools: Tools) -> None:
    folder = policies(tools.folder / "set", settings={"deny": "stable"})
    (folder / "next").mkdir()
    shutil.copyfile(POLICIES / "scripted.wasm", folder / "next/candidate.wasm")
    with (folder / "policies.toml").open("a") as document:
        document.write('[policy.candidate]\ncomponent = "next/candidate.wasm"\nrollout = 100\nsettings = { deny = "candidate" }\n')
    script, stage, out = ROOT / "host/lambda/zip.py", tools.folder / "stage", tools.folder / "out.zip"
    subprocess.run([sys.executable, script, "stage", folder, stage / "policies"], check=True)
    tools.run("native", stage / "policies", code=0)
    subprocess.run([sys.executable, script, "zip", stage, out], check=True, stdout=subprocess.DEVNULL)
    function = tools.folder / "function"
    shutil.unpack_archive(out, function)
    codes = [it.name for it in function.rglob("*.cwasm")]
    assert len(codes) == 2 and any(name.startswith("candidate.") for name in codes), codes
    event = {"triggerSource": "PreSignUp_SignUp", "userPoolId": "p", "userName": "ingrid", "request": {}, "response": {}}
    api = RuntimeApi(event)
    environment = {
        "AWS_LAMBDA_RUNTIME_API": api.address, "AWS_LAMBDA_FUNCTION_NAME": "cogwit", "AWS_LAMBDA_FUNCTION_VERSION": "1",
        "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": "512", "LAMBDA_TASK_ROOT": str(function), "COGWIT_ROLLOUT_KEY": "of-this-test",
    }
    with (tools.folder / "bootstrap.log").open("wb") as log:
        process = subprocess.Popen([tools.bootstrap], env=environment, cwd=function, stdout=log, stderr=log)
    answered = api.enough.wait(30)
    process.terminate(), process.wait(20), api.server.shutdown()
    assert answered and "candidate" in json.dumps(api.answers), (api.answers, (tools.folder / "bootstrap.log").read_text())
    # A candidate elsewhere is told of, as a policy elsewhere is.
    shutil.move(folder / "next/candidate.wasm", tools.folder / "candidate.wasm")
    text = (folder / "policies.toml").read_text().replace("next/candidate.wasm", "../candidate.wasm")
    (folder / "policies.toml").write_text(text)
    refused = subprocess.run([sys.executable, script, "stage", folder, tools.folder / "again"], capture_output=True, text=True)
    assert refused.returncode == 1 and "outside" in refused.stderr, refused
