#!/usr/bin/env python3
"""Counts what a proxied request costs, by callgrind, and holds it against the committed counts.

    Scripts/counters.py --binary .build/release/goodgate [--case small,post] [--update]

The worker runs under valgrind, once with N requests and once with 2 N; the difference divided by N is what one request
costs in steady state: the same on every machine, however busy it is. Counted are instructions, retains, releases, heap
allocations and system calls (one client, so no two share a wake-up), of the worker alone, without the kernel. Fails when a count is
above the committed one in Benchmarks/counters/swift-VERSION.json (instructions by more than two in a hundred, system calls by more than
ten), a file for each version of the compiler because its code differs. --update writes the counts there. The case `app` is
`small` over an upstream with `app`, `queue` and `health`: what these cost a request is printed as well. `verdicts` is `small`
with control process, incident log and verdict_to, `plain` without all that can be off: the difference may be two in a hundred.
The case `site` is `small` as a site behind a balancer has it: server names, real_ip, a map for WebSocket, geo, limit_except and
limit_req.
"""
import argparse, json, os, re, shutil, signal, socket, subprocess, sys, tempfile, threading, time

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
REQUESTS = 2000
BROWSER = ''.join(f'{name}: {value}\r\n' for name, value in [
    ('User-Agent', 'Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0'),
    ('Accept', 'text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8'), ('Accept-Language', 'en-GB,en;q=0.5'),
    ('Accept-Encoding', 'gzip, deflate, br'), ('Cookie', 'session=0123456789abcdef0123456789abcdef; theme=dark')])
CASES = {
    'small': (b'GET / HTTP/1.1\r\nHost: a.example\r\n\r\n', True),
    'headers': (f'GET /some/path?with=arguments HTTP/1.1\r\nHost: a.example\r\n{BROWSER}\r\n'.encode(), True),
    'post': (b'POST / HTTP/1.1\r\nHost: a.example\r\nContent-Length: 1024\r\n\r\n' + b'x' * 1024, True),
    'app': (b'GET / HTTP/1.1\r\nHost: a.example\r\n\r\n', True),
    'plain': (b'GET / HTTP/1.1\r\nHost: a.example\r\n\r\n', True),
    'verdicts': (b'GET / HTTP/1.1\r\nHost: a.example\r\n\r\n', True),
    'site': (b'GET / HTTP/1.1\r\nHost: www.a.example\r\nX-Forwarded-For: 10.0.0.1, 192.0.2.7\r\n\r\n', True),
    'close': (b'GET / HTTP/1.1\r\nHost: a.example\r\nConnection: close\r\n\r\n', False),
}
COUNTED = {
    'retains': ['swift_retain', 'swift_retain_n', 'swift_bridgeObjectRetain', 'swift_bridgeObjectRetain_n'],
    'releases': ['swift_release', 'swift_release_n', 'swift_bridgeObjectRelease', 'swift_bridgeObjectRelease_n'],
    'allocations': ['malloc', 'calloc', 'realloc', 'posix_memalign', 'aligned_alloc'],
    'syscalls': ['accept4', 'close', 'connect', 'epoll_ctl', 'epoll_wait', 'fcntl', 'getsockopt', 'ioctl', 'read', 'recv', 'recvmsg',
                 'send', 'sendfile', 'sendmsg', 'setsockopt', 'shutdown', 'socket', 'write', 'writev'],
}
WRAPPER = r'''
#include <stdlib.h>
#include <unistd.h>
int main(int count, char **arguments) {
    char **line = calloc((size_t)count + 8, sizeof *line);
    int n = 0;
    line[n++] = "valgrind"; line[n++] = "--tool=callgrind"; line[n++] = "--callgrind-out-file=" OUT; line[n++] = "--quiet";
    line[n++] = "--log-file=" OUT ".log";
    line[n++] = WORKER;
    for (int i = 1; i < count; i++) line[n++] = arguments[i];
    execv(VALGRIND, line);
    return 127;
}
'''


def committed_path():
    """The committed counts of this compiler."""
    told = subprocess.run(['swift', '--version'], capture_output=True, text=True, check=True).stdout
    return os.path.join(ROOT, 'Benchmarks', 'counters', f'swift-{re.search(r"Swift version ([0-9]+[.][0-9]+)", told).group(1)}.json')


def free_port():
    with socket.socket() as probe:
        probe.bind(('127.0.0.1', 0))
        return probe.getsockname()[1]


