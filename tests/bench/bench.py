#!/usr/bin/env python3
"""make bench: Exhibit and its peers over the same work in alternation, and both against what this machine can do.

    bench.py --bin build/bin --shared ../shared --folder /var/tmp/exhibit-bench --out build/bench
             [--rounds 3] [--parts pipeline,verify,list,items,limits,memory] [--image RAW] [--hashes 1000000]

Needs root (images are mounted) and about 25 GB in the folder, which is kept for the next run. Everything that is read
is read once before the clock starts, so that all sides find it in the page cache. Writes results.json and table.md."""
import argparse, hashlib, json, os, shutil, statistics, subprocess, sys, time
import peers
from material import Material
from measure import measured

ARCHIVES = ", archives opened too"  # which no peer does
PARTS = ("pipeline", "verify", "list", "items", "limits", "memory")
GiB = 1 << 30


class Bench:
    def __init__(self, options):
        self.options = options
        self.exhibit = os.path.join(os.path.abspath(options.bin), "exhibit")
        self.limits_program = os.path.join(os.path.abspath(options.bin), "bench_limits")
        self.shared = os.path.abspath(options.shared)
        self.material = Material(options.folder, self.shared, self.exhibit, options.image)
        self.case = self.material.path("case")
        self.results = {"machine": machine(), "rounds": options.rounds, "hashes": options.hashes}
        self.rows = []
        usage = subprocess.run([self.exhibit, "process", "--help"], capture_output=True, text=True).stdout
        self.has_prefilter = "--prefilter" in usage
        self.has_media_only = "--media" in subprocess.run([self.exhibit, "hash", "--help"], capture_output=True, text=True).stdout

    # ---- running

    def process(self, image, *words, memory="rss", expected=(0, 4)):
        """One run of `exhibit process` into a new case: its cost and the SHA-256 of its findings."""
        shutil.rmtree(self.case, ignore_errors=True)
        cost = measured([self.exhibit, "process", image, "--case", self.case, "--progress", "never", *words], memory)
        if cost.status not in expected:
            raise SystemExit(f"bench: exhibit process {image} {' '.join(words)}: exit {cost.status}\n{cost.errors[-2000:]}")
        digest = file_sha256(os.path.join(self.case, "findings", "E1.jsonl"))
        return cost, digest

    def alternate(self, contestants):
        """Runs each of {name: call that gives a Cost} in turn, round after round; {name: [Cost]}."""
        costs = {name: [] for name in contestants}
        for number in range(self.options.rounds):
            for name, call in contestants.items():
                costs[name].append(call())
                say(f"  round {number + 1}: {name:34} {costs[name][-1].seconds:8.2f} s  "
                    f"cpu {costs[name][-1].cpu_seconds:7.1f} s  peak {costs[name][-1].peak_bytes / GiB:.2f} GiB")
        return costs

    def row(self, part, work, values):
        self.rows.append((part, work, values))
        self.results.setdefault(part, {})[work] = values

    # ---- parts

    def pipeline(self):
        raw, e01, sets = self.material.raw(), self.material.e01(), self.material.hash_set(self.options.hashes)
        ten, large = self.material.ten_rules(), self.material.large_rules()
        compiled = {"ten": self.material.compiled(ten, "ten"), "large": self.material.compiled(large, "large")}
        stages, findings = {"large": [], "ten": []}, {}

        def peer(pack, carver):
            cost, took = peers.run(self.shared, e01, self.material.path("peers"), compiled[pack], sets, carver)
            stages[pack].append(took)
            return cost

        def ours(name, *words):
            cost, digest = self.process(e01, "--hashset", sets, *words)
            if findings.setdefault(name, digest) != digest:
                raise SystemExit(f"bench: {name}: two runs, two findings")
            return cost

        switch = ("--prefilter", "off") if self.has_prefilter else ()
        works = {"without YARA": ("none",), "large pack, prefilter off": ("off", "--rules", large, *switch),
                 "ten rules": ("ten", "--rules", ten)}
        if self.has_prefilter:
            works["large pack, prefilter on"] = ("on", "--rules", large, "--prefilter", "on")
        contestants = {"peers, large pack, scalpel": lambda: peer("large", "scalpel"),
                       "peers, ten rules, foremost": lambda: peer("ten", "foremost")}
        for work, (name, *words) in works.items():
            # The peers open no archive: the same work is without. What Exhibit does by default is told beside it.
            contestants["ours, " + work] = lambda name=name, words=words: ours(name + "-closed", *words, "--expand", "off")
            contestants["ours, " + work + ARCHIVES] = lambda name=name, words=words: ours(name, *words)
        warm(e01, raw)
        costs = self.alternate(contestants)
        if self.has_prefilter:
            same = all(findings["on" + each] == findings["off" + each] for each in ("", "-closed"))
            say("" if same else "  WRONG: the findings with and without the prefilter differ")
            self.results["same_findings_with_prefilter"] = same

        size = os.path.getsize(raw)
        self.peer_stages(stages, size)
        plan = [("without YARA (scalpel)", "ours, without YARA", "large", peers.YARA),
                ("ten rules (foremost)", "ours, ten rules", "ten", ()),
                ("large pack, prefilter off", "ours, large pack, prefilter off", "large", ()),
                ("large pack, prefilter on", "ours, large pack, prefilter on", "large", ())]
        plan += [(work + ARCHIVES, name + ARCHIVES, pack, without) for work, name, pack, without in plan]
        for work, name, pack, without in plan:
            if name not in costs:
                say(f"  {work}: skipped, this exhibit has no --prefilter")
                continue
            whole = statistics.median(peers.seconds(each, without) for each in stages[pack])
            carveless = statistics.median(peers.seconds(each, without + peers.CARVING) for each in stages[pack])
            mine = summary(costs[name])
            self.row("pipeline", work, {**mine, "mb_per_second": size / mine["seconds"] / 1e6, "peers_seconds": whole,
                                        "peers_seconds_without_carving": carveless, "ratio": whole / mine["seconds"],
                                        "ratio_without_carving": carveless / mine["seconds"],
                                        "peers_peak_bytes": max(cost.peak_bytes for cost in costs[
                                            "peers, large pack, scalpel" if pack == "large" else "peers, ten rules, foremost"])})

    def peer_stages(self, stages, size):
        for pack, runs in stages.items():
            table = {name: statistics.median(run[name] for run in runs) for name in runs[0]}
            self.results.setdefault("peer_stages", {})[pack] = table
            say(f"  peers' stages, {pack} (median; MB of the medium a second):")
            for name, took in table.items():
                say(f"    {name:46} {took:8.2f} s {size / max(took, 0.01) / 1e6:9.0f} MB/s")

    def verify(self):
        if self.has_media_only:
            e01, ours = self.material.e01(), None
            ours = lambda: checked(measured([self.exhibit, "hash", e01, "--media"]))
            how = "exhibit hash --media"
        else:
            e01 = self.material.shapeless_e01()
            ours = lambda: self.process(e01)[0]
            how = "exhibit process of a medium without a file system"
        warm(e01)
        say(f"  ours: {how}")
        costs = self.alternate({"ewfverify, md5 sha1 sha256": lambda: checked(measured(["ewfverify", "-q", "-d", "sha1,sha256", e01])),
                                "ours": ours})
        self.compare("verify", "E01, three digests", costs["ours"], costs["ewfverify, md5 sha1 sha256"], how=how)

    def list(self):
        raw, e01 = self.material.raw(), self.material.e01()
        warm(raw, e01)
        for image in (raw, e01):
            kind = image.rpartition(".")[2]
            listed = self.material.path("listed")
            script = ('mmls -a "$1" | awk \'$1 ~ /:$/ {print $3+0}\' | while read -r at; do fls -rp -o "$at" "$1"; done')
            walk = lambda words: lambda: into(listed, words)
            costs = self.alternate({f"fls -rp, {kind}": walk(["bash", "-c", script, "-", image]),
                                    f"exhibit list, {kind}": walk([self.exhibit, "list", image, "--progress", "never"])})
            self.compare("list", kind, costs[f"exhibit list, {kind}"], costs[f"fls -rp, {kind}"])

    def items(self):
        counts = [int(each) for each in self.options.items.split(",")]
        for count in counts:
            image = self.material.many_files(count)
            warm(image)
            cost, _ = self.process(image)
            listed = checked(measured([self.exhibit, "list", image, "--progress", "never"]))
            say(f"  {count} files: process {cost.seconds:.1f} s, list {listed.seconds:.1f} s")
            self.row("items", f"{count} files", {
                "seconds": cost.seconds, "microseconds_an_item": cost.seconds * 1e6 / count,
                "cpu_microseconds_an_item": cost.cpu_seconds * 1e6 / count,
                "list_microseconds_an_item": listed.seconds * 1e6 / count,
                "coordinator_peak_bytes": cost.root_peak_bytes, "peak_bytes": cost.peak_bytes})

    def limits(self):
        """Each part alone on one core; their sum over the cores is the limit of the whole."""
        raw, e01 = self.material.raw(), self.material.e01()
        warm(raw, e01)
        items, scanned = self.contents(raw)
        alone = {"read": ("read", e01), "inflate": ("inflate", e01), "medium's digests": ("medium", raw),
                 "block digests": ("blocks", raw), "items' digests": ("items", raw, items)}
        every = self.options.scan_every
        alone["scan, ten rules"] = ("scan", raw, scanned, self.material.ten_rules(), "1")
        alone["scan, large pack"] = ("scan", raw, scanned, self.material.large_rules(), str(every))
        took = {}
        for name, words in alone.items():
            done = subprocess.run([self.limits_program, *words], capture_output=True, text=True)
            if done.returncode != 0:
                raise SystemExit(f"bench: bench_limits {words[0]}: {done.stderr}")
            size, seconds = done.stdout.split()
            rate = int(size) / float(seconds)
            took[name] = float(seconds)
            if name == "scan, large pack":  # a sample stands for the whole
                took[name] = list_size(scanned) / rate
            say(f"  {name:20} {took[name]:8.2f} s alone on one core  {rate / 1e6:8.0f} MB/s")
            self.row("limits", name, {"seconds": took[name], "mb_per_second": rate / 1e6})
        base = sum(seconds for name, seconds in took.items() if not name.startswith("scan"))
        cores = os.cpu_count()
        whole = {"without YARA (scalpel)": base, "ten rules (foremost)": base + took["scan, ten rules"],
                 "large pack, prefilter off": base + took["scan, large pack"],
                 "large pack, prefilter on": base}  # candidates free: the search for them isn't counted
        for work, seconds in whole.items():
            # The medium's digests are one chain: no number of cores makes it shorter.
            limit = max(seconds / cores, took["medium's digests"])
            ours = self.results.get("pipeline", {}).get(work, {}).get("seconds")
            if ours is None and work == "without YARA (scalpel)":
                ours = min(self.process(e01, "--expand", "off")[0].seconds for _ in range(self.options.rounds))
            values = {"limit_seconds": limit, "ours_seconds": ours, "of_the_limit": limit / ours if ours else None}
            self.row("of the limit", work, values)
            say(f"  {work:28} limit of {cores} cores {limit:7.2f} s" + (f", ours {ours:.2f} s: {100 * limit / ours:.0f} %" if ours else ""))

    def contents(self, raw):
        """Two lists of extents out of our own findings: contents that are digested, each once; and those with what no
        item holds besides, which is what rules are looked for in."""
        self.process(raw)
        with open(os.path.join(self.case, "findings", "E1.jsonl"), encoding="utf-8") as findings:
            records = [json.loads(line) for line in findings]
        start = {record["id"]: record["offset"] for record in records if record["record"] == "volume"}
        # Each content once: hard links and duplicated entries have the same extents.
        contents = {tuple(pieces_on_medium(record, start[record["volume"]])) for record in records
                    if record["record"] == "item" and "digests" in record and "extents" in record}
        contents = sorted(content for content in contents if content)
        items, scanned = self.material.path("items.extents"), self.material.path("scanned.extents")
        write_extents(items, contents)
        write_extents(scanned, contents + [(piece,) for piece in between(contents, os.path.getsize(raw))])
        return items, scanned

    def memory(self):
        e01, large = self.material.e01(), self.material.large_rules()
        warm(e01)
        for title, words in (("without rules", ()), ("large pack", ("--rules", large))):
            known = None
            for more in ((), ("--memory", "256M"), ("--memory", "8G", "--jobs", "1"), ("--memory", "8G", "--jobs", "8")):
                if title == "large pack" and "--jobs" in more:
                    continue
                cost, digest = self.process(e01, *words, *more, memory="pss", expected=(0, 1, 4))
                same = digest == (known := known or digest)
                name = f"{title}, {' '.join(more) or 'default'}"
                self.row("memory", name, {"peak_bytes": cost.peak_bytes, "coordinator_peak_bytes": cost.root_peak_bytes,
                                          "seconds": cost.seconds, "exit": cost.status, "same_findings": same})
                say(f"  {name:38} peak {cost.peak_bytes >> 20} MiB, coordinator {cost.root_peak_bytes >> 20} MiB, "
                    f"exit {cost.status}, {'same findings' if same else 'WRONG: OTHER FINDINGS'}")

    # ---- telling

    def compare(self, part, work, ours, theirs, **more):
        mine, other = summary(ours), summary(theirs)
        self.row(part, work, {**mine, "peers_seconds": other["seconds"], "peers_peak_bytes": other["peak_bytes"],
                              "ratio": other["seconds"] / mine["seconds"], **more})

    def write(self):
        os.makedirs(self.options.out, exist_ok=True)
        with open(os.path.join(self.options.out, "results.json"), "w", encoding="utf-8") as file:
            json.dump(self.results, file, indent=1, sort_keys=True)
        text = table(self.results, self.rows)
        with open(os.path.join(self.options.out, "table.md"), "w", encoding="utf-8") as file:
            file.write(text)
        return text

    def run(self):
        text = ""
        # limits compares with the pipeline of the same run, so it goes after it.
        for part in PARTS:
            if part in self.options.parts:
                say(f"{part}:")
                getattr(self, part)()
                text = self.write()  # after each part: a later one that fails takes nothing away
        say("\n" + text)
        shutil.rmtree(self.case, ignore_errors=True)


