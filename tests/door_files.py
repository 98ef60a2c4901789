"""Files of formats that libraries read, drawn byte by byte or by the libraries themselves."""

import io
import struct

import numpy as np

ROWS, COLUMNS = np.mgrid[:20, :24]
COLOURS = np.dstack([COLUMNS * 10, ROWS * 12, COLUMNS * ROWS % 256]).astype(np.uint8)
GREY = COLOURS[:, :, 2]
SIGNED = (COLUMNS * 40 + ROWS - 300).astype(np.int16)


def dicom(stored, how="MONOCHROME2", bits=None, frames=1, syntax="1.2.840.10008.1.2.1", **tags):
    """Return a DICOM file of an array, one frame after the other if there are several."""
    from pydicom.dataset import Dataset, FileMetaDataset
    from pydicom.uid import UID

    found = Dataset()
    found.file_meta = FileMetaDataset()
    found.file_meta.TransferSyntaxUID = UID(syntax)
    found.SOPClassUID = found.file_meta.MediaStorageSOPClassUID = "1.2.840.10008.5.1.4.1.1.7"
    found.SOPInstanceUID = found.file_meta.MediaStorageSOPInstanceUID = "1.2.3"
    frame = stored[0] if frames > 1 else stored
    found.Rows, found.Columns = frame.shape[:2]
    found.SamplesPerPixel = 1 if frame.ndim == 2 else 3
    if frame.ndim == 3:
        found.PlanarConfiguration = 0
    if frames > 1:
        found.NumberOfFrames = frames
    found.PhotometricInterpretation = how
    found.BitsAllocated = 8 * stored.dtype.itemsize
    found.BitsStored = bits or found.BitsAllocated
    found.HighBit = found.BitsStored - 1
    found.PixelRepresentation = int(stored.dtype.kind == "i")
    found.PixelData = stored.tobytes()
    for name, value in tags.items():
        setattr(found, name, value)
    file = io.BytesIO()
    found.save_as(file, enforce_file_format=True)
    return file.getvalue()


def fits(stored, *, extension=False, **cards):
    """Return a FITS file of one array, its values as they are stored, or a part to append."""
    bits = {"u1": 8, "i2": 16, "i4": 32, "i8": 64, "f4": -32, "f8": -64}[stored.dtype.str[1:]]
    first = {"XTENSION": "'IMAGE   '".ljust(20)} if extension else {"SIMPLE": "T"}
    said = first | {"BITPIX": bits, "NAXIS": stored.ndim}
    said |= {f"NAXIS{n}": size for n, size in enumerate(stored.shape[::-1], 1)} | cards
    said |= {"PCOUNT": 0, "GCOUNT": 1} if extension else {}
    head = "".join(f"{name:8}= {value!s:>20}".ljust(80) for name, value in said.items()) + "END"
    data = stored.astype(stored.dtype.newbyteorder(">")).tobytes()
    padded = head.encode().ljust(-(-len(head) // 2880) * 2880)
    return padded + data.ljust(-(-len(data) // 2880) * 2880, b"\0")


_FORMS = {1: "B", 2: "B", 3: "H", 4: "I", 5: "I", 10: "i"}


def dng(sensor, turn=1, white=4095):
    """Return a DNG file of what a sensor saw, red in its first row and column."""
    height, width = sensor.shape
    matrix = [n for row in np.eye(3, dtype=int).ravel() for n in (int(row), 1)]
    data = sensor.astype("<u2").tobytes()
    tags = [
        (254, 4, [0]), (256, 4, [width]), (257, 4, [height]), (258, 3, [16]), (259, 3, [1]),
        (262, 3, [32803]), (271, 2, b"Test\0"), (272, 2, b"Drawn\0"), (273, 4, [0]),
        (274, 3, [turn]), (277, 3, [1]), (278, 4, [height]), (279, 4, [len(data)]),
        (33421, 3, [2, 2]), (33422, 1, [0, 1, 1, 2]), (50706, 1, [1, 4, 0, 0]),
        (50708, 2, b"Test Drawn\0"), (50714, 3, [0]), (50717, 4, [white]),
        (50721, 10, matrix), (50728, 5, [1] * 6), (50778, 3, [21]),
    ]  # fmt: skip
    start = 8 + 2 + 12 * len(tags) + 4
    packed = {
        number: struct.pack(f"<{len(values)}{_FORMS[kind]}", *values)
        for number, kind, values in tags
    }
    outside = sum(len(content) for content in packed.values() if len(content) > 4)
    packed[273] = struct.pack("<I", start + outside)
    head, rest = struct.pack("<2sHIH", b"II", 42, 8, len(tags)), b""
    for number, kind, values in tags:
        content = packed[number]
        count = len(values) // 2 if kind in (5, 10) else len(values)
        head += struct.pack("<HHI", number, kind, count)
        if len(content) > 4:
            head += struct.pack("<I", start + len(rest))
            rest += content
        else:
            head += content.ljust(4, b"\0")
    return head + bytes(4) + rest + data
