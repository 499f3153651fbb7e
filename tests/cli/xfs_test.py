"""XFS by Exhibit's own reader, against the kernel's: every name, size, time, target and digest is what the mounted file
system gives; free space is what xfs_db counts; what was damaged is told and gets no digest."""
import fcntl, hashlib, os, re, shutil, socket, stat, subprocess, sys, tempfile, unittest
from support import lines, run

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../mount"))
from mounts import Mounted, needs_fuse  # noqa: E402

MiB = 1 << 20
CLONE = 0x40049409  # FICLONE


def call(*words, check=True):
    return subprocess.run(words, check=check, capture_output=True, text=True).stdout


def write(path, content):
    with open(path, "wb") as file:
        file.write(content)


class Kernel:
    """The image as the kernel shows it, while in a `with`."""
    def __init__(self, image, options):
        self.image, self.options, self.path = image, options, tempfile.mkdtemp()

    def __enter__(self):
        if os.geteuid() != 0:
            raise unittest.SkipTest("this user can't mount")
        call("mount", "-o", "loop," + self.options, self.image, self.path)
        return self.path

    def __exit__(self, *_):
        call("umount", self.path)
        os.rmdir(self.path)


def populate(top):
    """Every form that directories, maps, links and attributes take."""
    for name, count, length in (("short", 3, 8), ("block", 20, 20), ("leaf", 150, 30), ("node", 2500, 100)):
        os.mkdir(os.path.join(top, name))
        for number in range(count):
            write(os.path.join(top, name, f"{number:0{length}}"), b"%d" % number)
    for number in range(0, 20, 3):
        os.remove(os.path.join(top, "block", f"{number:020}"))
    fragmented, scattered = (os.path.join(top, name) for name in ("fragmented", "scattered"))
    os.mkdir(scattered)
    with open(fragmented, "wb") as file:
        for number in range(3000):
            file.seek(number * 12288)
            file.write(b"%08d" % number * 128)
            if number % 5 == 0:  # so that the directory's blocks lie between the file's
                write(os.path.join(scattered, f"{number:0200}"), b"")
                os.fsync(file.fileno())
        file.truncate(3000 * 12288 + 77)
    with open(os.path.join(top, "unwritten"), "wb") as file:
        os.posix_fallocate(file.fileno(), 0, MiB)
        file.seek(MiB // 2)
        file.write(b"in the midst")
    original, copy = (os.path.join(top, name) for name in ("original", "copy"))
    write(original, bytes(range(256)) * 1024)
    with open(original, "rb") as source, open(copy, "w+b") as target:
        try:
            fcntl.ioctl(target, CLONE, source.fileno())
        except OSError:
            shutil.copyfileobj(source, target)
        target.seek(100_000)
        target.write(b"no longer shared")
    os.link(original, os.path.join(top, "short", "hard link"))
    os.symlink("short/00000001", os.path.join(top, "link"))
    os.symlink("/" + "x" * 1000, os.path.join(top, "long link"))
    os.mkfifo(os.path.join(top, "fifo"))
    os.mknod(os.path.join(top, "device"), stat.S_IFCHR | 0o600, os.makedev(1, 3))
    with socket.socket(socket.AF_UNIX) as local:
        local.bind(os.path.join(top, "socket"))
    write(os.path.join(os.fsencode(top), b"no \xff UTF-8"), b"named in bytes")
    write(os.path.join(top, "дерево ñ"), b"named in UTF-8")
    write(os.path.join(top, "owned"), b"by another")
    os.chown(os.path.join(top, "owned"), 1234, 100_000)
    os.chmod(os.path.join(top, "owned"), 0o4751)
    os.utime(os.path.join(top, "owned"), ns=(-86_400_000_000_001, 1_234_567_890_123_456_789))
    for number in range(60):
        os.setxattr(original, f"user.{number}", b"%d" % number * 40)
    os.setxattr(original, "user.large", b"large" * 12_000)
    os.setxattr(copy, "user.small", b"small")


def seen(top):
    """What the kernel shows: path -> (kind, mode, uid, gid, size, digest or target, modified)."""
    found = {}
    top = os.fsencode(top)
    for folder, folders, files in os.walk(top):
        for name in folders + files:
            path = os.path.join(folder, name)
            status = os.lstat(path)
            kind = {stat.S_IFDIR: "directory", stat.S_IFREG: "file", stat.S_IFLNK: "symlink", stat.S_IFIFO: "fifo",
                    stat.S_IFSOCK: "socket"}.get(stat.S_IFMT(status.st_mode), "device")
            content = None
            if kind == "file":
                with open(path, "rb") as file:
                    content = hashlib.sha256(file.read()).hexdigest()
            if kind == "symlink":
                content = os.readlink(path).decode()
            found[path.removeprefix(top).decode(errors="replace")] = (
                kind, status.st_mode & 0o7777, status.st_uid, status.st_gid,
                0 if kind == "directory" else status.st_size, content, status.st_mtime_ns)
    return found


def told(records):
    found = {}
    for item in records:
        if item["record"] != "item" or item["state"] != "allocated":
            continue
        content = item.get("link_target") if item["kind"] == "symlink" else item.get("digests", {}).get("sha256")
        whole, part = re.fullmatch(r"(.*)\.(\d{9})Z", item["times"]["modified"]).groups()
        found[item["path"]] = (item["kind"], item["mode"], item["uid"], item["gid"],
                               0 if item["kind"] == "directory" else item["size"],
                               content if item["kind"] in ("file", "symlink") else None, (whole, part))
    return found


def hashed(image, check=(0,)):
    return lines(run("hash", image, "--digests", "sha256", "--json", check=check).stdout)


def problems_of(records):
    return {record["where"].rpartition(":")[2]: record for record in records if record["record"] == "problem"}


def free_bytes(image, groups, block_size):
    free = 0
    for group in range(groups):
        free += int(call("xfs_db", "-r", "-c", f"agf {group}", "-c", "print freeblks", image).split("=")[1])
    return free * block_size


class Xfs(unittest.TestCase):
    formats = {
        "1k": ("-b", "size=1024", "-m", "rmapbt=1,reflink=1,bigtime=1"),
        "4k": ("-b", "size=4096", "-n", "size=8192", "-i", "size=1024,nrext64=1", "-m", "reflink=1"),
    }

    @classmethod
    def setUpClass(cls):
        folder = tempfile.TemporaryDirectory()
        cls.addClassCleanup(folder.cleanup)
        cls.folder = folder.name

    def made(self, name):
        image = os.path.join(self.folder, name)
        if not os.path.exists(image):
            with open(image, "wb") as file:
                file.truncate(160 * MiB)
            call("mkfs.xfs", "-q", "--unsupported", "-L", "exhibit", *self.formats[name], image)
            with Kernel(image, "rw") as top:
                populate(top)
        return image

    def equals_the_kernel(self, name):
        image = self.made(name)
        with Kernel(image, "ro,norecovery") as top:
            expected = seen(top)
        records = hashed(image)
        self.assertEqual(problems_of(records), {})
        found = told(records)
        self.assertEqual(found.keys(), expected.keys())
        for path, (*rest, modified) in expected.items():
            part = modified % 10**9
            self.assertEqual(found[path][:-1], tuple(rest), path)
            self.assertEqual(found[path][-1][1], f"{part:09}", path)
        self.assertEqual(found["/owned"][-1][0], "2009-02-13T23:31:30")
        with open(image, "rb") as file:
            for item in records:
                if item["record"] != "item" or "sha256" not in item.get("digests", {}) or "extents" not in item:
                    continue
                content = hashlib.sha256()
                for offset, length in item["extents"]:
                    file.seek(max(offset, 0))
                    content.update(bytes(length) if offset < 0 else file.read(length))
                self.assertEqual(content.hexdigest(), item["digests"]["sha256"], item["id"])
        return image, records

    def test_small_blocks(self):
        image, records = self.equals_the_kernel("1k")
        forms = {"short": "1 (local)", "block": "2 (extents)", "scattered": "3 (btree)", "fragmented": "3 (btree)"}
        for path, form in forms.items():
            self.assertIn(form, call("xfs_db", "-r", "-c", "path /" + path, "-c", "print core.format", image), path)
        volume = next(record for record in records if record["record"] == "volume")["filesystem"]
        self.assertEqual({key: volume[key] for key in ("type", "block_size", "label")},
                         {"type": "xfs", "block_size": 1024, "label": "exhibit"})
        self.assertIn(volume["id"], call("xfs_db", "-r", "-c", "uuid", image))
        removed = {item["path"] for item in records if item["record"] == "item" and item["state"] == "overwritten"}
        self.assertEqual(removed, {f"/block/{number:020}" for number in range(0, 20, 3)})

    def test_large_directory_blocks(self):
        self.equals_the_kernel("4k")

    def test_free_space_is_what_xfs_db_counts(self):
        for name, block_size in (("1k", 1024), ("4k", 4096)):
            image = self.made(name)
            coverage = [record for record in lines(run("list", image, "--json", check=(0,)).stdout)
                        if record["record"] == "coverage" and record["where"] == "E1/p0"]
            self.assertEqual(coverage[0]["bytes"]["unallocated"], free_bytes(image, 4, block_size))

    @needs_fuse
    def test_extended_attributes(self):
        for name in ("1k", "4k"):
            image = self.made(name)
            with Kernel(image, "ro,norecovery") as kernel, Mounted(image, os.path.join(self.folder, "mounted")) as mounted:
                for path in ("original", "copy"):
                    theirs, ours = os.path.join(kernel, path), mounted.path("p0", path)
                    expected = {key: os.getxattr(theirs, key) for key in os.listxattr(theirs)}
                    found = {key.removeprefix("user.stored."): os.getxattr(ours, key)
                             for key in os.listxattr(ours) if key.startswith("user.stored.")}
                    self.assertEqual(found, expected, path)

    def test_version_4(self):
        tree = os.path.join(self.folder, "tree")
        with open(os.path.join(self.folder, "text"), "wb") as file:
            file.write(b"".join(b"%d\n" % number for number in range(30_000)))
        with open(tree, "w", encoding="ascii") as file:
            file.write("/dev/null\n0 0\nd--755 0 0\nmany d--755 0 0\n")
            for number in range(300):
                file.write(f"{number:0100} ---640 5 6 {file.name if number % 2 else self.folder + '/text'}\n")
            file.write("$\nlink l--777 0 0 many\n$\n$\n")
        image = os.path.join(self.folder, "v4")
        with open(image, "wb") as file:
            file.truncate(128 * MiB)
        call("mkfs.xfs", "-q", "--unsupported", "-m", "crc=0", "-b", "size=2048", "-p", tree, image)
        records = hashed(image)
        self.assertEqual(problems_of(records), {})
        items = {item["path"]: item for item in records if item["record"] == "item"}
        digests = []
        for name in ("text", "tree"):
            with open(os.path.join(self.folder, name), "rb") as file:
                digests.append(hashlib.sha256(file.read()).hexdigest())
        self.assertEqual(len(items), 302)
        for number in range(300):
            item = items[f"/many/{number:0100}"]
            self.assertEqual((item["digests"]["sha256"], item["mode"], item["uid"], item["gid"]),
                             (digests[number % 2], 0o640, 5, 6))
        self.assertEqual(items["/link"]["link_target"], "many")

    def test_a_damaged_map_gives_no_digest(self):
        image = self.made("1k")
        address = call("xfs_db", "-r", "-c", "path /fragmented", "-c", "addr u3.bmbt.ptrs[1]", "-c", "daddr", image)
        block = int(address.split()[-1]) * 512
        with tempfile.NamedTemporaryFile(dir=self.folder) as copy:
            shutil.copyfile(image, copy.name)
            with open(copy.name, "r+b") as file:
                file.seek(block + 200)
                byte = file.read(1)
                file.seek(block + 200)
                file.write(bytes([byte[0] ^ 1]))
            records = hashed(copy.name, (4,))
        self.assertIn("wrong checksum", problems_of(records)["/fragmented"]["detail"])
        items = {item["path"]: item for item in records if item["record"] == "item"}
        self.assertNotIn("digests", items["/fragmented"])
        self.assertIn("sha256", items["/copy"]["digests"])

    def test_a_file_system_that_was_in_use(self):
        """A drive that was cut off: its log is told, and a file that was open but unlinked is found."""
        image = self.made("4k")
        with tempfile.NamedTemporaryFile(dir=self.folder) as used, tempfile.NamedTemporaryFile(dir=self.folder) as copy:
            shutil.copyfile(image, used.name)
            with Kernel(used.name, "rw") as top:
                with open(os.path.join(top, "open"), "w+b") as file:
                    file.write(b"nobody names it" * 1000)
                    os.remove(file.name)
                    call("xfs_freeze", "-f", top)
                    try:
                        shutil.copyfile(used.name, copy.name)
                    finally:
                        call("xfs_freeze", "-u", top)
            records = hashed(copy.name, (4,))
        log = [problem for problem in problems_of(records).values() if "log" in problem["detail"]]
        self.assertEqual([problem["cause"] for problem in log], ["unsupported"])
        orphans = [item for item in records if item["record"] == "item" and item["state"] == "orphan"]
        self.assertEqual([item["digests"]["sha256"] for item in orphans],
                         [hashlib.sha256(b"nobody names it" * 1000).hexdigest()])


if __name__ == "__main__":
    unittest.main(verbosity=2)
