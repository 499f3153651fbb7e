#!/usr/bin/env python3
"""Does Exhibit find in the corpora what independent tools found?

Usage: compare.py --exhibit build/bin/exhibit [--only ID]... [--jobs N] [--debian] [--skip-corrupt]
                  [--verbose] [--json] [-- OPTIONS FOR process]

See README.md beside this file for the columns.
"""

import argparse
import fnmatch
import json
import re
import sys
import tempfile
from collections import Counter, defaultdict
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timezone
from pathlib import Path

import corpus
from corpus import simple

TIME_LIMIT = 600  # seconds for a good image
CORRUPT_TIME_LIMIT = 60  # and for a damaged one: truth/corrupt.jsonl
MEMORY_LIMIT = 1 << 30
KNOWN = Path(__file__).resolve().parents[2] / "docs/known-differences.md"
SCHEMES = {"DOS Partition Table": "mbr", "GUID Partition Table (EFI)": "gpt", "MAC Partition Map": "apm",
           "BSD Disk Label": "bsd", "Sun Volume Table of Contents (Solaris)": "sun", None: "none"}
KINDS = {"r": "file", "d": "directory", "l": "symlink"}


class Findings:
    """The records of one image, found again as the truth names things."""

    def __init__(self, path, inner=False):
        """`inner`: the truth counts within what lies in the image's one volume."""
        self.inner = inner
        self.evidence, self.volumes, self.items, self.problems = {}, {}, [], []
        text = path.read_text(encoding="utf-8") if path.exists() else ""
        self.exists = bool(text)
        for line in text.split("\n")[:-1]:
            record = json.loads(line)
            if record["record"] == "evidence":
                self.evidence = record
            elif record["record"] == "volume":
                self.volumes[record["id"]] = record
            elif record["record"] == "item":
                self.items.append(record)
            elif record["record"] == "problem":
                self.problems.append(record)
        self.by_path, self.by_address = defaultdict(list), defaultdict(list)
        for item in self.items:
            start = self.start(item["volume"])
            self.by_path[start, item["path"].strip("/"), item.get("stream", "")].append(item)
            self.by_address[start, self.address(item)].append(item)

    def start(self, volume):
        total = 0
        while volume in self.volumes:
            if self.inner and volume.count("/") == 2:
                return total
            total += self.volumes[volume]["offset"]
            volume = self.volumes[volume].get("parent")
        return total

    @staticmethod
    def address(item):
        match = re.match(r"/i([^:]*)", item["id"][len(item["volume"]):])
        return match[1] if match else ""

    def file_system_at(self, offset):
        here = [v for v in self.volumes.values() if self.start(v["id"]) == offset and "filesystem" in v]
        return here[0] if here else None

    def find(self, line):
        """The item that a `rec: file` line of the truth means; address and state settle what the path leaves open."""
        offset, path = line["fs_offset"], line["path"].strip("/")
        candidates = list(self.by_path.get((offset, path, ""), []))
        if ":" in path:
            base, stream = path.rsplit(":", 1)
            candidates += self.by_path.get((offset, base, stream), [])
        inode = line.get("inode", "")
        exact = self.by_address.get((offset, inode), [])
        if not exact and inode.isdigit() and inode != "0":
            exact = [i for (at, address), items in self.by_address.items() if at == offset
                     and address.split("-")[0] == inode for i in items]

        def fitness(item):
            same_address = any(item is other for other in exact)
            return (same_address, (item["state"] == "allocated") == line["alloc"], "stream" not in item)
        if not candidates:
            candidates = [i for i in exact if line.get("orphan") or i["path"].strip("/").endswith(path.rsplit("/", 1)[-1])]
        return max(candidates, key=fitness, default=None)


class Known:
    """Lines of docs/known-differences.md that name, in backticks, an image's id and a path (or pattern)."""

    def __init__(self, path):
        text = path.read_text(encoding="utf-8") if path.exists() else ""
        self.lines = [re.findall(r"`([^`]+)`", line) for line in text.splitlines()]

    def covers(self, identity, where):
        return any(identity in names and any(fnmatch.fnmatchcase(where, name) for name in names if name != identity)
                   for names in self.lines)


