"""Object code and plans on disk: what was stored comes back, and nothing else is ever taken for it."""

import errno
import io
import logging
import os
import stat
import subprocess
import sys
import time
from pathlib import Path

import pytest

import lazyxp as xp
from lazyxp import disk_cache

ROOT = Path(__file__).parents[1]
KEY = disk_cache.key_of("define void @kernel()", "some cpu")
CODE = b"\x7fELF" + bytes(range(256)) * 40

posix = pytest.mark.skipif(not hasattr(os, "geteuid"), reason="needs owners and modes of files")


@pytest.fixture(autouse=True)
def place(tmp_path, monkeypatch):
    """A directory that does not exist yet."""
    monkeypatch.setattr(disk_cache, "_told", set())
    monkeypatch.setenv(disk_cache.VARIABLE, str(tmp_path / "deep" / "cache"))
    return tmp_path / "deep" / "cache"


@pytest.fixture
def file(place):
    """The file in which CODE is kept."""
    store(KEY, CODE)
    (found,) = place.iterdir()
    return found


def load(key, suffix=disk_cache.KERNEL):
    return disk_cache.load(key, suffix)


def store(key, content, suffix=disk_cache.KERNEL):
    disk_cache.store(key, suffix, content)


def keys(start, count):
    """Keys that begin with `start`."""
    return [start + disk_cache.key_of(str(i))[len(start) :] for i in range(count)]


# --- the good case ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("code", [b"", b"x", CODE])
def test_what_was_stored_comes_back(code):
    assert load(KEY) is None
    store(KEY, code)
    assert load(KEY) == code
    assert load(disk_cache.key_of("another")) is None


def test_kernels_and_plans_are_kept_apart(place):
    store(KEY, CODE)
    assert load(KEY, disk_cache.PLAN) is None
    store(KEY, b"plan", disk_cache.PLAN)
    assert (load(KEY), load(KEY, disk_cache.PLAN)) == (CODE, b"plan")
    kernel, plan = (place / f"{KEY}{suffix}" for suffix in (disk_cache.KERNEL, disk_cache.PLAN))
    plan.write_bytes(kernel.read_bytes())
    assert load(KEY, disk_cache.PLAN) is None


def test_what_is_stored_again_replaces_it(place):
    store(KEY, CODE)
    store(KEY, b"newer")
    assert load(KEY) == b"newer"
    assert len(list(place.iterdir())) == 1


@posix
def test_only_the_user_can_read_or_write(place, file):
    before = os.umask(0)
    try:
        other = disk_cache.key_of("another")
        store(other, CODE)
    finally:
        os.umask(before)
    assert stat.S_IMODE(place.stat().st_mode) == 0o700
    assert [stat.S_IMODE(path.stat().st_mode) for path in place.iterdir()] == [0o600, 0o600]


def test_keys_differ_where_texts_do():
    texts = [("ab", "c"), ("a", "bc"), ("abc",), ("abc", ""), ("", "abc"), ("2:ab1:c",), ("ä",), ()]
    assert len({disk_cache.key_of(*parts) for parts in texts}) == len(texts)
    assert disk_cache.key_of("ab", "c") == disk_cache.key_of("ab", "c")


# --- where -----------------------------------------------------------------------------------------------------------


def test_the_empty_variable_switches_it_off(monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.setenv(disk_cache.VARIABLE, "")
    assert disk_cache.directory() is None
    store(KEY, CODE)
    assert load(KEY) is None
    assert list(tmp_path.iterdir()) == []
    assert disk_cache.state() == "off"


@pytest.mark.skipif(sys.platform in ("win32", "darwin"), reason="the directories of XDG")
def test_the_users_cache_directory(monkeypatch, tmp_path):
    monkeypatch.delenv(disk_cache.VARIABLE)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "xdg"))
    assert disk_cache.directory() == tmp_path / "xdg" / "lazyxp"
    monkeypatch.setenv("XDG_CACHE_HOME", "relative/paths/do/not/count")
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    assert disk_cache.directory() == tmp_path / "home" / ".cache" / "lazyxp"
    monkeypatch.delenv("XDG_CACHE_HOME")
    assert disk_cache.directory() == tmp_path / "home" / ".cache" / "lazyxp"


