#!/usr/bin/env python3
"""Writes the fuzzers' seeds: seeds.py FOLDER makes FOLDER/NAME/… for each NAME_fuzzer.cc.

They come from the corpora and from a few lines written here, and are small: what a fuzzer mutates is the structure, not
the content.
"""
import base64
import email.message
import email.policy
import json
import lzma
import os
import shutil
import struct
import sys
import tempfile
import zlib
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE.parent / "campaign"), str(HERE.parent / "independent")]
import bases  # noqa: E402
import verify  # noqa: E402

CORPORA = bases.corpus.ROOT
SEPARATOR = b"--next-segment--"
LARGEST = 192 << 10  # bytes of one seed: zeros follow in the source that the target makes of it
NO_DIGEST = "0" * 64

RECORDS = [
    {"record": "evidence", "id": "E1", "format": "raw", "segments": [{"name": "a.raw", "size": 1048576}], "size": 1048576, "sector_size": 512,
     "digests": {"md5": "0" * 32, "sha256": NO_DIGEST}, "integrity": "no-stored-digest", "acquisition": {"examiner": "Ю \U0001F600"},
     "block_root": NO_DIGEST, "block_size": 1048576},
    {"record": "volume", "id": "E1/p0", "parent": "E1", "kind": "unpartitioned", "scheme": "none", "offset": 0, "size": 1048576,
     "filesystem": {"type": "fat12", "block_size": 512, "label": "X", "id": "0000-0000"}, "time_zone": "local-unknown"},
    {"record": "item", "id": "E1/p0/i4:/a.txt", "volume": "E1/p0", "path": "/a.txt", "path_raw": "L2EudHh0", "content": "E1/p0/i4", "kind": "file",
     "state": "allocated", "size": 9, "mode": 511, "uid": 0, "gid": "0", "times": {"modified": "2024-01-01T00:00:00"}, "type": "text/plain",
     "digests": {"md5": "0" * 32, "sha256": NO_DIGEST}, "extents": [[512, 9], [-1, 5]], "doubt": [{"offset": 0, "length": 9, "cause": "read-error"}]},
    {"record": "item", "id": "E1/p0/i5-128-1:/l:s", "volume": "E1/p0", "path": "/l", "stream": "s", "content": "E1/p0/i5-128-1", "kind": "symlink",
     "state": "deleted", "size": 0, "link_target": "a", "times": {}, "transform": "resident", "extension_mismatch": True, "tier": "validated"},
    {"record": "match", "item": "E1/p0/i4:/a.txt", "by": "yara", "source": "r.yar", "source_sha256": NO_DIGEST, "rule": "x", "category": "c",
     "severity": "low", "where": [{"offset": 1, "length": 2, "string": "$a"}], "where_truncated": True},
    {"record": "problem", "where": "E1/p0", "stage": "walk", "cause": "corrupt", "extent": [0, 512], "detail": "damaged"},
    {"record": "coverage", "where": "E1/p0", "bytes": {"allocated": 9, "deleted": 0, "gap": 0, "metadata": 512, "slack": 503, "unallocated": 1047552,
     "unreadable": 0}, "examined": {"hashed": 9, "scanned": 9}},
    {"record": "coverage", "where": "E1", "bytes": {"allocated": 9, "deleted": 0, "gap": 0, "metadata": 512, "slack": 503, "unallocated": 1047552,
     "unreadable": 0}, "examined": {"hashed": 9, "scanned": 9}},
]
MESSAGES = [{"message": "touch", "object": "E1/p0/i4:/a.txt", "bytes": 9}, {"message": "done", "lines": 3, "sha256": NO_DIGEST}]
MANIFEST = {
    "format": "exhibit-manifest/1", "case": {"number": "1", "title": "t", "authority": "a", "profile": "int"},
    "tool": {"name": "exhibit", "version": "0", "source_revision": "0", "build_sha256": NO_DIGEST, "libraries": {}},
    "inputs": [], "evidence": [], "custody": {"file": "custody.jsonl", "events": 0, "head": NO_DIGEST}, "created": "2024-01-01T00:00:00Z"}


