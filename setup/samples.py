"""Builds the archives of `sample_packages/`: names that no checkout should hold, and archives that attack.

    python setup/samples.py            writes them
    python setup/samples.py --check    exit 1 and a list when one differs from what is checked in

Every run on every machine gives the same bytes: no clock, no owner, no compression library (the deflate stream of
the bomb is written bit by bit). Nothing here is unpacked or written outside `sample_packages/`.
"""

from __future__ import annotations

import hashlib
import io
import struct
import sys
import tarfile
import unicodedata
import zlib
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

sys.path[:0] = [str(Path(__file__).resolve().parent.parent)]
from setup import samples_eark  # noqa: E402

SAMPLES = Path(__file__).resolve().parent.parent / "sample_packages"
MOMENT = 1_577_811_600  # 2020-01-01T00:00:00+07:00
DOS_TIME, DOS_DATE = 0, (2020 - 1980) << 9 | 1 << 5 | 1
UTF8, ENCRYPTED = 0x800, 0x1
STORED, DEFLATED = 0, 8


@dataclass(frozen=True, slots=True)
class Member:
    """A member of a zip as it is written: raw name, bytes in the archive, and what the headers say about them."""

    name: bytes
    data: bytes
    flags: int = 0
    method: int = STORED
    crc: int | None = None
    size: int | None = None


def member(name: str, data: bytes = b"") -> Member:
    """A plain member; a name that is not ASCII carries the UTF-8 flag."""
    return Member(name.encode(), data, 0 if name.isascii() else UTF8)


def zipped(members: Iterable[Member]) -> bytes:
    """A zip archive with exactly these members, in this order, whatever their names are."""
    body, directory, count = bytearray(), bytearray(), 0
    for one in members:
        crc = zlib.crc32(one.data) if one.crc is None else one.crc
        size = len(one.data) if one.size is None else one.size
        fields = (20, one.flags, one.method, DOS_TIME, DOS_DATE, crc, len(one.data), size, len(one.name), 0)
        mode = 0o40755 if one.name.endswith(b"/") else 0o100644
        directory += struct.pack("<IHHHHHHIIIHH", 0x02014B50, 3 << 8 | 20, *fields)
        directory += struct.pack("<HHHII", 0, 0, 0, mode << 16, len(body)) + one.name
        body += struct.pack("<IHHHHHIIIHH", 0x04034B50, *fields) + one.name + one.data
        count += 1
    end = struct.pack("<IHHHHIIH", 0x06054B50, 0, 0, count, count, len(directory), len(body), 0)
    return bytes(body + directory + end)


def tarred(members: Iterable[tuple[bytes, bytes | None]], links: dict[bytes, str] | None = None) -> bytes:
    """A tar in GNU format; a member without data is a folder. Names are raw bytes."""
    out = io.BytesIO()
    with tarfile.open(
        fileobj=out, mode="w", format=tarfile.GNU_FORMAT, encoding="utf-8", errors="surrogateescape"
    ) as tar:
        for name, data in members:
            info = tarfile.TarInfo(name.decode("utf-8", "surrogateescape"))
            info.mtime = MOMENT
            if data is None:
                info.type, info.mode = tarfile.DIRTYPE, 0o755
                tar.addfile(info)
            else:
                info.size = len(data)
                tar.addfile(info, io.BytesIO(data))
        for name, target in (links or {}).items():
            info = tarfile.TarInfo(name.decode("utf-8", "surrogateescape"))
            info.type, info.linkname, info.mtime = tarfile.SYMTYPE, target, MOMENT
            tar.addfile(info)
    return out.getvalue()


def gzipped(data: bytes) -> bytes:
    """A gzip stream of stored blocks."""
    out = bytearray(b"\x1f\x8b\x08\x00\x00\x00\x00\x00\x00\xff")
    for start in range(0, len(data), 0xFFFF):
        block = data[start : start + 0xFFFF]
        last = start + 0xFFFF >= len(data)
        out += struct.pack("<BHH", last, len(block), len(block) ^ 0xFFFF) + block
    return bytes(out + struct.pack("<II", zlib.crc32(data), len(data) & 0xFFFFFFFF))


