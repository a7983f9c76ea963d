"""Frames of the socket: spec/socket.md. A frame is a dict with its `type` and its fields."""

from primitives import Reader, Refused, refuse_unless, u

MAX_FRAME, MAX_STATUS_IDS, MIN_ENVELOPE, MAX_ENVELOPE = 65_792, 256, 1_024, 65_536
MODES = ["evict", "if-room"]
REASONS = ["late", "unknown-session", "retired-prekey", "invalid"]
STATUSES = ["waiting", "delivered", "settled", "refused", "evicted", "unknown", "stored", "duplicate", "full"]
IN_PUT_RESULT, ELSEWHERE = {1, 2, 3, 4, 6, 7, 8}, {0, 1, 2, 3, 4, 5}
CODES = [
    "malformed", "invalid-phone-number", "invalid-identity", "unauthenticated", "wrong-code", "not-found",
    "unknown-recipient", "stale-prekeys", "registration-expired", "too-large", "too-many-attempts",
    "rate-limited", "internal", "code-not-sent", "unavailable", "registration-closed", "registration-locked",
    "client-too-old",
]  # fmt: skip


def encode(frame):
    kind = frame["type"]
    if kind == "login":
        return b"\x01" + frame["identityId"] + frame["signature"]
    if kind == "put":
        mode = bytes([MODES.index(frame["mode"])])
        return b"\x02" + u(4, frame["ref"]) + mode + frame["recipient"] + frame["envelope"]
    if kind == "ack":
        receipt = frame.get("receipt")
        return b"\x03" + frame["id"] + (b"\x01" + receipt if receipt else b"\x00")
    if kind == "nack":
        return b"\x04" + frame["id"] + bytes([REASONS.index(frame["reason"])])
    if kind == "status":
        return b"\x05" + u(4, frame["ref"]) + u(2, len(frame["ids"])) + b"".join(frame["ids"])
    if kind == "challenge":
        return b"\x81" + frame["challenge"]
    if kind == "welcome":
        return b"\x82" + u(2, frame["capacity"]) + u(2, frame["window"]) + u(8, frame["now"])
    if kind == "deliver":
        return b"\x83" + frame["sender"] + u(8, frame["storedAt"]) + frame["envelope"]
    if kind == "caught-up":
        return b"\x84"
    if kind == "put-result":
        return b"\x85" + u(4, frame["ref"]) + status(frame["outcome"])
    if kind == "status-result":
        all_of_them = b"".join(map(status, frame["statuses"]))
        return b"\x86" + u(4, frame["ref"]) + u(2, len(frame["statuses"])) + all_of_them
    if kind == "acked":
        return b"\x87" + frame["id"]
    if kind == "notice":
        return b"\x88" + frame["id"] + status(frame["status"])
    if kind == "room":
        return b"\x89" + frame["recipient"]
    assert kind == "error"
    return b"\x8f" + u(4, frame["ref"]) + bytes([CODES.index(frame["code"])]) + u(4, frame["retryAfter"])


def status(value):
    kind = value["kind"]
    rest = value.get("receipt", b"")
    if kind == "refused":
        rest = bytes([REASONS.index(value["reason"])])
    return bytes([STATUSES.index(kind)]) + rest


def decode(data, sender):
    """`sender`: 'client' or 'server'."""
    if len(data) > MAX_FRAME:
        raise Refused("too-large")
    reader = Reader(data)
    kind = reader.number(1)
    frame = (decode_client if sender == "client" else decode_server)(kind, reader)
    refuse_unless(frame is not None)
    reader.end()
    return frame


def decode_client(kind, r):
    if kind == 1:
        return {"type": "login", "identityId": r.take(32), "signature": r.take(64)}
    if kind == 2:
        head = {"type": "put", "ref": r.number(4), "mode": one_of(MODES, r), "recipient": r.take(32)}
        return head | {"envelope": envelope(r)}
    if kind == 3:
        head, flag = {"type": "ack", "id": r.take(32)}, r.number(1)
        refuse_unless(flag <= 1)
        return head | ({"receipt": r.take(32)} if flag else {})
    if kind == 4:
        return {"type": "nack", "id": r.take(32), "reason": one_of(REASONS, r)}
    if kind == 5:
        ref, count = r.number(4), r.number(2)
        refuse_unless(count <= MAX_STATUS_IDS, "too-large")
        return {"type": "status", "ref": ref, "ids": [r.take(32) for _ in range(count)]}
    return None


def decode_server(kind, r):
    if kind == 0x81:
        return {"type": "challenge", "challenge": r.take(32)}
    if kind == 0x82:
        return {"type": "welcome", "capacity": r.number(2), "window": r.number(2), "now": r.number(8)}
    if kind == 0x83:
        head = {"type": "deliver", "sender": r.take(32), "storedAt": r.number(8)}
        return head | {"envelope": envelope(r)}
    if kind == 0x84:
        return {"type": "caught-up"}
    if kind == 0x85:
        return {"type": "put-result", "ref": r.number(4), "outcome": read_status(r, IN_PUT_RESULT)}
    if kind == 0x86:
        ref, count = r.number(4), r.number(2)
        refuse_unless(count <= MAX_STATUS_IDS, "too-large")
        return {"type": "status-result", "ref": ref, "statuses": [read_status(r, ELSEWHERE) for _ in range(count)]}
    if kind == 0x87:
        return {"type": "acked", "id": r.take(32)}
    if kind == 0x88:
        return {"type": "notice", "id": r.take(32), "status": read_status(r, ELSEWHERE)}
    if kind == 0x89:
        return {"type": "room", "recipient": r.take(32)}
    if kind == 0x8F:
        return {"type": "error", "ref": r.number(4), "code": one_of(CODES, r), "retryAfter": r.number(4)}
    return None


def read_status(r, allowed):
    number = r.number(1)
    refuse_unless(number in allowed)
    value = {"kind": STATUSES[number]}
    if number == 1:
        value["receipt"] = r.take(32)
    if number == 3:
        value["reason"] = one_of(REASONS, r)
    return value


def one_of(names, r):
    number = r.number(1)
    refuse_unless(number < len(names))
    return names[number]


def envelope(r):
    data = r.rest()
    refuse_unless(len(data) <= MAX_ENVELOPE, "too-large")
    refuse_unless(len(data) >= MIN_ENVELOPE and len(data) & (len(data) - 1) == 0)
    return data
