"""Handshake, ratchet, messages, receipts: spec/handshake.md, session.md, message.md, receipts.md.

A step takes a session and gives a new one; one that raises has changed nothing.
"""

import copy
from dataclasses import dataclass, field
from typing import Optional

import content as contents
import mlkem
from identity import import_identity
from primitives import *  # noqa: F403

MAX_FORWARD_JUMP, MAX_UNRECEIPTED, REMEMBERED_CHAINS = 25_000, 20_000, 5
KEM_STEP_INTERVAL, KEM_TIME_INTERVAL_MS = 16, 86_400_000
MIN_ENVELOPE, MAX_ENVELOPE = 1_024, 65_536
MAGIC = b"couplet/1"


# ---- Functions -----------------------------------------------------------------------------------


@dataclass(frozen=True)
class RootStep:
    dh: bytes
    kem_secret: Optional[bytes]
    root_key: bytes
    chain_key: bytes
    next_header_key: bytes
    reset_key: bytes


def root_step(root_key, secret, remote_key, kem_secret=None):
    shared = dh(secret, remote_key)
    okm = hkdf(root_key, shared + (kem_secret or b""), label("ratchet/step"), 160)
    return RootStep(shared, kem_secret, *cut(okm, 32, 32, 64, 32))


def next_chain_key(chain_key):
    return hmac(chain_key, b"\x02")


@dataclass(frozen=True)
class MessageKeys:
    message_key: bytes
    encryption_key: bytes
    mac_key: bytes
    receipt_key: bytes

    @property
    def etm(self):
        return self.encryption_key + self.mac_key


def message_keys(chain_key):
    key = hmac(chain_key, b"\x01")
    return MessageKeys(key, *cut(hkdf(bytes(32), key, label("ratchet/message"), 96), 32, 32, 32))


def receipt_of(receipt_key, envelope_id):
    return hmac(receipt_key, label("receipt"), envelope_id)


@dataclass(frozen=True)
class Header:
    key: bytes
    number: int
    offer: Optional[bytes]
    ciphertext: Optional[bytes]

    def encode(self):
        flags = (1 if self.offer else 0) | (2 if self.ciphertext else 0)
        head = b"\x01" + self.key + u(4, self.number) + bytes([flags])
        return head + (b"\x02" + self.offer if self.offer else b"") + (self.ciphertext or b"")

    @staticmethod
    def decode(data):
        reader = Reader(data)
        reader.expect(b"\x01")
        key, number, flags = reader.take(32), reader.number(4), reader.number(1)
        refuse_unless(flags <= 3)
        offer = ciphertext = None
        if flags & 1:
            reader.expect(b"\x02")
            offer = reader.take(1184)
        if flags & 2:
            ciphertext = reader.take(1088)
        reader.end()
        if offer:
            check_ml_kem(offer)
        return Header(key, number, offer, ciphertext)


# ---- Envelope ------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Handshake:
    ek: bytes
    ct_r: bytes
    ct_k: bytes
    idb: bytes
    prekey_id: int

    def encode(self):
        return self.ek + self.ct_r + self.ct_k + self.idb


@dataclass(frozen=True)
class Envelope:
    prefix: bytes
    handshake: Optional[Handshake]
    header: bytes
    sealed: bytes
    id: bytes


def preamble(prekey_id, header_length, with_handshake):
    return MAGIC + u(4, prekey_id) + u(2, header_length) + (b"\x01" if with_handshake else b"\x00")


def parse_envelope(data):
    refuse_unless(MIN_ENVELOPE <= len(data) <= MAX_ENVELOPE and len(data) & (len(data) - 1) == 0)
    reader = Reader(data)
    reader.expect(MAGIC)
    prekey_id, header_length, kind = reader.number(4), reader.number(2), reader.number(1)
    refuse_unless(kind <= 1 and (kind == 1) == (prekey_id != 0))
    handshake = None
    if kind == 1:
        parts = cut(reader.take(2160), 32, 384, 1088, 656)
        handshake = Handshake(*parts, prekey_id)
    header = reader.take(header_length)
    prefix = data[: reader.at]
    sealed = reader.rest()
    refuse_unless(len(sealed) >= 64)
    return Envelope(prefix, handshake, header, sealed, sha256(data))


def envelope_size(prefix_length, content_length):
    size = MIN_ENVELOPE
    while size < prefix_length + 16 + content_length + 1 + 1 + 32:
        size *= 2
    refuse_unless(size <= MAX_ENVELOPE, "content-too-large")
    return size


def pad(content, prefix_length):
    size = envelope_size(prefix_length, len(content))
    padded = content + b"\x80"
    return padded + bytes(size - prefix_length - 16 - 1 - 32 - len(padded))


