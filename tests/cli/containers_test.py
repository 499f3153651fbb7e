#!/usr/bin/env python3
"""Disk containers as a user meets them: chains of files, split disks, what is missing. Usage: containers_test.py BIN CORPORA."""
import hashlib, os, subprocess, tempfile, unittest

from support import findings, lines, run, unpack


def qemu(*words, cwd):
    subprocess.run(words, cwd=cwd, check=True, capture_output=True)


class Containers(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.TemporaryDirectory()
        self.addCleanup(self.folder.cleanup)
        self.disk = unpack("images/ext2.qcow2.xz", self.folder.name)

    def path(self, name):
        return os.path.join(self.folder.name, name)

    def medium(self, name, format):
        qemu("qemu-img", "convert", "-f", format, "-O", "raw", name, "medium.raw", cwd=self.folder.name)
        with open(self.path("medium.raw"), "rb") as file:
            return file.read()

    def evidence(self, *words):
        run("process", *words, "--case", self.path("case"), "--carve", "off", check=(0,))
        return next(r for r in lines(findings(self.path("case"))) if r["record"] == "evidence")

    def overlay(self):
        """A qcow2 over the disk, with a sector of its own behind what the file system uses."""
        qemu("qemu-img", "create", "-f", "qcow2", "-F", "qcow2", "-b", "ext2.qcow2", "top.qcow2", cwd=self.folder.name)
        qemu("qemu-io", "-f", "qcow2", "-c", "write -P 65 4000000 1024", "top.qcow2", cwd=self.folder.name)
        return self.path("top.qcow2")

    def test_a_missing_parent_is_named(self):
        top = self.overlay()
        for verb in ("info", "list"):
            done = run(verb, top)
            self.assertEqual(done.returncode, 3)
            self.assertIn(b"top.qcow2: is a difference to ext2.qcow2, which is missing; give it with --segments ext2.qcow2", done.stderr)

    def test_an_overlay_is_its_parent_with_what_was_written(self):
        record = self.evidence(self.overlay(), "--segments", self.disk)
        self.assertEqual(record["format"], "qcow2")
        self.assertEqual([segment["name"] for segment in record["segments"]], ["top.qcow2", "ext2.qcow2"])
        self.assertEqual(record["digests"]["sha256"], hashlib.sha256(self.medium("top.qcow2", "qcow2")).hexdigest())

    def test_verbs_chain_over_a_chain(self):
        top = self.overlay()
        listed = run("list", top, "--segments", self.disk, check=(0,)).stdout
        hashed = run("hash", "-", "--evidence", "E1=" + top, "--segments", self.disk, stdin=listed, check=(0,)).stdout
        files = [r for r in lines(hashed) if r["record"] == "item" and r["kind"] == "file"]
        alone = {r["path"]: r for r in lines(run("hash", self.disk, check=(0,)).stdout) if r["record"] == "item"}
        self.assertTrue(files)
        for item in files:
            self.assertEqual(item.get("digests"), alone[item["path"]].get("digests"), item["path"])

    def test_split_disks_are_found_beside_their_descriptor(self):
        for kind in ("twoGbMaxExtentSparse", "twoGbMaxExtentFlat", "monolithicFlat"):
            with self.subTest(kind):
                qemu("qemu-img", "convert", "-f", "qcow2", "-O", "vmdk", "-o", f"subformat={kind}", "ext2.qcow2", f"{kind}.vmdk", cwd=self.folder.name)
                record = lines(run("info", "--json", self.path(f"{kind}.vmdk"), check=(0,)).stdout)[1]
                self.assertEqual(record["format"], "vmdk")
                self.assertEqual(len(record["segments"]), 2)

    def test_what_belongs_to_nothing_is_refused(self):
        with open(self.path("other.raw"), "wb") as file:
            file.write(bytes(4096))
        done = run("info", self.disk, "--segments", self.path("other.raw"))
        self.assertEqual(done.returncode, 2)
        self.assertIn(b"has no use for other.raw", done.stderr)

    def test_a_cut_container_is_never_raw(self):
        with open(self.disk, "rb") as file:
            start = file.read(1000)
        with open(self.path("cut.qcow2"), "wb") as file:
            file.write(start)
        for words in ((), ("--as", "raw")):
            done = run("info", self.path("cut.qcow2"), *words)
            self.assertEqual(done.returncode, 3)
            self.assertIn(b"cut.qcow2", done.stderr)


if __name__ == "__main__":
    unittest.main(verbosity=2)
