"""Answers belljar's questions: python3 examples/ask_client.py SOCKET, then belljar run --ask=socket:SOCKET -- COMMAND.

Without more words it asks you. With rules it answers by itself: python3 examples/ask_client.py SOCKET read:/srv/=once
"""

import json
import os
import socket
import sys


def decide(asked, rules):
    """The answer of the first rule KIND:PREFIX=ANSWER that fits; without any rules, yours."""
    for rule in rules:
        what, _, answer = rule.rpartition("=")
        kind, _, prefix = what.partition(":")
        if asked["kind"] == kind and asked["object"].startswith(prefix):
            return answer if answer in asked["answers"] else "never"
    if rules:
        return "never"
    # Belljar has escaped every name: nothing in it can steer this terminal.
    if asked["kind"] == "execute":
        print("\nIt can only be granted to the next run:", end="")
    print(f"\n{asked['program']} ({asked['pid']}) wants to {asked['kind']} {asked['object']}")
    print(f"  refused by: {asked['rule']}")
    words = asked["answers"]
    typed = input(f"  {' / '.join(words)}? ").strip()
    return typed if typed in words else "never"


def talk(stream, rules):
    """One run of belljar, from greeting to end."""
    lines = stream.makefile("rw", encoding="utf-8", newline="\n")

    def say(**message):
        lines.write(json.dumps({"belljar": 1, **message}) + "\n")
        lines.flush()

    for line in lines:
        message = json.loads(line)
        if message["belljar"] != 1:
            return
        if message["type"] == "hello":
            say(type="hello")
        elif message["type"] == "ask":
            say(type="answer", id=message["id"], answer=decide(message, rules))
        elif message["type"] == "done":
            print(f"  -> {message['outcome']}", flush=True)


def main(path, *rules):
    # Only this user may connect, and nobody before the socket has its mode.
    os.umask(0o077)
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as listener:
        listener.bind(path)
        try:
            listener.listen()
            while True:
                stream, _ = listener.accept()
                with stream:
                    talk(stream, rules)
        finally:
            os.unlink(path)


if __name__ == "__main__":
    try:
        main(*sys.argv[1:])
    except KeyboardInterrupt:
        pass
