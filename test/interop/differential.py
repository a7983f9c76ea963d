"""Says of each line of standard input how the client in this folder reads it.

A line is a kind and bytes in hex: `content`, `client-frame`, `server-frame` or `envelope`. The answer is the
code of the error, or what was understood, written again in hex.
"""

import sys

import content
import frames
import session
from primitives import Refused


def content_again(data):
    understood = content.decode(data)
    body = "text" if understood.text is not None else "control" if understood.control else "unsupported"
    return body + " " + content.encode(understood).hex()


def envelope_again(data):
    e = session.parse_envelope(data)
    parts = [e.prefix, e.header, e.sealed]
    prekey_id = e.handshake.prekey_id if e.handshake else 0
    return f"{prekey_id} " + " ".join(part.hex() for part in parts)


READERS = {
    "content": content_again,
    "client-frame": lambda data: frames.encode(frames.decode(data, "client")).hex(),
    "server-frame": lambda data: frames.encode(frames.decode(data, "server")).hex(),
    "envelope": envelope_again,
}

for line in sys.stdin:
    kind, _, data = line.rstrip("\n").partition(" ")
    try:
        print(READERS[kind](bytes.fromhex(data)))
    except Refused as refused:
        print(refused.code)
