"""exhibit mount as a person uses it: nothing can be written, everything has a name, and the usual tools work."""
import ctypes, errno, fcntl, hashlib, os, shutil, signal, subprocess, tempfile, time, unittest

from mounts import Mounted, make_ext4, needs_fuse, run, sha256, walk

LIBC = ctypes.CDLL(None, use_errno=True)
MS_REMOUNT, MS_NOSUID, MS_NODEV, MS_NOEXEC = 32, 2, 4, 8
FS_IOC_SETFLAGS = 0x40086602
FALLOC_FL_KEEP_SIZE = 1


def make_drive(base):
    """With a file in each special folder: deleted entries (FAT keeps their names), slack, unallocated runs."""
    image = os.path.join(base, "fat.raw")
    subprocess.run(["truncate", "-s", "16M", image], check=True)
    subprocess.run(["mkfs.fat", "-F", "16", image], check=True, capture_output=True)
    source = os.path.join(base, "source")
    with open(source, "wb") as file:
        file.write(b"contents of a file " * 1000)
    for name in ("first.txt", "second.txt", "gone.txt"):
        subprocess.run(["mcopy", "-i", image, source, "::" + name], check=True)
    subprocess.run(["mdel", "-i", image, "::gone.txt"], check=True)
    return image


def writing_calls(path, elsewhere):
    """Every call that would change something, by name: on an entry itself, or on the folder that it is."""
    path, elsewhere = os.fsencode(path), os.fsencode(elsewhere)
    is_folder, is_link = os.path.isdir(path) and not os.path.islink(path), os.path.islink(path)
    inside = os.path.join(path if is_folder else os.path.dirname(path), b"new")
    yield "unlink", lambda: os.rmdir(path) if is_folder else os.unlink(path)
    yield "rename", lambda: os.rename(path, os.path.join(os.path.dirname(path), b"other"))
    yield "create", lambda: os.close(os.open(inside, os.O_CREAT | os.O_WRONLY | os.O_EXCL))
    yield "mkdir", lambda: os.mkdir(inside)
    yield "mkfifo", lambda: os.mkfifo(inside)
    yield "symlink", lambda: os.symlink(b"anything", inside)
    if not is_folder:
        yield "link", lambda: os.link(path, inside, follow_symlinks=False)
    yield "chown", lambda: os.chown(path, 1, 1, follow_symlinks=False)
    yield "utimens", lambda: os.utime(path, ns=(1, 1), follow_symlinks=False)
    if is_link:
        return
    yield "chmod", lambda: os.chmod(path, 0o777)
    yield "setxattr", lambda: os.setxattr(path, b"user.new", b"value")
    yield "removexattr", lambda: os.removexattr(path, b"user.exhibit.id")
    yield "access", lambda: None if os.access(path, os.W_OK) else (_ for _ in ()).throw(OSError(errno.EROFS, ""))
    yield "ioctl", lambda: flags(path)
    if is_folder:
        return
    yield "open for writing", lambda: os.close(os.open(path, os.O_WRONLY))
    yield "open for both", lambda: os.close(os.open(path, os.O_RDWR))
    yield "open and cut", lambda: os.close(os.open(path, os.O_RDONLY | os.O_TRUNC))
    yield "open to append", lambda: os.close(os.open(path, os.O_WRONLY | os.O_APPEND))
    yield "truncate", lambda: os.truncate(path, 0)


def options_of(folder):
    with open("/proc/mounts", encoding="utf-8") as mounts:
        return next(line.split()[3] for line in mounts if line.split()[1] == os.path.realpath(folder))


def flags(path):
    fd = os.open(path, os.O_RDONLY)
    try:
        fcntl.ioctl(fd, FS_IOC_SETFLAGS, b"\0" * 8)
    finally:
        os.close(fd)


