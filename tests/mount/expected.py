"""What a mount must hold, by what the findings and the truth of a corpora image say."""
import os, stat, sys

from mounts import CORPORA, walk

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../corpora"))
os.environ["EXHIBIT_CORPORA"] = CORPORA
import corpus  # noqa: E402


def ids_in(folder):
    """user.exhibit.id -> path, of everything that has one."""
    found = {}
    for path, status in walk(folder):
        if stat.S_ISLNK(status.st_mode):
            continue
        full = os.path.join(os.fsencode(folder), path)
        if b"user.exhibit.id" in map(os.fsencode, os.listxattr(full)):
            found[os.getxattr(full, b"user.exhibit.id").decode()] = full
    return found


def expected(findings, sample, mounted):
    """Path -> SHA-256; None: reading must fail. An item that no path has is an error, and so is a line of the truth."""
    paths = ids_in(mounted.folder)
    wanted = {}
    for item in findings:
        if item["record"] != "item" or item["kind"] == "directory" or item["path"] == "/$OrphanFiles":
            continue
        if item["kind"] == "symlink" and "stream" not in item:
            continue  # has no attribute that tells its id
        if "digests" in item:
            wanted[paths[item["id"]]] = item["digests"]["sha256"]
        elif item["size"] > 0 and item["kind"] in ("file", "virtual"):
            wanted[paths[item["id"]]] = None
    for path, digest in truth(findings, sample, mounted).items():
        assert wanted.setdefault(path, digest) == digest, path
    return wanted


def truth(findings, sample, mounted):
    volumes = {record["offset"]: record["id"].split("/", 1)[1] for record in findings if record["record"] == "volume"}
    media = sample.of("media")
    wanted = {os.fsencode(mounted.path("image.raw")): media[0]["sha256"]} if media and media[0].get("sha256") else {}
    for line in sample.of("file"):
        scoped = sample.in_scope(sample.file_systems.get(line.get("fs_offset"), {"type": ""}))
        plain = line["alloc"] and line["meta_type"] == "r" and line.get("sha256") and not line.get("system")
        # What only a second reader saw is listed in docs/known-differences.md.
        if scoped and plain and "tsk-4.11.1" not in line.get("not_seen_by", []):
            wanted[os.fsencode(mounted.path(volumes[line["fs_offset"]], line["path"].strip("/")))] = line["sha256"]
    return wanted
