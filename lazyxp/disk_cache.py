"""Object code and plans on disk, so that kernels are planned and compiled once and not in every process.

What is read here is executed: a directory or a file counts only if nobody but the user may write to it, and a file
only if all of it is there. A place that cannot be used is no error: kernels are then planned and compiled every time.
"""

from __future__ import annotations

import errno
import hashlib
import os
import stat
import struct
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import NamedTuple

VARIABLE = "LAZYXP_CACHE_DIR"

MOST_BYTES = 256 << 20
MOST_FILES = 20_000
_HOUR = 3_600
_DAY = 24 * _HOUR

# What a file holds: object code, or a plan.
KERNEL, PLAN = _SUFFIXES = ".kernel", ".plan"
_PARTS = tuple([f"{suffix}.part" for suffix in _SUFFIXES])
_VERSION = 1
_HEADER = struct.Struct("<8sIQ32s")  # magic, version of this format, length of the content, checksum
_MAGIC = b"lazyxp\0k"

# Windows has neither these flags nor owners that are numbers: there, the user's own folders are trusted.
_POSIX = hasattr(os, "geteuid") and os.open in os.supports_dir_fd
_SAFE: int = getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_CLOEXEC", 0) | getattr(os, "O_BINARY", 0)
_FOLDER: int = os.O_RDONLY | getattr(os, "O_DIRECTORY", 0) | _SAFE
_READ: int = os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | _SAFE  # a pipe would keep its reader waiting
_WRITE: int = os.O_WRONLY | os.O_CREAT | os.O_EXCL | _SAFE


def key_of(*parts: str) -> str:
    """The key of what these texts together say how to make."""
    digest = hashlib.sha256()
    for part in parts:
        text = part.encode()
        digest.update(b"%d:" % len(text))  # or "ab", "c" would be "a", "bc"
        digest.update(text)
    return digest.hexdigest()


def directory() -> Path | None:
    """Where files are kept; None if that is switched off, or if there is no place for them."""
    given = os.environ.get(VARIABLE)
    try:
        if given is not None:
            return Path(given).expanduser().absolute() if given else None
        return _user_directory()
    except (OSError, RuntimeError):  # no working directory, or nobody knows the user's home
        return None


def _user_directory() -> Path:
    if sys.platform == "win32":
        local = os.environ.get("LOCALAPPDATA")
        return (Path(local) if local else Path.home() / "AppData" / "Local") / "lazyxp" / "Cache"
    if sys.platform == "darwin":
        return Path.home() / "Library" / "Caches" / "lazyxp"
    given = os.environ.get("XDG_CACHE_HOME", "")
    return (Path(given) if os.path.isabs(given) else Path.home() / ".cache") / "lazyxp"


def state() -> str:
    """The directory, or why there is none, for people to read."""
    place = directory()
    if place is None:
        return "off"
    try:
        with _opened(place):
            return str(place)
    except FileNotFoundError:
        return f"{place} (nothing there yet)"
    except OSError as error:
        return f"not used: {error}"


# --- reading and writing ---------------------------------------------------------------------------------------------


def load(key: str, suffix: str) -> bytes | None:
    """What was stored under `key`; None if there is nothing that can be trusted."""
    place = directory()
    if place is None:
        return None
    try:
        with _opened(place) as folder:
            return _read(folder, key, suffix)
    except FileNotFoundError:
        return None
    except OSError as error:
        _tell(error)
        return None


def store(key: str, suffix: str, content: bytes) -> None:
    """Keep `content` for `load`; where that cannot be done, nothing happens."""
    place = directory()
    if place is None:
        return
    try:
        place.mkdir(mode=0o700, parents=True, exist_ok=True)
        with _opened(place) as folder:
            _write(folder, key, suffix, content)
            if key.startswith("0"):  # one in 16: looking at all files takes time
                _prune(folder)
    except OSError as error:
        _tell(error)


class _Folder(NamedTuple):
    """An open directory; files are reached through `fd`, which stays the same whatever happens to the name."""

    path: str
    fd: int | None

    def file(self, name: str) -> str:
        """What to call a file in it, together with ``dir_fd=self.fd``."""
        return name if self.fd is not None else os.path.join(self.path, name)

    def remove(self, name: str) -> None:
        """Remove a file, if it is still there and can be removed."""
        with suppress(OSError):
            os.unlink(self.file(name), dir_fd=self.fd)


