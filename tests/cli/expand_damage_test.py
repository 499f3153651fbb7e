"""Of a member whose bytes the image can't give no digest is claimed, though its archive has no checksums."""
import io, os, random, tarfile, unittest
from expand_test import Findings, Folder, call, read, sha256
from support import run


class Damaged(Folder):
    @classmethod
    def fill(cls):
        noise = random.Random(11)
        cls.files = {f"file{number:02}": noise.randbytes(100_000) for number in range(40)}
        with tarfile.open(cls.path("tree", "a.tar"), "w") as tar:
            for name, data in cls.files.items():
                entry = tarfile.TarInfo(name)
                entry.size = len(data)
                tar.addfile(entry, io.BytesIO(data))

        for name in ("first", "second"):
            call("tar", "-cf", cls.path(name + ".tar"), "--transform", f"s/.*/{name}/", "services", cwd="/etc")
        cls.put("two.tar", read(cls.path("first.tar")) + read(cls.path("second.tar")))
        cls.put("more.tar", read(cls.path("first.tar")) + noise.randbytes(5000))

    def test_what_lies_behind_the_end_of_an_archive(self):
        found = Findings(run("expand", self.image, "--json", check=(4,)).stdout)
        self.assertEqual(set(found.digests("two.tar")), {"first", "second"})
        self.assertEqual(found.causes("two.tar"), set())
        self.assertEqual(set(found.digests("more.tar")), {"first"})
        self.assertEqual(found.causes("more.tar"), {"corrupt"})

    def test_no_digest_of_what_was_read_as_zeros(self):
        call("ewfacquire", "-u", "-q", "-t", self.path("whole"), "-c", "none", "-b", "64", self.image)
        container = bytearray(read(self.path("whole.E01")))
        # A chunk of 32 KiB becomes zeros: one that holds the head of file20, or one within its content.
        for within in (0, 50_000):
            place = container.find(self.files["file20"][within:within + 64])
            self.assertGreater(place, 0)
            damaged = bytearray(container)
            damaged[place] ^= 0xff
            with open(self.path("damaged.E01"), "wb") as file:
                file.write(damaged)
            found = Findings(run("expand", self.path("damaged.E01"), "--json", check=(4,)).stdout)
            digests = found.digests("a.tar")
            self.assertNotIn("file20", digests)
            self.assertIn("file10", digests)
            self.assertEqual(digests, {name: sha256(self.files[name]) for name in digests})
            # Zeros in place of a head look like the archive's end.
            self.assertIn("io-error", found.causes("a.tar"))
            if "a.tar!/file20" in found.members:
                self.assertEqual(found.causes("a.tar!/file20"), {"io-error"})


del Folder  # its tests are the other file's


if __name__ == "__main__":
    unittest.main(verbosity=2)
