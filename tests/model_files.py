"""Model files with other claims and the right checksum, made with the standard library."""

import hashlib
import json
import struct


def parts(content):
    """Return a model file's header, its description and its arrays."""
    length = struct.unpack("<Q", content[:8])[0]
    header = json.loads(content[8 : 8 + length])
    return header, json.loads(header["__metadata__"]["convtool"]), content[8 + length :]


def joined(header, about, data, *, sealed=True):
    """Return the file of these parts, with its checksum unless it is to have none."""
    if "__metadata__" in header:
        header["__metadata__"]["convtool"] = about if isinstance(about, str) else json.dumps(about)
        header["__metadata__"].pop("sha256", None)
        if sealed:
            found = hashlib.sha256(json.dumps(header, sort_keys=True).encode())
            found.update(data)
            header["__metadata__"]["sha256"] = found.hexdigest()
    text = json.dumps(header).encode()
    return struct.pack("<Q", len(text)) + text + data


def changed(content, change):
    """Return a model file after ``change(header, about)``, with the right checksum."""
    header, about, data = parts(content)
    change(header, about)
    return joined(header, about, data)
