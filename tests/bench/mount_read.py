#!/usr/bin/env python3
"""How fast a mount reads a large file, beside `exhibit cat` of the same file: ratios of one run.

Usage: mount_read.py BIN IMAGE FILE [--rounds 7]      FILE: below the mount, as p0/large.bin

Both read into nothing, by turns, and the evidence is in the machine's memory before; the mount's pages are dropped each
time. Wall time is disturbed by whatever else runs; processor time counts all processes that take part.
"""
import argparse, os, resource, statistics, subprocess, sys, tempfile, time

CLOCK = os.sysconf("SC_CLK_TCK")


def processes(parent):
    """The mount and its workers."""
    found = [parent]
    for thread in os.listdir(f"/proc/{parent}/task"):
        with open(f"/proc/{parent}/task/{thread}/children", encoding="ascii") as children:
            found += [int(word) for word in children.read().split()]
    return found


def processor_seconds(pids):
    total = 0
    for pid in pids:
        with open(f"/proc/{pid}/stat", encoding="ascii") as file:
            fields = file.read().rsplit(")", 1)[1].split()
        total += (int(fields[11]) + int(fields[12])) / CLOCK
    return total


def timed(words, others=()):
    """(wall, processor) seconds of a command and of what works for it."""
    before, used = resource.getrusage(resource.RUSAGE_CHILDREN), processor_seconds(others)
    start = time.monotonic()
    subprocess.run(words, stdout=subprocess.DEVNULL, check=True)
    wall = time.monotonic() - start
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    own = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return wall, own + processor_seconds(others) - used


def drop(path):
    fd = os.open(path, os.O_RDONLY)
    os.posix_fadvise(fd, 0, 0, os.POSIX_FADV_DONTNEED)
    os.close(fd)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("bin")
    parser.add_argument("image")
    parser.add_argument("file")
    parser.add_argument("--rounds", type=int, default=7)
    options = parser.parse_args()
    exhibit = os.path.join(options.bin, "exhibit")
    with tempfile.TemporaryDirectory() as folder:
        mount = subprocess.Popen([exhibit, "mount", "--foreground", options.image, folder], stderr=subprocess.PIPE)
        while b"mounted on" not in mount.stderr.readline():
            assert mount.poll() is None
        path = os.path.join(folder, options.file)
        item = os.getxattr(path, "user.exhibit.id").decode()
        rows = {"cat": [], "mount": []}
        for number in range(options.rounds + 1):
            drop(path)
            first = {"cat": timed([exhibit, "cat", options.image, "--item", item]),
                     "mount": timed(["cat", path], processes(mount.pid))}
            for name, row in first.items():
                if number > 0:  # the first fills the machine's memory
                    rows[name].append(row)
        size = os.stat(path).st_size
        subprocess.run([exhibit, "unmount", folder], check=True)
        mount.wait()
    for name, measured in rows.items():
        walls, processors = zip(*measured)
        print(f"{name:6} wall: median {statistics.median(walls):.3f} s, best {min(walls):.3f} s ({size / min(walls) / 2**20:.0f} MiB/s)"
              f"; processor: median {statistics.median(processors):.3f} s")
    wall = [statistics.median(m[0] for m in rows["mount"]) / statistics.median(c[0] for c in rows["cat"]),
            min(m[0] for m in rows["mount"]) / min(c[0] for c in rows["cat"])]
    used = statistics.median(m[1] for m in rows["mount"]) / statistics.median(c[1] for c in rows["cat"])
    print(f"mount/cat: wall {wall[0]:.2f} by medians, {wall[1]:.2f} by the best; processor {used:.2f}")


if __name__ == "__main__":
    sys.exit(main())