class Comparison:
    """One image: what was expected, how much of it is equal, and every difference."""

    def __init__(self, sample, findings, run, known):
        self.sample, self.findings, self.run, self.known = sample, findings, run, known
        self.counts, self.differences, self.notes = Counter(), [], []
        self.status = None

    def differ(self, kind, where, text):
        """A difference that fails the run unless docs/known-differences.md lists it."""
        listed = self.known.covers(self.sample.id, where)
        self.differences.append({"kind": kind, "where": where, "text": text, "known": listed})

    def note(self, kind, where, text):
        """Worth reading, but the truth itself is a guess there, or doesn't concern listing."""
        self.notes.append({"kind": kind, "where": where, "text": text})

    def compare(self):
        if self.run.crashed:
            code = "time limit" if self.run.code is None else f"exit {self.run.code}"
            self.differ("run", "-", f"{code}: {self.run.errors.strip()[-200:]}")
        elif not self.sample.opens:
            self.unsupported()
        else:
            self.stored_digests()
            if self.findings.exists:
                if self.sample.is_locked:
                    self.unlocked()
                else:
                    self.media()
                self.layers()
                self.volumes()
                self.file_systems()
                self.files()
                self.expectations()
            elif self.run.code not in (1, 3):
                self.differ("run", "-", f"exit {self.run.code}, but no findings")
            elif not self.must_fail:
                self.differ("run", "-", f"exit {self.run.code}: {self.run.errors.strip()[-200:]}")
        if self.status is None:
            bad = [d for d in self.differences if not d["known"]]
            self.status = "different" if bad else "known" if self.differences else self.fine
        return self

    @property
    def fine(self):
        scopes = [self.sample.in_scope(fs) for fs in self.sample.of("fs") if fs["type"]]
        return "unsupported (said)" if not self.sample.opens or (scopes and not any(scopes)) else "equal"

    @property
    def must_fail(self):
        return any(e["result"] == "FAILURE" for e in self.sample.expected("ewf") + self.sample.expected("ewfverify"))

    def said(self, volume=None):
        """Whether the user was told: a problem for the volume, or a message and exit 3."""
        about = [p for p in self.findings.problems if volume is None or p["where"].startswith(volume)]
        without = [v for v in self.findings.volumes.values() if "filesystem" not in v
                   and v["kind"] in ("partition", "unpartitioned", "encrypted") and (volume is None or v["id"] == volume)]
        return bool(about or without or (self.run.code == 3 and self.run.errors.strip()))

    def unsupported(self):
        if self.run.code not in (0, 3, 4):
            self.differ("run", "-", f"exit {self.run.code}, expected 0, 3 or 4")
        elif not self.said():
            self.differ("run", "-", "a container that can't be read was passed over in silence")

    def stored_digests(self):
        integrity = self.findings.evidence.get("integrity")
        tail = self.sample.expected("ewf_tail")  # ewfverify fails there only because it leaves out the last part of a sector
        if self.must_fail and not tail and (self.run.code == 0 or integrity == "match"):
            self.differ("integrity", "media", f"exit {self.run.code}, integrity {integrity}; ewfverify says FAILURE")
        for line in self.sample.expected("ewfverify"):
            if "bad_sectors" in line and not self.named([line["bad_sectors"][0] * 512, (line["bad_sectors"][1] + 1) * 512]):
                self.differ("integrity", "media", f"no problem names the bad sectors {line['bad_sectors']}")
        good = [e for e in self.sample.expected("ewf") if e["result"] == "SUCCESS"]
        if good and integrity != "match":
            self.differ("integrity", "media", f"integrity {integrity}; ewfverify says SUCCESS")

    def named(self, place):
        """Whether a problem's extent meets the bytes from place[0] to place[1]."""
        extents = [p["extent"] for p in self.findings.problems if "extent" in p]
        return any(offset < place[1] and offset + length > place[0] for offset, length in extents)

    def media(self):
        tail = self.sample.expected("ewf_tail")
        if tail and self.findings.evidence.get("digests", {}).get("md5") == tail[0]["md5"]:
            return
        media, evidence = self.sample.of("media")[0], self.findings.evidence
        for key, found in (("size", evidence.get("size")), *((a, evidence.get("digests", {}).get(a)) for a in ("md5", "sha256"))):
            if media.get(key) is not None and found != media[key]:
                self.differ("media", "media", f"{key} {found}, truth {media[key]}")

    def unlocked(self):
        """That the key opens it; or, where others refuse the volume, that it is told."""
        refused = self.sample.expected("open")
        inner = [v for v in self.findings.volumes.values() if "unlocked_by" in v]
        if refused and (inner or not self.said("E1/p0")):
            self.differ("unlock", "E1/p0", "others refuse this volume, and nothing is said")
        if not refused and len(inner) != 1:
            self.differ("unlock", "E1/p0", "the truth's key doesn't open it")
        if inner and "volume_offset" in self.sample.expected("unlock")[0]:
            wanted = self.sample.expected("unlock")[0]
            if (inner[0]["offset"], inner[0]["size"]) != (wanted["volume_offset"], wanted["plain_size"]):
                self.differ("unlock", "E1/p0", f"{inner[0]['offset']} {inner[0]['size']}, truth {wanted}")

    def layers(self):
        """The identifiers by which others know a volume that isn't a file system's."""
        found = {simple(v["layer"].get("id")) for v in self.findings.volumes.values() if "layer" in v}
        identities = {simple(v["filesystem"].get("id")) for v in self.findings.volumes.values() if "filesystem" in v}
        for line in self.sample.expected("header"):
            for wanted in (line.get("guid"), line.get("uuid")):
                if wanted and simple(wanted) not in found:
                    self.differ("layer", "E1/p0", f"{sorted(found)}, truth {wanted}")
            wanted = line.get("inner_uuid")
            if wanted and not self.sample.expected("open") and simple(wanted) not in identities:
                self.differ("file system", "E1/p0", f"{sorted(identities)}, truth {wanted}")
        for truth in self.sample.of("fs"):
            blkid = truth.get("blkid") or {}
            if blkid.get("TYPE") == "LVM2_member" and simple(blkid["UUID"]) not in found:
                self.differ("layer", "E1/p0", f"{sorted(found)}, truth {blkid['UUID']}")

    def volumes(self):
        for system in self.sample.of("volume_system"):
            schemes = {v.get("scheme", "none") for v in self.findings.volumes.values()}
            wanted = SCHEMES.get(system["type"], system["type"])
            if wanted not in schemes:
                self.differ("volume system", "volumes", f"{sorted(schemes)}, truth {wanted}")
        found = {(self.findings.start(v["id"]), v["size"]) for v in self.findings.volumes.values()}
        for volume in self.sample.of("volume"):
            if volume.get("alloc"):
                self.counts["volumes"] += 1
                if (volume["start"], volume["length"]) not in found:
                    near = [size for start, size in found if start == volume["start"]]
                    self.differ("volume", f"volume@{volume['start']}", f"length {near}, truth {volume['length']} ({volume['desc']})")
        for wanted in self.sample.expected("partitions"):
            for start, length in zip(wanted["starts"], wanted["lengths"]):
                if (start * 512, length * 512) not in found:
                    self.differ("volume", f"volume@{start * 512}", f"not found; published length {length * 512}")

    def file_systems(self):
        if self.sample.expected("fs_autodetect") and not self.findings.problems:
            self.differ("file system", "fs@0", "two file systems claim the volume, and no problem says so")
        for offset, truth in self.sample.file_systems.items():
            volume = self.findings.file_system_at(offset)
            where = f"fs@{offset}"
            if not self.sample.in_scope(truth):
                if volume is None and not self.findings.problems and truth["type"] and not self.said():
                    self.differ("file system", where, f"{truth['type']} was passed over in silence")
                continue
            if volume is None:
                self.differ("file system", where, f"none, truth {truth['type']}")
                continue
            found, wanted = simple(volume["filesystem"]["type"]), simple(truth["type"])
            if not wanted.startswith(found):
                self.differ("file system", where, f"{found}, truth {wanted}")
            self.labels(where, volume["filesystem"], truth)

    def labels(self, where, found, truth):
        labels = {truth["blkid"].get("LABEL", "").strip(), ((truth["tsk"] or {}).get("label") or "").strip()} | {"", "NO NAME"}
        if found.get("label", "").strip() not in labels:
            self.note("label", where, f"{found.get('label')!r}, truth {sorted(labels)}")
        identities = [truth["blkid"].get("UUID"), (truth["tsk"] or {}).get("serial")]
        wanted = {simple(i).removeprefix("0x") for i in identities if i}
        wanted |= {"".join(reversed([w[i:i + 2] for i in range(0, len(w), 2)])) for w in wanted}
        if wanted and simple(found.get("id")).removeprefix("0x") not in wanted:
            self.note("id", where, f"{found.get('id')!r}, truth {identities}")

    def files(self):
        scopes = {offset for offset, fs in self.sample.file_systems.items() if self.sample.in_scope(fs)}
        for line in self.sample.of("file"):
            if line.get("fs_offset") not in scopes:
                continue
            group = self.group(line)
            self.counts[f"{group} expected"] += 1
            item = self.findings.find(line)
            wrong = ["missing"] if item is None else self.wrong(line, item)
            if not wrong:
                self.counts[f"{group} equal"] += 1
            else:
                say = self.differ if group == "allocated" else self.note
                say(group, line["path"], f"{'; '.join(wrong)} [inode {line.get('inode', '-')}, by {' + '.join(line.get('confirmed_by') or ['tsk'])}]")
            if item is not None:
                self.times(line, item)

    def group(self, line):
        if line.get("system"):
            return "system"
        by_libtsk = self.sample.file_systems[line["fs_offset"]].get("tsk")
        if by_libtsk and "tsk-4.11.1" in line.get("not_seen_by", []):
            return "second reader's"
        if not line["alloc"]:
            return "orphan" if line.get("orphan") else "deleted"
        return "allocated"

    def wrong(self, line, item):
        """How an item differs from its line of truth."""
        found = []
        if item.get("via") == "journal" and not line["alloc"] and not line["size"]:
            return found  # TSK gives nothing: `originals` says what it is
        if not line.get("system"):
            if (item["state"] == "allocated") != line["alloc"]:
                found.append(f"state {item['state']}, truth {'allocated' if line['alloc'] else 'deleted'}")
            if line["alloc"] and item["kind"] != KINDS.get(line["meta_type"], item["kind"]):
                found.append(f"kind {item['kind']}, truth {KINDS[line['meta_type']]}")
        if line["alloc"] and item["path"].strip("/") != line["path"].strip("/") and "stream" not in item:
            found.append(f"path {item['path']}")
        if line["meta_type"] == "r" and line.get("size") is not None and item["state"] != "overwritten":
            if item.get("size") != line["size"]:
                found.append(f"size {item.get('size')}, truth {line['size']}")
        for algorithm in ("md5", "sha256"):
            digest = item.get("digests", {}).get(algorithm)
            if line.get(algorithm) and digest != line[algorithm] and (line["alloc"] or digest):
                if not item.get("doubt"):
                    found.append(f"{algorithm} {digest}, truth {line[algorithm]}")
        if line.get("sha256") and not line["alloc"] and not item.get("digests") and item["state"] != "overwritten" and line["size"]:
            found.append("no digest")
        if line.get("symlink") and item.get("link_target") != line["symlink"]:
            found.append(f"target {item.get('link_target')}, truth {line['symlink']}")
        return found

    def times(self, line, item):
        modified = item.get("times", {}).get("modified")
        if not line.get("mtime") or not modified or not line["alloc"]:
            return
        text = modified.rstrip("Z").split(".")[0]
        seconds = int(datetime.fromisoformat(text).replace(tzinfo=timezone.utc).timestamp())
        self.counts["times equal" if seconds == line["mtime"] else "times different"] += 1
        if seconds != line["mtime"]:
            self.note("time", line["path"], f"modified {modified}, truth {datetime.fromtimestamp(line['mtime'], timezone.utc)}")

    def expectations(self):
        scoped = any(self.sample.in_scope(fs) for fs in self.sample.of("fs"))
        digests = {value for item in self.findings.items for value in item.get("digests", {}).values()}
        names = {item["path"].rsplit("/", 1)[-1] for item in self.findings.items}
        for line in self.sample.of("expect") if scoped else []:
            check, wanted = line["check"], line.get("sha256") or line.get("md5")
            if check in ("deleted_original", "recover_deleted"):
                self.counts["originals expected"] += 1
                if wanted in digests:
                    self.counts["originals equal"] += 1
                else:
                    say = self.differ if line.get("tsk_recovers") else self.note
                    say("original", line["path"], "its content isn't found" + (", but TSK recovers it" if line.get("tsk_recovers") else ""))
            elif check in ("allocated_original", "jpeg") and wanted not in digests:
                (self.note if check == "jpeg" else self.differ)("original", line["path"], "its content isn't found")
            elif check == "files_shown":
                for path in line["paths"]:
                    if path not in names:
                        self.differ("allocated", path, "missing (published list)")
            elif check == "created_local":
                born = [i.get("times", {}).get("born", "") for i in self.findings.items if i["path"].strip("/") == line["path"]]
                if not any(b.split(".")[0] == line["value"] for b in born):
                    self.note("time", line["path"], f"born {born}, published {line['value']} local")

    def row(self):
        names = [f"{fs['type']}" for fs in self.sample.of("fs") if fs["type"]]
        return {"id": self.sample.id, "container": self.sample.container, "fs": ",".join(dict.fromkeys(names)) or "-",
                "exit": self.run.code, "seconds": round(self.run.seconds, 1), **self.counts,
                "differences": self.differences, "notes": self.notes, "status": self.status}