def zeros_deflated(repeats: int) -> tuple[bytes, int]:
    """A deflate stream of 1 + 258 × `repeats` zero bytes, two bits for each 258, and the length of what it holds.

    RFC 1951 §3.2.7: one block with its own codes for the literal 0, the end, the longest repeat and distance 1.
    """
    bits: list[int] = []

    def number(value: int, width: int) -> None:
        bits.extend(value >> place & 1 for place in range(width))

    def code(text: str) -> None:
        bits.extend(int(bit) for bit in text)

    number(1, 1)  # last block
    number(2, 2)  # its own codes
    number(286 - 257, 5)
    number(0, 5)
    number(18 - 4, 4)
    lengths = {18: 1, 1: 2, 2: 2}
    for symbol in (16, 17, 18, 0, 8, 7, 9, 6, 10, 5, 11, 4, 12, 3, 13, 2, 14, 1):
        number(lengths.get(symbol, 0), 3)
    one, two, run = "10", "11", "0"
    code(two)  # literal 0 has two bits
    for zeros in (138, 117):  # literals 1 to 255 are not used
        code(run)
        number(zeros - 11, 7)
    code(two)  # the end has two bits
    code(run)
    number(28 - 11, 7)  # repeats 257 to 284 are not used
    code(one)  # repeat 285 (258 bytes) has one bit
    code(one)  # distance 1 has one bit
    code("10")  # literal 0
    # A repeat is two zero bits: whole bytes of them are bytes(n), the ends are laid bit by bit.
    before = min(repeats * 2, -len(bits) % 8)
    code("0" * before)
    whole, rest = divmod(repeats * 2 - before, 8)
    tail = "0" * rest + "11"  # the end
    if len(bits) % 8:  # so few repeats that all lies in the last byte begun
        code(tail)
        return _packed(bits), 1 + 258 * repeats
    return _packed(bits) + bytes(whole) + _packed([int(bit) for bit in tail]), 1 + 258 * repeats


def _packed(bits: list[int]) -> bytes:
    """Bits as bytes, the first one lowest."""
    return bytes(sum(bit << place for place, bit in enumerate(bits[at : at + 8])) for at in range(0, len(bits), 8))


def crc_of_zeros(size: int) -> int:
    crc, block = 0, bytes(1 << 20)
    for _ in range(size >> 20):
        crc = zlib.crc32(block, crc)
    return zlib.crc32(bytes(size & (1 << 20) - 1), crc)


def encrypted(name: str, data: bytes, password: bytes) -> Member:
    """A member under the traditional PKWARE encryption (APPNOTE 6.1): real, so a right reader can tell it is one."""
    table = [_crc_step(n) for n in range(256)]
    keys = [0x12345678, 0x23456789, 0x34567890]

    def update(byte: int) -> None:
        keys[0] = table[(keys[0] ^ byte) & 0xFF] ^ keys[0] >> 8
        keys[1] = ((keys[1] + (keys[0] & 0xFF)) * 134775813 + 1) & 0xFFFFFFFF
        keys[2] = table[(keys[2] ^ keys[1] >> 24) & 0xFF] ^ keys[2] >> 8

    for byte in password:
        update(byte)
    crc = zlib.crc32(data)
    out = bytearray()
    for byte in bytes(11) + bytes([crc >> 24]) + data:
        temp = (keys[2] | 2) & 0xFFFF
        out.append(byte ^ (temp * (temp ^ 1) >> 8 & 0xFF))
        update(byte)
    return Member(name.encode(), bytes(out), UTF8 | ENCRYPTED, STORED, crc, len(data))


def _crc_step(byte: int) -> int:
    for _ in range(8):
        byte = byte >> 1 ^ (0xEDB88320 if byte & 1 else 0)
    return byte


def source(path: str) -> bytes:
    """Bytes of a file that is checked in among the samples."""
    return (SAMPLES / path).read_bytes()


def text(title: str, body: str) -> bytes:
    return f"{title.upper()} (tài liệu mẫu)\n{body}\n".encode()


LETTER = text("Công văn số 71/SNV-VTLT", "Về việc: gửi kèm tài liệu ghi âm hội nghị.")
MINUTES = text("Biên bản họp", "Thành phần: các phòng thuộc Sở Nội vụ tỉnh Ví Dụ. Chủ trì: ông Nguyễn Văn Mẫu.")


