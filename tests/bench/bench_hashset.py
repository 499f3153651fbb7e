#!/usr/bin/env python3
"""make bench-hashset: our index, hfind, SQLite and a sorted array over the same digests, in one run, on one core.

    bench_hashset.py --bin build/bin --folder /var/tmp/exhibit-bench/hashset [--counts 1000000,10000000] [--lookups 2000000]

Processor time, so that whatever else runs disturbs little. hfind and SQLite are asked for fewer digests, and scaled;
they are left out above --peers-up-to digests, where their building takes too long."""
import argparse, json, os, random, resource, sqlite3, subprocess, sys, time
from measure import measured

MiB = 1 << 20


def figures(program, *words):
    done = subprocess.run([program, *words], capture_output=True, text=True, check=True)
    return {name: float(value) for name, value in (line.split() for line in done.stdout.splitlines())}


def ours(options, program, exhibit, source, count, *more):
    index = source + "".join(more) + ".xhs"
    if os.path.exists(index):
        os.unlink(index)
    cost = measured([exhibit, "hashset", "build", source, "-o", index, "--class", "known", *more])
    assert cost.status == 0, cost.errors
    result = figures(program, "index", index, str(options.lookups))
    os.unlink(index)
    return {**result, "build_cpu_seconds": cost.cpu_seconds, "build_seconds": cost.seconds, "build_peak_mib": cost.peak_bytes / MiB,
            "built_per_cpu_second": count / cost.cpu_seconds}


def asked(source, count, wanted):
    """Digests of the list and as many that aren't in it."""
    chance, digests = random.Random(count), []
    with open(source, "rb") as lines:
        size = os.path.getsize(source)
        for _ in range(wanted // 2):
            lines.seek(chance.randrange(max(1, size - 100)))
            lines.readline()
            digests.append(lines.read(32).decode())
    return [each for each in digests if len(each) == 32] + [f"{chance.getrandbits(128):032x}" for _ in range(wanted // 2)]


def hfind(source, count, digests):
    for suffix in ("-md5.idx", "-md5.idx2"):
        if os.path.exists(source + suffix):
            os.unlink(source + suffix)
    build = measured(["hfind", "-i", "md5sum", source])
    with open(source + ".asked", "w", encoding="ascii") as file:
        file.write("\n".join(digests) + "\n")
    with open(source + ".said", "wb") as said:
        look = measured(["hfind", "-f", source + ".asked", source], output=said)
    with open(source + ".said", "rb") as said:
        found = sum(b"Hash Not Found" not in line for line in said)
    assert found >= len(digests) // 2 - 2, found
    size = sum(os.path.getsize(source + suffix) for suffix in ("-md5.idx", "-md5.idx2") if os.path.exists(source + suffix))
    for suffix in ("-md5.idx", "-md5.idx2", ".asked", ".said"):
        if os.path.exists(source + suffix):
            os.unlink(source + suffix)
    return {"lookups_per_second": len(digests) / look.cpu_seconds, "bytes_per_hash": size / count, "build_cpu_seconds": build.cpu_seconds,
            "build_seconds": build.seconds, "build_peak_mib": build.peak_bytes / MiB, "built_per_cpu_second": count / build.cpu_seconds}


def sqlite(source, count, digests):
    path = source + ".sqlite"
    if os.path.exists(path):
        os.unlink(path)
    before, begin = resource.getrusage(resource.RUSAGE_SELF), time.monotonic()
    base = sqlite3.connect(path)
    base.execute("PRAGMA journal_mode=OFF")
    base.execute("PRAGMA synchronous=OFF")
    base.execute("CREATE TABLE known(md5 BLOB PRIMARY KEY) WITHOUT ROWID")
    with open(source, "rb") as lines:
        base.executemany("INSERT OR IGNORE INTO known VALUES(?)", ((bytes.fromhex(line[:32].decode()),) for line in lines))
    base.commit()
    after, seconds = resource.getrusage(resource.RUSAGE_SELF), time.monotonic() - begin
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    start = time.process_time()
    found = sum(base.execute("SELECT 1 FROM known WHERE md5=?", (bytes.fromhex(each),)).fetchone() is not None for each in digests)
    took = time.process_time() - start
    assert found >= len(digests) // 2 - 2, found
    base.close()
    size = os.path.getsize(path)
    os.unlink(path)
    return {"lookups_per_second": len(digests) / took, "bytes_per_hash": size / count, "build_cpu_seconds": cpu, "build_seconds": seconds,
            "built_per_cpu_second": count / cpu}


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--bin", required=True)
    parser.add_argument("--folder", required=True)
    parser.add_argument("--counts", default="1000000,10000000")
    parser.add_argument("--lookups", type=int, default=2_000_000)
    parser.add_argument("--peers-up-to", type=int, default=10_000_000)
    options = parser.parse_args()
    os.makedirs(options.folder, exist_ok=True)
    program, exhibit = (os.path.join(os.path.abspath(options.bin), name) for name in ("hashset_bench", "exhibit"))
    results = {}
    for count in map(int, options.counts.split(",")):
        source = os.path.join(options.folder, f"list{count}.md5")
        subprocess.run([program, "make", source, str(count)], check=True)
        digests = asked(source, count, 100_000)
        table = results[count] = {"exhibit": ours(options, program, exhibit, source, count, "--no-names"),
                                  "exhibit, with names": ours(options, program, exhibit, source, count),
                                  "sorted array": figures(program, "sorted", source, str(options.lookups))}
        if count <= options.peers_up_to:
            table["hfind"] = hfind(source, count, digests)
            table["sqlite"] = sqlite(source, count, digests)
        os.unlink(source)
        print(f"\n{count} digests, an MD5 each")
        print("| | lookups/s | ours is | bytes a hash | build, cpu s | hashes/s | peak MiB | open ms | sha256 of the file s |\n" + "| --- " * 9 + "|")
        for name, row in table.items():
            text = lambda key, form: form.format(row[key]) if key in row else ""
            times = table["exhibit"]["lookups_per_second"] / row["lookups_per_second"]
            print(f"| {name} | {row['lookups_per_second']:,.0f} | {times:.1f} times | {row['bytes_per_hash']:.2f} | "
                  f"{text('build_cpu_seconds', '{:.2f}')} | {text('built_per_cpu_second', '{:,.0f}')} | {text('build_peak_mib', '{:.0f}')} | "
                  f"{text('open_ms', '{:.2f}')} | {text('digest_seconds', '{:.2f}')} |", flush=True)
    with open(os.path.join(options.folder, "hashset.json"), "w", encoding="utf-8") as file:
        json.dump(results, file, indent=1)
    return 0


if __name__ == "__main__":
    sys.exit(main())
