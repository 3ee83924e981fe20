#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""Measures a Quill model on held-out text: as trained, as stored, and as the device's int8 scheme computes it.

Needs python3-numpy. quill-run measures the same on the device; see tools/models/README.md for the definition.
"""

import argparse
import json
import pathlib
import sys

import export
import gguf_file
import llama

LIMIT_PERCENT = 2.0


def load(path):
    metadata, tensors = gguf_file.read(path)
    try:
        config = llama.Config(n_layers=metadata["llama.block_count"], d_model=metadata["llama.embedding_length"],
                              n_heads=metadata["llama.attention.head_count"],
                              n_kv_heads=metadata["llama.attention.head_count_kv"],
                              head_dim=metadata["llama.rope.dimension_count"],
                              d_ff=metadata["llama.feed_forward_length"], context=metadata["llama.context_length"],
                              vocab=metadata["llama.vocab_size"],
                              rms_eps=metadata["llama.attention.layer_norm_rms_epsilon"],
                              rope_base=metadata["llama.rope.freq_base"])
        return config, tensors, metadata["quill.heldout_bpb_f32"]
    except KeyError as error:
        raise ValueError(f"{path}: no {error}: not written by train.py") from error


def measure(args):
    """Bits per byte by name. Without a checkpoint the float32 figure is the one the file carries."""
    config, tensors, float32 = load(args.model)
    text = args.heldout.read_bytes()
    if args.checkpoint:
        trained_config, trained = export.load_checkpoint(args.checkpoint)
        float32 = llama.bits_per_byte(text, trained_config, llama.Float32(trained))
    return {"float32": float32,
            "q8_0": llama.bits_per_byte(text, config, llama.Float32(tensors)),
            "device": llama.bits_per_byte(text, config, llama.Device(tensors))}


def report(figures, as_json):
    loss = {name: 100 * (bits / figures["float32"] - 1) for name, bits in figures.items()}
    if as_json:
        print(json.dumps({"bits_per_byte": figures, "loss_percent": loss}))
    else:
        for name, what in (("float32", "float32, as trained"), ("q8_0", "Q8_0, as stored, float32 arithmetic"),
                           ("device", "int8, the device's scheme")):
            print(f"{what:<38}{figures[name]:.4f} bits/byte {loss[name]:+.2f} %")
    return loss["device"] < LIMIT_PERCENT


def main():
    root = pathlib.Path(__file__).resolve().parents[2]
    parser = argparse.ArgumentParser(
        description="Held-out bits per byte of a Quill model: float32, Q8_0, and the device's int8 scheme.",
        epilog=f"Exits 1 if the int8 scheme loses {LIMIT_PERCENT:g} %% or more against float32.")
    parser.add_argument("model", type=pathlib.Path, nargs="?", default=root / "tools/models/quill-tiny.gguf",
                        help="the GGUF file (default tools/models/quill-tiny.gguf)")
    parser.add_argument("--checkpoint", type=pathlib.Path, metavar="NPZ",
                        help="measure float32 from train.py's weights (otherwise: the figure in the GGUF)")
    parser.add_argument("--heldout", type=pathlib.Path, default=root / "tools/models/heldout.txt", metavar="FILE",
                        help="the text (default tools/models/heldout.txt)")
    parser.add_argument("--json", action="store_true", help="print for programs")
    parser.add_argument("--sample", metavar="PROMPT", help="print a continuation of PROMPT by the int8 scheme instead")
    parser.add_argument("--length", type=int, default=400, help="of the sample, in bytes (default %(default)d)")
    parser.add_argument("--temperature", type=float, default=0.8, help="of the sample (default %(default)g)")
    parser.add_argument("--seed", type=int, default=1, help="of the sample (default %(default)d)")
    args = parser.parse_args()
    if args.temperature <= 0 or args.length < 0 or args.sample == "":
        parser.error("--temperature must be positive, --length not negative, --sample not empty")
    try:
        if args.sample is None:
            return 0 if report(measure(args), args.json) else 1
        config, tensors, _ = load(args.model)
        prompt = args.sample.encode()
        text = llama.sample(prompt, args.length, config, llama.Device(tensors), args.temperature, args.seed)
        print((prompt + text).decode("utf-8", "replace"))
    except (OSError, ValueError) as error:
        print(f"eval: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
