"""Checks every file of spec/vectors against the client in this folder. Prints one line a file.

    python3 check_vectors.py ../../spec/vectors
"""

import json
import sys
from pathlib import Path

import content as contents
import frames
import identity
import mlkem
import session as sessions
from primitives import *  # noqa: F403

CONVERSATION = "conversations/"


def check_all(folder):
    people = {v["name"]: Person(v) for v in load(folder, "people.json")["vectors"]}
    total = 0
    for path in sorted(folder.rglob("*.json")):
        name = path.relative_to(folder).as_posix()
        if name == "rsa.json":  # inputs of the generator, no vectors
            continue
        file = load(folder, name)
        if name.startswith(CONVERSATION):
            play = Play(people)
            for event in file["vectors"]:
                play.event(event)
            for state in file["states"]:
                same(state_of(play.sessions[state["name"]], state), state, name)
        elif name == "messages.json":
            check_messages(people, file)
        else:
            check = CHECKS[name]
            for vector in file["vectors"]:
                check(vector, people)
        print(f"{name}: {file['count']}")
        total += file["count"]
    print(f"{total} vectors hold")


def load(folder, name):
    file = json.loads((folder / name).read_text("utf-8"))
    if file["count"] == 0 or file["count"] != len(file["vectors"]):
        raise SystemExit(f"{name}: {len(file['vectors'])} vectors, {file['count']} promised")
    return file


def same(ours, theirs, what):
    if ours != theirs:
        raise SystemExit(f"{what}:\n  ours   {ours}\n  theirs {theirs}")


def result_of(action):
    """The result, and 'valid', or the code of the error."""
    try:
        return action(), "valid"
    except Refused as refused:
        return None, refused.code


def unhex(value):
    if isinstance(value, dict):
        return {k: v if k in ("type", "kind", "mode", "reason", "code") else unhex(v) for k, v in value.items()}
    if isinstance(value, list):
        return [unhex(v) for v in value]
    return bytes.fromhex(value) if isinstance(value, str) else value


def hexed(values):
    return {key: value.hex() if isinstance(value, bytes) else value for key, value in values.items()}


# ---- People --------------------------------------------------------------------------------------


class Person:
    def __init__(self, v):
        self.vector = v
        self.owner = identity.Owner(
            int(v["phone"]), v["createdAt"], *(bytes.fromhex(v[k]) for k in ("exchangePrivateKey", "signingSeed", "identitySecret"))
        )
        self.prekeys = {
            p["name"]: self.owner.make_prekeys(p["id"], bytes.fromhex(p["secret"]), bytes.fromhex(p["kemSeed"]), p["notAfter"])
            for p in v["prekeys"]
        }


def check_person(v, people):
    ours = people[v["name"]].owner.identity
    same(ours.signed.hex(), v["signed"], v["name"])
    same(ours.signed.hex(), v["record"] + v["signature"], v["name"])
    same(
        [ours.exchange_key.hex(), ours.signing_key.hex(), ours.identity_key.hex(), ours.id.hex()],
        [v["exchangePublicKey"], v["signingKey"], v["identityKey"], v["identityId"]],
        v["name"],
    )
    for p in v["prekeys"]:
        own = people[v["name"]].prekeys[p["name"]]
        same(
            [own.public.key.hex(), own.public.kem_key.hex(), own.public.encoded.hex(), own.signed.hex()],
            [p["publicKey"], p["kemPublicKey"], p["encoded"], p["encoded"] + p["signature"]],
            p["name"],
        )


# ---- Files with one function ---------------------------------------------------------------------


def check_label(v, _):
    same(label(v["purpose"]).hex(), v["bytes"], v["purpose"])


def check_identity(v, _):
    imported, result = result_of(lambda: identity.import_identity(bytes.fromhex(v["signed"])))
    same(result, v["result"], v["name"])
    if imported:
        same(imported.id.hex(), v["identityId"], v["name"])


def check_prekeys(v, people):
    owner = people[v["owner"]].owner.identity
    _, result = result_of(
        lambda: identity.import_prekeys(bytes.fromhex(v["signed"]), owner, v["now"], v["highestSeenId"])
    )
    same(result, v["result"], v["name"])


KEY_CHECKS = {"rsa3072": check_rsa, "x25519": check_x25519, "ed25519": check_ed25519, "mlKem768": check_ml_kem}


def check_key(v, _):
    _, result = result_of(lambda: KEY_CHECKS[v["kind"]](bytes.fromhex(v["key"])))
    same(result, v["result"], v["name"])


