"""Deploys the template on ministack, and sends the function what Cognito sends."""

import json
import os
import re
import shutil
import subprocess
import sys
import time
import zipfile
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import boto3
from botocore import xform_name
from botocore.exceptions import ClientError
from device import Device, SignIn
from events import BLOCKED, CLIENT_BLOCKED, TOO_SHORT, body, event
from peers import free_port, start, step

REGION = "eu-north-1"
NAME = "cogwit-e2e"
ROOT = Path(__file__).parents[3]
TEMPLATE = ROOT / "host" / "lambda" / "deploy" / "template.yaml"
OWN_SET = """
schema = 1
[set]
name = "own"
[[policy]]
name = "gate"
component = "access-gate.wasm"
settings = { invitation-codes = { env = "COGWIT_SECRET_CODES" } }
[[policy]]
name = "device"
component = "device-key.wasm"
capabilities = ["random"]
"""


@dataclass
class Stack:
    """The stack, deployed."""

    endpoint: str
    outputs: dict

    def client(self, service: str):
        return boto3.client(service, endpoint_url=self.endpoint)

    def invoke(self, payload: bytes, function: str | None = None) -> tuple:
        reply = self.client("lambda").invoke(FunctionName=function or self.outputs["FunctionAlias"], Payload=payload)
        return reply.get("FunctionError"), json.loads(reply["Payload"].read())

    def sign_up(self, name: str, **attributes):
        return self.client("cognito-idp").sign_up(
            ClientId=self.outputs["UserPoolClient"],
            Username=name,
            Password="Correct-horse-7-battery",
            UserAttributes=[{"Name": key.replace("__", ":"), "Value": value} for key, value in attributes.items()],
        )

    def lines(self, group: str | None = None) -> list[str]:
        group = {"logGroupName": group or self.outputs["LogGroup"]}
        pages = self.client("logs").get_paginator("filter_log_events").paginate(**group)
        return [entry["message"] for page in pages for entry in page["events"]]

    def records(self) -> list[dict]:
        return [json.loads(line) for line in self.lines() if line.startswith("{")]


def run(package: Path, folder: Path) -> Stack:
    port = free_port()
    endpoint = f"http://127.0.0.1:{port}"
    print(f"== ministack at {endpoint}: the template, and what Cognito sends")
    with step("ministack starts", needed=True):
        services = "cloudformation,cloudwatch,cognito-idp,iam,lambda,logs,s3,sts"
        peer = {"BIND_HOST": "127.0.0.1", "GATEWAY_PORT": str(port), "LAMBDA_EXECUTOR": "local", "SERVICES": services}
        program = Path(sys.executable).parent / "ministack"
        peer |= {"TMPDIR": str(folder), "STATE_DIR": str(folder / "state"), "MINISTACK_REGION": REGION}
        start([program], folder / "ministack.log", port, env=os.environ | peer, cwd=folder)
    stack = Stack(endpoint, {})
    with step("the template deploys", needed=True):
        stack.outputs = deploy(stack, package)
    signing_up(stack)
    signing_in(stack)
    what_cannot_be_decided(stack)
    at_once(stack)
    what_is_written(stack)
    set_up_otherwise(stack, package, folder)
    return stack


def deploy(stack: Stack, package: Path) -> dict:
    """What `aws cloudformation package` and `deploy` do."""
    s3, cloudformation = stack.client("s3"), stack.client("cloudformation")
    s3.create_bucket(Bucket="artifacts", CreateBucketConfiguration={"LocationConstraint": REGION})
    s3.upload_file(str(package), "artifacts", "cogwit.zip")
    text = re.sub("(?<=CodeUri: ).*", "s3://artifacts/cogwit.zip", TEMPLATE.read_text())
    # ministack has no alarms that calculate.
    text = re.sub(r"\n  UnansweredAlarm:\n(    .*\n)+", "\n", text)
    cloudformation.create_stack(
        StackName=NAME,
        TemplateBody=text,
        Parameters=[{"ParameterKey": "FunctionName", "ParameterValue": NAME}],
        Capabilities=["CAPABILITY_IAM", "CAPABILITY_AUTO_EXPAND"],
    )
    while True:
        (described,) = cloudformation.describe_stacks(StackName=NAME)["Stacks"]
        if not described["StackStatus"].endswith("IN_PROGRESS"):
            break
        time.sleep(0.2)
    if described["StackStatus"] != "CREATE_COMPLETE":
        events = cloudformation.describe_stack_events(StackName=NAME)["StackEvents"]
        raise AssertionError([event for event in events if "FAILED" in event["ResourceStatus"]])
    outputs = {output["OutputKey"]: output["OutputValue"] for output in described["Outputs"]}
    assert outputs["FunctionAlias"].endswith(f":function:{NAME}:live"), outputs
    return outputs


