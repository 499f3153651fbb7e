"""PDQ as Exhibit makes and searches it (docs/perceptual.md): how far changed copies of photographs are from the originals,
how often different photographs are within the distance, and what an exact search costs. Two parts:

    bench_pdq.py --bin BIN --folder WORK likeness PICTURE…     a table of changes
    bench_pdq.py --bin BIN --folder WORK search COUNT…         an index of so many hashes
"""
import argparse, json, os, shutil, statistics, subprocess, sys
from measure import measured

LIMIT, QUALITY = 31, 50


def distance(a, b):
    return bin(int(a, 16) ^ int(b, 16)).count("1")


def changes():
    """{name: function of a picture}; written as JPEG of quality 90 unless the name says another."""
    from PIL import Image, ImageEnhance, ImageOps
    def scaled(factor):
        return lambda p: p.resize((max(1, round(p.width * factor)), max(1, round(p.height * factor))), Image.LANCZOS)
    def cropped(part):
        return lambda p: p.crop((round(p.width * part / 2), round(p.height * part / 2), round(p.width * (1 - part / 2)), round(p.height * (1 - part / 2))))
    table = {"recompressed, quality %d" % q: (lambda p: p, q) for q in (90, 70, 50, 30, 10)}
    table.update({"resized to %d %%" % (100 * f): (scaled(f), 90) for f in (0.75, 0.5, 0.25, 0.1)})
    table["stretched to 120 % in width"] = (lambda p: p.resize((round(p.width * 1.2), p.height), Image.LANCZOS), 90)
    table.update({"cropped by %d %%" % (100 * c): (cropped(c), 90) for c in (0.01, 0.02, 0.05, 0.1, 0.2)})
    table.update({"rotated by %g°" % r: (lambda p, r=r: p.rotate(r, Image.BICUBIC), 90) for r in (0.5, 1, 2, 5, 10)})
    table.update({"rotated by %d°" % r: (lambda p, r=r: p.rotate(r, expand=True), 90) for r in (90, 180, 270)})
    table["mirrored"] = (ImageOps.mirror, 90)
    table["brighter by half"] = (lambda p: ImageEnhance.Brightness(p).enhance(1.5), 90)
    table["in grey"] = (lambda p: p.convert("L"), 90)
    return table


def hashes(tool, files):
    out = subprocess.run([tool, *files], check=True, capture_output=True).stdout
    return {record["file"]: record for record in map(json.loads, out.splitlines())}


def likeness(tool, folder, pictures):
    from PIL import Image
    shutil.rmtree(folder, ignore_errors=True)
    os.makedirs(folder)
    originals = {path: record for path, record in hashes(tool, pictures).items() if record.get("quality", 0) >= QUALITY}
    print(f"{len(originals)} photographs of quality {QUALITY} or more, of {len(pictures)}\n")
    print("| change | distance: median | 90 % within | most | found within 31 | by the hash as it is, without turning |\n| --- | --- | --- | --- | --- | --- |")
    copies = []
    for name, (change, quality) in changes().items():
        files = {}
        for number, path in enumerate(originals):
            file = os.path.join(folder, f"{number}-{len(copies)}.jpg")
            with Image.open(path) as picture:
                change(picture.convert("RGB")).save(file, quality=quality)
            files[path] = file
        made = hashes(tool, files.values())
        shutil.rmtree(folder)
        os.makedirs(folder)
        nearest, plain = [], []
        for path, file in files.items():
            entry = originals[path]["variants"][0]
            copies.append((path, made[file]))
            nearest.append(min(distance(entry, variant) for variant in made[file]["variants"]) if made[file]["quality"] >= QUALITY else 256)
            plain.append(distance(entry, made[file]["variants"][0]) if made[file]["quality"] >= QUALITY else 256)
        nearest.sort()
        found, found_plain = (sum(d <= LIMIT for d in each) / len(each) for each in (nearest, plain))
        print(f"| {name} | {statistics.median(nearest):g} | {nearest[round(0.9 * (len(nearest) - 1))]} | {nearest[-1]} | {found:.0%} | {found_plain:.0%} |")
    compared = false = 0
    least = 256
    for path, copy in copies + [(path, record) for path, record in originals.items()]:
        if copy["quality"] < QUALITY:
            continue
        for other, record in originals.items():
            if other == path:
                continue
            d = min(distance(record["variants"][0], variant) for variant in copy["variants"])
            compared += 1
            false += d <= LIMIT
            least = min(least, d)
    print(f"\nDifferent photographs: {compared} pairs compared, each in 8 variants; {false} within {LIMIT}; the nearest at {least}.")


def search(bin_folder, folder, counts):
    os.makedirs(folder, exist_ok=True)
    print("| entries | index, bytes a hash | build, cpu s | peak MiB | a query, ms | a picture (8), ms | comparing with each, ms | resident MiB |\n| --- | --- | --- | --- | --- | --- | --- | --- |")
    for count in counts:
        listed, index = os.path.join(folder, "list.csv"), os.path.join(folder, "set.xhs")
        if os.path.exists(index):
            os.remove(index)
        subprocess.run([os.path.join(bin_folder, "pdq_bench"), "make", listed, str(count)], check=True)
        built = measured([os.path.join(bin_folder, "exhibit"), "hashset", "build", listed, "-o", index, "--class", "notable"])
        os.remove(listed)
        out = subprocess.run([os.path.join(bin_folder, "pdq_bench"), "search", index, "200"], check=True, capture_output=True, text=True).stdout
        told = dict(line.split() for line in out.splitlines())
        assert told["same"] == "1"
        print(f"| {count} | {os.path.getsize(index) / count:.1f} | {built.cpu_seconds:.1f} | {built.peak_bytes / (1 << 20):.0f} | {float(told['query_ms']):.2f} | "
              f"{8 * float(told['query_ms']):.1f} | {told['each_ms']} | {told['resident_mib']} |", flush=True)
        os.remove(index)


def main():
    options = argparse.ArgumentParser()
    options.add_argument("--bin", required=True)
    options.add_argument("--folder", required=True)
    options.add_argument("part", choices=("likeness", "search"))
    options.add_argument("words", nargs="+")
    chosen = options.parse_args()
    if chosen.part == "search":
        return search(chosen.bin, chosen.folder, [int(word) for word in chosen.words])
    return likeness(os.path.join(chosen.bin, "pdq_hash"), os.path.join(chosen.folder, "copies"), sorted(chosen.words))


if __name__ == "__main__":
    sys.exit(main())