def lines(values):
    return b"".join(verify.canonical(value) + b"\n" for value in values)


def json_seeds(put):
    for number, record in enumerate(RECORDS):
        put("record", f"record-{number}", verify.canonical(record))
    put("record", "escapes", b'{"a":"\\u00e9\\ud83d\\ude00\\n","b":[1,-1,9007199254740991,true,null,{}],"\xd1\x8f":""}')
    put("protocol", "lines", b"\x04" + lines(RECORDS + MESSAGES))
    put("protocol", "whole", b"\x0f" + lines(MESSAGES))
    put("findings", "whole", lines(RECORDS))
    put("report", "whole", lines(RECORDS))
    put("findings", "unfinished", lines(RECORDS)[:-20])
    for number in range(2, len(RECORDS)):
        put("findings", f"order-{number}", lines([RECORDS[0], RECORDS[1], RECORDS[number], *RECORDS[2:number]]))


def signature_seeds(put):
    for suite in sorted((CORPORA / "crypto").iterdir()):
        if not suite.is_dir():
            continue
        signature, answer = (suite / "message.json.p7s").read_bytes(), (suite / "message.json.tsr").read_bytes()
        put("signature", suite.name, len(signature).to_bytes(2, "big") + signature + answer)
        put("signature", suite.name + "-alone", len(signature).to_bytes(2, "big") + signature)
        ledger, previous = b"", NO_DIGEST
        for seq, event in enumerate(("acquired", "transferred", "received", "sealed"), 1):
            line = verify.canonical({
                "seq": seq, "time": "2024-01-01T00:00:00Z", "event": event, "actor": {"name": "A", "role": "r", "organisation": "o", "credential": "c"},
                "participants": [{"name": "B", "role": "witness"}], "place": "p", "evidence": ["E1"], "detail": "d", "previous": previous,
                "signature": base64.b64encode(signature).decode()})
            ledger, previous = ledger + line + b"\n", verify.sha256(line).hex()
        put("ledger", suite.name, ledger)


def case_seeds(put, folder):
    """manifest.json and a ledger as Exhibit writes them, where it is built."""
    put("manifest", "minimal", verify.canonical(MANIFEST))
    full = dict(MANIFEST, previous=NO_DIGEST)
    summary = {"file": "findings/E1.jsonl", "bytes": 9, "records": 1, "counts": {"items": 0, "matches": 0, "problems": 0},
               "digests": {"sha256": NO_DIGEST}, "trees": {"sha256": NO_DIGEST}, "salt_commitment": NO_DIGEST}
    full["evidence"] = [{"id": "E1", "size": 512, "digests": {"md5": "0" * 32, "sha256": NO_DIGEST}, "integrity": "match", "block_root": NO_DIGEST,
                         "findings": summary}]
    full["inputs"] = [{"kind": "yara", "name": "r.yar", "version": "", "entries": 1, "digests": {"sha256": NO_DIGEST}}]
    put("manifest", "full", verify.canonical(full))
    disclosure_seeds(put, full)


