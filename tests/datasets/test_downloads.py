"""The whole data sets: fetched from a server on this machine; whatever goes wrong is said, and costs no file."""

import errno
import gzip
import hashlib
import io
import re
import shutil
import socket
import threading
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
import torch

from course_lib import paths
from course_lib.datasets import downloads
from course_lib.datasets import images as images_
from course_lib.datasets.downloads import (
    DIGITS,
    FASHION,
    TEST,
    TRAIN,
    DownloadError,
    download_folder,
    fetch,
    load_whole_digits,
    load_whole_fashion,
)

N_TRAIN, N_TEST = 5_011, 13  # the last 5,000 are for validation


def idx(array):
    header = bytes([0, 0, 8, array.dim()]) + b"".join(size.to_bytes(4, "big") for size in array.shape)
    return header + array.to(torch.uint8).numpy().tobytes()


def published():
    """Small files in the published format; no image equals its neighbours, the parts differ."""
    generator = torch.Generator().manual_seed(0)
    arrays = {}
    for n, (images, labels) in ((N_TRAIN, TRAIN), (N_TEST, TEST)):
        arrays[images] = torch.randint(256, (n, 1, 28), generator=generator).expand(n, 28, 28)
        arrays[labels] = torch.randint(10, (n,), generator=generator)
    return arrays


ARRAYS = published()
FILES = {name: gzip.compress(idx(array), mtime=0) for name, array in ARRAYS.items()}
AGAIN = {
    name: gzip.compress(idx(array), 1, mtime=1) for name, array in ARRAYS.items()
}  # the same, compressed otherwise
SUMS = {name: hashlib.sha256(content).hexdigest() for name, content in FILES.items()}
ARRAY_SUMS = {
    name: hashlib.sha256(array.to(torch.uint8).numpy().tobytes()).hexdigest() for name, array in ARRAYS.items()
}


class Served:
    """A server on loopback: what it answers by name (status, body, the length that it announces), what was asked."""

    def __init__(self):
        self.answers = {name: (200, content, len(content)) for name, content in FILES.items()}
        self.asked = []
        served = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self):
                name = self.path.rpartition("/")[2]
                served.asked.append(name)
                status, body, length = served.answers[name]
                self.send_response(status)
                self.send_header("Content-Length", str(length))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *args):
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.thread = threading.Thread(target=self.server.serve_forever, kwargs={"poll_interval": 0.01})
        self.thread.start()
        url = f"http://127.0.0.1:{self.server.server_port}/there/"
        self.digits = replace(DIGITS, url=url, sha256=SUMS, array_sha256={})
        self.fashion = replace(FASHION, url=url, sha256=SUMS, array_sha256=ARRAY_SUMS)

    def stop(self):
        if self.thread.is_alive():
            self.server.shutdown()
            self.thread.join()
            self.server.server_close()


@pytest.fixture(autouse=True)
def loopback_alone(monkeypatch):
    """No test reaches outside this machine, whatever proxies its user has set."""
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    monkeypatch.delenv("COURSE_DATA", raising=False)
    connect = socket.socket.connect

    def guarded(self, address):
        assert address[0] == "127.0.0.1", address
        return connect(self, address)

    monkeypatch.setattr(socket.socket, "connect", guarded)


@pytest.fixture
def served():
    served = Served()
    yield served
    served.stop()


def content(folder):
    """All that lies under a folder, hidden and half-written files included."""
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def in_folder(files, name="mnist"):
    return {f"{name}/{file}": content for file, content in files.items()}


def assert_published(images):
    """The parts in the published order, each label with its image."""
    assert torch.equal(images.train, ARRAYS[TRAIN[0]][:11])
    assert torch.equal(images.validation, ARRAYS[TRAIN[0]][11:])
    assert torch.equal(images.train_labels, ARRAYS[TRAIN[1]][:11])
    assert torch.equal(images.validation_labels, ARRAYS[TRAIN[1]][11:])
    assert torch.equal(images.test, ARRAYS[TEST[0]])
    assert torch.equal(images.test_labels, ARRAYS[TEST[1]])


def test_the_first_call_downloads_and_the_next_needs_no_network(served, tmp_path, capfd):
    assert_published(load_whole_digits(served.digits, tmp_path))
    assert sorted(served.asked) == sorted(FILES)
    assert content(tmp_path) == in_folder(FILES)
    bars = capfd.readouterr().err
    for name in FILES:
        assert f"{name}: 100%" in bars
    served.stop()
    assert_published(load_whole_digits(served.digits, tmp_path))
    assert capfd.readouterr() == ("", "")


def test_the_two_data_sets_keep_apart(served, tmp_path):
    load_whole_digits(served.digits, tmp_path)
    assert_published(load_whole_fashion(served.fashion, tmp_path, installed=None))
    assert content(tmp_path) == in_folder(FILES) | in_folder(FILES, "fashion-mnist")


def test_downloads_go_where_the_variables_say(served, tmp_path, home, monkeypatch):
    assert download_folder() == home / "data"
    load_whole_digits(served.digits)
    assert content(home) == in_folder(FILES, "data/mnist")
    monkeypatch.setenv("COURSE_DATA", str(tmp_path / "elsewhere"))
    load_whole_digits(served.digits)
    assert content(tmp_path / "elsewhere") == in_folder(FILES)


