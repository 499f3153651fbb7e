"""The corpora's files and their truth, unpacked and run under limits."""

import bz2
import gzip
import json
import lzma
import os
import resource
import shutil
import signal
import subprocess
import tarfile
import threading
import time
from dataclasses import dataclass, field
from pathlib import Path

ROOT = Path(os.environ.get("EXHIBIT_CORPORA", Path(__file__).resolve().parents[3] / "shared/corpora"))
DEBIAN = Path("/usr/share/forensics-samples")
CHUNK = 1 << 20

CONTAINERS = {".vmdk", ".vhd", ".vhdx", ".qcow", ".qcow2", ".vdi"}
# Containers that aren't read; the program must say so.
OTHER_CONTAINERS = {".aff", ".aff4", ".ad1", ".Ex01", ".dmg"}
# How the truth's kinds of keys are given (`--unlock`).
KEYS = {"password": "password", "passphrase": "password", "recovery_password": "recovery-key", "keyfile": "key-file",
        "startup_key": "startup-key"}
IN_SCOPE = ("ext", "ntfs", "fat", "exfat", "hfs", "iso9660", "ufs")
OWN_READERS = ("xfs",)  # read without libtsk, so that the truth is another reader's


def simple(name):
    """File system names of several tools, made comparable: `HFS+` and `hfsplus`, `UFS 2` and `ufs2`."""
    return "".join(c for c in str(name or "").lower().replace("+", "plus") if c.isalnum())


@dataclass
class Sample:
    """One image of the corpora, with its truth by kind of line."""

    id: str
    files: list
    truth: dict = field(default_factory=dict)
    libtsk: str = ""

    def of(self, kind):
        return self.truth.get(kind, [])

    def expected(self, check):
        return [line for line in self.of("expect") if line.get("check") == check]

    @property
    def container(self):
        name = self.files[0].name.removesuffix(".xz")
        suffix = Path(name).suffix
        if name.endswith(".tar.gz"):
            return "tar"
        if suffix in CONTAINERS | OTHER_CONTAINERS:
            return suffix[1:]
        if suffix in (".E01", ".s01"):
            return suffix[1:] + (f" x{len(self.files)}" if len(self.files) > 1 else "")
        return "split raw" if suffix == ".000" else "raw"

    @property
    def others(self):
        """Files that the user has to name: what the image is a difference to."""
        return self.files[1:] if "differencing" in self.libtsk else []

    @property
    def opens(self):
        """Whether the program opens the container."""
        return self.container in ("raw", "split raw") or self.container.startswith(("E01", "s01")) or "." + self.container in CONTAINERS

    @property
    def is_locked(self):
        return bool(self.expected("unlock"))

    @property
    def segments(self):
        """Its files without those that hold a key."""
        keys = {line["secret"] for line in self.expected("unlock") if line["kind"] in ("keyfile", "startup_key")}
        return [file for file in self.files if file.name not in keys]

    def unlock(self, folder):
        """Options that give the truth's first key for the image's one volume."""
        for line in self.expected("unlock"):
            if line["kind"] not in KEYS:
                return []  # a clear key
            path = folder / "key"
            if line["kind"] in ("keyfile", "startup_key"):
                path = next(file for file in self.files if file.name == line["secret"])
            else:
                path.write_text(line["secret"], encoding="utf-8")
            return ["--unlock", f"E1/p0={KEYS[line['kind']]}:file:{path}"]
        return []

    def in_scope(self, file_system):
        if simple(file_system["type"]) in OWN_READERS:
            return True
        return bool(file_system.get("tsk")) and simple(file_system["type"]).startswith(IN_SCOPE)

    @property
    def file_systems(self):
        return {fs["offset"]: fs for fs in self.of("fs")}


def load_truth(path):
    lines = {}
    for line in path.read_text(encoding="utf-8").splitlines():
        record = json.loads(line)
        lines.setdefault(record.get("rec"), []).append(record)
    return lines