def unpad(padded):
    stripped = padded.rstrip(b"\x00")
    refuse_unless(len(padded) % 16 == 15 and stripped.endswith(b"\x80"), "undecryptable")
    return stripped[:-1]


# ---- Session -------------------------------------------------------------------------------------


@dataclass
class SendingChain:
    index: int
    chain_key: bytes
    header_key: bytes
    number: int
    receipted: int
    public_key: bytes
    secret: Optional[bytes]
    offer_seed: Optional[bytes]
    offer: Optional[bytes]
    ciphertext: Optional[bytes]
    announce: bool = True


@dataclass
class ReceivingChain:
    chain_key: bytes
    header_key: bytes
    number: int = 0


@dataclass
class Remote:
    key: bytes
    offer: Optional[bytes]


@dataclass
class Session:
    role: str
    sid: bytes
    handshake_hash: bytes
    own_id: bytes
    peer_id: bytes
    handshake: Optional[Handshake]
    root_key: bytes
    sending: Optional[SendingChain]
    next_sending_header_key: bytes
    remote: Optional[Remote]
    receiving: Optional[ReceivingChain]
    next_receiving_header_key: bytes
    past: list
    step_due: bool
    steps_since_kem: int
    kem_mixed_at: int
    proving: bytes
    accepted: list
    standing: str = "live"
    established: bool = False
    unproven: bool = False
    successor: bool = False
    # A responder's spk_B, until its first message is open.
    first_secret: Optional[bytes] = None

    def data(self, sender, recipient):
        return label("associated-data") + self.sid + sender + recipient


@dataclass
class Trace:
    """Values on the way, for vectors."""

    values: dict = field(default_factory=dict)


@dataclass(frozen=True)
class Sealed:
    envelope: bytes
    id: bytes
    receipt: bytes
    chain: int
    number: int
    trace: dict


def seal(session, content, now, entropy):
    """`entropy`: header_iv, content_iv, and what a step needs: ratchet_seed, kem_coins, kem_seed."""
    s = copy.deepcopy(session)
    chain, trace = s.sending, {}
    if not s.step_due:
        refuse_unless(chain.number - chain.receipted < MAX_UNRECEIPTED, "chain-exhausted")
    else:
        chain = trace["step"] = None
        secret, ciphertext, shared = entropy["ratchet_seed"], None, None
        if s.remote.offer:
            ciphertext, shared = mlkem.encapsulate(s.remote.offer, entropy["kem_coins"])
        step = trace["step"] = root_step(s.root_key, secret, s.remote.key, shared)
        note_kem(s, shared, now)
        offer_seed = offer = None
        if s.steps_since_kem >= KEM_STEP_INTERVAL or now - s.kem_mixed_at >= KEM_TIME_INTERVAL_MS:
            offer_seed = entropy["kem_seed"]
            offer = mlkem.encapsulation_key(offer_seed)
        index = s.sending.index + 1 if s.sending else 0
        chain = s.sending = SendingChain(
            index, step.chain_key, s.next_sending_header_key, 0, 0,
            x25519_public(secret), secret, offer_seed, offer, ciphertext,
        )  # fmt: skip
        s.next_sending_header_key = step.next_header_key
        s.root_key = step.root_key
        s.step_due = False
        s.accepted = [step.reset_key] + s.accepted[:1]
    carried = (chain.offer, chain.ciphertext) if chain.announce else (None, None)
    header = Header(chain.public_key, chain.number, *carried).encode()
    ad = s.data(s.own_id, s.peer_id)
    encrypted_header = etm_seal(chain.header_key, entropy["header_iv"], header, ad)
    hs = s.handshake
    prefix = preamble(hs.prekey_id if hs else 0, len(encrypted_header), hs is not None)
    prefix += (hs.encode() if hs else b"") + encrypted_header
    keys = message_keys(chain.chain_key)
    sealed = etm_seal(keys.etm, entropy["content_iv"], pad(content, len(prefix)), ad + prefix)
    envelope = prefix + sealed
    number, chain.number = chain.number, chain.number + 1
    chain.chain_key = next_chain_key(chain.chain_key)
    trace.update(keys=keys, header=header, encrypted_header=encrypted_header)
    envelope_id = sha256(envelope)
    return s, Sealed(envelope, envelope_id, receipt_of(keys.receipt_key, envelope_id), chain.index, number, trace)


def note_kem(s, shared, now):
    if shared:
        s.steps_since_kem, s.kem_mixed_at = 0, now
    else:
        s.steps_since_kem += 1


