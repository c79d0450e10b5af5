"""Writes the golden files of the Safetensors tests with the reference implementation.

    python3 Tools/make_safetensors_fixtures.py > Tests/SafetensorsTests/GoldenFiles.swift

Needs numpy and safetensors (0.8.0 wrote the checked-in file). The tests build the same content by
hand in GoldenFileTests.swift; a golden file is written down as its three parts so that a reviewer
can read it: the length and the data as hexadecimal digits, the header as text.
"""

import textwrap

import numpy
import safetensors
import safetensors.numpy


def numbers():
    return safetensors.numpy.save(
        {
            "weights": numpy.array([[1, -2, 0.5], [3.25, -0.0, numpy.inf]], numpy.float32),
            "scalar": numpy.array(-1.5, numpy.float32),
            "precise": numpy.array([0.1, -1e300], numpy.float64),
            "counts": numpy.array([-1, 0, 2**62], numpy.int64),
            "nothing": numpy.zeros((0, 3), numpy.int64),
            "bytes": numpy.array([0, 127, 255], numpy.uint8),
        }
    )


def names():
    keys = [
        "",
        'quote" backslash\\ slash/',
        "\b\t\n\f\r\0\x1f\x7f",
        "naïve",
        "e\u0301",
        "模型.权重",
        "\U0001f600",
        "\uffff",
        "\u2028",
        "a",
        "A",
    ]
    return safetensors.numpy.save(
        {key: numpy.array(index, numpy.uint8) for index, key in enumerate(keys)}
    )


def metadata():
    return safetensors.numpy.save(
        {"x": numpy.array([1], numpy.float32)}, metadata={'format\n"': "näme\\\t\u0001"}
    )


def metadata_alone():
    return safetensors.numpy.save({}, metadata={"format": "pt"})


def types():
    widths = {
        "bool": 1, "float4_e2m1fn_x2": 1, "uint8": 1, "int8": 1,
        "float8_e5m2": 1, "float8_e4m3fn": 1, "float8_e8m0fnu": 1,
        "float8_e4m3fnuz": 1, "float8_e5m2fnuz": 1,
        "int16": 2, "uint16": 2, "float16": 2, "bfloat16": 2,
        "int32": 4, "uint32": 4, "float32": 4,
        "complex64": 8, "float64": 8, "int64": 8, "uint64": 8,
    }  # fmt: skip
    buffers = {
        name: numpy.arange(width, dtype=numpy.uint8) + 8 * index
        for index, (name, width) in enumerate(widths.items())
    }
    # Names that sort against the order of the types, so that only the types can decide.
    order = {name: chr(ord("a") + index) for index, name in enumerate(widths)}
    specs = {
        order[name]: safetensors.TensorSpec(
            dtype=name, shape=(1,), data_ptr=buffer.ctypes.data, data_len=buffer.nbytes
        )
        for name, buffer in buffers.items()
    }
    return bytes(safetensors.serialize(specs))


def swift_lines(text, indent):
    """The lines of a raw multi-line literal whose value has no line break."""
    pieces = []
    padding = len(text.rstrip())
    for index, character in enumerate(text):
        plain = character.isascii() and character.isprintable() and index < padding
        pieces.append(character if plain else "\\#u{%x}" % ord(character))
    lines, line = [], ""
    for piece in pieces:
        if len(line) + len(piece) > 80:
            lines.append(line + "\\#")
            line = ""
        line += piece
    return "\n".join(indent + entry for entry in lines + [line])


def swift_case(name, file):
    length = int.from_bytes(file[:8], "little")
    header, data = file[8 : 8 + length].decode(), file[8 + length :].hex()
    digits = "\n".join(" " * 8 + piece + "\\" for piece in textwrap.wrap(data, 80))
    return f'''\
  static let {name} = GoldenFile(
    length: "{file[:8].hex()}",
    header: #"""
{swift_lines(header, " " * 6)}
      """#,
    data: """
{digits[:-1].replace(" " * 8, " " * 6)}
      """)
'''


HEAD = """\
// Files written by the reference implementation, byte for byte, as its Python package gives them.
//
// Written by Tools/make_safetensors_fixtures.py; do not edit. What is in them is written down by
// hand in GoldenFileTests.swift, so that neither is derived from the other.

/// A file in the three parts of the format.
struct GoldenFile: Sendable {
  /// The eight bytes of the header's length, in hexadecimal digits.
  let length: String
  /// The header's text.
  let header: String
  /// The data, in hexadecimal digits.
  let data: String
}

extension GoldenFile {
"""


def main():
    files = {
        "empty": safetensors.numpy.save({}),
        "numbers": numbers(),
        "names": names(),
        "metadata": metadata(),
        "metadataAlone": metadata_alone(),
        "types": types(),
    }
    cases = "\n".join(swift_case(name, file) for name, file in files.items())
    print(HEAD + cases + "}")


if __name__ == "__main__":
    main()
