"""Sends calls to services of AWS, by the SDK for Python or the one for JavaScript."""

import json
import os
import subprocess
from pathlib import Path

import boto3
from botocore.config import Config
from botocore.exceptions import ClientError


class Refused(Exception):
    """A service answered with an error. `typed` says whether the SDK has a class for it."""

    def __init__(self, code: str, message: str, typed: bool):
        super().__init__(f"{code}: {message}")
        self.code, self.message, self.typed = code, message, typed


class Python:
    """The SDK for Python, as somebody with a session token or without."""

    def __init__(self, token: str | None = None):
        self.session = boto3.Session("test", "test", token)

    def call(self, service: str, endpoint: str, operation: str, **given) -> dict:
        client = self.session.client(service, endpoint_url=endpoint, config=Config(retries={"total_max_attempts": 1}))
        method = "".join(f"_{letter.lower()}" if letter.isupper() else letter for letter in operation).removeprefix("_")
        try:
            output = getattr(client, method)(**given)
        except ClientError as error:
            told = error.response["Error"]
            raise Refused(told["Code"], told["Message"], type(error) is not ClientError) from None
        if "Payload" in output:
            output["Payload"] = output["Payload"].read().decode()
        return output | {"RequestId": output["ResponseMetadata"].get("RequestId")}


class JavaScript:
    """The SDK for JavaScript, in a program of its own."""

    def __init__(self, node: Path, log: Path):
        program = Path(__file__).with_name("client.cjs")
        self.process = subprocess.Popen(
            ["node", program],
            env=os.environ | {"NODE_PATH": str(node / "node_modules")},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=log.open("wb"),
            text=True,
            bufsize=1,
        )

    def call(self, service: str, endpoint: str, operation: str, **given) -> dict:
        call = {"service": service, "endpoint": endpoint, "operation": operation, "input": given}
        self.process.stdin.write(json.dumps(call) + "\n")
        answer = json.loads(self.process.stdout.readline())
        if "output" not in answer:
            raise Refused(answer["code"], answer["message"], answer["typed"])
        return answer["output"]


def refusal(call, *arguments, **given) -> Refused:
    """What a call is refused with."""
    try:
        answer = call(*arguments, **given)
    except Refused as refused:
        return refused
    raise AssertionError(f"not refused: {answer}")
