"""Times servers that decide one event, and the first of them under more than it can take. Standard library only."""

import argparse
import atexit
import json
import os
import socket
import subprocess
import sys
import threading
import time
from http.client import HTTPConnection
from pathlib import Path
from statistics import median, quantiles

POST = Path(__file__).parent / "post.lua"
INVOKE = "/2015-03-31/functions/bench/invocations"
DENIED = "Cannot register users with username less than the minimum length of 5"

CONNECTIONS = 24
OVERLOAD_CONNECTIONS = 300
BLOCKS, BLOCK = 10, 100_000


class Server:
    """One server, and what was measured of it."""

    def __init__(self, name, command):
        with socket.create_server(("127.0.0.1", 0)) as free:
            self.port = free.getsockname()[1]
        self.name, self.rounds = name, []
        command = command.replace("PORT", str(self.port)).split()
        self.process = subprocess.Popen(command, stdout=subprocess.DEVNULL)
        atexit.register(self.end)
        self.wait()

    def wait(self):
        until = time.monotonic() + 10
        while self.process.poll() is None and time.monotonic() < until:
            try:
                return socket.create_connection(("127.0.0.1", self.port)).close()
            except OSError:
                time.sleep(0.02)
        sys.exit(f"{self.name} does not listen")

    def ask(self, method, path, body=None):
        """Asks over a new connection, and gives the status, whether it is a function error, the body and the seconds."""
        since = time.perf_counter()
        connection = HTTPConnection("127.0.0.1", self.port, timeout=10)
        connection.request(method, path, body)
        answer = connection.getresponse()
        body = answer.read()
        connection.close()
        return answer.status, answer.getheader("x-amz-function-error"), body, time.perf_counter() - since

    def check(self, event):
        """Sees to it that this is the rule."""
        status, error, body, _ = self.ask("POST", INVOKE, event)
        assert (status, error, json.loads(body)) == (200, None, json.loads(event)), (self.name, status, error, body)
        status, error, body, _ = self.ask("POST", INVOKE, json.dumps(json.loads(event) | {"userName": "rroe"}))
        denied = {"errorType": "Function.PolicyDenied", "errorMessage": DENIED}
        assert (status, error, json.loads(body)) == (200, "Unhandled", denied), (self.name, status, error, body)

    def load(self, seconds, event, connections=CONNECTIONS, *more):
        """Has wrk ask for so many seconds."""
        command = ["wrk", "--threads=1", f"--connections={connections}", f"--duration={seconds}s", f"--script={POST}"]
        command += [f"http://127.0.0.1:{self.port}{INVOKE}", "--", event, *more]
        return json.loads(subprocess.run(command, check=True, capture_output=True).stdout.splitlines()[-1])

    def decisions(self, seconds, event):
        """The same where every answer must be a decision, with what one takes of a processor."""
        before = self.worked()
        came = self.load(seconds, event)
        assert not came["refused"] and not came["broken"], (self.name, came)
        return came | {"cpu_us": (self.worked() - before) / came["requests"] * 1e6}

    def worked(self):
        """The seconds that its threads had a processor."""
        with open(f"/proc/{self.process.pid}/stat") as stat:
            user, system = stat.read().rpartition(")")[2].split()[11:13]
        return (int(user) + int(system)) / os.sysconf("SC_CLK_TCK")

    def resident(self):
        with open(f"/proc/{self.process.pid}/status") as status:
            return int(next(line for line in status if line.startswith("VmRSS:")).split()[1]) / 1024

    def end(self):
        self.process.kill()
        self.process.wait()


def beside(servers, event, rounds, seconds):
    """Gives each server its turn in every round."""
    for server in servers:
        server.check(Path(event).read_bytes())
        server.decisions(1, event)
    for _ in range(rounds):
        for server in servers:
            came = server.decisions(seconds, event)
            server.rounds.append(came | {"per_second": came["requests"] / came["seconds"]})
    for server in servers:
        middle = lambda member: median(round[member] for round in server.rounds)
        yield {
            "host": server.name,
            "decisions_per_second": round(middle("per_second")),
            "p50_ms": round(middle("p50_ms"), 2),
            "p99_ms": round(middle("p99_ms"), 2),
            "cpu_us": round(middle("cpu_us"), 1),
            "resident_mib": round(server.resident(), 1),
        }


