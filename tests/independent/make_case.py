#!/usr/bin/env python3
"""Make a small valid case folder without Exhibit, from the specification alone.

Usage: make_case.py FOLDER   ->  FOLDER/case, FOLDER/E1.raw, FOLDER/ca.pem (and the keys in FOLDER/authority)

The image has no file system; its two text files, holes and links are just bytes at known offsets,
which is all that a reader who checks extents has to know.
"""

import base64
import hashlib
import random
import sys
from pathlib import Path

from authority import Authority
from verify import RECORD_ALGORITHMS, ZERO_DIGEST, canonical, content_key, salted_root, sha256, tree_root

MIB = 1 << 20
SIZE = 2 * MIB + MIB // 2
START = MIB  # of the only partition


def digests(data):
    return {name: hashlib.new(name, data).hexdigest() for name in ("md5", "sha1", "sha256")}


def make_image():
    """2.5 MiB of which the last block is short; always the same bytes."""
    image = bytearray(random.Random(2).randbytes(SIZE))
    image[START + 8192:START + 8192 + 27] = b"All human beings are born \n"
    return bytes(image)


class Volume:
    """The records of the partition, in any order; `sorted_lines` puts them right."""

    id = "E1/p1"

    def __init__(self, image):
        self.data = image[START:]
        self.records = []

    def content(self, extents, size):
        parts = [bytes(length) if offset == -1 else self.data[offset:offset + length] for offset, length in extents]
        return b"".join(parts)[:size]

    def item(self, address, path, size=0, extents=None, **more):
        content = f"{self.id}/i{address}"
        record = {"record": "item", "id": f"{content}:{path}", "volume": self.id, "path": path, "content": content,
                  "kind": "file", "state": "allocated", "size": size,
                  "times": {"modified": "2024-05-01T12:00:00Z"}, **more}
        if extents is not None:
            record["extents"] = extents
            record["digests"] = digests(self.content(extents, size))
        self.records.append(record)
        return record["id"]


def partition_lines(image):
    """Every kind of item and of record that the format has, in canonical order."""
    volume = Volume(image)
    volume.item("2", "/", kind="directory", size=1024)
    text = volume.item("11-128-1", "/a.txt", 27, [[8192, 1024]], type="text/plain")
    volume.item("11-128-1", "/hard link.txt", 27, [[8192, 1024]], type="text/plain")
    volume.item("11-128-4", "/a.txt", 700, [[12288, 1024]], stream="zone")
    volume.item("12", "/dir/fragmented, \u0444\u0430\u0439\u043b \"\u20ac\"\t.bin", 5000, [[20480, 2048], [16384, 2048], [32768, 1024]])
    volume.item("13", "/sparse", 70000, [[40960, 1024], [-1, 65536], [49152, 4096]])
    volume.item("14", "/deleted.jpg", 3000, [[65536, 3072]], state="deleted")
    volume.item("15", "/empty", 0, [])
    volume.item("16", "/link", 5, kind="symlink", link_target="a.txt")
    volume.item("17", "/compressed", 9000, transform="ntfs-lznt1", digests=digests(b"\0" * 9000))
    volume.item("18", "/resident", 12, [[131120, 12]], transform="resident")
    volume.item("19", "/bad", 2048, [[81920, 2048]], doubt=[{"offset": 0, "length": 512, "cause": "crc-error"}])
    volume.item("20", "/overwritten", 4096, state="overwritten")
    # U+FF61 and U+10000: their order as UTF-8 bytes differs from that as UTF-16 code units.
    volume.item("21", "/\uff61", 3, [[90112, 1024]])
    volume.item("21", "/\U00010000", 3, [[90112, 1024]])

    def match(item, rule, *offsets):
        return {"record": "match", "item": item, "by": "yara", "source": "pack", "source_sha256": "ab" * 32,
                "rule": rule, "category": "test", "severity": "low",
                "where": [{"offset": offset, "length": 5, "string": "$a"} for offset in offsets]}

    def problem(where, stage, cause, detail):
        return {"record": "problem", "where": where, "stage": stage, "cause": cause, "detail": detail}

    after = {text: [match(text, "born", 20), match(text, "human", 4, 5), problem(text, "decode", "unsupported", "a codec")],
             f"{volume.id}/i19:/bad": [problem(f"{volume.id}/i19:/bad", "read", "io-error", "sector 2208")]}
    records = [{"record": "volume", "id": volume.id, "parent": "E1", "kind": "partition", "scheme": "mbr", "slot": 1,
                "offset": START, "size": SIZE - START, "type": "0x83",
                "filesystem": {"type": "ext4", "block_size": 1024, "label": "", "id": "00"}}]
    for item in sorted(volume.records, key=lambda r: r["id"].encode()):
        records += [item, *after.get(item["id"], [])]
    records += [match(volume.id, "human", 900000),
                problem(f"{volume.id}/i77", "walk", "corrupt", "inode 77: no such block group"),
                {"record": "coverage", "where": volume.id,
                 "bytes": {"allocated": 80000, "deleted": 3072, "slack": 900, "metadata": 4096,
                           "unallocated": SIZE - START - 80000 - 3072 - 900 - 4096 - 512, "gap": 0, "unreadable": 512},
                 "examined": {"hashed": 83072, "scanned": SIZE - START, "carved": 0}}]
    return records