def strange_names() -> bytes:
    """Names that some file system refuses or changes, and folders with nothing in them."""
    root = "Phông số 12/"
    long = "Báo cáo tổng hợp tình hình thực hiện nhiệm vụ văn thư, lưu trữ và ứng dụng công nghệ thông tin " * 4
    names = [
        root + unicodedata.normalize("NFD", "Biên bản họp.txt"),
        root + "Ghi chú.",
        root + "Tờ trình\nsố 5.txt",
        root + long[:296] + ".txt",
        root + " đầu và cuối có dấu cách ",
        root + "100% hoàn thành.txt",
    ]
    members: list[tuple[bytes, bytes | None]] = [
        (name.encode(), text(f"Tài liệu {number}", "Tên tệp đặc biệt.")) for number, name in enumerate(names, 1)
    ]
    tcvn3 = b"Quy\xd5t \xae\xdenh.txt"  # "Quyết định.txt" as a machine of 1998 wrote it
    members.append((root.encode() + tcvn3, b"Quy\xd5t \xae\xdenh s\xe8 7 (t\xb5i li\xd6u m\xc9u)\n"))
    members += [(f"{root}{name}/".encode(), None) for name in ("Tập rỗng", "Năm 1998/Quý IV")]
    return tarred(members)


def hostile_names() -> bytes:
    """Names that attack what shows them: formulas, escape sequences, HTML, Markdown, braces, turned writing."""
    names = [
        '=HYPERLINK("http:⁄⁄example.org","Bấm vào đây").txt',
        "+cmd|' ⁄C calc'!A0.txt",
        "@SUM(1+1)*cmd|'A0'.txt",
        "-2+3.txt",
        "<img src=x onerror=alert(1)>.txt",
        "[Bấm vào đây](javascript:alert(1)).txt",
        "| a | b |.txt",
        "`rm -rf`; $(reboot).txt",
        "{flow_run.name} {0!r} %s %(name)s.txt",
        "\x1b[31mđỏ\x1b[0m\x07.txt",
        "Hóa đơn \u202etxt.exe",
        "&lt;b&gt; 'nháy' \"kép\".txt",
    ]
    return zipped(
        member(f"Tên nguy hiểm/{name}", text(f"Tệp {n}", "Nội dung vô hại.")) for n, name in enumerate(names, 1)
    )


def recording() -> bytes:
    return zipped(
        [
            member("Ghi âm hội nghị/"),
            member("Ghi âm hội nghị/metadata/metadata.csv", RECORDING_CSV),
            member("Ghi âm hội nghị/objects/Phần 1.wav", _tone()),
            member("Ghi âm hội nghị/objects/Công văn 71.txt", LETTER),
            member("Ghi âm hội nghị/objects/Bản gỡ băng/"),
        ]
    )


RECORDING_CSV = (
    "filename,dc.title,dc.creator,dc.date,dc.language,dc.type\n"
    "objects,Ghi âm hội nghị tổng kết năm 1999,Văn phòng Ủy ban nhân dân tỉnh Ví Dụ,1999-12-28,vi,Sound\n"
    "objects/Phần 1.wav,Phần 1: khai mạc,Văn phòng Ủy ban nhân dân tỉnh Ví Dụ,1999-12-28,vi,Sound\n"
).encode()


