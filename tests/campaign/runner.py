"""Runs commands for the campaign, one at a time, and measures them: a line of JSON in, a line of JSON out.

A process of its own, and small: the kernel counts what a process had before its exec as its memory too, so a child of
the campaign, which holds all images, would never be smaller than it.
"""
import json
import os
import resource
import signal
import subprocess
import sys
import time

SAMPLE_SECONDS = 0.02


def resident(pid):
    """Bytes of a process and of its children as they are now; 0 for one that has gone."""
    try:
        with open(f"/proc/{pid}/statm", encoding="ascii") as file:
            total = int(file.read().split()[1]) * resource.getpagesize()
        with open(f"/proc/{pid}/task/{pid}/children", encoding="ascii") as file:
            return total + sum(resident(child) for child in file.read().split())
    except (OSError, IndexError, ValueError):
        return 0


def run(command, seconds):
    started = time.monotonic()
    child = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, start_new_session=True)
    together, late, pid = 0, False, 0
    while True:
        pid, status, usage = os.wait4(child.pid, os.WNOHANG)
        if pid:
            break
        together = max(together, resident(child.pid))
        if not late and time.monotonic() - started > seconds:
            late = True
            os.killpg(child.pid, signal.SIGKILL)
        time.sleep(SAMPLE_SECONDS)
    child.returncode = os.waitstatus_to_exitcode(status)
    errors = child.stderr.read().decode("utf-8", "replace")
    child.stderr.close()
    return {"code": None if late else child.returncode, "seconds": time.monotonic() - started, "largest": usage.ru_maxrss * 1024,
            "together": together, "errors": errors[-4000:]}


def main():
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    for line in sys.stdin:
        request = json.loads(line)
        print(json.dumps(run(request["command"], request["seconds"])), flush=True)


if __name__ == "__main__":
    main()