def say(text):
    print(text, flush=True)


def machine():
    with open("/proc/cpuinfo", encoding="utf-8") as file:
        model = next((line.partition(":")[2].strip() for line in file if line.startswith("model name")), "?")
    return {"processor": model, "cores": os.cpu_count(), "load_at_start": os.getloadavg()[0], "time": time.strftime("%Y-%m-%d %H:%M:%SZ", time.gmtime())}


def file_sha256(path):
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def warm(*paths):
    for path in paths:
        with open(path, "rb", buffering=0) as file:
            while file.read(1 << 22):
                pass


def pieces_on_medium(item, start):
    """Where on the medium an item's content lies: extents are the volume's, cut to the item's size; -1 is sparse."""
    left = item["size"]
    for offset, length in item["extents"]:
        if offset >= 0 and left > 0:
            yield start + offset, min(length, left)
        left -= length


def between(contents, end):
    """What no content holds, up to `end`."""
    at = 0
    for offset, length in sorted(piece for content in contents for piece in content):
        if offset > at:
            yield at, offset - at
        at = max(at, offset + length)
    if at < end:
        yield at, end - at


def write_extents(path, contents):
    with open(path, "w", encoding="ascii") as file:
        file.writelines(" ".join(f"{offset} {length}" for offset, length in content) + "\n" for content in contents)


