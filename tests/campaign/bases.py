"""The images that the campaign damages: those of the corpora that are small enough, and some made here.

A base is the same bytes on every run: times, identifiers and serial numbers are given to the tools that make one.
"""
import hashlib
import os
import struct
import subprocess
import sys
import zlib
from dataclasses import dataclass, field
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "corpora"))
import corpus  # noqa: E402

LARGEST = 8 << 20  # bytes of one base; most of a run's time is the start of its processes
LARGE_ONES = {"con-ntfs-p", "dftt08-jpeg-search", "con-apm-p", "fs-fat32_mkdosfs_label1.img.xz"}  # the only small ones of their type
SAMPLER = ("exfat", "ext2", "ext3", "fat32_mkdosfs_label1.", "hfs", "iso-", "sun", "atari")
EPOCH = "1700000000"


@dataclass
class Base:
    name: str
    type: str  # ext, fat, ntfs, exfat, hfs, iso, ufs, table, e01, split; damaged: what the corpora hold damaged
    files: list  # (name, bytes), in order
    media: bytes = b""  # what the container holds; empty where no tool could tell
    findings: dict = field(default_factory=dict)  # of the undamaged image: filled by the campaign

    @property
    def raw(self):
        return self.type != "e01"


def type_of(media):
    """What lies in it, as far as choosing a mutation goes."""
    if media[512:520] == b"EFI PART" or media[512:514] == b"PM":
        return "table"
    if media[1080:1082] == b"\x53\xef":
        return "ext"
    if media[3:11] == b"NTFS    ":
        return "ntfs"
    if media[3:11] == b"EXFAT   ":
        return "exfat"
    if media[1024:1026] in (b"H+", b"HX", b"BD"):
        return "hfs"
    if media[0x8001:0x8006] == b"CD001":
        return "iso"
    if media[8192 + 1372:8192 + 1376] == b"\x54\x19\x01\x00" or media[65536 + 1372:65536 + 1376] == b"\x19\x01\x54\x19":
        return "ufs"
    if media[510:512] == b"\x55\xaa" and media[0] in (0xEB, 0xE9):
        return "fat"
    return "table"


# ---------------------------------------------------------------- the corpora


def media_of(folder, names):
    """The bytes inside an EWF set, by an independent reader."""
    done = subprocess.run(["img_cat", *names], cwd=folder, capture_output=True, check=False)
    return done.stdout if done.returncode == 0 else b""


def of_corpora(folder):
    found = []
    for sample in corpus.samples():
        if not sample.opens or "xfs" in sample.id or "btrfs" in sample.id or "apfs" in sample.id:
            continue
        if int(sample.of("media")[0].get("size", 0)) > LARGEST and sample.id not in LARGE_ONES:
            continue
        place = folder / sample.id
        place.mkdir()
        corpus.unpack_all(sample.files, place)
        # A plain file stays where it is; what was unpacked lies in the folder.
        paths = [place / path.name.removesuffix(".xz") for path in sample.segments]
        paths = [path if path.exists() else original for path, original in zip(paths, sample.segments)]
        files = [(path.name, path.read_bytes()) for path in paths]
        joined = b"".join(data for _, data in files)
        if joined[:3] == b"EVF":
            found.append(Base(sample.id, "e01", files, media_of(paths[0].parent, [path.name for path in paths])))
        else:
            found.append(Base(sample.id, "split" if len(files) > 1 else type_of(joined), files, joined))
    for path, line in corpus.corrupt():
        sampled = line["kind"].startswith("sampler") and path.name.split("-", 1)[1].startswith(SAMPLER)
        if line["kind"] not in ("ext", "exfat", "iso") and not sampled:
            continue
        if line.get("raw_bytes", line["bytes"]) <= LARGEST or path.name in LARGE_ONES:
            place = folder / path.name
            place.mkdir()
            media = corpus.unpack(path, place).read_bytes()
            found.append(Base(path.name, type_of(media) if sampled else "damaged", [("image.raw", media)], media))
    return found


# ---------------------------------------------------------------- made here


def run(*words, **options):
    environment = {**os.environ, "SOURCE_DATE_EPOCH": EPOCH, "E2FSPROGS_FAKE_TIME": EPOCH, "MTOOLS_SKIP_CHECK": "1", "TZ": "UTC",
                   "PATH": os.environ["PATH"] + ":/usr/sbin:/sbin"}
    subprocess.run(list(map(str, words)), check=True, capture_output=True, env=environment, **options)