@dataclass(frozen=True)
class Opened:
    content: object
    encoded: bytes
    receipt: bytes
    trace: dict


def receive(session, envelope, now):
    """(session, Opened), or (session, 'late') or (session, 'foreign') with the session as it was."""
    s, trace = copy.deepcopy(session), {}
    ad = s.data(s.peer_id, s.own_id)
    current = s.receiving.header_key if s.receiving else None
    for key in [current, s.next_receiving_header_key, *s.past]:
        if key is None:
            continue
        try:
            header_bytes = etm_open(key, envelope.header, ad)
            break
        except Refused:
            pass
    else:
        return session, "foreign"
    if key in s.past:
        return session, "late"
    header = Header.decode(header_bytes)
    if key == s.next_receiving_header_key:
        trace["step"] = receiving_step(s, header, now)
    receiving = s.receiving
    if header.number < receiving.number:
        return session, "late"
    refuse_unless(header.number - receiving.number <= MAX_FORWARD_JUMP, "too-far")
    for _ in range(header.number - receiving.number):
        receiving.chain_key = next_chain_key(receiving.chain_key)
    keys = message_keys(receiving.chain_key)
    encoded = unpad(etm_open(keys.etm, envelope.sealed, ad + envelope.prefix))
    content = contents.decode(encoded)
    receiving.chain_key = next_chain_key(receiving.chain_key)
    receiving.number = header.number + 1
    s.handshake = None
    s.standing = {"dead": "revived", "superseded": "recalled"}.get(s.standing, s.standing)
    trace.update(keys=keys, header=header_bytes)
    return s, Opened(content, encoded, receipt_of(keys.receipt_key, envelope.id), trace)


def receiving_step(s, header, now):
    check_x25519(header.key)
    secret = s.sending.secret if s.sending else s.first_secret
    refuse_unless(secret is not None, "undecryptable")
    shared = None
    if header.ciphertext:
        refuse_unless(s.sending is not None and s.sending.offer_seed is not None, "undecryptable")
        shared = mlkem.decapsulate(s.sending.offer_seed, header.ciphertext)
    step = root_step(s.root_key, secret, header.key, shared)
    if s.receiving:
        s.past = [s.receiving.header_key, *s.past][:REMEMBERED_CHAINS]
    s.receiving = ReceivingChain(step.chain_key, s.next_receiving_header_key)
    s.next_receiving_header_key = step.next_header_key
    s.root_key = step.root_key
    s.remote = Remote(header.key, header.offer)
    s.step_due = True
    s.proving = step.reset_key
    note_kem(s, shared, now)
    if s.sending:
        s.established = True
        s.sending.secret = s.sending.offer_seed = None
    s.first_secret = None
    return step


def note_receipt(session, chain, number):
    s = copy.deepcopy(session)
    s.handshake = None
    if s.sending and s.sending.index == chain:
        s.sending.receipted = max(s.sending.receipted, number + 1)
        s.sending.announce = False
    return s


def rank(session, successors):
    """`successors`: how many sessions behind this one have `successor`."""
    if session.standing in ("superseded", "dead"):
        return -1
    if session.standing == "recalled":
        return 1 / max(1, successors)
    if session.standing == "revived" and successors:
        return 1 / successors
    return 2 if session.established else 0


def session_to_send_in(sessions):
    """Of all with one peer, in the order in which they came to be."""
    ranks = [rank(s, sum(later.successor for later in sessions[i + 1 :])) for i, s in enumerate(sessions)]
    usable = [(-r, s.handshake_hash, i) for i, (r, s) in enumerate(zip(ranks, sessions)) if r >= 0]
    return sessions[min(usable)[2]] if usable else None


# ---- Handshake -----------------------------------------------------------------------------------


@dataclass(frozen=True)
class Schedule:
    """Every value of spec/handshake.md, for vectors."""

    values: dict


def transcript1(responder_id, prekeys, ek, ct_r, ct_k):
    return sha256(label("handshake/transcript-1"), responder_id, prekeys.encoded, b"\x01", ek, ct_r, ct_k)


def handshake_hash_of(th1):
    return sha256(label("handshake/hash"), th1)


def handshake_key(th1, secret, dh_identity, dh_prekey, kem_secret):
    ikm = b"\xff" * 32 + secret + dh_identity + dh_prekey + kem_secret
    return hkdf(th1, ikm, label("handshake/key"), 32)


def session_keys(ck, dh_identity_prekey, th1, idb, initiator_id, responder_id):
    th2 = sha256(label("handshake/transcript-2"), th1, idb, initiator_id, responder_id)
    okm = hkdf(ck, dh_identity_prekey, label("handshake/session") + th2, 224)
    return (th2, *cut(okm, 32, 64, 64, 32, 32))