def test_a_relative_directory(monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv(disk_cache.VARIABLE, "here")
    store(KEY, CODE)
    assert len(list((tmp_path / "here").iterdir())) == 1


def test_versions_say_where(place):
    def row():
        out = io.StringIO()
        xp.show_versions(out)
        (line,) = [line for line in out.getvalue().splitlines() if line.startswith("kernel cache")]
        return line

    assert row().endswith(f"{place} (nothing there yet)")
    store(KEY, CODE)
    assert row().endswith(str(place))


# --- files that are not what was stored ------------------------------------------------------------------------------


def changed(data, at, to):
    return data[:at] + to + data[at + len(to) :]


BAD = {
    "empty": lambda data: b"",
    "no code": lambda data: data[:52],
    "half a header": lambda data: data[:20],
    "truncated": lambda data: data[:-1],
    "longer": lambda data: data + b"\0",
    "full of zeros": lambda data: bytes(len(data)),
    "foreign": lambda data: CODE,
    "another magic": lambda data: changed(data, 0, b"L"),
    "another version": lambda data: changed(data, 8, b"\xff"),
    "another length": lambda data: changed(data, 12, b"\1"),
    "a huge length": lambda data: changed(data, 12, b"\xff" * 8),
    "another checksum": lambda data: changed(data, 20, bytes(32)),
    "one bit flipped": lambda data: changed(data, 5_000, bytes([data[5_000] ^ 8])),
    "last bit flipped": lambda data: changed(data, len(data) - 1, bytes([data[-1] ^ 1])),
}


@pytest.mark.parametrize("how", BAD)
def test_bad_files_are_removed(file, how):
    data = file.read_bytes()
    bad = BAD[how](data)
    assert bad != data
    file.write_bytes(bad)
    assert load(KEY) is None
    assert not file.exists()
    store(KEY, CODE)
    assert load(KEY) == CODE


def test_the_file_of_another_key_is_not_taken(file):
    other = disk_cache.key_of("another")
    file.rename(file.with_name(file.name.replace(KEY, other)))
    assert load(other) is None


@pytest.mark.skipif(not hasattr(os, "truncate"), reason="needs sparse files")
def test_a_file_too_large_is_not_read(file):
    os.truncate(file, disk_cache.MOST_BYTES + 1)
    assert load(KEY) is None
    assert not file.exists()


def test_a_directory_in_the_place_of_a_file(file):
    file.unlink()
    file.mkdir()
    assert load(KEY) is None
    store(KEY, CODE)
    assert load(KEY) is None
    assert file.is_dir()


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="needs named pipes")
def test_a_pipe_in_the_place_of_a_file(file):
    file.unlink()
    os.mkfifo(file)
    assert load(KEY) is None
    store(KEY, CODE)
    assert load(KEY) == CODE


# --- places and files that others could have written -----------------------------------------------------------------


@posix
@pytest.mark.parametrize("mode", [0o770, 0o702, 0o777, 0o1777])
def test_directories_that_others_may_write_to_are_refused(place, file, mode):
    place.chmod(mode)
    assert load(KEY) is None
    store(disk_cache.key_of("another"), CODE)
    assert [path.name for path in place.iterdir()] == [file.name]
    assert "others may write to it" in disk_cache.state()
    place.chmod(0o755)
    assert load(KEY) == CODE


@posix
@pytest.mark.parametrize("mode", [0o660, 0o602])
def test_files_that_others_may_write_to_are_refused(file, mode):
    file.chmod(mode)
    assert load(KEY) is None
    store(KEY, CODE)
    assert load(KEY) == CODE


