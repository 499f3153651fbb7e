"""What a mount does when workers die, hang or find the evidence damaged: an error where bytes can't be had, never others."""
import errno, os, signal, subprocess, tempfile, threading, unittest
from pathlib import Path

from mounts import BIN, CORPORA, Mounted, make_ext4, needs_fuse, sha256, walk

PAGE = 4096


def read_pages(path, size):
    """The file page by page, past the kernel's reading ahead: bytes, or None where the read is an error."""
    fd = os.open(path, os.O_RDONLY)
    try:
        pages = []
        for offset in range(0, size, PAGE):
            try:
                pages.append(os.pread(fd, PAGE, offset))
            except OSError as error:
                assert error.errno == errno.EIO, error
                pages.append(None)
        return pages
    finally:
        os.close(fd)


@needs_fuse
class WorkersThatDie(unittest.TestCase):
    def test_killed_while_reading_and_read_again(self):
        with tempfile.TemporaryDirectory() as base:
            image = make_ext4(base)
            content = os.path.join(base, "content")
            with Mounted(image, os.path.join(base, "mount"), "--jobs", "2") as mounted:
                for _ in range(5):
                    for worker in mounted.wait_for_workers(2):
                        os.kill(worker, signal.SIGKILL)
                    with open("/proc/sys/vm/drop_caches", "w", encoding="ascii") as caches:
                        caches.write("1")
                    self.assertEqual(sha256(mounted.path("p0", "dir/large.bin")), sha256(os.path.join(content, "dir/large.bin")))
                self.assertIsNone(mounted.process.poll())
            self.assertEqual(mounted.code, 0)

    def test_readers_beside_a_killer(self):
        """Whatever is read while workers are killed all the time is right, or an error that goes away."""
        with tempfile.TemporaryDirectory() as base:
            image = make_ext4(base)
            content = os.path.join(base, "content")
            truth = {path: sha256(os.path.join(os.fsencode(content), path)) for path, status in walk(content)
                     if os.path.isfile(os.path.join(os.fsencode(content), path)) and path != b"deleted.bin"
                     and not os.path.islink(os.path.join(os.fsencode(content), path))}
            with Mounted(image, os.path.join(base, "mount"), "--jobs", "2") as mounted:
                done, kills, wrong, lost = threading.Event(), [0], [], []
                def kill():
                    while not done.wait(0.2):
                        for worker in mounted.workers():
                            try:
                                os.kill(worker, signal.SIGKILL)
                                kills[0] += 1
                            except ProcessLookupError:
                                pass
                def read():
                    for _ in range(3):
                        for path, digest in truth.items():
                            full = os.path.join(os.fsencode(mounted.path("p0")), path)
                            fd = os.open(full, os.O_RDONLY)
                            os.posix_fadvise(fd, 0, 0, os.POSIX_FADV_DONTNEED)
                            os.close(fd)
                            for _ in range(50):
                                try:
                                    if sha256(full) != digest:
                                        wrong.append(path)
                                    break
                                except OSError:
                                    continue
                            else:
                                lost.append(path)
                readers = [threading.Thread(target=read) for _ in range(4)]
                killer = threading.Thread(target=kill)
                killer.start()
                for reader in readers:
                    reader.start()
                for reader in readers:
                    reader.join()
                while kills[0] == 0:
                    mounted.wait_for_workers()
                done.set()
                killer.join()
                self.assertEqual((wrong, lost), ([], []))
                self.assertGreater(kills[0], 0)

    def test_a_file_that_ends_its_worker_costs_that_file(self):
        with tempfile.TemporaryDirectory() as base:
            image = os.path.join(base, "drive.raw")
            subprocess.run(["truncate", "-s", "4M", image], check=True)
            subprocess.run(["mkfs.fat", "-F", "12", image], check=True, capture_output=True)
            kinds = ("crash", "hang", "breakout", "garble", "forge", "flood", "miscount", "quit")
            for name in (*kinds, "good1", "good2"):
                path = os.path.join(base, name)
                Path(path).write_text(name * 1000, encoding="ascii")
                subprocess.run(["mcopy", "-i", image, path, f"::{name}.txt"], check=True)
            with Mounted(image, os.path.join(base, "mount"), "--worker-program", f"{BIN}/hostile_worker", "--object-seconds", "3",
                         "--jobs", "2") as mounted:
                files = {name.lower().split(".")[0]: mounted.path("p0", name) for name in os.listdir(mounted.path("p0"))}
                for name in kinds:
                    with self.subTest(file=name):
                        with self.assertRaises(OSError) as failed:
                            sha256(files[name])
                        self.assertEqual(failed.exception.errno, errno.EIO)
                        for good in ("good1", "good2"):
                            self.assertEqual(Path(files[good]).read_text(encoding="ascii"), good * 1000)
                self.assertIsNone(mounted.process.poll())


@needs_fuse
class DamagedEvidence(unittest.TestCase):
    def compare(self, pages, truth):
        """Each page is the truth's, or an error; how many are errors."""
        for number, page in enumerate(pages):
            if page is not None:
                self.assertEqual(page, truth[number * PAGE:number * PAGE + len(page)], f"page {number}")
        return sum(page is None for page in pages)

    def test_a_bad_chunk_is_an_error_and_not_zeros(self):
        damaged, sound = (os.path.join(CORPORA, "images", name) for name in ("con-p-badchunk.E01", "con-p-encase6.E01"))
        with tempfile.TemporaryDirectory() as base:
            with Mounted(sound, os.path.join(base, "sound")) as mounted:
                truth = Path(mounted.path("image.raw")).read_bytes()
            with Mounted(damaged, os.path.join(base, "damaged")) as mounted:
                self.assertIn(b"problems.jsonl", b"\n".join(map(os.fsencode, os.listdir(mounted.folder))) or b"")
                pages = read_pages(mounted.path("image.raw"), len(truth))
            errors = self.compare(pages, truth)
            self.assertGreater(errors, 0)
            self.assertLessEqual(errors * PAGE, 64 << 10, "more than the damaged chunk is refused")

    def test_an_image_that_was_cut_gives_errors_where_it_ends(self):
        with tempfile.TemporaryDirectory() as base:
            image = make_ext4(base)
            content = os.path.join(base, "content")
            with Mounted(image, os.path.join(base, "mount")) as mounted:
                sizes = {path: status.st_size for path, status in walk(mounted.path("p0")) if not path.startswith(b"$")}
            # Behind the first part of the largest file.
            with open(image, "rb") as file:
                data = file.read()
            large = Path(os.path.join(content, "dir/large.bin")).read_bytes()
            place = data.index(large[:PAGE])
            os.truncate(image, place + 64 * PAGE)
            with Mounted(image, os.path.join(base, "mount")) as mounted:
                path = mounted.path("p0", "dir/large.bin")
                self.assertEqual(os.stat(path).st_size, sizes[b"dir/large.bin"])
                errors = self.compare(read_pages(path, len(large)), large)
                self.assertGreater(errors, 0)
                self.assertTrue(os.path.exists(mounted.path("problems.jsonl")))
                with self.assertRaises(OSError):
                    sha256(path)


if __name__ == "__main__":
    unittest.main()