def serve(listener):
    """An upstream: a fixed answer to each request, connections kept."""
    answer = (b'HTTP/1.1 200 OK\r\nServer: u\r\nDate: Sun, 22 Nov 2026 00:00:00 GMT\r\nContent-Type: application/json\r\n'
              b'Content-Length: 100\r\n\r\n' + b'x' * 100)

    def talk(connection):
        pending = b''
        while True:
            more = connection.recv(65536)
            if not more:
                return connection.close()
            pending += more
            while b'\r\n\r\n' in pending:
                head, _, rest = pending.partition(b'\r\n\r\n')
                length = re.search(rb'content-length: (\d+)', head.lower())
                need = int(length.group(1)) if length else 0
                if len(rest) < need:
                    break
                pending = rest[need:]
                connection.sendall(answer)

    while True:
        try:
            connection, _ = listener.accept()
        except OSError:
            return
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        threading.Thread(target=talk, args=(connection,), daemon=True).start()


def read_reply(connection, pending):
    while b'\r\n\r\n' not in pending:
        more = connection.recv(65536)
        if not more:
            sys.exit('counters: the connection ended early')
        pending += more
    head, _, rest = pending.partition(b'\r\n\r\n')
    if not head.startswith(b'HTTP/1.1 200'):
        sys.exit(f'counters: unexpected answer {head[:80]!r}')
    length = int(re.search(rb'content-length: (\d+)', head.lower()).group(1))
    while len(rest) < length:
        rest += connection.recv(65536)
    return rest[length:]


def ask(port, request, count, keeps):
    connection, pending = None, b''
    for _ in range(count):
        if connection is None:
            connection, pending = socket.create_connection(('127.0.0.1', port), 30), b''
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        connection.sendall(request)
        pending = read_reply(connection, pending)
        if not keeps:
            connection.close()
            connection = None
    if connection:
        connection.close()


def run(folder, binary, case, count, upstream):
    """Totals of one run of the worker: instructions, and calls by name."""
    request, keeps = CASES[case]
    port, out = free_port(), f'{folder}/{case}-{count}.out'
    programs = f'{folder}/bin-{case}-{count}'
    os.makedirs(programs)
    for name in ('goodgate', 'goodgate-launch', 'goodgate-control'):
        source = os.path.join(os.path.dirname(binary), name)
        if os.path.exists(source):
            shutil.copy(source, programs)
    with open(f'{programs}/wrapper.c', 'w') as file:
        file.write(WRAPPER)
    # Names are enough; valgrind does not read the debug information of every compiler.
    worker = f'{programs}/worker'
    subprocess.run(['objcopy', '--strip-debug', os.path.join(os.path.dirname(binary), 'goodgate-worker'), worker], check=True)
    subprocess.run(['cc', '-o', f'{programs}/goodgate-worker', f'{programs}/wrapper.c', f'-DOUT="{out}"', f'-DWORKER="{worker}"',
                    f'-DVALGRIND="{shutil.which("valgrind")}"'], check=True)
    peer, main, http = f'server 127.0.0.1:{upstream};', '', ''
    server, location = '', ''
    if case == 'verdicts':
        main, http = f'control unix:{programs}/control/c.sock; incident_log {programs}/incidents.db;', 'verdict_to 127.0.0.1;'
    if case == 'plain':
        main, http = 'control off; error_log_verdict off;', 'proxy_status off;'
    if case == 'app':
        as_root = 'user root;' if os.geteuid() == 0 else ''
        main = (f'control off; app one {{ command {sys.executable} {os.path.abspath(__file__)} --serve; {as_root} '
                'health uri=/ interval=60s; }')
        peer = 'app one; queue 1000 timeout=30s;'
    if case == 'site':
        http = """map $http_upgrade $connection_upgrade { default upgrade; '' ''; } geo $office { default 0; 192.0.2.0/24 1; }
set_real_ip_from 127.0.0.0/8; real_ip_header X-Forwarded-For; limit_req_zone $binary_remote_addr zone=each:1m rate=100000r/s;
server { listen 127.0.0.1:%d; server_name b.example; }""" % port
        server = 'server_name a.example *.a.example;'
        location = ('limit_req zone=each burst=100000 nodelay; limit_except GET POST { deny all; } proxy_set_header X-Office $office; '
                    'proxy_set_header Upgrade $http_upgrade; proxy_set_header Connection $connection_upgrade;')
    with open(f'{folder}/g.conf', 'w') as file:
        # The profile is written at the end, by whoever the worker is then.
        user = 'user root;' if os.geteuid() == 0 else ''
        file.write(f'''{user} daemon off; worker_processes 1; pid {folder}/pid; error_log {folder}/error.log;
{main}
events {{ worker_connections 1024; }}
http {{ access_log {folder}/access.log; client_body_temp_path {folder}/body; proxy_temp_path {folder}/proxy; keepalive_requests 1000000;
{http}
upstream u {{ {peer} keepalive 16; keepalive_requests 1000000; }}
server {{ listen 127.0.0.1:{port}; {server}
location / {{ proxy_pass http://u; proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for; {location} }} }} }}
''')
    process = subprocess.Popen([f'{programs}/goodgate', '-c', f'{folder}/g.conf', '-p', folder + '/', '-e', f'{folder}/error.log'])
    try:
        for _ in range(600):
            try:
                socket.create_connection(('127.0.0.1', port), 1).close()
                break
            except OSError:
                time.sleep(0.05)
        ask(port, request, 200, keeps)
        ask(port, request, count, keeps)
    finally:
        process.send_signal(signal.SIGQUIT)
        process.wait(60)
    counts = read_profile(out)
    if counts['instructions'] == 0:
        sys.exit(f'counters: the worker left no profile: {open(out + ".log").read()}')
    return counts