@needs_fuse
class NothingCanBeWritten(unittest.TestCase):
    def entries(self, mounted):
        """One of each sort."""
        found = {name: mounted.path(*path) for name, path in {
            "root": (), "image": ("image.raw",), "volume": ("p0",), "special folder": ("p0", "$Deleted"),
            "file": ("p0", "FIRST.TXT"), "virtual": ("p0", "$FAT1")}.items()}
        for name, folder in {"deleted": "$Deleted", "unallocated": "$Unallocated", "slack": "$Slack"}.items():
            first = sorted(os.listdir(mounted.path("p0", folder)))[0]
            found[name] = mounted.path("p0", folder, first)
        found["file"] = next(mounted.path("p0", name) for name in os.listdir(mounted.path("p0")) if name.lower() == "first.txt")
        return found

    def refuse_all(self, path, what):
        for name, call in writing_calls(path, "/"):
            with self.subTest(entry=what, call=name):
                with self.assertRaises(OSError) as refused:
                    call()
                self.assertEqual(errno.errorcode[refused.exception.errno], "EROFS")

    def test_each_call_on_each_sort_of_entry_is_refused(self):
        with tempfile.TemporaryDirectory() as base:
            image = make_drive(base)
            before = sha256(image)
            with Mounted(image, os.path.join(base, "mount")) as mounted:
                for what, path in self.entries(mounted).items():
                    if what != "root":
                        self.refuse_all(path, what)
                self.assertIn("ro,nosuid,nodev,noexec", options_of(mounted.folder))
            self.assertEqual(sha256(image), before)
            linux = make_ext4(base)
            before = sha256(linux)
            with Mounted(linux, os.path.join(base, "mount")) as mounted:
                for name in ("relative", "pipe", "dir", "dir/large.bin"):
                    self.refuse_all(mounted.path("p0", name), name)
            self.assertEqual(sha256(linux), before)

    @unittest.skipUnless(os.geteuid() == 0, "only root can take the kernel's own refusal away")
    def test_the_program_refuses_too_where_the_kernel_would_not(self):
        with tempfile.TemporaryDirectory() as base:
            image = make_drive(base)
            with Mounted(image, os.path.join(base, "mount")) as mounted:
                options = MS_REMOUNT | MS_NOSUID | MS_NODEV | MS_NOEXEC
                self.assertEqual(LIBC.mount(b"exhibit", os.fsencode(mounted.folder), None, options, None), 0, os.strerror(ctypes.get_errno()))
                self.assertIn("rw,", options_of(mounted.folder))
                for what, path in self.entries(mounted).items():
                    if what != "root":
                        self.refuse_all(path, what)


def make_letters_wide(image):
    """Each x in a long name of FAT becomes a letter of three bytes: no program here writes so long a name."""
    with open(image, "r+b") as file:
        data = bytearray(file.read(1 << 20))
        for entry in range(0, len(data), 32):
            if data[entry + 11] == 0x0F:  # a part of a long name: UTF-16 at 1, 14 and 28
                for at in (*range(1, 11, 2), *range(14, 26, 2), *range(28, 32, 2)):
                    if data[entry + at:entry + at + 2] == b"x\0":
                        data[entry + at:entry + at + 2] = "深".encode("utf-16-le")
        file.seek(0)
        file.write(data)


