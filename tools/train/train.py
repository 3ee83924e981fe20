#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""Trains the small Llama that Quill ships and writes it as GGUF.

Needs python3-torch and python3-numpy. The learning rate follows the clock, not a count of steps, so that the run takes
the time it was given on any machine; a checkpoint is written every two minutes, and the first SIGINT or SIGTERM ends
the training early with a model that is usable. The float32 weights stay in --work; the GGUF goes to --output.
"""

import argparse
import math
import pathlib
import signal
import sys
import time

import numpy as np
import torch
from torch import nn
from torch.nn import functional as F

import corpus
import export
from llama import Config

CONFIG = Config(n_layers=4, d_model=256, n_heads=4, n_kv_heads=2, head_dim=64, d_ff=512, context=512)

BATCH_BYTES = 4096
# Short windows first: attention costs less there, and most of what a byte model learns early is local.
CONTEXT_SCHEDULE = ((0.0, 256), (0.6, 512))	# (fraction of the time, window)
PEAK_LR = 2e-3
FINAL_LR = 3e-5
WARMUP_STEPS = 100
WEIGHT_DECAY = 0.1
GRADIENT_CLIP = 1.0
CHECKPOINT_SECONDS = 120
PROGRESS_SECONDS = 30
GLANCE_BYTES = 8192	# of the held-out text, for the progress line


class RMSNorm(nn.Module):
    def __init__(self, config):
        super().__init__()
        self.eps = config.rms_eps
        self.weight = nn.Parameter(torch.ones(config.d_model))

    def forward(self, x):
        return x * torch.rsqrt(x.square().mean(-1, keepdim=True) + self.eps) * self.weight


def rotate(x, cos, sin):
    """RoPE on neighbouring pairs (x[2i], x[2i+1]): the convention of GGUF's "llama", so that export permutes nothing."""
    even, odd = x.unflatten(-1, (-1, 2)).unbind(-1)
    return torch.stack((even * cos - odd * sin, even * sin + odd * cos), -1).flatten(-2)


class Block(nn.Module):
    def __init__(self, config):
        super().__init__()
        self.config = config
        d, kv = config.d_model, config.n_kv_heads * config.head_dim
        self.attn_norm = RMSNorm(config)
        self.attn_q = nn.Linear(d, config.n_heads * config.head_dim, bias=False)
        self.attn_k = nn.Linear(d, kv, bias=False)
        self.attn_v = nn.Linear(d, kv, bias=False)
        self.attn_output = nn.Linear(config.n_heads * config.head_dim, d, bias=False)
        self.ffn_norm = RMSNorm(config)
        self.ffn_gate = nn.Linear(d, config.d_ff, bias=False)
        self.ffn_up = nn.Linear(d, config.d_ff, bias=False)
        self.ffn_down = nn.Linear(config.d_ff, d, bias=False)

    def attention(self, x, cos, sin, mask):
        batch, length, _ = x.shape
        kv, group, dim = self.config.n_kv_heads, self.config.n_heads // self.config.n_kv_heads, self.config.head_dim
        q = self.attn_q(x).view(batch, length, kv, group, dim).permute(0, 2, 3, 1, 4)
        k = self.attn_k(x).view(batch, length, kv, dim).transpose(1, 2)
        v = self.attn_v(x).view(batch, length, kv, dim).transpose(1, 2)
        q = rotate(q, cos, sin).flatten(2, 3)	# the heads of a group share K and V: stack them as more rows
        scores = (q @ rotate(k, cos, sin).transpose(-1, -2)).view(batch, kv, group, length, length)
        weights = torch.softmax(scores * dim ** -0.5 + mask, -1)
        mixed = (weights.to(v.dtype).flatten(2, 3) @ v).view(batch, kv, group, length, dim)
        return self.attn_output(mixed.permute(0, 3, 1, 2, 4).reshape(batch, length, -1))

    def forward(self, x, cos, sin, mask):
        x = x + self.attention(self.attn_norm(x), cos, sin, mask)
        h = self.ffn_norm(x)
        return x + self.ffn_down(F.silu(self.ffn_gate(h)) * self.ffn_up(h))


class Llama(nn.Module):
    """Submodules carry the names of GGUF's tensors: the state dict's names are the file's."""

    def __init__(self, config):
        super().__init__()
        self.token_embd = nn.Embedding(config.vocab, config.d_model)
        self.blk = nn.ModuleList(Block(config) for _ in range(config.n_layers))
        self.output_norm = RMSNorm(config)
        self.output = nn.Linear(config.d_model, config.vocab, bias=False)

        frequency = config.rope_base ** (-torch.arange(0, config.head_dim, 2) / config.head_dim)
        angle = torch.arange(config.context)[:, None] * frequency
        self.register_buffer("cos", angle.cos().bfloat16(), persistent=False)
        self.register_buffer("sin", angle.sin().bfloat16(), persistent=False)
        mask = torch.full((config.context, config.context), -1e9).triu(1)
        self.register_buffer("mask", mask.bfloat16(), persistent=False)

        for name, weight in self.named_parameters():
            if weight.dim() == 2:
                nn.init.normal_(weight, std=0.02)
            if name.endswith(("attn_output.weight", "ffn_down.weight")):	# the residual stream sums 2 of each layer
                nn.init.normal_(weight, std=0.02 / math.sqrt(2 * config.n_layers))

    def forward(self, tokens):
        length = tokens.shape[1]
        x = self.token_embd(tokens)
        for block in self.blk:
            x = block(x, self.cos[:length], self.sin[:length], self.mask[:length, :length])
        return self.output(self.output_norm(x))


