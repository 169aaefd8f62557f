#!/usr/bin/env python3
"""Chooses the committed corpus of a fuzz target anew:  Scripts/fuzz_corpus.py BINARY TARGET FOUND COMMITTED

From the inputs that fuzzing found and those that are committed, the few are kept that together reach the most of the
parser: the one that adds most comes first, of equals the one that is committed, then the smaller. Inputs with names given
by hand are examples to read, and stay. An input has at most 4 KB, a corpus at most 150 files and 150 KB.
"""
import hashlib, os, re, shutil, subprocess, sys, tempfile

INPUT_MAX, FILES_MAX, BYTES_MAX = 4096, 150, 150 << 10
NAME_BY_HASH = re.compile(r'^[0-9a-f]{12}$')


def features(binary, folder):
    """What libFuzzer sees each file of a folder reach: {path: set of features}."""
    with tempfile.TemporaryDirectory() as scratch:
        control, empty = os.path.join(scratch, 'control'), os.path.join(scratch, 'empty')
        os.mkdir(empty)
        # With the set cover the control file holds all features of each input, not only those that were new at its turn.
        run = subprocess.run(
            [binary, '-set_cover_merge=1', f'-merge_control_file={control}', f'-max_len={INPUT_MAX}', '-timeout=10',
             f'-artifact_prefix={scratch}/', empty, folder], capture_output=True, text=True, timeout=1800)
        if run.returncode != 0:
            sys.exit(run.stderr[-2000:] + f'\n{binary}: merging failed')
        lines = open(control).read().splitlines()
    count = int(lines[0])
    paths, reached = lines[2:2 + count], {}
    for line in lines[2 + count:]:
        words = line.split()
        if words[0] == 'FT':
            reached[paths[int(words[1])]] = set(words[2:])
    return reached


def choose(reached, kept, committed):
    """The files to keep: those in `kept`, then the greedy cover within the limits."""
    chosen, size = sorted(kept), sum(os.path.getsize(path) for path in kept)
    covered = set().union(*(reached.get(path, set()) for path in kept))
    left = {path: found - covered for path, found in reached.items() if path not in kept}
    while left and len(chosen) < FILES_MAX:
        best = max(left, key=lambda path: (len(left[path]), os.path.basename(path) in committed, -os.path.getsize(path), path))
        new = left.pop(best)
        if not new:
            break
        if size + os.path.getsize(best) > BYTES_MAX:
            continue
        chosen.append(best)
        size += os.path.getsize(best)
        covered |= new
        left = {path: found - new for path, found in left.items() if found - new}
    return chosen, size, len(covered), len(set().union(*reached.values()))


def main():
    if len(sys.argv) != 5:
        sys.exit('usage: Scripts/fuzz_corpus.py BINARY TARGET FOUND COMMITTED')
    binary, target, found, committed = sys.argv[1:]
    with tempfile.TemporaryDirectory() as pool:
        for folder in (committed, found):
            for name in sorted(os.listdir(folder)):
                data = open(os.path.join(folder, name), 'rb').read()
                by_hand = folder == committed and not NAME_BY_HASH.match(name)
                if by_hand or len(data) <= INPUT_MAX:
                    name = name if by_hand else hashlib.sha1(data).hexdigest()[:12]
                    open(os.path.join(pool, name), 'wb').write(data)
        before = set(os.listdir(committed))
        kept = [os.path.join(pool, name) for name in before if not NAME_BY_HASH.match(name)]
        chosen, size, covered, all_features = choose(features(binary, pool), kept, before)
        names = {os.path.basename(path) for path in chosen}
        for name in before - names:
            os.remove(os.path.join(committed, name))
        for path in chosen:
            shutil.copyfile(path, os.path.join(committed, os.path.basename(path)))
    print(f'{target}: {len(chosen)} files (before {len(before)}), {size} bytes, {covered} of {all_features} features')


main()
