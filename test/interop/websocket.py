"""A WebSocket client (RFC 6455) with the standard library: binary messages, no extensions."""

import base64
import os
import socket

BINARY, CLOSE, PING, PONG = 2, 8, 9, 10


class WebSocket:
    def __init__(self, host, port, path, subprotocol):
        self.socket = socket.create_connection((host, port), timeout=20)
        self.stream = self.socket.makefile("rb")
        key = base64.b64encode(os.urandom(16)).decode("ascii")
        request = [
            f"GET {path} HTTP/1.1",
            f"Host: {host}:{port}",
            "Connection: Upgrade",
            "Upgrade: websocket",
            "Sec-WebSocket-Version: 13",
            f"Sec-WebSocket-Key: {key}",
            f"Sec-WebSocket-Protocol: {subprotocol}",
        ]
        self.socket.sendall("\r\n".join([*request, "", ""]).encode("ascii"))
        status = self.stream.readline()
        while self.stream.readline() not in (b"\r\n", b""):
            pass
        if b" 101 " not in status:
            raise ConnectionError(status)

    def send(self, data, opcode=BINARY):
        mask, length = os.urandom(4), len(data)
        if length < 126:
            head = bytes([0x80 | opcode, 0x80 | length])
        elif length < 65536:
            head = bytes([0x80 | opcode, 0x80 | 126]) + length.to_bytes(2, "big")
        else:
            head = bytes([0x80 | opcode, 0x80 | 127]) + length.to_bytes(8, "big")
        mask_long = (mask * (length // 4 + 1))[:length]
        masked = int.from_bytes(data, "big") ^ int.from_bytes(mask_long, "big")
        self.socket.sendall(head + mask + masked.to_bytes(length, "big"))

    def receive(self):
        """The next binary message; None when the connection is closed."""
        message = b""
        while True:
            head = self.stream.read(2)
            if len(head) < 2:
                return None
            opcode, length = head[0] & 15, head[1] & 127
            if length > 125:
                length = int.from_bytes(self.stream.read(2 if length == 126 else 8), "big")
            data = self.stream.read(length)
            if opcode == PING:
                self.send(data, PONG)
            elif opcode == CLOSE:
                return None
            elif opcode != PONG:
                message += data
                if head[0] & 0x80:
                    return message

    def close(self):
        self.send((1000).to_bytes(2, "big"), CLOSE)
        self.stream.close()
        self.socket.close()
