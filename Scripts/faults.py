#!/usr/bin/env python3
"""Breaks things and checks the verdicts:  Scripts/faults.py BUILD [--only P01,P16] [--write docs/verdicts/README.md]

BUILD is the directory with the built programs. Each fault is made for real on a throw-away host with systemd (Scripts/systemd_host.py),
twice: before Debian's nginx, which `goodgate doctor` then explains from logs and host, and before Goodgate, whose own traffic
`goodgate why` explains. Beside each fault something unrelated happens at the same time (a decoy): no verdict may blame it. Prints the
table of faults and verdicts; --write puts it into the file, between its marks.

Exit status: 0 when no verdict was wrong, no decoy was blamed and enough were right, 1 otherwise, 77 when it cannot run here.
"""
import argparse, http.client, json, os, shutil, signal, socket, subprocess, sys, tempfile, time

SELF = os.path.realpath(__file__)
sys.path.insert(0, os.path.dirname(SELF))
from fault_table import GOODGATE, NGINX, RUN, assess, table
from systemd_host import Failed, Host, prepare, require, skip, wait

PORTS = {NGINX: 8081, GOODGATE: 8082}
UNITS = "/run/systemd/system"
RIGHT_MIN = 28


class Bench:
    """One fault in front of one proxy; runs on the throw-away host."""
    def __init__(self, root, front, fault):
        self.root, self.front, self.fault = root, front, fault
        self.port, self.units, self.held, self.answers, self.environment = PORTS[front], [], [], [], dict(os.environ)
        self.folder = f"{RUN}/{fault.name}-{front}"
        self.environment["GOODGATE_CONTROL"] = f"{self.folder}/control.sock"
        os.makedirs(self.folder, exist_ok=True)
        os.chmod(RUN, 0o755)

    # What faults are made of.

    def unit(self, name, mode, address, *more, properties=(), wait_for_it=True):
        """An application as a unit of systemd. Its name ends in the proxy's: what happened before the other one is another unit's life."""
        self.start_unit(name, f"/usr/bin/python3 {self.root}/fault_app.py {mode} {address} {' '.join(more)}", properties)
        if not wait_for_it: return
        if address.startswith("/"): wait(f"{address} is there", lambda: os.path.exists(address))
        else: wait(f"{name} listens on {address}", lambda: self.listens(address))

    def start_unit(self, name, command, properties=()):
        """A unit with a file, which stays known after it has ended."""
        name = f"{name}-{self.front}"
        self.units.append(name)
        with open(f"{UNITS}/{name}.service", "w") as file:
            file.write("[Service]\n" + "".join(f"{line}\n" for line in properties) + f"ExecStart={command}\n")
        subprocess.run(["systemctl", "start", f"{name}.service"], check=True)

    def of(self, name): return f"{name}-{self.front}.service"

    def decoy(self):
        """Something unrelated that looks like a cause: a crash and an OOM kill of other units, at the same time."""
        name = f"decoy-{self.fault.name}".lower()
        self.start_unit(f"{name}-crash", "/bin/sh -c 'kill -ABRT $$$$'")
        self.start_unit(f"{name}-oom", "/usr/bin/python3 -c \"x = b'x' * (200 << 20)\"", ["MemoryMax=20M", "MemorySwapMax=0"])

    @staticmethod
    def listens(address):
        host, port = address.rsplit(":", 1)
        return bool(subprocess.run(["ss", "-Hltn", "src", f"{host}:{port}"], capture_output=True, text=True).stdout.strip())

    def get(self, path="/", method="GET", body=None, source=None):
        """The status, or 0 when there was no answer."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=15, source_address=source)
        try:
            connection.request(method, path, body=body)
            answer = connection.getresponse()
            answer.read()
            return answer.status
        except (OSError, http.client.HTTPException):
            return 0
        finally:
            connection.close()

    def start_get(self, path="/"):
        """A request whose answer nobody waits for yet."""
        held = socket.create_connection(("127.0.0.1", self.port))
        held.sendall(f"GET {path} HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n".encode())
        self.held.append(held)

    def systemctl(self, *words): subprocess.run(["systemctl", *words], capture_output=True)

    # The proxy.

    def start(self):
        fault, folder = self.fault, self.folder
        text = f"user www-data; worker_processes 1; pid {folder}/pid; error_log {folder}/error.log notice;\n"
        if self.front == GOODGATE: text += f"control unix:{folder}/control.sock;\n"
        text += fault.main + "\nevents { worker_connections 256; }\nhttp {\n    access_log " + folder + "/access.log;\n"
        text += "    proxy_connect_timeout 1s; proxy_read_timeout 1s; proxy_http_version 1.1; proxy_set_header Connection \"\";\n"
        if fault.http: text += "    " + fault.http + "\n"
        text += f"    server {{\n        listen 127.0.0.1:{self.port};\n        {fault.server}\n    }}\n}}\n"
        self.configuration = f"{folder}/{self.front}.conf"
        with open(self.configuration, "w") as file: file.write(text)
        if self.front == NGINX:
            # Old failures of another cause: nothing of today may be explained by them.
            with open(f"{folder}/error.log", "w") as file:
                stamp = time.strftime("%Y/%m/%d %H:%M:%S", time.localtime(time.time() - 7200))
                file.write(
                    f"{stamp} [error] 1#1: *1 upstream prematurely closed connection while reading response header from upstream, client: "
                    "10.0.0.1, server: , request: \"GET /decoy-old HTTP/1.1\", upstream: \"http://127.0.0.1:4999/\", host: \"a\"\n")
        program = "/usr/sbin/nginx" if self.front == NGINX else f"{self.root}/usr/bin/goodgate"
        self.systemctl("stop", "front.service")
        self.systemctl("reset-failed", "front.service")
        subprocess.run(
            ["systemd-run", "--quiet", "--unit=front", "--property=LimitNOFILE=4096", program, "-c", self.configuration,
             "-g", "daemon off;"], check=True)
        wait("the proxy listens", lambda: self.listens(f"127.0.0.1:{self.port}"))
        if self.front == GOODGATE:
            wait("goodgate answers commands", lambda: self.goodgate("status", fails=True).returncode == 0, 20)

    def goodgate(self, *words, fails=False):
        done = subprocess.run([f"{self.root}/usr/bin/goodgate", *words], capture_output=True, text=True, env=self.environment, timeout=60)
        if done.returncode != 0 and not fails: raise Failed(f"goodgate {' '.join(words)}: {done.stdout}{done.stderr}")
        return done

    # The verdicts.

    def judge(self):
        """What was said of the failures: a list of (requests, peer, verdict)."""
        if self.front == NGINX:
            report = json.loads(self.goodgate("doctor", "--json", "--since", "10m", "-c", self.configuration).stdout)
            self.answers = report["app_answers"]
            return [(sum(c["attempts"].values()), c.get("peer"), c["verdict"]) for c in report["cases"]]
        cases = []
        def settled():
            cases[:] = []
            self.isOpen, self.isJudged = False, True
            for item in json.loads(self.goodgate("incidents", "--json").stdout)["incidents"]:
                verdict = item.get("verdict")
                self.isOpen |= item["is_open"]
                self.isJudged &= any(look["step"] == "durable" for look in (verdict or {}).get("looks", []))
                if verdict: cases.append((sum(item["attempts"].values()), item.get("peer"), verdict))
            return bool(cases)
        wait("a verdict", settled, 10)
        # Logs and units are looked at a second after the failure, and the verdict may change with them, or become surer.
        wait("logs and units were looked at", lambda: settled() and self.isJudged, 30)
        end = time.monotonic() + 25
        while time.monotonic() < end and settled() and not any(
            v.get("rule") == self.fault.rule and self.fault.names(v["culprit"]["name"], self.front) for _, _, v in cases): time.sleep(0.5)
        # The last word is spoken when the incident is closed.
        if self.fault.final: wait("the incident is closed", lambda: settled() and not self.isOpen, 90)
        return cases

    def end(self):
        for held in self.held: held.close()
        self.fault.undo(self)
        for name in [*self.units, "front"]:
            self.systemctl("stop", f"{name}.service")
            self.systemctl("reset-failed", f"{name}.service")
            if os.path.exists(f"{UNITS}/{name}.service"): os.unlink(f"{UNITS}/{name}.service")
        self.systemctl("daemon-reload")


class Fault:
    """One cause: what to configure, how to make it, and what the verdict has to say."""
    def __init__(self, name, what, rule, culprit, make, server=None, http="", main="", undo=None, fronts=(NGINX, GOODGATE), note="",
                 also=(), mend=None, final=False):
        self.name, self.what, self.rule, self.culprit, self.make = name, what, rule, culprit, make
        number = int(name[1:3])
        self.server = server or f"location / {{ proxy_pass http://127.0.0.1:{4000 + number}; }}"
        self.http, self.main, self.undo, self.fronts, self.note, self.also = http, main, undo or (lambda bench: None), fronts, note, also
        self.mend, self.final = mend, final

    def names(self, culprit, front):
        """Whether it is whom the verdict has to name."""
        return self.culprit.format(front=front) in culprit


def times(count, path="/"):
    def make(bench):
        for _ in range(count): bench.get(path)
    return make


def wrong_port(bench):
    bench.unit("shop", "http", "127.0.0.1:4301", "--port=4201")
    # An app that has just been started may yet open the other port.
    time.sleep(31)
    times(3)(bench)


def stopped(bench):
    bench.unit("stopped", "http", "127.0.0.1:4001")
    bench.systemctl("kill", "--signal=KILL", bench.of("stopped"))
    time.sleep(0.3)
    times(3)(bench)


def stopped_beside(bench):
    # Not known to systemd by its port: as a container's process, whose inner port is the same by chance.
    with open(f"{RUN}/p01c", "w") as file: file.write("127.0.0.1:4101")
    bench.unit("decoy-container", "http", f"@{RUN}/p01c", properties=["PrivateNetwork=yes"], wait_for_it=False)
    bench.unit("stopped", "http", "127.0.0.1:4101")
    bench.systemctl("kill", "--signal=KILL", bench.of("stopped"))
    time.sleep(0.3)
    times(3)(bench)


def one_family(bench):
    bench.unit("six", "http", "[::1]:4002")
    times(4)(bench)


def other_namespace(bench):
    bench.unit("inner", "http", "127.0.0.1:4003", properties=["PrivateNetwork=yes"], wait_for_it=False)
    time.sleep(1)
    times(3)(bench)


def hosts(address="10.4.0.1"):
    with open("/etc/hosts", "w") as file: file.write(f"127.0.0.1 localhost\n::1 localhost\n{address} app4.test\n")


def moved(bench):
    hosts("10.4.0.2")
    bench.unit("moved", "http", "10.4.0.2:4004")
    times(3)(bench)


def no_name(bench):
    bench.unit("names", "dns", "127.0.0.1:5305", wait_for_it=False)
    time.sleep(0.5)
    times(3)(bench)


def idle_race(bench):
    bench.unit("idler", "idle", "127.0.0.1:4006")
    for _ in range(4):
        bench.get()
        time.sleep(0.3)


def aborts(bench):
    bench.unit("crash", "http", "127.0.0.1:4007", properties=["Restart=always", "RestartSec=3"])
    bench.get("/abort")
    time.sleep(0.5)


def posts(bench):
    bench.unit("flaky", "resets", "127.0.0.1:4008")
    bench.unit("good", "http", "127.0.0.1:4108")
    for _ in range(6):
        bench.get("/order", "POST", b"order=1")
        bench.get("/order")


def ejected(bench):
    bench.unit("one", "http", "127.0.0.1:4009")
    bench.unit("two", "http", "127.0.0.1:4109")
    bench.get("/drop")
    times(6)(bench)


def eats(bench):
    bench.unit("eater", "http", "127.0.0.1:4010", properties=["MemoryMax=60M", "MemorySwapMax=0"])
    bench.get("/eat")
    times(2)(bench)


def loops(bench):
    bench.start_unit("loop", "/bin/sh -c 'echo DATABASE_URL is not set; exit 3' app --listen 4011", ["Restart=always", "RestartSec=100ms"])
    wait("systemd gives up", lambda: subprocess.run(["systemctl", "is-failed", "-q", bench.of("loop")]).returncode == 0, 20)
    times(3)(bench)


def stopped_busy(bench):
    bench.unit("busy", "http", "127.0.0.1:4013")
    for _ in range(3): bench.start_get("/slow")
    time.sleep(0.4)
    bench.systemctl("stop", bench.of("busy"))
    time.sleep(1)


def restarted(bench):
    bench.unit("booter", "boots", "127.0.0.1:4015", "2")
    bench.systemctl("restart", "--no-block", bench.of("booter"))
    time.sleep(0.5)
    times(3)(bench)
    wait("it is back", lambda: bench.listens("127.0.0.1:4015"))


def socket_gone(bench):
    os.makedirs("/run/p16", exist_ok=True)
    os.chmod("/run/p16", 0o755)
    bench.unit("un", "http", "/run/p16/app.sock")
    bench.systemctl("stop", bench.of("un"))
    os.unlink("/run/p16/app.sock")
    times(3)(bench)


def denied(bench):
    os.makedirs("/run/p17", exist_ok=True)
    os.chmod("/run/p17", 0o755)
    bench.unit("strict", "http", "/run/p17/app.sock")
    time.sleep(0.3)
    os.chmod("/run/p17/app.sock", 0o700)
    times(3)(bench)


def unix_full(bench):
    os.makedirs("/run/p18", exist_ok=True)
    os.chmod("/run/p18", 0o755)
    bench.unit("deaf", "deaf", "/run/p18/app.sock", "1")
    time.sleep(0.3)
    for _ in range(3):
        held = socket.socket(socket.AF_UNIX)
        held.setblocking(False)
        held.connect_ex("/run/p18/app.sock")
        bench.held.append(held)
    times(3)(bench)


def tcp_full(bench):
    bench.unit("deaf", "deaf", "127.0.0.1:4019", "1")
    for _ in range(4):
        held = socket.socket()
        held.setblocking(False)
        held.connect_ex(("127.0.0.1", 4019))
        bench.held.append(held)
    time.sleep(0.3)
    times(3)(bench)


def no_ports(bench):
    bench.unit("target", "http", "127.0.0.1:4021")
    first = 40000 if bench.front == NGINX else 42000
    with open("/proc/sys/net/ipv4/ip_local_port_range", "w") as file: file.write(f"{first} {first + 3}")
    for port in range(first, first + 4):
        held = socket.create_connection(("127.0.0.1", 4021), source_address=("127.0.0.1", port))
        bench.held.append(held)
    for number in range(3): bench.get(source=("127.0.0.1", first + 5000 + number))


def ports_back(bench):
    with open("/proc/sys/net/ipv4/ip_local_port_range", "w") as file: file.write("32768 60999")


def no_descriptors(bench):
    bench.unit("target", "http", "127.0.0.1:4022")
    for number in range(24): bench.start_get("/slow")
    time.sleep(1.5)


def server_mode(mode, address, path="/", *more):
    def make(bench):
        bench.unit(f"app{address.rsplit(':', 1)[1]}", mode, address, *more)
        times(3, path)(bench)
    return make


def certificate(name):
    words = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", f"/CN={name}.test"]
    subprocess.run([*words, "-keyout", f"{RUN}/{name}.key", "-out", f"{RUN}/{name}.crt"], check=True, capture_output=True)


def tls(bench):
    certificate("server")
    with open(f"{RUN}/both.pem", "w") as file: file.write(open(f"{RUN}/server.key").read() + open(f"{RUN}/server.crt").read())
    bench.unit("secure", "tls", "127.0.0.1:4026", f"{RUN}/both.pem")
    times(3)(bench)


def wants_name(bench):
    certificate("named")
    with open(f"{RUN}/named.pem", "w") as file: file.write(open(f"{RUN}/named.key").read() + open(f"{RUN}/named.crt").read())
    bench.unit("named", "sni", "127.0.0.1:4126", f"{RUN}/named.pem")
    times(3)(bench)


def squatted(bench):
    # A file tells it the port, so that its unit does not look like one that should have it.
    with open(f"{RUN}/p27", "w") as file: file.write("127.0.0.1:4027")
    bench.unit("squatter", "close", f"@{RUN}/p27", wait_for_it=False)
    wait("it has the port", lambda: bench.listens("127.0.0.1:4027"))
    bench.unit("rightful", "http", "127.0.0.1:4027", wait_for_it=False)
    time.sleep(0.7)
    times(3)(bench)


def mend_by_diff(bench, verdict):
    """The doctor makes the change that it proposes; nginx takes it."""
    bench.goodgate("doctor", "--since", "10m", "-c", bench.configuration, "--apply", "--backup", f"{bench.folder}/kept", fails=True)
    subprocess.run(["/usr/sbin/nginx", "-s", "reload", "-c", bench.configuration], check=True)
    wait("it works", lambda: bench.get() == 200, 5)


def mend_by_commands(path):
    """Somebody types the commands of the fix."""
    def mend(bench, verdict):
        for command in verdict["fix"]["commands"]: subprocess.run(command, shell=True, capture_output=True, timeout=30)
        wait("it works", lambda: bench.get(path) == 200, 5)
    return mend


def pair(name, a, b, more=""):
    return f"upstream {name} {{ server 127.0.0.1:{a}; server 127.0.0.1:{b}; {more} }}"


FAULTS = [
    Fault("P01", "the unit was killed", "P01", "stopped-{front}", stopped),
    Fault("P01b", "the app listens on 4301, the proxy dials 4201", "P01", ".conf:", wrong_port,
          server="location / { proxy_pass http://127.0.0.1:4201; }"),
    Fault("P01c", "the unit was killed; in another network namespace somebody has the same port", "P01", "stopped-{front}", stopped_beside,
          server="location / { proxy_pass http://127.0.0.1:4101; }"),
    Fault("P02", "app bound to ::1, proxy dials localhost", "P02", ".conf:", one_family, mend=mend_by_diff,
          server="location / { proxy_set_header Host $host; proxy_pass http://localhost:4002; }"),
    Fault("P03", "app in another network namespace", "P03", "inner-{front}", other_namespace),
    Fault("P04", "the name's address changed after the start", "P04", "app4.test", moved, undo=lambda b: hosts(),
          server="location / { proxy_pass http://app4.test:4004; }"),
    Fault("P05", "a name that the resolver denies", "P05", "nowhere.test", no_name,
          server='resolver 127.0.0.1:5305 ipv6=off; location / { set $to "nowhere.test:4005"; proxy_pass http://$to; }'),
    Fault("P06", "kept connection closed as the next request comes", "P06", ".conf:", idle_race,
          http="upstream back { server 127.0.0.1:4006; keepalive 4; }", server="location / { proxy_pass http://back; }"),
    Fault("P07", "abort() within a request", "P07", "crash-{front}", aborts, final=True),
    Fault("P08", "one of two servers resets; POSTs are not repeated", "P08", "POST", posts,
          http="upstream back { server 127.0.0.1:4008 max_fails=0; server 127.0.0.1:4108 max_fails=0; }",
          server="location / { proxy_pass http://back; }"),
    Fault("P09", "one bad URL takes all servers out", "P09", ".conf:", ejected, http=pair("back", 4009, 4109),
          server="location / { proxy_pass http://back; }", also=("P07",)),
    Fault("P10", "unit with MemoryMax=60M eats memory", "P10", "eater-{front}", eats, final=True, mend=mend_by_commands("/eat")),
    Fault("P11", "unit fails at every start", "P11", "loop-{front}", loops),
    Fault("P13", "systemctl stop while requests run", "P13", "busy-{front}", stopped_busy, main="", server=
          "location / { proxy_read_timeout 9s; proxy_pass http://127.0.0.1:4013; }"),
    Fault("P15", "systemctl restart of an app that boots for 2 s", "P15", "booter-{front}", restarted),
    Fault("P16", "unit stopped, its socket file removed", "P16", "un-{front}", socket_gone, mend=mend_by_commands("/"),
          server="location / { proxy_pass http://unix:/run/p16/app.sock; }"),
    Fault("P17", "socket with mode 700 of another user", "P17", "/run/p17/app.sock", denied,
          server="location / { proxy_pass http://unix:/run/p17/app.sock; }"),
    Fault("P18", "unix socket with a full accept queue", "P18", "deaf-{front}", unix_full,
          server="location / { proxy_pass http://unix:/run/p18/app.sock; }"),
    Fault("P19", "TCP socket with a full accept queue", "P19", "deaf-{front}", tcp_full),
    Fault("P20", "no route to the address", "P20", "198.51.100.7", times(3), server="location / { proxy_pass http://198.51.100.7:80; }"),
    Fault("P21", "all local ports in use", "P21", "ip_local_port_range", no_ports, undo=ports_back),
    Fault("P22", "the worker's descriptors are used up", "P22", "open files", no_descriptors, main="worker_rlimit_nofile 24;",
          fronts=(NGINX,), also=("P28",), note="Goodgate accepts fewer connections instead"),
    Fault("P23", "response header of 40 KB", "P23", "the response header of 127.0.0.1:4023", server_mode("http", "127.0.0.1:4023", "/big")),
    Fault("P24", "Content-Length and Transfer-Encoding in one response", "P24", "127.0.0.1:4024",
          server_mode("http", "127.0.0.1:4024", "/framing"), fronts=(GOODGATE,), note="nginx 1.22 lets it pass"),
    Fault("P24b", "a chunk whose size is no number", "P24", "127.0.0.1:4024",
          server_mode("http", "127.0.0.1:4024", "/chunk"), fronts=(NGINX,)),
    Fault("P25", "a port that greets with SSH-2.0-", "P25", ".conf:", server_mode("banner", "127.0.0.1:4025", "/", "SSH-2.0-OpenSSH_9.2")),
    Fault("P26", "certificate that nobody signed", "P26", ".conf:", tls, fronts=(NGINX,), note="Goodgate has no TLS yet",
          server="location / { proxy_pass https://127.0.0.1:4026; proxy_ssl_verify on; "
          f"proxy_ssl_trusted_certificate {RUN}/other.crt; }}"),
    Fault("P26b", "an upstream that wants to be told its name, and answers plain text with a 400", "P26", ".conf:", wants_name,
          fronts=(NGINX,), note="Goodgate has no TLS yet", server="location / { proxy_pass https://127.0.0.1:4126; }"),
    Fault("P27", "another process holds the port", "P27", "squatter-{front}", squatted),
    Fault("P28", "handler that sleeps", "P28", "app4028-{front}", server_mode("http", "127.0.0.1:4028", "/slow")),
    Fault("P30", "the application itself answers 503", "P30", "127.0.0.1:4030", server_mode("http", "127.0.0.1:4030", "/503")),
]

# What cannot be made here without software that is no part of Debian, or shows only in the client: told by recorded texts, in
# Tests/DiagnosisTests/OtherRulesTests.swift, each with a decoy. `make faults` runs those first.
RECORDED = [("P12", "PM2 reload in fork mode"), ("P14", "a reload of the proxy cut long connections")]


def inside(root, only):
    """Runs the faults on the throw-away host; prints a line of JSON for each."""
    subprocess.run(["systemctl", "start", "systemd-journald.socket", "systemd-journald.service"], check=True)
    subprocess.run(["systemctl", "log-target", "journal"], check=True)
    os.makedirs(UNITS, exist_ok=True)
    for address in ("10.4.0.1", "10.4.0.2"): subprocess.run(["ip", "address", "add", f"{address}/32", "dev", "lo"], check=True)
    hosts()
    os.makedirs(RUN, exist_ok=True)
    # nginx wants the one that it trusts at its start.
    certificate("other")
    for fault in FAULTS:
        if only and fault.name not in only: continue
        for front in fault.fronts:
            bench, began = Bench(root, front, fault), time.monotonic()
            row = {"name": fault.name, "front": front}
            try:
                bench.start()
                bench.decoy()
                fault.make(bench)
                row["cases"] = [{"count": c, "peer": p, "verdict": v} for c, p, v in bench.judge()]
                row["answers"] = bench.answers
                if fault.mend and front == NGINX:
                    told = [c["verdict"] for c in row["cases"] if c["verdict"].get("rule") == fault.rule]
                    try: fault.mend(bench, told[0])
                    except (Failed, IndexError): row["unmended"] = True
            except (Failed, subprocess.SubprocessError, OSError) as error:
                row["error"] = f"{type(error).__name__}: {error}"
                log = f"{bench.folder}/error.log"
                row["log"] = open(log, errors="replace").read()[-2000:] if os.path.exists(log) else ""
            finally:
                bench.end()
            row["seconds"] = round(time.monotonic() - began, 1)
            print(json.dumps(row), flush=True)


def main():
    if len(sys.argv) >= 3 and sys.argv[1] == "inside": return inside(sys.argv[2], sys.argv[3].split(",") if len(sys.argv) > 3 else None)
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("build")
    parser.add_argument("--only", help="names of faults, with commas between")
    parser.add_argument("--write", help="the document whose table is made anew")
    parser.add_argument("--keep", help="where the verdicts are written as JSON")
    options = parser.parse_args()
    unknown = set(options.only.split(",") if options.only else ()) - {fault.name for fault in FAULTS}
    if unknown: parser.error(f"no fault is called {', '.join(sorted(unknown))}: there are {', '.join(fault.name for fault in FAULTS)}")
    if options.only and options.write: parser.error("--write takes all faults: a part would replace the whole table")
    require("/usr/sbin/nginx", "/usr/bin/openssl", "/usr/bin/prlimit", "/usr/bin/python3")
    root = tempfile.mkdtemp(prefix="goodgate-faults-", dir="/var/tmp")
    host, rows = None, []
    try:
        prepare(os.path.realpath(options.build), root)
        for name in ("faults.py", "fault_table.py", "systemd_host.py", "fault_app.py"):
            shutil.copy(os.path.join(os.path.dirname(SELF), name), root)
        os.makedirs(f"{root}/etc/systemd/journald.conf.d", exist_ok=True)
        with open(f"{root}/etc/systemd/journald.conf.d/test.conf", "w") as file:
            file.write("[Journal]\nStorage=volatile\nRateLimitBurst=0\n")
        with open(f"{root}/etc/resolv.conf.new", "w") as file: file.write("nameserver 127.0.0.1\noptions timeout:1 attempts:1\n")
        os.replace(f"{root}/etc/resolv.conf.new", f"{root}/etc/resolv.conf")
        host = Host(root)
        if not host.boot(): skip("systemd does not come up in namespaces here")
        command = host.command("/usr/bin/python3", f"{root}/faults.py", "inside", root, *([options.only] if options.only else []))
        bench = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        for line in bench.stdout:
            row = json.loads(line)
            rows.append(row)
            fault = next(f for f in FAULTS if f.name == row["name"])
            state, rule, confidence, culprit = assess(fault, row)
            head = f"{state:8} {fault.name:5} {row['front']:9} {str(rule):8} {confidence:9} {row['seconds']:5.1f} s"
            print(f"{head}  {fault.what}: {culprit}", flush=True)
        if bench.wait() != 0: raise Failed("the bench ended early")
    finally:
        if options.keep:
            with open(options.keep, "w") as file: json.dump(rows, file, indent=1)
        if host: host.end()
        shutil.rmtree(root, ignore_errors=True)
    lines, outcome, problems = table(FAULTS, rows)
    right = sum(state == "right" for state in outcome.values())
    wrong = sum(state == "wrong" for state in outcome.values())
    print("\n".join(lines))
    for problem in problems: print(f"  {problem}")
    for rule, what in RECORDED: print(f"recorded {rule}: {what}")
    looks = [look for row in rows for case in row.get("cases", []) for look in case["verdict"].get("looks", [])[:2]]
    spans = {step: sorted(look["after_milliseconds"] for look in looks if look["step"] == step) for step in ("volatile", "durable")}
    promise = "; ".join(f"{step} evidence in hand {times[len(times) // 2]} ms after the failure in the middle, {times[-1]} ms at most"
                        for step, times in spans.items() if times)
    print(f"{promise} ({len(spans['volatile'])} incidents)")
    total = right + len(RECORDED)
    print(f"{right} of {len(outcome)} causes right from real faults, {len(RECORDED)} more from recorded texts: {total} of 30; "
          f"{wrong} wrong")
    if options.write:
        text = open(options.write).read()
        begin, end = "<!-- make faults: begin -->\n", "<!-- make faults: end -->"
        head, rest = text.split(begin)
        tail = rest.split(end)[1]
        recorded = ", ".join(rule for rule, _ in RECORDED)
        summary = (f"{right} of {len(outcome)} causes that are made for real are told right, each before every proxy that can have it, "
                   f"{wrong} wrong; with the {len(RECORDED)} that only recorded texts tell ({recorded}) {total} of 30.")
        with open(options.write, "w") as file: file.write(head + begin + "\n".join(lines) + "\n\n" + summary + "\n" + end + tail)
    return 0 if wrong == 0 and (options.only or total >= RIGHT_MIN) else 1


signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
if __name__ == "__main__": sys.exit(main())
