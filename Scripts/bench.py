#!/usr/bin/env python3
"""What a proxied request costs, beside another proxy that runs the same configuration; prints Markdown tables.

    Scripts/bench.py --binary .build/release/goodgate [--against /usr/sbin/nginx] [--part cpu,syscalls,...] [--case small,...]
                     [--rounds 3] [--seconds 3]

Parts: cpu       CPU time of the proxy's process tree per request, user and system, over several kinds of request
       syscalls  system calls of the worker per request, counted by strace
       idle      memory of 10,000 idle keep-alive connections
       gigabyte  growth of memory while 1 GB goes up and 1 GB comes down through one worker
       start     from exec to the first served request
       apps      of supervised apps: kill -9 to un-routed and to the next start, wake-ups when idle, cost of parked requests,
                 how soon they are answered, many instances (bench_apps.py; needs strace)
       verdicts  of failures' verdicts, on against off: system calls, a storm of failures beside healthy traffic, memory
                 (bench_verdicts.py; needs strace; make counters has the instructions)
       reload    from HUP to the first answer of the new configuration, with 1,000 servers
       hup       failures of 16 clients, on kept and on fresh connections, while the configuration is reloaded 50 times

Both programs get the same generated configuration (one worker, access log on) and take turns round by round; ratios are
per round, the median is shown. CPU time per request does not depend on how fast the load generator is. With two or more
cores the proxy has core 0 to itself, load generator (wrk) and upstream (nginx) share core 1. Loopback only.
"""
import argparse, os, re, resource, shutil, signal, socket, statistics, subprocess, sys, tempfile, threading, time

from bench_apps import part_apps
from bench_verdicts import part_verdicts

BODY = '{"id":1234567,"name":"a small answer of about one hundred bytes","tags":["as","an","api","gives"]}'
BROWSER = [('Cookie', 'session=0123456789abcdef; ' * 40), ('Accept-Language', 'en-GB,en;q=0.9,de;q=0.8'),
           ('Accept', 'text/html,application/xhtml+xml,application/xml;q=0.9,image/webp,*/*;q=0.8'),
           ('Accept-Encoding', 'gzip, deflate, br'), ('Referer', 'https://example.org/some/long/path?with=a&query=string')]
POST_SCRIPT = 'wrk.method = "POST"; wrk.body = string.rep("x", 10240); wrk.headers["Content-Type"] = "application/octet-stream"\n'
CASES = {            # path, connections, fields, script
    'small': ('/', 64, [], None),
    'many': ('/', 512, [], None),
    'headers': ('/', 64, BROWSER, None),
    'post10k': ('/', 64, [], 'post.lua'),
    'body64k': ('/64k', 64, [], None),
    'close': ('/', 64, [('Connection', 'close')], None),
}
PARTS = ['cpu', 'syscalls', 'idle', 'gigabyte', 'start', 'reload', 'hup', 'apps', 'verdicts']


def free_port():
    with socket.socket() as probe:
        probe.bind(('127.0.0.1', 0))
        return probe.getsockname()[1]


def wait_for(port, seconds=10):
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        try:
            return socket.create_connection(('127.0.0.1', port), 1).close()
        except OSError:
            time.sleep(0.005)
    sys.exit(f'bench: nothing listens on port {port}')


def tree(pid):
    """The process and all its descendants."""
    found = [pid]
    try:
        for thread in os.listdir(f'/proc/{pid}/task'):
            for child in open(f'/proc/{pid}/task/{thread}/children').read().split():
                found += tree(int(child))
    except (FileNotFoundError, ProcessLookupError):
        pass
    return found


def cpu_microseconds(pid):
    """(user, system) of the whole tree."""
    user = system = 0
    for process in tree(pid):
        fields = open(f'/proc/{process}/stat').read().rsplit(')', 1)[1].split()
        user, system = user + int(fields[11]), system + int(fields[12])
    unit = 1e6 / os.sysconf('SC_CLK_TCK')
    return user * unit, system * unit


def rss_megabytes(pid):
    total = 0
    for process in tree(pid):
        match = re.search(r'VmRSS:\s+(\d+)', open(f'/proc/{process}/status').read())
        total += int(match.group(1)) if match else 0
    return total / 1024


