"""The ceiling of --memory holds for what would like more of it, and changes no byte of the findings."""
import os, shutil, subprocess, sys, tempfile, unittest
from support import EXHIBIT, findings, lines

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "bench"))
from measure import measured

MiB = 1 << 20
CEILING = 256 * MiB


def call(*words):
    subprocess.run(words, check=True, capture_output=True)


class Memory(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.TemporaryDirectory()
        self.addCleanup(self.folder.cleanup)
        self.image = self.path("drive.raw")

    def path(self, name):
        return os.path.join(self.folder.name, name)

    def blank(self, size):
        with open(self.image, "wb") as file:
            file.truncate(size)

    def process(self, memory):
        shutil.rmtree(self.path("case"), ignore_errors=True)
        cost = measured([EXHIBIT, "process", self.image, "--case", self.path("case"), "--memory", memory], "pss", 50)
        self.assertIn(cost.status, (0, 4), cost.errors)
        return findings(self.path("case")), cost

    def check_ceiling(self):
        """The findings; coordinator and workers together stay under the ceiling (proportional sets, sampled)."""
        tight, cost = self.process("256M")
        self.assertGreater(cost.peak_bytes, MiB)
        self.assertLess(cost.peak_bytes, CEILING)
        self.assertEqual(self.process("8G")[0], tight)
        return lines(tight)

    def test_a_folder_of_60000_entries(self):
        count = 60000
        self.blank(64 * MiB)
        call("mkfs.ext4", "-q", "-F", "-b", "1024", "-N", str(count + 2000), self.image)
        os.mkdir(self.path("mount"))
        # Through the kernel: mke2fs -d takes minutes for a folder of this length.
        call("mount", "-o", "loop", self.image, self.path("mount"))
        try:
            os.mkdir(self.path("mount/folder"))
            for index in range(count):
                open(self.path(f"mount/folder/entry{index:06}"), "wb").close()
        finally:
            call("umount", self.path("mount"))
        records = self.check_ceiling()
        self.assertEqual(sum(1 for record in records if record.get("path", "").startswith("/folder/entry")), count)

    def test_a_sparse_file_four_times_the_ceiling(self):
        size = 4 * CEILING
        os.mkdir(self.path("tree"))
        with open(self.path("tree/sparse"), "wb") as file:
            file.truncate(size)
        self.blank(16 * MiB)
        call("mke2fs", "-q", "-F", "-t", "ext4", "-d", self.path("tree"), self.image)
        known = subprocess.run(["sha256sum", self.path("tree/sparse")], check=True, capture_output=True, text=True).stdout.split()[0]
        item = next(record for record in self.check_ceiling() if record.get("path") == "/sparse")
        self.assertEqual((item["size"], item["digests"]["sha256"]), (size, known))

    def test_a_fat_with_every_chain_broken(self):
        count = 400
        self.blank(80 * MiB)
        call("mkfs.fat", "-F", "32", "-s", "1", self.image)
        os.mkdir(self.path("tree"))
        for index in range(count):
            with open(self.path(f"tree/file{index:04}.bin"), "wb") as file:
                file.write(index.to_bytes(2, "big") * (50 * 512))
        call("mcopy", "-s", "-i", self.image, self.path("tree"), "::/")
        self.break_chains()
        records = self.check_ceiling()
        # The folder's own chain is broken too: as many of its entries as The Sleuth Kit finds.
        known = subprocess.run(["fls", "-rp", self.image], check=True, capture_output=True, text=True).stdout.count(".bin\n")
        files = {record["id"] for record in records if record.get("path", "").endswith(".bin")}
        self.assertEqual(len(files), known)
        self.assertGreater(known, 0)
        # No file is whole: each is told as a problem, and none has a digest.
        self.assertEqual(files - {record["where"] for record in records if record["record"] == "problem"}, set())
        self.assertFalse([record for record in records if record.get("id") in files and "digests" in record])

    def break_chains(self):
        """Sends every link between clusters that are used two on: chains skip, cross and end in what is free."""
        with open(self.image, "r+b") as file:
            boot = file.read(90)
            sector = int.from_bytes(boot[11:13], "little")
            start = int.from_bytes(boot[14:16], "little") * sector
            size = int.from_bytes(boot[36:40], "little") * sector
            file.seek(start)
            table = bytearray(file.read(size))
            end = 0x0FFFFFF8
            for at in range(3 * 4, size, 4):  # clusters 0 and 1 are none, 2 is the root folder
                link = int.from_bytes(table[at:at + 4], "little")
                if 2 < link < end:
                    table[at:at + 4] = min(link + 2, size // 4 - 1).to_bytes(4, "little")
            for copy in range(boot[16]):
                file.seek(start + copy * size)
                file.write(table)


if __name__ == "__main__":
    unittest.main(verbosity=2)
