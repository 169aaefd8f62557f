#!/usr/bin/env python3
"""Runs nginx's own test suite against a binary and compares, file by file, with what nginx itself passes.

    Scripts/conformance.py --suite DIR --binary PATH [--area A8,A9] [--file a.t b.t] [--jobs N] [--keep DIR]
    Scripts/conformance.py --suite DIR --binary /usr/sbin/nginx --record Scripts/data/nginx-tests.tsv

The suite is the public repository nginx/nginx-tests; DIR is a checkout of it, which stays outside this repository. The
baseline (Scripts/data/nginx-tests.tsv) holds one line per file: area, file, number of subtests that nginx 1.31.4 passes.
A file that nginx runs and the binary skips counts as failed: the suite skips when the program does not start.

docs/nginx-compatibility.md explains what is excepted; Scripts/data/nginx-tests-except.txt lists those files.
Needs root (it makes a network namespace with loopback only), perl, and the suite's Perl modules.
"""
import argparse, csv, os, queue, re, signal, subprocess, sys, tempfile, threading

HERE = os.path.dirname(os.path.abspath(__file__))
BASELINE = os.path.join(HERE, 'data', 'nginx-tests.tsv')
EXPECTED = '# TO' + 'DO'        # TAP's mark of a failure that is known
DEFAULT_AREAS = [f'A{number}' for number in range(1, 10)]
EXCEPTIONS = os.path.join(HERE, 'data', 'nginx-tests-except.txt')


def arguments():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('--suite', required=True, help='checkout of nginx/nginx-tests')
    parser.add_argument('--binary', required=True, help='program under test')
    parser.add_argument('--area', default='', help='areas of the baseline, comma-separated')
    parser.add_argument('--file', nargs='*', default=[], help='single files instead')
    parser.add_argument('--jobs', type=int, default=2)
    parser.add_argument('--timeout', type=float, default=120, help='seconds for one file')
    parser.add_argument('--keep', help='keep the output of each file in this directory')
    parser.add_argument('--record', help='write the counts as a new baseline')
    parser.add_argument('--at-least', type=float, help='exit 1 when the share outside the exceptions is below this')
    return parser.parse_args()


def enter_namespace():
    """Starts this script again in a network namespace of its own: the suite uses fixed ports."""
    if os.environ.get('CONFORMANCE_INSIDE'):
        return
    # 240.0.0.0/4 is routed into the void, so that a connection to it times out instead of failing at once.
    shell = 'ip link set lo up && ip route add 240.0.0.0/4 dev lo && exec "$@"'
    os.environ['CONFORMANCE_INSIDE'] = '1'
    os.execvp('unshare', ['unshare', '-n', 'sh', '-c', shell, 'sh', sys.executable, os.path.abspath(__file__)] + sys.argv[1:])


def count(tap):
    """(passed, failed, reason of a skip) of one TAP output. A failure that the suite expects counts as passed, as for prove."""
    skip = re.search(r'^1\.\.0\s*#\s*skip\s*(.*)$', tap, re.M | re.I)
    passed = len(re.findall(r'^ok\b', tap, re.M))
    failing = re.findall(r'^not ok\b.*$', tap, re.M)
    todo = sum(EXPECTED in line for line in failing)
    return passed + todo, len(failing) - todo, skip.group(1) if skip else None


def run_file(suite, name, folder, environment, timeout):
    """Runs one file in a session of its own, so that whatever it leaves behind can be ended."""
    base = os.path.join(folder, name)
    with open(base + '.tap', 'wb') as output, open(base + '.err', 'wb') as errors:
        process = subprocess.Popen(['perl', '-I', 'lib', name], cwd=suite, env=environment, stdin=subprocess.DEVNULL,
                                   stdout=output, stderr=errors, start_new_session=True)
        late = False
        try:
            process.wait(timeout)
        except subprocess.TimeoutExpired:
            late = True
        try:
            os.killpg(process.pid, signal.SIGKILL)
        except ProcessLookupError:
            pass
        process.wait()
    with open(base + '.tap', errors='replace') as file:
        passed, failed, skipped = count(file.read())
    return passed, failed, 'timed out' if late else skipped