@needs_fuse
class Names(unittest.TestCase):
    def test_names_that_no_folder_can_hold(self):
        """Written into the image's directory: "/", ".", "..", and our own names."""
        with tempfile.TemporaryDirectory() as base:
            folder = os.path.join(base, "names")
            os.mkdir(folder)
            contents = {"slash@name": b"slash", "PQ": b"dots", "$Deleted": b"no folder of ours"}
            for name, content in contents.items():
                with open(os.path.join(folder, name), "wb") as file:
                    file.write(content)
            image = os.path.join(base, "names.raw")
            subprocess.run(["truncate", "-s", "8M", image], check=True)
            subprocess.run(["mkfs.ext2", "-q", "-F", "-d", folder, image], check=True, capture_output=True)
            with open(image, "r+b") as file:
                data = file.read()
                for before, after in ((b"slash@name", b"slash/name"), (b"PQ", b"..")):
                    # The length and type of the name stand before it (struct ext4_dir_entry_2).
                    entry = bytes((len(before), 1)) + before
                    self.assertEqual(data.count(entry), 1)
                    file.seek(data.index(entry) + 2)
                    file.write(after)
            with Mounted(image, os.path.join(base, "mount")) as mounted:
                shown = {sha256(os.path.join(os.fsencode(mounted.path("p0")), path)): path for path, status in walk(mounted.path("p0"))
                         if not path.startswith((b"$Deleted/", b"$Unallocated", b"$Slack", b"lost")) and b"$Orphans" not in path
                         and not os.path.isdir(os.path.join(os.fsencode(mounted.path("p0")), path))}
                found = {content: shown.get(hashlib.sha256(content).hexdigest()) for content in contents.values()}
                self.assertEqual(found[b"slash"], b"slash/name")
                self.assertEqual(found[b"dots"], b"%2E%2E")
                self.assertRegex(found[b"no folder of ours"], rb"^\$Deleted#i\d+$")

    def test_a_name_longer_than_linux_allows(self):
        with tempfile.TemporaryDirectory() as base:
            image = make_drive(base)
            for name in ("x" * 150, "y" + "x" * 150):
                subprocess.run(["mcopy", "-i", image, os.path.join(base, "source"), "::" + name], check=True)
            make_letters_wide(image)
            long = "深" * 150  # 450 bytes
            with Mounted(image, os.path.join(base, "mount")) as mounted:
                names = [name for name in os.listdir(mounted.path("p0")) if "深" in name]
                self.assertEqual(len(set(names)), 2, names)
                for name in names:
                    self.assertLessEqual(len(os.fsencode(name)), 255)
                    identity = os.getxattr(mounted.path("p0", name), "user.exhibit.id").decode()
                    self.assertIn(long, identity)
                    self.assertEqual(sha256(mounted.path("p0", name)), sha256(os.path.join(base, "source")))