class Bench:
    """The directory, the upstream and the two programs of one run."""

    def __init__(self, options):
        self.options = options
        self.folder = tempfile.mkdtemp(prefix='goodgate-bench-')
        os.chmod(self.folder, 0o755)
        os.mkdir(self.folder + '/www')
        with open(self.folder + '/www/64k', 'wb') as file:
            file.write(os.urandom(65536))
        with open(self.folder + '/www/1g', 'wb') as file:
            file.truncate(1 << 30)
        with open(self.folder + '/post.lua', 'w') as file:
            file.write(POST_SCRIPT)
        self.pinned = (os.cpu_count() or 1) >= 2
        self.upstream_port = free_port()
        self.upstream = self.start_upstream()

    def pin(self, core):
        return ['taskset', '-c', str(core)] if self.pinned else []

    def start_upstream(self):
        text = f'''worker_processes 1; daemon off; user root; pid {self.folder}/up.pid; error_log {self.folder}/up.err;
            events {{ worker_connections 16384; }}
            http {{ access_log off; client_body_temp_path {self.folder}/up.body; keepalive_requests 1000000000; keepalive_timeout 600s;
                server {{ listen 127.0.0.1:{self.upstream_port} backlog=4096; client_max_body_size 0; root {self.folder}/www;
                    location = / {{ default_type application/json; return 200 '{BODY}'; }} }} }}'''
        with open(self.folder + '/up.conf', 'w') as file:
            file.write(text)
        arguments = ['-p', self.folder + '/', '-c', self.folder + '/up.conf', '-e', self.folder + '/up.err']
        command = self.pin(1) + [self.options.against] + arguments
        process = subprocess.Popen(command)
        wait_for(self.upstream_port)
        return process

    def configuration(self, tag, port, upstream=None, extra='', servers=''):
        upstream = upstream or self.upstream_port
        path = f'{self.folder}/{tag}.conf'
        with open(path, 'w') as file:
            file.write(f'''worker_processes 1; daemon off; user root; pid {self.folder}/{tag}.pid; error_log {self.folder}/{tag}.err;
                worker_rlimit_nofile 65536; events {{ worker_connections 32768; }}
                http {{ access_log {self.folder}/{tag}.log; client_body_temp_path {self.folder}/{tag}.body;
                    proxy_temp_path {self.folder}/{tag}.temp; keepalive_requests 1000000000; keepalive_timeout 600s;
                    upstream backend {{ server 127.0.0.1:{upstream} max_fails=3 fail_timeout=10s;
                        keepalive 600; keepalive_requests 1000000000; }}
                    server {{ listen 127.0.0.1:{port} backlog=4096; client_max_body_size 0;
                        location = /mark {{ return 200 '{extra}'; }}
                        location / {{ proxy_pass http://backend; proxy_http_version 1.1; proxy_request_buffering off;
                            proxy_max_temp_file_size 0; proxy_set_header Connection ""; proxy_set_header Host $host;
                            proxy_set_header X-Real-IP $remote_addr; proxy_set_header X-Forwarded-Proto $scheme;
                            proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for; }} }}
                    {servers} }}''')
        return ['-p', self.folder + '/', '-c', path, '-e', f'{self.folder}/{tag}.err']

    def start(self, tag, binary, port, **more):
        command = self.pin(0) + [binary] + self.configuration(tag, port, **more)
        process = subprocess.Popen(command, stdout=subprocess.DEVNULL)
        wait_for(port)
        return process

    def end(self, tag, process):
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        if os.path.exists(f'{self.folder}/{tag}.log'):
            os.unlink(f'{self.folder}/{tag}.log')

    def load(self, port, case, seconds):
        """Runs wrk; returns (requests served, 99th percentile in ms, complaints)."""
        path, connections, fields, script = CASES[case]
        words = [word for name, value in fields for word in ('-H', f'{name}: {value}')]
        if script:
            words += ['-s', f'{self.folder}/{script}']
        command = self.pin(1) + ['wrk', '-t1', f'-c{connections}', f'-d{seconds}s', '--latency', *words, f'http://127.0.0.1:{port}{path}']
        text = subprocess.run(command, capture_output=True, text=True).stdout
        requests = int(re.search(r'(\d+) requests in', text).group(1))
        slow = re.search(r'99%\s+([\d.]+)(us|ms|s)', text)
        scale = {'us': 0.001, 'ms': 1, 's': 1000}
        return requests, float(slow.group(1)) * scale[slow.group(2)], re.findall(r'Socket errors.*|Non-2xx.*', text)

    def close(self):
        self.upstream.terminate()
        self.upstream.wait()
        shutil.rmtree(self.folder, ignore_errors=True)


