#!/usr/bin/env python3
"""A bot with nothing but Python's standard library. It starts `couplet daemon` and speaks JSON-RPC
with it, one line each way. (docs/daemon.md)

    couplet --home ./bot register +12025550109
    python3 bot.py couplet --home ./bot
"""

import itertools
import json
import subprocess
import sys


class Couplet:
    """The daemon, started by this program. It ends with it."""

    def __init__(self, command):
        self.process = subprocess.Popen(
            [*command, "daemon"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, encoding="utf-8"
        )
        self.ids = itertools.count(1)
        self.notifications = []

    def call(self, method, **params):
        """Asks, and waits for the answer. What comes in between is kept for later."""
        request = {"jsonrpc": "2.0", "id": next(self.ids), "method": method, "params": params}
        self.process.stdin.write(json.dumps(request) + "\n")
        self.process.stdin.flush()
        while True:
            answer = self.read()
            if answer.get("id") == request["id"]:
                break
            self.notifications.append(answer)
        if "error" in answer:
            raise RuntimeError(answer["error"]["message"])
        return answer["result"]

    def messages(self):
        """Received messages, one at a time, each acknowledged when the next one is asked for."""
        self.call("subscribe")
        while True:
            notification = self.notifications.pop(0) if self.notifications else self.read()
            if notification.get("method") == "message":
                message = notification["params"]
                yield message
                self.call("acknowledge", id=message["id"])

    def read(self):
        line = self.process.stdout.readline()
        if line == "":
            sys.exit("The daemon has ended.")
        return json.loads(line)


def reply_to(text):
    words = text.split()
    if words[:1] == ["add"]:
        return str(sum(float(word) for word in words[1:]))
    return f"{len(words)} words. I can add: add 1 2 3"


couplet = Couplet(sys.argv[1:] or ["couplet"])
print(f"I am {couplet.call('status')['phone']}.", flush=True)
for message in couplet.messages():
    try:
        reply = reply_to(message["text"])
    except ValueError:
        reply = "These are not all numbers."
    couplet.call("send", to=message["from"], text=reply)
