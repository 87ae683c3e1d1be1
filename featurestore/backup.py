"""Copies of a store that a manifest vouches for.

A backup is a folder of plain files. Segments never change, so a further backup copies only those
that are new; a file whose content may change is named by its digest in the backup. The manifest
is replaced last, and only then goes what it no longer names: a backup that is killed leaves the
one before it whole.
"""

from __future__ import annotations

import hashlib
import json
import re
import shutil
from collections.abc import Callable, Iterable, Iterator
from dataclasses import asdict, dataclass, field
from pathlib import Path

from featurestore.checking import QUARANTINE, segment_files
from featurestore.current_model import MODELS_FILE
from featurestore.durable import UNFINISHED, fsync_folder, sha256_of, write_durably
from featurestore.errors import BackupRefused
from featurestore.segment_checking import INDEXES
from featurestore.segment_file import SEGMENT_NAME

FORMAT = "image-gallery-backup"
VERSION = 2
MANIFEST_NAME = "backup.json"
STORE = "store"
COPY_BYTES = 1024 * 1024
# What a backup puts into its folder: segments, waiting originals, catalogue, people and model
# choice with their digests, and what a killed one left. Nothing else is ever removed.
OUR_NAMES = re.compile(
    rf"(?:{SEGMENT_NAME.pattern})|[0-9a-f]{{64}}-[0-9a-f]{{8}}-.+"
    rf"|(?:catalogue|decisions|learnt|models|people|searches)-[0-9a-f]{{16}}\..+|{re.escape(UNFINISHED)}.*"
)


@dataclass(frozen=True)
class BackupFile:
    """One file of a backup."""

    path: str
    """Where it belongs, such as `store/images/….h5`."""
    file: str
    """Where it is in the backup."""
    sha256: str
    size: int
    """Bytes."""


@dataclass
class Manifest:
    """What a backup holds."""

    made_at: str
    """ISO 8601, UTC."""
    images: int
    rows: int
    files: list[BackupFile] = field(default_factory=list)

    def by_path(self) -> dict[str, BackupFile]:
        return {file.path: file for file in self.files}


