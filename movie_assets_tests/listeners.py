"""Real servers on this machine that alerts arrive at: HTTP, and SMTP with TLS and log-in."""

import base64
import json
import socketserver
import ssl
import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from email import message_from_bytes
from email.message import Message
from email.policy import default
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any


@dataclass
class Received:
    """One request, as it came."""

    method: str
    path: str
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)


@dataclass
class Listener:
    """An HTTP server that stores requests and sends the response that a test sets."""

    url: str
    received: list[Received] = field(default_factory=list)
    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)
    drip: float = 0.0  # seconds between the bytes of the answer

    @property
    def messages(self) -> list[Any]:
        return [request.json for request in self.received if request.method == "POST"]


@contextmanager
def listening(port: int = 0) -> Iterator[Listener]:
    """A listener on a free port, or on a given one."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers.get("content-length", 0)))
            headers = {name.lower(): value for name, value in self.headers.items()}
            listener.received.append(Received(self.command, self.path, headers, body))
            response = f"HTTP/1.1 {listener.status} Anything\r\ncontent-length: 0\r\n".encode()
            response += b"".join(f"{name}: {value}\r\n".encode() for name, value in listener.headers.items()) + b"\r\n"
            if not listener.drip:
                self.wfile.write(response)
                return
            for byte in response:
                time.sleep(listener.drip)
                self.wfile.write(bytes([byte]))

        def do_GET(self) -> None:
            self.do_POST()

        def log_message(self, *_: object) -> None:
            pass

        def handle(self) -> None:
            try:
                super().handle()
            except (BrokenPipeError, ConnectionResetError):
                return  # the client had enough, which is what some tests want

    server = ThreadingHTTPServer(("127.0.0.1", port), Handler)
    listener = Listener(f"http://127.0.0.1:{server.server_port}")
    thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
    thread.start()
    try:
        yield listener
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


@dataclass
class Mailbox:
    """An SMTP server that keeps mails. `refuses` maps a command to the answer it gets instead."""

    port: int
    mails: list[tuple[str, list[str], Message]] = field(default_factory=list)
    log_ins: list[tuple[str, str]] = field(default_factory=list)
    refuses: dict[str, str] = field(default_factory=dict)
    was_secure: list[bool] = field(default_factory=list)
    silent_after: str = ""  # a command that is never answered


class _MailServer(socketserver.ThreadingTCPServer):
    daemon_threads = True
    block_on_close = False
    context: ssl.SSLContext | None = None
    tls_at_once = False
    box: Mailbox

    def handle_error(self, *_: object) -> None:
        pass  # a client that does not trust the certificate hangs up


class _Conversation(socketserver.StreamRequestHandler):
    server: _MailServer
    secure = False

    def setup(self) -> None:
        if self.server.tls_at_once and self.server.context:
            self.request = self.server.context.wrap_socket(self.request, server_side=True)
            self.secure = True
        super().setup()

    def finish(self) -> None:
        super().finish()
        self.request.close()  # the one that TLS was put around is closed by the server, this one is not

    def handle(self) -> None:
        self.say("220 mail.test")
        while line := self.rfile.readline():
            command, _, rest = line.decode().strip().partition(" ")
            if command.upper() == self.server.box.silent_after:
                time.sleep(30)
                return
            if command.upper() in self.server.box.refuses:
                self.say(self.server.box.refuses[command.upper()])
            else:
                getattr(self, f"on_{command.lower()}")(rest)

    def on_ehlo(self, _: str) -> None:
        self.say("250-mail.test", "250 AUTH PLAIN" if self.server.context is None or self.secure else "250 STARTTLS")

    def on_starttls(self, _: str) -> None:
        assert self.server.context is not None
        self.say("220 go ahead")
        self.request = self.server.context.wrap_socket(self.request, server_side=True)
        super().setup()
        self.secure = True

    def on_auth(self, rest: str) -> None:
        _, user, password = base64.b64decode(rest.split()[1]).decode().split("\0")
        self.server.box.log_ins.append((user, password))
        self.say("235 welcome")

    def on_mail(self, rest: str) -> None:
        self.sender, self.recipients = rest.partition("<")[2].partition(">")[0], list[str]()
        self.say("250 ok")

    def on_rcpt(self, rest: str) -> None:
        self.recipients.append(rest.partition("<")[2].partition(">")[0])
        self.say("250 ok")

    def on_data(self, _: str) -> None:
        self.say("354 go on")
        lines = []
        while (text := self.rfile.readline()) != b".\r\n":
            lines.append(text.removeprefix(b".") if text.startswith(b"..") else text)
        mail = message_from_bytes(b"".join(lines), policy=default)
        self.server.box.mails.append((self.sender, self.recipients, mail))
        self.server.box.was_secure.append(self.secure)
        self.say("250 kept")

    def on_rset(self, _: str) -> None:
        self.say("250 ok")

    def on_quit(self, _: str) -> None:
        self.say("221 bye")

    def say(self, *lines: str) -> None:
        self.wfile.write("".join(f"{line}\r\n" for line in lines).encode())


@contextmanager
def mailbox(certificate: Path | None = None, *, tls_at_once: bool = False) -> Iterator[Mailbox]:
    """A mail server; with a certificate it offers STARTTLS, or speaks TLS from the start."""
    server = _MailServer(("127.0.0.1", 0), _Conversation)
    server.box, server.tls_at_once = Mailbox(server.server_address[1]), tls_at_once
    if certificate is not None:
        server.context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        server.context.load_cert_chain(certificate)
    thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
    thread.start()
    try:
        yield server.box
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def self_signed(folder: Path) -> Path:
    """A key and its certificate for localhost, in one file."""
    key, certificate, both = folder / "key.pem", folder / "certificate.pem", folder / "both.pem"
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", key, "-out", certificate,  # noqa: S607
         "-days", "2", "-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost"],
        check=True, capture_output=True,
    )  # fmt: skip
    both.write_bytes(key.read_bytes() + certificate.read_bytes())
    return both
