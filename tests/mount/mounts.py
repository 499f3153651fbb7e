"""What the tests of mounts share: a mount that is there as long as it is needed, and what lies in it."""
import contextlib, hashlib, os, select, shutil, signal, subprocess, sys, time, unittest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../cli"))
from support import BIN, CORPORA, EXHIBIT, run, unpack, lines as lines_of  # noqa: E402,F401

READY = b"mounted on "
BLOCK = 1 << 20


def can_mount():
    return os.access("/dev/fuse", os.R_OK | os.W_OK) and (os.geteuid() == 0 or shutil.which("fusermount3"))


needs_fuse = unittest.skipUnless(can_mount(), "this machine has no FUSE for this user")


class Mounted:
    """`exhibit mount --foreground IMAGE FOLDER …` until the end of a `with`."""

    def __init__(self, image, folder, *options):
        os.makedirs(folder, exist_ok=True)
        self.folder, self.errors = folder, b""
        self.process = subprocess.Popen([EXHIBIT, "mount", "--foreground", image, folder, *options],
                                        stderr=subprocess.PIPE, stdin=subprocess.DEVNULL)

    def __enter__(self):
        while READY not in self.errors:
            if not select.select([self.process.stderr], [], [], 240)[0]:
                self.process.kill()
                raise AssertionError("no word of the mount")
            more = os.read(self.process.stderr.fileno(), 4096)
            if not more:
                raise AssertionError(f"exhibit mount: {self.process.wait()}: {self.errors.decode()}")
            self.errors += more
        return self

    def __exit__(self, *error):
        unmounted = subprocess.run([EXHIBIT, "unmount", self.folder], capture_output=True, text=True)
        if unmounted.returncode != 0:
            self.process.send_signal(signal.SIGTERM)
        try:
            self.code = self.process.wait(60)
        except subprocess.TimeoutExpired:
            self.process.kill()
            raise
        finally:
            self.process.stderr.close()

    def path(self, *names):
        return os.path.join(self.folder, *names)

    def workers(self):
        """Process ids; a thread's children are the thread's."""
        found = []
        with contextlib.suppress(OSError):
            for thread in os.listdir(f"/proc/{self.process.pid}/task"):
                with contextlib.suppress(OSError), open(f"/proc/{self.process.pid}/task/{thread}/children", encoding="ascii") as children:
                    found += [int(word) for word in children.read().split()]
        return found

    def wait_for_workers(self, count=1):
        end = time.monotonic() + 60
        while len(self.workers()) < count and time.monotonic() < end:
            time.sleep(0.01)
        return self.workers()


def walk(top):
    """Every entry below a folder, as bytes, relative to it: (path, stat)."""
    top = os.fsencode(top)
    pending = [b""]
    while pending:
        folder = pending.pop()
        with os.scandir(os.path.join(top, folder)) as entries:
            for entry in entries:
                path = os.path.join(folder, entry.name)
                yield path, entry.stat(follow_symlinks=False)
                if entry.is_dir(follow_symlinks=False):
                    pending.append(path)


def sha256(path):
    digest = hashlib.sha256()
    with open(path, "rb", buffering=0) as file:
        while block := file.read(BLOCK):
            digest.update(block)
    return digest.hexdigest()


def populate(folder):
    """Files of each sort that a Linux file system knows."""
    os.makedirs(os.path.join(folder, "dir/inner/глубоко"))
    def write(name, content):
        with open(os.path.join(folder, name), "wb") as file:
            file.write(content)
    write("empty", b"")
    write("small.txt", b"a few bytes\n")
    write("dir/large.bin", b"".join(hashlib.sha256(str(i).encode()).digest() for i in range(100_000)))
    write("dir/inner/глубоко/имя.txt", "содержание".encode())
    write(b"dir/not utf-8 \xff\xfe.txt".decode("utf-8", "surrogateescape"), b"its name is not UTF-8")
    write("dir/" + "n" * 255, b"as long as a name can be")
    with open(os.path.join(folder, "sparse.bin"), "wb") as file:
        for place in (0, 300_000, 2_000_000):
            file.seek(place)
            file.write(b"island")
        file.truncate(3_000_000)
    os.link(os.path.join(folder, "small.txt"), os.path.join(folder, "dir/hard link"))
    for name, target in {"relative": "dir/large.bin", "long": "dir/" + "n" * 255, "dangling": "nothing/there",
                         "absolute": "/dir/large.bin", "passwd": "/etc/passwd", "dir/escape": "../../../../etc/passwd",
                         "dir/inner/sneaky": "again/../../../../etc/passwd", "dir/inner/again": ".",
                         "dir/up": "../small.txt"}.items():
        os.symlink(target, os.path.join(folder, name))
    os.mkfifo(os.path.join(folder, "pipe"))
    os.chmod(os.path.join(folder, "small.txt"), 0o640)
    os.chmod(os.path.join(folder, "dir/large.bin"), 0o4755)
    for number, (path, _) in enumerate(sorted(walk(folder))):
        os.utime(os.path.join(os.fsencode(folder), path), ns=(10**18 + number, 12 * 10**17 + 123_456_789 + number),
                 follow_symlinks=False)


def make_ext4(base, size="64M", options=("-O", "^has_journal")):
    """An ext4 image of what populate() makes; a file in it is deleted afterwards."""
    folder, image = os.path.join(base, "content"), os.path.join(base, "drive.raw")
    if not os.path.exists(folder):
        populate(folder)
        with open(os.path.join(folder, "deleted.bin"), "wb") as file:
            file.write(b"still there " * 5000)
    subprocess.run(["truncate", "-s", size, image], check=True)
    subprocess.run(["mkfs.ext4", "-q", "-F", *options, "-d", folder, image], check=True, capture_output=True)
    subprocess.run(["debugfs", "-w", "-R", "rm deleted.bin", image], check=True, capture_output=True)
    value = os.path.join(base, "value")
    with open(value, "wb") as file:
        file.write(bytes(range(256)) * 2)  # more than an inode has room for
    for command in ("ea_set /small.txt user.comment short", f"ea_set -f {value} /small.txt user.large", "ea_set /dir security.label x"):
        subprocess.run(["debugfs", "-w", "-R", command, image], check=True, capture_output=True)
    return image
