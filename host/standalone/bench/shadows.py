"""Times answers of servers at which policies look on beside those of one without, in turns. Standard library and wrk only."""

import argparse
import sys
from statistics import median
from time import monotonic, sleep

from measure import Server

# Answers at a pace may take so many times as long: the medians of two equal servers are that far apart on a busy machine.
MOST_P50, MOST_P99 = 1.15, 1.5

# What becomes of who looks on, by server: nobody does beside `alone`.
VERDICTS = {"watched": "allow", "loops": "fault", "hangs": "fault"}


def looked_on(server):
    """How often a policy looked on, and ended as it does at this server."""
    label = f'verdict="{VERDICTS[server.name]}"'
    lines = server.ask("GET", "/metrics")[2].decode().splitlines()
    counts = (line.rpartition(" ") for line in lines if line.startswith("cogwit_shadow_runs_total{"))
    return sum(int(count) for labels, _, count in counts if label in labels)


def watched(server, before):
    """How often one did since it was so many times. It may end a while after the load."""
    until = monotonic() + 10
    while (count := looked_on(server) - before) == 0:
        assert monotonic() < until, f"nobody looks on at {server.name}"
        sleep(0.1)
    return count


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--event", required=True)
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--seconds", type=int, default=3)
    parser.add_argument("servers", nargs="+", metavar="NAME COMMAND")
    given = parser.parse_args()
    servers = [Server(*server) for server in zip(given.servers[::2], given.servers[1::2])]
    broken = False
    for pace in "paced", "all it can":
        more = ["paced"] if pace == "paced" else []
        rounds = {server: [] for server in servers}
        for server in servers:
            server.load(1, given.event)
        for _ in range(given.rounds):
            for server in servers:
                before = looked_on(server) if server.name in VERDICTS else 0
                came = server.load(given.seconds, given.event, 24, *more)
                assert not came["refused"] and not came["broken"], (server.name, came)
                share = 100 * watched(server, before) / came["requests"] if server.name in VERDICTS else 0
                rounds[server].append(came | {"watched": share})
        print(f"{pace}, medians of {given.rounds}")
        middle = lambda server, member: median(came[member] for came in rounds[server])
        alone = servers[0]
        for server in servers:
            rate = middle(server, "requests") / given.seconds
            p50, p99 = middle(server, "p50_ms"), middle(server, "p99_ms")
            # Round by round, for the machine's speed drifts.
            longer = lambda member: median(a[member] / b[member] for a, b in zip(rounds[server], rounds[alone]))
            to50, to99 = longer("p50_ms"), longer("p99_ms")
            line = f"  {server.name:8} {rate:7.0f}/s  p50 {p50:.3f} ms ({to50:.2f})  p99 {p99:.3f} ms ({to99:.2f})"
            line += f"  {middle(server, 'watched'):6.2f} % watched"
            too_long = pace == "paced" and (to50 > MOST_P50 or to99 > MOST_P99)
            broken |= too_long
            print(line + ("  BROKEN: longer than without" if too_long else ""))
    for server in servers:
        server.end()
    sys.exit(broken)


main()