def check_signature(v, people):
    owner, server = people[v["signer"]].owner, v["serverName"].encode("ascii")
    if v["purpose"] == "registration":
        preimage = owner.registration_preimage(
            server, v["registrationId"].encode("ascii"), bytes.fromhex(v["challenge"])
        )
    elif v["purpose"] == "login":
        preimage = owner.login_preimage(server, bytes.fromhex(v["challenge"]))
    else:
        body = v["body"].encode("utf-8")
        preimage = owner.request_preimage(server, v["at"], v["method"].encode(), v["path"].encode(), body)
        same(sha256(body).hex(), v["bodyHash"], v["name"])
        same(owner.authorization(v["at"], owner.sign(preimage)), v["authorization"], v["name"])
    same([preimage.hex(), owner.sign(preimage).hex()], [v["preimage"], v["signature"]], v["name"])
    changed = preimage[:-1] + bytes([preimage[-1] ^ 1])
    same(verifies(owner.identity.signing_key, bytes.fromhex(v["signature"]), changed), False, v["name"])


def check_etm(v, _):
    keys, ad, sealed = (bytes.fromhex(v[k]) for k in ("keys", "associatedData", "sealed"))
    opened, result = result_of(lambda: etm_open(keys, sealed, ad))
    same(result, v["result"], v["name"])
    if result == "valid":
        same(opened.hex(), v["plaintext"], v["name"])
        same(etm_seal(keys, bytes.fromhex(v["iv"]), opened, ad), sealed, v["name"])


def check_padding(v, _):
    if "padded" in v:
        content, result = result_of(lambda: sessions.unpad(bytes.fromhex(v["padded"])))
        same([result, content.hex() if result == "valid" else None], [v["result"], v.get("content")], v["name"])
        return
    size, result = result_of(lambda: sessions.envelope_size(v["prefixLength"], v["contentLength"]))
    same([result, size], [v["result"], v.get("envelopeLength")], v["name"])


NAMES = {
    "messageId": "message_id",
    "sequence": "sequence",
    "oldestPending": "oldest_pending",
    "sentAt": "sent_at",
    "expiresAfter": "expires_after",
    "text": "text",
    "control": "control",
}


def content_from(fields):
    values = {NAMES[k]: v for k, v in fields.items()}
    values["message_id"] = bytes.fromhex(values["message_id"])
    return contents.Content(**values)


def check_content(v, _):
    decoded, result = result_of(lambda: contents.decode(bytes.fromhex(v["encoded"])))
    same(result, v["result"], v["name"])
    if "content" in v:
        same(contents.encode(content_from(v["content"])).hex(), v["encoded"], v["name"])
    if result == "valid":
        same(decoded, content_from(v.get("content") or v["decoded"]), v["name"])


def check_ratchet(v, _):
    h = unhex({k: x for k, x in v.items() if k not in ("name", "step")})
    if v["kind"] == "root":
        step = sessions.root_step(h["rootKey"], h["secret"], h["remoteKey"], h.get("kemSecret"))
        same(step_values(step), v["step"], v["name"])
    elif v["kind"] == "kem":
        same(mlkem.encapsulation_key(h["seed"]), h["offer"], v["name"])
        same(mlkem.encapsulate(h["offer"], h["coins"]), (h["ciphertext"], h["sharedSecret"]), v["name"])
        same(mlkem.decapsulate(h["seed"], h["ciphertext"]), h["sharedSecret"], v["name"])
    elif v["kind"] == "chain":
        chain_key = h["chainKey"]
        for _ in range(h["steps"]):
            chain_key = sessions.next_chain_key(chain_key)
        ours = key_values(sessions.message_keys(chain_key)) | {"nextChainKey": sessions.next_chain_key(chain_key).hex()}
        same(ours, {k: v[k] for k in ours}, v["name"])
    elif v["kind"] == "header":
        check_header(v, h)
    else:
        ours = sessions.preamble(h["prekeyId"], h["headerLength"], h["withHandshake"])
        same(ours, h["bytes"], v["name"])


def check_header(v, h):
    names = {k: v[k] for k in v if k not in ("kind", "name")}
    keys, ad = h["headerKeys"], h.get("associatedData", b"")
    same(etm_open(keys, h["encryptedHeader"], ad), h["header"], names)
    same(etm_seal(keys, h["encryptedHeader"][:16], h["header"], ad), h["encryptedHeader"], v["name"])
    same(sessions.Header.decode(h["header"]).encode(), h["header"], v["name"])


def check_receipt(v, _):
    ours = sessions.receipt_of(bytes.fromhex(v["receiptKey"]), sha256(bytes.fromhex(v["envelope"])))
    same("valid" if equal(ours, bytes.fromhex(v["receipt"])) else "refused", v["result"], v["name"])


