"""A real server whose every message is in German: a proxy that changes the words of errors and notices only.

SQLSTATEs, rows and states pass as they are. It speaks on a TCP port and connects to the socket of the embedded server.
"""

import socket
import socketserver
import struct
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress

from movie_assets.database.addresses import url_of

SSL_REQUEST, GSS_REQUEST = 80877103, 80877104
WORDS = "Das ist auf Deutsch gesagt"


@contextmanager
def german_server(address: str) -> Iterator[str]:
    """Yield the address of a server that speaks German, without a database: postgresql://postgres@127.0.0.1:port/."""
    query = url_of(address).query
    path = f"{query['host']}/.s.PGSQL.{query.get('port', 5432)}"

    class Handler(socketserver.BaseRequestHandler):
        def handle(self) -> None:
            self.request.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)  # statements are many and small
            with socket.socket(socket.AF_UNIX) as behind, suppress(ConnectionError):
                behind.connect(path)
                behind.sendall(_startup(self.request))
                threading.Thread(target=_forward, args=(self.request, behind), daemon=True).start()
                while message := _message(behind):
                    self.request.sendall(message)

    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), Handler) as proxy:
        proxy.daemon_threads = True
        threading.Thread(target=proxy.serve_forever, daemon=True).start()
        yield f"postgresql://postgres@127.0.0.1:{proxy.server_address[1]}/"
        proxy.shutdown()


def _startup(client: socket.socket) -> bytes:
    """Return the packet that opens a session or cancels a statement; TLS and Kerberos are declined before it."""
    while True:
        head = _exactly(client, 8)
        length, code = struct.unpack("!ii", head)
        if code not in (SSL_REQUEST, GSS_REQUEST):
            return head + _exactly(client, length - 8)
        client.sendall(b"N")


def _forward(client: socket.socket, behind: socket.socket) -> None:
    with suppress(OSError):
        while data := client.recv(65536):
            behind.sendall(data)
        behind.shutdown(socket.SHUT_WR)


def _message(behind: socket.socket) -> bytes:
    """Return the server's next message, in German if it has words; nothing at the end of the session."""
    try:
        head = _exactly(behind, 5)
    except ConnectionError:
        return b""
    kind, body = head[:1], _exactly(behind, int.from_bytes(head[1:], "big") - 4)
    if kind in b"EN":
        fields = [f"M{WORDS}".encode() if field[:1] == b"M" else field for field in body.split(b"\0") if field]
        fields = [b"SFATAL" if field == b"SFATAL" else b"SFEHLER" if field[:1] == b"S" else field for field in fields]
        body = b"\0".join(fields) + b"\0\0"
    return kind + struct.pack("!i", len(body) + 4) + body


def _exactly(source: socket.socket, size: int) -> bytes:
    found = b""
    while len(found) < size:
        data = source.recv(size - len(found))
        if not data:
            raise ConnectionError("the session ended")
        found += data
    return found