@contextmanager
def _opened(place: Path) -> Iterator[_Folder]:
    """A directory that only the user can write to; an `OSError` otherwise."""
    path = str(place)
    if not _POSIX:
        os.stat(path)
        yield _Folder(path, None)
        return
    link = os.lstat(path)
    if stat.S_ISLNK(link.st_mode) and link.st_uid == os.geteuid():  # somebody else's is not followed
        path = os.path.realpath(path)
    fd = os.open(path, _FOLDER)
    try:
        _check(os.fstat(fd), path)
        yield _Folder(path, fd)
    finally:
        os.close(fd)


def _check(status: os.stat_result, path: str) -> None:
    if not _POSIX:
        return
    if status.st_uid != os.geteuid():
        raise PermissionError(errno.EPERM, "somebody else owns it", path)
    if status.st_mode & (stat.S_IWGRP | stat.S_IWOTH):
        raise PermissionError(errno.EPERM, "others may write to it", path)


def _read(folder: _Folder, key: str, suffix: str) -> bytes | None:
    name = key + suffix
    fd = os.open(folder.file(name), _READ, dir_fd=folder.fd)
    try:
        status = os.fstat(fd)
        _check(status, os.path.join(folder.path, name))
        size = status.st_size if stat.S_ISREG(status.st_mode) else 0
        data = os.read(fd, size) if _HEADER.size <= size <= MOST_BYTES else b""
    finally:
        os.close(fd)
    content = data[_HEADER.size :]
    if data[: _HEADER.size] != _header(name, content):
        folder.remove(name)
        return None
    if time.time() - status.st_mtime > _DAY:  # what is used is kept, and most reads write nothing
        with suppress(OSError):
            os.utime(folder.file(name), dir_fd=folder.fd)
    return content


def _header(name: str, content: bytes) -> bytes:
    checksum = hashlib.blake2b(name.encode(), digest_size=32)  # with the name: a file may have been renamed
    checksum.update(content)
    return _HEADER.pack(_MAGIC, _VERSION, len(content), checksum.digest())


def _write(folder: _Folder, key: str, suffix: str, content: bytes) -> None:
    """Write a file under a name of its own and then rename it, so that nobody ever reads half of it."""
    name, part = key + suffix, f"{key}.{os.urandom(8).hex()}{suffix}.part"
    fd = os.open(folder.file(part), _WRITE, 0o600, dir_fd=folder.fd)
    try:
        with open(fd, "wb") as file:
            file.write(_header(name, content) + content)
        os.replace(folder.file(part), folder.file(name), src_dir_fd=folder.fd, dst_dir_fd=folder.fd)
    except BaseException:
        folder.remove(part)
        raise


def _prune(folder: _Folder) -> None:
    """Remove what is too much, the files that were not used for longest first, and what broken-off writes have left."""
    now = time.time()
    found: list[tuple[float, int, str]] = []
    with os.scandir(folder.path if folder.fd is None else folder.fd) as entries:
        for entry in entries:
            if not entry.name.endswith((*_SUFFIXES, *_PARTS)):
                continue
            try:
                status = entry.stat(follow_symlinks=False)
            except FileNotFoundError:  # another process was faster
                continue
            if entry.name.endswith(_SUFFIXES):
                found.append((status.st_mtime, status.st_size, entry.name))
            elif now - status.st_mtime > _HOUR:
                folder.remove(entry.name)
    count, total = len(found), sum([size for _, size, _ in found])
    for _, size, name in sorted(found):
        if count <= MOST_FILES and total <= MOST_BYTES:
            return
        folder.remove(name)
        count, total = count - 1, total - size


_told: set[str] = set()


def _tell(error: OSError) -> None:
    """Say once why a place is not used."""
    text = str(error)
    if text not in _told:
        _told.add(text)
        import logging

        logging.getLogger("lazyxp").debug("compiled kernels and plans are not kept: %s", text)