def signing_up(stack: Stack) -> None:
    with step("sign-up: allowed, and confirmed by a policy"):
        signed = stack.sign_up("testuser", email="testuser@example.com", custom__domain="example.com")
        assert signed["UserConfirmed"] is True, signed
    with step("sign-up: allowed, and not confirmed"):
        signed = stack.sign_up("otheruser", email="otheruser@elsewhere.example", custom__domain="elsewhere.example")
        assert signed["UserConfirmed"] is False, signed
    with step("sign-up: denied with the policy's own message, and there is no user"):
        try:
            raise AssertionError(stack.sign_up("rroe", email="rroe@example.com"))
        except ClientError as error:
            assert error.response["Error"]["Code"] == "UserLambdaValidationException", error
            # ministack shows the whole error, where Cognito shows its message alone.
            assert TOO_SHORT in str(error) and "Function.PolicyDenied" in str(error), error
        users = stack.client("cognito-idp").list_users(UserPoolId=stack.outputs["UserPool"])["Users"]
        assert sorted(user["Username"] for user in users) == ["otheruser", "testuser"], users


def signing_in(stack: Stack) -> None:
    # ministack, like every other stand-in of Cognito, does not fire this trigger.
    with step("pre authentication: allowed, and the event comes back as it went"):
        sent = event("PreAuthentication_Authentication")
        assert stack.invoke(body(sent)) == (None, sent)
    with step("pre authentication: denied"):
        refused = {"errorType": "Function.PolicyDenied", "errorMessage": CLIENT_BLOCKED}
        answer = stack.invoke(body(event("PreAuthentication_Authentication", BLOCKED)))
        assert answer == ("Unhandled", refused), answer


def neutral(answer: tuple, kind: str) -> None:
    failure, error = answer
    assert failure == "Unhandled" and error.keys() == {"errorType", "errorMessage"}, answer
    assert error["errorType"] == kind, answer
    assert re.fullmatch(r"The request could not be completed, reference [0-9a-f-]{36}", error["errorMessage"]), answer


def what_cannot_be_decided(stack: Stack) -> None:
    with step("an event that is no object: refused, and nothing is told"):
        neutral(stack.invoke(b"[]"), "Function.EventRefused")
    with step("an event without a trigger: refused, and nothing is told"):
        neutral(stack.invoke(b'{"userName": "rroe", "response": {}}'), "Function.EventRefused")
    with step("a trigger that no policy answers: the event comes back as it went"):
        sent = event("PostConfirmation_ConfirmSignUp")
        assert stack.invoke(body(sent)) == (None, sent)
    with step("a challenge that no policy answers: refused, since nobody could say who it is"):
        sent = event("DefineAuthChallenge_Authentication", challengeName=None, issueTokens=None, failAuthentication=None)
        neutral(stack.invoke(body(sent)), "Function.PolicyFault")


def at_once(stack: Stack) -> None:
    with step("twelve events, four at a time"):
        sources = ["PreAuthentication_Authentication"] * 12
        sent = [event(source, BLOCKED if number % 3 == 0 else f"client-{number}") for number, source in enumerate(sources)]
        with ThreadPoolExecutor(4) as pool:
            answers = list(pool.map(lambda it: stack.invoke(body(it)), sent))
        for number, (failure, answer) in enumerate(answers):
            denied = number % 3 == 0
            assert (failure == "Unhandled") == denied and (denied or answer == sent[number]), (number, answer)


def what_is_written(stack: Stack) -> None:
    with step("a record of every decision, with its metrics, and nothing of a person"):
        records, expected = [], 3 + 2 + 4 + 12
        until = time.monotonic() + 10
        while len(records) < expected and time.monotonic() < until:
            time.sleep(0.2)
            records = stack.records()
        assert len(records) == expected, records
        assert len({record["id"] for record in records}) == expected
        assert any(record["cold"] for record in records)
        decisions = sorted((record["decision"], record["trigger"]) for record in records)
        count = {pair: decisions.count(pair) for pair in decisions}
        assert count[("allow", "pre-sign-up")] == 2 and count[("deny", "pre-sign-up")] == 1, count
        assert count[("deny", "pre-authentication")] == 1 + 4, count
        for record in records:
            (directive,) = record["_aws"]["CloudWatchMetrics"]
            assert directive["Namespace"] == "cogwit" and record["function"] == NAME, record
            assert all(metric["Name"] in record for metric in directive["Metrics"]), record
            assert record["set"]["name"] == "cogwit-default", record
        text = "\n".join(stack.lines())
        # Such as machine code that could not be used.
        assert "warning:" not in text, text
        for personal in ("testuser", "rroe", "ingrid", "fjordmail", "elsewhere"):
            assert personal not in text, personal
        alarms = stack.client("cloudwatch").describe_alarms()["MetricAlarms"]
        watched = {alarm["MetricName"] for alarm in alarms if alarm.get("Namespace") == "cogwit"}
        assert watched <= {metric["Name"] for metric in directive["Metrics"]}, watched