def changed(content):
    return content[:-1] + bytes([content[-1] ^ 1])


NAME = TRAIN[0]
HTML = b"\n<!DOCTYPE html><title>Sign in</title>"
FAULTS = {
    "broken off": ((200, FILES[NAME][:1234], len(FILES[NAME])), r"broke off at 1,234 bytes \(ProtocolError\)"),
    "another file": (
        (200, changed(FILES[NAME]), len(FILES[NAME])),
        f"expected sha256:{SUMS[NAME]} but got [0-9a-f]{{64}}",
    ),
    "404": ((404, b"no such key", 11), "answered HTTP 404 Not Found"),
    "500": ((500, b"", 0), "answered HTTP 500 Internal Server Error"),
    "a page": ((200, HTML, len(HTML)), "an HTML page came in place of the data"),
    "nothing": ((200, b"", 99), r"broke off at 0 bytes \(ProtocolError\)"),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_a_download_that_goes_wrong_says_how_and_leaves_the_folder_as_it_was(served, tmp_path, fault):
    answer, says = FAULTS[fault]
    before = in_folder({TEST[0]: FILES[TEST[0]], NAME: b"what was here before"})
    (tmp_path / "mnist").mkdir()
    for name, old in before.items():
        (tmp_path / name).write_bytes(old)
    right = served.answers[NAME]
    served.answers[NAME] = answer
    with pytest.raises(DownloadError, match=f"^{NAME} from http://127.0.0.1.*/there/{NAME}: .*{says}") as raised:
        load_whole_digits(served.digits, tmp_path)
    assert "Without a network: load_digits() of course_lib.datasets.images" in str(raised.value)
    assert str(tmp_path / "mnist") in str(raised.value)
    assert raised.value.__context__ is None  # the learner sees one error, not four
    assert content(tmp_path) == before
    served.answers[NAME] = right
    assert_published(load_whole_digits(served.digits, tmp_path))
    assert TEST[0] not in served.asked  # it was good, and stayed


def test_a_refused_connection_offers_the_shipped_data(served, tmp_path):
    served.stop()
    says = r"no network, or no answer from 127\.0\.0\.1:\d+ \(ConnectionError\)\. Without a network: load_fashion\(\)"
    with pytest.raises(DownloadError, match=says):
        load_whole_fashion(served.fashion, tmp_path, installed=None)
    assert content(tmp_path) == {}
    assert len(images_.load_fashion().train) == 9_000


def named(folder):
    return re.escape(f"{folder} cannot be written or read: ")


def test_a_full_disk_is_named_and_nothing_remains(served, tmp_path, monkeypatch):
    class Full(io.FileIO):
        def write(self, content):
            super().write(content[:100])
            raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(downloads, "open", Full, raising=False)
    with pytest.raises(DownloadError, match=named(tmp_path / "mnist") + "No space left on device"):
        load_whole_digits(served.digits, tmp_path)
    assert content(tmp_path) == {}


def test_a_folder_that_is_a_file_is_named(served, tmp_path):
    (tmp_path / "mnist").write_text("mine")
    with pytest.raises(DownloadError, match=named(tmp_path / "mnist")):
        load_whole_digits(served.digits, tmp_path)
    assert content(tmp_path) == {"mnist": b"mine"}


def test_an_interrupted_download_leaves_nothing(served, tmp_path, monkeypatch):
    class Interrupted(downloads.tqdm):
        def update(self, n=1):
            raise KeyboardInterrupt

    monkeypatch.setattr(downloads, "tqdm", Interrupted)
    with pytest.raises(KeyboardInterrupt):
        load_whole_digits(served.digits, tmp_path)
    assert content(tmp_path) == {}


def install(folder, files):
    folder.mkdir()
    for name, packed in files.items():
        (folder / name).write_bytes(packed)
    return folder


def test_an_installed_copy_is_used_where_it_is_however_it_was_compressed(served, tmp_path):
    assert AGAIN[NAME] != FILES[NAME]
    installed = install(tmp_path / "installed", AGAIN)
    assert_published(load_whole_fashion(served.fashion, tmp_path / "data", installed))
    assert served.asked == []
    assert not (tmp_path / "data").exists()


@pytest.mark.parametrize("damage", [changed(AGAIN[NAME]), AGAIN[TEST[0]], b"", None])
def test_an_installed_file_with_other_content_is_passed_over(served, tmp_path, damage):
    installed = install(tmp_path / "installed", AGAIN | {NAME: damage or b""})
    if damage is None:
        (installed / NAME).unlink()
    assert_published(load_whole_fashion(served.fashion, tmp_path / "data", installed))
    assert served.asked == [NAME]


def test_the_published_sums_are_those_of_the_real_files(tmp_path):
    """Of the two that are shipped whole; all eight stand in data/README.md."""
    for name, shipped in zip(TEST, ("mnist-t10k-images", "mnist-t10k-labels"), strict=True):
        shutil.copy(paths.DATA / f"{shipped}.idx.gz", tmp_path / name)
        assert fetch(name, replace(DIGITS, url="http://192.0.2.1/"), tmp_path) == tmp_path / name
    readme = (paths.DATA / "README.md").read_text()
    for source in (DIGITS, FASHION):
        assert source.url in readme
        for name, sha256 in source.sha256.items():
            assert f"| `{name}` | `{sha256}` |" in readme
