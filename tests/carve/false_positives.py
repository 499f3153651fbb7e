#!/usr/bin/env python3
"""What the carver calls `validated` in material that holds nothing, or only what is known to be there.

    false_positives.py CARVE_FILE [--size MiB] [--seed N] [--show]

A quarter of the size each: random bytes, an encrypted volume, executables and text of this machine. Real files lie in
the last two (icons, certificates, compressed pages): there an output counts only if an independent tool refuses it.
Fails where a kind has more than its budget for a GiB allows.
"""
import argparse
import bz2
import collections
import email
import gzip
import json
import lzma
import os
import random
import shutil
import sqlite3
import subprocess
import sys
import tempfile
import xml.parsers.expat
import zipfile
import zlib
from pathlib import Path

BUDGET = {"random": 1, "encrypted": 1, "executables": 8, "text": 8}  # refused `validated` outputs a GiB
PART = 16 << 20  # bytes that the carver is given at a time
CLUSTER = 4096


def random_bytes(size, seed):
    generator = random.Random(seed)
    return b"".join(generator.randbytes(1 << 20) for _ in range(size >> 20))


def encrypted_bytes(size, seed):
    """Zeros under AES in counter mode: what an unlocked LUKS volume looks like."""
    key = f"{seed:032x}"
    command = ["openssl", "enc", "-aes-128-ctr", "-K", key, "-iv", key]
    return subprocess.run(command, input=bytes(size), stdout=subprocess.PIPE, check=True).stdout


def files_under(folders, seed, accept):
    paths = [path for folder in folders for path in sorted(Path(folder).rglob("*")) if accept(path) and path.is_file() and not path.is_symlink()]
    random.Random(seed).shuffle(paths)
    return paths


