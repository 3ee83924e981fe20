# SPDX-License-Identifier: MIT
"""GGUF version 3, as ggml's docs/gguf.md defines it: as much as one Llama in Q8_0 and F32 needs, little-endian."""

import os
import struct

import numpy as np

MAGIC = b"GGUF"
VERSION = 3
ALIGNMENT = 32

# Types of metadata values.
U32, I32, F32, BOOL, STRING, ARRAY = 4, 5, 6, 7, 8, 9
_SCALAR = {U32: "<I", I32: "<i", F32: "<f", BOOL: "<?"}

# Types of tensors.
TENSOR_F32, TENSOR_Q8_0 = 0, 8
Q8_0_VALUES = 32		# a block: one fp16 scale, then this many int8
Q8_0_BLOCK = np.dtype([("scale", "<f2"), ("values", "i1", (Q8_0_VALUES,))])


def quantise_q8_0(matrix):
    """The rows of a float32 matrix as Q8_0 blocks. Divides by the scale as stored, so fp16 costs no second rounding."""
    groups = matrix.astype(np.float32).reshape(-1, Q8_0_VALUES)
    scale = (np.abs(groups).max(axis=1) / 127).astype(np.float16)
    divisor = np.where(scale == 0, 1, scale).astype(np.float32)
    blocks = np.empty(len(groups), Q8_0_BLOCK)
    blocks["scale"] = scale
    blocks["values"] = np.clip(np.rint(groups / divisor[:, None]), -127, 127)
    return blocks


def dequantise_q8_0(blocks):
    return blocks["scale"].astype(np.float32)[:, None] * blocks["values"].astype(np.float32)


def _string(text):
    data = text.encode("utf-8")
    return struct.pack("<Q", len(data)) + data


def _value(kind, value):
    if kind == STRING:
        return _string(value)
    if kind == ARRAY:
        element, items = value
        return struct.pack("<IQ", element, len(items)) + b"".join(_value(element, item) for item in items)
    return struct.pack(_SCALAR[kind], value)


def _padding(size):
    return b"\0" * (-size % ALIGNMENT)


def write(path, metadata, tensors):
    """Writes a file in one step: a reader sees the old file or the new one.

    metadata maps a key to (type, value), an array's value being (element type, list). tensors maps a name to a float32
    array; a matrix is stored in Q8_0, a vector in F32.
    """
    head = [MAGIC, struct.pack("<IQQ", VERSION, len(tensors), len(metadata))]
    for key, (kind, value) in metadata.items():
        head += [_string(key), struct.pack("<I", kind), _value(kind, value)]

    body, offset = [], 0
    for name, array in tensors.items():
        if array.ndim == 2 and array.shape[1] % Q8_0_VALUES == 0:
            kind, data = TENSOR_Q8_0, quantise_q8_0(array).tobytes()
        elif array.ndim == 1:
            kind, data = TENSOR_F32, array.astype("<f4").tobytes()
        else:
            raise ValueError(f"{name}: no format for the shape {array.shape}")
        dimensions = array.shape[::-1]		# GGUF names the contiguous dimension first
        head += [_string(name), struct.pack(f"<I{len(dimensions)}QIQ", len(dimensions), *dimensions, kind, offset)]
        data += _padding(len(data))
        body.append(data)
        offset += len(data)

    head = b"".join(head)
    partial = f"{path}.tmp"
    with open(partial, "wb") as file:
        file.write(head + _padding(len(head)))
        file.writelines(body)
    os.replace(partial, path)


class _Cursor:
    """Reads through a file's bytes and refuses to leave them."""

    def __init__(self, path):
        self.path = path
        self.data = memoryview(open(path, "rb").read())
        self.position = 0

    def take(self, size):
        if size > len(self.data) - self.position:
            raise ValueError(f"{self.path}: {size} bytes wanted at {self.position}, the file has {len(self.data)}")
        self.position += size
        return self.data[self.position - size:self.position]

    def unpack(self, layout):
        return struct.unpack(layout, self.take(struct.calcsize(layout)))

    def string(self):
        return str(self.take(*self.unpack("<Q")), "utf-8")

    def value(self, kind):
        if kind == STRING:
            return self.string()
        if kind == ARRAY:
            element, count = self.unpack("<IQ")
            return [self.value(element) for _ in range(count)]
        if kind not in _SCALAR:
            raise ValueError(f"{self.path}: metadata of type {kind} at {self.position}, which no Quill model holds")
        return self.unpack(_SCALAR[kind])[0]


def read(path):
    """Returns (metadata, tensors): values by key, float32 arrays by name."""
    cursor = _Cursor(path)
    if cursor.take(4) != MAGIC:
        raise ValueError(f"{path}: not a GGUF file")
    version, n_tensors, n_metadata = cursor.unpack("<IQQ")
    if version != VERSION:
        raise ValueError(f"{path}: GGUF version {version}, {VERSION} wanted")
    metadata = {}
    for _ in range(n_metadata):
        key = cursor.string()
        metadata[key] = cursor.value(*cursor.unpack("<I"))
    infos = []
    for _ in range(n_tensors):
        name = cursor.string()
        shape = cursor.unpack(f"<{cursor.unpack('<I')[0]}Q")[::-1]
        infos.append((name, shape, *cursor.unpack("<IQ")))

    start = cursor.position + -cursor.position % ALIGNMENT
    tensors = {}
    for name, shape, kind, offset in infos:
        cursor.position = start + offset
        count = int(np.prod(shape))
        if kind == TENSOR_F32:
            array = np.frombuffer(cursor.take(4 * count), "<f4")
        elif kind == TENSOR_Q8_0:
            array = dequantise_q8_0(np.frombuffer(cursor.take(count // Q8_0_VALUES * Q8_0_BLOCK.itemsize), Q8_0_BLOCK))
        else:
            raise ValueError(f"{path}: {name}: tensor type {kind}, F32 or Q8_0 wanted")
        tensors[name] = array.reshape(shape)
    return metadata, tensors
