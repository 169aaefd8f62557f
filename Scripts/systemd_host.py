"""A throw-away host with a real systemd in namespaces of its own, for Scripts/test-systemd and Scripts/faults.py.

`prepare` makes its files below a temporary directory: a copy of /etc, and Goodgate installed; `Host` boots it. It has an empty /run and
/tmp, its own processes, network and cgroups. Nothing of the host is touched, everything ends with the program that uses it.

Run as a program, this file is process 1 of the namespaces:  systemd_host.py inside ROOT
"""
import glob, os, shutil, subprocess, sys, time

SELF = os.path.realpath(__file__)


class Failed(Exception):
    pass


def skip(why):
    print(f"skipped: {why}")
    sys.exit(77)


def inside(root):
    """Process 1 of the new namespaces: makes a host for systemd out of what there is, and becomes systemd."""
    def mount(*arguments, must=True):
        subprocess.run(["mount", *arguments], check=must, stderr=None if must else subprocess.DEVNULL)

    mount("--make-rprivate", "/")
    mount("-t", "tmpfs", "tmpfs", "/run")
    # The host's temporary files are not ours to clean, and its units not ours to start.
    mount("-t", "tmpfs", "tmpfs", "/tmp")
    # And its journal is not ours to read.
    if os.path.isdir("/var/log/journal"): mount("-t", "tmpfs", "tmpfs", "/var/log/journal")
    for path in glob.glob("/lib/systemd/system/*.wants"): mount("--bind", f"{root}/empty", path)
    mount("--bind", f"{root}/etc", "/etc")
    os.makedirs("/run/systemd/system")
    shutil.copy(f"{root}/usr/lib/systemd/system/goodgate.service", "/run/systemd/system/")
    is_unified = os.path.exists("/sys/fs/cgroup/cgroup.controllers")
    subprocess.run(["umount", "-R", "/sys/fs/cgroup"], stderr=subprocess.DEVNULL)
    if is_unified:
        mount("-t", "cgroup2", "none", "/sys/fs/cgroup")
    else:
        mount("-t", "tmpfs", "none", "/sys/fs/cgroup")
        for name, options in [("systemd", "none,name=systemd"), ("memory", "memory"), ("pids", "pids"), ("cpu", "cpu")]:
            os.mkdir(f"/sys/fs/cgroup/{name}")
            mount("-t", "cgroup", "-o", options, "none", f"/sys/fs/cgroup/{name}", must=name == "systemd")
    environment = {"container": "goodgate-test", "PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"}
    os.execve("/lib/systemd/systemd", ["systemd", "--unit=basic.target", "--log-target=console"], environment)


class Host:
    """The systemd in its namespaces."""
    def __init__(self, root):
        self.log = open(f"{root}/systemd.log", "w")
        command = ["unshare", "-fpmuniC", "--mount-proc", "--kill-child", sys.executable, SELF, "inside", root]
        self.outer = subprocess.Popen(command, stdout=self.log, stderr=self.log, stdin=subprocess.DEVNULL, start_new_session=True)
        self.pid = None

    def boot(self):
        end = time.monotonic() + 30
        while time.monotonic() < end:
            if self.outer.poll() is not None: return False
            children = open(f"/proc/{self.outer.pid}/task/{self.outer.pid}/children").read().split()
            if children:
                self.pid = int(children[0])
                state = self.run("systemctl", "is-system-running", fails=True).strip()
                if state in ("running", "degraded"): return True
            time.sleep(0.1)
        return False

    def command(self, *words):
        return ["nsenter", "-t", str(self.pid), "-a", *words]

    def has(self, process):
        """Whether a process, by its number in there, still is."""
        return os.path.exists(os.path.join("/proc", str(self.pid), "root", "proc", process))

    def run(self, *words, fails=False):
        done = subprocess.run(self.command(*words), capture_output=True, text=True, timeout=60)
        if done.returncode != 0 and not fails: raise Failed(f"{' '.join(words)}: {done.stdout}{done.stderr}")
        return done.stdout

    def show(self, name):
        return self.run("systemctl", "show", "-P", name, "goodgate.service").strip()

    def end(self):
        self.outer.kill()
        self.outer.wait()
        self.log.close()


def wait(what, condition, seconds=15):
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if condition(): return
        time.sleep(0.05)
    raise Failed(f"not within {seconds} s: {what}")


def check(what, condition):
    if not condition: raise Failed(what)


def prepare(build, root):
    """Installs the programs of the build directory, and makes a copy of /etc."""
    os.chmod(root, 0o755)
    os.makedirs(f"{root}/empty")
    os.makedirs(f"{root}/usr/bin")
    os.makedirs(f"{root}/usr/libexec/goodgate")
    os.makedirs(f"{root}/usr/lib/systemd/system")
    shutil.copytree("/etc", f"{root}/etc", symlinks=True, ignore_dangling_symlinks=True)
    subprocess.run(
        [os.path.join(os.path.dirname(SELF), "install"), build]
        + [f"{root}/usr{name}" for name in ("/bin", "/libexec/goodgate", "/lib/systemd/system", "")],
        check=True, stdout=subprocess.DEVNULL, cwd=os.path.dirname(os.path.dirname(SELF)))
    # Only our service: what the host would start is its business.
    for path in glob.glob(f"{root}/etc/systemd/system/*.wants") + glob.glob(f"{root}/etc/systemd/system/*.requires"): shutil.rmtree(path)
    os.makedirs(f"{root}/etc/goodgate", exist_ok=True)


def require(*programs):
    """Stops with status 77 where the host cannot be had."""
    if os.geteuid() != 0: skip("only root can make the namespaces")
    for program in ["/lib/systemd/systemd", "/usr/bin/unshare", "/usr/bin/nsenter", *programs]:
        if not os.path.exists(program): skip(f"there is no {program}")


if __name__ == "__main__" and sys.argv[1:2] == ["inside"]: inside(sys.argv[2])
