"""Runs a command and says what it cost: seconds, processor time, and the peak memory of all its processes together.

Memory is sampled 20 times a second over the command and its descendants. `rss` sums resident sets out of
/proc/PID/statm: cheap, and shared pages count once for each process, so it overstates. `pss` sums proportional sets
out of /proc/PID/smaps_rollup: exact, but the reading holds up the process, so it isn't for timed runs."""
import os, subprocess, threading, time
from dataclasses import dataclass, field

SAMPLES_A_SECOND = 20
PAGE = os.sysconf("SC_PAGE_SIZE")
TICKS = os.sysconf("SC_CLK_TCK")


@dataclass
class Cost:
    status: int = 0
    seconds: float = 0.0
    cpu_seconds: float = 0.0
    root_cpu_seconds: float = 0.0  # of the command itself, without its descendants
    peak_bytes: int = 0            # all processes together
    root_peak_bytes: int = 0       # the command itself
    errors: str = field(default="", repr=False)


def read(path):
    try:
        with open(path, encoding="ascii", errors="replace") as file:
            return file.read()
    except OSError:  # the process has ended
        return ""


def descendants(root):
    found, waiting = [], [root]
    while waiting:
        pid = waiting.pop()
        found.append(pid)
        for thread in os.listdir(f"/proc/{pid}/task") if os.path.isdir(f"/proc/{pid}/task") else ():
            waiting += [int(child) for child in read(f"/proc/{pid}/task/{thread}/children").split()]
    return found


def resident(pid):
    fields = read(f"/proc/{pid}/statm").split()
    return int(fields[1]) * PAGE if len(fields) > 1 else 0


def proportional(pid):
    for line in read(f"/proc/{pid}/smaps_rollup").splitlines():
        if line.startswith("Pss:"):
            return int(line.split()[1]) * 1024
    return 0


def own_cpu(pid):
    fields = read(f"/proc/{pid}/stat").rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / TICKS if len(fields) > 12 else 0.0


class Sampler(threading.Thread):
    def __init__(self, root, memory, samples_a_second):
        super().__init__(daemon=True)
        self.root, self.memory, self.pause = root, memory, 1 / samples_a_second
        self.peak = self.root_peak = 0
        self.root_cpu = 0.0
        self.ended = threading.Event()

    def run(self):
        while not self.ended.wait(self.pause):
            sizes = {}
            for pid in descendants(self.root):
                try:
                    sizes[pid] = self.memory(pid)
                except OSError:
                    continue
            self.peak = max(self.peak, sum(sizes.values()))
            self.root_peak = max(self.root_peak, sizes.get(self.root, 0))
            self.root_cpu = max(self.root_cpu, own_cpu(self.root))


def measured(words, memory="rss", samples_a_second=SAMPLES_A_SECOND, output=subprocess.DEVNULL, **options):
    """`words`: the command; `output`: where its standard output goes. Other options are Popen's."""
    begin = time.monotonic()
    process = subprocess.Popen(words, stdout=output, stderr=subprocess.PIPE, **options)
    sampler = Sampler(process.pid, {"rss": resident, "pss": proportional}[memory], samples_a_second)
    sampler.start()
    errors = process.stderr.read()
    _, status, usage = os.wait4(process.pid, 0)
    seconds = time.monotonic() - begin
    process.returncode = os.waitstatus_to_exitcode(status)
    process.stderr.close()
    sampler.ended.set()
    sampler.join()
    return Cost(process.returncode, seconds, usage.ru_utime + usage.ru_stime, sampler.root_cpu, sampler.peak,
                sampler.root_peak, errors.decode(errors="replace"))
