"""Stands between a host and its store, and breaks what it is told to break."""

import socket
import struct
import threading
import time
from contextlib import suppress

BROKEN = {
    "429": "429",
    "500": "500",
    "503": "503",
    "reset": "cannot be had",
    "hang": "did not answer within",
    "drip": "did not answer within",
    "truncate": "s3://releases/login",
    "oversize": "more than 65536 bytes",
    "endless": "cannot be had",
    "closed": "cannot be had",
}
"""The weathers in which nothing can be read, and what a host says of each."""


class Proxy:
    """Listens on a port of its own, and hands every connection on; unless the weather is another."""

    def __init__(self, port: int):
        self.upstream = port
        self.weather = "fair"
        self.requests = 0
        self.connections: set[socket.socket] = set()
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        threading.Thread(target=self.accept, daemon=True).start()

    def turn(self, weather: str) -> None:
        """Changes the weather, for connections that stand too."""
        self.weather = weather
        for connection in list(self.connections):
            with suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)

    def accept(self) -> None:
        while True:
            connection, _ = self.listener.accept()
            self.connections.add(connection)
            threading.Thread(target=self.serve, args=(connection,), daemon=True).start()

    def serve(self, connection: socket.socket) -> None:
        with suppress(OSError):
            if self.weather != "closed":
                self.exchange(connection)
        self.connections.discard(connection)
        if self.weather in ("reset", "closed"):
            # With nothing to linger for, the end is a reset.
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        connection.close()

    def exchange(self, connection: socket.socket) -> None:
        weather = self.weather
        head = connection.recv(65536)
        if not head or weather == "reset":
            return
        if weather == "hang":
            connection.recv(1)
        elif weather.isdigit():
            body = f"<Error><Code>Code{weather}</Code></Error>".encode()
            connection.sendall(f"HTTP/1.1 {weather} Broken\r\nContent-Length: {len(body)}\r\n\r\n".encode() + body)
        elif weather in ("oversize", "endless"):
            length = "Content-Length: 1073741824\r\n" if weather == "oversize" else ""
            connection.sendall(f'HTTP/1.1 200 OK\r\n{length}ETag: "x"\r\n'.encode())
            connection.sendall(b"Last-Modified: Sun, 22 Nov 2026 12:00:00 GMT\r\n\r\n")
            while self.weather == weather:
                connection.sendall(bytes(65536))
        else:
            self.hand_on(connection, head, weather)

    def hand_on(self, connection: socket.socket, head: bytes, weather: str) -> None:
        with socket.create_connection(("127.0.0.1", self.upstream)) as upstream:
            upstream.sendall(head)
            self.requests += 1
            threading.Thread(target=self.pump, args=(connection, upstream), daemon=True).start()
            try:
                self.hand_back(connection, upstream, weather)
            finally:
                # The thread that reads from it would keep it open.
                connection.shutdown(socket.SHUT_RDWR)

    def hand_back(self, connection: socket.socket, upstream: socket.socket, weather: str) -> None:
        sent = 0
        while piece := upstream.recv(1 if weather == "drip" else 65536):
            if weather == "drip":
                time.sleep(0.05)
            if weather == "truncate" and sent + len(piece) > 100:
                return connection.sendall(piece[: 100 - sent])
            connection.sendall(piece)
            sent += len(piece)

    def pump(self, connection: socket.socket, upstream: socket.socket) -> None:
        with suppress(OSError):
            while piece := connection.recv(65536):
                self.requests += 1
                upstream.sendall(piece)
            upstream.shutdown(socket.SHUT_WR)
