"""Stands where our script stands, inside Blender in the sandbox, and tries to get out. Says on stderr what worked."""

import ctypes
import os
import socket
import subprocess
import sys

FOLDER = sys.argv[sys.argv.index("--") + 1]
libc = ctypes.CDLL(None, use_errno=True)


def read(path):
    return lambda: open(path, "rb").read(1)


def write(path):
    return lambda: open(path, "wb").write(b"x")


def call(name, *args):
    def attempt():
        if getattr(libc, name)(*args) == -1:
            raise OSError(ctypes.get_errno())

    return attempt


def connect(family, address):
    def attempt():
        with socket.socket(family, socket.SOCK_STREAM) as one:
            one.settimeout(1)
            one.connect(address)

    return attempt


ATTEMPTS = {
    "read a file of the machine": read("/etc/passwd"),
    "read a secret of the machine": read("/etc/shadow"),
    "list the homes": lambda: os.listdir("/home"),
    "list root's home": lambda: os.listdir("/root"),
    "read its own memory": read("/proc/self/mem"),
    "read its environment from the kernel": read("/proc/self/environ"),
    "list processes": lambda: os.listdir("/proc"),
    "list devices": lambda: os.listdir("/dev"),
    "read settings of the kernel": lambda: os.listdir("/sys"),
    "write to its root": write("/x"),
    "write beside its script": write(f"{FOLDER}/x"),
    "write over its script": write(f"{FOLDER}/render.py"),
    "write over its job": write(f"{FOLDER}/job.json"),
    "write to Blender's files": write("/usr/share/blender/x"),
    "write to Python's files": write("/usr/lib/python3/x"),
    "delete its job": lambda: os.unlink(f"{FOLDER}/job.json"),
    "make a link": lambda: os.symlink("/etc", f"{FOLDER}/link"),
    "see a variable that is not its own": lambda: os.environ["PATH"],
    "start a program": lambda: subprocess.run(["/bin/true"], check=True),
    "start a shell": lambda: os.close(os.popen("true").fileno()),
    "start itself anew": lambda: subprocess.run(["/dpu/program", "--version"], check=True),
    "fork": lambda: os.fork() or os._exit(0),
    "open a socket": lambda: socket.socket().close(),
    "connect": connect(socket.AF_INET, ("127.0.0.1", 22)),
    "connect to a local socket": connect(socket.AF_UNIX, "/run/dbus/system_bus_socket"),
    "ask for a name": lambda: socket.getaddrinfo("localhost", 80),
    "kill its parent": lambda: os.kill(os.getppid(), 9) if os.getppid() > 1 else os.kill(1, 9),
    "become root": lambda: os.setuid(0),
    "mount": call("mount", b"none", b"/tmp", b"tmpfs", 0, None),
    "take a name space": call("unshare", 0x10000000),
    "trace": call("ptrace", 16, 1, 0, 0),
    "make a device": lambda: os.mknod("/tmp/device", 0o60600, os.makedev(8, 0)),
    "change its root": lambda: os.chroot("/tmp"),
    "raise its limits": lambda: __import__("resource").setrlimit(__import__("resource").RLIMIT_CORE, (1, 1)),
    "load a kernel program": call("syscall", 321, 0, 0, 0),
    "use the kernel's keys": call("syscall", 250, 0, 0, 0),
    "make a memory file to run": call("memfd_create", b"x", 0),
}

worked = []
for name, attempt in ATTEMPTS.items():
    try:
        attempt()
        worked.append(name)
    except BaseException:
        pass

with open("/tmp/scratch", "wb") as file:
    file.write(b"x" * 1000)
try:
    with open("/tmp/scratch", "wb") as file:
        file.write(b"x" * (80 << 20))
    worked.append("fill its scratch place")
except OSError:
    pass
print(f"TRIED {len(ATTEMPTS)} WORKED {worked}", file=sys.stderr, flush=True)
os._exit(0)
