"""Is Lambda's Runtime API, and times the programs that it starts.

Cold: from the start of the process to its first answer, the hosts in an order by chance. Warm: from the event to the last
byte of its answer, in blocks, each host in turn. Paced: the same with a pause before each event, as long for a host that is done
as for one at which a policy looks on meanwhile. Standard library only.
"""

import argparse
import io
import json
import os
import random
import selectors
import socket
import subprocess
import sys
import time
import zipfile
from statistics import median, quantiles

TAKEN = b'HTTP/1.1 202 Accepted\r\ncontent-type: application/json\r\ncontent-length: 16\r\n\r\n{"status":"OK"}\n'
BLOCK = 100
WARM_UP = 200
# More than it takes a policy to use up its fuel.
PAUSE = 0.025


class Host:
    """One program with a Runtime API of its own."""

    def __init__(self, name, folder, command, event):
        self.name, self.folder, self.command, self.event = name, folder, command.split(), event
        self.server = socket.create_server(("127.0.0.1", 0))
        self.selector = selectors.DefaultSelector()
        self.process = None

    def start(self):
        """Starts the program and gives the seconds until its first answer."""
        self.buffers, self.waiting, self.count = {}, None, 0
        self.selector.register(self.server, selectors.EVENT_READ)
        environment = {
            "AWS_LAMBDA_RUNTIME_API": "127.0.0.1:%d" % self.server.getsockname()[1],
            "AWS_LAMBDA_FUNCTION_NAME": "bench",
            "AWS_LAMBDA_FUNCTION_VERSION": "1",
            "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": "128",
            "AWS_REGION": "eu-west-1",
            "LAMBDA_TASK_ROOT": self.folder,
            "_HANDLER": "handler.handler",
        }
        since = time.perf_counter()
        self.process = subprocess.Popen(
            self.command, env=environment, cwd=self.folder, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        self.decide()
        return self.answered - since

    def decide(self):
        """Hands one event out and gives the seconds until its answer."""
        while self.waiting is None:
            self.turn()
        connection, self.waiting, self.answered = self.waiting, None, None
        self.count += 1
        head = (
            "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\n"
            f"lambda-runtime-aws-request-id: 8476a536-e9f4-11e8-9739-{self.count:012}\r\n"
            f"lambda-runtime-deadline-ms: {int(time.time() * 1000) + 60000}\r\n"
            "lambda-runtime-invoked-function-arn: arn:aws:lambda:eu-west-1:123456789012:function:bench\r\n"
            "lambda-runtime-trace-id: Root=1-5759e988-bd862e3fe1be46a994272793;Sampled=1\r\n"
            f"content-length: {len(self.event)}\r\n\r\n"
        )
        since = time.perf_counter()
        connection.sendall(head.encode() + self.event)
        while self.answered is None:
            self.turn()
        return self.answered - since

    def turn(self):
        for key, _ in self.selector.select(timeout=30) or self.died():
            if key.fileobj is self.server:
                connection, _ = self.server.accept()
                connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                self.buffers[connection] = b""
                self.selector.register(connection, selectors.EVENT_READ)
            else:
                self.read(key.fileobj)

    def read(self, connection):
        some = connection.recv(1 << 16)
        now = time.perf_counter()
        if not some:
            self.selector.unregister(connection)
            connection.close()
            del self.buffers[connection]
            return
        self.buffers[connection] += some
        head, end, body = self.buffers[connection].partition(b"\r\n\r\n")
        lengths = [line.partition(b":")[2] for line in head.split(b"\r\n") if line.lower().startswith(b"content-length:")]
        if not end or len(body) < int(lengths[0] if lengths else 0):
            return
        self.buffers[connection] = b""
        method, path = head.split(b" ", 2)[:2]
        if method == b"GET":
            self.waiting = connection
            return
        assert path.endswith(b"/response") and json.loads(body)["userName"], (self.name, path, body)
        self.answered = now
        connection.sendall(TAKEN)

    def died(self):
        sys.exit(f"{self.name} gives no answer; its exit code is {self.process.poll()}")

    def resident(self):
        with open(f"/proc/{self.process.pid}/status") as status:
            return int(next(line for line in status if line.startswith("VmRSS:")).split()[1])

    def end(self):
        self.process.kill()
        self.process.wait()
        for connection in list(self.buffers):
            self.selector.unregister(connection)
            connection.close()
        self.selector.unregister(self.server)


def sizes(folder):
    """The size of a package, and zipped as it is uploaded."""
    plain, packed = 0, io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as package:
        for place, _, names in os.walk(folder):
            for name in names:
                path = os.path.join(place, name)
                if "__pycache__" not in path:
                    plain += os.path.getsize(path)
                    package.write(path)
    return plain, len(packed.getvalue())


def measure(hosts, starts, events):
    for host in hosts:
        host.start()
        host.end()
    cold = {host: [] for host in hosts}
    for number in range(starts):
        # In an order of its own, since what ran before leaves the processor's caches better or worse.
        for host in random.Random(number).sample(hosts, len(hosts)):
            cold[host].append(host.start())
            host.end()
    warm = {host: [] for host in hosts}
    for host in hosts:
        host.start()
        for _ in range(WARM_UP):
            host.decide()
    for _ in range(events // BLOCK):
        for host in hosts:
            warm[host] += [host.decide() for _ in range(BLOCK)]
    paced = {host: [] for host in hosts}
    for _ in range(events // 5):
        for host in hosts:
            # By then nobody looks on at the host before either.
            time.sleep(PAUSE)
            paced[host].append(host.decide())
    for host in hosts:
        plain, packed = sizes(host.folder)
        yield {
            "host": host.name,
            "cold_ms": round(median(cold[host]) * 1e3, 2),
            "cold_best_ms": round(min(cold[host]) * 1e3, 2),
            "warm_p50_ms": round(median(warm[host]) * 1e3, 4),
            "warm_p99_ms": round(quantiles(warm[host], n=100)[98] * 1e3, 4),
            "paced_p50_ms": round(median(paced[host]) * 1e3, 4),
            "paced_p99_ms": round(quantiles(paced[host], n=100)[98] * 1e3, 4),
            "resident_mib": round(host.resident() / 1024, 1),
            "package_kib": -(-plain // 1024),
            "zipped_kib": -(-packed // 1024),
        }
        host.end()


def aims(figures):
    """Each aim, and whether it was reached."""
    names = ("cogwit, one policy", "cogwit, one policy, and one looks on", "Rust, lambda_runtime", "Python, awslambdaric")
    one, watched, native, python = (next(it for it in figures if it["host"] == name) for name in names)
    ratio = lambda member, of: one[member] / of[member]
    yield f"cold {ratio('cold_ms', native):.1f} times native (at most 3)", ratio("cold_ms", native) <= 3
    yield f"cold {1 / ratio('cold_ms', python):.1f} times faster than Python (at least 8)", ratio("cold_ms", python) <= 1 / 8
    yield f"warm p50 {ratio('warm_p50_ms', native):.1f} times native (at most 2)", ratio("warm_p50_ms", native) <= 2
    yield f"warm p50 {ratio('warm_p50_ms', python):.2f} of Python's (under 0.5)", ratio("warm_p50_ms", python) < 0.5
    for member, most in (("paced_p50_ms", 1.15), ("paced_p99_ms", 1.5)):
        longer = watched[member] / one[member]
        yield f"{member} {longer:.2f} times as long where one looks on until its fuel is out (at most {most})", longer <= most
    yield f"{one['resident_mib']} MiB resident (under 40)", one["resident_mib"] < 40


def cpu():
    with open("/proc/cpuinfo") as info:
        return next((line.partition(":")[2].strip() for line in info if line.startswith("model name")), "unknown")


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--event", required=True)
    parser.add_argument("--json", required=True)
    parser.add_argument("--starts", type=int, default=40)
    parser.add_argument("--events", type=int, default=2000)
    parser.add_argument("--host", nargs=3, action="append", metavar=("NAME", "FOLDER", "COMMAND"))
    given = parser.parse_args()
    with open(given.event, "rb") as event:
        event = event.read()
    figures = list(measure([Host(*host, event) for host in given.host], given.starts, given.events))
    rows = [["host", "cold ms", "(best)", "warm p50 ms", "p99 ms", "paced p50 ms", "p99 ms", "MiB", "package KiB", "zipped KiB"]]
    rows += [[str(value) for value in row.values()] for row in figures]
    widths = [max(map(len, column)) for column in zip(*rows)]
    for row in rows:
        print("  ".join(cell.ljust(width) if at == 0 else cell.rjust(width) for at, (cell, width) in enumerate(zip(row, widths))))
    reached = [{"aim": text, "reached": bool(is_so)} for text, is_so in aims(figures)]
    for aim in reached:
        print("reached" if aim["reached"] else "MISSED ", aim["aim"])
    machine = {"cpu": cpu(), "cores": os.cpu_count(), "load": round(os.getloadavg()[0], 1)}
    with open(given.json, "w") as out:
        json.dump({"machine": machine, "starts": given.starts, "events": given.events, "figures": figures, "aims": reached}, out, indent=2)
        out.write("\n")


main()