def make_records(image):
    blocks = [sha256(b"\x00" + sha256(image[at:at + MIB])) for at in range(0, SIZE, MIB)]
    records = [{"record": "evidence", "id": "E1", "format": "raw", "segments": [{"name": "E1.raw", "size": SIZE}],
                "size": SIZE, "sector_size": 512, "digests": digests(image), "integrity": "no-stored-digest",
                "block_size": MIB, "block_root": tree_root(blocks).hex()},
               {"record": "volume", "id": "E1/gap0", "parent": "E1", "kind": "gap", "scheme": "mbr", "offset": 0, "size": START},
               {"record": "coverage", "where": "E1/gap0", "bytes": classes(gap=START - 512, metadata=512),
                "examined": {"hashed": 0, "scanned": START, "carved": 0}}]
    records += partition_lines(image)
    records += [{"record": "problem", "where": "E1", "stage": "open", "cause": "unsupported", "detail": "an acquisition note"},
                {"record": "coverage", "where": "E1",
                 "bytes": classes(allocated=80000, unallocated=SIZE - 80000 - START, gap=START),
                 "examined": {"hashed": 83072, "scanned": SIZE, "carved": 0}}]
    return records


def classes(**given):
    return {name: given.get(name, 0) for name in
            ("allocated", "deleted", "slack", "metadata", "unallocated", "gap", "unreadable")}


def content_claim(records, algorithms=("sha256",)):
    """The content tree: the sorted set of keys of all contents that have a SHA-256."""
    keys = content_keys(records)
    without = [r for r in records if r["record"] == "item" and r["kind"] == "file" and r["size"] and not r.get("digests")]
    trees = {name: tree_root([RECORD_ALGORITHMS[name](b"\0" + key).digest() for key in keys],
                             lambda data, name=name: RECORD_ALGORITHMS[name](data).digest()).hex() for name in algorithms}
    return {"digest": "sha256", "entries": len(keys), "without": len(without), "trees": trees}


def content_keys(records):
    digests = {r["digests"]["sha256"] for r in records if r["record"] == "item" and r.get("digests")}
    return sorted(content_key(bytes.fromhex(digest)) for digest in digests)


def findings_claim(lines, key, data):
    kinds = [line.split(b'"record":"')[1].split(b'"')[0] for line in lines]
    return {"file": "findings/E1.jsonl", "records": len(lines), "bytes": len(data), "digests": {"sha256": sha256(data).hex()},
            "trees": {"sha256": salted_root(lines, key).hex()},
            "counts": {"items": kinds.count(b"item"), "matches": kinds.count(b"match"), "problems": kinds.count(b"problem")},
            "salt_commitment": sha256(key).hex()}


def make_custody(authority, events):
    lines, previous = [], ZERO_DIGEST
    for seq, event in enumerate(events, 1):
        line = custody_line(authority, seq, event, previous)
        lines.append(line)
        previous = sha256(line).hex()
    return lines, previous


def custody_line(authority, seq, event, previous, signer="signer", cades=True, other=None):
    """`other`: values that the line has instead of what is right."""
    entry = {"seq": seq, "time": f"2024-05-02T10:00:{seq:02}Z", "event": event, "participants": [], "place": "laboratory",
             "actor": {"name": "A. Examiner", "role": "examiner", "organisation": "Laboratory", "credential": authority.credential_of(signer)},
             "evidence": ["E1"], "detail": {"note": f"event {seq}"}, "previous": previous, **(other or {})}
    entry["signature"] = base64.b64encode(authority.sign(canonical(entry), signer, cades)).decode()
    return canonical(entry)


def make_case(folder, content=False):
    """`content`: whether the manifest has the content tree, which manifests had not before disclosures of absence."""
    folder = Path(folder)
    case = folder / "case"
    for part in ("findings", "secret", "log"):
        (case / part).mkdir(parents=True)
    authority = Authority(folder / "authority")
    (folder / "ca.pem").write_bytes(authority.trust.read_bytes())
    image = make_image()
    (folder / "E1.raw").write_bytes(image)
    records = make_records(image)
    lines = [canonical(record) for record in records]
    data = b"".join(line + b"\n" for line in lines)
    key = sha256(b"a key that a real case draws at random")
    (case / "findings/E1.jsonl").write_bytes(data)
    (case / "secret/E1.salts").write_bytes(key)
    (case / "secret/E1.salts").chmod(0o600)
    custody, head = make_custody(authority, ["received", "integrity-checked", "processed", "sealed"])
    (case / "custody.jsonl").write_bytes(b"".join(line + b"\n" for line in custody))
    manifest = {"format": "exhibit-manifest/1",
                "case": {"number": "2024/7", "title": "made by hand", "authority": "none", "profile": "int"},
                "tool": {"name": "make_case.py", "version": "1", "source_revision": "none", "build_sha256": "00" * 32, "libraries": {}},
                "inputs": [],
                "evidence": [{**{key_: records[0][key_] for key_ in ("id", "size", "digests", "integrity", "block_root")},
                              "findings": findings_claim(lines, key, data)}],
                "custody": {"events": len(custody), "head": head},
                "created": "2024-05-02T10:01:00Z"}
    if content:
        manifest["evidence"][0]["findings"]["content"] = content_claim(records)
    (case / "manifest.json").write_bytes(canonical(manifest))
    authority.seal(case)
    return case


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    print(make_case(sys.argv[1]))