def samples(debian=False):
    """The images of manifest.jsonl, and those of Debian's packages that are installed."""
    found, order = {}, []
    for line in (ROOT / "manifest.jsonl").read_text(encoding="utf-8").splitlines():
        row = json.loads(line)
        if str(row.get("name", "")).startswith("images/") and row.get("truth") and row["id"] not in found:
            truth = load_truth(ROOT / row["truth"])
            found[row["id"]] = Sample(row["id"], [ROOT / name for name in truth["media"][0]["files"]], truth,
                                      row.get("libtsk") or "")
            order.append(row["id"])
    for path in sorted((ROOT / "truth").glob("deb-fs-*.jsonl")) if debian else []:
        truth = load_truth(path)
        files = [Path(name.rsplit(":", 1)[1]) for name in truth["media"][0]["files"] if name.startswith("apt:")]
        if files and files[0].exists():
            found[path.stem] = Sample(path.stem, files, truth)
            order.append(path.stem)
    return [found[name] for name in order]


def corrupt():
    """The damaged images and the sampler: (path, truth line)."""
    lines = (json.loads(line) for line in (ROOT / "truth/corrupt.jsonl").read_text(encoding="utf-8").splitlines())
    return [(ROOT / line["file"], line) for line in lines]


# ---------------------------------------------------------------- unpacking


def copy_sparse(source, target):
    """Holes instead of zeros: several samples are hundreds of megabytes of nothing."""
    with open(target, "wb") as out:
        while block := source.read(CHUNK):
            if block.count(0) == len(block):
                out.seek(len(block), os.SEEK_CUR)
            else:
                out.write(block)
        out.truncate(out.tell())


def unpack(path, folder):
    """The file behind .xz, .gz, .bz2, .Z and .tar.*, below `folder`; a plain file is used where it is."""
    name = path.name
    if ".tar." in name:
        with tarfile.open(path) as archive:
            members = [member for member in archive.getmembers() if member.isreg()]
            member = max(members, key=lambda m: m.size)
            target = folder / Path(member.name).name
            copy_sparse(archive.extractfile(member), target)
        return target
    openers = {".xz": lzma.open, ".gz": gzip.open, ".bz2": bz2.open}
    target = folder / path.stem
    if path.suffix in openers:
        with openers[path.suffix](path, "rb") as source:
            copy_sparse(source, target)
        return target
    if path.suffix == ".Z":  # compress(1): no decoder in the library
        target.write_bytes(subprocess.run(["gzip", "-dc", path], capture_output=True, check=True).stdout)
        return target
    return path


def unpack_all(files, folder):
    """All segments side by side; returns the first."""
    paths = [unpack(path, folder) for path in files]
    if len({path.parent for path in paths}) > 1:
        paths = [path if path.parent == folder else Path(shutil.copy(path, folder)) for path in paths]
    return paths[0]


# ---------------------------------------------------------------- running under limits


@dataclass
class Run:
    code: int  # exit code; negative: the signal; None: time limit
    seconds: float
    peak: int  # bytes of memory of the largest process
    errors: str

    @property
    def crashed(self):
        return self.code is None or self.code < 0 or self.code >= 70 or self.code == 2


def run(command, seconds, memory=None):
    """Runs a command in its own process group; kills the group at the time limit."""
    started = time.monotonic()

    def limit():
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))

    child = subprocess.Popen(list(map(str, command)), stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                             stderr=subprocess.PIPE, start_new_session=True, preexec_fn=limit)
    late = threading.Event()

    def stop():
        late.set()
        os.killpg(child.pid, signal.SIGKILL)

    timer = threading.Timer(seconds, stop)
    timer.start()
    errors = child.stderr.read().decode("utf-8", "replace")
    _, status, usage = os.wait4(child.pid, 0)
    timer.cancel()
    child.returncode = os.waitstatus_to_exitcode(status)
    code = None if late.is_set() else child.returncode
    return Run(code, time.monotonic() - started, usage.ru_maxrss * 1024, errors)
