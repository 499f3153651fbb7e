#!/usr/bin/env python3
"""Do three verifiers agree on a good case, on its tampered copies, and on tampered disclosures?

Usage: test_tampering.py cases|disclosures [--exhibit build/bin/exhibit] [--second build/bin/exhibit-verify]
                         [--case GOODCASE --trust CA.pem [--image E1.raw]] [--keep FOLDER] [--only NAME] [--verbose]

verify.py, `exhibit verify` and `exhibit-verify` must all accept what is good and the controls (exit 0), and all refuse
every tampered copy (1 or 3). Without --case, a case made by make_case.py is used; without --exhibit or --second, the others
alone are tried. With the raw image, one byte of an item's content is changed too: who reads images must refuse it with
--evidence, and name the item.
"""

import argparse
import json
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import make_case
import tamper
import tamper_disclosure
import tamper_ledger  # noqa: F401  adds its tamperings to tamper's

HERE = Path(__file__).resolve().parent
TIME_LIMIT = 300


def run(command):
    """Exit code and all that was said; a time-out counts as -1."""
    try:
        done = subprocess.run(list(map(str, command)), capture_output=True, timeout=TIME_LIMIT)
    except subprocess.TimeoutExpired:
        return -1, "time limit"
    return done.returncode, (done.stdout + done.stderr).decode("utf-8", "replace").strip()


def gist(text):
    """The first thing that failed, or the first line."""
    lines = text.split("\n")
    return ([line for line in lines if line.startswith("FAILED")] or lines)[0]


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("what", choices=["cases", "disclosures"])
    parser.add_argument("--exhibit", type=Path)
    parser.add_argument("--second", type=Path)
    parser.add_argument("--case", type=Path)
    parser.add_argument("--trust", type=Path)
    parser.add_argument("--image", type=Path, help="the raw image of the case's first evidence")
    parser.add_argument("--keep", type=Path, help="leave the copies in this new folder")
    parser.add_argument("--only", help="just this tampering")
    parser.add_argument("--verbose", action="store_true", help="say what each verifier found first")
    arguments = parser.parse_args()
    if bool(arguments.case) != bool(arguments.trust):
        parser.error("--case and --trust belong together")
    with tempfile.TemporaryDirectory(prefix="exhibit-tamper-") as temporary:
        folder = arguments.keep or Path(temporary)
        folder.mkdir(parents=True, exist_ok=True)
        return compare(arguments, folder)


class Row:
    """A case folder or a disclosure (and perhaps an image) that the verifiers are asked about."""

    def __init__(self, name, path, trust, accept, evidence=None, named=""):
        self.name, self.path, self.trust, self.accept = name, path, trust, accept
        self.evidence, self.named = evidence, named

    def ask(self, arguments):
        """Verifier -> (exit code, words)."""
        more = ["--trust", self.trust] + (["--evidence", f"{self.evidence[0]}={self.evidence[1]}"] if self.evidence else [])
        results = {"verify.py": run([sys.executable, "-B", HERE / "verify.py", self.path, *more])}
        if arguments.exhibit:
            results["exhibit"] = run([arguments.exhibit, "verify", self.path, *more])
        if arguments.second and not self.evidence:  # it reads no images
            results["second"] = run([arguments.second, self.path, *more])
        return results

    def right(self, code, text):
        return code == 0 if self.accept else code in (1, 3) and self.named in text


def evidence_rows(good, trust, image, folder):
    """The good image, and the same with one byte of an item's content changed."""
    entry = json.loads((good / "manifest.json").read_bytes())["evidence"][0]
    records = [json.loads(line) for line in (good / entry["findings"]["file"]).read_bytes().split(b"\n")[:-1]]
    offsets = {r["id"]: r["offset"] for r in records if r["record"] == "volume" and r.get("parent", entry["id"]) == entry["id"]}
    item = next(r for r in records if r["record"] == "item" and r.get("digests") and r.get("size") and "transform" not in r
                and r.get("extents") and r["extents"][0][0] >= 0 and not r.get("doubt") and r["volume"] in offsets)
    changed = folder / "changed.raw"
    shutil.copyfile(image, changed)
    with open(changed, "r+b") as file:
        at = offsets[item["volume"]] + item["extents"][0][0]
        file.seek(at)
        byte = file.read(1)[0]
        file.seek(at)
        file.write(bytes([byte ^ 1]))
    return [Row("evidence: the good image", good, trust, True, (entry["id"], image)),
            Row(f"evidence: one byte of the image changed, at {at}", good, trust, False, (entry["id"], changed), item["id"])]


def case_rows(arguments, folder):
    good, trust, image = arguments.case, arguments.trust, arguments.image
    if not good:
        good = make_case.make_case(folder / "good")
        trust, image = folder / "good/ca.pem", folder / "good/E1.raw"
    if arguments.only:
        tamper.TAMPERINGS[:] = [t for t in tamper.TAMPERINGS if t[0] == arguments.only]
    names, poor = tamper.make_all(good, folder / "copies", trust)
    rows = [Row("good case, its own CA", good, trust, True)]
    rows += evidence_rows(good, trust, image, folder) if image else []
    bundle = folder / "copies/trust.pem"
    rows += [Row(name, folder / "copies" / name, bundle, name.startswith("control-")) for name in names]
    return rows, poor


def disclosure_rows(arguments, folder):
    good, trust = arguments.case, arguments.trust
    if not good:
        good, trust = make_case.make_case(folder / "good", content=True), folder / "good/ca.pem"
    if arguments.only:
        tamper_disclosure.TAMPERINGS[:] = [t for t in tamper_disclosure.TAMPERINGS if t[0] == arguments.only]
    keys = tamper.make_keys(folder / "keys")
    bundle = folder / "trust.pem"
    bundle.write_bytes(trust.read_bytes() + keys["insider"].trust.read_bytes())
    names = tamper_disclosure.make_all(good, folder / "copies", keys)
    return [Row(name, folder / f"copies/{name}.json", bundle, name.startswith("control-")) for name in names], []


def compare(arguments, folder):
    rows, poor = (case_rows if arguments.what == "cases" else disclosure_rows)(arguments, folder)
    wrong = []
    print(f"{'verify.py':>9} {'exhibit':>8} {'second':>7}  {arguments.what}")
    for row in rows:
        results = row.ask(arguments)
        good = all(row.right(*result) for result in results.values())
        codes = [results[name][0] if name in results else "-" for name in ("verify.py", "exhibit", "second")]
        print(f"{codes[0]:>9} {codes[1]:>8} {codes[2]:>7}  {row.name}" + ("" if good else f"   <-- expected {'0' if row.accept else '1 or 3'}"
                                                                     + (f" and {row.named}" if row.named else "")))
        if arguments.verbose or not good:
            print("".join(f"{'':27}{gist(text)[:200]}\n" for _, text in results.values()), end="")
        if not good:
            wrong.append(row.name)
    for name, why in poor:
        print(f"{'-':>9} {'-':>8} {'-':>7}  {name}: not made: {why}")
    for name in wrong:
        print(f"disagreement: {name}")
    print(f"{len(rows) - len(wrong)} passed, {len(wrong)} failed")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
