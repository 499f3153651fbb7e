"""Deleted files of ext3 and ext4, made by the kernel itself: what the journal's old copies of inodes and directories give
back is what was written, and nothing is claimed of what was overwritten."""
import hashlib, lzma, os, random, shutil, subprocess, tempfile, unittest
from support import CORPORA, lines, run, unpack

MiB = 1 << 20


def quietly(*words):
    return subprocess.run(words, check=True, capture_output=True).stdout


class Drive:
    """A file system in an image, and what was written into it."""

    def __init__(self, folder, kind):
        self.image, self.root = os.path.join(folder, kind + ".raw"), os.path.join(folder, kind)
        self.written = {}
        with open(self.image, "wb") as file:
            file.truncate(48 * MiB)
        quietly("mke2fs", "-q", "-F", "-t", kind, "-b", "1024", "-J", "size=4", self.image)
        os.mkdir(self.root)

    def __enter__(self):
        quietly("mount", "-o", "loop", self.image, self.root)
        return self

    def __exit__(self, *_):
        quietly("umount", self.root)

    def path(self, name):
        return os.path.join(self.root, name)

    def write(self, name, data):
        os.makedirs(os.path.dirname(self.path(name)), exist_ok=True)
        with open(self.path(name), "wb") as file:
            file.write(data)
        self.written["/" + name] = hashlib.sha256(data).hexdigest()

    def scattered(self, name, count):
        """Blocks with holes between them, which makes a map of many extents or of blocks of block numbers."""
        with open(self.path(name), "wb") as file:
            for number in range(count):
                file.seek(number * 3072)
                file.write(b"%08d" % number * 128)
        with open(self.path(name), "rb") as file:
            self.written["/" + name] = hashlib.sha256(file.read()).hexdigest()

    def write_most_of_what_is_free(self, name):
        self.write(name, bytes(os.statvfs(self.root).f_bfree * 1024 - MiB))
        self.commit()

    def commit(self):
        """Each of these is a transaction of its own at least."""
        fd = os.open(self.root, os.O_RDONLY)
        os.fsync(fd)
        os.close(fd)
        os.sync()

    def items(self, *words, check=(0,)):
        records = lines(run("hash", self.image, "--digests", "sha256", "--json", *words, check=check).stdout)
        return {record["path"]: record for record in records if record["record"] == "item"}, \
            [record for record in records if record["record"] == "problem"]