def file_bytes(paths, size):
    """Files as a file system lays them: each from a cluster on, its slack zeros."""
    data = bytearray()
    for path in paths:
        if len(data) >= size:
            break
        try:
            data += path.read_bytes()[: size // 4]
        except OSError:
            continue
        data += bytes(-len(data) % CLUSTER)
    return bytes(data[:size])


def material(kind, size, seed):
    if kind == "random":
        return random_bytes(size, seed)
    if kind == "encrypted":
        return encrypted_bytes(size, seed)
    if kind == "executables":
        return file_bytes(files_under(["/usr/bin", "/usr/lib/" + os.uname().machine + "-linux-gnu"], seed, lambda path: True), size)
    return file_bytes(files_under(["/usr/share/doc", "/usr/share/common-licenses"], seed, lambda path: path.suffix != ".gz"), size)


def whole_png(data):
    at, pixels = 8, b""
    while at < len(data):
        length = int.from_bytes(data[at : at + 4], "big")
        kind, body = data[at + 4 : at + 8], data[at + 8 : at + 8 + length]
        if zlib.crc32(kind + body) != int.from_bytes(data[at + 8 + length : at + 12 + length], "big"):
            raise ValueError("CRC")
        pixels += body if kind == b"IDAT" else b""
        at += 12 + length
    zlib.decompress(pixels)


def whole_xml(data):
    parser = xml.parsers.expat.ParserCreate()
    parser.UseForeignDTD(True)  # entities may be defined elsewhere
    parser.Parse(data.rstrip(b"\0"), True)


def whole_zip(path):
    with zipfile.ZipFile(path) as archive:
        if archive.testzip() is not None:
            raise ValueError("CRC")


def whole_sqlite(path):
    base = sqlite3.connect(f"file:{path}?mode=ro&immutable=1", uri=True)
    try:
        if base.execute("pragma integrity_check").fetchone() != ("ok",):
            raise ValueError("integrity")
    finally:
        base.close()


def run(*command):
    subprocess.run(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=True, timeout=60)


def all_values(text):
    decoder = json.JSONDecoder()
    while text := text.lstrip():
        text = text[decoder.raw_decode(text)[1] :]


def mail(data):
    message = email.message_from_bytes(data)
    if message.defects or not message["from"]:
        raise ValueError("no message")


XML = {"xml", "xhtml", "svg", "kml", "gpx", "plist", "fb2", "rss", "atom", "xsl", "xsd"}
ZIP = {"zip", "docx", "xlsx", "pptx", "odt", "ods", "odp", "jar", "apk", "epub"}


def refused(extension, path):
    """Why an independent reader says that it is no such file; None: it accepts."""
    data = path.read_bytes()
    try:
        if extension == "png":
            whole_png(data)
        elif extension == "gz":
            gzip.decompress(data)
        elif extension == "bz2":
            bz2.decompress(data)
        elif extension in ("xz", "lzma"):
            lzma.decompress(data)
        elif extension in ZIP:
            whole_zip(path)
        elif extension in XML:
            whole_xml(data)
        elif extension == "json":
            json.loads(data)
        elif extension == "jsonl":
            all_values(data.decode())
        elif extension == "eml":
            mail(data)
        elif extension in ("crt", "csr", "crl", "p7", "p12", "der"):
            run("openssl", "asn1parse", "-inform", "der", "-in", path)
        elif extension == "pem" and b"Proc-Type: 4,ENCRYPTED" not in data:
            run("openssl", "asn1parse", "-inform", "pem", "-strictpem", "-in", path)
        elif extension in ("sqlite", "db"):
            whole_sqlite(path)
        elif shutil.which("file"):
            kind = subprocess.run(["file", "-b", "--mime-type", path], stdout=subprocess.PIPE, text=True, check=True).stdout.strip()
            # Formats that libmagic doesn't know it calls so too: they are told, and count.
            if kind == "application/octet-stream":
                return "file: " + kind
    except Exception as error:  # each reader has its own
        return f"{type(error).__name__}: {error}"[:120]
    return None


def carve(carver, data, folder):
    """The carver's records with the file that each was written to."""
    source = folder / "material"
    source.write_bytes(data)
    out = folder / "out"
    shutil.rmtree(out, ignore_errors=True)
    out.mkdir()
    result = subprocess.run([carver, source, "--out", out], stdout=subprocess.PIPE, text=True, check=True)
    for line in result.stdout.splitlines():
        record = json.loads(line)
        yield record, out / f"{record['extents'][0][0]}-{record['size']}.{record['extension']}"


def judge(carver, kind, size, seed, show):
    tiers, bad = collections.Counter(), []
    data = material(kind, size, seed)
    with tempfile.TemporaryDirectory() as folder:
        for begin in range(0, len(data), PART):
            for record, path in carve(carver, data[begin : begin + PART], Path(folder)):
                tiers[record["tier"]] += 1
                if show:
                    print(f"  {kind} {begin + record['extents'][0][0]} {record['signature']} {record['extension']} {record['tier']} {record['size']}")
                if record["tier"] != "validated":
                    continue
                why = "there is nothing" if kind in ("random", "encrypted") else refused(record["extension"], path)
                if why:
                    bad.append(f"{begin + record['extents'][0][0]}: {record['signature']} of {record['size']} bytes: {why}")
    allowed = BUDGET[kind] * len(data) / (1 << 30)
    print(f"{kind}: {len(data) >> 20} MiB, {tiers['validated']} validated, {tiers['plausible']} plausible; {len(bad)} refused, {allowed:.2f} allowed")
    for line in bad[:20]:
        print("  " + line)
    return len(bad) <= allowed


def main():
    options = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    options.add_argument("carver")
    options.add_argument("--size", type=int, default=64, help="MiB of all material")
    options.add_argument("--seed", type=int, default=1)
    options.add_argument("--show", action="store_true", help="each output")
    given = options.parse_args()
    size = (given.size << 20) // len(BUDGET)
    good = [judge(given.carver, kind, size, given.seed, given.show) for kind in BUDGET]
    sys.exit(0 if all(good) else 1)


if __name__ == "__main__":
    main()