def disclosure_seeds(put, manifest):
    """All of a findings file of four lines: one item with its lead, and the volume that holds both; and an absence between two contents."""
    records = [RECORDS[1], RECORDS[2], RECORDS[4], RECORDS[6]]
    lines_, salts = [verify.canonical(record).decode() for record in records], [bytes([i]) * 32 for i in range(4)]
    leaves = [verify.sha256(b"\0" + salt + line.encode()) for salt, line in zip(salts, lines_)]
    left, right = verify.tree_root(leaves[:2]), verify.tree_root(leaves[2:])
    keys = [bytes(32), b"\xff" * 32]
    key_leaves = [verify.sha256(b"\0" + key) for key in keys]
    findings = manifest["evidence"][0]["findings"]
    findings.update(records=4, trees={"sha256": verify.tree_root(leaves).hex()}, content={
        "digest": "sha256", "entries": 2, "without": 1, "trees": {"sha256": verify.tree_root(key_leaves).hex()}})
    put("manifest", "content", verify.canonical(manifest))

    def record(index, *path):
        return {"index": index, "line": lines_[index], "salt": salts[index].hex(), "paths": {"sha256": [value.hex() for value in path]}}

    def neighbour(index):
        return {"index": index, "key": keys[index].hex(), "paths": {"sha256": [key_leaves[1 - index].hex()]}}
    put("disclosure", "all", verify.canonical({
        "format": "exhibit-disclosure/1", "manifest": verify.canonical(manifest).decode(),
        "signatures": [{"name": "manifest.json.1.p7s", "cms": "MAA=", "timestamp": "MAA="}],
        "items": [{"evidence": "E1", "item": RECORDS[2]["id"], "records": [record(1, leaves[0], right), record(2, leaves[3], left)]}],
        "volumes": [{"evidence": "E1", "volume": "E1/p0", "first": 0, "proofs": {"sha256": []},
                     "records": [{"line": line, "salt": salt.hex()} for line, salt in zip(lines_, salts)]}],
        "absent": [{"evidence": "E1", "digest": "sha256:" + NO_DIGEST, "low": neighbour(0), "high": neighbour(1)}]}))


def image_seeds(put, found):
    for base in found:
        raw = b"".join(data for _, data in base.files).rstrip(b"\0")
        if base.type == "e01":
            joined = SEPARATOR.join(data for _, data in base.files)
            if len(joined) <= LARGEST:
                put("image", base.name, joined)
                put("ewf", base.name, joined)
        elif base.type == "table":
            put("volume", base.name, raw[:64 << 10])
        elif "ext" in base.name and len(raw) and raw[1080:1082] == b"\x53\xef":
            if len(raw) <= LARGEST or base.type == "ext":
                put("ext", base.name, raw[:LARGEST])
        elif raw[3:11] == b"EXFAT   ":
            put("exfat", base.name, raw[:LARGEST * 2])
        if base.type in ("split", "iso", "fat") and len(raw) < 65536:
            put("image", base.name, raw)
    put("image", "con-p-ex01.Ex01", (CORPORA / "images/con-p-ex01.Ex01").read_bytes()[:32768])


def container_seeds(put):
    """The start of each container: that is where its tables are, but for the formats with a trailer."""
    for name in ("ad1_test.ad1", "dream.aff4", "con-p-aff.aff", "image.qcow", "ext2.qcow2.xz", "image.vmdk", "image.vhd", "image.vhd.xz",
                 "image-differential.vhd.xz", "con-p-vdi.vdi", "con-p-ex01.Ex01", "hfsplus_zlib.dmg", "spotlight.12.dmg"):
        path = CORPORA / "images" / name
        data = lzma.decompress(path.read_bytes()) if name.endswith(".xz") else path.read_bytes()
        put("container", name, data[:LARGEST])
    # A VHDX has megabytes of nothing between its tables: cut to the header and the regions, which is where parsing begins.
    whole = lzma.decompress((CORPORA / "images/dynamic.vhdx.xz").read_bytes())
    put("container", "dynamic.vhdx", whole[:0x50000])
    extent = 'RW 2048 FLAT "base2.img" 0\nRW 2048 SPARSE "base3.img"\n'
    descriptor = '# Disk DescriptorFile\nCID=1\nparentCID=ffffffff\ncreateType="custom"\n' + extent
    put("container", "extents.vmdk", SEPARATOR.join([descriptor.encode(), bytes(4096), (CORPORA / "images/image.vmdk").read_bytes()[:65536]]))


