#!/usr/bin/env python3
"""make soak-kills: a run that is killed at a random moment and gone on with ends with the bytes of one that never was.

In turn the coordinator (SIGKILL), a worker (SIGKILL), and the coordinator by SIGINT, which must end it with exit 5.
Every second run that goes on is killed too. Exit status 1 where any findings differ."""
import argparse, hashlib, os, random, shutil, signal, subprocess, sys, time
from material import Material

DONE = (0, 4)  # without and with problems
STOPPED = 5


class Soak:
    def __init__(self, options):
        self.exhibit = os.path.join(os.path.abspath(options.bin), "exhibit")
        self.material = Material(options.folder, "", self.exhibit, "")
        self.chance = random.Random(options.seed)
        self.image = options.image or self.material.medium_e01()
        self.case = self.material.path("soak-case")

    def start(self):
        return subprocess.Popen([self.exhibit, "process", self.image, "--case", self.case, "--progress", "never", "--rules",
                                 self.material.ten_rules(), "--jobs", "2"], stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)

    def to_the_end(self):
        """Goes on until it's done; the findings' SHA-256."""
        process = self.start()
        errors = process.communicate()[1]
        if process.returncode not in DONE:
            raise SystemExit(f"soak: going on: exit {process.returncode}\n{errors}")
        with open(os.path.join(self.case, "findings", "E1.jsonl"), "rb") as findings:
            return hashlib.file_digest(findings, "sha256").hexdigest()

    def disturbed(self, how):
        """One run with a kill in it; the exit status, or None where it was done before its time had come."""
        process = self.start()
        time.sleep(self.chance.uniform(0, self.seconds))
        if process.poll() is None:
            self.kill(process, how)
        errors = process.communicate()[1]
        expected = {"coordinator": (-signal.SIGKILL, *DONE), "worker": DONE, "interrupt": (STOPPED, -signal.SIGINT, *DONE)}[how]
        if process.returncode not in expected:
            raise SystemExit(f"soak: after the kill of {how}: exit {process.returncode}\n{errors}")
        return process.returncode

    def kill(self, process, how):
        if how == "worker":
            children = subprocess.run(["pgrep", "-P", str(process.pid)], capture_output=True, text=True).stdout.split()
            if children:
                try:
                    os.kill(int(self.chance.choice(children)), signal.SIGKILL)
                except ProcessLookupError:  # it was done
                    pass
        else:
            process.send_signal(signal.SIGKILL if how == "coordinator" else signal.SIGINT)

    def run(self, kills):
        shutil.rmtree(self.case, ignore_errors=True)
        begin = time.monotonic()
        whole = self.to_the_end()
        self.seconds = time.monotonic() - begin
        print(f"undisturbed: {self.seconds:.1f} s, findings {whole}", flush=True)
        other, cut = 0, 0
        for number in range(kills):
            how = ("coordinator", "worker", "interrupt")[number % 3]
            shutil.rmtree(self.case, ignore_errors=True)
            status = self.disturbed(how)
            if status not in DONE and number % 2 == 1:
                self.disturbed(how)
            cut += status not in DONE or how == "worker"
            same = self.to_the_end() == whole
            other += not same
            print(f"{number + 1:3}: {how:11} exit {status:3}, gone on with: {'the same' if same else 'OTHER FINDINGS'}", flush=True)
            if not same:
                shutil.copytree(self.case, f"{self.case}.{number + 1}", dirs_exist_ok=True)
        shutil.rmtree(self.case)
        print(f"{kills} kills, {cut} of them before the run's end: {kills - other} times the same findings, {other} times others")
        return 1 if other else 0


def main():
    parser = argparse.ArgumentParser(description="kills runs and goes on with them")
    parser.add_argument("--bin", default="build/bin")
    parser.add_argument("--folder", default="/var/tmp/exhibit-bench")
    parser.add_argument("--image", default="", help="another image than about 400 MiB of /usr")
    parser.add_argument("--kills", type=int, default=50)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    return Soak(options).run(options.kills)


if __name__ == "__main__":
    sys.exit(main())
