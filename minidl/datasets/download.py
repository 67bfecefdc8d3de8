"""Downloads of data sets: from the first mirror that delivers, whole and checked, or not at all."""

import threading
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from minidl.errors import DatasetNotFoundError


def cache_folder(dataset: str) -> Path:
    """Folder of a data set in the user's cache; on Linux `XDG_CACHE_HOME` is honoured.

    Raises:
        DatasetNotFoundError: Pooch, which knows the place, is not installed.
    """
    return Path(_pooch().os_cache("minidl")) / dataset


def download(
    sha256: Mapping[str, str],
    folder: Path,
    mirrors: Sequence[str],
    *,
    patience: float = 4.0,
) -> None:
    """Fetch files into `folder`, each from the first of the `mirrors` that delivers it intact.

    Pooch writes to a temporary file in the same folder, compares its SHA-256 and only then
    renames it, so a download that breaks off leaves nothing that could be read later. Without
    internet the call fails within `patience` seconds.

    Args:
        sha256: SHA-256 of each file as it is served, by file name.
        folder: Where the files go; made if missing.
        mirrors: Addresses that a file name is appended to, in order of preference.
        patience: Seconds that a mirror has for its first answer, and for each further piece.

    Raises:
        DatasetNotFoundError: Pooch is not installed, no mirror delivered a file intact, or the
            folder cannot be written. The message says what happened at each mirror.
    """
    pooch = _pooch()
    fetch = pooch.HTTPDownloader(progressbar=True, chunk_size=1 << 16, timeout=patience)
    failures = _silent_mirrors(fetch, next(iter(sha256)), mirrors, patience)
    for name, digest in sha256.items():
        for mirror in mirrors:
            if mirror in failures:
                continue
            try:
                pooch.retrieve(mirror + name, f"sha256:{digest}", name, folder, downloader=fetch)
                break
            # What requests raises is an OSError; a wrong checksum is a ValueError.
            except (OSError, ValueError) as error:
                failures[mirror] = _root_cause(error)
        else:
            tried = "; ".join(f"{mirror}: {failures[mirror]}" for mirror in mirrors)
            raise DatasetNotFoundError(f"could not download {name} (tried {tried}).")


def _silent_mirrors(
    fetch: Callable[..., Any], name: str, mirrors: Sequence[str], patience: float
) -> dict[str, str]:
    """Ask all mirrors at once whether they are there; return those that are not, and why.

    In threads, because looking up a host name takes no timeout and can block for half a minute
    on a machine without internet. Any answer counts here: the download shows what it is worth.
    """
    failures = dict.fromkeys(mirrors, f"no answer within {patience:g} s")

    def ask(mirror: str) -> None:
        try:
            fetch(mirror + name, None, None, check_only=True)
            del failures[mirror]
        except Exception as error:
            failures[mirror] = _root_cause(error)

    threads = [threading.Thread(target=ask, args=(mirror,), daemon=True) for mirror in mirrors]
    for thread in threads:
        thread.start()
    deadline = time.monotonic() + patience
    for thread in threads:
        thread.join(max(0.0, deadline - time.monotonic()))
    return dict(failures)  # a copy: a late thread still writes into its own


def _root_cause(error: BaseException) -> str:
    """The innermost reason, "Network is unreachable", without the layers around it."""
    while error.__context__ is not None:
        error = error.__context__
    return str(error) or type(error).__name__


def _pooch() -> Any:
    try:
        import pooch
    except ImportError:
        raise DatasetNotFoundError(
            "downloading needs pooch, which is not installed: pip install minidl[datasets]."
        ) from None
    return pooch
