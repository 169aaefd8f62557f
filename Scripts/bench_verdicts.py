"""What verdicts cost; a part of bench.py: Goodgate beside itself, with all of it on and all of it off that can be. Needs strace and wrk."""
import os, re, signal, socket, statistics, subprocess, sys, tempfile, threading, time

from bench_apps import AppSite, read, rss_kilobytes

RATE = 2000             # failed attempts per second of a storm
CLIENTS, PAUSE = 16, 0.1       # each sends its share at once, ten times a second, one after the other


class VerdictSite(AppSite):
    """One worker before a healthy upstream (`/`) and one that refuses (`/dead`)."""

    def __init__(self, binary, healthy, dead, is_on):
        self.binary, self.folder = binary, tempfile.mkdtemp(prefix='goodgate-verdicts-')
        os.chmod(self.folder, 0o755)
        with socket.socket() as probe:
            probe.bind(('127.0.0.1', 0))
            self.port = probe.getsockname()[1]
        main, http = 'control off; error_log_verdict off;', 'proxy_status off;'
        if is_on:
            # Nobody is named, so the pages are the same; what they would say is told all the same.
            main, http = f'control unix:{self.folder}/control/c.sock; incident_log {self.folder}/incidents.db;', 'verdict_to 192.0.2.1;'
        with open(self.folder + '/g.conf', 'w') as file:
            file.write(f'''{'user root;' if os.geteuid() == 0 else ''} daemon off; worker_processes 1; pid {self.folder}/pid; {main}
                error_log {self.folder}/error.log; events {{ worker_connections 4096; }}
                http {{ access_log {self.folder}/access.log; client_body_temp_path {self.folder}/body; proxy_temp_path {self.folder}/temp;
                    keepalive_requests 1000000000; {http}
                    upstream healthy {{ server 127.0.0.1:{healthy}; keepalive 64; keepalive_requests 1000000000; }}
                    upstream dead {{ server 127.0.0.1:{dead} max_fails=0; }}
                    server {{ listen 127.0.0.1:{self.port} backlog=4096; location / {{ proxy_pass http://healthy; }}
                        location /dead {{ proxy_pass http://dead; }} }} }}''')

    @property
    def control(self):
        return next(iter(self.children('control process')), None)


class Storm:
    """Requests that fail, so many a second, as long as it is open."""

    def __init__(self, port):
        self.port, self.count, self.done = port, 0, threading.Event()

    def __enter__(self):
        self.threads = [threading.Thread(target=self.ask, args=(PAUSE * place / CLIENTS,)) for place in range(CLIENTS)]
        for thread in self.threads:
            thread.start()
        return self

    def __exit__(self, *_):
        self.done.set()
        for thread in self.threads:
            thread.join()

    def ask(self, delay):
        request = b'GET /dead HTTP/1.1\r\nHost: a\r\n\r\n'
        time.sleep(delay)
        next_time, owed = time.monotonic(), 0.0
        with socket.create_connection(('127.0.0.1', self.port), 30) as client:
            while not self.done.is_set():
                owed += RATE * PAUSE / CLIENTS
                number, owed = int(owed), owed % 1
                client.sendall(request * number)
                seen, tail = 0, b''
                while seen < number:
                    data = client.recv(1 << 20)
                    if not data:
                        sys.exit('bench: a storm was cut off')
                    # The end of the last page may come in two pieces.
                    tail += data
                    seen += tail.count(b'</html>')
                    tail = tail[-6:]
                self.count += number
                next_time += PAUSE
                time.sleep(max(0, next_time - time.monotonic()))


def cpu_nanoseconds(pid):
    """Of all threads that live; 0 for no process."""
    folder = f'/proc/{pid}/task'
    return sum(int(read(f'{folder}/{thread}/schedstat').split()[0]) for thread in os.listdir(folder)) if pid else 0


def ask(site, count):
    """Requests that succeed, one after the other on one connection: so that none is under way at the end of a count."""
    with socket.create_connection(('127.0.0.1', site.port), 30) as client:
        client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for _ in range(count):
            client.sendall(b'GET / HTTP/1.1\r\nHost: a\r\n\r\n')
            data = b''
            while not data.endswith(b']}'):
                data += client.recv(65536)