@needs_fuse
class Tools(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.base = tempfile.TemporaryDirectory()
        cls.image = make_ext4(cls.base.name)
        cls.content = os.path.join(cls.base.name, "content")
        cls.mounted = Mounted(cls.image, os.path.join(cls.base.name, "mount"))
        cls.mounted.__enter__()

    @classmethod
    def tearDownClass(cls):
        cls.mounted.__exit__()
        cls.base.cleanup()

    def tool(self, *words, cwd=None):
        done = subprocess.run(words, cwd=cwd, capture_output=True, timeout=240)
        self.assertEqual(done.returncode, 0, (words, done.stderr))
        return done.stdout

    def same_files(self, copy):
        for path, _ in walk(self.content):
            ours = os.path.join(os.fsencode(copy), path)
            if path == b"deleted.bin" or os.path.islink(ours) or os.path.isdir(ours) or path == b"pipe":
                continue
            theirs = os.path.join(os.fsencode(self.content), path)
            self.assertEqual(sha256(ours), sha256(theirs), path)
            self.assertEqual(os.stat(ours).st_mtime_ns // 10**9, os.stat(theirs).st_mtime_ns // 10**9, path)

    def test_tar(self):
        copy = os.path.join(self.base.name, "tar")
        os.mkdir(copy)
        archive = os.path.join(self.base.name, "all.tar")
        self.tool("tar", "-cf", archive, ".", cwd=self.mounted.path("p0"))
        self.tool("tar", "-xf", archive, cwd=copy)
        self.same_files(copy)

    def test_rsync(self):
        copy = os.path.join(self.base.name, "rsync")
        self.tool("rsync", "-a", self.mounted.path("p0") + "/", copy)
        self.same_files(copy)

    def test_cp(self):
        copy = os.path.join(self.base.name, "cp")
        self.tool("cp", "-a", self.mounted.path("p0"), copy)
        self.same_files(copy)

    def test_sha256sum_and_find(self):
        sums = self.tool("find", ".", "-type", "f", "!", "-name", "pipe", "!", "-name", "deleted.bin", "-exec", "sha256sum", "{}", "+", cwd=self.content)
        listing = os.path.join(self.base.name, "sums")
        with open(listing, "wb") as file:
            file.write(sums)
        self.tool("sha256sum", "--quiet", "-c", listing, cwd=self.mounted.path("p0"))
        self.assertIn(b"large.bin", self.tool("find", self.mounted.folder, "-size", "+1M", "-name", "large*"))
        self.tool("hashdeep", "-r", "-l", ".", cwd=self.mounted.path("p0"))

    def test_clamscan(self):
        """It finds a file by digest and size, and reads all the others."""
        wanted = os.path.join(self.content, "dir", "large.bin")
        with open(wanted, "rb") as file:
            digest = hashlib.md5(file.read()).hexdigest()
        with tempfile.TemporaryDirectory() as signatures:
            with open(os.path.join(signatures, "one.hdb"), "w", encoding="ascii") as file:
                file.write(f"{digest}:{os.path.getsize(wanted)}:Harmless.Large.File\n")
            done = subprocess.run(["clamscan", "-r", "--infected", "-d", signatures, self.mounted.path("p0")],
                                  capture_output=True, text=True, timeout=240)
        self.assertEqual(done.returncode, 1, done.stderr)
        found = [line.split(": ")[0] for line in done.stdout.splitlines() if line.endswith("FOUND")]
        self.assertIn(self.mounted.path("p0", "dir", "large.bin"), found)
        self.assertEqual({os.path.getsize(path) for path in found}, {os.path.getsize(wanted)})


@needs_fuse
class Command(unittest.TestCase):
    def test_in_the_background_until_unmounted(self):
        with tempfile.TemporaryDirectory() as base:
            image, folder = make_drive(base), os.path.join(base, "mount")
            os.mkdir(folder)
            temporary = os.path.join(base, "tmp")
            os.mkdir(temporary)
            done = run("mount", os.path.basename(image), folder, cwd=base, env={"TMPDIR": temporary}, check=(0,))
            self.assertIn(b"mounted on", done.stderr)
            try:
                self.assertEqual(sha256(os.path.join(folder, "image.raw")), sha256(image))
                self.assertEqual(os.listdir(temporary), [], "the index has a name")
            finally:
                run("unmount", folder, check=(0,))
            self.assertFalse(os.path.ismount(folder))
            self.assertEqual(run("unmount", folder).returncode, 3)

    def test_a_signal_ends_it(self):
        with tempfile.TemporaryDirectory() as base:
            image = make_drive(base)
            for sign, code in ((signal.SIGINT, 0), (signal.SIGTERM, 0), (signal.SIGKILL, -signal.SIGKILL)):
                mounted = Mounted(image, os.path.join(base, "mount"))
                with mounted:
                    workers = mounted.wait_for_workers(1)
                    mounted.process.send_signal(sign)
                    self.assertEqual(mounted.process.wait(60), code)
                    if sign != signal.SIGKILL:
                        self.assertFalse(os.path.ismount(mounted.folder))
                for worker in workers:
                    end = time.monotonic() + 60
                    while os.path.exists(f"/proc/{worker}") and time.monotonic() < end:
                        time.sleep(0.01)
                    self.assertFalse(os.path.exists(f"/proc/{worker}"), "a worker outlives its mount")
                self.assertEqual(os.listdir(mounted.folder), [])

    def test_what_was_carved(self):
        with tempfile.TemporaryDirectory() as base:
            image, case = make_drive(base), os.path.join(base, "case")
            png = bytes.fromhex("89504e470d0a1a0a0000000d4948445200000001000000010802000000907753de0000000c4944415408d763f8cfc000000301010018dd8db00000000049454e44ae426082")
            with open(image, "r+b") as file:
                file.seek(4 << 20)
                file.write(png)
            run("process", image, "--case", case, check=(0, 4))
            with Mounted(image, os.path.join(base, "mount"), "--case", case) as mounted:
                carved = os.listdir(mounted.path("p0", "$Carved"))
                self.assertTrue(any(name.endswith(".png") for name in carved), carved)
                self.assertIn(hashlib.sha256(png).hexdigest(), [sha256(mounted.path("p0", "$Carved", name)) for name in carved])
            other = os.path.join(base, "other.raw")
            shutil.copy(image, other)
            refused = run("mount", other, os.path.join(base, "mount"), "--case", case)
            self.assertEqual(refused.returncode, 3)
            self.assertIn(b"none of its findings", refused.stderr)

    def test_what_can_not_be_mounted(self):
        with tempfile.TemporaryDirectory() as base:
            image = make_drive(base)
            self.assertEqual(run("mount", image).returncode, 2)
            self.assertEqual(run("mount", image, os.path.join(base, "nowhere")).returncode, 3)
            self.assertEqual(run("mount", os.path.join(base, "none.E01"), base).returncode, 3)


if __name__ == "__main__":
    unittest.main()
