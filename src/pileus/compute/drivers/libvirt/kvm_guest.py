"""Runs a counting loop as a KVM guest and prints the nanoseconds it took.

A script of its own, so that its parent can end it: `/dev/kvm` may exist, answer every query, and still run guests a
thousand times too slow to boot. Structures and numbers: Linux, Documentation/virt/kvm/api.rst and include/uapi/linux/kvm.h.
"""

import ctypes
import fcntl
import mmap
import os
import struct
import time

CREATE_VM, CREATE_VCPU, RUN, VCPU_MMAP_SIZE = 0xAE01, 0xAE41, 0xAE80, 0xAE04
SET_USER_MEMORY_REGION, GET_SREGS, SET_SREGS, SET_REGS = 0x4020AE46, 0x8138AE83, 0x4138AE84, 0x4090AE82
EXIT_HLT = 5
MEMORY = 0x200000
CODE, PML4, PDPT, DIRECTORY, STACK = 0x1000, 0x10000, 0x11000, 0x12000, 0x8000
ROUNDS = 200_000
# mov ecx, ROUNDS; again: dec ecx; jnz again; hlt
PROGRAM = b"\xb9" + struct.pack("<I", ROUNDS) + b"\xff\xc9\x75\xfc\xf4"

SREGS_SIZE, SEGMENT = 312, 24
CR0, CR3, CR4, EFER = (
    224,
    240,
    248,
    264,
)  # offsets in struct kvm_sregs: 8 segments, 2 tables, then cr0 cr2 cr3 cr4 cr8 efer


def flat_segment(code: bool) -> bytes:
    """struct kvm_segment: base, limit, selector, type, present, dpl, db, s, l, g, avl, unusable, padding."""
    kind, wide, long_mode = (11, 0, 1) if code else (3, 1, 0)
    return struct.pack("<QIH10B", 0, 0xFFFFFFFF, 8 if code else 16, kind, 1, 0, wide, 1, long_mode, 1, 0, 0, 0)


def load_program(memory: mmap.mmap) -> None:
    """Identity-map the first 2 MiB for 64-bit mode and put the loop at CODE."""
    for table, entry in ((PML4, PDPT | 3), (PDPT, DIRECTORY | 3), (DIRECTORY, 0x83)):
        memory[table : table + 8] = struct.pack("<Q", entry)
    memory[CODE : CODE + len(PROGRAM)] = PROGRAM


def enter_long_mode(vcpu: int) -> None:
    sregs = bytearray(SREGS_SIZE)
    fcntl.ioctl(vcpu, GET_SREGS, sregs)
    for index in range(6):
        sregs[index * SEGMENT : (index + 1) * SEGMENT] = flat_segment(code=index == 0)
    for offset, value in ((CR0, 0x80050033), (CR3, PML4), (CR4, 0x20), (EFER, 0x500)):
        struct.pack_into("<Q", sregs, offset, value)
    fcntl.ioctl(vcpu, SET_SREGS, bytes(sregs))
    regs = [0] * 18  # rax … r15, rip, rflags; the seventh is rsp
    regs[6], regs[16], regs[17] = STACK, CODE, 2
    fcntl.ioctl(vcpu, SET_REGS, struct.pack("<18Q", *regs))


def count_in_guest() -> int:
    """Nanoseconds that the guest needed; raises OSError or RuntimeError where KVM fails."""
    kvm = os.open("/dev/kvm", os.O_RDWR | os.O_CLOEXEC)
    machine = fcntl.ioctl(kvm, CREATE_VM, 0)
    memory = mmap.mmap(-1, MEMORY)
    load_program(memory)
    address = ctypes.addressof(ctypes.c_char.from_buffer(memory))
    fcntl.ioctl(machine, SET_USER_MEMORY_REGION, struct.pack("<IIQQQ", 0, 0, 0, MEMORY, address))
    vcpu = fcntl.ioctl(machine, CREATE_VCPU, 0)
    shared = mmap.mmap(vcpu, fcntl.ioctl(kvm, VCPU_MMAP_SIZE, 0), mmap.MAP_SHARED)
    enter_long_mode(vcpu)
    begin = time.monotonic_ns()
    fcntl.ioctl(vcpu, RUN, 0)
    taken = time.monotonic_ns() - begin
    reason = struct.unpack_from("<I", shared, 8)[0]
    if reason != EXIT_HLT:
        raise RuntimeError(f"the guest ended with exit reason {reason}")
    return taken


if __name__ == "__main__":
    print(count_in_guest())
