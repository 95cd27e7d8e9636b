#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""tutorial: types what a document says, line by line, as a reader would.

    tutorial.py FILE.md [PART]      runs the blocks of PART (by default: steps)
    tutorial.py --list FILE.md PART prints them
    tutorial.py --left-out FILE.md  prints what no test runs, and why

A block of the language sh is run by one bash, which goes on from block to block:
a command is as many lines as bash needs to make one of them. Each part of a
pipeline has to succeed. The block without a language behind it is what its reader
will see: each of its lines has to come, in this order. Numbers may differ where
there is one, addresses may not; `...` stands for nothing.

A comment before a block says when it is run, if not as a step:

    <!-- tutorial: PART -->            in another place
    <!-- tutorial: PART, stays -->     the same, and it goes on: what is shown
                                       is waited for
    <!-- tutorial: not run, REASON -->

curl tells errors of HTTP by its status if HOME has a .curlrc that says so; the
test makes one. Nothing else differs from what a reader has.
"""
import os
import re
import select
import subprocess
import sys
import tempfile
import time

STEPS = 'steps'
LEFT_OUT = 'not run'
SECONDS = 60


class Block:
    def __init__(self, line, mark):
        part, _, rest = mark.partition(',')
        self.line = line            # of its first command
        self.part = part.strip()
        self.rest = rest.strip()    # "stays", or a reason
        self.text = []
        self.shown = []             # what the document says comes out


class Wrong(Exception):
    pass


def read_blocks(path):
    blocks, inside, mark, last = [], None, STEPS, None
    for number, raw in enumerate(open(path, encoding='utf-8'), 1):
        line = raw.rstrip('\n')
        comment = re.fullmatch(r'<!-- tutorial: (.+) -->', line)
        if inside is not None:
            if line == '```':
                inside = None
            else:
                inside.append(line)
        elif comment:
            mark = comment[1]
        elif line == '```sh':
            last = Block(number + 1, mark)
            blocks.append(last)
            inside, mark = last.text, STEPS
        elif line.startswith('```'):
            inside = last.shown if last and line == '```' else []
            last = None
        elif line:
            last = None
    return blocks


def is_whole(text):
    """Would bash wait for another line?"""
    if text.endswith('\\'):
        return False
    p = subprocess.run(['bash', '-n', '-c', text], capture_output=True, text=True)
    return 'unexpected EOF' not in p.stderr and \
        'unexpected end of file' not in p.stderr and \
        'delimited by end-of-file' not in p.stderr


def commands(block):
    """(number of the line, command)"""
    text, start = '', 0
    for i, line in enumerate(block.text):
        start = start if text else block.line + i
        text = text + '\n' + line if text else line
        if text.strip() and is_whole(text):
            yield start, text
            text = ''
    if text.strip():
        yield start, text


def shape(line):
    """Numbers as 9, apart from those in addresses."""
    words = []
    for word in line.split():
        if not re.search(r'\d+\.\d+\.\d+\.\d+', word):
            word = re.sub(r'\d+(\.\d+)?', '9', word)
        words.append(word)
    return ' '.join(words)


def missing(block, output):
    """The first line of what is shown that has not come, or None."""
    came = iter([shape(line) for line in output.splitlines()])
    for line in block.shown:
        if line.strip() not in ('', '...') and shape(line) not in came:
            return line
    return None


class Shell:
    """One bash; what it reads as its script is not its standard input."""

    def __init__(self):
        script, self.script = os.pipe()
        self.process = subprocess.Popen(
            ['bash', '--noprofile', '--norc', f'/dev/fd/{script}'],
            pass_fds=[script], stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        os.close(script)
        self.end = f'end-{os.getpid()}-{os.urandom(8).hex()}'

    def run(self, command):
        """The statuses of its pipeline, and what came out."""
        os.write(self.script, f'{command}\n'
                 f'printf "\\n{self.end} %s\\n" "${{PIPESTATUS[*]}}"\n'.encode())
        out, till = b'', time.monotonic() + SECONDS
        pattern = re.compile(rb'\n' + self.end.encode() + rb' ([\d ]+)\n$')
        while not (found := pattern.search(out)):
            left = till - time.monotonic()
            if left <= 0 or not select.select([self.process.stdout], [], [], left)[0]:
                raise Wrong(f'does not end within {SECONDS} s:\n{text_of(out)}')
            piece = os.read(self.process.stdout.fileno(), 65536)
            if not piece:
                raise Wrong(f'the shell has ended:\n{text_of(out)}')
            out += piece
        statuses = [int(s) for s in found[1].split()]
        return statuses, text_of(out[:found.start()])

    def close(self):
        os.close(self.script)
        self.process.wait()


def text_of(raw):
    return raw.decode('utf-8', 'replace')


def run_block(shell, block, where):
    output = ''
    for number, command in commands(block):
        statuses, out = shell.run(command)
        output += out + '\n'
        if any(statuses):
            raise Wrong(f'{where}:{number}: status {statuses}\n{command}\n{out}')
        print(f'{where}:{number}: {command.splitlines()[0]}', flush=True)
    line = missing(block, output)
    if line is not None:
        raise Wrong(f'{where}:{block.line}: what is shown does not come: {line}\n'
                    f'but this:\n{output}')


def run_staying(block, where):
    """It is left to run when what is shown has come."""
    log = tempfile.NamedTemporaryFile('rb', prefix='tutorial.')
    with open(log.name, 'wb') as out:
        p = subprocess.Popen(['bash', '-c', '\n'.join(block.text)],
                             stdin=subprocess.DEVNULL, stdout=out,
                             stderr=subprocess.STDOUT, start_new_session=True)
    till = time.monotonic() + 10 * SECONDS
    while True:
        is_over = p.poll() is not None
        output = text_of(open(log.name, 'rb').read())
        line = missing(block, output)
        if is_over or (line is not None and time.monotonic() > till):
            raise Wrong(f'{where}:{block.line}: does not show: {line}\n{output}')
        if line is None:
            print(f'{where}:{block.line}: {block.text[0]}', flush=True)
            return
        time.sleep(0.1)


def run_part(path, part):
    where = os.path.basename(path)
    mine = [b for b in read_blocks(path) if b.part == part]
    if not mine:
        raise Wrong(f'{where}: there is no block of {part}')
    shell = Shell()
    for block in mine:
        if block.rest == 'stays':
            run_staying(block, where)
        else:
            run_block(shell, block, where)
    shell.close()


def main(args):
    if args[:1] == ['--left-out'] and len(args) == 2:
        for b in read_blocks(args[1]):
            if b.part == LEFT_OUT:
                print(f'line {b.line} is not run: {b.rest or "NO REASON"}')
        return 0
    if args[:1] == ['--list'] and len(args) == 3:
        for b in read_blocks(args[1]):
            if b.part == args[2]:
                print('\n'.join(b.text))
        return 0
    if len(args) not in (1, 2) or args[0].startswith('-'):
        print(__doc__, file=sys.stderr)
        return 2
    try:
        run_part(args[0], args[1] if len(args) == 2 else STEPS)
    except Wrong as e:
        print(e, file=sys.stderr)
        return 1
    return 0


if __name__ == '__main__':
    sys.exit(main(sys.argv[1:]))