def system_calls(site, count=5000):
    """Of the worker alone, per request."""
    output = site.folder + '/strace'
    tracer = subprocess.Popen(['strace', '-c', '-f', '-o', output, '-p', str(site.worker)], stderr=subprocess.DEVNULL)
    time.sleep(0.5)
    ask(site, count)
    tracer.send_signal(signal.SIGINT)
    tracer.wait(20)
    return {match.group(2): int(match.group(1)) / count for match in
            re.finditer(r'^\s*[\d.]+\s+[\d.]+\s+\d+\s+(\d+)\s+(?:\d+\s+)?(?!total)(\w+)$', open(output).read(), re.M)}


def one_round(bench, site):
    """A storm beside load on the healthy upstream."""
    worker, control = site.worker, site.control
    with Storm(site.port) as storm:
        time.sleep(0.3)
        before, control_before, failed = cpu_nanoseconds(worker), cpu_nanoseconds(control), storm.count
        requests, slow, complaints = bench.load(site.port, 'small', bench.options.seconds)
        after, control_after, failed = cpu_nanoseconds(worker), cpu_nanoseconds(control), storm.count - failed
    return dict(cpu=(after - before) / 1000 / requests, slow=slow, requests=requests / bench.options.seconds,
                failed=failed / bench.options.seconds, control=(control_after - control_before) / 1e7 / bench.options.seconds,
                complaints=' '.join(complaints))


def part_verdicts(bench):
    dead = socket.socket()      # bound, and nobody listens: refused, and nobody else gets the port
    dead.bind(('127.0.0.1', 0))
    sites = {is_on: VerdictSite(bench.options.binary, bench.upstream_port, dead.getsockname()[1], is_on) for is_on in (False, True)}
    names = {False: 'off', True: 'on'}
    try:
        for site in sites.values():
            site.start(bench.pin(0))
            bench.load(site.port, 'small', 1)
        print('\n| verdicts | system calls per request that succeeds, one after the other | of which |\n|---|---|---|')
        for is_on, site in sites.items():
            calls = system_calls(site)
            shown = ', '.join(f'{name} {count:.2f}' for name, count in sorted(calls.items(), key=lambda item: -item[1]) if count >= 0.01)
            print(f'| {names[is_on]} | {sum(calls.values()):.2f} | {shown} |', flush=True)
        memory = {(is_on, 'before'): memory_of(site) for is_on, site in sites.items()}
        rounds = {False: [], True: []}
        for number in range(bench.options.rounds):
            for is_on in ((False, True), (True, False))[number % 2]:
                rounds[is_on].append(one_round(bench, sites[is_on]))
            if number == 0:
                memory.update({(is_on, 'first'): memory_of(site) for is_on, site in sites.items()})
        print('\n| verdicts, in a storm | CPU µs of the worker per healthy request | 99 % below | healthy/s | failed/s '
              '| CPU of the control process | ratio CPU | ratio 99 % |\n|---|---|---|---|---|---|---|---|')
        for is_on, rows in rounds.items():
            middle = {key: statistics.median(row[key] for row in rows) for key in ('cpu', 'slow', 'requests', 'failed', 'control')}
            ratios = ['1', '1']
            if is_on:
                ratios = [f'**{statistics.median(a[key] / b[key] for a, b in zip(rows, rounds[False])):.2f}**' for key in ('cpu', 'slow')]
            complaints = ' '.join(sorted({row['complaints'] for row in rows}))
            print(f"| {names[is_on]} | {middle['cpu']:.1f} | {middle['slow']:.2f} ms | {middle['requests']:.0f} | {middle['failed']:.0f} "
                  f"| {middle['control']:.1f} % | {ratios[0]} | {ratios[1]} | {complaints}", flush=True)
        print('\n| RSS, verdicts on | before | after the first storm | after the last |\n|---|---|---|---|')
        memory.update({(is_on, 'last'): memory_of(site) for is_on, site in sites.items()})
        for place, name in enumerate(('worker', 'control process', 'supervisor')):
            shown = ' | '.join(f'{memory[True, when][place] / 1024:.1f} MB' for when in ('before', 'first', 'last'))
            print(f'| {name} | {shown} |', flush=True)
    finally:
        for site in sites.values():
            site.stop()
        dead.close()


def memory_of(site):
    return [rss_kilobytes(pid) if pid else 0 for pid in (site.worker, site.control, site.supervisor)]
