"""A user who is told on standard input what to do, one JSON object a line, and answers each with one.

    python3 talk.py http://localhost:8080
"""

import json
import sys

from client import Client
from identity import safety_number


def main(url):
    client = Client(url)
    for line in sys.stdin:
        answer(act(client, json.loads(line)))


def act(client, order):
    do = order["do"]
    if do == "register":
        client.register(order["phone"], ask_code)
    elif do == "connect":
        client.connect()
    elif do == "disconnect":
        client.disconnect()
    elif do == "send":
        client.send(order["to"], order["text"])
    elif do == "receive":
        client.pump(lambda: len(client.texts) >= order["count"])
        texts, client.texts = client.texts[: order["count"]], client.texts[order["count"] :]
        return {"texts": texts}
    elif do == "delivered":
        client.pump(lambda: len(client.delivered) >= order["count"])
        texts, client.delivered = client.delivered, []
        return {"texts": texts}
    elif do == "safety-number":
        contact, _ = client.look_up(order["with"])
        return {"digits": safety_number(client.owner.identity, contact.identity)}
    elif do == "sessions":
        contact, _ = client.look_up(order["with"])
        return {"established": [s.established for s in contact.sessions]}
    elif do == "contacts":
        return {"phones": sorted(f"+{c.identity.phone}" for c in client.contacts.values())}
    return {}


def ask_code():
    answer({"need": "code"})
    return json.loads(sys.stdin.readline())["code"]


def answer(value):
    print(json.dumps(value), flush=True)


if __name__ == "__main__":
    main(sys.argv[1])
