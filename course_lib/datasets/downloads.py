"""The whole of MNIST and of Fashion-MNIST: fetched once, when asked for; no chapter needs them.

The published files, 12 and 31 MB, go into ``COURSE_DATA``, each checked against its sha256. Where a file is there
already, no network is used.
"""

import hashlib
import os
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

import pooch
import requests
import urllib3
from jaxtyping import UInt8
from torch import Tensor
from tqdm import tqdm

from course_lib.datasets.images import IMAGES_SHA256, Images, idx_array
from course_lib.paths import home

TRAIN = ("train-images-idx3-ubyte.gz", "train-labels-idx1-ubyte.gz")


TEST = ("t10k-images-idx3-ubyte.gz", "t10k-labels-idx1-ubyte.gz")


N_VALIDATION = 5_000  # the last ones of the published training images


INSTALLED = Path("/usr/share/datasets/fashion-mnist")  # where Debian's package dataset-fashion-mnist puts it


TIMEOUT = 30  # seconds without a byte


class DownloadError(OSError):
    """A published file could not be had: the message says which, why, and what works without a network."""


@dataclass(frozen=True)
class Source:
    """A data set as it was published.

    name: its folder in ``download_folder()``; url: what its file names are appended to; instead: what to do offline.
    sha256: of each file; array_sha256: of the array in it, for copies that were compressed once more.
    """

    name: str
    url: str
    instead: str
    sha256: dict[str, str]
    array_sha256: dict[str, str] = field(default_factory=dict)


DIGITS = Source(
    "mnist",
    "https://ossci-datasets.s3.amazonaws.com/mnist/",
    "load_digits() of course_lib.datasets.images has 10,000 of the images for training, and all for testing",
    {
        TRAIN[0]: "440fcabf73cc546fa21475e81ea370265605f56be210a4024d2ca8f203523609",
        TRAIN[1]: "3552534a0a558bbed6aed32b30c495cca23d567ec52cac8be1a0730e8010255c",
        TEST[0]: IMAGES_SHA256["mnist-t10k-images"],
        TEST[1]: IMAGES_SHA256["mnist-t10k-labels"],
    },
)


FASHION = Source(
    "fashion-mnist",
    "http://fashion-mnist.s3-website.eu-central-1.amazonaws.com/",  # this host has no https; the sums protect
    "load_fashion() of course_lib.datasets.images has 10,000 of the images for training and 2,000 for testing, "
    "and Debian's package dataset-fashion-mnist has all",
    {
        TRAIN[0]: "3aede38d61863908ad78613f6a32ed271626dd12800ba2636569512369268a84",
        TRAIN[1]: "a04f17134ac03560a47e3764e11b92fc97de4d1bfaf8ba1a3aa29af54cc90845",
        TEST[0]: "346e55b948d973a97e58d2351dde16a484bd415d4595297633bb08f03db6a073",
        TEST[1]: "67da17c76eaffca5446c3361aaab5c3cd6d1c2608764d35dfb1850b086bf8dd5",
    },
    {
        TRAIN[0]: "2e487a6c89124f78f2d7521542223cafe96f7123c3ca13d447772ac6ecbb3012",
        TRAIN[1]: "657fbd221bfc9f4198cc14b5619cc33ec57c58dd0e47af4d99d6650759e869a7",
        TEST[0]: "c867c93ff95360594e8ec3287995350b824dd110b11595c0e13d5423f621867a",
        TEST[1]: "3d0e6c6ea990b53b6f8f500a41cac93881d981b315f84578b7d915342ade01e9",
    },
)


def download_folder() -> Path:
    """Return the folder of downloaded data, ``COURSE_DATA`` or ``data`` in ``home()``; the first download makes it."""
    return Path(os.environ.get("COURSE_DATA") or home() / "data").expanduser()


