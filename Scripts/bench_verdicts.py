"""What verdicts cost; a part of bench.py: Goodgate beside itself, with all of it on and all of it off that can be. Needs strace and wrk.

A 99 % of one round differs by a factor of two from that of the next: take --rounds 12 or more before believing a ratio."""
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
        self.port, self.count, self.done, self.is_cut = port, 0, threading.Event(), False

    def __enter__(self):
        self.threads = [threading.Thread(target=self.ask, args=(PAUSE * place / CLIENTS,)) for place in range(CLIENTS)]
        for thread in self.threads:
            thread.start()
        return self

    def __exit__(self, *_):
        self.done.set()
        for thread in self.threads:
            thread.join()
        if self.is_cut:
            sys.exit('bench: a storm was cut off')

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
                        self.is_cut = True      # a thread's exit would go unnoticed
                        return
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
    # A second one without verdicts: how far it is from the first is what this machine's noise makes of two that are alike.
    names = ['off', 'off again', 'on']
    sites = {name: VerdictSite(bench.options.binary, bench.upstream_port, dead.getsockname()[1], name == 'on') for name in names}
    try:
        for site in sites.values():
            site.start(bench.pin(0))
            bench.load(site.port, 'small', 1)
        print('\n| verdicts | system calls per request that succeeds, one after the other | of which |\n|---|---|---|')
        for name in ('off', 'on'):
            calls = system_calls(sites[name])
            shown = ', '.join(f'{call} {count:.2f}' for call, count in sorted(calls.items(), key=lambda item: -item[1]) if count >= 0.01)
            print(f'| {name} | {sum(calls.values()):.2f} | {shown} |', flush=True)
        memory = {'before': memory_of(sites['on'])}
        rounds = {name: [] for name in names}
        for number in range(bench.options.rounds):
            for name in names[number % 3:] + names[:number % 3]:
                rounds[name].append(one_round(bench, sites[name]))
            if number == 0:
                memory['after the first storm'] = memory_of(sites['on'])
        memory['after the last'] = memory_of(sites['on'])
        print('\n| verdicts, in a storm | CPU µs of the worker per healthy request | 99 % below | healthy/s | failed/s '
              '| CPU of the control process | ratio CPU | ratio 99 % |\n|---|---|---|---|---|---|---|---|')
        middle = {name: {key: statistics.median(row[key] for row in rows) for key in ('cpu', 'slow', 'requests', 'failed', 'control')}
                  for name, rows in rounds.items()}
        for name, row in middle.items():
            mark = '**' if name == 'on' else ''
            ratios = [f"{mark}{row[key] / middle['off'][key]:.2f}{mark}" for key in ('cpu', 'slow')]
            complaints = ' '.join(sorted({row['complaints'] for row in rounds[name]}))
            print(f"| {name} | {row['cpu']:.1f} | {row['slow']:.2f} ms | {row['requests']:.0f} | {row['failed']:.0f} "
                  f"| {row['control']:.1f} % | {ratios[0]} | {ratios[1]} | {complaints}", flush=True)
        print(f"\n| RSS, verdicts on | {' | '.join(memory)} |\n|---|{'---|' * len(memory)}")
        for place, name in enumerate(('worker', 'control process', 'supervisor')):
            shown = ' | '.join(f'{row[place] / 1024:.1f} MB' for row in memory.values())
            print(f'| {name} | {shown} |', flush=True)
    finally:
        for site in sites.values():
            site.stop()
        dead.close()


def memory_of(site):
    return [rss_kilobytes(pid) if pid else 0 for pid in (site.worker, site.control, site.supervisor)]