def bitmap_seeds(put):
    for name, bits, compression, body in (("plain", 24, 0, bytes(range(96))), ("palette", 4, 0, bytes(range(256)) * 2), ("runs", 8, 1, b"\x05\x01\0\0\0\2\1\1\0\3abc\0\0\1"),
                                          ("half-runs", 4, 2, b"\x07\x12\0\x05\x12\x34\x50\0\0\1"), ("fields", 16, 3, bytes(range(128)))):
        head = struct.pack("<IiiHHIIiiII", 40, 8, 8, 1, bits, compression, len(body), 0, 0, 0, 0)
        masks = struct.pack("<III", 0xf800, 0x7e0, 0x1f) if compression == 3 else bytes(4 << bits) if bits <= 8 else b""
        put("bitmap", name, b"BM" + struct.pack("<IHHI", 0, 0, 0, 54 + len(masks)) + head + masks + body)


def hashset_seeds(put):
    for path in sorted((CORPORA / "hashsets").iterdir()):
        if path.suffix != ".db":
            put("hashset", path.name, path.read_bytes()[:4096])
    put("hashset", "empty-file", b"d41d8cd98f00b204e9800998ecf8427e  \\a\\nb\r\n")
    digest = b"0cc175b9c0f1b6a831c399e269772661"
    put("hashset", "vics", b'{"@odata.context":"http://github.com/VICSDATAMODEL/ProjectVic/DataModels/2.0.xml/US/$metadata#Media","value":[{"MediaID":1,'
        b'"Category":"1","MD5":"' + digest + b'","AlternativeHashes":[{"HashName":"SHA256","HashValue":""}],"Series":{"a":[]}}]}')
    put("hashset", "delta", b"BEGIN TRANSACTION;\nINSERT INTO FILE(md5,file_name) VALUES('" + digest + b"','it''s');\nCOMMIT;\n")
    put("hashset", "encase", b"HASH\r\n\xff\0" + bytes(1144) + bytes.fromhex(digest.decode()) + bytes(2))
    put("hashset", "ilook", b"V3Hash,HashSHA1,FileName,FilePath,FileSize,HashSHA256,HashSHA384,HashSHA512\n" + digest + b",,a, b,\\,1,,,\n")
    put("hashset", "hashlookup", b"hashlookup_result,filename,sha-1,size\nknown,a, b,86f7e437faa5a7fce15d1ddcb9eaeaea377667b8,1\n")
    put("hashset", "pdq", b"hash,quality,filename\n" + b"992d" + bytes(b"0" * 60) + b",75,a, b\n" + b"f" * 64 + b",3,x\n")
    put("hashset", "icse", b"MD5;SHA1;PhotoDNA;Image ID;Baseline\n" + digest + b";;;17;True\n")


def carve_seeds(put):
    """The signatures' samples; the first byte is the signature's number in the order of names."""
    for number, path in enumerate(sorted((HERE.parents[1] / "signatures" / "carver").glob("*.json"))):
        signature = json.loads(path.read_text())
        for kind in ("samples", "counter_samples"):
            for place, sample in enumerate(signature[kind]):
                data = base64.b64decode(sample["base64"]) if "base64" in sample else zlib.decompress(base64.b64decode(sample["deflated"]))
                put("carve", f"{path.stem}-{kind}-{place}", bytes([number]) + data[:LARGEST])


def mail_seeds(put):
    made = email.message.EmailMessage(policy=email.policy.SMTP)
    made["From"], made["Subject"] = "a@example.org", "d\u00e9cor"
    made.set_content("plain =3D \u00e4\n" * 3)
    made.add_alternative("<p>x</p>", subtype="html", cte="base64")
    made.add_attachment(b"\0\1\2" * 40, maintype="application", subtype="octet-stream", filename="na\u00efve " * 9)
    inner = email.message.EmailMessage()
    inner["From"] = "b@example.org"
    inner.set_content("within")
    made.add_attachment(inner)
    data = made.as_bytes()
    put("mail", "message", data)
    put("mail", "mailbox", b"".join(b"From a@example.org Mon Jan  1 00:00:00 2024\n" + one + b"\n\n" for one in (data, b"From: b@example.org\n\n>From x\n")))
    put("mail", "words", b'From: a\nContent-Type: text/plain; name="=?iso-8859-1?Q?na=EFve?= =?utf-8?B?IMOk?="\n\nx\n')