def contents(folder):
    """Small harmless files, of sizes around those of sectors, clusters and blocks."""
    place = folder / "contents"
    place.mkdir()
    for number, size in enumerate((0, 1, 60, 511, 512, 1024, 4095, 9000, 40000, 120000)):
        text = hashlib.sha256(str(number).encode()).hexdigest() + "\n"
        (place / f"file {number}.txt").write_text((text * (size // len(text) + 1))[:size], encoding="ascii")
        os.utime(place / f"file {number}.txt", (int(EPOCH), int(EPOCH)))
    return place


def make_fat(folder, bits, size, sectors):
    image, files = folder / f"fat{bits}.raw", folder / "contents"
    with open(image, "wb") as out:
        out.truncate(size)
    run("mkfs.fat", "-F", bits, "-s", sectors, "-i", "45584942", "-n", "CAMPAIGN", "--invariant", image)
    run("mmd", "-i", image, "::One", "::One/Two", "::One/Two/Three", "::Много")
    names = sorted(path.name for path in files.iterdir())
    for where in ("::", "::One/", "::One/Two/", "::One/Two/Three/"):
        run("mcopy", "-m", "-i", image, *(files / name for name in names[:7 if where == "::" else 3]), where)
    run("mcopy", "-m", "-i", image, files / names[-1], "::One/a long name that takes several entries of the directory.txt")
    run("mdel", "-i", image, "::file 5.txt", "::One/file 1.txt")
    return image.read_bytes()


def make_ext(folder, kind, size, *options):
    image, files = folder / f"{kind}.raw", folder / "contents"
    with open(image, "wb") as out:
        out.truncate(size)
    run("mke2fs", "-q", "-F", "-t", kind, "-b", "1024", "-U", "45584942-0000-4000-8000-000000000001", "-N", "64",
        "-E", "hash_seed=45584942-0000-4000-8000-000000000002,lazy_itable_init=0", *options, image)
    script = ["mkdir one", "mkdir one/two", "mkdir one/two/three", "symlink short one/two", "symlink long " + "a-target/" * 12]
    for number, path in enumerate(sorted(files.iterdir())):
        script.append(f'write "{path}" "{"one/" if number % 2 else ""}{path.name}"')
    script += [f'write "{files / "file 8.txt"}" one/two/three/x{number}' for number in range(3)]
    script += ['ln "file 2.txt" one/two/link', 'rm "file 4.txt"', 'set_inode_field one/two/link links_count 2']
    run("debugfs", "-w", "-f", "/dev/stdin", image, input="\n".join(script).encode())
    return image.read_bytes()


def make_mbr(folder, volume):
    """One primary partition and three logical ones in a chain of extended tables."""
    image = folder / "mbr.raw"
    with open(image, "wb") as out:
        out.truncate(5 << 20)
    sectors = len(volume) // 512
    lines = ["label: dos", "label-id: 0x45584942", f"start=64, size={sectors}, type=1", f"start=2112, size={5 * 1600}, type=5"]
    lines += [f"start={2176 + 1600 * i}, size=1440, type=1" for i in range(3)]
    run("sfdisk", "-q", "--no-reread", "--no-tell-kernel", image, input="\n".join(lines).encode())
    data = bytearray(image.read_bytes())
    for start in (64, 2176, 3776, 5376):
        data[start * 512:start * 512 + min(len(volume), 1440 * 512)] = volume[:1440 * 512]
    return bytes(data)


def make_gpt(folder, volume):
    image = folder / "gpt.raw"
    with open(image, "wb") as out:
        out.truncate(3 << 20)
    run("sgdisk", "-o", "-U", "45584942-0000-4000-8000-000000000003", "-a", "8", "-n", f"1:64:{63 + len(volume) // 512}", "-c", "1:Ünïcode",
        "-u", "1:45584942-0000-4000-8000-000000000004", "-n", "2:3000:3999", "-u", "2:45584942-0000-4000-8000-000000000005", image)
    data = bytearray(image.read_bytes())
    data[64 * 512:64 * 512 + len(volume)] = volume
    return bytes(data)


# ---------------------------------------------------------------- EWF
# Written here and not by ewfacquire, which puts the time and a random identifier into every set: no seed would make the
# same image again. The corpora's sets are by ewfacquire, EnCase and FTK.
# Layout: Metz, "Expert Witness Compression Format (EWF)", section 3.


def sealed(data):
    return data + struct.pack("<I", zlib.adler32(data))


def section(kind, at, data, last=False):
    size = 76 + len(data)
    return sealed(struct.pack("<16sQQ40x", kind, at if last else at + size, 0 if last else size)) + data


def make_ewf(media, chunk_sectors, segments):
    chunk = chunk_sectors * 512
    chunks = [media[i:i + chunk] for i in range(0, len(media), chunk)]
    share = -(-len(chunks) // segments)
    volume = sealed(struct.pack("<B3xIIIQ", 1, len(chunks), chunk_sectors, 512, len(media) // 512).ljust(52, b"\0") + b"\1" +
                    bytes(11) + b"CAMPAIGN-EWF-SET".ljust(1052 - 4 - 64, b"\0"))
    header = zlib.compress(b"1\r\nmain\r\nc\tn\ta\te\tt\tav\tov\tm\tu\tp\r\n1\t1\tx\ty\tz\t6\tL\t2023 1 1 0 0 0\t2023 1 1 0 0 0\t0\r\n\r\n")
    files = []
    for number in range(segments):
        out = bytearray(b"EVF\x09\x0d\x0a\xff\x00\x01" + struct.pack("<HH", number + 1, 0))
        for kind, data in ((b"header", header), (b"volume", volume)) if number == 0 else ((b"data", volume),):
            out += section(kind, len(out), data)
        place, packed, entries = len(out) + 76, bytearray(), []
        for data in chunks[number * share:(number + 1) * share]:
            small = zlib.compress(data)
            entries.append(place + len(packed) | (0x80000000 if len(small) < len(data) else 0))
            packed += small if len(small) < len(data) else sealed(data)
        out += section(b"sectors", len(out), bytes(packed))
        table = sealed(struct.pack("<I16x", len(entries))) + sealed(struct.pack(f"<{len(entries)}I", *entries))
        out += section(b"table", len(out), table) + section(b"table2", len(out) + 76 + len(table), table)
        if number < segments - 1:
            out += section(b"next", len(out), b"", last=True)
        else:
            out += section(b"data", len(out), volume) if segments == 1 else b""
            sums = hashlib.md5(media).digest()
            out += section(b"digest", len(out), sealed(sums + hashlib.sha1(media).digest() + bytes(40)))
            out += section(b"hash", len(out), sealed(sums + bytes(16)))
            out += section(b"done", len(out), b"", last=True)
        files.append((f"made.E{number + 1:02}", bytes(out)))
    return files


def made(folder):
    contents(folder)
    media = {"fat12": make_fat(folder, 12, 720 << 10, 1), "fat16": make_fat(folder, 16, 4 << 20, 1),
             "ext2": make_ext(folder, "ext2", 1 << 20, "-O", "^dir_index"), "ext3": make_ext(folder, "ext3", 3 << 20),
             "ext4": make_ext(folder, "ext4", 3 << 20, "-O", "metadata_csum,64bit,inline_data")}
    media["mbr"], media["gpt"] = make_mbr(folder, media["fat12"]), make_gpt(folder, media["fat12"])
    found = [Base("made-" + name, type_of(data) if name not in ("mbr", "gpt") else "table", [("image.raw", data)], data)
             for name, data in media.items()]
    for name, chunk_sectors, segments in (("fat12", 64, 1), ("ext4", 64, 3), ("gpt", 16, 2), ("ext2", 64, 1)):
        found.append(Base(f"made-e01-{name}", "e01", make_ewf(media[name], chunk_sectors, segments), media[name]))
    third = len(media["fat16"]) // 3 // 512 * 512
    parts = [media["fat16"][i:i + third] for i in range(0, len(media["fat16"]), third)]
    found.append(Base("made-split", "split", [(f"image.{i:03}", part) for i, part in enumerate(parts)], media["fat16"]))
    return found


def all_bases(folder):
    """Sorted by name, each name once."""
    folder = Path(folder)
    (folder / "corpora").mkdir()
    (folder / "made").mkdir()
    return sorted(of_corpora(folder / "corpora") + made(folder / "made"), key=lambda base: base.name)
