"""What the benchmark works on, made once and kept in the bench folder: images, rule packs, hash sets."""
import os, random, re, shutil, subprocess

HERE = os.path.dirname(os.path.abspath(__file__))
MiB = 1 << 20
# signature-base expects them; both sides leave them empty (modules/match/rule_compiler.cc).
EXTERNAL_VARIABLES = "-d filename= -d filepath= -d extension= -d filetype= -d owner= -d md5="


def quietly(*words, **options):
    done = subprocess.run(words, capture_output=True, text=True, **options)
    if done.returncode != 0:
        raise SystemExit(f"bench: {' '.join(words[:6])}: exit {done.returncode}\n{done.stdout[-2000:]}{done.stderr[-2000:]}")
    return done.stdout


def once(path, make):
    """`make(part)` writes the file or folder under another name, which is then put in place: a cut-off run leaves none."""
    if not os.path.exists(path):
        print(f"making {path}", flush=True)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        part = path + ".part"
        shutil.rmtree(part, ignore_errors=True) if os.path.isdir(part) else os.path.exists(part) and os.unlink(part)
        make(part)
        os.rename(part, path)
    return path


class Material:
    def __init__(self, folder, shared, exhibit, image):
        self.folder, self.shared, self.exhibit, self.given_image = os.path.abspath(folder), os.path.abspath(shared), exhibit, image
        os.makedirs(self.folder, exist_ok=True)

    def path(self, name):
        return os.path.join(self.folder, name)

    # ---- images

    def raw(self):
        if self.given_image:
            return os.path.abspath(self.given_image)
        return once(self.path("bench.raw"),
                    lambda part: quietly("/usr/bin/python3", os.path.join(self.shared, "peers", "make_image.py"), part))

    def e01(self, raw=None):
        raw = raw or self.raw()
        stem = raw.removesuffix(".raw")
        if os.path.exists(stem + ".E01"):
            return stem + ".E01"
        return self.acquire(raw, self.path(os.path.basename(stem)))

    def acquire(self, raw, stem):
        return once(stem + ".E01", lambda part: (
            quietly("ewfacquire", "-u", "-q", "-c", "fast", "-f", "encase6", "-S", "8EiB", "-t", part, raw),
            os.rename(part + ".E01", part)))

    def shapeless_e01(self):
        """The bench image's bytes from the 256th on: a medium of the same content on which no volume is recognised, so
        that `process` does nothing but read and digest it, as ewfverify does."""
        raw = self.raw()
        size = os.path.getsize(raw) - 512
        return once(self.path("shapeless.E01"), lambda part: (
            quietly("bash", "-c", 'set -o pipefail; tail -c +257 "$1" | head -c "$2" | '
                    'ewfacquirestream -q -c fast -f encase6 -S 8EiB -t "$3"', "-", raw, str(size), part),
            os.rename(part + ".E01", part)))

    def many_files(self, count):
        """ext4 with 1 KiB blocks and `count` files of 100 to 2000 random bytes, 1000 to a folder."""
        def make(part):
            with open(part, "wb") as file:
                file.truncate(count * 2600 + 64 * MiB)
            quietly("mkfs.ext4", "-q", "-F", "-b", "1024", "-N", str(count + count // 500 + 1000), "-O", "^has_journal", "-m", "0", part)
            mount = part + ".mount"
            os.makedirs(mount, exist_ok=True)
            quietly("mount", "-o", "loop,noatime", part, mount)
            try:
                chance = random.Random(count)
                for index in range(count):
                    folder = os.path.join(mount, f"{index // 1000:04d}")
                    if index % 1000 == 0:
                        os.mkdir(folder)
                    with open(os.path.join(folder, f"file{index:07d}.txt"), "wb") as file:
                        file.write(chance.randbytes(chance.randint(100, 2000)))
            finally:
                quietly("umount", mount)
                os.rmdir(mount)
        return once(self.path(f"files{count}.raw"), make)

    def medium_e01(self):
        """About 400 MiB of this machine's /usr on ext4 as E01, for runs that are repeated many times."""
        def make(part):
            tree, room = part + ".tree", 300 * MiB
            shutil.rmtree(tree, ignore_errors=True)
            for root in ("/usr/include", "/usr/share/perl", "/usr/lib/python3", "/usr/bin", "/usr/share/doc"):
                for folder, folders, names in os.walk(root):
                    folders.sort()
                    for name in sorted(names):
                        source = os.path.join(folder, name)
                        if not os.path.isfile(source) or os.path.islink(source) or os.path.getsize(source) > min(room, 8 * MiB):
                            continue
                        room -= os.path.getsize(source) + 4096
                        os.makedirs(tree + folder, exist_ok=True)
                        shutil.copy2(source, tree + source)
            with open(part, "wb") as file:
                file.truncate(420 * MiB)
            quietly("mkfs.ext4", "-q", "-F", "-d", tree, part)
            shutil.rmtree(tree)
        return self.acquire(once(self.path("medium.raw"), make), self.path("medium"))

    # ---- rules

    def ten_rules(self):
        return os.path.join(HERE, "rules")

    def large_rules(self):
        """The files of signature-base that both yarac and Exhibit take, in one folder. What Exhibit refuses is named."""
        def make(part):
            os.makedirs(part + ".all", exist_ok=True)
            quietly("tar", "-xf", os.path.join(self.shared, "corpora", "yara", "signature-base.tar.xz"), "-C", part + ".all")
            os.makedirs(part)
            for folder, _, names in os.walk(part + ".all"):
                for name in names:
                    if name.endswith((".yar", ".yara")):
                        source = os.path.join(folder, name)
                        target = os.path.join(part, os.path.relpath(source, part + ".all").replace(os.sep, "-"))
                        if subprocess.run(["yarac", "-w", *EXTERNAL_VARIABLES.split(), source, "/dev/null"], capture_output=True).returncode == 0:
                            shutil.copy(source, target)
                        else:
                            print(f"  yarac refuses {name}")
            shutil.rmtree(part + ".all")
            self.leave_out_what_exhibit_refuses(part)
        return once(self.path("large"), make)

    def leave_out_what_exhibit_refuses(self, folder):
        medium, case = self.path("probe.raw"), self.path("probe.case")
        with open(medium, "wb") as file:
            file.truncate(MiB)
        while True:
            shutil.rmtree(case, ignore_errors=True)
            done = subprocess.run([self.exhibit, "process", medium, "--case", case, "--rules", folder, "--jobs", "1"],
                                  capture_output=True, text=True)
            if done.returncode in (0, 4):
                break
            refused = re.search(r"([\w.-]+\.yara?)\b", done.stderr)
            if refused is None or not os.path.exists(os.path.join(folder, refused[1])):
                raise SystemExit(f"bench: exhibit refuses the rules: {done.stderr}")
            print(f"  exhibit refuses {refused[1]}: {done.stderr.strip()}")
            os.unlink(os.path.join(folder, refused[1]))
        shutil.rmtree(case)
        os.unlink(medium)

    def compiled(self, folder, name):
        """As the peers load them: each file a namespace of its own."""
        files = sorted(os.path.join(folder, each) for each in os.listdir(folder))
        return once(self.path(name + ".yac"), lambda part: quietly(
            "yarac", "-w", *EXTERNAL_VARIABLES.split(), *[f"n{index}:{file}" for index, file in enumerate(files)], part))

    # ---- hash sets

    def hash_set(self, count):
        """`count` MD5 digests of nothing in particular as md5sum writes them, with hfind's index beside them."""
        def make(part):
            chance = random.Random(count)
            with open(part, "w", encoding="ascii") as file:
                for start in range(0, count, 10000):
                    file.writelines(f"{chance.getrandbits(128):032x}  file{index}\n"
                                    for index in range(start, min(count, start + 10000)))
        path = once(self.path(f"set{count}.md5"), make)
        if not os.path.exists(path + "-md5.idx"):
            quietly("hfind", "-i", "md5sum", path)
        return path
