#!/usr/bin/env python3
"""What `goodgate doctor` costs beside `grep -c`:  Scripts/bench_doctor.py --binary PATH [--megabytes 1000] [--rounds 5]

Two logs in the format `combined`: usual traffic with a failed request in 5000, and one of nothing but 502s. In turns, after one reading
that fills the page cache; CPU time (user and system, with children) and peak memory are the kernel's own. Exit status 1 if the usual log
takes more than twice the time of grep or more than 50 MB. The log of failures has no goal: each of its lines is taken apart.
"""
import argparse, os, statistics, sys, tempfile, time

TIMES, MEGABYTES = 2.0, 50
AGENT = '"https://example.com/a/b/c" "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/120.0 Safari/537.36"'


def write_log(path, size, status_of):
    start, written, index = int(time.time()) - 3600, 0, 0
    with open(path, 'w') as file:
        while written < size:
            lines = []
            for index in range(index, index + 20_000):
                # All within the hour before, in order.
                stamp = time.strftime('%d/%b/%Y:%H:%M:%S +0000', time.gmtime(start + index // 5000 % 3500))
                lines.append(f'10.0.{index % 256}.{index % 251} - - [{stamp}] "GET /path/{index % 9973}/x?q={index} HTTP/1.1" '
                             f'{status_of(index)} {100 + index % 50_000} {AGENT}\n')
            index += 1
            text = ''.join(lines)
            file.write(text)
            written += len(text)
    return written


def run(words):
    """CPU seconds, wall seconds, peak memory in MB."""
    begin, child = time.monotonic(), os.fork()
    if child == 0:
        # grep stops at the first line for /dev/null.
        os.dup2(os.memfd_create('output'), 1)
        os.environ['LC_ALL'] = 'C'
        try:
            os.execvp(words[0], words)
        finally:
            os._exit(127)
    _, status, usage = os.wait4(child, 0)
    if os.waitstatus_to_exitcode(status) != 0: sys.exit(f'{" ".join(words)}: exit status {os.waitstatus_to_exitcode(status)}')
    return usage.ru_utime + usage.ru_stime, time.monotonic() - begin, usage.ru_maxrss / 1024


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('--binary', required=True)
    parser.add_argument('--megabytes', type=int, default=1000)
    parser.add_argument('--rounds', type=int, default=5)
    options = parser.parse_args()
    isGood = True
    print('| log | grep -c, CPU s | doctor, CPU s | times | doctor, wall s | peak memory |\n|---|---|---|---|---|---|')
    for name, share, status_of in (
            ('usual traffic', 1.0, lambda index: 502 if index % 5000 == 0 else 404 if index % 7 == 0 else 200),
            ('nothing but 502s', 0.1, lambda index: 502)):
        with tempfile.TemporaryDirectory(prefix='goodgate-doctor-', dir='/var/tmp') as folder:
            size = write_log(f'{folder}/access.log', int(options.megabytes * share) << 20, status_of)
            open(f'{folder}/error.log', 'w').close()
            with open(f'{folder}/nginx.conf', 'w') as file:
                file.write(f'error_log {folder}/error.log;\nevents {{}}\nhttp {{ access_log {folder}/access.log;\n'
                           'server { listen 127.0.0.1:1; location / { proxy_pass http://127.0.0.1:2; } } }\n')
            commands = (['grep', '-c', '" 50[234] ', f'{folder}/access.log'],
                        [options.binary, 'doctor', '-c', f'{folder}/nginx.conf', '--no-probe', '--json'])
            run(commands[0])
            rounds = [[run(command) for command in commands] for _ in range(options.rounds)]
            grep, doctor = (statistics.median(r[place][0] for r in rounds) for place in (0, 1))
            times = statistics.median(r[1][0] / r[0][0] for r in rounds)
            wall, memory = statistics.median(r[1][1] for r in rounds), max(r[1][2] for r in rounds)
            print(f'| {name}, {size >> 20} MB | {grep:.2f} | {doctor:.2f} | {times:.1f} | {wall:.2f} | {memory:.0f} MB |', flush=True)
            if share == 1.0: isGood = times <= TIMES and memory <= MEGABYTES
    if not isGood: sys.exit(f'over the goal: {TIMES:g} times the CPU of grep -c, {MEGABYTES} MB')


main()
