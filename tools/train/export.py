#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""Writes a checkpoint of train.py as GGUF, with the held-out bits per byte of its float32 weights in the metadata."""

import argparse
import dataclasses
import json
import os
import pathlib
import sys
import zipfile

import numpy as np

import gguf_file
import llama
from gguf_file import ARRAY, BOOL, F32, I32, STRING, U32

NAME = "Quill tiny"
LICENCE = "GPL-2.0-only"	# the training text's
DATASET = "Linux 6.12, Documentation/**/*.rst, the GPL-2.0 files (Debian package linux-source-6.12)"
QUANTISATION_VERSION = 2	# of ggml's block formats
MOSTLY_Q8_0 = 7			# general.file_type
TOKEN_NORMAL, TOKEN_CONTROL = 1, 3
DOCUMENT_END = 0


def save_checkpoint(path, config, weights):
    """Replaced in one step: a reader sees the old file or the new one."""
    partial = path.with_name(path.name + ".tmp.npz")
    np.savez(partial, config=json.dumps(dataclasses.asdict(config)), **weights)
    os.replace(partial, path)


def load_checkpoint(path):
    try:
        with np.load(path) as file:
            tensors = {name: file[name] for name in file.files}
        return llama.Config(**json.loads(str(tensors.pop("config")))), tensors
    except (zipfile.BadZipFile, KeyError, TypeError, ValueError) as error:
        raise ValueError(f"{path}: not a checkpoint of train.py: {error}") from error


def byte_vocabulary():
    """The 256 tokens in the spelling of the GPT-2 tokenizer: a printable byte is itself, the others are U+0100 and on.

    Of GGUF's tokenizers it is the one that maps every byte to the token of its number with no exception for spaces.
    """
    printable = {*range(ord("!"), ord("~") + 1), *range(0xa1, 0xad), *range(0xae, 0x100)}
    others = iter(range(0x100, 0x200))
    return [chr(byte if byte in printable else next(others)) for byte in range(256)]


def metadata(config, heldout_bpb):
    return {
        "general.architecture": (STRING, "llama"),
        "general.name": (STRING, NAME),
        "general.size_label": (STRING, "2.5M"),
        "general.license": (STRING, LICENCE),
        "general.languages": (ARRAY, (STRING, ["en"])),
        "general.datasets": (ARRAY, (STRING, [DATASET])),
        "general.alignment": (U32, gguf_file.ALIGNMENT),
        "general.file_type": (U32, MOSTLY_Q8_0),
        "general.quantization_version": (U32, QUANTISATION_VERSION),
        "llama.block_count": (U32, config.n_layers),
        "llama.context_length": (U32, config.context),
        "llama.embedding_length": (U32, config.d_model),
        "llama.feed_forward_length": (U32, config.d_ff),
        "llama.attention.head_count": (U32, config.n_heads),
        "llama.attention.head_count_kv": (U32, config.n_kv_heads),
        "llama.attention.key_length": (U32, config.head_dim),
        "llama.attention.value_length": (U32, config.head_dim),
        "llama.attention.layer_norm_rms_epsilon": (F32, config.rms_eps),
        "llama.rope.dimension_count": (U32, config.head_dim),
        "llama.rope.freq_base": (F32, config.rope_base),
        "llama.vocab_size": (U32, config.vocab),
        "tokenizer.ggml.model": (STRING, "gpt2"),
        "tokenizer.ggml.pre": (STRING, "gpt-2"),
        "tokenizer.ggml.tokens": (ARRAY, (STRING, byte_vocabulary())),
        "tokenizer.ggml.token_type": (ARRAY, (I32, [TOKEN_NORMAL if token != DOCUMENT_END else TOKEN_CONTROL
                                                    for token in range(config.vocab)])),
        "tokenizer.ggml.merges": (ARRAY, (STRING, [])),
        "tokenizer.ggml.bos_token_id": (U32, DOCUMENT_END),
        "tokenizer.ggml.eos_token_id": (U32, DOCUMENT_END),
        "tokenizer.ggml.add_bos_token": (BOOL, False),
        "tokenizer.ggml.add_eos_token": (BOOL, False),
        "quill.heldout_bpb_f32": (F32, heldout_bpb),
        "quill.heldout_definition": (STRING, llama.HELDOUT_DEFINITION),
    }


def export(checkpoint, heldout, output):
    config, tensors = load_checkpoint(checkpoint)
    bpb = llama.bits_per_byte(heldout.read_bytes(), config, llama.Float32(tensors))
    gguf_file.write(output, metadata(config, bpb), tensors)
    print(f"{output}: {output.stat().st_size:,} bytes, {sum(t.size for t in tensors.values()):,} parameters, "
          f"held out {bpb:.4f} bits per byte in float32")


def main():
    root = pathlib.Path(__file__).resolve().parents[2]
    parser = argparse.ArgumentParser(description="Write a checkpoint of train.py as GGUF (Q8_0).")
    parser.add_argument("checkpoint", type=pathlib.Path, help="quill-tiny.npz of train.py's --work")
    parser.add_argument("--output", type=pathlib.Path, default=root / "tools/models/quill-tiny.gguf", metavar="FILE",
                        help="the model (default tools/models/quill-tiny.gguf)")
    parser.add_argument("--heldout", type=pathlib.Path, default=root / "tools/models/heldout.txt", metavar="FILE",
                        help="the text to measure on (default tools/models/heldout.txt)")
    args = parser.parse_args()
    try:
        export(args.checkpoint, args.heldout, args.output)
    except (OSError, ValueError) as error:
        print(f"export: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