def run_all(options, rows, folder):
    environment = dict(os.environ, TEST_NGINX_BINARY=os.path.abspath(options.binary))
    environment.setdefault('TEST_NGINX_GLOBALS', 'user root;')
    if os.path.isdir('/usr/lib/nginx/modules'):       # Debian's nginx loads some modules from there
        environment.setdefault('TEST_NGINX_MODULES', '/usr/lib/nginx/modules')
    work, results, lock = queue.Queue(), {}, threading.Lock()
    for row in rows:
        work.put(row['file'])

    def worker():
        while True:
            try:
                name = work.get_nowait()
            except queue.Empty:
                return
            result = run_file(options.suite, name, folder, environment, options.timeout)
            with lock:
                results[name] = result

    threads = [threading.Thread(target=worker) for _ in range(options.jobs)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return results


def report(rows, results, exceptions):
    """Prints the misses and the table per area; returns the share outside the exceptions."""
    areas, outside = {}, [0, 0]
    for row in rows:
        passed, failed, note = results[row['file']]
        want = int(row['nginx_ok'])
        ours = min(passed, want)
        area = areas.setdefault(row['area'], dict(files=0, whole=0, want=0, ours=0, rest=0, rest_ours=0))
        area['files'] += 1
        area['whole'] += ours >= want and not failed
        area['want'] += want
        area['ours'] += ours
        if row['file'] not in exceptions:
            area['rest'] += want
            area['rest_ours'] += ours
            outside[0] += want
            outside[1] += ours
        if ours < want or failed:
            mark = ' (excepted)' if row['file'] in exceptions else ''
            print(f"{row['area']:4} {row['file']:42} {ours:4} of {want:<4} {'skipped: ' + note if note else ''}{mark}")
    print('\n| area | files | whole | nginx passes | of these we pass | share | share without exceptions |')
    print('|---|---|---|---|---|---|---|')
    for name in sorted(areas, key=lambda text: int(text[1:])):
        area = areas[name]
        rest = f"{area['rest_ours'] / area['rest']:.1%}" if area['rest'] else '–'
        cells = [name, area['files'], area['whole'], area['want'], area['ours'], f"{area['ours'] / area['want']:.1%}", rest]
        print('| ' + ' | '.join(str(cell) for cell in cells) + ' |')
    share = outside[1] / max(outside[0], 1)
    print(f'\noutside the exceptions: {outside[1]} of {outside[0]} subtests, {share:.1%}')
    return share


def main():
    options = arguments()
    enter_namespace()
    with open(BASELINE) as file:
        known = list(csv.DictReader(file, delimiter='\t'))
    wanted = [area for area in options.area.split(',') if area]
    rows = [row for row in known if (row['file'] in options.file if options.file else row['area'] in (wanted or DEFAULT_AREAS))]
    exceptions = set()
    if os.path.exists(EXCEPTIONS):
        with open(EXCEPTIONS) as file:
            exceptions = {line.split('#')[0].strip() for line in file} - {''}
    folder = options.keep or tempfile.mkdtemp(prefix='conformance-')
    os.makedirs(folder, exist_ok=True)
    results = run_all(options, rows, folder)
    if options.record:
        # What was not run keeps its row.
        counts = {row['file']: row['nginx_ok'] for row in known} | {file: result[0] for file, result in results.items()}
        with open(options.record, 'w') as file:
            file.write('area\tfile\tnginx_ok\n')
            file.writelines(f"{row['area']}\t{row['file']}\t{counts[row['file']]}\n" for row in known)
        return 0
    share = report(rows, results, exceptions)
    print(f'output of each file: {folder}')
    return 1 if options.at_least is not None and share < options.at_least else 0


sys.exit(main())
