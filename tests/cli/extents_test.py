"""ext4 files of many extents, whose trees libtsk 4.11.1 doesn't read: their content is what was written; a tree that
doesn't hold gives no digest, and a problem."""
import hashlib, os, re, struct, subprocess, tempfile, unittest
from support import lines, run

MiB = 1 << 20


class Extents(unittest.TestCase):
    counts = {"one-leaf": 60, "leaves": 200, "two-levels": 3000, "three-levels": 30_000}

    @classmethod
    def setUpClass(cls):
        folder = tempfile.TemporaryDirectory()
        cls.addClassCleanup(folder.cleanup)
        tree = os.path.join(folder.name, "tree")
        os.mkdir(tree)
        cls.expected = {}
        for name, count in cls.counts.items():
            # Blocks of 1 KiB with holes between them: each an extent of its own.
            with open(os.path.join(tree, name), "wb") as file:
                for number in range(count):
                    file.seek(number * 3072)
                    file.write(b"%08d" % number * 128)
                file.truncate(count * 3072 + 100)
            with open(os.path.join(tree, name), "rb") as file:
                cls.expected["/" + name] = hashlib.sha256(file.read()).hexdigest()
        cls.image = os.path.join(folder.name, "drive.raw")
        with open(cls.image, "wb") as file:
            file.truncate(64 * MiB)
        subprocess.run(["mke2fs", "-q", "-F", "-t", "ext4", "-b", "1024", "-O", "^metadata_csum", "-d", tree, cls.image], check=True)

    def found(self, image, check):
        records = lines(run("hash", image, "--digests", "sha256", "--json", check=check).stdout)
        items = {record["path"]: record for record in records if record["record"] == "item"}
        problems = {record["where"].rpartition(":")[2]: record["cause"] for record in records if record["record"] == "problem"}
        return items, problems

    def tree_blocks(self, name):
        """The blocks of its extent tree below the inode, by level."""
        told = subprocess.run(["debugfs", "-R", "ex /" + name, self.image], check=True, capture_output=True, text=True).stdout
        levels = re.findall(r"^ *(\d+)/ *(\d+) +\d+/ *\d+ +\d+ - +\d+ +(\d+) +\d+ *$", told, re.M)
        return {int(level): [int(block) for at, _, block in levels if at == level] for level, _, _ in levels}

    def test_all_that_was_written(self):
        depths = {name: len(self.tree_blocks(name)) for name in self.counts}
        self.assertEqual(depths, {"one-leaf": 1, "leaves": 1, "two-levels": 2, "three-levels": 3})
        items, problems = self.found(self.image, (0,))
        self.assertEqual({path: items[path]["digests"]["sha256"] for path in self.expected}, self.expected)
        self.assertEqual(problems, {})
        with open(self.image, "rb") as image:
            for path in self.expected:
                content = hashlib.sha256()
                for offset, length in items[path]["extents"]:
                    image.seek(max(offset, 0))
                    content.update(bytes(length) if offset < 0 else image.read(length))
                self.assertEqual(content.hexdigest(), self.expected[path], path)

    def test_a_tree_that_does_not_hold(self):
        with open(self.image, "rb") as file:
            whole = file.read()
        first, second = self.tree_blocks("leaves")[0][:2]
        damages = {"no node": (first * 1024, b"\0\0"), "more entries than fit": (first * 1024 + 2, struct.pack("<H", 200)),
                   "an empty leaf": (first * 1024 + 2, struct.pack("<H", 0)), "a deeper leaf": (second * 1024 + 6, struct.pack("<H", 1)),
                   "an extent of nothing": (second * 1024 + 12 + 4, struct.pack("<H", 0)),
                   "the first leaf once more": (second * 1024, whole[first * 1024:first * 1024 + 1024])}
        for what, (place, data) in damages.items():
            with tempfile.NamedTemporaryFile() as file:
                file.write(whole)
                file.seek(place)
                file.write(data)
                file.flush()
                items, problems = self.found(file.name, (4,))
            self.assertNotIn("digests", items["/leaves"], what)
            self.assertEqual(problems.get("/leaves"), "corrupt", what)
            self.assertEqual(items["/two-levels"]["digests"]["sha256"], self.expected["/two-levels"], what)


if __name__ == "__main__":
    unittest.main(verbosity=2)
