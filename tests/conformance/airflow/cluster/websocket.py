"""The WebSocket side of `exec`: frames of RFC 6455 with Kubernetes' channels (`v4.channel.k8s.io`) in them."""

import base64
import hashlib
import json
import struct

MAGIC = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
STDIN, STDOUT, STDERR, STATUS = range(4)
CLOSE = 8
LARGEST = 32 * 1024


class Channels:
    """A connection that was asked to become a WebSocket."""

    def __init__(self, handler) -> None:
        self.reader, self.writer = handler.rfile, handler.wfile
        key = handler.headers["Sec-WebSocket-Key"] + MAGIC
        handler.send_response(101, "Switching Protocols")
        handler.send_header("Upgrade", "websocket")
        handler.send_header("Connection", "Upgrade")
        handler.send_header("Sec-WebSocket-Accept", base64.b64encode(hashlib.sha1(key.encode()).digest()).decode())
        handler.send_header("Sec-WebSocket-Protocol", "v4.channel.k8s.io")
        handler.end_headers()

    def frame(self, operation: int, payload: bytes) -> None:
        size = len(payload)
        if size < 126:
            head = struct.pack("!BB", 0x80 | operation, size)
        elif size < 1 << 16:
            head = struct.pack("!BBH", 0x80 | operation, 126, size)
        else:
            head = struct.pack("!BBQ", 0x80 | operation, 127, size)
        self.writer.write(head + payload)
        self.writer.flush()

    def send(self, channel: int, data: bytes) -> None:
        """Sends bytes of a stream."""
        for begin in range(0, len(data), LARGEST):
            self.frame(2, bytes([channel]) + data[begin : begin + LARGEST])

    def exact(self, size: int) -> bytes:
        data = self.reader.read(size)
        if len(data) != size:
            raise ConnectionError("the connection ended within a frame")
        return data

    def receive(self) -> bytes | None:
        """What comes next on the standard input; nothing at the end."""
        while True:
            try:
                first, second = self.exact(2)
                size = second & 0x7F
                if size >= 126:
                    size = int.from_bytes(self.exact(2 if size == 126 else 8), "big")
                mask = self.exact(4) if second & 0x80 else b"\0\0\0\0"
                payload = bytes(byte ^ mask[index % 4] for index, byte in enumerate(self.exact(size)))
            except ConnectionError:
                return None
            if first & 0x0F == CLOSE:
                return None
            if payload[:1] == bytes([STDIN]):
                return payload[1:]

    def close(self, code: int) -> None:
        """Says how the command ended, and ends the connection."""
        status = {"metadata": {}, "status": "Success"}
        if code:
            causes = [{"reason": "ExitCode", "message": str(code)}]
            status = {"metadata": {}, "status": "Failure", "reason": "NonZeroExitCode", "details": {"causes": causes}}
        self.send(STATUS, json.dumps(status).encode())
        self.frame(CLOSE, struct.pack("!H", 1000))