class Journal(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = folder.name
        self.random = random.Random(8)

    def fill(self, drive):
        drive.write("kept.bin", self.random.randbytes(70_000))
        drive.write("note.txt", b"a short note\n" * 40)
        drive.write("large.bin", self.random.randbytes(3 * MiB))
        drive.write("folder/inner/deep.bin", self.random.randbytes(20_000))
        drive.write("folder/beside.bin", self.random.randbytes(5_000))
        drive.write("draft.txt", b"draft\n" * 1000)
        drive.write("linked.bin", self.random.randbytes(9_000))
        drive.scattered("scattered.bin", 300)
        os.link(drive.path("linked.bin"), drive.path("other.bin"))
        os.symlink("kept.bin", drive.path("pointer"))
        drive.commit()
        os.rename(drive.path("draft.txt"), drive.path("final.txt"))
        drive.written["/final.txt"] = drive.written.pop("/draft.txt")
        drive.written["/other.bin"] = drive.written["/linked.bin"]
        drive.commit()

    def empty(self, drive):
        for name in ("note.txt", "large.bin", "final.txt", "linked.bin", "other.bin", "scattered.bin", "pointer"):
            os.unlink(drive.path(name))
        shutil.rmtree(drive.path("folder"))
        drive.commit()

    def check_all_back(self, drive):
        items, problems = drive.items()
        self.assertEqual(problems, [])
        told = {path: items[path]["digests"]["sha256"] for path in drive.written if "digests" in items.get(path, {})}
        self.assertEqual(told, drive.written)
        for path in drive.written:
            item = items[path]
            self.assertEqual((item["state"], item.get("via")),
                             ("allocated", None) if path == "/kept.bin" else ("deleted", "journal"), path)
            with open(drive.image, "rb") as image:
                content = hashlib.sha256()
                for offset, length in item["extents"]:
                    image.seek(max(offset, 0))
                    content.update(bytes(length) if offset < 0 else image.read(length))
            self.assertEqual(content.hexdigest(), drive.written[path], path)
            content = run("cat", drive.image, "--item", item["id"], check=(0,)).stdout
            self.assertEqual(hashlib.sha256(content).hexdigest(), drive.written[path], path)
        self.assertNotIn("/draft.txt", items)
        self.assertEqual((items["/pointer"]["state"], items["/pointer"]["link_target"]), ("deleted", "kept.bin"))
        self.assertEqual(items["/folder"]["kind"], "directory")
        self.assertFalse([path for path in items if path.startswith("/$OrphanFiles/")])
        return items

    def test_what_was_deleted_comes_back(self):
        for kind in ("ext3", "ext4"):
            with self.subTest(kind):
                with Drive(self.folder, kind) as drive:
                    self.fill(drive)
                    self.empty(drive)
                self.check_all_back(drive)
                first, again = (run("list", drive.image, "--json", check=(0,)).stdout for _ in range(2))
                self.assertEqual(first, again)

    def test_overwritten_blocks_are_not_claimed(self):
        for kind in ("ext3", "ext4"):
            with self.subTest(kind):
                with Drive(self.folder, kind) as drive:
                    self.fill(drive)
                    drive.write("new.bin", b"")  # so that it takes no deleted file's inode
                    drive.commit()
                    self.empty(drive)
                    drive.write_most_of_what_is_free("new.bin")
                items, _ = drive.items()
                self.assertEqual(items["/new.bin"]["state"], "allocated")
                self.assertEqual((items["/large.bin"]["state"], items["/large.bin"].get("digests")), ("overwritten", None))
                for path, item in items.items():
                    if item.get("via") and "digests" in item:
                        self.assertIn(item["digests"]["sha256"], drive.written.values(), path)

    def test_what_a_later_deleted_file_took_is_not_claimed(self):
        for kind in ("ext3", "ext4"):
            with self.subTest(kind):
                with Drive(self.folder, kind) as drive:
                    drive.write("early.bin", self.random.randbytes(2 * MiB))
                    drive.write("late.bin", b"")
                    drive.commit()
                    os.unlink(drive.path("early.bin"))
                    drive.commit()
                    drive.write_most_of_what_is_free("late.bin")
                    os.unlink(drive.path("late.bin"))
                    drive.commit()
                items, _ = drive.items()
                self.assertEqual(items["/late.bin"]["digests"]["sha256"], drive.written["/late.bin"])
                self.assertEqual((items["/early.bin"]["state"], items["/early.bin"].get("digests")), ("overwritten", None))

    def recovered(self, image, truth):
        """path -> digest of what came by the journal; and of the originals that the truth knows to have been deleted."""
        records = lines(run("hash", image, "--digests", "sha256", "--json").stdout)
        found = [record for record in records if record["record"] == "item" and "via" in record and record["kind"] == "file"]
        for item in found:
            self.assertEqual((item["via"], item["state"]), ("journal", "orphan" if "$Orphan" in item["path"] else "deleted"), item["id"])
        with open(os.path.join(CORPORA, "truth", truth + ".jsonl"), "rb") as file:
            originals = {"/" + line["path"]: line["sha256"] for line in lines(file.read()) if line.get("check") == "deleted_original"}
        return {item["path"]: item["digests"]["sha256"] for item in found}, originals

    def test_debians_sample(self):
        image = os.path.join(self.folder, "fs.raw")
        with lzma.open("/usr/share/forensics-samples/fs.ext4.xz") as packed, open(image, "wb") as file:
            shutil.copyfileobj(packed, file)
        found, originals = self.recovered(image, "deb-fs-ext4")
        self.assertEqual(found, originals)
        self.assertEqual(len(found), 18)

    def test_known_originals(self):
        image = unpack("images/con-p-ext3.raw.xz", self.folder)
        found, originals = self.recovered(image, "con-ext3-p")
        self.assertEqual(found, originals)
        self.assertEqual(len(found), 4)
        # Here the small folders' names stand in their inodes (inline_data), where none are looked for.
        image = unpack("images/con-p-ext4.raw.xz", self.folder)
        found, originals = self.recovered(image, "con-ext4-p")
        self.assertEqual(sorted(found.values()), sorted(originals.values()))
        self.assertEqual(len(found), 4)

    def test_a_damaged_journal_is_a_problem(self):
        with Drive(self.folder, "ext4") as drive:
            self.fill(drive)
            self.empty(drive)
        place = quietly("debugfs", "-R", "bmap <8> 0", drive.image).decode().split()[-1]
        with open(drive.image, "r+b") as file:
            file.seek(int(place) * 1024)
            file.write(bytes(4))
        items, problems = drive.items(check=(4,))
        self.assertEqual({problem["cause"] for problem in problems}, {"corrupt"}, problems)
        self.assertTrue(any("deleted files that it tells of may be missing" in problem["detail"] for problem in problems), problems)
        self.assertFalse([item for item in items.values() if item.get("via")])
        self.assertEqual(items["/kept.bin"]["digests"]["sha256"], drive.written["/kept.bin"])


if __name__ == "__main__":
    unittest.main(verbosity=2)
