"""The figures of supervised apps; a part of bench.py. Needs strace. Nothing here passes or fails."""
import json, os, re, resource, select, shutil, signal, socket, statistics, subprocess, sys, tempfile, threading, time

APP = r'''
import asyncio, os, sys, socket, time
stamp = sys.argv[1]
class Answer(asyncio.Protocol):
    def connection_made(self, transport): self.transport, self.rest = transport, b''
    def data_received(self, data):
        self.rest += data
        while b'\r\n\r\n' in self.rest:
            head, _, self.rest = self.rest.partition(b'\r\n\r\n')
            self.transport.write(b'HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello')
async def main():
    while os.path.exists(stamp + '.wait'): await asyncio.sleep(0.01)
    server = await asyncio.get_running_loop().create_server(Answer, '127.0.0.1', int(os.environ['PORT']), backlog=4096)
    notify = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    if os.environ.get('NOTIFY_SOCKET'): notify.sendto(b'READY=1', os.environ['NOTIFY_SOCKET'].replace('@', '\0', 1))
    with open(stamp, 'w') as file: file.write(repr(time.time()))
    await server.serve_forever()
asyncio.run(main())
'''


class AppSite:
    """A goodgate with apps, in a folder of its own."""

    def __init__(self, binary, apps=1, main='', app='', upstream=''):
        self.binary = binary
        self.folder = tempfile.mkdtemp(prefix='goodgate-apps-')
        os.chmod(self.folder, 0o755)
        with socket.socket() as probe:
            probe.bind(('127.0.0.1', 0))
            self.port = probe.getsockname()[1]
        with open(self.folder + '/app.py', 'w') as file:
            file.write(APP)
        self.user = 'user root;' if os.geteuid() == 0 else ''
        blocks = ''.join(f'''app a{n} {{ command {sys.executable} {self.folder}/app.py {self.folder}/ready{n}; {self.user} {app} }}
            ''' for n in range(apps))
        groups = ''.join(f'upstream u{n} {{ app a{n}; keepalive 64; {upstream} }} ' for n in range(apps))
        places = ''.join(f'location /{n}/ {{ proxy_pass http://u{n}; }} ' for n in range(apps))
        with open(self.folder + '/g.conf', 'w') as file:
            file.write(f'''{self.user} daemon off; worker_processes 1; pid {self.folder}/pid;
                error_log {self.folder}/error.log notice; worker_rlimit_nofile 65536; {main or "control off;"}
                {blocks}
                events {{ worker_connections 40000; }}
                http {{ access_log off; client_body_temp_path {self.folder}/body; proxy_temp_path {self.folder}/temp; {groups}
                    server {{ listen 127.0.0.1:{self.port} backlog=4096; {places} }} }}''')

    def start(self, prefix=()):
        words = [*prefix, self.binary, '-p', self.folder + '/', '-c', self.folder + '/g.conf', '-e', self.folder + '/error.log']
        self.process = subprocess.Popen(words)
        deadline = time.monotonic() + 20
        while time.monotonic() < deadline:
            try:
                socket.create_connection(('127.0.0.1', self.port), 1).close()
                self.supervisor = int(read(self.folder + '/pid'))
                return
            except (OSError, ValueError):
                time.sleep(0.01)
        sys.exit(f'bench: goodgate did not start; see {self.folder}/error.log')

    def children(self, word):
        found = []
        for child in open(f'/proc/{self.supervisor}/task/{self.supervisor}/children').read().split():
            try:
                if word in open(f'/proc/{child}/cmdline').read().replace('\0', ' '):
                    found.append(int(child))
            except OSError:
                pass
        return found

    @property
    def worker(self):
        deadline = time.monotonic() + 20
        while not (found := self.children('worker')) and time.monotonic() < deadline:
            time.sleep(0.01)
        return found[0]

    def instance(self, number=0):
        """The process of an app, by its command."""
        for pid in filter(str.isdigit, os.listdir('/proc')):
            try:
                words = open(f'/proc/{pid}/cmdline').read().split('\0')
            except OSError:
                continue
            if f'{self.folder}/ready{number}' in words and 'app.py' in words[1]:
                return int(pid)
        return None

    def get(self, path='/0/', timeout=60):
        with socket.create_connection(('127.0.0.1', self.port), timeout) as client:
            client.sendall(f'GET {path} HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n'.encode())
            return client.recv(4096)

    def stop(self):
        os.kill(self.supervisor, signal.SIGTERM)
        try:
            self.process.wait(30)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        subprocess.run(['rm', '-rf', self.folder])


