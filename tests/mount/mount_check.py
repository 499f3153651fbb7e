#!/usr/bin/env python3
"""Parallel readers over mounted images while their workers are killed: every digest right, all the time.

Usage: mount_check.py BIN CORPORA [--seconds 600] [--readers 8] [--only ID]… [--kill-every 0.5]

Every image of the corpora whose container and file system are in scope gets its share of the time, and as much more as
a whole pass takes. A read that fails because its worker was killed twice in a row is tried again and counted; one that
fails for good, or gives other bytes than the findings and the truth say, fails the check.
"""
import argparse, os, signal, sys, tempfile, threading, time
from pathlib import Path

words, sys.argv[3:] = sys.argv[3:], []
from expected import corpus, expected  # noqa: E402
from mounts import Mounted, lines_of, run, sha256  # noqa: E402

ATTEMPTS = 20  # of a read that fails while workers are being killed


class Check:
    def __init__(self, wanted, mounted):
        self.wanted, self.mounted = wanted, mounted
        self.reads = self.kills = self.retried = 0
        self.wrong = []
        self.lock, self.done = threading.Lock(), threading.Event()

    def kill(self, pause):
        while not self.done.wait(pause):
            for worker in self.mounted.workers()[:1]:
                try:
                    os.kill(worker, signal.SIGKILL)
                    self.kills += 1
                except ProcessLookupError:
                    pass

    def read(self, end, number):
        """Whole passes until the time is over; each reader begins elsewhere."""
        entries = sorted(self.wanted.items())
        first = len(entries) * number // 8 % max(len(entries), 1)
        entries = entries[first:] + entries[:first]
        while True:
            for path, digest in entries:
                self.read_one(path, digest)
            if time.monotonic() >= end:
                return

    def read_one(self, path, digest):
        fd = os.open(path, os.O_RDONLY)
        os.posix_fadvise(fd, 0, 0, os.POSIX_FADV_DONTNEED)
        os.close(fd)
        found = None
        for attempt in range(ATTEMPTS if digest is not None else 1):
            try:
                found = sha256(path)
                break
            except OSError:
                with self.lock:
                    self.retried += digest is not None
        with self.lock:
            self.reads += 1
            if found != digest:
                self.wrong.append(f"{os.fsdecode(path)}: {found}, expected {digest}")


def check(sample, options, share):
    with tempfile.TemporaryDirectory() as base:
        image = str(corpus.unpack_all(sample.files, Path(base)))
        findings = lines_of(run("hash", image, "--digests", "sha256", check=(0, 4)).stdout)
        with Mounted(image, os.path.join(base, "mount"), "--jobs", "2") as mounted:
            state = Check(expected(findings, sample, mounted), mounted)
            killer = threading.Thread(target=state.kill, args=(options.kill_every,))
            end = time.monotonic() + share
            readers = [threading.Thread(target=state.read, args=(end, number)) for number in range(options.readers)]
            for thread in (killer, *readers):
                thread.start()
            for reader in readers:
                reader.join()
            state.done.set()
            killer.join()
            if mounted.process.poll() is not None:
                state.wrong.append(f"the mount ended: {mounted.process.returncode}")
    print(f"{sample.id:32} {len(state.wanted):6} files {state.reads:8} reads {state.kills:6} kills {state.retried:5} tried again"
          f" {len(state.wrong):4} wrong", flush=True)
    return state


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, default=600)
    parser.add_argument("--readers", type=int, default=8)
    parser.add_argument("--kill-every", type=float, default=0.5)
    parser.add_argument("--only", action="append", default=[])
    options = parser.parse_args(words)
    chosen = [sample for sample in corpus.samples(debian=True) if sample.opens and sample.id not in MUST_FAIL
              and (not options.only or sample.id in options.only)]
    states = [check(sample, options, options.seconds / len(chosen)) for sample in chosen]
    wrong = [line for state in states for line in state.wrong]
    print(f"{len(chosen)} images, {sum(s.reads for s in states)} reads, {sum(s.kills for s in states)} kills, "
          f"{sum(s.retried for s in states)} tried again, {len(wrong)} wrong")
    print("\n".join(wrong[:50]))
    return 1 if wrong or not states else 0


# Containers that are broken on purpose: tests/mount/loss_test.py.
MUST_FAIL = {"con-badchunk-p", "con-cut-p"}

if __name__ == "__main__":
    sys.exit(main())
