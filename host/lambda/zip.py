#!/usr/bin/env python3
"""Lays out and zips the package of the Lambda host. `package` calls it.

usage: zip.py stage POLICIES FOLDER   copies the set, the components that it names, and their entries of the lock; of a
                                      release store what its channels serve
       zip.py zip FOLDER ZIP          zips a folder so that the same files give the same bytes, and prints the sizes
"""

import json
import shutil
import sys
import tomllib
import zipfile
from hashlib import sha256
from pathlib import Path

# What the host compiles at its start; a larger component needs machine code. The core's MOST_COMPILED_AT_START is the same number.
MOST_COMPILED = 256 << 10


def stage_store(store: Path, folder: Path) -> None:
    """Copies what the channels name now, and leaves the past behind. Signatures are the host's to check."""
    for channel in sorted(store.glob("channels/*.json")):
        digest = json.loads(json.loads(channel.read_text())["payload"])["release"]
        put(folder, f"channels/{channel.name}", channel.read_bytes())
        release = checked(store, f"releases/{digest}.json", digest)
        put(folder, f"releases/{digest}.json", release)
        for component in json.loads(release)["components"]:
            codes = component.get("native", [])
            if component["size"] > MOST_COMPILED and not codes:
                sys.exit(f"error: a component of `{channel.stem}` has {component['size']:,} bytes and no machine code, so the host "
                         "could not start from this copy: publish with `--native`")
            keys = {f"components/sha256/{component['sha256']}.wasm": component["sha256"]}
            keys |= {f"native/sha256/{code['sha256']}.cwasm": code["sha256"] for code in codes}
            for key, digest in keys.items():
                put(folder, key, checked(store, key, digest))


def put(folder: Path, key: str, data: bytes) -> None:
    (folder / key).parent.mkdir(parents=True, exist_ok=True)
    (folder / key).write_bytes(data)


def checked(store: Path, key: str, digest: str) -> bytes:
    """An object that is named by its digest."""
    path = store / key
    if not path.is_file():
        sys.exit(f"error: `{key}` is not in {store}: copy the whole store, with aws s3 sync")
    data = path.read_bytes()
    if sha256(data).hexdigest() != digest:
        sys.exit(f"error: `{key}` in {store} was changed: copy the store anew")
    return data


def stage(policies: Path, folder: Path) -> None:
    if (policies / "channels").is_dir():
        return stage_store(policies, folder)
    document = tomllib.loads((policies / "policies.toml").read_text())
    named = [it for policy in document.get("policy", []) for it in (policy, policy.get("candidate", {}))]
    names = sorted({it["component"] for it in named if "component" in it})
    folder.mkdir(parents=True)
    shutil.copyfile(policies / "policies.toml", folder / "policies.toml")
    for name in names:
        if not (policies / name).resolve().is_relative_to(policies.resolve()):
            sys.exit(f"error: the component `{name}` lies outside of {policies}: copy it beside the policies.toml")
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(policies / name, folder / name)
    lock = policies / "policies.lock"
    entries = tomllib.loads(lock.read_text()).get("component", []) if lock.exists() else []
    entries = [entry for entry in entries if entry["file"] in names]
    if entries:
        # Strings and numbers of JSON are those of TOML.
        tables = ["".join(f"{key} = {json.dumps(value)}\n" for key, value in entry.items()) for entry in entries]
        (folder / "policies.lock").write_text("\n".join("[[component]]\n" + table for table in tables))


def zip_up(folder: Path, out: Path) -> None:
    check_sizes(folder / "policies")
    out.parent.mkdir(parents=True, exist_ok=True)
    paths = sorted(path for path in folder.rglob("*") if path.is_file())
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as package:
        for path in paths:
            info = zipfile.ZipInfo(path.relative_to(folder).as_posix(), (1980, 1, 1, 0, 0, 0))
            info.create_system = 3  # Unix, so that the modes count
            info.external_attr = (0o100755 if info.filename == "bootstrap" else 0o100644) << 16
            info.compress_type = zipfile.ZIP_DEFLATED
            package.writestr(info, path.read_bytes(), compresslevel=9)
        entries = package.infolist()
    print(f"{'bytes':>12} {'zipped':>12}")
    for entry in entries:
        print(f"{entry.file_size:12,} {entry.compress_size:12,}  {entry.filename}")
    print(f"{sum(entry.file_size for entry in entries):12,} {out.stat().st_size:12,}  {out}")


def check_sizes(policies: Path) -> None:
    if (policies / "channels").is_dir():
        return
    lock = policies / "policies.lock"
    native = {it["component"] for it in tomllib.loads(lock.read_text()).get("native", [])} if lock.exists() else set()
    for path in sorted(policies.rglob("*.wasm")):
        name, size = path.relative_to(policies).as_posix(), path.stat().st_size
        if size > MOST_COMPILED and name not in native:
            sys.exit(f"error: `{name}` has {size:,} bytes and no machine code: the host would refuse the set")


if __name__ == "__main__":
    match sys.argv[1:]:
        case ["stage", policies, folder]:
            stage(Path(policies), Path(folder))
        case ["zip", folder, out]:
            zip_up(Path(folder), Path(out))
        case _:
            sys.exit(__doc__)