def rar_seeds(put):
    old = b"Rar!\x1a\x07\0" + struct.pack("<HBHH", 0, 0x73, 0, 13) + bytes(6)
    fields = struct.pack("<IIBIIBBHI", 3, 3, 3, 7, 0, 20, 0x30, 1, 0) + b"a"
    put("rar", "old", old + struct.pack("<HBHH", 0, 0x74, 0x8000, 7 + len(fields)) + fields + b"abc" + struct.pack("<HBHH", 0, 0x7b, 0x4000, 7))
    extra = bytes([4, 1, 0, 0, 15])
    file = bytes([2, 3, len(extra), 3, 4, 3, 0]) + struct.pack("<I", 7) + bytes([0, 1, 1]) + b"a" + extra
    put("rar", "new", b"Rar!\x1a\x07\1\0" + bytes(4) + b"\3\1\0\0" + bytes(4) + bytes([len(file)]) + file + b"abc" + bytes(4) + b"\3\5\0\0")


def outlook_seeds(put):
    """The carver's samples of compound files, and a store of one block ([MS-PST])."""
    signature = json.loads((HERE.parents[1] / "signatures" / "carver" / "ole.json").read_text())
    for place, sample in enumerate(signature["samples"]):
        data = base64.b64decode(sample["base64"]) if "base64" in sample else zlib.decompress(base64.b64decode(sample["deflated"]))
        put("outlook", f"compound-{place}", data[:LARGEST])
    store = bytearray(8192)
    def page(at, kind, entry=b""):
        store[at:at + len(entry)] = entry
        if entry:
            store[at + 488:at + 491] = bytes([1, 20, 24])
        store[at + 496:at + 498] = bytes([kind, kind])
        struct.pack_into("<I", store, at + 500, zlib.crc32(bytes(store[at:at + 496]), 0xffffffff) ^ 0xffffffff)
    store[:12] = b"!BDN" + bytes(6) + struct.pack("<H", 23)
    struct.pack_into("<Q", store, 224, 1024)
    struct.pack_into("<Q", store, 240, 2048)
    page(1024, 0x81)
    page(2048, 0x80, struct.pack("<QQHHI", 4, 4096, 100, 1, 0))
    put("outlook", "store", bytes(store))


def main():
    root = Path(sys.argv[1])
    shutil.rmtree(root, ignore_errors=True)

    def put(target, name, data):
        (root / target).mkdir(parents=True, exist_ok=True)
        (root / target / name.replace("/", "_")).write_bytes(data)

    memory = "/dev/shm" if os.access("/dev/shm", os.W_OK) else None
    with tempfile.TemporaryDirectory(dir=memory) as folder:
        image_seeds(put, bases.all_bases(folder))
        case_seeds(put, folder)
    container_seeds(put)
    json_seeds(put)
    signature_seeds(put)
    hashset_seeds(put)
    bitmap_seeds(put)
    carve_seeds(put)
    mail_seeds(put)
    rar_seeds(put)
    outlook_seeds(put)
    missing = [path.name for path in HERE.glob("*_fuzzer.cc") if not (root / path.name.removesuffix("_fuzzer.cc")).is_dir()]
    if missing:
        sys.exit(f"no seeds for {', '.join(missing)}")
    print({path.name: sum(1 for _ in path.iterdir()) for path in sorted(root.iterdir())})


if __name__ == "__main__":
    main()