def loss_of(model, windows):
    """Mean nats per byte. bfloat16 matrix products: Debian's torch has no fast float32 ones."""
    with torch.autocast("cpu", dtype=torch.bfloat16):
        logits = model(windows[:, :-1])
    return F.cross_entropy(logits.float().flatten(0, 1), windows[:, 1:].flatten())


def to_tensor(data):
    return torch.from_numpy(np.frombuffer(data, dtype=np.uint8).astype(np.int64))


def save(model, path):
    """The float32 weights, replaced in one step: a reader never sees half a file."""
    weights = {name: weight.detach().numpy() for name, weight in model.named_parameters()}
    export.save_checkpoint(path, CONFIG, weights)


def resume(model, path):
    config, weights = export.load_checkpoint(path)
    if config != CONFIG:
        raise ValueError(f"{path}: holds another model: {config}")
    model.load_state_dict({name: torch.from_numpy(weight) for name, weight in weights.items()})


def train(model, text, heldout, seconds, checkpoint):
    text = to_tensor(text)
    glance = to_tensor(heldout[:GLANCE_BYTES])
    matrices = [p for p in model.parameters() if p.dim() == 2]
    norms = [p for p in model.parameters() if p.dim() == 1]
    optimizer = torch.optim.AdamW([{"params": matrices, "weight_decay": WEIGHT_DECAY},
                                   {"params": norms, "weight_decay": 0.0}],
                                  betas=(0.9, 0.95), foreach=True)
    print(f"{sum(p.numel() for p in model.parameters()):,} parameters, {len(text):,} bytes of text, "
          f"{seconds / 60:.0f} minutes", flush=True)

    stop = []

    def finish_early(number, frame):
        stop.append(number)
        signal.signal(number, signal.SIG_DFL)	# a second one ends the program

    signal.signal(signal.SIGINT, finish_early)
    signal.signal(signal.SIGTERM, finish_early)

    start = time.monotonic()
    next_progress, next_checkpoint = 0.0, CHECKPOINT_SECONDS
    step = seen = 0
    while not stop:
        elapsed = time.monotonic() - start
        if elapsed >= seconds:
            break
        done = elapsed / seconds
        length = max(window for since, window in CONTEXT_SCHEDULE if done >= since)
        rate = FINAL_LR + (PEAK_LR - FINAL_LR) * 0.5 * (1 + math.cos(math.pi * done))
        for group in optimizer.param_groups:
            group["lr"] = rate * min(1.0, (step + 1) / WARMUP_STEPS)

        begin = torch.randint(len(text) - length, (BATCH_BYTES // length, 1))
        loss = loss_of(model, text[begin + torch.arange(length + 1)])
        optimizer.zero_grad(set_to_none=True)
        loss.backward()
        nn.utils.clip_grad_norm_(model.parameters(), GRADIENT_CLIP)
        optimizer.step()
        step += 1
        seen += BATCH_BYTES

        if elapsed >= next_progress:
            with torch.no_grad():
                held = loss_of(model, glance.view(-1, length)).item() / math.log(2)	# export.py measures
            print(f"{elapsed / 60:5.1f} min  step {step:5d}  {seen / 1e6:6.2f} MB  window {length:3d}  "
                  f"train {loss.item() / math.log(2):.3f}  held out {held:.3f} bits/byte", flush=True)
            next_progress = elapsed + PROGRESS_SECONDS
        if elapsed >= next_checkpoint:
            save(model, checkpoint)
            next_checkpoint = elapsed + CHECKPOINT_SECONDS
    save(model, checkpoint)


def main():
    root = pathlib.Path(__file__).resolve().parents[2]
    parser = argparse.ArgumentParser(description="Train Quill's small Llama and write it as GGUF (Q8_0).")
    parser.add_argument("--corpus", required=True, metavar="PATH",
                        help="a Linux source tree, or its tarball (/usr/src/linux-source-6.12.tar.xz)")
    parser.add_argument("--minutes", type=float, default=30, help="how long to train (default %(default)g)")
    parser.add_argument("--resume", type=pathlib.Path, metavar="NPZ",
                        help="start from a checkpoint's weights (the schedule starts anew)")
    parser.add_argument("--seed", type=int, default=1, help="of the weights and the batches (default %(default)d)")
    parser.add_argument("--threads", type=int, default=2, help="of torch (default %(default)d)")
    parser.add_argument("--work", type=pathlib.Path, default=root / "build/train", metavar="DIR",
                        help="where the float32 checkpoint goes (default build/train)")
    parser.add_argument("--output", type=pathlib.Path, default=root / "tools/models/quill-tiny.gguf", metavar="FILE",
                        help="the model (default tools/models/quill-tiny.gguf)")
    parser.add_argument("--heldout", type=pathlib.Path, default=root / "tools/models/heldout.txt", metavar="FILE",
                        help="the held-out text, written from the corpus (default tools/models/heldout.txt)")
    args = parser.parse_args()
    if args.minutes <= 0 or args.threads < 1:
        parser.error("--minutes and --threads must be positive")

    torch.manual_seed(args.seed)
    torch.set_num_threads(args.threads)
    try:
        text, heldout, sources = corpus.load(args.corpus)
        args.work.mkdir(parents=True, exist_ok=True)
        args.heldout.write_bytes(heldout)
        print("held out: " + " ".join(sources))
        checkpoint = args.work / "quill-tiny.npz"
        model = Llama(CONFIG)
        if args.resume:
            resume(model, args.resume)
        train(model, text, heldout, args.minutes * 60, checkpoint)
        export.export(checkpoint, args.heldout, args.output)
    except (OSError, ValueError) as error:
        print(f"train: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