def read_profile(path):
    names, totals, calls, callee = {}, 0, {}, None

    def name(text):
        match = re.match(r'\((\d+)\)(?: (.*))?$', text)
        if match.group(2):
            names[match.group(1)] = match.group(2)
        return names[match.group(1)]

    for line in open(path, errors='replace'):
        if line.startswith('fn='):
            name(line[3:].strip())
        elif line.startswith('cfn='):
            callee = name(line[4:].strip())
        elif line.startswith('calls='):
            calls[callee] = calls.get(callee, 0) + int(line[6:].split()[0])
        elif line.startswith(('totals:', 'summary:')):
            totals = max(totals, int(line.split()[1]))
    # Recursive calls have a number behind their name.
    plain = {}
    for key, count in calls.items():
        key = key.split("'")[0]
        plain[key] = plain.get(key, 0) + count
    return {'instructions': totals, **{kind: sum(plain.get(word, 0) for word in words) for kind, words in COUNTED.items()}}


def main():
    if sys.argv[1:] == ['--serve']:
        return serve(socket.create_server(('127.0.0.1', int(os.environ['PORT'])), backlog=64))
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('--binary', required=True)
    parser.add_argument('--update', action='store_true')
    parser.add_argument('--case', default=','.join(CASES))
    options = parser.parse_args()
    binary = os.path.realpath(options.binary)
    folder = tempfile.mkdtemp(prefix='goodgate-counters-')
    os.chmod(folder, 0o755)
    listener = socket.create_server(('127.0.0.1', 0), backlog=64)
    threading.Thread(target=serve, args=(listener,), daemon=True).start()
    measured = {}
    print('| case | instructions | retains | releases | heap allocations | system calls |\n|---|---|---|---|---|---|')
    for case in options.case.split(','):
        few, many = (run(folder, binary, case, count, listener.getsockname()[1]) for count in (REQUESTS, 2 * REQUESTS))
        measured[case] = {key: round((many[key] - few[key]) / REQUESTS, 2) + 0.0 for key in many}
        row = measured[case]
        counts = [f'{row["instructions"]:.0f}'] + [f'{row[key]:.2f}' for key in ('retains', 'releases', 'allocations', 'syscalls')]
        print('| ' + ' | '.join([case] + counts) + ' |', flush=True)
    shutil.rmtree(folder, ignore_errors=True)
    costs_too_much = False
    for with_it, without, name in (('app', 'small', 'app, queue and health'), ('verdicts', 'plain', 'verdicts')):
        if with_it not in measured or without not in measured: continue
        ratio = measured[with_it]['instructions'] / measured[without]['instructions']
        print(f'{name}: {(ratio - 1) * 100:+.2f} % instructions per request (at most 2 %)')
        if ratio > 1.02:
            costs_too_much = True
            print(f'counters: {name} cost more than 2 %', file=sys.stderr)
    path = committed_path()
    known = json.load(open(path)) if os.path.exists(path) else {}
    if options.update:
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, 'w') as file:
            file.write(json.dumps({**known, **measured}, indent=2) + '\n')
        sys.exit(1 if costs_too_much else 0)
    if not known:
        sys.exit(f'counters: no counts are committed for this compiler; write {os.path.relpath(path, ROOT)} with --update')
    committed, failed = known, costs_too_much
    for case, row in measured.items():
        if case not in committed:
            print(f'counters: {case} has no committed counts: write them down with --update')
            continue
        for key, value in row.items():
            limit = committed[case][key]
            # A clock tick, a timer and a log flush more or less fall on either run; two events may share a wake-up.
            slack = {'instructions': 0.02 * limit, 'syscalls': 0.1 * limit}.get(key, 0.05)
            if value > limit + slack:
                failed = True
                print(f'counters: {case}: {key} {value} per request, committed {limit}', file=sys.stderr)
            elif value < limit - slack:
                print(f'counters: {case}: {key} fell from {limit} to {value}: write it down with --update')
    sys.exit(1 if failed else 0)


if __name__ == '__main__':
    main()