# ---------------------------------------------------------------- running


def process(arguments, image, folder, seconds, others=(), unlock=(), inner=False):
    case = folder / "case"
    command = [arguments.exhibit, "process", image, "--case", case, "--jobs", "2", *unlock, *arguments.options]
    if others:
        command += ["--segments", *others]
    run = corpus.run(command, seconds)
    try:
        return run, Findings(case / "findings/E1.jsonl", inner)
    except (ValueError, KeyError) as error:
        run.errors += f"\nfindings can't be read: {error!r}"
        run.code = 70
        return run, Findings(Path("/nonexistent"))


def compare_sample(arguments, known, sample):
    with tempfile.TemporaryDirectory(prefix="exhibit-corpora-") as folder:
        folder = Path(folder)
        image = corpus.unpack_all(sample.files, folder)
        others = [image.parent / file.name.removesuffix(".xz") for file in sample.others]
        run, findings = process(arguments, image, folder, TIME_LIMIT, others, sample.unlock(folder), sample.is_locked)
        return Comparison(sample, findings, run, known).compare().row()


def compare_corrupt(arguments, entry):
    """A damaged image: no crash, no hang, no flood of memory, and a place named where something is wrong."""
    path, line = entry
    with tempfile.TemporaryDirectory(prefix="exhibit-corrupt-") as folder:
        folder = Path(folder)
        image = corpus.unpack(path, folder)
        run, findings = process(arguments, image, folder, CORRUPT_TIME_LIMIT)
    wrong = []
    if run.code is None:
        wrong.append(f"no end within {CORRUPT_TIME_LIMIT} s")
    elif run.code not in (0, 1, 3, 4):
        wrong.append(f"exit {run.code}: {run.errors.strip()[-160:]}")
    elif run.code == 4 and not any(p.get("where") and p.get("detail") for p in findings.problems):
        wrong.append("exit 4, but no problem names a place")
    elif run.code in (1, 3) and image.name not in run.errors and not findings.problems:
        wrong.append(f"exit {run.code}, but no message names the image")
    if run.peak > MEMORY_LIMIT:
        wrong.append(f"{run.peak >> 20} MiB of memory")
    return {"file": line["file"], "kind": line["kind"], "exit": run.code, "seconds": round(run.seconds, 1),
            "peak_mib": run.peak >> 20, "problems": len(findings.problems), "items": len(findings.items), "wrong": wrong}


