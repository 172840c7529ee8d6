"""Puts the host behind cargo-lambda's Runtime API, which hands bodies over byte for byte."""

import http.client
import json
import os
import sys
import zipfile
from pathlib import Path

from events import BLOCKED, CLIENT_BLOCKED, TOO_SHORT, body, event
from peers import free_port, start, step


def run(package: Path, folder: Path) -> None:
    port = free_port()
    print(f"== cargo-lambda at http://127.0.0.1:{port}: bytes")
    task = folder / "task"
    with zipfile.ZipFile(package) as zipped:
        zipped.extractall(task)
    (task / "bootstrap").chmod(0o755)
    # It looks for the functions of a project, so it gets one.
    project = folder / "project"
    (project / "src").mkdir(parents=True)
    (project / "src" / "main.rs").write_text("fn main() {}\n")
    (project / "Cargo.toml").write_text('[package]\nname = "cogwit"\nversion = "0.0.0"\nedition = "2024"\n\n[workspace]\n')
    with step("cargo-lambda and the host start", needed=True):
        program = Path(sys.executable).parent / "cargo-lambda"
        watch = [program, "lambda", "watch", "--only-lambda-apis", "-A", "127.0.0.1", "-P", str(port)]
        start(watch, folder / "cargo-lambda.log", port, cwd=project)
        function = {
            "AWS_LAMBDA_RUNTIME_API": f"http://127.0.0.1:{port}/.rt/cogwit",
            "AWS_LAMBDA_FUNCTION_NAME": "cogwit",
            "AWS_LAMBDA_FUNCTION_VERSION": "1",
            "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": "512",
        }
        start([task / "bootstrap"], folder / "bootstrap.log", env=os.environ | function, cwd=folder)

    def invoke(payload: bytes) -> tuple[int, bytes]:
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=20)
        connection.request("POST", "/2015-03-31/functions/cogwit/invocations", payload)
        reply = connection.getresponse()
        return reply.status, reply.read()

    with step("allowed, and every byte comes back that no policy set"):
        odd = rb'{ "triggerSource":"PreAuthentication_Authentication",' + (
            rb'"new":[1E2, 18446744073709551616, 0.10000000000000000555,"\ud800 \/"],  "userName":"ingrid","response" : { } }'
        )
        assert invoke(odd) == (200, odd), invoke(odd)
    with step("allowed, and only what a policy set is another"):
        sent = rb'{"triggerSource":"PreSignUp_SignUp","userName":"ingrid", "response":{"autoConfirmUser": null,"x":1.0}}'
        answer = invoke(sent)
        assert answer == (200, sent.replace(b"null", b"false")), answer
    # Here a function error is the status 500, where Lambda has 200 and a header.
    for name, sent, sentence in [
        ("sign-up", event("PreSignUp_SignUp") | {"userName": "rroe"}, TOO_SHORT),
        ("sign-in", event("PreAuthentication_Authentication", BLOCKED), CLIENT_BLOCKED),
    ]:
        with step(f"{name}: denied with the policy's own message"):
            status, answer = invoke(body(sent))
            assert status == 500 and json.loads(answer)["errorMessage"] == sentence, (status, answer)
    for name, sent in [("no JSON", b"\xff{"), ("nothing", b""), ("a member twice", b'{"request":1,"request":2}')]:
        with step(f"an event that is {name}: refused, and nothing is told"):
            status, answer = invoke(sent)
            assert status == 500 and b"could not be completed, reference" in answer, (status, answer)
    with step("the host lives on"):
        sent = body(event("PreAuthentication_Authentication"))
        assert invoke(sent) == (200, sent)