@posix
def test_what_others_own_is_refused(place, file, monkeypatch):
    user = os.geteuid()
    monkeypatch.setattr(os, "geteuid", lambda: user + 1)
    assert load(KEY) is None
    store(KEY, b"newer")
    assert "somebody else owns it" in disk_cache.state()
    monkeypatch.undo()
    monkeypatch.setenv(disk_cache.VARIABLE, str(place))
    assert load(KEY) == CODE


@posix
@pytest.mark.skipif(getattr(os, "geteuid", int)() != 0, reason="only root can give files away")
def test_files_that_others_own_are_refused(file):
    os.chown(file, 12_345, -1)
    assert load(KEY) is None
    store(KEY, CODE)
    assert load(KEY) == CODE


@posix
def test_a_file_that_is_a_link_is_not_followed(file, tmp_path):
    target = tmp_path / "target"
    file.rename(target)
    file.symlink_to(target)
    assert load(KEY) is None
    store(KEY, b"newer")
    assert load(KEY) == b"newer"
    assert not file.is_symlink()
    assert target.read_bytes().endswith(CODE)


@posix
def test_a_directory_that_is_a_link_of_the_users_own(place, file, tmp_path):
    place.rename(tmp_path / "elsewhere")
    place.symlink_to(tmp_path / "elsewhere")
    assert load(KEY) == CODE
    (tmp_path / "elsewhere").chmod(0o777)
    assert load(KEY) is None


@posix
@pytest.mark.skipif(getattr(os, "geteuid", int)() != 0, reason="only root can give links away")
def test_a_directory_that_is_a_link_of_somebody_else(place, file, tmp_path):
    place.rename(tmp_path / "elsewhere")
    place.symlink_to(tmp_path / "elsewhere")
    os.chown(place, 12_345, -1, follow_symlinks=False)
    assert load(KEY) is None
    store(disk_cache.key_of("another"), CODE)
    assert len(list((tmp_path / "elsewhere").iterdir())) == 1


# --- places that cannot be used --------------------------------------------------------------------------------------


@pytest.mark.parametrize("under", [(), ("deeper",)])
def test_a_file_in_the_place_of_the_directory(place, monkeypatch, caplog, under):
    place.parent.mkdir()
    place.write_text("mine")
    monkeypatch.setenv(disk_cache.VARIABLE, str(place.joinpath(*under)))
    with caplog.at_level(logging.DEBUG, logger="lazyxp"):
        for _ in range(5):
            assert load(KEY) is None
            store(KEY, CODE)
    assert place.read_text() == "mine"
    assert 1 <= len(caplog.records) <= 2  # reading and writing may fail for two reasons, and each is told once
    assert {r.levelno for r in caplog.records} == {logging.DEBUG}
    assert str(place) in caplog.text


@posix
@pytest.mark.skipif(getattr(os, "geteuid", int)() == 0, reason="root may write anywhere")
def test_a_directory_that_can_only_be_read(place, file):
    place.chmod(0o500)
    try:
        store(disk_cache.key_of("another"), CODE)
        assert load(KEY) == CODE
    finally:
        place.chmod(0o700)
    assert len(list(place.iterdir())) == 1


@pytest.mark.parametrize("function", ["replace", "open"])
def test_a_full_disk(place, file, monkeypatch, caplog, function):
    real = getattr(os, function)

    def full(path, *args, **kwargs):
        if str(path).endswith(".part"):
            raise OSError(errno.ENOSPC, "No space left on device", path)
        return real(path, *args, **kwargs)

    monkeypatch.setattr(os, function, full)
    with caplog.at_level(logging.DEBUG, logger="lazyxp"):
        store(KEY, b"newer")
    assert "No space left" in caplog.text
    assert load(KEY) == CODE
    assert list(place.iterdir()) == [file]


