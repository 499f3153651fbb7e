"""What the command-line tests share: running exhibit as a user does, and real evidence."""
import json, lzma, os, shutil, subprocess, sys

BIN = os.path.abspath(sys.argv.pop(1) if len(sys.argv) > 1 else "build/bin")
CORPORA = os.path.abspath(sys.argv.pop(1) if len(sys.argv) > 1 else "../shared/corpora")
EXHIBIT = os.path.join(BIN, "exhibit")

# For `seal` in tests that are about something else than what a profile requires.
INCOMPLETE = ("--incomplete", "made by a test")


def run(*words, stdin=None, cwd=None, env=None, check=None, umask=-1):
    """Runs `exhibit WORDS…`; `check`: the exit codes that are expected."""
    done = subprocess.run([EXHIBIT, *words], input=stdin, capture_output=True, cwd=cwd, umask=umask, timeout=280,
                          env={**os.environ, **(env or {})})
    if check is not None:
        assert done.returncode in check, f"exhibit {' '.join(words)}: {done.returncode}\n{done.stderr.decode()}"
    return done


def lines(data):
    return [json.loads(line) for line in data.splitlines()]


def findings(case, evidence="E1"):
    with open(os.path.join(case, "findings", evidence + ".jsonl"), "rb") as file:
        return file.read()


def unpack(relative, folder, name=None):
    source = os.path.join(CORPORA, relative)
    target = os.path.join(folder, name or os.path.basename(relative).removesuffix(".xz"))
    opener = lzma.open if relative.endswith(".xz") else open
    with opener(source, "rb") as packed, open(target, "wb") as out:
        shutil.copyfileobj(packed, out)
    return target


def make_keys(folder):
    """A demonstration authority and an examiner's key: (key, certificate, authority)."""
    def openssl(*words):
        subprocess.run(["openssl", *words], cwd=folder, check=True, capture_output=True)
    openssl("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "30", "-subj", "/CN=Authority",
            "-keyout", "ca.key", "-out", "ca.pem", "-addext", "keyUsage=critical,keyCertSign")
    openssl("req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-subj", "/CN=Examiner", "-keyout", "e.key", "-out", "e.csr")
    with open(os.path.join(folder, "e.ext"), "w", encoding="ascii") as extensions:
        extensions.write("keyUsage=critical,digitalSignature\n")
    openssl("x509", "-req", "-in", "e.csr", "-CA", "ca.pem", "-CAkey", "ca.key", "-CAcreateserial", "-days", "30", "-extfile", "e.ext", "-out", "e.pem")
    return tuple(os.path.join(folder, name) for name in ("e.key", "e.pem", "ca.pem"))
