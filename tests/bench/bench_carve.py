#!/usr/bin/env python3
"""Carving beside scalpel, foremost and PhotoRec, on the same images in one run: what is found and how much of it is right
(by SHA-256, ../shared/corpora/tools/carve_score.py), and how fast. Prints Markdown.

    bench_carve.py --bin build/bin --shared ../shared --folder FOLDER [--image bench.raw] [--rounds N]
"""
import argparse, importlib.util, json, os, shutil, statistics, subprocess, time

CHALLENGES = ("carve1-contiguous", "carve2-unaligned", "carve3-frag2", "carve4-damaged", "carve5-nested")


def quiet(*words, cwd=None):
    subprocess.run(words, cwd=cwd, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=False)


def scalpel(image, out, shared):
    quiet("scalpel", "-c", os.path.join(shared, "peers", "scalpel_case.conf"), "-o", out, image)


def foremost(image, out, _shared):
    quiet("foremost", "-Q", "-t", "all", "-o", out, "-i", image)


def photorec(options):
    def run(image, out, _shared):
        quiet("photorec", "/d", os.path.join(out, "r"), "/cmd", image, "partition_none,fileopt,everything,enable," + options + "search",
              cwd=os.path.dirname(out))
    return run


def exhibit(binary):
    def run(image, out, _shared):
        quiet(os.path.join(binary, "exhibit"), "carve", image, "--json", "--out", out)
    return run


def load_score(shared):
    spec = importlib.util.spec_from_file_location("carve_score", os.path.join(shared, "corpora", "tools", "carve_score.py"))
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module.score


def challenges(shared, folder, carvers):
    score = load_score(shared)
    print("| challenge | " + " | ".join(carvers) + " |\n| --- |" + " --- |" * len(carvers))
    for name in CHALLENGES:
        cells = []
        for carver, run in carvers.items():
            out = os.path.join(folder, "carved")
            shutil.rmtree(out, ignore_errors=True)
            if "PhotoRec" in carver:
                os.makedirs(out)
            run(os.path.join(shared, "corpora", "carving", name + ".img"), out, shared)
            result = score(os.path.join(shared, "corpora", "carving", name + ".truth.jsonl"), out)
            cells.append(f"{result['recall']} / {result['precision']}")
        print(f"| {name} | " + " | ".join(cells) + " |", flush=True)


def tiers(binary, shared):
    """What `validated` holds beside whole items, and that every damaged file is spoken of."""
    print("\n| challenge | validated, of them true | plausible, of them true | parts, of them listed | damaged files with a located doubt |\n| --- | --- | --- | --- | --- |")
    for name in CHALLENGES:
        truth = [json.loads(line) for line in open(os.path.join(shared, "corpora", "carving", name + ".truth.jsonl"), encoding="utf-8")]
        true = {record["sha256"] for record in truth if record.get("recoverable") in ("full", "embedded")}
        done = subprocess.run([os.path.join(binary, "exhibit"), "carve", os.path.join(shared, "corpora", "carving", name + ".img"), "--json"],
                              capture_output=True, check=False)
        items = [record for record in map(json.loads, done.stdout.splitlines()) if record["record"] == "item"]
        cells = []
        for tier in ("validated", "plausible"):
            found = [item for item in items if item["tier"] == tier and "parent" not in item]
            cells.append(f"{len(found)}, {sum(item['digests']['sha256'] in true for item in found)}")
        parts = [item["digests"]["sha256"] for item in items if "parent" in item]
        listed = {record["sha256"] for record in truth if record.get("recoverable") == "embedded"}
        cells.append(f"{len(parts)}, {len([digest for digest in parts if digest in listed])} of {sum(record.get('recoverable') == 'embedded' for record in truth)}")
        damaged = [record for record in truth if record.get("recoverable") == "partial"]
        told = sum(any(item.get("doubt") and any(offset < e["offset"] + e["length"] and e["offset"] < offset + length
                                                 for offset, length in item["extents"] for e in record["extents"])
                       for item in items) for record in damaged)
        print(f"| {name} | {' | '.join(cells)} | {told} of {len(damaged)} |")


def seconds(run, image, out, shared):
    shutil.rmtree(out, ignore_errors=True)
    begun = time.monotonic()
    run(image, out, shared)
    taken = time.monotonic() - begun
    shutil.rmtree(out, ignore_errors=True)
    return taken


def speed(image, binary, shared, folder, rounds):
    def ours(where):
        return lambda path, _out, _shared: quiet(os.path.join(binary, "exhibit"), "carve", path, "--json", "--where", where)

    contestants = {"scalpel 1.60, 8 types": scalpel,
                   "foremost, 5 types": lambda path, out, _: quiet("foremost", "-Q", "-t", "jpg,gif,png,pdf,zip", "-w", "-o", out, "-i", path),
                   "exhibit, whole medium, all types": ours("all"),
                   "exhibit, what no file holds": ours("unallocated,slack,gaps")}
    times = {name: [] for name in contestants}
    for _ in range(rounds):
        for name, run in contestants.items():
            times[name].append(seconds(run, image, os.path.join(folder, "carved"), shared))
    size = os.path.getsize(image)
    print("\n| carver | s | MB/s |\n| --- | --- | --- |")
    for name, taken in times.items():
        median = statistics.median(taken)
        print(f"| {name} | {median:.1f} | {size / median / 1e6:.0f} |", flush=True)


def in_sweep(image, binary, folder, rounds):
    times = {"on": [], "off": []}
    for _ in range(rounds):
        for carve in times:
            case = os.path.join(folder, "carve-case")
            shutil.rmtree(case, ignore_errors=True)
            begun = time.monotonic()
            quiet(os.path.join(binary, "exhibit"), "process", image, "--case", case, "--carve", carve)
            times[carve].append(time.monotonic() - begun)
            shutil.rmtree(case, ignore_errors=True)
    on, off = statistics.median(times["on"]), statistics.median(times["off"])
    print(f"\n`process` with carving {on:.1f} s, without {off:.1f} s: carving is {100 * (on - off) / on:.0f} % of it")


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--bin", required=True)
    parser.add_argument("--shared", required=True)
    parser.add_argument("--folder", required=True)
    parser.add_argument("--image")
    parser.add_argument("--rounds", type=int, default=3)
    given = parser.parse_args()
    binary, shared, folder = map(os.path.abspath, (given.bin, given.shared, given.folder))
    os.makedirs(folder, exist_ok=True)
    challenges(shared, folder, {"scalpel": scalpel, "foremost": foremost, "PhotoRec": photorec(""),
                                "PhotoRec, brute force": photorec("options,paranoid_bf,"), "exhibit": exhibit(binary)})
    tiers(binary, shared)
    if given.image:
        speed(os.path.abspath(given.image), binary, shared, folder, given.rounds)
        e01 = os.path.splitext(os.path.abspath(given.image))[0] + ".E01"
        if os.path.exists(e01):
            in_sweep(e01, binary, folder, given.rounds)


if __name__ == "__main__":
    main()