def test_an_interrupted_write_leaves_nothing(place, file, monkeypatch):
    def interrupt(*args, **kwargs):
        raise KeyboardInterrupt

    monkeypatch.setattr(os, "replace", interrupt)
    with pytest.raises(KeyboardInterrupt):
        store(KEY, b"newer")
    assert list(place.iterdir()) == [file]


def test_no_home(monkeypatch):
    def nobody():
        raise RuntimeError("Could not determine home directory.")

    monkeypatch.delenv(disk_cache.VARIABLE)
    for name in ("XDG_CACHE_HOME", "LOCALAPPDATA"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(Path, "home", nobody)
    assert disk_cache.directory() is None
    store(KEY, CODE)
    assert load(KEY) is None


# --- several processes -----------------------------------------------------------------------------------------------

WRITER = """
import sys
from lazyxp import disk_cache

number = int(sys.argv[1])
mine = bytes([number]) * (1_000 + 5_000 * number)
keys = [disk_cache.key_of(str(i)) for i in range(12)]
for _ in range(15):
    for key in keys:
        disk_cache.store(key, disk_cache.KERNEL, mine)
        code = disk_cache.load(key, disk_cache.KERNEL)
        assert code is not None
        assert code == bytes([code[0]]) * (1_000 + 5_000 * code[0]), "parts of several files"
print("good")
"""


def test_several_processes_write_at_once(place):
    writers = [
        subprocess.Popen(
            [sys.executable, "-c", WRITER, str(number)],
            cwd=ROOT,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        for number in range(4)
    ]
    for writer in writers:
        out, err = writer.communicate(timeout=60)
        assert (out.strip(), err) == ("good", "")
    assert len(list(place.iterdir())) == 12


# --- bounded ---------------------------------------------------------------------------------------------------------


def age(place, key, days):
    """Make a file look as if it was last used so many days ago."""
    (path,) = [path for path in place.iterdir() if path.name.startswith(key)]
    then = time.time() - days * 86_400
    os.utime(path, (then, then))
    return path


@pytest.mark.parametrize("bound", ["MOST_FILES", "MOST_BYTES"])
def test_what_was_not_used_for_longest_goes_first(place, monkeypatch, bound):
    monkeypatch.setattr(disk_cache, bound, 4 if bound == "MOST_FILES" else 4_500)
    old = keys("f", 8)
    for days, key in enumerate(old):
        store(key, bytes(1_000), disk_cache.PLAN if days % 2 else disk_cache.KERNEL)
        age(place, key, days + 2)
    assert len(list(place.iterdir())) == 8  # not every store looks at all files
    assert load(old[6]) == bytes(1_000)  # and so it is the newest of them now
    foreign = place / "notes.txt"
    foreign.write_text("mine")
    (newest,) = keys("0", 1)
    store(newest, bytes(1_000))
    kept = [key for key in [*old, newest] if any(load(key, kind) for kind in (disk_cache.KERNEL, disk_cache.PLAN))]
    assert kept == [old[0], old[1], old[6], newest]
    assert foreign.read_text() == "mine"


def test_what_broken_off_writes_left_goes(place, file):
    left, foreign, young = (place / name for name in ("x.plan.part", "x.part", "y.kernel.part"))
    for path in (left, foreign, young):
        path.write_bytes(b"half")
    then = time.time() - 7_200
    os.utime(left, (then, then))
    os.utime(foreign, (then, then))
    store(keys("0", 1)[0], CODE)
    assert [path.exists() for path in (left, foreign, young)] == [False, True, True]
    assert load(KEY) == CODE


def test_reading_writes_at_most_once_a_day(place, file):
    age(place, KEY, 0.5)
    before = file.stat().st_mtime
    assert load(KEY) == CODE
    assert file.stat().st_mtime == before
    age(place, KEY, 1.5)
    assert load(KEY) == CODE
    assert file.stat().st_mtime > before
