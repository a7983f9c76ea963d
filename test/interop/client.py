"""A client with its state in memory: spec/http-api.md, socket.md, delivery.md.

Enough of the delivery rules to talk with a full client: it answers what it receives as `delivery.md` says,
keeps what it sent until a valid receipt comes, and sends again what was evicted or refused. Not here:
retries after a lost connection, replacement sessions, rotation of prekeys.
"""

import base64
import http.client
import json
import os
import time
import urllib.parse
from dataclasses import dataclass, field

from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

import content as contents
import frames
import session as sessions
from identity import Owner, has_moved, import_identity, import_prekeys
from primitives import *  # noqa: F403
from websocket import WebSocket

DAY_MS = 86_400_000


def now_ms():
    return int(time.time() * 1000)


@dataclass
class Contact:
    identity: object
    sessions: list = field(default_factory=list)
    highest_prekeys: int = 0
    sequence: int = 0
    message_ids: set = field(default_factory=set)


@dataclass
class Sent:
    """An envelope that has no end yet."""

    contact: Contact
    content: contents.Content
    sid: bytes
    chain: int
    number: int
    receipt: bytes


class Client:
    def __init__(self, url):
        self.host = urllib.parse.urlsplit(url)
        self.server = self.host.netloc.encode("ascii")
        self.contacts, self.seen, self.outbox, self.refs = {}, {}, {}, {}
        self.waiting, self.texts, self.delivered = [], [], []
        self.next_ref = 1

    # ---- Registration and directory ----

    def request(self, method, path, body=None, is_signed=False):
        headers, data = {}, b""
        if body is not None:
            data, headers["content-type"] = json.dumps(body).encode("utf-8"), "application/json"
        if is_signed:
            at = now_ms()
            preimage = self.owner.request_preimage(self.server, at, method.encode(), path.encode(), data)
            headers["authorization"] = self.owner.authorization(at, self.owner.sign(preimage))
        connection = http.client.HTTPConnection(self.host.hostname, self.host.port, timeout=20)
        connection.request(method, path, data or None, headers)
        response = connection.getresponse()
        answer = json.loads(response.read() or b"null")
        connection.close()
        if response.status >= 400:
            raise Refused(answer["code"])
        return answer

    def register(self, phone, read_code):
        """`phone`: E.164. `read_code` is called when the code was sent."""
        key = rsa.generate_private_key(65537, 3072)
        private = key.private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption())
        self.owner = Owner(int(phone[1:]), now_ms(), private, os.urandom(32), os.urandom(32))
        prekeys = self.owner.make_prekeys(1, os.urandom(32), os.urandom(64), now_ms() + 30 * DAY_MS)
        self.prekeys, self.handshakes = {1: prekeys}, {1: set()}
        asked = self.request(
            "POST",
            "/v1/registrations",
            {"phone": phone, "identity": base64url(self.owner.identity.signed), "prekeys": base64url(prekeys.signed)},
        )
        challenge = unbase64url(asked["challenge"])
        preimage = self.owner.registration_preimage(self.server, asked["id"].encode("ascii"), challenge)
        proof = base64url(self.owner.sign(preimage))
        self.request("POST", f"/v1/registrations/{asked['id']}/verify", {"code": read_code(), "proof": proof})

    def look_up(self, phone):
        """The contact under this number, and its prekeys."""
        entry = self.request("GET", f"/v1/directory/{urllib.parse.quote(phone)}", is_signed=True)
        identity = import_identity(unbase64url(entry["identity"]))
        refuse_unless(identity.phone == int(phone[1:]))
        contact = self.contacts.setdefault(identity.id, Contact(identity))
        signed = unbase64url(entry["prekeys"])
        prekeys = import_prekeys(signed, identity, now_ms(), contact.highest_prekeys)
        contact.highest_prekeys = prekeys.id
        return contact, prekeys

    # ---- Connection ----

    def connect(self):
        self.socket = WebSocket(self.host.hostname, self.host.port, "/v1/socket", "couplet.v1")
        challenge = self.next_frame("challenge")["challenge"]
        signature = self.owner.sign(self.owner.login_preimage(self.server, challenge))
        self.put_frame({"type": "login", "identityId": self.owner.identity.id, "signature": signature})
        self.next_frame("welcome")

    def disconnect(self):
        self.socket.close()

    def put_frame(self, frame):
        self.socket.send(frames.encode(frame))

    def next_frame(self, expected=None):
        data = self.socket.receive()
        if data is None:
            raise ConnectionError("closed by the server")
        frame = frames.decode(data, "server")
        if expected and frame["type"] != expected:
            raise ConnectionError(f"{frame['type']} instead of {expected}")
        return frame

    def pump(self, is_done):
        """Handles frames until `is_done`."""
        while not is_done():
            frame = self.next_frame()
            kind = frame["type"]
            if kind == "deliver":
                self.deliver(frame)
            elif kind == "put-result":
                self.word(self.refs.pop(frame["ref"]), frame["outcome"])
            elif kind == "notice":
                self.word(frame["id"], frame["status"])
            elif kind == "room":
                self.resend_waiting()
            elif kind == "error":
                raise Refused(frame["code"])

    # ---- Sending ----

    def send(self, phone, text):
        contact, prekeys = self.look_up(phone)
        contact.sequence += 1
        content = contents.Content(os.urandom(16), contact.sequence, 1, now_ms(), 0, text)
        self.seal_and_put(contact, content, "evict", prekeys)

    def seal_and_put(self, contact, content, mode, prekeys=None):
        mine = [s for s in contact.sessions if s.peer_id == contact.identity.id]
        session = sessions.session_to_send_in(mine)
        if session is None:
            if prekeys is None:
                _, prekeys = self.look_up(f"+{contact.identity.phone}")
            session, _ = sessions.begin(self.owner, contact.identity, prekeys, now_ms(), Fresh())
            contact.sessions.append(session)
        after, sealed = sessions.seal(session, contents.encode(content), now_ms(), Fresh())
        self.replace(contact, session, after)
        self.outbox[sealed.id] = Sent(contact, content, after.sid, sealed.chain, sealed.number, sealed.receipt)
        ref, self.next_ref = self.next_ref, self.next_ref + 1
        self.refs[ref] = sealed.id
        recipient = contact.identity.id
        self.put_frame({"type": "put", "ref": ref, "mode": mode, "recipient": recipient, "envelope": sealed.envelope})

    @staticmethod
    def replace(contact, before, after):
        contact.sessions[contact.sessions.index(before)] = after

    def word(self, envelope_id, status):
        """The server's word about an envelope: delivery.md, Reactions."""
        sent, kind = self.outbox.get(envelope_id), status["kind"]
        if sent is None or kind in ("stored", "duplicate", "waiting", "settled"):
            return
        del self.outbox[envelope_id]
        if kind == "delivered" and equal(status["receipt"], sent.receipt):
            session = next(s for s in sent.contact.sessions if s.sid == sent.sid)
            self.replace(sent.contact, session, sessions.note_receipt(session, sent.chain, sent.number))
            self.delivered.append(sent.content.text)
        elif kind in ("evicted", "full"):
            self.waiting.append(sent)
        else:
            self.seal_and_put(sent.contact, sent.content, "if-room")

    def resend_waiting(self):
        waiting, self.waiting = self.waiting, []
        for sent in waiting:
            self.seal_and_put(sent.contact, sent.content, "if-room")

    # ---- Receiving ----

    def deliver(self, frame):
        envelope_id = sha256(frame["envelope"])
        try:
            answer = self.seen.get(envelope_id) or self.open(frame["envelope"])
        except Refused:
            answer = "invalid"
        if isinstance(answer, bytes):
            self.seen[envelope_id] = answer
            self.put_frame({"type": "ack", "id": envelope_id, "receipt": answer})
        else:
            self.put_frame({"type": "nack", "id": envelope_id, "reason": answer})

    def open(self, data):
        """The receipt, or the reason of a nack."""
        envelope = sessions.parse_envelope(data)
        for contact in self.contacts.values():
            for session in contact.sessions:
                after, opened = sessions.receive(session, envelope, now_ms())
                if opened == "late":
                    return "late"
                if opened != "foreign":
                    self.replace(contact, session, after)
                    return self.keep(contact, opened)
        return self.accept(envelope)

    def accept(self, envelope):
        if envelope.handshake is None:
            return "unknown-session"
        prekeys = self.prekeys.get(envelope.handshake.prekey_id)
        if prekeys is None:
            return "retired-prekey"
        handshake = envelope.handshake
        th1 = sessions.transcript1(self.owner.identity.id, prekeys.public, handshake.ek, handshake.ct_r, handshake.ct_k)
        handshake_hash = sessions.handshake_hash_of(th1)
        if handshake_hash in self.handshakes[prekeys.public.id]:
            return "late"
        accepted = sessions.accept(self.owner, prekeys, envelope, now_ms(), os.urandom(32))
        if accepted.initiator.id not in self.contacts:
            self.meet(accepted.initiator)
        contact = self.contacts[accepted.initiator.id]
        self.handshakes[prekeys.public.id].add(handshake_hash)
        contact.sessions.append(accepted.session)
        return self.keep(contact, accepted.opened)

    def meet(self, identity):
        """Somebody whose identity was proven, and is no contact's yet: a new one, or one that has moved."""
        known = [c for c in self.contacts.values() if has_moved(c.identity, identity, now_ms())]
        contact, _ = self.look_up(f"+{identity.phone}")
        refuse_unless(contact.identity.id == identity.id)
        for before in known:
            del self.contacts[before.identity.id]
            before.identity, before.highest_prekeys = identity, contact.highest_prekeys
            self.contacts[identity.id] = before
            self.waiting += [sent for sent in self.outbox.values() if sent.contact is before]
            self.outbox = {key: sent for key, sent in self.outbox.items() if sent.contact is not before}

    def keep(self, contact, opened):
        if opened.content.message_id not in contact.message_ids:
            contact.message_ids.add(opened.content.message_id)
            if opened.content.sequence and opened.content.text is not None:
                self.texts.append(opened.content.text)
        return opened.receipt


class Fresh(dict):
    """Entropy by name, made when it is asked for."""

    SIZES = {"identity_block_iv": 16, "header_iv": 16, "content_iv": 16, "kem_seed": 64}

    def __missing__(self, name):
        return os.urandom(self.SIZES.get(name, 32))


def unbase64url(text):
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
