#!/usr/bin/env python3
"""Processes damaged images, thousands of them, and checks what must hold of each. See README.md.

    campaign.py --exhibit build/bin/exhibit --count 20000 [--seed S] [--jobs N] [--keep FOLDER]
    campaign.py --exhibit build/bin/exhibit --only S:1234          one image again, kept
"""
import argparse
import json
import os
import random
import shlex
import shutil
import subprocess
import sys
import tempfile
import time
from collections import Counter, defaultdict
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from types import SimpleNamespace

import bases
import checks
import mutations

WALL_SECONDS = 120  # of one run; an object has OBJECT_SECONDS, and few of an image's objects can hang
OBJECT_SECONDS = 3
CEILING = 512 << 20
RULES = """rule campaign_text { strings: $a = "campaign" nocase $b = { 66 69 6C 65 ?? 30 } condition: any of them }
rule campaign_start { condition: uint16(0) == 0xF30A or filesize == 512 }
"""
CAMPAIGN = None  # set before the processes are forked, which so share the bases


class Runner:
    """A process's helper that runs and measures commands."""

    def __init__(self):
        words = [sys.executable, "-B", str(Path(__file__).with_name("runner.py"))]
        self.helper = subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def __call__(self, command):
        self.helper.stdin.write(json.dumps({"command": list(map(str, command)), "seconds": WALL_SECONDS}) + "\n")
        self.helper.stdin.flush()
        return SimpleNamespace(**json.loads(self.helper.stdout.readline()))


class Campaign:
    def __init__(self, arguments, folder):
        self.exhibit, self.seed, self.keep = Path(arguments.exhibit).resolve(), arguments.seed, Path(arguments.keep)
        self.always_keep = arguments.only is not None
        self.folder = Path(folder)
        (self.folder / "bases").mkdir()
        (self.folder / "campaign.yar").write_text(RULES, encoding="ascii")
        self.bases = bases.all_bases(self.folder / "bases")
        shutil.rmtree(self.folder / "bases")
        self.by_type = defaultdict(list)
        for base in self.bases:
            self.by_type[base.type].append(base)
        (self.folder / "learned").mkdir()
        self.runner = None  # of this process

    def run(self, words):
        if self.runner is None:
            self.runner = Runner()
        return self.runner(words)

    def command(self, rng, files, case):
        """The command line, its ceiling and its workers; a share of the runs with rules, two workers, little memory."""
        memory = rng.choice([CEILING] * 4 + [256 << 20])
        jobs = rng.choice([1] * 6 + [2])
        words = [self.exhibit, "process", files[0], "--case", case, "--jobs", jobs, "--memory", memory, "--progress", "never",
                 "--object-seconds", OBJECT_SECONDS]
        if rng.random() < 0.1:
            words += ["--rules", self.folder / "campaign.yar"]
        return list(map(str, words)), memory, jobs

    def write(self, place, files):
        place.mkdir(parents=True)
        for name, data in files:
            with open(place / name, "wb") as out:
                for start in range(0, len(data), 1 << 16):  # holes instead of zeros
                    block = data[start:start + (1 << 16)]
                    if block.count(0) != len(block):
                        out.seek(start)
                        out.write(block)
                out.truncate(len(data))
        return [place / name for name, _ in files]

    def learn(self, base):
        """What is found in the undamaged image, which whoever needs it first looks up for all."""
        if base.findings:
            return
        kept = self.folder / "learned" / (base.name + ".json")
        if not kept.exists():
            place = self.folder / f"base-{os.getpid()}"
            files = self.write(place, base.files)
            self.run([self.exhibit, "process", files[0], "--case", place / "case", "--jobs", "1", "--progress", "never"])
            new = kept.with_suffix(f".{os.getpid()}")
            new.write_text(json.dumps(checks.learn(place / "case")), encoding="utf-8")
            new.rename(kept)
            shutil.rmtree(place)
        base.findings = json.loads(kept.read_text(encoding="utf-8"))

    def damaged(self, index):
        """One image: everything about it follows from the seed and the index."""
        rng = random.Random(f"{self.seed}:{index}")
        base = rng.choice(self.by_type[rng.choice(sorted(self.by_type))])
        self.learn(base)
        kind, what, draft = mutations.damage(rng, base, self.bases)
        place = self.folder / f"{index}"
        files = self.write(place, draft.files)
        words, memory, jobs = self.command(rng, files, place / "case")
        run = self.run(words)
        verdict = checks.check(base, draft, run, place / "case", memory, jobs)
        row = {"seed": f"{self.seed}:{index}", "kind": kind, "type": base.type, "base": base.name, "what": what, "code": run.code,
               "seconds": run.seconds, "largest": run.largest, "together": run.together, "problems": verdict.problems, "causes": verdict.causes,
               "failures": verdict.failures, "command": shlex.join(words),
               "crashes": checks.crash_notes(place / "case") if verdict.causes.keys() & {"crash", "timeout", "memory-limit"} else []}
        if verdict.failures or self.always_keep:
            kept = self.keep / f"{self.seed}-{index}"
            shutil.rmtree(kept, ignore_errors=True)
            shutil.copytree(place, kept)
            row["command"] = row["command"].replace(str(place), str(kept)).replace(str(self.folder / "campaign.yar"), str(kept / "campaign.yar"))
            (kept / "campaign.yar").write_text(RULES, encoding="ascii")
            (kept / "row.json").write_text(json.dumps(row, indent=1), encoding="utf-8")
        shutil.rmtree(place)
        return row