def measure_cpu(bench, tag, binary, case):
    port = free_port()
    process = bench.start(tag, binary, port)
    try:
        bench.load(port, case, 1)
        user0, system0 = cpu_microseconds(process.pid)
        requests, slow, complaints = bench.load(port, case, bench.options.seconds)
        user1, system1 = cpu_microseconds(process.pid)
    finally:
        bench.end(tag, process)
    return dict(user=(user1 - user0) / requests, system=(system1 - system0) / requests, slow=slow,
                rate=requests / bench.options.seconds, total=(user1 - user0 + system1 - system0) / requests, complaints=complaints)


def part_cpu(bench):
    print('| case | program | user µs | system µs | CPU µs per request | 99 % below | requests/s | CPU ratio | user ratio |')
    print('|---|---|---|---|---|---|---|---|---|')
    for case in bench.options.case.split(','):
        ours, theirs = [], []
        for _ in range(bench.options.rounds):
            ours.append(measure_cpu(bench, 'ours', bench.options.binary, case))
            theirs.append(measure_cpu(bench, 'theirs', bench.options.against, case))
        total = statistics.median(a['total'] / b['total'] for a, b in zip(ours, theirs))
        user = statistics.median(a['user'] / max(b['user'], 0.01) for a, b in zip(ours, theirs))
        for name, rows in ((bench.options.binary, ours), (bench.options.against, theirs)):
            middle = {key: statistics.median(row[key] for row in rows) for key in ('user', 'system', 'total', 'slow', 'rate')}
            ratios = f'**{total:.2f}** | {user:.2f}' if rows is ours else '1 | 1'
            complaints = ' '.join(sorted({text for row in rows for text in row['complaints']}))
            print(f"| {case} | {os.path.basename(name)} | {middle['user']:.2f} | {middle['system']:.2f} | {middle['total']:.2f} "
                  f"| {middle['slow']:.1f} ms | {middle['rate']:.0f} | {ratios} | {complaints}", flush=True)


def count_syscalls(bench, tag, binary, case):
    port = free_port()
    process = bench.start(tag, binary, port)
    try:
        bench.load(port, case, 1)
        output = f'{bench.folder}/strace'
        words = [word for pid in tree(process.pid)[1:] for word in ('-p', str(pid))]
        tracer = subprocess.Popen(['strace', '-c', '-f', '-o', output, *words], stderr=subprocess.DEVNULL)
        time.sleep(0.5)
        requests, _, _ = bench.load(port, case, 2)
        tracer.send_signal(signal.SIGINT)
        tracer.wait(20)
    finally:
        bench.end(tag, process)
    calls = {}
    for line in open(output):
        match = re.match(r'\s*[\d.]+\s+[\d.]+\s+\d+\s+(\d+)\s+(?:\d+\s+)?(\w+)$', line)
        if match and match.group(2) != 'total':
            calls[match.group(2)] = int(match.group(1)) / requests
    return calls


def part_syscalls(bench):
    print('\n| case | program | system calls per request | of which |\n|---|---|---|---|')
    for case in ('small', 'post10k'):
        for tag, binary in (('ours', bench.options.binary), ('theirs', bench.options.against)):
            calls = count_syscalls(bench, tag, binary, case)
            shown = ', '.join(f'{name} {count:.2f}' for name, count in sorted(calls.items(), key=lambda item: -item[1]) if count >= 0.01)
            print(f'| {case} | {os.path.basename(binary)} | {sum(calls.values()):.2f} | {shown} |', flush=True)


def part_idle(bench, count=10_000):
    print('\n| program | idle connections | RSS before | RSS with them | growth |\n|---|---|---|---|---|')
    limit = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(limit, 4 * count) if limit > 0 else 4 * count, limit))
    for tag, binary in (('ours', bench.options.binary), ('theirs', bench.options.against)):
        port = free_port()
        process = bench.start(tag, binary, port)
        clients = []
        try:
            one_request(port)
            before = rss_megabytes(process.pid)
            for _ in range(count):
                client = socket.create_connection(('127.0.0.1', port), 10)
                client.sendall(b'GET /mark HTTP/1.1\r\nHost: a\r\n\r\n')
                client.recv(4096)
                clients.append(client)
            after = rss_megabytes(process.pid)
        finally:
            for client in clients:
                client.close()
            bench.end(tag, process)
        print(f'| {os.path.basename(binary)} | {count} | {before:.1f} MB | {after:.1f} MB | {after - before:.1f} MB |', flush=True)