def read(path, default='0'):
    try:
        return open(path).read() or default
    except OSError:
        return default


def switches(pid):
    text = read(f'/proc/{pid}/status', '')
    return sum(int(n) for n in re.findall(r'voluntary_ctxt_switches:\s*(\d+)', text)[:1])


def first_after(lines, moment, pid, pattern):
    """Milliseconds from a moment to the first traced call of a process that matches."""
    for line in lines:
        match = re.match(r'(\d+) +(\d+\.\d+) (.*)', line)
        if match and int(match.group(1)) == pid and float(match.group(2)) >= moment and re.search(pattern, match.group(3)):
            return (float(match.group(2)) - moment) * 1000
    return None


def kills(binary, rounds=15):
    """kill -9 until a worker has read that the instance is gone, and until its successor is forked."""
    site = AppSite(binary, app='restart always backoff=10ms..1s;')
    trace = site.folder + '/trace'
    # With a filter in the kernel only these calls are slower than they would be.
    site.start(['strace', '-f', '--seccomp-bpf', '-ttt', '-e', 'trace=recvmsg,clone,clone3,vfork,fork', '-o', trace])
    moments = []
    try:
        site.get()
        worker = site.worker
        for _ in range(rounds):
            # A run that was ready for as long as the longest backoff is stable: the next start is immediate.
            time.sleep(1.3)
            victim = site.instance()
            moments.append(time.time())
            os.kill(victim, signal.SIGKILL)
            site.get()
        time.sleep(0.1)
        lines = open(trace).read().split('\n')
        unrouted = [first_after(lines, moment, worker, r'recvmsg\(3, .*= [1-9]|recvmsg resumed.*= [1-9]') for moment in moments]
        decided = [first_after(lines, moment, site.supervisor, r'fork|clone') for moment in moments]
    finally:
        site.stop()
    return sorted(x for x in unrouted if x is not None), sorted(x for x in decided if x is not None)


def deaths(binary, rounds=15):
    """kill -9 of an instance until the kernel has ended it: nobody can know earlier. Sorted milliseconds."""
    site = AppSite(binary, app='restart always backoff=10ms..1s;')
    site.start()
    found = []
    try:
        for _ in range(rounds):
            site.get()
            time.sleep(1.3)
            victim = site.instance()
            descriptor = os.pidfd_open(victim)
            waiting = select.poll()
            waiting.register(descriptor, select.POLLIN)
            moment = time.time()
            os.kill(victim, signal.SIGKILL)
            waiting.poll(10_000)
            found.append((time.time() - moment) * 1000)
            os.close(descriptor)
        return sorted(found)
    finally:
        site.stop()


def wakeups(binary, apps, seconds=10):
    """Voluntary context switches per second of supervisor, worker and keepers, with nothing to do."""
    site = AppSite(binary, apps=apps)
    site.start()
    try:
        for number in range(apps):
            site.get(f'/{number}/')
        time.sleep(2)
        processes = [site.supervisor] + site.children('')
        before = {pid: switches(pid) for pid in processes}
        time.sleep(seconds)
        return {read(f'/proc/{pid}/comm').strip(): (switches(pid) - before[pid]) / seconds for pid in processes}
    finally:
        site.stop()


def rss_kilobytes(pid):
    return int(re.search(r'VmRSS:\s*(\d+)', read(f'/proc/{pid}/status', '')).group(1))


