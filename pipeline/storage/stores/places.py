"""Where on this machine a folder lies: which disk, share or memory."""

from __future__ import annotations

import hashlib
import os
import shutil
from pathlib import Path

_NETWORK = {"nfs", "nfs4", "cifs", "smb3", "smbfs", "ceph", "glusterfs", "9p", "afs", "lustre", "beegfs"}
_MEMORY = {"tmpfs", "ramfs"}


def machine() -> str:
    """Eight hex digits that stand for this machine; its name is nobody's affair."""
    import socket

    return hashlib.sha256(socket.gethostname().encode()).hexdigest()[:8]


def free_space(folder: Path) -> int | None:
    """Bytes free for us; None where the system does not say."""
    try:
        return shutil.disk_usage(folder).free
    except OSError:
        return None


def disk_of(folder: Path) -> tuple[str, str]:
    """(medium, place): places are equal when the loss of one disk, share or machine takes both folders."""
    number = os.stat(folder).st_dev
    kind, source = _mount(number)
    if kind in _NETWORK or kind.startswith("fuse"):
        return "share", f"share:{hashlib.sha256(source.encode()).hexdigest()[:12]}"
    if kind in _MEMORY:
        return "memory", f"memory@{machine()}"
    disks = sorted(_disks(Path(f"/sys/dev/block/{os.major(number)}:{os.minor(number)}")))
    if not disks:
        return "disk", f"disk:{number:x}@{machine()}"
    return "removable" if _removable(disks) else "disk", f"disk:{'+'.join(disks)}@{machine()}"


def _mount(number: int) -> tuple[str, str]:
    """(type, source) of a mounted file system, by its device number."""
    wanted = f"{os.major(number)}:{os.minor(number)}"
    try:
        lines = Path("/proc/self/mountinfo").read_text(encoding="utf-8", errors="surrogateescape").splitlines()
    except OSError:
        return "", ""
    for line in lines:
        before, _, after = line.partition(" - ")
        if before.split()[2:3] == [wanted] and len(after.split()) >= 2:
            return after.split()[0], after.split()[1]
    return "", ""


def _disks(device: Path) -> set[str]:
    """Names of the whole disks under a block device: through partitions, LVM, RAID and encryption."""
    try:
        real = device.resolve(strict=True)
    except OSError:
        return set()
    if (real / "partition").exists():
        return {real.parent.name}
    try:
        below = list((real / "slaves").iterdir())
    except OSError:
        below = []
    if not below:
        return {real.name}
    return {name for one in below for name in _disks(one)}


def _removable(disks: list[str]) -> bool:
    for name in disks:
        try:
            if Path(f"/sys/block/{name}/removable").read_text().strip() == "1":
                return True
        except OSError:
            continue
    return False
