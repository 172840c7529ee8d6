"""Starts S3 servers that check who asks, and makes a user who may use them."""

import json
import os
import sys
from dataclasses import dataclass
from pathlib import Path

import boto3
from peers import free_port, start
from proxy import Proxy

REGION = "eu-north-1"
BUCKET = "releases"


@dataclass
class S3:
    """A server with a bucket, and the proxy before it."""

    port: int
    key: str
    secret: str
    proxy: Proxy

    def environment(self, **others: str) -> dict[str, str]:
        """What every tool of AWS takes."""
        return os.environ | {
            "AWS_ACCESS_KEY_ID": self.key,
            "AWS_SECRET_ACCESS_KEY": self.secret,
            "AWS_REGION": REGION,
            "AWS_ENDPOINT_URL_S3": f"http://127.0.0.1:{self.proxy.port}",
        } | others

    def client(self):
        """A client of somebody who may write to the bucket, past the proxy."""
        return boto3.client(
            "s3",
            endpoint_url=f"http://127.0.0.1:{self.port}",
            region_name=REGION,
            aws_access_key_id=self.key,
            aws_secret_access_key=self.secret,
        )

    def read(self, key: str) -> bytes:
        return self.client().get_object(Bucket=BUCKET, Key=key)["Body"].read()

    def write(self, key: str, body: bytes) -> None:
        self.client().put_object(Bucket=BUCKET, Key=key, Body=body)


def ministack(folder: Path) -> S3:
    return server(folder, "ministack", lambda port: [], lambda port: {
        "AUTH": "true", "BIND_HOST": "127.0.0.1", "GATEWAY_PORT": str(port), "SERVICES": "s3,iam,sts", "STATE_DIR": str(folder),
        "TMPDIR": str(folder)
    })  # fmt: skip


def moto(folder: Path) -> S3:
    # The four calls that make the user and the key are let through; whoever comes later has to sign.
    return server(folder, "moto_server", lambda port: ["-H", "127.0.0.1", "-p", str(port)], lambda _: {
        "INITIAL_NO_AUTH_ACTION_COUNT": "4"
    })  # fmt: skip


def server(folder: Path, program: str, arguments, environment) -> S3:
    port = free_port()
    command = [Path(sys.executable).parent / program, *arguments(port)]
    start(command, folder / f"{program}.log", port, env=os.environ | environment(port), cwd=folder)
    # A root user, of whom nothing is asked but that he makes another.
    root = {"aws_access_key_id": "test", "aws_secret_access_key": "test"}
    iam = boto3.client("iam", endpoint_url=f"http://127.0.0.1:{port}", region_name=REGION, **root)
    iam.create_user(UserName="cogwit")
    made = iam.create_access_key(UserName="cogwit")["AccessKey"]
    statement = {"Effect": "Allow", "Action": "s3:*", "Resource": "*"}
    document = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
    iam.put_user_policy(UserName="cogwit", PolicyName="s3", PolicyDocument=document)
    s3 = S3(port, made["AccessKeyId"], made["SecretAccessKey"], Proxy(port))
    s3.client().create_bucket(Bucket=BUCKET, CreateBucketConfiguration={"LocationConstraint": REGION})
    return s3