def parked(binary, count):
    """Growth of the worker while `count` GETs wait, and how long after readiness they were answered."""
    site = AppSite(binary, app='start_timeout 300s;', upstream=f'queue {count + 1} timeout=300s;')
    open(site.folder + '/ready0.wait', 'w').close()
    site.start()
    clients, times = [], []
    try:
        for number in range(count + 1):
            client = socket.create_connection(('127.0.0.1', site.port), 30)
            client.sendall(b'GET /0/ HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n')
            clients.append(client)
            if number == 0:  # the first one brings the program's own pages into memory
                time.sleep(0.5)
                before = rss_kilobytes(site.worker)
        time.sleep(1)
        growth = rss_kilobytes(site.worker) - before
        os.unlink(site.folder + '/ready0.wait')

        poll = select.epoll()
        for client in clients:
            poll.register(client, 1)
        sockets, bad = {client.fileno(): client for client in clients}, 0
        while sockets:
            for descriptor, _ in poll.poll(60):
                now = time.time()
                client = sockets.pop(descriptor)
                poll.unregister(descriptor)
                bad += not client.recv(4096).startswith(b'HTTP/1.1 200')
                times.append(now)
        ready = float(read(site.folder + '/ready0'))
        return growth / 1024, sorted((t - ready) * 1000 for t in times), bad
    finally:
        for client in clients:
            client.close()
        site.stop()


def crowd(binary, count):
    """Seconds until `count` instances are ready, and the longest time in which the supervisor answered nobody meanwhile."""
    site = AppSite(binary, app=f'instances {count}; start_timeout 300s;', main='control unix:control.sock;')
    folder, began = site.folder, time.monotonic()
    site.start()
    longest, ready = 0, 0
    try:
        while ready < count and time.monotonic() - began < 240:
            asked = time.monotonic()
            words = [binary, 'status', '--json', '--control', folder + '/control.sock']
            text = subprocess.run(words, capture_output=True, text=True).stdout
            longest = max(longest, time.monotonic() - asked)
            # Before the control process listens, the answer is an error.
            report = json.loads(text or '{}')
            if 'apps' in report:
                ready = sum(1 for instance in report['apps'][0]['instances'] if instance['state'] == 'ready')
            time.sleep(0.2)
        return time.monotonic() - began, longest, ready
    finally:
        site.stop()


def part_apps(bench):
    """Figures of one supervised app."""
    limit = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(limit, 40_000) if limit > 0 else 40_000, limit))
    if not shutil.which('strace'):
        sys.exit('bench: the part apps needs strace')
    binary = bench.options.binary
    print('\n| figure | median | worst |\n|---|---|---|')
    unrouted, decided = kills(binary)
    figures = (
        ('kill -9 to the end of the process', deaths(binary)), ('kill -9 to a worker knows', unrouted),
        ('kill -9 to the next keeper is forked', decided))
    for name, values in figures:
        print(f'| {name} | {statistics.median(values):.2f} ms | {values[-1]:.2f} ms |', flush=True)
    for apps in (1, 20):
        rates = wakeups(binary, apps)
        text = ', '.join(f'{name} {rate:.1f}' for name, rate in rates.items())
        print(f'| wake-ups per second, {apps} idle | {text if apps == 1 else ""} all {sum(rates.values()):.1f} | |', flush=True)
    for count in (100, 1000, 10_000):
        growth, times, bad = parked(binary, count)
        print(f'| {count} parked GETs: growth {growth:.1f} MB, {bad} not 200; answered after readiness: first {times[0]:.1f} ms | '
              f'{statistics.median(times):.1f} ms | {times[-1]:.1f} ms |', flush=True)
    seconds, longest, ready = crowd(binary, 300)
    print(f'| {ready} instances at once are ready; longest time for goodgate status meanwhile | {seconds:.1f} s | {longest:.1f} s |')