class BackupFolder:
    """A folder that holds a backup, is to hold one, or was left by a backup that was killed."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def previous(self) -> Manifest | None:
        """The manifest, None where there is none. Raises BackupRefused where it is damaged."""
        if not (self.folder / MANIFEST_NAME).exists():
            return None
        return read_manifest(self.folder)

    def files(self) -> Iterator[Path]:
        """Every file that a backup has put here, the manifest apart."""
        for path in self.folder.rglob("*"):
            if path.is_file() and OUR_NAMES.fullmatch(path.name):
                yield path

    def is_foreign(self) -> bool:
        """Whether anything lies here that no backup has put here."""
        return self.folder.exists() and any(
            path.name != MANIFEST_NAME and not OUR_NAMES.fullmatch(path.name)
            for path in self.folder.rglob("*")
            if not path.is_dir()
        )

    def add(self, source: Path, path: str, known: BackupFile | None) -> BackupFile | None:
        """Copy a file that never changes, unless it is there; None where it is damaged.

        Args:
            path: where it belongs; its name starts with its SHA-256, or is a segment's.
            known: what the previous manifest says of it.

        Raises FileNotFoundError where the source is gone, OSError (a full disk).
        """
        target = self.folder / path
        if target.exists() and known is not None and target.stat().st_size == known.size:
            return known
        # A backup that was killed before its manifest may have copied it already.
        sha256 = sha256_of(target) if target.exists() else ""
        if not _is_named_by(path, sha256):
            sha256 = copy_durably(source, target)
        if not _is_named_by(path, sha256):
            target.unlink()
            return None
        return BackupFile(path, path, sha256, target.stat().st_size)

    def add_content(self, path: str, write: Callable[[Path], object]) -> BackupFile:
        """Keep what `write(temporary_path)` writes, as a file that may change."""
        draft = self.folder / f"{UNFINISHED}{Path(path).name}"
        write(draft)
        sha256 = sha256_of(draft)
        name = f"{Path(path).stem}-{sha256[:16]}{Path(path).suffix}"
        write_durably(self.folder / name, draft.rename)
        return BackupFile(path, name, sha256, (self.folder / name).stat().st_size)

    def finish(self, manifest: Manifest, keep: Iterable[str] = ()) -> list[Path]:
        """Make a backup valid, then remove what it no longer names; returns what was removed.

        Args:
            keep: files to leave where they are all the same.
        """
        content = {"format": FORMAT, "version": VERSION, **asdict(manifest)}
        text = json.dumps(content, indent=1)
        write_durably(self.folder / MANIFEST_NAME, lambda path: _write_text(path, text))
        wanted = {file.file for file in manifest.files} | set(keep)
        removed = []
        for path in list(self.files()):
            if str(path.relative_to(self.folder)) not in wanted:
                path.unlink(missing_ok=True)
                removed.append(path)
        return removed


def _leads_out(name: str) -> bool:
    path = Path(name)
    # An empty part would make the rest absolute once the first part is taken off.
    return path.is_absolute() or ".." in path.parts or "//" in name


def read_manifest(folder: Path) -> Manifest:
    """The manifest of a backup. Raises BackupRefused."""
    path = folder / MANIFEST_NAME
    try:
        content = json.loads(path.read_bytes())
        if content["format"] != FORMAT:
            raise BackupRefused(folder, f"{MANIFEST_NAME} is not that of a backup")
        if content["version"] > VERSION:
            raise BackupRefused(folder, "it was made by a newer Image Gallery")
        files = [BackupFile(**file) for file in content["files"]]
        if any(_leads_out(name) for file in files for name in (file.path, file.file)):
            raise BackupRefused(folder, f"its {MANIFEST_NAME} names files of other folders")
        return Manifest(content["made_at"], content["images"], content["rows"], files)
    except FileNotFoundError:
        raise BackupRefused(folder, f"it holds no {MANIFEST_NAME}, so it is no backup") from None
    except (ValueError, TypeError, LookupError) as error:
        if isinstance(error, BackupRefused):
            raise
        raise BackupRefused(folder, f"its {MANIFEST_NAME} is damaged ({error})") from error


def store_files(folder: Path) -> dict[str, Path]:
    """Files of a store that a backup copies, by where they belong; indexes are made again."""
    return {
        f"{STORE}/{path.relative_to(folder)}": path
        for path, kind in segment_files(folder)
        if kind not in INDEXES
    }


def models_file(folder: Path) -> Path | None:
    """The file that names a store's current model, where there is one."""
    path = folder / MODELS_FILE
    return path if path.exists() else None


def quarantined_files(folder: Path) -> list[str]:
    """Where files of the quarantine belonged: a backup may have them undamaged."""
    quarantine = folder / QUARANTINE
    return [
        f"{STORE}/{path.relative_to(quarantine)}"
        for path in quarantine.rglob("*")
        if path.is_file()
    ]


def copy_durably(source: Path, target: Path) -> str:
    """Copy a file; returns the SHA-256 of what was copied. Raises OSError."""
    digest = hashlib.sha256()

    def write(path: Path) -> None:
        with source.open("rb") as original, path.open("wb") as copy:
            while block := original.read(COPY_BYTES):
                digest.update(block)
                copy.write(block)

    _make_folder(target.parent)
    write_durably(target, write)
    return digest.hexdigest()


def free_bytes(folder: Path) -> int:
    """Room on the disk of a folder, which need not exist yet."""
    while not folder.exists():
        folder = folder.parent
    return shutil.disk_usage(folder).free


def _make_folder(folder: Path) -> None:
    if not folder.exists():
        _make_folder(folder.parent)
        folder.mkdir(exist_ok=True)
        fsync_folder(folder.parent)


def _is_named_by(path: str, sha256: str) -> bool:
    name = Path(path).name
    segment = SEGMENT_NAME.fullmatch(name)
    return bool(sha256) and (sha256.startswith(segment[1]) if segment else name.startswith(sha256))


def _write_text(path: Path, text: str) -> None:
    path.write_text(text, encoding="utf-8")