def check_safety(v, people):
    if v["kind"] == "number":
        a, b = (people[v[k]].owner.identity for k in "ab")
        ours = identity.safety_half(a).hex(), identity.safety_half(b).hex(), identity.safety_number(a, b)
        same(ours, (v["halfA"], v["halfB"], v["digits"]), v["name"])
        same(identity.safety_number(b, a), v["digits"], v["name"])
        return
    own, contact = (people[v[k]].owner.identity for k in ("own", "contact"))
    code = bytes.fromhex(v["code"])
    matches, result = result_of(lambda: identity.code_matches(code, own, contact))
    same(result if matches is not False else "mismatch", v["result"], v["name"])
    if matches:
        same(identity.verification_code(contact, own), code, v["name"])


def check_frame(v, _):
    data = bytes.fromhex(v["bytes"])
    frame, result = result_of(lambda: frames.decode(data, v["from"]))
    same(result, v["result"], v["name"])
    if result == "valid":
        same(frame, unhex(v["frame"]), v["name"])
        same(frames.encode(frame), data, v["name"])


def check_handshake(v, people):
    responder = people[v["responder"]]
    prekeys = responder.prekeys[v["prekeys"]]
    if "initiator" in v:
        trace = sessions.begin(
            people[v["initiator"]].owner, responder.owner.identity, prekeys.public, v["now"],
            entropy_of(v), bytes.fromhex(v["resetKey"]) if "resetKey" in v else None,
        )[1]  # fmt: skip
        same(hexed(trace), v["derives"], v["name"])
    accepted, result = result_of(
        lambda: sessions.accept(
            responder.owner,
            prekeys,
            sessions.parse_envelope(bytes.fromhex(v["envelope"])),
            v["now"],
            bytes.fromhex(v["fallback"]),
        )
    )
    same(result, v["result"], v["name"])
    if accepted:
        same(accepted.opened.receipt.hex(), v["receipt"], v["name"])
        same(accepted.opened.content.text, "hello", v["name"])


CHECKS = {
    "people.json": check_person,
    "labels.json": check_label,
    "identity.json": check_identity,
    "prekeys.json": check_prekeys,
    "keys.json": check_key,
    "signatures.json": check_signature,
    "etm.json": check_etm,
    "padding.json": check_padding,
    "content.json": check_content,
    "handshake.json": check_handshake,
    "ratchet.json": check_ratchet,
    "receipts.json": check_receipt,
    "safety-number.json": check_safety,
    "frames.json": check_frame,
}


# ---- Conversations -------------------------------------------------------------------------------

ENTROPY = {
    "ephemeralSeed": "ephemeral_seed",
    "sessionSecret": "session_secret",
    "identityBlockIv": "identity_block_iv",
    "oaepSeed": "oaep_seed",
    "kemCoins": "kem_coins",
    "headerIv": "header_iv",
    "contentIv": "content_iv",
    "ratchetSeed": "ratchet_seed",
    "kemSeed": "kem_seed",
}


def entropy_of(v):
    return {ENTROPY[k]: bytes.fromhex(x) for k, x in v["entropy"].items()}


def step_values(step):
    values = {
        "dh": step.dh,
        "kemSecret": step.kem_secret,
        "rootKey": step.root_key,
        "chainKey": step.chain_key,
        "nextHeaderKey": step.next_header_key,
        "resetKey": step.reset_key,
    }
    return hexed({k: x for k, x in values.items() if x is not None})


def key_values(keys):
    return hexed(
        {
            "messageKey": keys.message_key,
            "encryptionKey": keys.encryption_key,
            "macKey": keys.mac_key,
            "receiptKey": keys.receipt_key,
        }
    )


def opened_values(opened):
    values = key_values(opened.trace["keys"])
    values |= {"header": opened.trace["header"].hex(), "encodedContent": opened.encoded.hex()}
    if "step" in opened.trace:
        values["step"] = step_values(opened.trace["step"])
    return values


