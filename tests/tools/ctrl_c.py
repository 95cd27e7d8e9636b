#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""ctrl_c: types Ctrl-C at a program.

    ctrl_c.py TEXT COMMAND...

Runs COMMAND at a terminal of its own, prints what it says, and types Ctrl-C once it
has said TEXT. Ends as COMMAND does; with 124 where that takes more than 180 s.
"""
import os
import pty
import select
import signal
import sys
import time

SECONDS = 180


def main():
    text, command = sys.argv[1].encode(), sys.argv[2:]
    pid, terminal = pty.fork()
    if pid == 0:
        # as at a terminal; what runs in the background ignores it
        signal.signal(signal.SIGINT, signal.SIG_DFL)
        os.execvp(command[0], command)
    said, typed, end = b'', False, time.monotonic() + SECONDS
    while time.monotonic() < end:
        if not select.select([terminal], [], [], 1)[0]:
            continue
        try:
            some = os.read(terminal, 65536)
        except OSError:  # nobody has it open any more
            return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
        sys.stdout.buffer.write(some)
        sys.stdout.flush()
        said += some
        if not typed and text in said:
            os.write(terminal, b'\x03')
            typed = True
    return 124


sys.exit(main())
