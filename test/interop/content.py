"""What is inside a message: spec/message.md, spec/content.proto. A Protobuf reader of its own."""

from dataclasses import dataclass
from typing import Optional

from primitives import MAX_NUMBER, refuse_unless

MAX_TEXT_BYTES = 60_000
NUMBERS = {2: "sequence", 3: "oldest_pending", 4: "sent_at", 5: "expires_after"}
HEARTBEAT = 1


@dataclass
class Content:
    """Without text and control it is of a kind that this version does not know."""

    message_id: bytes = b""
    sequence: int = 0
    oldest_pending: int = 0
    sent_at: int = 0
    expires_after: int = 0
    text: Optional[str] = None
    control: Optional[int] = None


def encode(content):
    out = b"\x0a\x10" + content.message_id
    for number, name in NUMBERS.items():
        value = getattr(content, name)
        out += bytes([number << 3]) + varint(value) if value else b""
    if content.text is None:
        return out + b"\x38" + varint(content.control)
    text = content.text.encode("utf-8")
    refuse_unless(len(text) <= MAX_TEXT_BYTES, "content-too-large")
    return out + b"\x32" + varint(len(text)) + text


def varint(value):
    out = b""
    while value > 127:
        out += bytes([value & 127 | 128])
        value >>= 7
    return out + bytes([value])


def decode(data):
    content, at = Content(), 0
    while at < len(data):
        number, wire, value, at = read_field(data, at)
        if number == 1 and wire == 2:
            content.message_id = value
        elif number in NUMBERS and wire == 0:
            refuse_unless(value <= MAX_NUMBER)
            setattr(content, NUMBERS[number], value)
        elif number == 6 and wire == 2:
            content.text, content.control = text_of(value), None
        elif number == 7 and wire == 0:
            content.text, content.control = None, value
    refuse_unless(len(content.message_id) == 16)
    if content.control != HEARTBEAT:
        content.control = None
    return content


def text_of(data):
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError:
        refuse_unless(False)


def read_field(data, at):
    tag, at = read_varint(data, at)
    number, wire = tag >> 3, tag & 7
    refuse_unless(0 < number < 1 << 29)
    if wire == 0:
        value, at = read_varint(data, at)
    elif wire in (1, 5):
        value, at = read_bytes(data, at, 8 if wire == 1 else 4)
    elif wire == 2:
        length, at = read_varint(data, at)
        value, at = read_bytes(data, at, length)
    else:
        refuse_unless(wire == 3)
        value, at = None, skip_group(data, at, number)
    return number, wire, value, at


def skip_group(data, at, number):
    while True:
        tag, behind = read_varint(data, at)
        if tag & 7 == 4:
            refuse_unless(tag >> 3 == number)
            return behind
        at = read_field(data, at)[3]


def read_varint(data, at):
    value = 0
    for i in range(10):
        refuse_unless(at + i < len(data))
        value |= (data[at + i] & 127) << 7 * i
        if data[at + i] < 128:
            return value, at + i + 1
    refuse_unless(False)


def read_bytes(data, at, length):
    refuse_unless(at + length <= len(data))
    return data[at : at + length], at + length