def _tone() -> bytes:
    """Half a second of a square wave: PCM, 8 kHz, 8 bit, mono."""
    data = bytes(0x60 if at // 9 % 2 else 0xA0 for at in range(4000))
    form = struct.pack("<4sIHHIIHH", b"fmt ", 16, 1, 1, 8000, 8000, 1, 8)
    return (
        b"RIFF"
        + struct.pack("<I", 4 + len(form) + 8 + len(data))
        + b"WAVE"
        + form
        + struct.pack("<4sI", b"data", len(data))
        + data
    )


def bag(root: str, payload: dict[str, bytes]) -> list[tuple[bytes, bytes | None]]:
    """Members of a bag 1.0 with SHA-512, names encoded by RFC 8493 §2.1.3."""

    def encode(name: str) -> str:
        return name.replace("%", "%25").replace("\n", "%0A").replace("\r", "%0D")

    files = {f"data/{name}": data for name, data in payload.items()}
    tags = {
        "bagit.txt": b"BagIt-Version: 1.0\nTag-File-Character-Encoding: UTF-8\n",
        "bag-info.txt": (
            "Source-Organization: Ủy ban nhân dân xã Thử Nghiệm\n"
            "External-Identifier: XTN-2025-03\nBagging-Date: 2025-07-01\n"
            f"Payload-Oxum: {sum(map(len, payload.values()))}.{len(payload)}\n"
        ).encode(),
        "manifest-sha512.txt": "".join(
            f"{hashlib.sha512(data).hexdigest()}  {encode(name)}\n" for name, data in files.items()
        ).encode(),
    }
    tags["tagmanifest-sha512.txt"] = "".join(
        f"{hashlib.sha512(data).hexdigest()}  {name}\n" for name, data in tags.items()
    ).encode()
    return [(f"{root}/{name}".encode(), data) for name, data in (tags | files).items()]


def bag_in_tar_gz() -> bytes:
    payload = {
        "Bàn giao khi sáp nhập/Danh mục 100%.txt": text("Danh mục hồ sơ bàn giao", "Đã hoàn thành 100%."),
        "Bàn giao khi sáp nhập/Tờ trình\nsố 8.txt": text("Tờ trình số 8", "Tên tệp có ký tự xuống dòng."),
        "Bàn giao khi sáp nhập/" + unicodedata.normalize("NFD", "Biên bản.txt"): MINUTES,
    }
    return gzipped(tarred(bag("Túi hồ sơ xã Thử Nghiệm", payload)))


def below(files: dict[str, bytes], root: str) -> list[tuple[bytes, bytes | None]]:
    """Members of an archive with these files in one root folder."""
    return [(f"{root}/{name}".encode(), data) for name, data in files.items()]


def tt05_sip() -> bytes:
    """A SIP_hoso by Circular 05/2025/TT-BNV, clean: `validate --profile tt05` accepts it, no profile takes it in."""
    from tests.packages.tt05.build import build
    from tests.packages.tt05.fault import cut
    from tests.packages.tt05.shape import Doc, plain

    told = {"issuedDate": "17/12/1999", "organName": "Sở Nội vụ tỉnh Ví Dụ", "codeNumber": "71"}
    letter = Doc("doc", "txt", LETTER, {**told, "typeName": "22", "codeNotation": "SNV-VTLT"})
    minutes = Doc("doc", "txt", MINUTES, {**told, "typeName": "20", "codeNotation": "", "codeNumber": ""})
    year = {"title": "Hồ sơ hội nghị tổng kết năm 1999", "startDate": "01/12/1999", "endDate": "31/12/1999"}
    once = cut("schemas/mets1_12.xsd")
    built = build(plain(code="H99.01.1999.71", ead=year, documents=(letter, minutes), before=(once,)))
    return zipped(member(f"{built.folder}/{name}", data) for name, data in sorted(built.files.items()))


def bomb() -> bytes:
    """One member that grows a thousandfold."""
    deflated, size = zeros_deflated(300_000)
    return zipped([Member("Bản đồ địa chính.tif".encode(), deflated, UTF8, DEFLATED, crc_of_zeros(size), size)])


def truncated() -> bytes:
    whole = zipped([member("Hồ sơ số 9/Công văn 71.txt", LETTER), member("Hồ sơ số 9/Biên bản họp.txt", MINUTES)])
    return whole[: len(whole) * 2 // 3]


def transfer() -> dict[str, bytes]:
    """A transfer in Archivematica's layout: objects, descriptions, rights, checksums, papers, copies made by hand."""
    objects = {"objects/Công văn 71.txt": LETTER, "objects/Biên bản/Biên bản họp.txt": MINUTES}
    digests = "".join(f"{hashlib.sha256(data).hexdigest()}  ../{name}\n" for name, data in objects.items())
    return objects | {
        "manualNormalization/preservation/Công văn 71.utf8.txt": LETTER + "(bản bảo quản)\n".encode(),
        "manualNormalization/access/Biên bản/Biên bản họp.txt": MINUTES[:40],
        "manualNormalization/normalization.csv": (
            "# original, access, preservation\n"
            "Công văn 71.txt,,manualNormalization/preservation/Công văn 71.utf8.txt\n"
        ).encode(),
        "metadata/metadata.csv": (
            "filename,dc.title,dc.creator,dc.date\n"
            "objects,Hồ sơ chuyển giao số 5,Sở Nội vụ tỉnh Ví Dụ,2020\n"
            "objects/Công văn 71.txt,Công văn số 71,Sở Nội vụ tỉnh Ví Dụ,2020-01-15\n"
        ).encode(),
        "metadata/rights.csv": (
            "file,basis,status,determination_date,jurisdiction,start_date,end_date,terms,citation,note,grant_act,"
            "grant_restriction,grant_start_date,grant_end_date,grant_note,doc_id_type,doc_id_value,doc_id_role\n"
            "objects/Công văn 71.txt,copyright,copyrighted,2020-01-01,vn,2020-01-15,2095-01-15,,,Tác giả là cơ quan,"
            "disseminate,Allow,2020-01-15,open,Được công bố,URI,TT-71,thỏa thuận\n"
            "objects,statute,,,vn,,,,Luật Lưu trữ số 33/2024/QH15,Thời hạn bảo quản 20 năm,delete,Disallow,2020-01-15,"
            "2040-01-15,Chỉ hủy sau thời hạn,,,\n"
            "objects/Biên bản,policy,,,,,,,,Chỉ đọc tại chỗ,display,Conditional,2020-01-15,open,,,,\n"
        ).encode(),
        "metadata/checksum.sha256": digests.encode(),
        "metadata/submissionDocumentation/Biên bản giao nhận.txt": MINUTES,
    }


ARCHIVES: dict[str, Callable[[], bytes]] = {
    "accepted--ok--ten-la.tar": strange_names,
    "accepted--ok--ten-nguy-hiem.zip": hostile_names,
    "accepted--ok--ghi-am-hoi-nghi.zip": recording,
    "accepted--ok--tui-trong-tep-nen.tar.gz": bag_in_tar_gz,
    "accepted--ok--chuyen-giao-archivematica.zip": lambda: zipped(
        member(f"Chuyển giao số 5/{name}", data) for name, data in transfer().items()
    ),
    "accepted--ok--zip-mang-ten-tar.tar": lambda: zipped([member("Biên bản/Biên bản họp.txt", MINUTES)]),
    "accepted--ok--sip-eark.tar": lambda: tarred(below(samples_eark.good(LETTER, MINUTES), samples_eark.GOOD)),
    "accepted--ok--sip-eark-tach-phan.zip": lambda: zipped(
        member(f"uuid-9c2d7a10-3b0e-5d52-8a57-4c1d7c2e9b02/{name}", data)
        for name, data in samples_eark.split(LETTER).items()
    ),
    "rejected--CSIP71--tui-chua-sip-eark-sai.tar": lambda: tarred(
        bag("Túi chứa gói E-ARK", samples_eark.altered(LETTER))
    ),
    "rejected--CSIP71--sip-eark-sai-ma-bam.tar": lambda: tarred(
        below(samples_eark.altered(LETTER), "uuid-44d1b1c0-51f0-5a1f-8f0a-bb0f66c1f504")
    ),
    "rejected--PKG-KIND--sip-thong-tu-05.zip": tt05_sip,
    "rejected--PKG-EMPTY--thu-muc-rong.zip": lambda: zipped([member("Thư mục rỗng/")]),
    "rejected--PKG-CLIMBING--leo-thu-muc.zip": lambda: zipped(
        [
            member("Hồ sơ/Công văn.txt", LETTER),
            member("../../../thoát ra ngoài.txt", b"x\n"),
            member("/tuyệt đối.txt", b"x\n"),
        ]
    ),
    "rejected--PKG-LINK--lien-ket.tar": lambda: tarred(
        [("Hồ sơ/Công văn.txt".encode(), LETTER)], {"Hồ sơ/mật khẩu.txt".encode(): "/etc/passwd"}
    ),
    "rejected--PKG-ZIP-TRUNCATED--bi-cat-cut.zip": truncated,
    "rejected--PKG-ZIP-ENCRYPTED--co-mat-khau.zip": lambda: zipped(
        [encrypted("Hồ sơ mật/Công văn 71.txt", LETTER, b"luutru")]
    ),
    "rejected--PKG-BOMB--bom-nen.zip": bomb,
}


def main(arguments: list[str], folder: Path = SAMPLES) -> int:
    different = []
    for name, build in ARCHIVES.items():
        target, made = folder / name, build()
        if "--check" in arguments:
            if not target.is_file() or target.read_bytes() != made:
                different.append(name)
        else:
            target.write_bytes(made)
    for name in different:
        print(f"differs from what setup/samples.py builds: sample_packages/{name}", file=sys.stderr)
    return 1 if different else 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