def set_up_otherwise(stack: Stack, package: Path, folder: Path) -> None:
    def function(name: str, zipped: Path, **variables) -> str:
        stack.client("lambda").create_function(
            FunctionName=name,
            Runtime="provided.al2023",
            Handler="bootstrap",
            Role="arn:aws:iam::000000000000:role/none",
            Code={"ZipFile": zipped.read_bytes()},
            Timeout=5,
            Environment={"Variables": variables},
        )
        return name

    sent = body(event("PreAuthentication_Authentication"))
    with step("a variable that cannot be read: the function says that it cannot start"):
        failure, error = stack.invoke(sent, function("mistaken", package, COGWIT_MAX_FUEL="lots"))
        # ministack puts what the host said into a text.
        assert failure == "Unhandled" and "'errorType': 'Runtime.InitError'" in error["errorMessage"], error
        assert "COGWIT_MAX_FUEL is `lots`" in error["errorMessage"], error
    with step("a set that is not there: every event is refused, and the reason stands in the log alone"):
        neutral(stack.invoke(sent, function("empty", package, COGWIT_POLICIES="/nowhere")), "Function.PolicyFault")
        assert any("`/nowhere` is no policy set" in line for line in stack.lines("/aws/lambda/empty"))
    with step("a set of one's own, with a secret of the function's environment"):
        own = folder / "own"
        own.mkdir()
        for name in ("access-gate.wasm", "device-key.wasm"):
            shutil.copy(ROOT / "policies-wasm" / name, own)
        (own / "policies.toml").write_text(OWN_SET)
        with zipfile.ZipFile(package) as zipped:
            zipped.extract("bootstrap", folder)
        made = ["--bootstrap", folder / "bootstrap", "--policies", own, "--out", folder / "own.zip"]
        subprocess.run([ROOT / "host" / "lambda" / "package", *made], check=True, stdout=subprocess.DEVNULL)
        gate = function("gate", folder / "own.zip", COGWIT_SECRET_CODES="open-sesame,let-me-in")
        for code, welcome in [("open-sesame", True), ("open sesame", False)]:
            guest = event("PreSignUp_SignUp")
            guest["request"]["validationData"] = {"inviteCode": code}
            failure, answer = stack.invoke(body(guest), gate)
            assert (answer == guest) if welcome else (failure == "Unhandled"), answer
        assert not any("sesame" in line for line in stack.lines("/aws/lambda/gate"))
    with step("a sign-in by the key of a device: a wrong signature, then the right one"):
        by_device(stack.client("cognito-idp"), f"arn:aws:lambda:{REGION}:000000000000:function:{gate}")
        assert sum('"trigger":"define-auth-challenge"' in line for line in stack.lines("/aws/lambda/gate")) == 3
    with step("without its secret the set does not serve, and the log says which one it is"):
        neutral(stack.invoke(sent, function("shut", folder / "own.zip")), "Function.PolicyFault")
        assert any("COGWIT_SECRET_CODES" in line for line in stack.lines("/aws/lambda/shut"))


def by_device(cognito, arn: str) -> None:
    def call(operation: str, **given) -> dict:
        return getattr(cognito, xform_name(operation))(**given)

    triggers = dict.fromkeys(("DefineAuthChallenge", "CreateAuthChallenge", "VerifyAuthChallengeResponse"), arn)
    schema = [{"Name": "device_key", "AttributeDataType": "String", "Mutable": True}]
    pool = cognito.create_user_pool(PoolName="devices", LambdaConfig=triggers, Schema=schema)["UserPool"]["Id"]
    made = cognito.create_user_pool_client(UserPoolId=pool, ClientName="app", ExplicitAuthFlows=["ALLOW_CUSTOM_AUTH"])
    device, other = Device(), Device()
    cognito.admin_create_user(UserPoolId=pool, Username="ingrid", UserAttributes=[device.attribute])
    signin = SignIn(call, made["UserPoolClient"]["ClientId"], "ingrid")
    assert signin.answer(other.sign(pool, "ingrid", signin.nonce)) is None
    tokens = signin.answer(device.sign(pool, "ingrid", signin.nonce))
    assert {"IdToken", "AccessToken", "RefreshToken"} <= tokens.keys(), signin.told
