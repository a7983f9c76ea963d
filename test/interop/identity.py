"""Identity records, prekey sets, signatures, safety numbers: spec/identity.md, http-api.md, safety-number.md."""

import hashlib
from dataclasses import dataclass

from cryptography.hazmat.primitives.serialization import load_der_private_key

import mlkem
from primitives import *  # noqa: F403


@dataclass(frozen=True)
class Identity:
    """What a signed record says, after every check."""

    signed: bytes
    phone: int
    exchange_key: bytes
    signing_key: bytes
    identity_key: bytes
    created_at: int
    id: bytes


def import_identity(signed):
    refuse_unless(len(signed) == 570)
    record, signature = signed[:506], signed[506:]
    reader = Reader(record)
    reader.expect(b"\x01")
    phone = reader.number(8)
    refuse_unless(10**6 <= phone < 10**15)
    reader.expect(b"\x03")
    exchange_key = reader.take(422)
    reader.expect(b"\x04")
    signing_key = reader.take(32)
    reader.expect(b"\x01")
    identity_key = reader.take(32)
    created_at = reader.number(8)
    reader.end()
    check_ed25519(signing_key)
    check_x25519(identity_key)
    refuse_unless(verifies(signing_key, signature, label("sign/identity"), record), "invalid-signature")
    check_rsa(exchange_key)
    identity_id = sha256(label("identity-id"), record)
    return Identity(signed, phone, exchange_key, signing_key, identity_key, created_at, identity_id)


def has_moved(before, after, now):
    """Whether `after` is `before` under another number: delivery.md, Changed numbers."""
    same_keys = (before.exchange_key, before.signing_key, before.identity_key) == (
        after.exchange_key,
        after.signing_key,
        after.identity_key,
    )
    is_later = before.created_at < after.created_at <= now + 86_400_000
    return same_keys and is_later and before.phone != after.phone


@dataclass(frozen=True)
class Prekeys:
    """The public half of a prekey set."""

    encoded: bytes
    id: int
    key: bytes
    kem_key: bytes


def import_prekeys(signed, owner, now, highest_seen):
    refuse_unless(len(signed) == 1327)
    encoded, signature = signed[:1263], signed[1263:]
    reader = Reader(encoded)
    reader.expect(b"\x01")
    owner_id, number = reader.take(32), reader.number(4)
    reader.expect(b"\x01")
    key = reader.take(32)
    reader.expect(b"\x02")
    kem_key = reader.take(1184)
    not_after = reader.number(8)
    reader.end()
    refuse_unless(owner_id == owner.id, "invalid-signature")
    refuse_unless(verifies(owner.signing_key, signature, label("sign/prekeys"), encoded), "invalid-signature")
    refuse_unless(number != 0)
    check_x25519(key)
    check_ml_kem(kem_key)
    refuse_unless(number >= highest_seen, "stale-prekeys")
    refuse_unless(not_after > now, "expired-prekeys")
    return Prekeys(encoded, number, key, kem_key)


@dataclass(frozen=True)
class OwnPrekeys:
    """Both halves of a prekey set."""

    public: Prekeys
    signed: bytes
    secret: bytes
    kem_seed: bytes


class Owner:
    """A user's own keys."""

    def __init__(self, phone, created_at, exchange_private, signing_seed, identity_secret):
        """`exchange_private`: PKCS#8, DER."""
        self.rsa = load_der_private_key(exchange_private, None)
        self.signing_seed, self.identity_secret = signing_seed, identity_secret
        n = self.rsa.private_numbers().public_numbers.n
        spki = SPKI_PREFIX + n.to_bytes(384, "big") + SPKI_SUFFIX
        keys = b"\x03" + spki + b"\x04" + ed25519_public(signing_seed)
        record = b"\x01" + u(8, phone) + keys + b"\x01" + x25519_public(identity_secret) + u(8, created_at)
        self.identity = import_identity(record + sign(signing_seed, label("sign/identity"), record))

    def make_prekeys(self, number, secret, kem_seed, not_after):
        key, kem_key = x25519_public(secret), mlkem.encapsulation_key(kem_seed)
        encoded = b"\x01" + self.identity.id + u(4, number) + b"\x01" + key + b"\x02" + kem_key + u(8, not_after)
        signed = encoded + sign(self.signing_seed, label("sign/prekeys"), encoded)
        return OwnPrekeys(Prekeys(encoded, number, key, kem_key), signed, secret, kem_seed)

    def registration_preimage(self, server, registration_id, challenge):
        parts = label("sign/registration"), bytes16(server), bytes16(registration_id), challenge, self.identity.id
        return b"".join(parts)

    def login_preimage(self, server, challenge):
        return label("sign/login") + bytes16(server) + challenge + self.identity.id

    def request_preimage(self, server, at, method, path, body):
        head = label("sign/request") + bytes16(server) + self.identity.id + u(8, at)
        return head + bytes16(method) + bytes16(path) + sha256(body)

    def sign(self, preimage):
        return sign(self.signing_seed, preimage)

    def authorization(self, at, signature):
        return f"Couplet {base64url(self.identity.id)} {at} {base64url(signature)}"


def safety_half(identity):
    h = hashlib.sha512(label("safety-number") + identity.id + u(8, identity.phone)).digest()
    for _ in range(5199):
        h = hashlib.sha512(h + identity.id).digest()
    return h[:30]


def safety_number(a, b):
    halves = sorted([safety_half(a), safety_half(b)])
    groups = [half[i : i + 5] for half in halves for i in range(0, 30, 5)]
    return "".join(f"{int.from_bytes(group, 'big') % 100000:05d}" for group in groups)


def verification_code(own, contact):
    return b"couplet\x01" + u(8, own.phone) + own.id + contact.id


def code_matches(code, own, contact):
    reader = Reader(code)
    reader.expect(b"couplet\x01")
    phone, shower, seen = reader.number(8), reader.take(32), reader.take(32)
    reader.end()
    refuse_unless(10**6 <= phone < 10**15)
    return equal(shower, contact.id) and equal(seen, own.id) and phone == contact.phone
