"""Says what it can reach. Try it outside a jar too: python3 examples/hello.py"""

import os
import socket


def attempt(what, action):
    try:
        action()
        print(f"  {what}: yes")
    except OSError as error:
        print(f"  {what}: no ({error.strerror})")


def connect():
    socket.create_connection(("1.1.1.1", 53), timeout=2).close()


def write(path):
    with open(path, "w", encoding="utf-8") as file:
        file.write("x")
    os.remove(path)


print("Hello from process", os.getpid())
attempt("read /usr/bin", lambda: os.listdir("/usr/bin"))
attempt("read /etc/shadow", lambda: open("/etc/shadow", "rb").close())
attempt("list " + os.path.expanduser("~/.ssh"), lambda: os.listdir(os.path.expanduser("~/.ssh")))
attempt("write into this folder", lambda: write("belljar-was-here"))
attempt("write into /tmp", lambda: write("/tmp/belljar-was-here"))
attempt("reach the internet", connect)
attempt("signal its parent", lambda: os.kill(os.getppid(), 0))