def damaged(index):
    try:
        return CAMPAIGN.damaged(index)
    except Exception as error:  # a fault of the campaign itself: it must not pass for a good run
        return {"seed": f"{CAMPAIGN.seed}:{index}", "kind": "campaign", "type": "fault", "base": "", "what": "", "code": None, "seconds": 0,
                "largest": 0, "together": 0, "problems": 0, "causes": {}, "failures": [f"campaign: {error!r}"], "command": "", "crashes": []}


# ---------------------------------------------------------------- telling


def table(rows, key):
    lines = [f"{key:<24}{'runs':>7}{'exit 0':>8}{'1':>7}{'3':>7}{'4':>7}{'other':>7}{'problems':>10}{'crash':>7}{'timeout':>9}{'memory':>8}"
             f"{'slowest s':>11}{'largest MiB':>13}{'all MiB':>9}{'failed':>8}"]
    groups = defaultdict(list)
    for row in rows:
        groups[row[key]].append(row)
    for name, group in [*sorted(groups.items()), ("all", rows)]:
        codes = Counter(row["code"] for row in group)
        causes = Counter()
        for row in group:
            causes.update(row["causes"])
        other = sum(n for code, n in codes.items() if code not in (0, 1, 3, 4))
        lines.append(f"{name:<24}{len(group):>7}{codes[0]:>8}{codes[1]:>7}{codes[3]:>7}{codes[4]:>7}{other:>7}{sum(r['problems'] for r in group):>10}"
                     f"{causes['crash']:>7}{causes['timeout']:>9}{causes['memory-limit']:>8}{max(r['seconds'] for r in group):>11.2f}"
                     f"{max(r['largest'] for r in group) >> 20:>13}{max(r['together'] for r in group) >> 20:>9}{sum(bool(r['failures']) for r in group):>8}")
    return "\n".join(lines)


def tell(rows, seconds):
    rows.sort(key=lambda row: int(row["seed"].rsplit(":", 1)[1]))
    print(table(rows, "kind"), "", table(rows, "type"), sep="\n")
    print(f"\n{len(rows)} images in {seconds:.0f} s")
    crashes = Counter((end, row["base"].split("-")[0] + "/" + row["type"]) for row in rows for end, _, _ in row["crashes"])
    for (end, where), count in sorted(crashes.items()):
        print(f"{count:>6} workers ended over {where}: {end}")
    for row in sorted(rows, key=lambda row: -row["seconds"])[:3]:
        print(f"slowest: {row['seconds']:.1f} s  {row['seed']}  {row['base']}  {row['kind']}")
    for row in rows:
        for failure in row["failures"]:
            print(f"FAILED {row['seed']} {row['base']} ({row['kind']}: {row['what'][:160]}): {failure}\n    {row['command']}")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--exhibit", required=True)
    parser.add_argument("--count", type=int, default=100)
    parser.add_argument("--first", type=int, default=0)
    parser.add_argument("--seed", default="exhibit")
    parser.add_argument("--only", help="SEED:INDEX as a report names it")
    parser.add_argument("--seconds", type=float, default=1e9, help="begin no image after so long")
    parser.add_argument("--jobs", type=int, default=os.cpu_count())
    parser.add_argument("--keep", default="campaign-failures", help="where failing images go")
    parser.add_argument("--json", help="a file for one line of JSON an image")
    arguments = parser.parse_args()
    indices = range(arguments.first, arguments.first + arguments.count)
    if arguments.only:
        arguments.seed, number = arguments.only.rsplit(":", 1)
        indices = range(int(number), int(number) + 1)
    global CAMPAIGN
    memory = "/dev/shm" if os.access("/dev/shm", os.W_OK) else None
    with tempfile.TemporaryDirectory(prefix="exhibit-campaign-", dir=memory) as folder:
        CAMPAIGN = Campaign(arguments, folder)
        rows = process(arguments, indices)
    return 1 if any(row["failures"] for row in rows) else 0


def process(arguments, indices):
    print(f"{len(CAMPAIGN.bases)} undamaged images: {', '.join(f'{len(of)} {kind}' for kind, of in sorted(CAMPAIGN.by_type.items()))}", flush=True)
    rows, started = [], time.monotonic()
    log = open(arguments.json, "w", encoding="utf-8") if arguments.json else None
    with ProcessPoolExecutor(arguments.jobs) as pool:
        for begin in range(0, len(indices), 64):
            if time.monotonic() - started > arguments.seconds:
                break
            for row in pool.map(damaged, indices[begin:begin + 64]):
                rows.append(row)
                if log:
                    log.write(json.dumps(row) + "\n")
    tell(rows, time.monotonic() - started)
    return rows


if __name__ == "__main__":
    sys.exit(main())
