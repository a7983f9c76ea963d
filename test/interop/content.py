"""What is inside a message: spec/message.md, spec/content.proto. A Protobuf reader of its own."""

from dataclasses import dataclass
from typing import Optional

from primitives import MAX_NUMBER, refuse_unless

MAX_TEXT_BYTES, MAX_GROUP_DEPTH = 60_000, 100
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
        return out + (b"\x38" + varint(content.control) if content.control else b"")
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
    number, wire, at = read_tag(data, at)
    if wire == 3:
        return number, wire, None, skip_group(data, at, number)
    return number, wire, *read_value(data, at, wire)


def read_tag(data, at):
    tag, at = read_varint(data, at)
    refuse_unless(0 < tag >> 3 < 1 << 29)
    return tag >> 3, tag & 7, at


def read_value(data, at, wire):
    refuse_unless(wire in (0, 1, 2, 5))
    if wire == 0:
        return read_varint(data, at)
    if wire == 2:
        length, at = read_varint(data, at)
        return read_bytes(data, at, length)
    return read_bytes(data, at, 8 if wire == 1 else 4)


def skip_group(data, at, number):
    open_groups = [number]
    while open_groups:
        refuse_unless(len(open_groups) <= MAX_GROUP_DEPTH)
        number, wire, at = read_tag(data, at)
        if wire == 3:
            open_groups.append(number)
        elif wire == 4:
            refuse_unless(open_groups.pop() == number)
        else:
            _, at = read_value(data, at, wire)
    return at


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
