"""What a mount shows is what the evidence holds: beside the kernel's own mount, the corpora's truth and the findings."""
import errno, os, stat, subprocess, tempfile, unittest
from pathlib import Path

from expected import corpus, expected
from mounts import Mounted, lines_of, make_ext4, needs_fuse, run, sha256, walk


@needs_fuse
class BesideTheKernel(unittest.TestCase):
    """The same ext4 image, mounted by the kernel and by exhibit."""

    @classmethod
    def setUpClass(cls):
        cls.base = tempfile.TemporaryDirectory()
        cls.image = make_ext4(cls.base.name)
        cls.kernel = os.path.join(cls.base.name, "kernel")
        os.mkdir(cls.kernel)
        if subprocess.run(["mount", "-o", "loop,ro,noload", cls.image, cls.kernel], capture_output=True).returncode != 0:
            cls.base.cleanup()
            raise unittest.SkipTest("this user can't mount ext4")

    @classmethod
    def tearDownClass(cls):
        subprocess.run(["umount", cls.kernel], check=True)
        cls.base.cleanup()

    def test_each_entry_is_the_same(self):
        with Mounted(self.image, os.path.join(self.base.name, "mount")) as mounted:
            root = mounted.path("p0")
            ours = {path: status for path, status in walk(root) if not path.startswith(b"$")}
            theirs = dict(walk(self.kernel))
            self.assertEqual(sorted(ours), sorted(theirs))
            for path, status in theirs.items():
                with self.subTest(path=path):
                    self.same(path, ours[path], status, root)

    def same(self, path, ours, theirs, root):
        if stat.S_ISFIFO(theirs.st_mode):
            self.assertTrue(stat.S_ISREG(ours.st_mode))
            self.assertEqual(ours.st_size, 0)
            return
        self.assertEqual(oct(ours.st_mode), oct(theirs.st_mode))
        self.assertEqual((ours.st_uid, ours.st_gid), (theirs.st_uid, theirs.st_gid))
        for key in ("st_mtime_ns", "st_atime_ns", "st_ctime_ns"):
            self.assertEqual(getattr(ours, key), getattr(theirs, key), key)
        if stat.S_ISREG(theirs.st_mode):
            self.assertEqual(ours.st_size, theirs.st_size)
            self.assertEqual(sha256(os.path.join(os.fsencode(root), path)), sha256(os.path.join(os.fsencode(self.kernel), path)))

    def test_extended_attributes_are_the_same_under_our_name(self):
        def attributes(path, prefix=""):
            names = [name for name in os.listxattr(path) if name.startswith(prefix)]
            return {name.removeprefix(prefix): os.getxattr(path, name) for name in names}
        with Mounted(self.image, os.path.join(self.base.name, "mount")) as mounted:
            for name in ("small.txt", "dir", "dir/large.bin"):
                theirs = attributes(os.path.join(self.kernel, name))
                self.assertEqual(attributes(mounted.path("p0", name), "user.stored."), theirs)
                if name == "small.txt":
                    self.assertEqual(sorted(theirs), ["user.comment", "user.large"])
            with self.assertRaises(OSError) as missing:
                os.getxattr(mounted.path("p0", "small.txt"), "user.stored.user.none")
            self.assertEqual(missing.exception.errno, errno.ENODATA)

    def test_links_lead_to_the_same_place_and_never_outside(self):
        with Mounted(self.image, os.path.join(self.base.name, "mount")) as mounted:
            root = os.path.realpath(mounted.path("p0"))
            links = [path for path, status in walk(self.kernel) if stat.S_ISLNK(status.st_mode)]
            self.assertGreater(len(links), 8)
            for path in links:
                ours = os.path.join(os.fsencode(root), path)
                self.assertTrue(os.path.realpath(ours).startswith(os.fsencode(root) + b"/"), path)
                target = os.readlink(os.path.join(os.fsencode(self.kernel), path))
                if not target.startswith(b"/") and b".." not in target:
                    self.assertEqual(os.readlink(ours), target)
            self.assertEqual(sha256(os.path.join(root, "absolute")), sha256(os.path.join(root, "dir/large.bin")))
            self.assertFalse(os.path.exists(os.path.join(root, "passwd")))

    def test_what_was_deleted_stands_apart(self):
        with Mounted(self.image, os.path.join(self.base.name, "mount")) as mounted:
            names = {os.path.basename(path) for path, _ in walk(mounted.path("p0")) if path.startswith((b"$Deleted", b"$Orphans"))}
            self.assertTrue(names, "the deleted file is shown nowhere")
            runs = [path for path, _ in walk(mounted.path("p0", "$Unallocated"))]
            self.assertTrue(any(b"still there" in Path(mounted.path("p0", "$Unallocated", os.fsdecode(run_))).read_bytes() for run_ in runs))


@needs_fuse
class BesideTheFindings(unittest.TestCase):
    """Each item of `exhibit hash` has a file with its digest, each line of the truth too."""
    SAMPLES = ("con-ext4-p", "con-ntfs-p", "con-gptfat-p", "con-apm-p", "con-ufs-p", "con-iso-p", "con-smart-p", "hfsplus-dfvfs",
               "exfat-lin", "dftt06-undel-fat", "dftt10b-part1", "deb-fs-multiple", "e01-german-utf8", "raw-sk-image", "split-ext2")

    def test_corpora(self):
        known = {sample.id: sample for sample in corpus.samples()}
        for name in self.SAMPLES:
            with self.subTest(sample=name), tempfile.TemporaryDirectory() as base:
                self.compare(known[name], base)

    def compare(self, sample, base):
        image = str(corpus.unpack_all(sample.files, Path(base)))
        findings = lines_of(run("hash", image, check=(0, 4)).stdout)
        with Mounted(image, os.path.join(base, "mount")) as mounted:
            for path, digest in expected(findings, sample, mounted).items():
                if digest is None:
                    with self.assertRaises(OSError, msg=path):
                        sha256(path)
                else:
                    self.assertEqual(sha256(path), digest, path)
            medium = next(record for record in findings if record["record"] == "evidence")
            self.assertEqual(os.stat(mounted.path("image.raw")).st_size, medium["size"])


@needs_fuse
class Streams(unittest.TestCase):
    def test_alternate_streams_are_files_and_attributes(self):
        with tempfile.TemporaryDirectory() as base:
            sample = next(sample for sample in corpus.samples() if sample.id == "con-ntfs-p")
            image = str(corpus.unpack_all(sample.files, Path(base)))
            with Mounted(image, os.path.join(base, "mount")) as mounted:
                path = mounted.path("p0", "tiny.txt")
                zone = Path(path + ":Zone.Identifier").read_bytes()
                self.assertIn(b"ZoneTransfer", zone)
                self.assertEqual(os.getxattr(path, "user.stream.Zone.Identifier"), zone)
                self.assertEqual(sorted(name for name in os.listxattr(path) if name.startswith("user.stream.")),
                                 ["user.stream.Zone.Identifier", "user.stream.big"])
                self.assertEqual(os.getxattr(path, "user.stream.big"), Path(path + ":big").read_bytes())
                self.assertEqual(os.getxattr(path, "user.exhibit.state"), b"allocated")


if __name__ == "__main__":
    unittest.main()
