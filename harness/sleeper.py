"""The program inside our images: it sleeps until SIGTERM and then ends with status 0; pure.

It needs nothing but the kernel, so an image is one small file besides its payload. The first
process of a container ignores a signal that it neither blocks nor handles (signal(7)), hence it
blocks SIGTERM and waits for it: pods end at once instead of after their grace period.
"""

from __future__ import annotations

import struct
from typing import Final

# ELF-64 (https://refspecs.linuxfoundation.org/elf/gabi4+/contents.html): a header of 64 bytes,
# one program header of 56 that maps the whole file, readable and executable, then the code. The
# alignment suits pages of up to 64 KiB.
_ADDRESS: Final = 0x400000
_HEADERS: Final = 64 + 56
_ALIGNMENT: Final = 0x10000

# A signal set with SIGTERM, which is 15, alone.
_SIGTERM: Final = "0040000000000000"

# Each line beside the assembly that it is.
_AMD64: Final = (
    "6a0e 58",  # rax = rt_sigprocmask
    "31ff",  # rdi = SIG_BLOCK
    "488d35 23000000",  # rsi = the signal set
    "31d2",  # rdx = no former set
    "6a08 415a",  # r10 = 8, the size of a set
    "0f05",  # syscall
    "b8 80000000",  # wait: rax = rt_sigtimedwait
    "488d3d 0f000000",  # rdi = the signal set
    "31f6",  # rsi = no details; rdx is still 0: no time limit
    "0f05",  # syscall
    "3c0f",  # compare the signal with SIGTERM
    "75ec",  # wait again after anything else, such as the end of a freeze
    "6a3c 58",  # rax = exit
    "31ff",  # rdi = 0
    "0f05",  # syscall
    _SIGTERM,
)
_ARM64: Final = (
    "e81080d2",  # x8 = rt_sigprocmask
    "000080d2",  # x0 = SIG_BLOCK
    "c1010010",  # x1 = the signal set
    "020080d2",  # x2 = no former set
    "030180d2",  # x3 = 8, the size of a set
    "010000d4",  # svc
    "281180d2",  # wait: x8 = rt_sigtimedwait
    "20010010",  # x0 = the signal set
    "010080d2",  # x1 = no details
    "020080d2",  # x2 = no time limit
    "010000d4",  # svc
    "1f3c00f1",  # compare the signal with SIGTERM
    "41ffff54",  # wait again after anything else, such as the end of a freeze
    "a80b80d2",  # x8 = exit
    "000080d2",  # x0 = 0
    "010000d4",  # svc
    _SIGTERM,
)
# By the words of OCI platforms: the number of the machine in ELF, and the code.
_PROGRAMS: Final = {"amd64": (62, _AMD64), "arm64": (183, _ARM64)}


def program(architecture: str) -> bytes:
    """Return the program as a static executable for `amd64` or `arm64`, below 200 bytes."""
    machine, lines = _PROGRAMS[architecture]
    code = bytes.fromhex("".join(lines))
    size = _HEADERS + len(code)
    start = _ADDRESS + _HEADERS
    identity = b"\x7fELF" + bytes((2, 1, 1)).ljust(12, b"\0")  # 64 bits, little-endian, version 1
    header = struct.pack(
        "<HHIQQQIHHHHHH", 2, machine, 1, start, 64, 0, 0, 64, 56, 1, 0, 0, 0
    )  # executable; its program header stands at 64; no sections
    readable_and_executable = 5
    segment = struct.pack(
        "<IIQQQQQQ", 1, readable_and_executable, 0, _ADDRESS, _ADDRESS, size, size, _ALIGNMENT
    )
    return identity + header + segment + code