def one_request(port, path='/', seconds=10):
    client = socket.create_connection(('127.0.0.1', port), seconds)
    client.sendall(f'GET {path} HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n'.encode())
    data = b''
    while part := client.recv(65536):
        data += part
    client.close()
    return data


def swallow(listener):
    """An upstream that reads one request with its body and answers."""
    connection, _ = listener.accept()
    head = b''
    while b'\r\n\r\n' not in head:
        head += connection.recv(65536)
    length = int(re.search(rb'content-length: (\d+)', head, re.I).group(1))
    left = length - len(head.split(b'\r\n\r\n', 1)[1])
    buffer = bytearray(1 << 20)
    while left > 0:
        left -= connection.recv_into(buffer, min(left, len(buffer)))
    connection.sendall(b'HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nok')
    connection.close()


def gigabyte_down(port):
    client = socket.create_connection(('127.0.0.1', port), 30)
    client.sendall(b'GET /1g HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n')
    buffer, total = bytearray(1 << 20), 0
    while count := client.recv_into(buffer):
        total += count
    return total


def gigabyte_up(port, size=1 << 30):
    client = socket.create_connection(('127.0.0.1', port), 30)
    client.sendall(f'POST /up HTTP/1.1\r\nHost: a\r\nContent-Length: {size}\r\nConnection: close\r\n\r\n'.encode())
    block = bytes(1 << 20)
    for _ in range(size >> 20):
        client.sendall(block)
    return client.recv(4096).startswith(b'HTTP/1.1 200')


def part_gigabyte(bench):
    print('\n| program | 1 GB | seconds | growth of RSS (highest seen) |\n|---|---|---|---|')
    for tag, binary in (('ours', bench.options.binary), ('theirs', bench.options.against)):
        for direction in ('down', 'up'):
            listener = socket.create_server(('127.0.0.1', 0))
            threading.Thread(target=swallow, args=(listener,), daemon=True).start()
            port, upstream = free_port(), listener.getsockname()[1] if direction == 'up' else None
            process = bench.start(tag, binary, port, upstream=upstream)
            one_request(port, '/mark')
            before, highest, done = rss_megabytes(process.pid), [0.0], threading.Event()

            def watch():
                while not done.wait(0.02):
                    highest[0] = max(highest[0], rss_megabytes(process.pid))

            watcher = threading.Thread(target=watch)
            watcher.start()
            start = time.monotonic()
            good = gigabyte_down(port) > 1 << 30 if direction == 'down' else gigabyte_up(port)
            seconds = time.monotonic() - start
            done.set()
            watcher.join()
            bench.end(tag, process)
            result = f'{highest[0] - before:.1f} MB' if good else 'failed'
            print(f'| {os.path.basename(binary)} | {direction} | {seconds:.1f} | {result} |', flush=True)


def part_start(bench, rounds=9):
    print('\n| program | exec to first served request (median) |\n|---|---|')
    for tag, binary in (('ours', bench.options.binary), ('theirs', bench.options.against)):
        times = []
        for _ in range(rounds):
            port = free_port()
            command = [binary] + bench.configuration(tag, port, extra='up')
            start = time.monotonic()
            process = subprocess.Popen(command, stdout=subprocess.DEVNULL)
            while True:
                try:
                    if b'200 OK' in one_request(port, '/mark'):
                        break
                except OSError:
                    time.sleep(0.001)
            times.append(time.monotonic() - start)
            bench.end(tag, process)
        print(f'| {os.path.basename(binary)} | {statistics.median(times) * 1000:.0f} ms |', flush=True)


