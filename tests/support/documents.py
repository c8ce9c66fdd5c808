"""Documents made in the test: small, whole, and of every kind that is taken. Nobody in them exists."""

from __future__ import annotations

import io
import zipfile
from typing import Any

import av
import numpy as np
import pydicom
from PIL import Image
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.encaps import encapsulate
from pydicom.uid import CTImageStorage, ExplicitVRLittleEndian, JPEGBaseline8Bit, RLELossless, generate_uid


def picture(width: int = 60, height: int = 40, mode: str = "RGB") -> Image.Image:
    """Dark on the left, bright on the right, red in the upper left corner where there is colour."""
    grey = np.tile(np.linspace(0, 255, width, dtype=np.uint8), (height, 1))
    image = Image.fromarray(grey).convert(mode)
    if mode in ("RGB", "RGBA"):
        image.paste((255, 0, 0), (0, 0, width // 4, height // 4))
    return image


def encoded(image: Image.Image, form: str, **options: Any) -> bytes:
    out = io.BytesIO()
    image.save(out, form, **options)
    return out.getvalue()


def jpeg(width: int = 60, height: int = 40, *, turn: int = 1) -> bytes:
    """With Exif: a place, a maker and how the camera was held."""
    exif = Image.Exif()
    exif[0x0112] = turn
    exif[0x010F] = "MARKED MAKER"
    exif[0x8825] = {1: "N", 2: (43.0, 14.0, 0.0)}
    return encoded(picture(width, height), "JPEG", exif=exif, quality=90)


def png(width: int = 60, height: int = 40, mode: str = "RGB") -> bytes:
    return encoded(picture(width, height, mode), "PNG")


def heic(width: int = 64, height: int = 48) -> bytes:
    import pillow_heif

    out = io.BytesIO()
    pillow_heif.from_pillow(picture(width, height)).save(out, quality=80)
    return out.getvalue()


def pdf(pages: int = 3, *, words: str = "") -> bytes:
    """Each page is a grey field, darker from page to page; `words` are added to its catalogue."""
    objects = [f"<</Type/Catalog/Pages 2 0 R{words}>>"]
    kids = " ".join(f"{3 + 2 * n} 0 R" for n in range(pages))
    objects.append(f"<</Type/Pages/Kids[{kids}]/Count {pages}>>")
    for number in range(pages):
        drawn = f"{1 - (number + 1) / (pages + 1):.3f} g 20 20 160 250 re f"
        objects.append(f"<</Type/Page/Parent 2 0 R/MediaBox[0 0 200 290]/Contents {4 + 2 * number} 0 R>>")
        objects.append(f"<</Length {len(drawn)}>>stream\n{drawn}\nendstream")
    out, offsets = b"%PDF-1.7\n", []
    for number, body in enumerate(objects, 1):
        offsets.append(len(out))
        out += f"{number} 0 obj{body}endobj\n".encode()
    table = "".join(f"{offset:010} 00000 n \n" for offset in offsets)
    return (
        out
        + (
            f"xref\n0 {len(objects) + 1}\n0000000000 65535 f \n{table}"
            f"trailer<</Size {len(objects) + 1}/Root 1 0 R>>\nstartxref\n{len(out)}\n%%EOF\n"
        ).encode()
    )


def film(
    form: str = "mp4", codec: str = "libx264", *, seconds: float = 2.0, size: tuple[int, int] = (96, 64)
) -> bytes:
    out = io.BytesIO()
    with av.open(out, "w", format=form) as container:
        stream = container.add_stream(codec, rate=10)
        stream.width, stream.height = size
        stream.pix_fmt = "yuv420p"
        for number in range(round(seconds * 10)):
            image = picture(*size)
            image.paste((0, number * 5 % 255, 255), (0, 30, 20, 60))
            container.mux(stream.encode(av.VideoFrame.from_image(image)))
        container.mux(stream.encode())
    return out.getvalue()


def dicom(
    *,
    name: str = "TEST^ALPHA",
    number: str = "T-1",
    birth: str = "19610407",
    sex: str = "F",
    frames: int = 1,
    size: tuple[int, int] = (24, 16),
    instance: int = 1,
    series: int = 1,
    syntax: str = ExplicitVRLittleEndian,
    charset: str = "",
    **tags: Any,
) -> bytes:
    """A CT picture: 16 bits, values that grow from left to right. `instance` makes it brighter."""
    meta = FileMetaDataset()
    meta.MediaStorageSOPClassUID = CTImageStorage
    meta.MediaStorageSOPInstanceUID = generate_uid(entropy_srcs=[str((series, instance))])
    meta.TransferSyntaxUID = syntax
    ds = Dataset()
    ds.file_meta = meta
    if charset:
        ds.SpecificCharacterSet = charset.split("\\")
    ds.SOPClassUID, ds.SOPInstanceUID = meta.MediaStorageSOPClassUID, meta.MediaStorageSOPInstanceUID
    ds.PatientName, ds.PatientID, ds.PatientBirthDate, ds.PatientSex = name, number, birth, sex
    ds.StudyInstanceUID = generate_uid(entropy_srcs=["study", name])
    ds.SeriesInstanceUID = generate_uid(entropy_srcs=["series", str(series)])
    ds.StudyDate, ds.StudyDescription, ds.InstitutionName = "20260301", "Abdomen", "Test hospital"
    ds.Modality, ds.SeriesNumber, ds.InstanceNumber, ds.SeriesDescription = (
        "CT",
        series,
        instance,
        f"Series {series}",
    )
    columns, rows = size
    ds.Rows, ds.Columns, ds.SamplesPerPixel, ds.PhotometricInterpretation = rows, columns, 1, "MONOCHROME2"
    ds.BitsAllocated, ds.BitsStored, ds.HighBit, ds.PixelRepresentation = 16, 12, 11, 0
    ds.RescaleSlope, ds.RescaleIntercept = 1, -1024
    ds.WindowCenter, ds.WindowWidth = 40, 400
    one = np.tile(np.linspace(800 + instance, 1400 + instance, columns, dtype=np.uint16), (rows, 1))
    pixels = np.stack([one + 40 * n for n in range(frames)])
    if frames > 1:
        ds.NumberOfFrames = frames
    if syntax == JPEGBaseline8Bit:
        ds.BitsAllocated, ds.BitsStored, ds.HighBit = 8, 8, 7
        del ds.RescaleIntercept, ds.RescaleSlope, ds.WindowCenter, ds.WindowWidth
        ds.PixelData = encapsulate([encoded(picture(columns, rows, "L"), "JPEG") for _ in range(frames)])
    elif syntax in (ExplicitVRLittleEndian, RLELossless):
        ds.PixelData = pixels.tobytes()
    for word, value in tags.items():
        setattr(ds, word, value)
    out = io.BytesIO()
    if syntax == RLELossless:
        meta.TransferSyntaxUID = ExplicitVRLittleEndian
        ds.compress(RLELossless)
    pydicom.dcmwrite(out, ds, enforce_file_format=True)
    return out.getvalue()


def zipped(files: dict[str, bytes], method: int = zipfile.ZIP_DEFLATED) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", method) as archive:
        for name, data in files.items():
            archive.writestr(name, data)
    return out.getvalue()


def study(images: int = 4) -> dict[str, bytes]:
    """Two series, named against their order."""
    return {
        f"DICOM/S{series}/IM{images - n:03}": dicom(series=series, instance=n + 1)
        for series in (2, 1)
        for n in range(images)
    }