def receive(url: str, output_file: str, pooch: object) -> None:
    """Write what the url answers to output_file, with a progress bar; pooch calls it, then checks the sum and renames.

    DownloadError says what became of the transfer; OSError comes from writing.
    """
    n = None  # bytes, once the server has said that it sends the file
    try:
        with requests.get(url, stream=True, timeout=TIMEOUT) as answer, open(output_file, "wb") as file:
            if not answer.ok:
                raise DownloadError(f"the server answered HTTP {answer.status_code} {answer.reason}")
            n = 0
            size = int(answer.headers.get("Content-Length", 0)) or None
            with tqdm(total=size, unit="B", unit_scale=True, desc=url.rpartition("/")[2]) as bar:
                for chunk in answer.raw.stream(2**16, decode_content=False):
                    if n == 0 and chunk.lstrip().startswith(b"<"):
                        raise DownloadError("an HTML page came in place of the data, as from a network's sign-in page")
                    file.write(chunk)
                    n += len(chunk)
                    bar.update(len(chunk))
    except (requests.RequestException, urllib3.exceptions.HTTPError) as error:
        silent = f"no network, or no answer from {urlsplit(url).netloc}"
        reason = silent if n is None else f"the download broke off at {n:,} bytes"
        raise DownloadError(f"{reason} ({type(error).__name__})") from None


def fetch(name: str, source: Source, folder: Path) -> Path:
    """Return the path of a published file in folder; it is downloaded unless it is there with the right sum.

    A download is written beside its place and renamed when its sum is right: the folder holds whole files only.
    DownloadError if the file cannot be had; what was in the folder is then as before.
    """
    url = f"{source.url}{name}"
    try:
        return Path(pooch.retrieve(url, f"sha256:{source.sha256[name]}", name, folder, downloader=receive))
    except DownloadError as error:
        reason = str(error)
    except ValueError as error:  # the sum; pooch says which one was expected and which came
        reason = str(error).partition(". Deleted")[0]
    except OSError as error:
        reason = f"{folder} cannot be written or read: {error.strerror or error}"
    raise DownloadError(
        f"{name} from {url}: {reason}. Without a network: {source.instead}; "
        f"a copy of the file from elsewhere is taken where it lies in {folder}"
    )


def installed_array(name: str, source: Source, installed: Path) -> UInt8[Tensor, "..."] | None:
    """Return the array of an installed file, or None unless it is there and holds what was published."""
    try:
        array = idx_array((installed / name).read_bytes())
    except (OSError, ValueError):
        return None
    found = hashlib.sha256(array.numpy().tobytes()).hexdigest()
    return array if found == source.array_sha256.get(name) else None


def load_whole(source: Source, folder: Path, installed: Path | None = None) -> Images:
    """Return the data set of a source, each of its files from installed, from folder, or else by a download.

    The last 5,000 training images are for validation. DownloadError as for ``fetch``.
    """

    def array(name: str) -> UInt8[Tensor, "..."]:
        found = installed_array(name, source, installed) if installed else None
        return idx_array(fetch(name, source, folder).read_bytes()) if found is None else found

    images, labels, test, test_labels = (array(name) for name in TRAIN + TEST)
    cut = len(images) - N_VALIDATION
    labels, test_labels = labels.long(), test_labels.long()
    return Images(images[:cut], labels[:cut], images[cut:], labels[cut:], test, test_labels)


def load_whole_digits(source: Source = DIGITS, folder: Path | None = None) -> Images:
    """Return the whole of MNIST: 55,000 to train, 5,000 to validate, the official 10,000 to test.

    The first call downloads 12 MB into folder/mnist, ``download_folder()`` when None; DownloadError if it cannot.
    What ``load_digits()`` has for training and for validation is all among these 55,000.
    """
    return load_whole(source, (folder or download_folder()) / source.name)


def load_whole_fashion(
    source: Source = FASHION, folder: Path | None = None, installed: Path | None = INSTALLED
) -> Images:
    """Return the whole of Fashion-MNIST: 55,000 to train, 5,000 to validate, the official 10,000 to test.

    Installed files that hold what was published are used where they are. Without them the first call downloads 31 MB
    into folder/fashion-mnist, ``download_folder()`` when None; DownloadError if it cannot.
    What ``load_fashion()`` has for training and for validation is spread over these 55,000 and 5,000.
    """
    return load_whole(source, (folder or download_folder()) / source.name, installed)
