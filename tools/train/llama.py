# SPDX-License-Identifier: MIT
"""The model's shape."""

import dataclasses


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