def print_sample(row, verbose):
    def pair(group):
        return f"{row.get(group + ' equal', 0)}/{row.get(group + ' expected', 0)}"
    times = f"{row.get('times equal', 0)}/{row.get('times equal', 0) + row.get('times different', 0)}"
    print(f"{row['id']:38} {row['container']:10} {row['fs'][:22]:22} {row['exit'] if row['exit'] is not None else 'TIME':>4} "
          f"{pair('allocated'):>9} {pair('deleted'):>7} {pair('orphan'):>7} {pair('originals'):>7} {times:>9} "
          f"{row['seconds']:6} {row['status']}", flush=True)
    for difference in row["differences"]:
        if verbose or not difference["known"]:
            mark = "known" if difference["known"] else "DIFFERENT"
            print(f"    {mark}  {difference['kind']}  {difference['where']}: {difference['text']}")
    for note in row["notes"] if verbose else []:
        print(f"    note  {note['kind']}  {note['where']}: {note['text']}")


def print_corrupt(rows, verbose):
    print(f"\n{'damaged':12} {'images':>6} {'exit 0':>6} {'1':>4} {'3':>4} {'4':>4} {'other':>5}  {'slowest':>7}  {'memory':>8}")
    for kind in sorted({row["kind"] for row in rows}):
        those = [row for row in rows if row["kind"] == kind]
        codes = Counter(row["exit"] for row in those)
        other = len(those) - sum(codes[c] for c in (0, 1, 3, 4))
        print(f"{kind:12} {len(those):6} {codes[0]:6} {codes[1]:4} {codes[3]:4} {codes[4]:4} {other:5}  "
              f"{max(row['seconds'] for row in those):6}s  {max(row['peak_mib'] for row in those):4} MiB")
    for row in rows:
        if row["wrong"] or verbose:
            print(f"    {'WRONG' if row['wrong'] else 'ok'}  {row['file']}: exit {row['exit']}, {row['problems']} problems, "
                  f"{row['items']} items; {'; '.join(row['wrong'])}")


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--exhibit", required=True, type=Path)
    parser.add_argument("--only", action="append", help="an image's id, or part of a damaged file's name")
    parser.add_argument("--jobs", type=int, default=1, help="images at once")
    parser.add_argument("--debian", action="store_true", help="also the images of Debian's forensics-samples packages")
    parser.add_argument("--skip-corrupt", action="store_true")
    parser.add_argument("--verbose", action="store_true", help="also known differences and notes")
    parser.add_argument("--json", action="store_true", help="one JSON object a line instead of the table")
    parser.add_argument("options", nargs="*", help="after --: more options for `exhibit process`")
    arguments = parser.parse_args()
    arguments.exhibit = arguments.exhibit.resolve()
    known = Known(KNOWN)
    chosen = [s for s in corpus.samples(arguments.debian) if not arguments.only or s.id in arguments.only]
    chosen = [s for s in chosen if s.container != "tar"]  # a shadow copy's store, not an image
    damaged = [] if arguments.skip_corrupt else [
        e for e in corpus.corrupt() if not arguments.only or any(part in e[1]["file"] for part in arguments.only)]
    if not arguments.json:
        print(f"{'id':38} {'container':10} {'file systems':22} {'exit':>4} {'allocated':>9} {'deleted':>7} {'orphan':>7} "
              f"{'orig.':>7} {'times':>9} {'sec':>6} status")
    rows, corrupt_rows = [], []
    with ThreadPoolExecutor(arguments.jobs) as pool:
        for row in pool.map(lambda s: compare_sample(arguments, known, s), chosen):
            rows.append(row)
            print(json.dumps(row)) if arguments.json else print_sample(row, arguments.verbose)
        for row in pool.map(lambda e: compare_corrupt(arguments, e), damaged):
            corrupt_rows.append(row)
            if arguments.json:
                print(json.dumps(row))
    failed = sum(row["status"] == "different" for row in rows) + sum(bool(row["wrong"]) for row in corrupt_rows)
    if not arguments.json:
        if corrupt_rows:
            print_corrupt(corrupt_rows, arguments.verbose)
        states = Counter(row["status"] for row in rows)
        print(f"\n{len(rows)} images: " + ", ".join(f"{n} {s}" for s, n in sorted(states.items())) +
              f"; {len(corrupt_rows)} damaged: {sum(bool(r['wrong']) for r in corrupt_rows)} wrong")
    print(f"{len(rows) + len(corrupt_rows) - failed} passed, {failed} failed", file=sys.stderr if arguments.json else sys.stdout)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