def part_reload(bench, rounds=5, servers=1000):
    print(f'\n| program | HUP to first answer of the new configuration, {servers} servers (median) |\n|---|---|')
    block = ' '.join(f'server {{ listen 127.0.0.1:PORT; server_name s{n}.example; location / {{ proxy_pass http://backend; }} '
                     f'location /l{n}/ {{ proxy_pass http://backend/x/; }} }}' for n in range(servers))
    for tag, binary in (('ours', bench.options.binary), ('theirs', bench.options.against)):
        port, times = free_port(), []
        text = 'server_names_hash_max_size 8192; ' + block.replace('PORT', str(port))
        process = bench.start(tag, binary, port, extra='v0', servers=text)
        for version in range(1, rounds + 1):
            bench.configuration(tag, port, extra=f'v{version}', servers=text)
            start = time.monotonic()
            process.send_signal(signal.SIGHUP)
            while f'v{version}'.encode() not in one_request(port, '/mark'):
                time.sleep(0.002)
            times.append(time.monotonic() - start)
        bench.end(tag, process)
        print(f'| {os.path.basename(binary)} | {statistics.median(times) * 1000:.0f} ms |', flush=True)


class Asker(threading.Thread):
    """One client: every fourth request on a fresh connection. A kept one that is closed before any byte of an answer is no failure."""

    def __init__(self, port):
        super().__init__(daemon=True)
        self.port, self.ends, self.requests, self.failures, self.idle_closes = port, False, 0, [], 0

    def run(self):
        connection, is_kept = None, False
        while not self.ends:
            if connection is None or self.requests % 4 == 0:
                if connection:
                    connection.close()
                try:
                    connection, is_kept = socket.create_connection(('127.0.0.1', self.port), 10), False
                except OSError as error:
                    self.failures.append(f'connecting: {error}')
                    connection = None
                    continue
            self.requests += 1
            answer = b''
            try:
                connection.sendall(b'GET / HTTP/1.1\r\nHost: a.example\r\n\r\n')
                while b'\r\n\r\n' + BODY.encode() not in answer:
                    more = connection.recv(65536)
                    if not more:
                        break
                    answer += more
                problem = '' if answer.startswith(b'HTTP/1.1 200') and answer.endswith(BODY.encode()) else f'answer {answer[:60]!r}'
            except OSError as error:
                problem = str(error)
            if problem and is_kept and not answer:
                self.idle_closes += 1
            elif problem:
                self.failures.append(problem)
            is_kept = not problem and b'Connection: close' not in answer
            if not is_kept:
                connection.close()
                connection = None


def part_hup(bench, reloads=50):
    print(f'\n| program | requests during {reloads} reloads | failures | kept connections closed while idle |\n|---|---|---|---|')
    for tag, binary in (('ours', bench.options.binary), ('theirs', bench.options.against)):
        port = free_port()
        process = bench.start(tag, binary, port, extra='v0.')
        askers = [Asker(port) for _ in range(16)]
        for asker in askers:
            asker.start()
        for version in range(1, reloads + 1):
            bench.configuration(tag, port, extra=f'v{version}.')
            process.send_signal(signal.SIGHUP)
            while True:
                try:
                    if f'v{version}.'.encode() in one_request(port, '/mark'):
                        break
                except OSError as error:
                    askers[0].failures.append(f'/mark: {error}')
                time.sleep(0.01)
        for asker in askers:
            asker.ends = True
        for asker in askers:
            asker.join(20)
        bench.end(tag, process)
        failures = [failure for asker in askers for failure in asker.failures]
        print(f'| {os.path.basename(binary)} | {sum(asker.requests for asker in askers):,} | {len(failures)} '
              f'| {sum(asker.idle_closes for asker in askers)} |', flush=True)
        for failure in sorted(set(failures))[:5]:
            print(f'  {failures.count(failure)} x {failure}')


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('--binary', required=True)
    parser.add_argument('--against', default=shutil.which('nginx') or '/usr/sbin/nginx')
    parser.add_argument('--part', default=','.join(PARTS))
    parser.add_argument('--case', default=','.join(CASES))
    parser.add_argument('--rounds', type=int, default=3)
    parser.add_argument('--seconds', type=int, default=3)
    options = parser.parse_args()
    for known, chosen in ((PARTS, options.part), (CASES, options.case)):
        for word in set(chosen.split(',')) - set(known):
            parser.error(f'{word} is none of {", ".join(known)}')
    bench = Bench(options)
    try:
        for part in options.part.split(','):
            globals()[f'part_{part}'](bench)
    finally:
        bench.close()


main()