class Play:
    """One conversation: every session by its name, every envelope by its own."""

    def __init__(self, people):
        self.people, self.sessions, self.envelopes = people, {}, {}

    def event(self, e):
        same(sorted(getattr(self, e["do"])(e) or {}), [], e)

    def note(self, e):
        pass

    def begin(self, e):
        to = self.people[e["to"]]
        reset_key = self.sessions[e["continues"]].proving if "continues" in e else None
        self.sessions[e["session"]], trace = sessions.begin(
            self.people[e["by"]].owner, to.owner.identity, to.prekeys[e["prekeys"]].public, e["now"],
            entropy_of(e), reset_key,
        )  # fmt: skip
        same(hexed(trace), e["derives"], e)

    def seal(self, e):
        encoded = contents.encode(content_from(e["content"]))
        before = self.sessions[e["session"]]
        after, sealed = sessions.seal(before, encoded, e["now"], entropy_of(e))
        trace = sealed.trace
        ours = key_values(trace["keys"]) | {
            "chain": sealed.chain,
            "number": sealed.number,
            "header": trace["header"].hex(),
            "encryptedHeader": trace["encrypted_header"].hex(),
            "encodedContent": encoded.hex(),
        }
        if "step" in trace:
            ours["step"] = step_values(trace["step"])
        same(ours, e["derives"], e)
        result = [sealed.envelope.hex(), sealed.id.hex(), sealed.receipt.hex()]
        same(result, [e["envelope"], e["id"], e["receipt"]], e)
        self.sessions[e["session"]] = after
        self.envelopes[e["message"]] = sealed.envelope

    def accept(self, e):
        by = self.people[e["by"]]
        envelope = sessions.parse_envelope(self.envelopes[e["message"]])
        accepted = sessions.accept(by.owner, by.prekeys[e["prekeys"]], envelope, e["now"], bytes(32))
        same(accepted.initiator, self.people[e["from"]].owner.identity, e)
        ours = opened_values(accepted.opened) | {
            "handshakeHash": accepted.session.handshake_hash.hex(),
            "sessionId": accepted.session.sid.hex(),
            "continuityProof": accepted.proof.hex(),
        }
        same(ours, e["derives"], e)
        same(accepted.opened.receipt.hex(), e["receipt"], e)
        self.sessions[e["session"]] = accepted.session

    def open(self, e):
        envelope = sessions.parse_envelope(self.envelopes[e["message"]])
        before = self.sessions[e["session"]]
        self.sessions[e["session"]], opened = sessions.receive(before, envelope, e["now"])
        if isinstance(opened, str):
            same(opened, e["result"], e)
            return
        same(["opened", opened.receipt.hex()], [e["result"], e["receipt"]], e)
        same(opened_values(opened), e["derives"], e)

    def receipt(self, e):
        before = self.sessions[e["session"]]
        self.sessions[e["session"]] = sessions.note_receipt(before, e["chain"], e["number"])

    def refuse(self, e):
        """What a client answers when none of its sessions opens the envelope, and it cannot be accepted."""

    def standing(self, e):
        self.sessions[e["session"]].standing = e["standing"]

    def choose(self, e):
        among = [self.sessions[name] for name in e["among"]]
        chosen = sessions.session_to_send_in(among)
        same([n for n in e["among"] if self.sessions[n] is chosen], [n for n in [e["sendsIn"]] if n], e)


def state_of(s, like):
    """A session as the vectors write it; fields that do not apply are left out or null."""
    state = {
        "name": like["name"],
        "role": s.role,
        "id": s.sid,
        "handshakeHash": s.handshake_hash,
        "standing": s.standing,
        "successor": s.successor,
        "established": s.established,
        "rootKey": s.root_key,
        "nextSendingHeaderKey": s.next_sending_header_key,
        "nextReceivingHeaderKey": s.next_receiving_header_key,
        "pastHeaderKeys": [key.hex() for key in s.past],
        "stepDue": s.step_due,
        "stepsSinceKem": s.steps_since_kem,
        "kemMixedAt": s.kem_mixed_at,
        "proving": s.proving,
        "accepted": [key.hex() for key in s.accepted],
        "handshakeRides": s.handshake is not None,
    }
    if s.sending:
        c = s.sending
        state["sending"] = hexed(
            {
                "index": c.index,
                "key": c.chain_key,
                "headerKey": c.header_key,
                "count": c.number,
                "receipted": c.receipted,
                "publicKey": c.public_key,
                "secret": c.secret,
                "ciphertext": c.ciphertext,
                "announce": c.announce,
                "offerSeed": c.offer_seed,
            }
        )
    if s.remote:
        state["remote"] = hexed({"key": s.remote.key, "offer": s.remote.offer})
    if s.receiving:
        c = s.receiving
        state["receiving"] = hexed({"key": c.chain_key, "headerKey": c.header_key, "count": c.number})
    return hexed(state)


def check_messages(people, file):
    play = Play(people)
    for event in file["setup"]["events"]:
        play.event(event)
    for v in file["vectors"]:
        before = play.sessions[v["session"]]

        def attempt():
            return sessions.receive(before, sessions.parse_envelope(bytes.fromhex(v["envelope"])), v["now"])

        outcome, result = result_of(attempt)
        if outcome:
            result = outcome[1] if isinstance(outcome[1], str) else "opened"
            same(outcome[0] is before, result != "opened", v["name"])
        same(result, v["result"], v["name"])


if __name__ == "__main__":
    check_all(Path(sys.argv[1]))