def aims(figures):
    """Each aim, and whether it is met."""
    ours, axum, node = (figure["decisions_per_second"] for figure in figures)
    yield f"{ours / node:.1f} times Node's decisions a second (at least 3)", ours >= 3 * node
    yield f"{100 * ours / axum:.0f} % of axum's decisions a second (at least 60)", ours >= 0.6 * axum


def overload(server, event):
    """Asks for far more than may be under way, and gives what must hold then, and whether it does."""
    probes, over = [], threading.Event()

    def probe():
        while not over.wait(0.02):
            status, _, _, seconds = server.ask("GET", "/healthz")
            probes.append(seconds if status == 200 else float("inf"))

    prober = threading.Thread(target=probe)
    prober.start()
    came = server.load(5, event, OVERLOAD_CONNECTIONS, "statuses")
    over.set()
    prober.join()
    status, _, _, after = server.ask("POST", INVOKE, Path(event).read_bytes())
    said = " and ".join(f"{count} times {status}" for status, count in sorted(came["statuses"].items()))
    yield f"overload: {said}, {came['broken']} broken (only 200 and 429)", set(came["statuses"]) == {"200", "429"} and not came["broken"]
    slowest = quantiles(probes, n=100)[98]
    yield f"overload: p99 of {len(probes)} /healthz {slowest * 1e3:.0f} ms (under 500)", slowest < 0.5
    yield f"overload: the next event answered with {status} in {after * 1e3:.0f} ms (200, under 100)", status == 200 and after < 0.1


def million(server, event):
    """Has a million decided, and gives what must hold of the memory, and whether it does."""
    resident = []
    for _ in range(BLOCKS):
        left = BLOCK
        while left > 0:
            left -= server.decisions(2, event)["requests"]
        resident.append(round(server.resident(), 1))
    flat = resident[-1] <= max(1.1 * resident[1], resident[1] + 4)
    yield f"MiB after each of {BLOCKS} times {BLOCK} decisions: {resident} (the last within 10 % or 4 MiB of the second)", flat


def cpu():
    with open("/proc/cpuinfo") as info:
        return next((line.partition(":")[2].strip() for line in info if line.startswith("model name")), "unknown")


def table(figures):
    rows = [["host", "decisions/s", "p50 ms", "p99 ms", "CPU us", "MiB"]]
    rows += [[str(value) for value in figure.values()] for figure in figures]
    widths = [max(map(len, column)) for column in zip(*rows)]
    for row in rows:
        print("  ".join(cell.ljust(width) if at == 0 else cell.rjust(width) for at, (cell, width) in enumerate(zip(row, widths))))


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--event", required=True)
    parser.add_argument("--json", required=True)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=int, default=3)
    parser.add_argument("--million", action="store_true")
    parser.add_argument("--slow", required=True, metavar="COMMAND")
    parser.add_argument("--server", nargs=2, action="append", metavar=("NAME", "COMMAND"))
    given = parser.parse_args()
    servers = [Server(*server) for server in given.server]
    figures = list(beside(servers, given.event, given.rounds, given.seconds))
    table(figures)
    reached = [{"aim": text, "met": bool(is_so)} for text, is_so in aims(figures)]
    for aim in reached:
        print("aim met   " if aim["met"] else "aim missed", aim["aim"])
    musts = list(million(servers[0], given.event)) if given.million else []
    for server in servers:
        server.end()
    slow = Server("the slow set", given.slow)
    musts += overload(slow, given.event)
    slow.end()
    for text, is_so in musts:
        print("held      " if is_so else "BROKEN    ", text)
    machine = {"cpu": cpu(), "cores": os.cpu_count(), "load": round(os.getloadavg()[0], 1)}
    with open(given.json, "w") as out:
        json.dump({"machine": machine, "connections": CONNECTIONS, "figures": figures, "aims": reached, "musts": [text for text, _ in musts]}, out, indent=2)
        out.write("\n")
    sys.exit(not all(is_so for _, is_so in musts))


if __name__ == "__main__":
    main()