def checked(cost):
    if cost.status not in (0, 4):
        raise SystemExit(f"bench: exit {cost.status}\n{cost.errors[-2000:]}")
    return cost


def into(path, words):
    with open(path, "wb") as output:
        return checked(measured(words, output=output))


def list_size(path):
    with open(path, encoding="ascii") as file:
        return sum(sum(map(int, line.split()[1::2])) for line in file)


def summary(costs):
    return {"seconds": statistics.median(cost.seconds for cost in costs), "all_seconds": [round(cost.seconds, 3) for cost in costs],
            "cpu_seconds": statistics.median(cost.cpu_seconds for cost in costs),
            "coordinator_cpu_seconds": statistics.median(cost.root_cpu_seconds for cost in costs),
            "peak_bytes": max(cost.peak_bytes for cost in costs), "coordinator_peak_bytes": max(cost.root_peak_bytes for cost in costs)}


HEADINGS = {
    "pipeline": ("work | peers, s | peers without carving, s | ours, s | MB/s | times faster | same, without their carving | ours, cpu s | peak, GiB ours / peers",
                 lambda v: (f"{v['peers_seconds']:.1f}", f"{v['peers_seconds_without_carving']:.1f}", f"{v['seconds']:.2f}", f"{v['mb_per_second']:.0f}",
                            f"{v['ratio']:.2f}", f"{v['ratio_without_carving']:.2f}", f"{v['cpu_seconds']:.1f}", f"{v['peak_bytes'] / GiB:.2f} / {v['peers_peak_bytes'] / GiB:.2f}")),
    "verify": ("work | ewfverify, s | ours, s | times faster | ours, cpu s",
               lambda v: (f"{v['peers_seconds']:.2f}", f"{v['seconds']:.2f}", f"{v['ratio']:.2f}", f"{v['cpu_seconds']:.1f}")),
    "list": ("image | fls -rp, s | exhibit list, s | times faster | ours, cpu s",
             lambda v: (f"{v['peers_seconds']:.2f}", f"{v['seconds']:.2f}", f"{v['ratio']:.2f}", f"{v['cpu_seconds']:.1f}")),
    "items": ("files | process, µs an item | processor, µs an item | list, µs an item | peak, MiB coordinator / all",
              lambda v: (f"{v['microseconds_an_item']:.0f}", f"{v['cpu_microseconds_an_item']:.0f}", f"{v['list_microseconds_an_item']:.0f}",
                         f"{v['coordinator_peak_bytes'] >> 20} / {v['peak_bytes'] >> 20}")),
    "limits": ("alone on one core | s | MB/s", lambda v: (f"{v['seconds']:.2f}", f"{v['mb_per_second']:.0f}")),
    "of the limit": ("work | limit, s | ours, s | ours of the limit, %",
                     lambda v: (f"{v['limit_seconds']:.2f}", f"{v['ours_seconds']:.2f}" if v["ours_seconds"] else "–",
                                f"{100 * v['of_the_limit']:.0f}" if v["of_the_limit"] else "–")),
    "memory": ("run | peak of all, MiB (PSS) | coordinator, MiB | s | exit | findings",
               lambda v: (str(v["peak_bytes"] >> 20), str(v["coordinator_peak_bytes"] >> 20), f"{v['seconds']:.1f}", str(v["exit"]),
                          "same" if v["same_findings"] else "**other**")),
}


