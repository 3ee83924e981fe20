# SPDX-License-Identifier: MIT
"""The model in numpy: in float32, and as the device computes it.

This follows the definition, not train.py's code: that the two agree is a check of both. Tensors have GGUF's names and
the layout (outputs, inputs).
"""

import dataclasses

import numpy as np


@dataclasses.dataclass(frozen=True)
class Config:
    n_layers: int
    d_model: int
    n_heads: int
    n_kv_heads: int
    head_dim: int
    d_ff: int
    context: int
    vocab: int = 256
    rms_eps: float = 1e-5
    rope_base: float = 10000.0


def quantise(x):
    """Symmetric int8 with one scale for each vector of the last axis, as (whole numbers in float32, scale).

    The sum of 1040 products of two such numbers stays below 2^24: a float32 matrix product of them is exact.
    """
    scale = np.abs(x).max(axis=-1, keepdims=True) / np.float32(127)
    scale = np.where(scale == 0, np.float32(1), scale)
    return np.clip(np.rint(x / scale), -127, 127), scale


class Float32:
    """Plain arithmetic."""

    def __init__(self, tensors):
        self.tensors = tensors

    def linear(self, x, name):
        return x @ self.tensors[name].T

    def heads(self, x):
        """Q, K or V on the way into attention; one vector of the last axis is one head of one token."""
        return x


class Device(Float32):
    """The device's int8 scheme: weights by output channel, activations by token, Q, K and V by token and head.

    Norms, the residual stream, the softmax and the gate are float32, there as here. What differs from the device is
    the order of float32 sums and its exp(): noise far below the quantisation's.
    """

    def __init__(self, tensors):
        super().__init__(tensors)
        self.channels = {name: quantise(tensor) for name, tensor in tensors.items()
                         if tensor.ndim == 2 and name != "token_embd.weight"}

    def linear(self, x, name):
        rows, row_scale = quantise(x)
        weights, channel_scale = self.channels[name]
        return (rows @ weights.T) * row_scale * channel_scale[:, 0]

    def heads(self, x):
        values, scale = quantise(x)
        return values * scale


def rms_norm(x, weight, eps):
    return x / np.sqrt(np.mean(x * x, axis=-1, keepdims=True) + np.float32(eps)) * weight


def rotate(x, first, config):
    """RoPE on neighbouring pairs (x[2i], x[2i+1]), GGUF's convention for "llama"; x's tokens start at position first."""
    position = np.arange(first, first + x.shape[-2])[:, None]
    angle = position * config.rope_base ** (-np.arange(0, config.head_dim, 2) / config.head_dim)
    cos, sin = np.cos(angle).astype(np.float32), np.sin(angle).astype(np.float32)
    even, odd = x[..., 0::2], x[..., 1::2]
    return np.stack((even * cos - odd * sin, even * sin + odd * cos), axis=-1).reshape(x.shape)


def softmax(x):
    x = np.exp(x - x.max(axis=-1, keepdims=True))
    return x / x.sum(axis=-1, keepdims=True)


def attention(x, layer, config, arithmetic, cache):
    batch, length, _ = x.shape

    def split(name, count):
        heads = arithmetic.linear(x, f"blk.{layer}.attn_{name}.weight").reshape(batch, length, count, config.head_dim)
        return heads.transpose(0, 2, 1, 3)

    q, k, v = split("q", config.n_heads), split("k", config.n_kv_heads), split("v", config.n_kv_heads)
    before = cache[layer][0].shape[2] if layer in cache else 0
    q, k, v = (arithmetic.heads(part) for part in (rotate(q, before, config), rotate(k, before, config), v))
    if before:
        k, v = (np.concatenate(pair, axis=2) for pair in zip(cache[layer], (k, v)))
    cache[layer] = k, v

    group = config.n_heads // config.n_kv_heads
    scores = q @ np.repeat(k, group, axis=1).transpose(0, 1, 3, 2) * np.float32(config.head_dim ** -0.5)
    scores = np.where(np.tri(length, before + length, before, dtype=bool), scores, np.float32(-np.inf))
    mixed = softmax(scores) @ np.repeat(v, group, axis=1)
    return arithmetic.linear(mixed.transpose(0, 2, 1, 3).reshape(batch, length, -1), f"blk.{layer}.attn_output.weight")


def feed_forward(x, layer, arithmetic):
    gate = arithmetic.linear(x, f"blk.{layer}.ffn_gate.weight")
    up = arithmetic.linear(x, f"blk.{layer}.ffn_up.weight")
    return arithmetic.linear(gate / (1 + np.exp(-gate)) * up, f"blk.{layer}.ffn_down.weight")


def forward(tokens, config, arithmetic, cache=None):
    """Logits of (batch, length) tokens. A cache (a dict, empty at first) carries K and V from call to call."""
    cache = {} if cache is None else cache
    tensors = arithmetic.tensors
    x = tensors["token_embd.weight"][tokens]
    for layer in range(config.n_layers):
        h = rms_norm(x, tensors[f"blk.{layer}.attn_norm.weight"], config.rms_eps)
        x = x + attention(h, layer, config, arithmetic, cache)
        h = rms_norm(x, tensors[f"blk.{layer}.ffn_norm.weight"], config.rms_eps)
        x = x + feed_forward(h, layer, arithmetic)
    return arithmetic.linear(rms_norm(x, tensors["output_norm.weight"], config.rms_eps), "output.weight")


HELDOUT_DEFINITION = (
    "heldout.txt, cut into non-overlapping windows of llama.context_length bytes (a shorter last window is left out); "
    "each window is run by itself from position 0; every byte of a window but its first is predicted from the bytes "
    "before it in the window; the mean of -log2 p over all predicted bytes")


def bits_per_byte(text, config, arithmetic, batch=8):
    """HELDOUT_DEFINITION, in code."""
    windows = np.frombuffer(text, np.uint8)[:len(text) // config.context * config.context].reshape(-1, config.context)
    if not len(windows):
        raise ValueError(f"{len(text)} bytes of text do not fill a window of {config.context}")
    bits = 0.0
    for first in range(0, len(windows), batch):
        part = windows[first:first + batch]
        p = softmax(forward(part[:, :-1], config, arithmetic).astype(np.float64))
        bits -= np.log2(np.take_along_axis(p, part[:, 1:, None].astype(np.intp), axis=-1)).sum()
    return bits / (len(windows) * (config.context - 1))


def sample(prompt, length, config, arithmetic, temperature, seed):
    """The prompt's continuation, until a document's end (byte 0) or the end of the context."""
    rng = np.random.default_rng(seed)
    out, tokens, cache = b"", np.frombuffer(prompt, np.uint8), {}
    for _ in range(min(length, config.context - len(prompt))):
        logits = forward(tokens[None], config, arithmetic, cache)[0, -1]
        token = rng.choice(config.vocab, p=softmax(logits.astype(np.float64) / temperature))
        if token == 0:
            break
        out += bytes([token])
        tokens = np.array([token])
    return out
