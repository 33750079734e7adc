# SPDX-License-Identifier: Apache-2.0
"""An HTTPS server that keeps one Node and fails as it is told to: for what a real one won't do on
demand."""

import http.server
import json
import socket
import ssl
import threading
import time

NODE = "gpu-0"


class Request:
    def __init__(self, handler, body):
        self.handler, self.body = handler, body
        self.method, self.path = handler.command, handler.path
        self.headers = handler.headers
        self.kind = "watch" if "watch=true" in self.path else self.method.lower()

    def send(self, status, body=b"", length=None, **headers):
        """A whole answer, or the beginning of one where length says more."""
        head = f"HTTP/1.1 {status} X\r\nContent-Length: {len(body) if length is None else length}\r\n"
        head += "".join(f"{k.replace('_', '-')}: {v}\r\n" for k, v in headers.items())
        self.handler.wfile.write(head.encode() + b"\r\n" + body)
        self.handler.wfile.flush()

    def send_json(self, value, status=200):
        self.send(status, json.dumps(value).encode(), Content_Type="application/json")

    def refuse(self, status, message="no", causes=(), **headers):
        self.send(status, json.dumps({
            "kind": "Status", "status": "Failure", "message": message, "code": status,
            "details": {"causes": list(causes)}}).encode(),
            Content_Type="application/json", **headers)

    def begin_stream(self):
        self.handler.wfile.write(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
        self.handler.wfile.flush()

    def piece(self, data):
        self.handler.wfile.write(b"%x\r\n%s\r\n" % (len(data), data))
        self.handler.wfile.flush()

    def hang(self, seconds=3600):
        """Holds the connection until the other side leaves."""
        self.handler.connection.settimeout(seconds)
        try:
            self.handler.connection.recv(1)
        except OSError:
            pass
        self.close()

    def close(self):
        self.handler.close_connection = True


class Fake:
    """fault(fake, request) answers and returns true, or leaves it to the healthy server."""

    def __init__(self, authority, cert="fake", fault=None):
        self.fault = fault or (lambda fake, request: False)
        self.requests = []  # (time, kind)
        self.faults = 0
        self.node = {"kind": "PartialObjectMetadata", "apiVersion": "meta.k8s.io/v1", "metadata": {
            "name": NODE, "uid": "uid-1", "resourceVersion": "5",
            "labels": {"foreign": "stays"}, "managedFields": []}}
        self.watchers = []
        self.lock = threading.Lock()
        fake = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do(self):
                body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
                try:
                    fake.answer(Request(self, body))
                except OSError:
                    self.close_connection = True

            do_GET = do_PATCH = do_DELETE = do_POST = do

            def log_message(self, *args):
                pass

        class Server(http.server.ThreadingHTTPServer):
            daemon_threads = True

            def handle_error(self, request, client_address):
                pass

        self.server = Server(("127.0.0.1", 0), Handler)
        if cert:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(authority.path(cert + ".crt"), authority.path(cert + ".key"))
            # the handshake belongs to the connection's thread, so that a bad client holds up nobody
            self.server.socket = context.wrap_socket(self.server.socket, server_side=True,
                                                     do_handshake_on_connect=False)
        self.url = f"https://127.0.0.1:{self.server.server_address[1]}"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def stop(self):
        self.server.shutdown()
        self.server.server_close()

    def count(self, kind):
        return sum(1 for _, its in self.requests if its == kind)

    def labels(self):
        return {k: v for k, v in self.node["metadata"]["labels"].items() if k != "foreign"}

    def event(self, kind="MODIFIED"):
        return (json.dumps({"type": kind, "object": self.node}) + "\n").encode()

    def drift(self, key, value):
        """Somebody else changes a label: the watchers hear of it."""
        with self.lock:
            if value is None:
                self.node["metadata"]["labels"].pop(key, None)
            else:
                self.node["metadata"]["labels"][key] = value
            self._newer()

    def _newer(self):
        metadata = self.node["metadata"]
        metadata["resourceVersion"] = str(int(metadata["resourceVersion"]) + 1)
        for watcher in list(self.watchers):
            try:
                watcher.piece(self.event())
            except OSError:
                self.watchers.remove(watcher)

    def answer(self, request):
        self.requests.append((time.monotonic(), request.kind))
        if self.fault(self, request):
            self.faults += 1
            return
        {"watch": self.watch, "get": self.get, "patch": self.patch}[request.kind](request)

    def get(self, request):
        is_list = "/nodes?" in request.path
        request.send_json({"metadata": {}, "items": [self.node]} if is_list else self.node)

    def watch(self, request):
        request.begin_stream()
        with self.lock:
            self.watchers.append(request)
        request.hang()

    def patch(self, request):
        wanted = json.loads(request.body)["metadata"].get("labels", {})
        with self.lock:
            labels = self.node["metadata"]["labels"]
            if request.headers["Content-Type"] == "application/apply-patch+yaml":
                for entry in self.node["metadata"]["managedFields"]:
                    for key in entry["fieldsV1"]["f:metadata"]["f:labels"]:
                        labels.pop(key[2:], None)
                self.node["metadata"]["managedFields"] = [{
                    "manager": "gpu-labeler", "operation": "Apply", "fieldsV1": {
                        "f:metadata": {"f:labels": {"f:" + key: {} for key in wanted}}}}]
            for key, value in wanted.items():
                labels.pop(key, None)
                if value is not None:
                    labels[key] = value
            self._newer()
        request.send_json(self.node)


def plain_listener(reaction):
    """A TCP server that is none: reaction(connection) for each; its port and socket."""
    listener = socket.create_server(("127.0.0.1", 0))

    def serve():
        while True:
            try:
                connection, _ = listener.accept()
            except OSError:
                return
            threading.Thread(target=reaction, args=(connection,), daemon=True).start()

    threading.Thread(target=serve, daemon=True).start()
    return listener