def continuity_proof(reset_key, handshake_hash):
    return hmac(reset_key, label("continuity"), handshake_hash)


def begin(owner, peer, prekeys, now, entropy, reset_key=None, wrap=oaep_encrypt):
    """A session with `peer`; `entropy`: ephemeral_seed, session_secret, identity_block_iv, oaep_seed, kem_coins."""
    ek_secret, secret = entropy["ephemeral_seed"], entropy["session_secret"]
    ek = x25519_public(ek_secret)
    ct_r = wrap(peer.exchange_key, secret, label("session-secret"), entropy["oaep_seed"])
    ct_k, kem_secret = mlkem.encapsulate(prekeys.kem_key, entropy["kem_coins"])
    th1 = transcript1(peer.id, prekeys, ek, ct_r, ct_k)
    handshake_hash = handshake_hash_of(th1)
    dh_ei, dh_ep = dh(ek_secret, peer.identity_key), dh(ek_secret, prekeys.key)
    ck = handshake_key(th1, secret, dh_ei, dh_ep, kem_secret)
    proof = continuity_proof(reset_key, handshake_hash) if reset_key else bytes(32)
    block_keys = hkdf(ck, b"", label("handshake/identity-block"), 64)
    idb = etm_seal(block_keys, entropy["identity_block_iv"], owner.identity.signed + proof, th1)
    dh_ip = dh(owner.identity_secret, prekeys.key)
    th2, root, hk_a, hk_b, reset, sid = session_keys(ck, dh_ip, th1, idb, owner.identity.id, peer.id)
    session = Session(
        "initiator", sid, handshake_hash, owner.identity.id, peer.id, Handshake(ek, ct_r, ct_k, idb, prekeys.id),
        root, None, hk_a, Remote(prekeys.key, None), None, hk_b, [], True, 0, now, reset, [reset],
        successor=proof != bytes(32),
    )  # fmt: skip
    trace = {
        "ephemeralKey": ek, "wrappedSecret": ct_r, "encapsulatedKey": ct_k, "kemSecret": kem_secret, "th1": th1,
        "handshakeHash": handshake_hash, "dhEphemeralIdentity": dh_ei, "dhEphemeralPrekey": dh_ep, "ck": ck,
        "identityBlockKeys": block_keys, "continuityProof": proof, "identityBlock": idb, "th2": th2,
        "dhIdentityPrekey": dh_ip, "rootKey": root, "initiatorHeaderKey": hk_a, "responderHeaderKey": hk_b,
        "resetKey": reset, "sessionId": sid,
    }  # fmt: skip
    return session, trace


@dataclass(frozen=True)
class Accepted:
    session: Session
    initiator: object
    proof: bytes
    opened: Opened


def accept(owner, prekeys, envelope, now, fallback):
    """Opens a handshake and the message that it rides on; `fallback`: 32 random bytes."""
    hs = envelope.handshake
    refuse_unless(hs is not None)
    th1 = transcript1(owner.identity.id, prekeys.public, hs.ek, hs.ct_r, hs.ct_k)
    handshake_hash = handshake_hash_of(th1)
    check_x25519(hs.ek)
    secret = oaep_decrypt(owner.rsa, hs.ct_r, label("session-secret")) or fallback
    kem_secret = mlkem.decapsulate(prekeys.kem_seed, hs.ct_k)
    try:
        dh_ei, dh_ep = dh(owner.identity_secret, hs.ek), dh(prekeys.secret, hs.ek)
    except Refused:
        raise Refused("undecryptable") from None
    ck = handshake_key(th1, secret, dh_ei, dh_ep, kem_secret)
    block = etm_open(hkdf(ck, b"", label("handshake/identity-block"), 64), hs.idb, th1)
    refuse_unless(len(block) == 602, "undecryptable")
    initiator, proof = import_identity(block[:570]), block[570:]
    dh_ip = dh(prekeys.secret, initiator.identity_key)
    _, root, hk_a, hk_b, reset, sid = session_keys(ck, dh_ip, th1, hs.idb, initiator.id, owner.identity.id)
    first = Session(
        "responder", sid, handshake_hash, owner.identity.id, initiator.id, None,
        root, None, hk_b, None, None, hk_a, [], False, 0, now, reset, [reset],
        successor=proof != bytes(32), first_secret=prekeys.secret,
    )  # fmt: skip
    session, opened = receive(first, envelope, now)
    refuse_unless(isinstance(opened, Opened), "undecryptable")
    return Accepted(session, initiator, proof, opened)