def table(results, rows):
    lines = [f"Machine: {results['machine']['processor']}, {results['machine']['cores']} cores, {results['machine']['time']}, load at start "
             f"{results['machine']['load_at_start']:.1f}. Rounds: {results['rounds']}, medians. Hash set: {results['hashes']:,} MD5 on both sides."]
    for part, (heading, cells) in HEADINGS.items():
        of_part = [(work, values) for name, work, values in rows if name == part]
        if not of_part:
            continue
        lines += ["", f"### {part}", "", f"| {heading} |", "|" + " --- |" * (heading.count("|") + 1)]
        lines += [f"| {' | '.join((work, *cells(values)))} |" for work, values in of_part]
        if part == "pipeline":
            lines += ["", "Exhibit carves in its time, as the peers do in theirs; archives stay closed but where a row says otherwise. The second ratio leaves out only the peers' carving. "
                          "Memory is the sum of resident sets (statm, 20 Hz)."]
    return "\n".join(lines) + "\n"


def arguments():
    parser = argparse.ArgumentParser(description="Exhibit against its peers and against the machine")
    parser.add_argument("--bin", default="build/bin")
    parser.add_argument("--shared", default="../shared")
    parser.add_argument("--folder", default="/var/tmp/exhibit-bench", help="images, packs and sets are kept here")
    parser.add_argument("--out", default="build/bench")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--parts", type=lambda text: text.split(","), default=list(PARTS))
    parser.add_argument("--image", default="", help="a bench image that is there already (an E01 beside it is taken too)")
    # 10 million, as the peers have, take Exhibit 3.6 s of one core to read as text; bench_hashset.py is about the index.
    parser.add_argument("--hashes", type=int, default=1_000_000)
    parser.add_argument("--items", default="10000,100000,1000000")
    parser.add_argument("--scan-every", type=int, default=16, help="the large pack's limit is taken from every Nth content")
    options = parser.parse_args()
    unknown = set(options.parts) - set(PARTS)
    if unknown:
        parser.error(f"--parts: {', '.join(sorted(unknown))}: there are {', '.join(PARTS)}")
    return options


if __name__ == "__main__":
    Bench(arguments()).run()
